"""The pipeline: toys for the machinery, then the real chapters on the mini profile.

The toys take seconds and cover what must hold on any profile: kept stages, kills, locks, failures. The
tests marked slow run the chapters themselves with a small limit, once, and then damage what they left."""
import json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

import nbformat
import pytest

from conftest import children
from agent_distill.pipeline import (STAGES, ChapterFailed, Stage, chapter_path, find_stage, folder_hash, locked,
                                    notebooks_folder, plan, run, take_over, take_part)
from agent_distill.profile import AgentDistillError, Artifact, get_profile, read_jsonl

ROOT = Path(__file__).resolve().parent.parent
LIMIT = ("--limit", 4, "--train-limit", 4)  # questions a benchmark in the slow tests
LIMITED = dict(retrieval={"limit"}, engines={"limit"}, teacher={"train_limit"}, student={"train_limit"},
               evaluation={"limit", "train_limit"}, scaling={"limit"})   # the chapters that know of them

ROWS = """
import time
from pathlib import Path
from agent_distill.profile import Artifact, get_profile, read_jsonl
art = Artifact(out_dir + "/questions", get_profile(profile), seed, limit=limit)
if not art.done:
    rows = art.start().records("rows.jsonl")
    for i in range(8):
        if str(i) in rows: continue
        time.sleep(0.4)
        rows.append(dict(id=str(i), value=seed * 100 + i))
    art.finish()
"""
USES = """
from agent_distill.profile import Artifact, read_jsonl
rows = read_jsonl(Artifact.read(out_dir + "/questions").path("rows.jsonl"))
print(sum(row["value"] for row in rows))
"""
TOYS = (Stage("00_profile"), Stage("01_questions", "questions"), Stage("04_agent"))


def chapter(nbs, name, *cells):
    "Write a chapter with a parameters cell"
    params = 'profile = "mini"\nout_dir = ""\nseed = 0\nlimit = 0'
    nb = nbformat.v4.new_notebook(metadata={"kernelspec": dict(
        name="python3", display_name="python3", language="python")})
    nb.cells = [nbformat.v4.new_code_cell(params, metadata={"tags": ["parameters"]}),
                *map(nbformat.v4.new_code_cell, cells)]
    nbformat.write(nb, nbs / f"{name}.ipynb")


@pytest.fixture
def nbs(tmp_path):
    folder = tmp_path / "nbs"
    folder.mkdir()
    chapter(folder, "00_profile", "import os; print(profile, seed, limit, os.getcwd())")
    chapter(folder, "01_questions", ROWS)
    chapter(folder, "04_agent", USES)
    return folder


@pytest.fixture
def quick(nbs):
    "The same, without waiting"
    chapter(nbs, "01_questions", ROWS.replace("sleep(0.4)", "sleep(0)"))
    return nbs


def toys(out, nbs, **kw): return run("mini", out, stages=TOYS, nbs=nbs, progress=False, **kw)
def statuses(runs): return {r.name: r.status for r in runs}
def printed(copy): return [o["text"] for c in nbformat.read(copy, 4).cells for o in c.get("outputs", ())
                           if o["output_type"] == "stream"]


WATCHFUL = """
import asyncio
from nbclient import NotebookClient
async def watch(self):
    while await self.km.is_alive(): await asyncio.sleep(.01)
    self.task_poll_for_reply.cancel()
NotebookClient._async_poll_kernel_alive = watch
"""  # a kernel's death is noticed at once, and not within a second


