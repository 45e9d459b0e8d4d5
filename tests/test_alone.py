"A chapter that is opened alone: what it reads from the chapters before it is made where it is missing"
import json
import re
from pathlib import Path

import pytest

from agent_distill.alone import need
from agent_distill.profile import AgentDistillError, Artifact, get_profile

NBS = Path(__file__).resolve().parent.parent / "nbs"
CHAPTERS = sorted(p for folder in (NBS, NBS / "lab") for p in folder.glob("[0-9]*.ipynb") if p.stem not in ("00_profile", "02_retrieval"))


def cells(path): return ["".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def small(folder):
    "A profile with two passages to search"
    rows = [dict(id=n[0], title=n, text=f"{n} lies in Elmland.") for n in ("Kelden", "Garwick")]
    (folder / "two.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return f"mini,corpus={folder / 'two.jsonl'},epochs=1"


@pytest.mark.slow
def test_all_four_artifacts_from_nothing_and_once(tmp_path):
    spec, out = small(tmp_path), tmp_path / "run"
    assert need("student", out, spec, train_limit=2) == "Made here: questions, index, teacher, student."
    made = {p: p.stat().st_mtime_ns for p in out.rglob("manifest.json")}
    assert need("student", out, spec, train_limit=2) == "student/ is there."
    assert {p: p.stat().st_mtime_ns for p in out.rglob("manifest.json")} == made
    inputs = {"teacher": out / "teacher"}
    assert Artifact(out / "student", get_profile(spec), 0, train_limit=2, inputs=inputs).done, "the chapter makes another one"


def test_only_what_is_missing_and_read_is_made(tmp_path):
    spec, out = small(tmp_path), tmp_path / "run"
    assert need("questions", out, spec, train_limit=1) == "Made here: questions."
    assert need("index", out, spec, train_limit=1) == "Made here: index."
    assert not (out / "teacher").exists()


@pytest.mark.parametrize("what", [dict(seed=1), dict(train_limit=2), dict(profile="mini,n_train=9")])
def test_nothing_is_made_in_a_run_of_other_parameters(what, tmp_path):
    for name, config in dict(questions={}, teacher=dict(train_limit=1), evaluation=dict(limit=3)).items():
        Artifact(tmp_path / name, get_profile("mini"), **config).start().finish()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AgentDistillError, match="was made otherwise"): need("student", tmp_path, **dict(profile="mini", train_limit=1) | what)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_is_not_there_is_not_advised(tmp_path):
    with pytest.raises(AgentDistillError) as e: need("index", tmp_path / "smal", "small")
    assert "there is no run at" in str(e.value) and "agent-distill run" not in str(e.value)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_that_read_artifacts_call_it_first(path):
    "By what they read: the index, the teacher's rows or the students of the run's folder"
    reads = r'(?:Retriever\.load|Artifact\.read|flat_vectors)\((?:mini|out ?/)|inputs = \{name: out'
    shown = [s for s in cells(path) if not s.startswith("#| export")]
    first = next((i for i, s in enumerate(shown) if re.search(reads, s)), None)
    if first is None: return
    assert any('need("' in s for s in shown[:first]), f"cell: {shown[first]}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_name_the_last_artifact_that_they_read(path):
    "`need` makes what lies before it too; what a chapter makes itself it does not ask for"
    shown = "\n".join(s for s in cells(path) if not s.startswith("#| export"))
    asked = re.findall(r'^need\("(\w+)", (?:out|run)\b', shown, re.M)
    if not asked: return
    names = ["questions", "index", "teacher", "student"]
    read = re.findall(rf'\b(?:out|mini|above) ?/ ?"({"|".join(names)})"', shown)
    assert max(map(names.index, read), default=0) <= names.index(asked[0]), f"{asked[0]} is asked for, {read} are read"


@pytest.mark.slow
def test_a_chapter_alone_in_an_empty_folder(tmp_path):
    "Executed as a stranger would open it: nothing but the package, and its own defaults"
    papermill = pytest.importorskip("papermill")
    (tmp_path / "runs").mkdir()
    done = papermill.execute_notebook(str(NBS / "02e_words.ipynb"), str(tmp_path / "02e.ipynb"), cwd=str(tmp_path),
                                      progress_bar=False)
    said = [o["data"]["text/plain"] for c in done.cells for o in c.get("outputs", []) if "text/plain" in o.get("data", {})]
    assert "'Made here: questions, index.'" in said
    assert Artifact.read(tmp_path / "runs" / "mini" / "index").manifest["counts"]["passages"] == 2000
