"""Kills in the narrow windows, and damage: whatever was going on, the next run ends in the same result.

A kill is injected by a double of the file functions: at the k-th call it raises, before or after the
call, and from then on nothing is written, as in a process that is gone. No clock is involved."""
import errno, json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

import nbformat
import pytest

from agent_distill import pipeline as pl
from agent_distill.pipeline import RunLog, Stage, locked, run
from agent_distill.profile import MINI, AgentDistillError, Artifact, Records, file_hash, write_atomic
from agent_distill.student import _remove, last_checkpoint

CALLS = "replace rename unlink rmdir mkdir fsync".split()


class Killed(BaseException): "The process is gone"


class Double:
    "File functions of `os` that kill the process at one call"
    def __init__(self, patch, at=None, after=False):
        self.n, self.at, self.after = 0, at, after
        for name in CALLS: patch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, call):
        def do(*args, **kw):
            self.n += 1
            if self.at is None or self.n < self.at: return call(*args, **kw)
            if self.n == self.at and self.after: call(*args, **kw)
            raise Killed
        return do


def points(work):
    "How many calls `work` makes"
    with pytest.MonkeyPatch.context() as patch:
        double = Double(patch)
        work()
    return double.n


def killed(work, at, after):
    with pytest.MonkeyPatch.context() as patch:
        Double(patch, at, after)
        with pytest.raises(Killed): work()


def every_kill(work, fresh, check):
    "Kill `work` before and after each of its calls, each time in a fresh state, and go on"
    fresh()
    n = points(work)
    assert n > 0
    for at in range(1, n + 1):
        for after in (False, True):
            fresh()
            killed(work, at, after)
            work()
            check()
    return n


def files(folder): return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*"))
                           if p.is_file() and p.name != "manifest.json"}


def make(folder):
    "A stage: three records, a file, the manifest"
    art = Artifact(folder, MINI, 0)
    if art.done: return art
    rows = art.start().records("rows.jsonl")
    for i in range(3):
        if i not in rows: rows.append(dict(id=i))
    write_atomic(art.path("part/results.json"), "{}")
    art.finish(rows=3)
    return art


def test_an_artifact_killed_anywhere_ends_the_same(tmp_path):
    folder = tmp_path / "questions"
    def fresh(): shutil.rmtree(tmp_path); tmp_path.mkdir()
    def check():
        assert Artifact.read(folder).manifest["counts"] == {"rows": 3}
        assert files(folder) == wanted and [p.name for p in tmp_path.iterdir()] == ["questions"]
    make(folder)
    wanted = files(folder)
    assert every_kill(lambda: make(folder), fresh, check) >= 8


@pytest.mark.filterwarnings("ignore:.*stale")
def test_two_artifacts_that_change_places_killed_anywhere(tmp_path):
    "Nothing is lost and nothing is made again, whichever of the two the next process wants"
    folder, other = tmp_path / "questions", Artifact(tmp_path / "questions", MINI, 0, limit=4)
    def inodes(): return sorted(p.stat().st_ino for p in tmp_path.rglob("manifest.json"))
    def fresh():
        shutil.rmtree(tmp_path); tmp_path.mkdir()
        make(folder)
        Artifact(folder, MINI, 0, limit=4).start().finish()
        made[:] = inodes()
    made = []
    def check(): assert make(folder).manifest["config"] == {} and other.done and inodes() == made
    assert every_kill(lambda: make(folder), fresh, check) == 2
    for at, after in ((1, True), (2, False)):
        fresh()
        killed(lambda: make(folder), at, after)
        assert not folder.exists() and other.done and inodes() == made


def test_checkpoints_are_gone_or_whole(tmp_path):
    folder = tmp_path / "checkpoints"
    def fresh():
        shutil.rmtree(tmp_path); tmp_path.mkdir()
        for n in (1, 2):
            (folder / f"checkpoint-{n}").mkdir(parents=True)
            for name in ("trainer_state.json", "adapter_model.safetensors", "optimizer.pt"):
                (folder / f"checkpoint-{n}" / name).write_text('{"global_step": 1}')
    def work():
        if found := last_checkpoint(folder): assert len(list(found.iterdir())) == 3, "a torn checkpoint is trusted"
        _remove(folder)
    assert every_kill(work, fresh, lambda: None) >= 9
    assert not list(tmp_path.iterdir())


def test_notes_of_a_run_killed_anywhere(tmp_path):
    def fresh(): (tmp_path / "run.json").unlink(missing_ok=True); RunLog(tmp_path).add("a", key="1")
    def work(): log = RunLog(tmp_path); log.drop("a"); log.add("a", key="2")
    every_kill(work, fresh, lambda: RunLog(tmp_path).rows["a"]["key"] == "2" or pytest.fail("lost"))