def cli(nbs, out, *args, first="", **kw):
    "`agent-distill run` on the toys, in a process of its own; `first`: what it does before"
    code = (first + "import functools, sys; from agent_distill import cli, pipeline as p;"
            "s = (p.Stage('00_profile'), p.Stage('01_questions', 'questions'), p.Stage('04_agent'));"
            f"cli.run = functools.partial(p.run, stages=s, nbs={str(nbs)!r});"
            "sys.exit(cli.main(sys.argv[1:]))")
    return subprocess.Popen([sys.executable, "-c", code, "run", "--out", str(out), *map(str, args)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def count(path): return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(path, rows, process, seconds=120):
    "Until the record file has that many rows"
    until = time.monotonic() + seconds
    while count(path) < rows:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, f"no {rows} rows in {path}"
        time.sleep(0.02)


# the stages

def test_every_stage_is_a_chapter_of_the_checkout():
    nbs = notebooks_folder()
    for stage in STAGES: chapter_path(stage, nbs)


def test_plan():
    assert plan() == list(STAGES)
    assert [s.name for s in plan("8")] == ["08_evaluation", "10_scaling", "11_results"]
    assert [s.name for s in plan(only="student")] == ["07_student"]


def test_a_folder_without_chapters_says_what_to_do(tmp_path):
    with pytest.raises(AgentDistillError, match="install agent_distill again"): notebooks_folder(tmp_path)


def test_the_hash_of_a_library_leaves_out_its_chapters(tmp_path):
    (tmp_path / "nbs").mkdir()
    (tmp_path / "a.py").write_text("1")
    before = folder_hash(tmp_path), folder_hash(tmp_path, skip=("nbs",))
    (tmp_path / "nbs" / "cache").write_text("left by a chapter")
    after = folder_hash(tmp_path), folder_hash(tmp_path, skip=("nbs",))
    assert before[0] != after[0] and before[1] == after[1]


# toys: parameters, copies, resume

def test_copies_parameters_and_working_directory(nbs, tmp_path):
    runs = toys(tmp_path / "run", nbs, seed=3, limit=5)
    copies = tmp_path / "run" / "notebooks"
    assert statuses(runs) == {s.name: "ran" for s in TOYS}
    assert printed(copies / "00_profile.ipynb") == [f"mini 3 5 {nbs}\n"]
    assert printed(copies / "04_agent.ipynb") == ["2428\n"]
    assert sorted(p.name for p in nbs.iterdir()) == [f"{s.name}.ipynb" for s in TOYS]
    manifest = Artifact.read(tmp_path / "run" / "questions").manifest
    assert (manifest["profile"]["name"], manifest["seed"], manifest["config"]) == ("mini", 3, {"limit": 5})
    again = toys(tmp_path / "run", nbs, seed=3, limit=5, train_limit=7)
    assert set(statuses(again).values()) == {"kept"}, "a parameter that no chapter has"
    log = json.loads((tmp_path / "run" / "run.json").read_text())
    assert list(log) == [s.name for s in TOYS] and all(f["peak_mb"] > 0 for f in log.values())


def test_finished_stages_are_kept_until_something_changes(nbs, tmp_path):
    out = tmp_path / "run"
    toys(out, nbs)
    assert set(statuses(toys(out, nbs)).values()) == {"kept"}
    chapter(nbs, "00_profile", "print('another text')")
    assert statuses(toys(out, nbs)) == {"00_profile": "ran", "01_questions": "kept", "04_agent": "kept"}
    assert statuses(toys(out, nbs, only="4")) == {"04_agent": "ran"}
    assert statuses(toys(out, nbs, start="1")) == {"01_questions": "ran", "04_agent": "kept"}


def test_another_limit_and_back(quick, tmp_path):
    "What is displaced is told before work begins; the way back takes it up, and makes nothing again"
    out, said = tmp_path / "run", []
    toys(out, quick, say=said.append)
    assert said == [], "a first run has nothing to tell"
    first = (out / "questions" / "rows.jsonl").stat().st_ino
    assert statuses(toys(out, quick, limit=1, say=said.append)) == {s.name: "ran" for s in TOYS}
    assert [line for line in said if "questions/" in line] == [
        "to run: 01_questions | limit 0 there, 1 here | questions/ moves to questions.stale-1/ (limit 0 there, 1 here)"]
    assert (out / "questions.stale-1" / "rows.jsonl").stat().st_ino == first
    said.clear()
    toys(out, quick, say=said.append)
    assert any(line.endswith("questions/ moves to questions.stale-2/ (limit 1 there, 0 here), and questions.stale-1/ fits again")
               for line in said) and not any("made again" in line for line in said)
    assert (out / "questions" / "rows.jsonl").stat().st_ino == first
    said.clear()
    assert set(statuses(toys(out, quick, say=said.append)).values()) == {"kept"}
    assert said == ["kept: 00_profile, 01_questions, 04_agent"]


def test_a_run_that_goes_on_says_so_and_a_changed_library_too(quick, tmp_path, monkeypatch):
    out, said = tmp_path / "run", []
    toys(out, quick, only="1")
    manifest = json.loads((out / "questions" / "manifest.json").read_text())
    (out / "questions" / "manifest.json").unlink()
    (out / "questions" / "rows.jsonl").rename(tmp_path / "rows")
    art = Artifact(out / "questions", get_profile("mini"), 0, limit=0).start()
    (tmp_path / "rows").rename(art.path("rows.jsonl"))
    toys(out, quick, say=said.append)
    assert said == ["to run: 00_profile, 04_agent", "to run: 01_questions | questions/ goes on"]
    assert Artifact.read(art.folder).manifest["files"] == manifest["files"]
    import agent_distill.pipeline as pl
    monkeypatch.setattr(pl, "folder_hash", lambda *_, **__: "another one")
    toys(out, quick, say=said.append)
    assert said[2:] == ["to run: 00_profile, 01_questions, 04_agent | another library"]


def test_what_a_chapter_says_of_its_folders_gets_a_line(capsys):
    from agent_distill.pipeline import LastLine, stage_bar
    for progress, said in ((True, "index/ moves to index.stale-1/\n"), (False, "")):
        with stage_bar(TOYS[0], progress) as bar:
            LastLine(bar).write("index:0: Displaced: index/ moves to index.stale-1/\nx:1: UserWarning: something is old\n")
        err = capsys.readouterr().err
        assert said in err and "old" not in err and ("stale" in err) == bool(said)


def test_another_seed_is_refused_before_any_work(quick, tmp_path):
    toys(tmp_path, quick, only="1")
    before = sorted(p for p in tmp_path.rglob("*"))
    with pytest.raises(AgentDistillError, match="questions/ was made with seed 0, not 1.*an out_dir of its own"):
        toys(tmp_path, quick, seed=1)
    assert sorted(p for p in tmp_path.rglob("*")) == before


def test_a_run_that_is_moved_stays_done(nbs, tmp_path):
    toys(tmp_path / "here", nbs)
    (tmp_path / "here").rename(tmp_path / "there")
    assert set(statuses(toys(tmp_path / "there", nbs)).values()) == {"kept"}


def test_a_deleted_artifact_is_made_again(nbs, tmp_path):
    toys(tmp_path, nbs)
    before = (tmp_path / "questions" / "rows.jsonl").read_text()
    shutil.rmtree(tmp_path / "questions")
    assert statuses(toys(tmp_path, nbs))["01_questions"] == "ran"
    assert (tmp_path / "questions" / "rows.jsonl").read_text() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"01_questions": 5}', "\x00"])
def test_a_damaged_log_costs_time_only(nbs, tmp_path, text):
    toys(tmp_path, nbs, only="0")
    (tmp_path / "run.json").write_text(text)
    assert statuses(run("mini", tmp_path, stages=TOYS[:1], nbs=nbs, progress=False)) == {"00_profile": "ran"}


# toys: bad input and failures

def test_bad_input_stops_before_any_kernel(nbs, tmp_path):
    for kw, match in ((dict(profile="huge"), "unknown profile"), (dict(start="9"), "no stage"),
                      (dict(out_dir=nbs / "x"), "among the chapters"),
                      (dict(out_dir=nbs / "00_profile.ipynb" / "x"), "among the chapters")):
        with pytest.raises(AgentDistillError, match=match):
            run(**{**dict(out_dir=tmp_path / "run", stages=TOYS, nbs=nbs), **kw})
    assert not (tmp_path / "run").exists()


def test_an_untagged_or_broken_chapter_is_refused(nbs, tmp_path):
    (nbs / "04_agent.ipynb").write_text("{")
    with pytest.raises(AgentDistillError, match="no notebook"): toys(tmp_path / "run", nbs)
    nb = json.loads((nbs / "00_profile.ipynb").read_text())
    nb["cells"][0]["metadata"] = {}
    (nbs / "04_agent.ipynb").write_text(json.dumps(nb))
    with pytest.raises(AgentDistillError, match="0 cells are tagged"): toys(tmp_path / "run", nbs)
    assert not (tmp_path / "run").exists()


def test_a_chapter_that_used_another_seed_is_caught(nbs, tmp_path):
    chapter(nbs, "01_questions", "seed = 99", ROWS)
    with pytest.raises(AgentDistillError, match="seed 99 there, 0 here"): toys(tmp_path, nbs)


def test_the_readers_fault_is_one_line_and_code_2(nbs, tmp_path):
    process = cli(nbs, tmp_path / "run", "--only", "agent")
    out, err = process.communicate(timeout=120)
    lines = [line for line in err.splitlines() if "error" in line]
    assert process.returncode == 2 and len(lines) == 1 and "Traceback" not in out + err
    assert "'questions' is missing" in lines[0] and "01_questions" in lines[0]


def test_our_fault_shows_chapter_cell_and_copy_and_code_1(nbs, tmp_path):
    chapter(nbs, "04_agent", "one = 1", "def broken(): return {}['nothing']", "broken()")
    process = cli(nbs, tmp_path / "run")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    for part in ("04_agent stopped in cell 5", "KeyError", "notebooks/04_agent.ipynb", "agent-distill run"):
        assert part in err
    assert "papermill" not in err and "nbclient" not in err
    assert statuses(toys(tmp_path / "run", nbs, only="1")) == {"01_questions": "ran"}, "what was done is kept"


def test_a_kernel_that_dies(nbs, tmp_path):
    chapter(nbs, "04_agent", "import os; os._exit(7)")
    with pytest.raises(ChapterFailed, match="its kernel died"): toys(tmp_path, nbs)


def test_damage_is_reported_whichever_stage_meets_it(nbs, tmp_path):
    toys(tmp_path, nbs)
    rows = tmp_path / "questions" / "rows.jsonl"
    whole = rows.read_bytes()
    for damage in (whole[:-9], whole.replace(b"3", b"4", 1)):
        rows.write_bytes(damage)
        for kw in ({}, dict(only="1"), dict(only="4")):
            with pytest.raises(AgentDistillError, match="changed or cut short.*rows.jsonl.*fix"): toys(tmp_path, nbs, **kw)
        assert rows.read_bytes() == damage
    rows.write_bytes(whole)
    assert set(statuses(toys(tmp_path, nbs)).values()) >= {"kept"}


# toys: another run's artifacts

def test_a_run_takes_over_what_a_change_cannot_have_touched(quick, tmp_path):
    toys(tmp_path / "old", quick, only="1")
    rows = tmp_path / "new" / "questions" / "rows.jsonl"
    said, how = [], dict(stages=TOYS, nbs=quick, progress=False, reuse=tmp_path / "old")
    runs = run("mini,lora_r=8", tmp_path / "new", say=said.append, **how)
    assert statuses(runs) == {"00_profile": "ran", "01_questions": "taken", "04_agent": "ran"}
    assert said == ["to run: 00_profile, 04_agent", f"taken from {tmp_path / 'old'}: 01_questions"]
    assert rows.stat().st_nlink == 2 and not (tmp_path / "new" / "notebooks" / "01_questions.ipynb").exists()
    assert runs[1].taken_s == Artifact(rows.parent, None).manifest["wall_s"]
    assert set(statuses(run("mini,lora_r=8", tmp_path / "new", **how)).values()) == {"kept"}
    assert Artifact.read(rows.parent).manifest["profile"]["lora_r"] == 64, "what made it, not who uses it"
    assert not list(rows.parent.parent.glob(".*half"))


@pytest.mark.parametrize("change", [dict(profile="mini,n_test=7"), dict(seed=1), dict(limit=5)])
def test_what_was_made_otherwise_is_not_taken_over(quick, tmp_path, change):
    toys(tmp_path / "old", quick, only="1")
    how, said = dict(profile="mini", seed=0, limit=0) | change, []
    run(out_dir=tmp_path / "new", stages=TOYS, nbs=quick, progress=False, reuse=tmp_path / "old", say=said.append, **how)
    name, was = {"profile": ("n_test", 50), "seed": ("seed", 0), "limit": ("limit", 0)}[next(iter(change))]
    assert f"to run: 01_questions | {name} {was} there, {[*change.values()][0]} here".replace("mini,n_test=", "") in said
    made = Artifact.read(tmp_path / "new" / "questions")
    assert (made.profile.spec, made.seed, made.config["limit"]) == tuple(how.values())
    assert made.path("rows.jsonl").stat().st_nlink == 1 and not list((tmp_path / "new").glob("*stale*"))


def test_a_killed_or_hindered_take_over(nbs, tmp_path, monkeypatch):
    toys(tmp_path / "old", nbs)
    stage, params = TOYS[1], dict(profile="mini", seed=0, limit=0)
    half = tmp_path / "new" / ".questions.half"
    half.mkdir(parents=True)
    (half / "rows.jsonl").write_text("torn")
    def refused(*_): raise OSError("no links on this disk")
    monkeypatch.setattr(os, "link", refused)
    assert take_over(stage, tmp_path / "new", tmp_path / "old", params) == {}
    assert take_over(stage, tmp_path / "new", tmp_path / "old", params) == {}, "it is there"
    copy = tmp_path / "new" / "questions" / "rows.jsonl"
    assert copy.read_bytes() == (tmp_path / "old" / "questions" / "rows.jsonl").read_bytes()
    assert copy.stat().st_nlink == 1 and not half.exists()
    with (tmp_path / "old" / "questions" / "rows.jsonl").open("a") as f: f.write("more\n")
    with pytest.raises(AgentDistillError, match="changed or cut short.*rows.jsonl"):
        take_over(stage, tmp_path / "third", tmp_path / "old", params)


def test_what_is_asked_for_by_name_is_made_and_not_taken(quick, tmp_path):
    "As after a change of the library's code, which no manifest knows of"
    toys(tmp_path / "old", quick, only="1")
    said, rows = [], tmp_path / "new" / "questions" / "rows.jsonl"
    assert statuses(toys(tmp_path / "new", quick, start="1", reuse=tmp_path / "old", say=said.append))["01_questions"] == "ran"
    assert rows.stat().st_nlink == 1 and said[0] == "to run: 01_questions | it was asked for"


def test_versions_are_told_and_do_not_matter(quick, tmp_path, monkeypatch):
    import agent_distill.pipeline as pl
    toys(tmp_path / "old", quick, only="1")
    monkeypatch.setattr(pl, "versions", lambda: {**Artifact(tmp_path / "old" / "questions", None).manifest["versions"], "python": "4.0"})
    said = []
    assert statuses(toys(tmp_path / "new", quick, reuse=tmp_path / "old", say=said.append))["01_questions"] == "taken"
    assert said[1].startswith(f"taken from {tmp_path / 'old'}: 01_questions | python 3.") and said[1].endswith(" there, 4.0 here")


def test_what_is_made_from_something_else_is_not_taken_over(quick, tmp_path):
    "An index of the same fields, whose questions are made again here: in content it may be another one"
    stages = (*TOYS[:2], Stage("02_retrieval", "index"))
    chapter(quick, "02_retrieval", """
from agent_distill.profile import Artifact, get_profile
art = Artifact(out_dir + "/index", get_profile(profile), seed, inputs={"questions": out_dir + "/questions"})
if not art.done: art.start().finish()
""")
    def made(out, **kw): return statuses(run("mini", out, stages=stages, nbs=quick, progress=False, **kw))
    made(tmp_path / "old")
    assert made(tmp_path / "one", reuse=tmp_path / "old") == {"00_profile": "ran", "01_questions": "taken", "02_retrieval": "taken"}
    (tmp_path / "old" / "questions").rename(tmp_path / "old" / "gone")
    said = []
    assert made(tmp_path / "two", reuse=tmp_path / "old", say=said.append)["02_retrieval"] == "ran"
    assert said == ["to run: 00_profile", "to run: 01_questions | not finished there",
                    "to run: 02_retrieval | questions is made again"]


def test_an_option_that_the_chapter_does_not_have_is_another_artifact(quick, tmp_path):
    "As of a run from before the limits were two"
    Artifact(tmp_path / "old" / "questions", get_profile("mini"), 0, train_limit=0).start().finish()
    said = []
    assert statuses(toys(tmp_path / "new", quick, reuse=tmp_path / "old", say=said.append))["01_questions"] == "ran"
    assert "to run: 01_questions | train_limit 0 there, - here" in said


def test_another_number_of_samples_takes_the_greedy_answers(tmp_path):
    from agent_distill.evaluation import asked_methods, derive_seed
    mini, old, new, names = get_profile("mini"), tmp_path / "old", tmp_path / "new", ("questions", "index", "student")
    for name in names: Artifact(old / name, mini, 0).start().finish()
    art = Artifact(old / "evaluation", mini, 0, {name: old / name for name in names}, limit=0).start()
    for m in asked_methods(mini):
        for b in mini.benchmarks: art.records(f"{m.slug}/{b}.jsonl").append(dict(id="q", seed=derive_seed(0, "q"), by=m.name))
    art.finish()
    def odd(name, **change): return take_over(find_stage(name), new, old, dict(profile="mini,sag_n=2", seed=0, limit=0) | change)
    assert odd("evaluation").keys() == {"sag_n", *names} and take_part(odd("evaluation"), new, old, {}) == []
    for name in names: assert odd(name) == {}
    assert odd("evaluation") == {"sag_n": "sag_n 8 there, 2 here"}
    for change in (dict(limit=4), dict(profile="mini,sag_n=2,max_steps=4")):
        assert take_part(odd("evaluation", **change), new, old, {}) == [] and not (new / "evaluation").exists()
    for _ in "twice, as after a kill":
        said = take_part(odd("evaluation"), new, old, dict(profile="mini,sag_n=2", seed=0, limit=0))
        assert said == ["the answers of 6 of 9 methods are taken"]
        assert {p.name for p in (new / "evaluation").iterdir() if p.is_dir()} == {
            "teacher-agent", "student-agent", "cot-distill", "agent-distill", "agent-distill-ftp", "agent-distill-n4"}
    made = Artifact(new / "evaluation", get_profile("mini,sag_n=2"), 0, {name: new / name for name in names}, limit=0)
    assert made.manifest["fingerprint"] == made.fingerprint and not made.done, "the chapter goes on in it"


def test_reuse_of_a_folder_without_a_run(nbs, tmp_path):
    toys(tmp_path / "run", nbs, only="0")
    with pytest.raises(AgentDistillError, match="cannot reuse itself"): toys(tmp_path / "run", nbs, reuse=tmp_path / "run")
    with pytest.raises(AgentDistillError, match="there is no run at"):
        run("mini", tmp_path / "new", stages=TOYS, nbs=nbs, progress=False, reuse=nbs)
    assert not (tmp_path / "new").exists()


# toys: kills and locks

@pytest.mark.parametrize("at", [1, 4, 7])
def test_kill_9_loses_and_doubles_nothing(nbs, tmp_path, at):
    rows = tmp_path / "killed" / "questions" / "rows.jsonl"
    process = cli(nbs, tmp_path / "killed")
    wait_for(rows, at, process)
    process.kill()
    process.wait()
    runs = toys(tmp_path / "killed", nbs)  # at once: the orphaned kernel may still be writing
    toys(tmp_path / "straight", nbs)
    assert rows.read_text() == (tmp_path / "straight" / "questions" / "rows.jsonl").read_text()
    assert statuses(runs) == {"00_profile": "kept", "01_questions": "ran", "04_agent": "ran"}
    assert printed(tmp_path / "killed" / "notebooks" / "04_agent.ipynb") == ["28\n"]


@pytest.mark.parametrize("first", ["", WATCHFUL], ids=["", "watchful"])
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_kernel_and_says_how_to_go_on(nbs, tmp_path, sig, first):
    rows = tmp_path / "run" / "questions" / "rows.jsonl"
    def listen(): signal.signal(sig, signal.SIG_DFL)  # jobs that a shell put into the background ignore Ctrl-C
    process = cli(nbs, tmp_path / "run", "--seed", 2, first=first, preexec_fn=listen)
    wait_for(rows, 2, process)
    kernels = children(process.pid)
    process.send_signal(sig)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    assert f"stopped in 01_questions" in err and f"--out {tmp_path / 'run'} --seed 2" in err
    assert kernels and not [k for k in kernels if Path(f"/proc/{k}").exists()]
    survived = count(rows)
    assert 2 <= survived < 8
    toys(tmp_path / "run", nbs, seed=2)
    assert [r["id"] for r in read_jsonl(rows)] == [str(i) for i in range(8)]


def test_a_second_run_in_the_same_folder_is_refused(nbs, tmp_path):
    rows = tmp_path / "questions" / "rows.jsonl"
    first = cli(nbs, tmp_path)
    wait_for(rows, 1, first)
    with pytest.raises(AgentDistillError, match="another run"):
        with locked(tmp_path, wait=0.3): pass
    first.communicate(timeout=120)
    assert first.returncode == 0 and count(rows) == 8


# the real chapters, once, with a small limit

def command(*args, **kw):
    code = "import sys; from agent_distill.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True,
                          timeout=1800, **kw)


