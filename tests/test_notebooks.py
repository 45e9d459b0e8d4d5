"The notebooks: clean, in step with the modules and the README, and steered by their parameters"
import ast
import filecmp
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
PARAMETERS = {"profile": "mini", "out_dir": "", "seed": 0, "limit": 0, "train_limit": 0}


def listed(pattern):
    found = sorted(p for p in NBS.rglob(pattern) if not any(part[0] in "._" for part in p.relative_to(NBS).parts))
    return [pytest.param(p, id=p.relative_to(NBS).as_posix()) for p in found]


every = pytest.mark.parametrize("path", listed("*.ipynb"))
chapters = pytest.mark.parametrize("path", listed("[0-9]*.ipynb"))


def load(path): return json.loads(path.read_text(encoding="utf-8"))
def source(cell): return "".join(cell["source"])
def code(path): return [c for c in load(path)["cells"] if c["cell_type"] == "code"]
def tagged(path): return [c for c in code(path) if "parameters" in c["metadata"].get("tags", [])]


@every
def test_exactly_one_parameters_cell(path):
    cells = tagged(path)
    assert len(cells) == 1
    names = {t.id: ast.literal_eval(a.value) for a in ast.parse(source(cells[0])).body for t in a.targets}
    assert names.items() <= PARAMETERS.items() and {"profile", "seed"} <= names.keys()


@every
def test_a_chapter_has_the_parameters_that_it_uses(path):
    "What it has and does not use would be a promise; what it uses and does not have, the pipeline would not hand it"
    def used(s): return {n.id for n in ast.walk(ast.parse(re.sub(r"(?m)^[%!].*$", "", s))) if isinstance(n, ast.Name)}
    has = used(source(tagged(path)[0]))
    cells = [source(c) for c in code(path) if c not in tagged(path) and not source(c).startswith("#| export")]
    assert set.union(set(), *map(used, cells)) & {"out_dir", "limit", "train_limit"} == has - {"profile", "seed"}


@every
def test_kernelspec_is_whole(path):
    "Papermill wants the language, which nbdev_clean drops from everywhere else"
    assert load(path)["metadata"]["kernelspec"] == {"display_name": "python3", "language": "python", "name": "python3"}


@every
def test_outputs_are_small_and_portable(path):
    outputs = [o for c in code(path) for o in c.get("outputs", [])]
    text = json.dumps(outputs)
    assert len(text) <= 300_000
    assert not re.search(r"(/tmp/|/home/|/root/|/Users/|[A-Z]:\\\\)\w", text), "an absolute path"
    assert str(ROOT) not in text, "an absolute path"
    assert "vnd.jupyter.widget" not in text, "a widget"
    assert not [o for o in outputs if o["output_type"] == "error"]
    assert not re.search(r"\d%\|[█▏▎▍▌▋▊▉# ]", text), "a progress bar"


@every
def test_sources_are_lists_of_lines(path):
    "One string loses the newlines of callouts on the site"
    for c in load(path)["cells"]: assert isinstance(c["source"], list)


@chapters
def test_opens_on_colab(path):
    where = f"https://colab.research.google.com/github/agent-distill/agent_distill/blob/main/nbs/{path.relative_to(NBS).as_posix()}"
    assert any(where in source(c) for c in load(path)["cells"] if c["cell_type"] == "markdown")


@every
def test_links_between_notebooks_lead_somewhere(path):
    text = "\n".join(source(c) for c in load(path)["cells"] if c["cell_type"] == "markdown")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+\.ipynb)", text)
    assert not [l for l in links if not (path.parent / l).exists()]


@every
def test_imports_of_the_package_lead_somewhere(path):
    "A name that moved to another module is noticed here, not after minutes of papermill"
    for c in code(path):
        for node in ast.walk(ast.parse(re.sub(r"(?m)^[%!].*$", "", source(c)))):
            if not (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "agent_distill"): continue
            module = importlib.import_module(node.module)
            for name in (a.name for a in node.names if not hasattr(module, a.name)):
                importlib.import_module(f"{node.module}.{name}")


@every
def test_injected_parameters_come_right_after_the_defaults(path):
    "Without the tag papermill injects at the top, and the defaults win silently"
    papermill = pytest.importorskip("papermill")
    nb = papermill.parameterize.parameterize_notebook(
        papermill.iorw.load_notebook_node(str(path)), {"profile": "paper", "seed": 7})
    tags = [c["metadata"].get("tags", []) for c in nb.cells]
    [at] = [i for i, t in enumerate(tags) if "injected-parameters" in t]
    assert "parameters" in tags[at - 1]
    assert 'profile = "paper"' in nb.cells[at].source


def test_injected_parameters_win(tmp_path):
    "A real run of the first chapter ends with the injected profile in its manifest"
    papermill = pytest.importorskip("papermill")
    papermill.execute_notebook(
        str(NBS / "00_profile.ipynb"), str(tmp_path / "00.ipynb"), cwd=str(tmp_path), progress_bar=False,
        parameters=dict(profile="colab", out_dir=str(tmp_path / "run"), seed=3))
    m = json.loads((tmp_path / "run" / "demo" / "questions" / "manifest.json").read_text())
    assert (m["profile"]["name"], m["seed"], m["config"]) == ("colab", 3, {"split": "test"})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    "A copy of the project after nbdev_clean and nbdev_export"
    pytest.importorskip("nbdev")
    copy = tmp_path_factory.mktemp("clean") / "agent_distill"
    copy.mkdir()
    for name in ("settings.ini", "pyproject.toml"): shutil.copy(ROOT / name, copy / name)
    skip = shutil.ignore_patterns("_runs", "__pycache__", "weights", ".*")
    for name in ("nbs", "agent_distill"): shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for tool in ("nbdev.clean nbdev_clean", "nbdev.doclinks nbdev_export"):
        module, function = tool.split()
        code = f"import sys; sys.argv = ['{function}']; from {module} import {function}; {function}()"
        subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    return copy


@every
def test_notebook_is_clean(path, exported):
    same = (exported / path.relative_to(ROOT)).read_text() == path.read_text()
    assert same, "run nbdev_clean"


def test_modules_are_what_the_notebooks_export(exported):
    ours, theirs = ROOT / "agent_distill", exported / "agent_distill"
    names = {p.relative_to(t).as_posix() for t in (ours, theirs) for p in t.rglob("*.py")}
    same, differ, missing = filecmp.cmpfiles(ours, theirs, sorted(names), shallow=False)
    assert not differ + missing, "run nbdev_export"


def readme(*args):
    return subprocess.run([sys.executable, ".ci/readme.py", *args], cwd=ROOT, capture_output=True, text=True)


def test_readme_is_the_index():
    done = readme("--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part, end", [("[mini]", "agent-distill run"), ("[mini,dev]", "pytest")])
def test_readme_has_both_commands(part, end):
    command = readme("--command", part).stdout.strip()
    assert command.startswith("python3 -m venv .venv && ") and command.endswith(f" && {end}")
    assert "-c constraints.txt" in command


def test_readme_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert links and not [l for l in links if not (ROOT / l).exists()]
