"The site without Quarto: nbdev's processors run as `nbdev_docs` runs them, and what comes out is read"
import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

pytest.importorskip("nbdev")
from fastcore.foundation import read_config_file

from agent_distill.cli import _swept, parser
from agent_distill.profile import get_profile
from agent_distill.site import entries, llms, neighbours, sidebar

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
NAMES = sorted(p.relative_to(NBS).as_posix() for p in NBS.rglob("*.ipynb")
               if not any(part[0] in "._" for part in p.relative_to(NBS).parts))
TEXTS = sorted(p.name for p in NBS.glob("*.qmd"))
CHAPTERS = [n for n in NAMES if Path(n).name[0].isdigit()]
every, chapters = (pytest.mark.parametrize("name", names) for names in (NAMES, CHAPTERS))

BUILD = """
import nbdev.quarto
nbdev.quarto._ensure_quarto = lambda: None   # it would be downloaded and installed
nbdev.quarto._pre_docs(n_workers=0)
"""


def source(cell): return "".join(cell["source"])
def prose(page): return [source(c) for c in page["cells"] if c["cell_type"] == "markdown"]
def code(page): return [c for c in page["cells"] if c["cell_type"] == "code"]
def load(path): return json.loads(path.read_text(encoding="utf-8"))
def unfenced(text): return re.sub(r"^```.*?^```[^\n]*$", "", text, flags=re.M | re.S)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    "The notebooks that Quarto would get, by their names; nothing of them has gone wrong"
    copy = tmp_path_factory.mktemp("site") / "agent_distill"
    copy.mkdir()
    skip = shutil.ignore_patterns("_runs", "__pycache__", "weights", ".*")
    for name in ("settings.ini", "_quarto.yml"): shutil.copy(ROOT / name, copy / name)
    for name in ("nbs", "agent_distill"): shutil.copytree(ROOT / name, copy / name, ignore=skip)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Found cells containing imports and other code" not in done.stderr
    return {n: load(copy / "_proc" / n) for n in NAMES}


def head(page):
    "The page's title, description and file name"
    [raw] = [source(c) for c in page["cells"] if c["cell_type"] == "raw"]
    return yaml.safe_load(raw.strip().strip("-"))


def target(name, page):
    "Where the page will be, lab/world.html"
    return (Path(name).parent / head(page)["output-file"]).as_posix()


def slug(heading):
    "The anchor that Pandoc gives a heading"
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[^\w\s.-]", "", text.strip()).lower()
    return re.sub(r"^[^a-z]+", "", re.sub(r"\s+", "-", text)) or "section"


def anchors(page):
    "All anchors of a page; Pandoc numbers headings that repeat"
    text, found, seen = unfenced("\n\n".join(prose(page))), [], Counter()
    for heading in re.findall(r"^#{2,6} +(.+?)\s*$", text, re.M):
        explicit = re.search(r"\{#([\w.:-]+)[^}]*\}$", heading)
        one = explicit[1] if explicit else slug(heading)
        found.append(f"{one}-{seen[one]}" if seen[one] and not explicit else one)
        seen[one] += 1
    return found + re.findall(r"\]\{#([\w.:-]+)", text)


OPENINGS = {"06_teacher.ipynb": "06_teacher.ipynb", "07_student.ipynb": "08_evaluation.ipynb"}


@pytest.mark.parametrize("name", OPENINGS)
def test_the_figures_that_open_a_chapter_are_in_its_outputs(name, pages):
    "Where they are copied as they stand: from its own tables, or from the evaluation's"
    table = next(t for t in prose(pages[name]) if "|--:" in t)
    outputs = json.dumps([c["outputs"] for c in code(pages[OPENINGS[name]])])
    figures = re.findall(r"\d+ \[\d+, \d+\]", table)
    assert len(figures) >= 3 and not [f for f in figures if f"{f} n" not in outputs]


PATH = [n for n in CHAPTERS if n[:3] in ("01_", "02_", "03_", "06_", "07_", "08_")]


@pytest.mark.parametrize("name", PATH)
def test_main_path_opens_with_its_result_and_ends_with_a_solution(name, pages):
    "A table before the set-up; the exercise's solution is folded"
    cells = pages[name]["cells"]
    first = next(i for i, c in enumerate(cells) if c["cell_type"] == "code")
    assert any(re.search(r"^\|[-:| ]+\|$", source(c), re.M) for c in cells[:first])
    assert '::: {.callout-tip collapse="true"}\n## A solution' in "\n".join(prose(pages[name])[-4:])


@every
def test_page_has_title_and_description(name, pages):
    assert {"title", "description", "output-file"} <= head(pages[name]).keys()


def test_page_names_differ(pages):
    "nbdev strips numbers from the names of files"
    where = Counter(target(n, p) for n, p in pages.items())
    assert not [w for w, n in where.items() if n > 1]