def fails(*args):
    "A command that must end in code 2 with one line and no traceback"
    done = command(*args)
    lines = [line for line in done.stderr.splitlines() if line.startswith("agent-distill: error: ")]
    assert done.returncode == 2 and len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    "A finished run of all chapters"
    out = tmp_path_factory.mktemp("mini") / "run"
    done = command("run", "--out", out, *LIMIT)
    assert done.returncode == 0, done.stderr[-3000:]
    return out, done


@pytest.fixture
def copied(mini, tmp_path):
    "The run, to be damaged; what was done before stays done in another folder"
    return Path(shutil.copytree(mini[0], tmp_path / "run"))


def everything(out):
    "Hash of each file of the run's artifacts"
    import hashlib
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for s in STAGES if s.artifact for p in sorted((out / s.artifact).rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_end_to_end(mini):
    out, done = mini
    for part in ("agent-distill+FTP+SAG", "mini", "trajectories.html", ".png", "agent-distill ask"):
        assert part in done.stdout
    for stage in STAGES:
        copy = nbformat.read(out / "notebooks" / f"{stage.name}.ipynb", 4)
        given = {k for k in copy.metadata.papermill.parameters if "limit" in k}
        assert given == LIMITED.get(stage.short, set())
        assert copy.metadata.papermill.exception is None
        if not stage.artifact: continue
        manifest = Artifact.read(out / stage.artifact).manifest
        assert (manifest["profile"]["name"], manifest["seed"]) == ("mini", 0)
    log = json.loads((out / "run.json").read_text())
    assert max(f["peak_mb"] for f in log.values()) < 4096


@pytest.mark.slow
def test_a_second_run_keeps_everything(mini):
    out, _ = mini
    before = everything(out)
    done = command("run", "--out", out, *LIMIT)
    assert done.returncode == 0 and f"stages run: 0, kept: {len(STAGES)}" in done.stdout
    assert everything(out) == before


@pytest.mark.slow
def test_report_and_ask(mini):
    out, _ = mini
    assert "agent-distill+SAG" in command("report", "--out", out).stdout
    question = read_jsonl(out / "questions" / "test.jsonl")[0]["question"]
    done = command("ask", "--out", out, question)
    missed = "I did not find it" in done.stdout   # so few questions make a poor student
    assert done.returncode == int(missed) and "Step 1" in done.stdout, done.stderr
    assert (missed or "Answer: " in done.stdout) and "untrained" not in done.stdout
    assert "3 candidates" in command("ask", "--out", out, "--sag", 3, question).stdout


@pytest.mark.slow
def test_one_number_changed(mini, tmp_path):
    "Only what samples is asked again and what comes after it made anew, and the two runs are compared"
    out, _ = mini
    done = command("run", "--set", "sag_n=2", "--reuse", out, "--out", tmp_path / "two", *LIMIT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"taken from {out}: 01_questions, 02_retrieval, 06_teacher, 07_student\n" in done.stdout
    assert "08_evaluation | sag_n 8 there, 2 here | the answers of 6 of 9 methods are taken" in done.stdout
    assert "taken over: 4 (" in done.stdout and not (tmp_path / "two" / "notebooks" / "07_student.ipynb").exists()
    for method in ("teacher-agent", "student-agent", "cot-distill", "agent-distill", "agent-distill-ftp"):
        for path in (out / "evaluation" / method).iterdir():
            assert path.read_bytes() == (tmp_path / "two" / "evaluation" / method / path.name).read_bytes()
    assert "mini,sag_n=2: right answers" in done.stdout and f"--set sag_n=2 --out {tmp_path / 'two'}" in done.stdout
    before, after = everything(out).items(), everything(tmp_path / "two").items()
    assert {name.split("/")[0] for name, _ in before ^ after} == {"evaluation", "scaling"}
    said = command("compare", out, tmp_path / "two")
    assert said.returncode == 0 and "sag_n: 8 there, 2 here" in said.stdout and "agent-distill+SAG" in said.stdout
    assert "other rows" not in said.stdout
    assert "nothing differs" in command("compare", out, out).stdout


ASIDE = sorted({p.stem for p in (ROOT / "nbs").glob("[0-9]*.ipynb")} - {s.name for s in STAGES})


@pytest.mark.slow
@pytest.mark.parametrize("name", ASIDE)
def test_a_chapter_that_no_run_executes(name, mini, tmp_path):
    import papermill
    out, _ = mini
    before, params = everything(out), dict(profile="mini", out_dir=str(out), seed=0, limit=4, train_limit=4)
    papermill.execute_notebook(str(ROOT / "nbs" / f"{name}.ipynb"), str(tmp_path / "copy.ipynb"), params,
                               cwd=str(ROOT / "nbs"), progress_bar=False)
    assert everything(out) == before


DAMAGE = {
    "a truncated index": ("index/index.faiss", lambda b: b[:len(b) // 2], "evaluation"),
    "a passage with another hash": ("index/passages/00000.arrow", lambda b: b.replace(b"the", b"eht", 1), "teacher"),
    "a changed question": ("questions/test.jsonl", lambda b: b.replace(b"a", b"e", 1), "evaluation"),
    "a lost adapter": ("student/agent_ftp/adapter_model.safetensors", None, "evaluation"),
    "a torn manifest": ("teacher/manifest.json", lambda b: b[:99], "student"),
    "a truncated dataset": ("teacher/dataset_agent.jsonl", lambda b: b[:-20], "student"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_clear_error(case, copied):
    name, change, stage = DAMAGE[case]
    path = copied / name
    whole = path.read_bytes()
    if change: path.write_bytes(change(whole))
    else: path.unlink()
    before = everything(copied)
    for args in ((), ("--only", stage)):
        error = fails("run", "--out", copied, *LIMIT, *args)
        assert name in error and "fix: " in error
    assert everything(copied) == before, "nothing that was done is lost"
    path.write_bytes(whole)
    done = command("run", "--out", copied, *LIMIT)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("stage, lacks", [("teacher", "01_questions"), ("student", "06_teacher"),
                                          ("evaluation", "01_questions")])
def test_a_stage_without_what_it_needs(stage, lacks, tmp_path):
    error = fails("run", "--out", tmp_path, "--only", stage, *LIMIT)
    assert "is missing" in error and lacks in error


@pytest.mark.slow
def test_an_unfinished_artifact_is_never_taken_for_a_finished_one(copied):
    manifest = copied / "teacher" / "manifest.json"
    facts = Artifact(manifest.parent, None).manifest
    manifest.write_text(json.dumps({**facts, "complete": False, "began": time.time()}))
    error = fails("run", "--out", copied, "--only", "student", *LIMIT)
    assert "'teacher' is not finished" in error and "06_teacher" in error


def same_rows(a, b):
    "The records of two runs by id, without what only time decides"
    def rows(path): return {r["id"]: r for r in read_jsonl(path)}
    one, two = rows(a), rows(b)
    assert len(read_jsonl(a)) == len(one) and set(one) == set(two), "a record lost or doubled"
    return [k for k in one if (one[k].get("messages"), one[k].get("answer")) !=
            (two[k].get("messages"), two[k].get("answer"))]


@pytest.mark.slow
@pytest.mark.parametrize("stage, records", [("06_teacher", "ftp.jsonl"),
                                            ("08_evaluation", "agent-distill-sag/mini-musique.jsonl")])
def test_kill_9_in_a_real_stage(stage, records, mini, copied):
    folder = next(s.artifact for s in STAGES if s.name == stage)
    shutil.rmtree(copied / folder)
    code = "import sys; from agent_distill.cli import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", code, "run", "--out", str(copied), *map(str, LIMIT),
                                "--only", stage], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(copied / folder / records, 2, process, seconds=900)
    process.kill()
    process.wait()
    done = command("run", "--out", copied, *LIMIT, "--only", stage)
    assert done.returncode == 0, done.stderr
    for path in sorted((mini[0] / folder).rglob("*.jsonl")):
        name = path.relative_to(mini[0])
        assert same_rows(path, copied / name) == [], name
