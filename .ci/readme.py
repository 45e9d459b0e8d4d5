#!/usr/bin/env python3
"""README.md is nbs/index.ipynb: its prose and the outputs of its cells. No Quarto is needed.

    python .ci/readme.py                  write README.md
    python .ci/readme.py --check          exit 1 if README.md is not what index.ipynb gives
    python .ci/readme.py --command TEXT   print the README's command with TEXT in it, for this checkout
"""
import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INDEX, README = ROOT / "nbs" / "index.ipynb", ROOT / "README.md"
HEAD = "<!-- made from nbs/index.ipynb by .ci/readme.py: edit the notebook -->\n\n"


def text(source):
    "A notebook's text: a string or a list of lines"
    return source if isinstance(source, str) else "".join(source)


def shown(output):
    "One output as markdown"
    data = output.get("data", {})
    if "text/markdown" in data: return text(data["text/markdown"])
    plain = text(data.get("text/plain", output.get("text", "")))
    return f"```\n{plain.rstrip()}\n```" if plain.strip() else ""


def blocks(cell):
    "The markdown blocks of one cell; `#|` directives say what is left out, as on the site"
    source = text(cell["source"])
    if cell["cell_type"] != "code": return [source]
    if re.search(r"^#\|\s*hide\s*$", source, re.M): return []
    code = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip()
    hidden = re.search(r"^#\|\s*echo:\s*false", source, re.M)
    return ([] if hidden else [f"```python\n{code}\n```"]) + [shown(o) for o in cell["outputs"]]


def render(index=INDEX):
    "The README's text"
    cells = json.loads(index.read_text(encoding="utf-8"))["cells"]
    body = "\n\n".join(b.strip() for c in cells for b in blocks(c) if b.strip())
    links = re.compile(r"\]\((?!https?:|#|/)([^)]+)\)")
    return HEAD + links.sub(r"](nbs/\1)", body) + "\n"


def command(part, readme=README):
    "The README's one command that contains `part`, without fetching the checkout that we are in"
    lines = [l for b in re.findall(r"^```sh\n(.*?)^```", readme.read_text(encoding="utf-8"), re.M | re.S)
             for l in b.splitlines() if l.startswith("git clone ") and part in l]
    if len(lines) != 1: sys.exit(f"README.md has {len(lines)} commands with {part!r}, not one")
    return lines[0].split(" && ", 2)[2]  # git clone URL && cd FOLDER && ...


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--check", action="store_true")
    args.add_argument("--command", metavar="TEXT")
    args = args.parse_args()
    if args.command: print(command(args.command))
    elif not args.check: README.write_text(render(), encoding="utf-8")
    elif README.read_text(encoding="utf-8") != render():
        sys.exit("README.md is not what nbs/index.ipynb gives: run python .ci/readme.py")


if __name__ == "__main__": main()