@chapters
def test_page_opens_with_badge_and_intro(name, pages):
    "nbdev consumes the title's cell: whatever else stands in it is lost"
    top = "\n".join(prose(pages[name])[:6])
    assert f"blob/main/nbs/{name})" in top, "the Colab badge belongs in a cell of its own"
    for words in ("What you build", "needs", "How long"): assert words in top, "intro in the title's cell?"


@every
def test_title_cell_has_nothing_else(name):
    text = next(source(c) for c in load(NBS / name)["cells"]
                if c["cell_type"] == "markdown" and re.search(r"^# ", source(c), re.M))
    rest = [l for l in text.splitlines() if l.strip() and not l.startswith(("# ", ">"))]
    assert not rest, "a cell of its own for this: nbdev takes the whole cell for the title"


def guards(cell): return '"google.colab" in sys.modules' in source(cell)


@every
def test_colab_installs_the_tested_versions(name):
    "One cell, the same in every chapter but for the extra; torch stays as Colab brings it"
    installs = [source(c) for c in load(NBS / name)["cells"] if c["cell_type"] == "code" and guards(c)]
    if name == "index.ipynb": return   # it holds no code to run
    more = r"(?<=agent_distill\[)[\w,]+(?=\])|(?<=repo}\")[ \w]+(?='\)$)"   # an extra, packages of one chapter
    assert re.sub(more, "", installs[0]).splitlines() == [
        "import sys", 'if "google.colab" in sys.modules:',
        '    raw = "https://raw.githubusercontent.com/agent-distill/agent_distill/main/constraints.txt"',
        """    get_ipython().system(f"curl -sfL {raw} | grep -v '^torch==' > constraints.txt")""",
        '    repo = "git+https://github.com/agent-distill/agent_distill"',
        """    get_ipython().system(f'pip install -q -c constraints.txt "agent_distill[] @ {repo}"')"""]


@every
def test_a_cell_imports_or_computes(name):
    "nbdev executes cells that hold an import, alone and without the cells before them"
    from nbdev.process import NBProcessor
    for c in NBProcessor(NBS / name).nb.cells:
        if c.cell_type != "code" or c.directives_.keys() & {"export", "exports", "exporti"} or guards(c): continue
        tree = ast.parse(c.source)
        if any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.walk(tree)):
            assert all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in tree.body), c.source


@every
def test_pictures_have_alt_text(name, pages):
    for c in code(pages[name]):
        kinds = {k for o in c["outputs"] for k in o.get("data", {})}
        if any(k.startswith("image/") for k in kinds):
            assert re.search(r'^#\| fig-alt: "[^"]{20,}"$', source(c), re.M), source(c)
    text = unfenced("\n".join(prose(pages[name])))
    assert "![](" not in text
    html = text + "".join("".join(o.get("data", {}).get("text/html", "")) for c in code(pages[name]) for o in c["outputs"])
    assert not [i for i in re.findall(r"<img[^>]*>", html) if not re.search(r'alt="[^"]+"', i)]
    assert not [i for i in re.findall(r"<svg[^>]*>", html) if "aria-label" not in i and "aria-hidden" not in i]