def test_every_changed_byte_of_a_manifest_is_noticed(tmp_path):
    art = make(tmp_path / "index")
    path = art.folder / "manifest.json"
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1:])
        with pytest.raises(AgentDistillError, match="manifest"): Artifact.read(art.folder)


DAMAGE = {
    "emptied": lambda p: p.write_bytes(b""),
    "cut": lambda p: p.write_bytes(p.read_bytes()[:-3]),
    "flipped": lambda p: p.write_bytes(bytes([p.read_bytes()[0] ^ 1]) + p.read_bytes()[1:]),
    "zeros": lambda p: p.write_bytes(bytes(p.stat().st_size)),
    "null": lambda p: p.write_text("null"),
    "other JSON": lambda p: p.write_text("[1, 2]"),
    "no UTF-8": lambda p: p.write_bytes(b"\xff\xfe" + p.read_bytes()),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"x"),
    "gone": lambda p: p.unlink(),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("name", ["rows.jsonl", "part/results.json", "manifest.json"])
def test_damage_to_an_artifact_is_named(tmp_path, kind, name):
    art = make(tmp_path / "scaling")
    DAMAGE[kind](art.folder / name)
    with pytest.raises(AgentDistillError, match="10_scaling"): Artifact.read(art.folder)


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("name", ["notebooks/01_questions.ipynb", "run.json", "questions/rows.jsonl", "questions/manifest.json"])
def test_damage_to_a_file_of_a_run_is_named_or_mended(nbs, tmp_path, kind, name):
    "What `run` asks before it keeps a chapter: never yes"
    out = tmp_path / "run"
    (out / "notebooks").mkdir(parents=True)
    copy = out / "notebooks/01_questions.ipynb"
    copy.write_text('{"cells": []}')
    make(out / "questions")
    RunLog(out).add("01_questions", key=dict(library="1"), sha256=file_hash(copy))
    def kept(): log = RunLog(out); return pl._kept(copy, "01_questions", log) and pl.is_done(STAGE, out, dict(library="1"), log)
    assert kept()
    DAMAGE[kind](out / name)
    try: assert not kept()
    except AgentDistillError as e: assert "01_questions" in str(e)


def test_rows_are_not_added_to_a_file_that_was_removed(tmp_path):
    art = Artifact(tmp_path / "teacher", MINI, 0).start()
    rows = art.records("rows.jsonl")
    rows.append(dict(id=1))
    shutil.rmtree(art.folder)
    with pytest.raises(AgentDistillError, match="removed"): rows.append(dict(id=2))
    with pytest.raises(AgentDistillError, match="removed"): art.finish()


# a real run, of one light chapter

PARAMS = 'profile, out_dir, seed, limit = "mini", "", 0, 0'
STAGE = Stage("01_questions", "questions")
ROWS = """from agent_distill.profile import Artifact, get_profile
art = Artifact(out_dir + "/questions", get_profile(profile), seed)
if not art.done:
    art.start().records("rows.jsonl").append(dict(id=1))
    art.finish()"""


@pytest.fixture
def nbs(tmp_path):
    folder = tmp_path / "nbs"
    folder.mkdir()
    return folder


