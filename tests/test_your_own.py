"A corpus, questions and models of one's own, as a user brings them: through the library and the command line, from another folder"
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_distill import cli
from agent_distill.cli import parser
from agent_distill.pipeline import find_stage, stage_key
from agent_distill.profile import AgentDistillError, Artifact, get_profile
from agent_distill.questions import own_files, run_questions, to_question
from agent_distill.retrieval import Embedder, Retriever

COMMAND = [sys.executable, "-c", "import sys; from agent_distill.cli import main; sys.exit(main())"]
ROOT = Path(__file__).resolve().parents[1]
PASSAGES = [dict(id=i, title=t, text=f"{t} {x}") for i, t, x in [
    (1, "Hansen Paper", "was founded by Ruben Hale."), (2, "Ruben Hale", "was born in Torhaven."), (3, "Torhaven", "lies in Falavia.")]]
TEST = [dict(question="Where was the founder of Hansen Paper born?", answer="Torhaven", task="fact"),
        dict(question="What is 3 times 4?", answer=12, task="math")]
TRAIN = [dict(question="Who founded Hansen Paper?", answer=["Ruben Hale", "R. Hale"], task="fact")]
FILES = ["--set", "benchmarks=my.jsonl", "--set", "train_benchmarks=mine_train.jsonl", "--set", "corpus=passages.jsonl"]


def write(path, rows): path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    "A folder outside the checkout with a corpus and two question files, in which the caller is"
    folder = tmp_path / "a project"
    (folder / "models" / "mine").mkdir(parents=True)
    for name, rows in (("passages", PASSAGES), ("my", TEST), ("mine_train", TRAIN)): write(folder / f"{name}.jsonl", rows)
    monkeypatch.chdir(folder)
    return folder


def error(f, *args, **kwargs):
    with pytest.raises(AgentDistillError) as e: f(*args, **kwargs)
    return str(e.value)


def mine(**changes):
    return get_profile("mini,benchmarks=my.jsonl,train_benchmarks=mine_train.jsonl,corpus=passages.jsonl,in_domain=my.jsonl", **changes)


def command(*args, **kw):
    env = os.environ | dict(PYTHONPATH=str(ROOT))
    return subprocess.run([*COMMAND, *map(str, args)], capture_output=True, text=True, timeout=120, env=env, **kw)


# questions

def test_what_a_row_does_not_say_fills_in(project):
    train, test = run_questions(mine())
    assert [(q.id, q.benchmark, q.task, q.answer) for q in test] == [("my-1", "my", "fact", "Torhaven"), ("my-2", "my", "math", "12")]
    assert [(q.id, q.answer, q.aliases) for q in train] == [("mine_train-1", "Ruben Hale", ("R. Hale",))]


def test_several_are_joined_with_shipped_ones(project):
    profile = get_profile(mine(n_test=2).spec + ",benchmarks=my.jsonl+mini-gsm,train_benchmarks=mine_train.jsonl+mini-hotpot,n_train=3")
    train, test = run_questions(profile)
    assert [q.benchmark for q in test] == ["my"] * 2 + ["mini-gsm"] * 2
    assert [q.benchmark for q in train] == ["mine_train"] + ["mini-hotpot"] * 3
    assert list(own_files(profile)) == ["mine_train.jsonl", "my.jsonl"]


def test_in_domain_must_be_tested(project):
    for name in ("my.jsonl", "my", "mini-gsm", "hotpotqa"): run_questions(mine(in_domain=(name,)))   # shipped ones need not be asked
    for name in ("mine_train.jsonl", "mistake", "math-medium"):
        said = error(run_questions, mine(in_domain=("my.jsonl", name)))
        assert name.removesuffix(".jsonl") in said and said.endswith("test benchmarks: my")


def test_what_cannot_be_asked(project):
    assert "1 questions are for training and for testing" in error(run_questions, mine(train_benchmarks=("my.jsonl",), n_train=1))
    (project / "other").mkdir()
    write(project / "other" / "my.jsonl", TRAIN)
    assert "two benchmarks are called 'my'" in error(run_questions, mine(benchmarks=("my.jsonl", "other/my.jsonl")))
    said = error(to_question, dict(id="1", benchmark="my", question="Who?", answer="I"), "my.jsonl, row 1")
    assert "no 'task'" in said and "'fact', 'math'" in said


# the command line

def test_paths_are_the_callers(project):
    a = parser().parse_args(["run", *FILES, "--set", "in_domain=my.jsonl", "--set", "benchmarks=my.jsonl+mini-gsm",
                             "--set", "teacher=models/mine", "--set", "student=models/mine"])
    profile = cli.chosen(a)
    assert profile.benchmarks == (str(project / "my.jsonl"), "mini-gsm") and profile.corpus == str(project / "passages.jsonl")
    assert profile.teacher == profile.student == str(project / "models" / "mine")
    assert run_questions(profile)[1][0].benchmark == "my"


def keys(project, profile):
    "Stage -> its key, without an artifact"
    return {s: stage_key(find_stage(s), ROOT / "nbs", project / "run", dict(profile=profile.spec, seed=0))
            for s in ("questions", "index")}


def test_an_edited_file_is_noticed(project):
    first = keys(project, mine())
    assert keys(project, mine()) == first
    write(project / "passages.jsonl", PASSAGES[:2])
    second = keys(project, mine())
    assert second["index"] != first["index"] and second["questions"] == first["questions"]
    write(project / "my.jsonl", TEST[:1])
    assert keys(project, mine())["questions"] != second["questions"]


def test_the_stage_of_questions_from_another_folder(project):
    done = command("run", *FILES, "--set", "in_domain=my.jsonl", "--only", "questions", "--out", "runs/mine", cwd=project)
    assert done.returncode == 0, done.stderr
    made = Artifact.read(project / "runs" / "mine" / "questions")
    assert made.manifest["counts"] == dict(train=1, test=2, left_out={})
    rows = [json.loads(line) for line in made.path("test.jsonl").read_text().splitlines()]
    assert [(r["id"], r["answer"]) for r in rows] == [("my-1", "Torhaven"), ("my-2", "12")]
    assert sorted(p.name for p in project.iterdir()) == ["mine_train.jsonl", "models", "my.jsonl", "passages.jsonl", "runs"]


def test_a_bad_row_is_one_error_with_its_place(project):
    write(project / "my.jsonl", [*TEST, dict(question="Who?", task="fact")])
    done = command("run", *FILES, "--only", "questions", "--out", "runs/mine", cwd=project)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "no 'answer'" in last and "my.jsonl, row 3" in last and "add the field" in last


# the index

def test_the_index_of_a_small_corpus(project):
    r = Retriever.build("passages.jsonl", Embedder(mine().embedder), "index", mine())
    assert [h.passage.title for h in r.search("Who founded Hansen Paper?", 5)[0]][0] == "Hansen Paper" and len(r) == 3
    write(project / "passages.jsonl", PASSAGES[:1])
    assert "another corpus" in error(Retriever.load, "index", r.embedder, "passages.jsonl")
    again = Retriever.build("passages.jsonl", r.embedder, "index", mine())
    assert len(again) == 1 and (project / "index.stale-1").is_dir()
    write(project / "passages.jsonl", [PASSAGES[0], dict(id=2, title="No text")])
    assert "row 2: lacks text" in error(Retriever.build, "passages.jsonl", r.embedder, "index", mine())