@every
def test_links_and_anchors_lead_somewhere(name, pages):
    files = {target(n, p): n for n, p in pages.items()}
    outputs = ["".join(o.get("data", {}).get("text/markdown", "")) for c in code(pages[name]) for o in c["outputs"]]
    text = unfenced("\n\n".join(prose(pages[name]) + outputs))
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]*)\)", re.sub(r"`[^`\n]*`(?!\])", "", text)):
        path, _, anchor = link.partition("#")
        there = (NBS / name).parent.joinpath(path).resolve().relative_to(NBS).as_posix() if path else name
        other = files.get(there, there)
        assert other in pages or (NBS / other).is_file(), link
        if anchor: assert anchor in anchors(pages[other]), link


def test_the_main_path_and_what_its_chapters_name_as_next(pages):
    rows = entries(sidebar(ROOT))
    way = [page for titles, page in rows if titles == rows[1][0]]
    assert [page[:2] for page in way] == ["01", "02", "03", "04", "06", "07", "08", "11"]
    for name, after in zip(way, way[1:]):
        last = [t for t in prose(pages[name]) if "Next" in t][-1]
        assert re.search(r"Next[^()]*\]\(([^)]+)\)", last)[1] == after, name


@every
def test_the_foot_of_a_page_leads_to_its_neighbours(name, pages):
    linked = re.findall(r"\]\(([^)]+)\)", prose(pages[name])[-1]) if name != "index.ipynb" else []
    there = [(Path(name).parent / link).as_posix() for link in linked]
    assert there == [page for page in neighbours(sidebar(ROOT), name) if page]


def test_the_list_for_language_models_is_fresh():
    cfg = read_config_file(ROOT / "settings.ini")
    fresh = llms(sidebar(ROOT), NBS, cfg["doc_host"] + cfg["doc_baseurl"])
    assert (NBS / "llms.txt").read_text(encoding="utf-8") == fresh, "run agent_distill.site.write_llms()"
    assert {page for _, page in entries(sidebar(ROOT))} == {*NAMES, *TEXTS}
    assert yaml.safe_load((ROOT / "_quarto.yml").read_text())["project"]["resources"] == ["llms.txt"]


def test_each_term_of_the_glossary_has_two_sentences_and_a_chapter(pages):
    _, *terms = re.split(r"^### ", (NBS / "glossary.qmd").read_text(encoding="utf-8"), flags=re.M)
    assert len(terms) > 30
    for term in terms:
        name, text = re.sub(r"\s+", " ", re.split(r"^## ", term, flags=re.M)[0].replace("\n", " @ ", 1)).split(" @ ")
        page, _, anchor = re.search(r"\]\(([^)]+)\)\s*$", text)[1].partition("#")
        assert page in pages and (not anchor or anchor in anchors(pages[page])), name
        sentences = re.findall(r"[.?](?= )", re.sub(r"\[[^]]*\]\([^)]*\)", "", text))
        assert len(sentences) in (2, 3), (name, text)


@every
def test_anchors_differ(name, pages):
    assert not [a for a, n in Counter(anchors(pages[name])).items() if n > 1]


@every
def test_exported_code_is_on_the_page(name, pages):
    "As code, not as a signature with links in it"
    shown = [source(c) for c in code(pages[name])]
    for c in load(NBS / name)["cells"]:
        if c["cell_type"] != "code" or not re.match(r"#\| *export", source(c)): continue
        if re.search(r"^#\| *hide", source(c), re.M): continue
        body = re.sub(r"^#\|.*\n?", "", source(c), flags=re.M).strip()
        assert any(s.endswith(body) for s in shown), body
    assert not [s for s in shown if "show_doc(" in s or re.search(r"\]\(https?://[^)]*\.html#", s)]


@every
def test_long_code_is_folded(name, pages):
    for c in code(pages[name]):
        if len(source(c).splitlines()) > 24: assert re.search(r"^#\| *(code-fold|echo|include):", source(c), re.M)


def test_words_are_not_taken_for_names(pages):
    "Names of commands, options and fields, which the library has as well"
    from nbdev.doclinks import NbdevLookup
    text = "\n".join(t for p in pages.values() for t in prose(p))
    for word in ("questions", "serve", "max_length", "run", "answer"): assert f"[`{word}`](" not in text
    assert "[`Engine`](" in text and "[`run_agents`](" in text


@every
def test_text_blocks_fit_a_narrow_page(name):
    "Wider ones are cut off or wrapped: a list or a table says it better"
    for c in load(NBS / name)["cells"]:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", source(c), re.M | re.S) if c["cell_type"] == "markdown" else []
        for block in [text for language, text in blocks if not language]:
            assert max(map(len, block.splitlines())) <= 76, block
            assert not re.search(r"[│─┌└├▼►]|--+[>+]", block), "a drawing in letters"


def test_the_style_sheet_is_where_quarto_looks():
    "Paths in the project's configuration count from the folder of the notebooks"
    html = yaml.safe_load((ROOT / "_quarto.yml").read_text())["format"]["html"]
    rules = (NBS / html["css"]).read_text()
    assert rules.count("{") == rules.count("}")
    for theme in ("light", "dark"): assert f"body.quarto-{theme}" in rules


def test_pull_requests_build_the_site_and_do_not_deploy_it():
    site = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())
    assert "pull_request" in site[True]   # YAML 1.1 reads `on` as a truth value
    assert "pull_request" in site["jobs"]["deploy"]["if"] and "if" not in site["jobs"]["build"]
    assert any("nbdev_docs" in step.get("run", "") for step in site["jobs"]["build"]["steps"])


@pytest.mark.parametrize("name", TEXTS)
def test_pages_that_are_no_notebooks_link_to_pages_and_anchors(name, pages):
    text = unfenced((NBS / name).read_text(encoding="utf-8"))
    for path, _, anchor in (l.partition("#") for l in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)):
        assert path in pages or path in TEXTS, path
        if anchor: assert anchor in anchors(pages[path]), (path, anchor)


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (NBS / name).read_text(encoding="utf-8"), re.M | re.S)


def test_the_how_tos_python_runs(capsys):
    found = blocks("howto.qmd", "python")
    assert len(found) == 3
    for block in found: exec(block, {"__name__": "howto"})
    assert "lookup(name: str) -> str: the town" in capsys.readouterr().out


def test_the_how_tos_commands_parse():
    text = "".join(blocks("howto.qmd", "sh")).replace("\\\n", " ")
    lines = [shlex.split(line) for line in text.splitlines() if line.strip().startswith("agent-distill")]
    assert len(lines) == 9
    for line in lines:
        a = parser().parse_args(line[1:])
        if a.command == "sweep": assert len(_swept(a)) == 12
        elif a.command != "compare": get_profile(",".join([a.profile, *a.set]))