def light(nbs, out, code=ROWS, **kw):
    nb = nbformat.v4.new_notebook(metadata={"kernelspec": dict(name="python3", display_name="python3", language="python")})
    nb.cells = [nbformat.v4.new_code_cell(PARAMS, metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(code)]
    nbformat.write(nb, nbs / "01_questions.ipynb")
    return run("mini", out, stages=(STAGE,), nbs=nbs, progress=False, **kw)[0].status


def test_a_run_killed_at_each_of_its_own_writes(nbs, tmp_path, monkeypatch):
    "`run --only` over a finished run: the copy, `run.json` before and after"
    out, real = tmp_path / "run", os.replace
    assert light(nbs, out) == "ran"
    wanted, n = file_hash(out / "questions" / "rows.jsonl"), 0
    for at in (1, 2, 3):
        n = 0
        def double(a, b):
            nonlocal n
            n += 1
            if n == at: raise Killed
            real(a, b)
        monkeypatch.setattr(os, "replace", double)
        with pytest.raises(Killed): light(nbs, out, only="1")
        monkeypatch.setattr(os, "replace", real)
        assert light(nbs, out) == ("kept" if at == 1 else "ran"), "half done is not done"
        assert light(nbs, out) == "kept" and file_hash(out / "questions" / "rows.jsonl") == wanted


def test_damaged_copies_and_notes_are_made_again(nbs, tmp_path):
    light(nbs, tmp_path / "run")
    copy, notes = tmp_path / "run/notebooks/01_questions.ipynb", tmp_path / "run/run.json"
    copy.write_text("")
    assert light(nbs, tmp_path / "run") == "ran" and nbformat.read(copy, 4).cells
    notes.write_text('{"01_questions": null}')
    assert light(nbs, tmp_path / "run") == "ran"
    notes.write_bytes(notes.read_bytes().replace(b'"wall_s": ', b'"wall_s": 1'))
    assert RunLog(tmp_path / "run").rows == {}, "a changed note is no note"


def test_what_the_disk_refuses_is_one_error(nbs, tmp_path):
    for code, match in (("import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", "make room"),
                        ("import shutil\nshutil.rmtree(out_dir)", "removed while it ran|cannot be written")):
        with pytest.raises(AgentDistillError, match=match): light(nbs, tmp_path / "run", code)
    (tmp_path / "run" / ".lock").unlink(missing_ok=True)
    (tmp_path / "run" / ".lock").mkdir(parents=True)
    with pytest.raises(AgentDistillError, match="cannot be locked"): light(nbs, tmp_path / "run")


@pytest.mark.parametrize("name", ["corpus.jsonl", "saved/data.arrow"])
def test_a_corpus_edited_in_place_is_another_corpus(nbs, tmp_path, monkeypatch, name):
    "A file, and a folder of files; the encyclopedia's name is never taken for a folder of that name"
    cell = nbformat.v4.new_code_cell(PARAMS, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), nbs / "02_retrieval.ipynb")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a")
    params = dict(profile=f"mini,corpus={tmp_path / name.partition('/')[0]}")
    def key(params): return pl.stage_key(pl.find_stage("index"), nbs, tmp_path / "run", params)
    before, mini = key(params), key(dict(profile="mini"))
    assert key(params) == before
    path.write_text("b")
    (tmp_path / "mini").mkdir()
    assert key(params) != before and key(dict(profile="mini")) == mini


def test_a_run_uses_the_python_that_runs_it(nbs, tmp_path, monkeypatch):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps(dict(argv=["/bin/false"], display_name="other", language="python")))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    code = f"import sys\nassert sys.executable == {sys.executable!r}\n" + ROWS
    assert light(nbs, tmp_path / "run, {a}", code) == "ran", "braces and commas in the path too"


# workers

SLOW = "import time\ndef slow():\n    def do(row): time.sleep(.2); return dict(y=row['id'])\n    return do\n"


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_workers_end_with_their_parent(tmp_path):
    (tmp_path / "slow_worker.py").write_text(SLOW)
    env = os.environ | dict(PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    code = ("import sys; from agent_distill.scaling import run_sharded;"
            f"rows = [dict(id=str(i)) for i in range(24)]; print(len(run_sharded('slow_worker:slow', rows, {str(tmp_path / 'out')!r})))")
    parent = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "out").glob("shard-*.jsonl")): assert parent.poll() is None; time.sleep(.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    again = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert again.stdout == "24\n", again.stderr


# the functions of the chapters: every write, rename and delete, in a process of its own

def swept(tmp_path, stage, most):
    "What went wrong when a stage was killed in `most` of its windows"
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("killing.py")), str(tmp_path), stage, str(most)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["windows"] >= most and found["operations"] >= 20
    return found["wrong"]


STAGES = ["index", "index_pq", "index_disk", "teacher", "student", "evaluation"]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="forks of a process with torch")
@pytest.mark.parametrize("stage", STAGES)
def test_a_chapter_killed_in_its_windows_ends_the_same(tmp_path, stage):
    "Four of its windows, evenly spread; `python tests/killing.py FOLDER STAGE` tries all of them"
    assert swept(tmp_path, stage, 4) == []


# rows

@pytest.mark.parametrize("row", [dict(id=1), dict(id="ä", text="é {} \n"), dict(id=2, deep=[[{"a": {}}]])])
def test_a_row_torn_at_any_byte_is_whole_or_gone(tmp_path, row):
    path = tmp_path / "rows.jsonl"
    Records(path).append(dict(id=0))
    first = path.read_bytes()
    Records(path).append(row)
    whole = path.read_bytes()
    for n in range(len(first), len(whole) + 1):
        path.write_bytes(whole[:n])
        records = Records(path)
        assert list(records) == [dict(id=0), row][:1 + (n >= len(whole) - 1)], "the last byte is the newline"
        if row["id"] not in records: records.append(row)
        assert path.read_bytes() == whole and len(Records(path)) == 2
