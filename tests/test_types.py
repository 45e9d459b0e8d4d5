"Type checkers and editors know what the chapters add to their classes"
import ast
import importlib
import inspect
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from test_package import built, modules

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
from pathlib import Path

from agent_distill.agent import Completion, EngineError, run_agents, run_async, solve
from agent_distill.evaluation import Results
from agent_distill.profile import Artifact, Profile, get_profile
from agent_distill.questions import Question, load_questions
from agent_distill.retrieval import Retriever, search_tool
from agent_distill.sandbox import Limits, Sandbox, tool
from agent_distill.servers import ServerEngine, load_engine
from agent_distill.trajectories import Trajectory


@tool(read_only=False)
def note(text: str) -> str:
    "Keep a text"
    return text


class Echo:
    "Says the same to everybody"
    async def generate(self, messages: list[dict[str, str]], n: int = 1, prefix: str = "",
                       **sampling: object) -> list[Completion]:
        return [Completion("final_answer(1)", 2, 3, -0.5, "stop")] * n


def branch(codes: list[str]) -> list[str]:
    with Sandbox(tools=[note], limits=Limits(wall_s=9), backend=None) as box, box.session() as session:
        session.run("items = []")
        tries = session.try_all(tuple(codes))
        print(session.commit(tries[0]).key, box.check(), box.gaps(), box.limits, box.report)
        return [t.logs for t in tries]


def ask(folder: Path, question: Question) -> Trajectory:
    profile: Profile = get_profile("mini")
    print(profile.spec.upper(), Artifact.read(folder).manifest["seed"])
    retriever = Retriever.load(folder)
    hits = retriever.search([question.question], k=2)[0]
    print(retriever.observation("where?"), hits[0].passage.title)
    engine = load_engine(profile, profile.student, adapter=None)
    with Sandbox(tools=[search_tool(retriever)]) as box:
        for t in run_agents(load_questions(profile, "test"), Echo(), box, n=4, records=None): print(t.to_row())
        return Trajectory.from_row(run_async(solve(question, engine, box, temperature=0.4)).to_row())


def remote(out: Path) -> str:
    try: engine = ServerEngine("http://localhost:8000/v1", "mini-student", adapter=out, context=None)
    except EngineError as e: return e.what
    engine.close()
    return Results.from_json(out.read_text()).table()
"""


def stubs(*args):
    return subprocess.run([sys.executable, ".ci/stubs.py", *args], cwd=ROOT, capture_output=True, text=True)


def test_stubs_are_what_the_modules_give():
    done = stubs("--check")
    assert done.returncode == 0, done.stderr


def listed(stub):
    "Class -> the names in it, and the functions of a stub"
    body = ast.parse(stub.read_text(encoding="utf-8")).body
    names = {c.name: {getattr(n, "name", None) or n.target.id for n in c.body if not isinstance(n, ast.Expr)}
             for c in body if isinstance(c, ast.ClassDef)}
    return names | {f.name: set() for f in body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))}


@pytest.mark.parametrize("name", modules())
def test_a_stub_holds_what_is_public(name):
    "Functions, classes, and what is in them, whoever put it there"
    module = importlib.import_module(name)
    names = listed(Path(module.__file__).with_suffix(".pyi"))
    for k, o in ((k, getattr(module, k)) for k in getattr(module, "__all__", ())):
        if isinstance(o, type) and o.__name__ == k: assert {n for n in vars(o) if n[0] != "_"} <= names[k], k
        elif inspect.isfunction(o): assert k in names


@pytest.mark.parametrize("place", ["checkout", "wheel"])
def test_mypy_understands_a_script(tmp_path, place):
    "Strictly, and without any of the packages that the library needs"
    mypy = shutil.which("mypy") or pytest.skip("mypy is not installed")
    if place == "wheel": zipfile.ZipFile(built(tmp_path, "build", "--build-base", str(tmp_path / "build"), "bdist_wheel")[0]).extractall(tmp_path / "site")
    (tmp_path / "script.py").write_text(SCRIPT)
    where = ROOT if place == "checkout" else tmp_path / "site"
    done = subprocess.run([mypy, "--strict", "--no-site-packages", "script.py"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "MYPYPATH": str(where)})
    assert done.returncode == 0, done.stdout


def test_mypy_still_sees_mistakes(tmp_path):
    mypy = shutil.which("mypy") or pytest.skip("mypy is not installed")
    (tmp_path / "script.py").write_text("from agent_distill.sandbox import Sandbox\nwith Sandbox() as box: box.sesion()\n"
                                        "Sandbox().session().run(3)\n")
    done = subprocess.run([mypy, "script.py"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "MYPYPATH": str(ROOT)})
    assert '"Sandbox" has no attribute "sesion"' in done.stdout and 'expected "str"' in done.stdout


def test_comments_of_parameters_reach_editors():
    "Of functions, methods and fields, and of what is returned"
    def stub(name): return (ROOT / "agent_distill" / f"{name}.pyi").read_text()
    assert "- sandbox: a `Sandbox` that holds the tools\n" in stub("agent") and "- returns: the winner" in stub("agent")
    assert "- effects: may it call tools that change something?" in stub("sandbox/__init__")
    assert "- open_files: descriptors" in stub("sandbox/host")
