"Profiles, records and artifacts: nothing lost, nothing twice, one clear error each"
import ast
import errno
import json
import os
import pickle
import re
import subprocess
import sys
import threading
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import agent_distill.profile as P
from agent_distill.profile import (AgentDistillError, Artifact, Displaced, Profile, Records, get_profile, profile_table,
                                   read_jsonl, set_seed, write_atomic)

MINI = get_profile("mini")


def error(call, *args, **kw):
    "The message of the AgentDistillError that `call` raises"
    with pytest.raises(AgentDistillError) as e: call(*args, **kw)
    return str(e.value)


# cores

@pytest.mark.parametrize("text, most", [("100000 100000", 1), ("20000 100000", 1), ("300000 200000", 2), ("max 100000", 64),
                                        ("6400000 100000", 64), ("", 64), ("torn", 64), (None, 64)])
def test_cores_are_those_that_were_granted(tmp_path, monkeypatch, text, most):
    if text is not None: (tmp_path / "cpu.max").write_text(text)
    limit = P.cgroup_limit
    monkeypatch.setattr(P, "cgroup_limit", lambda name: limit(name, tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(64), raising=False)
    assert P.cores() == most
    monkeypatch.delattr(os, "sched_getaffinity")
    assert P.cores() == min(most, os.cpu_count())


# errors and profiles

def test_error_has_three_parts_and_survives_pickling():
    e = AgentDistillError("what", where="where", fix="fix")
    assert str(e) == "what | where: where | fix: fix" == str(pickle.loads(pickle.dumps(e)))
    assert str(AgentDistillError("what")) == "what"


CHANGES = st.fixed_dictionaries({}, optional=dict(
    sag_n=st.integers(1, 10**9), lr=st.floats(1e-12, 1e12), teacher_temperature=st.floats(0, 10),
    student=st.from_regex(r"[\w./-]+", fullmatch=True), sft=st.sampled_from(["trl", "unsloth"]),
    benchmarks=st.lists(st.from_regex(r"[\w-]+", fullmatch=True), min_size=1).map(tuple)))


@given(st.sampled_from(["mini", "small", "colab", "paper"]), CHANGES)
def test_a_profile_is_read_back_from_its_text(name, changes):
    p = get_profile(name, **changes)
    assert get_profile(p.spec) == p and get_profile(p.spec).spec == p.spec
    assert (p.spec == name) == (p == get_profile(name))


@pytest.mark.parametrize("text, why", [
    ("mini,", "'' changes nothing"), ("mini,sag_n", "'sag_n' changes nothing"), ("mini,sagn=4", "no field 'sagn'"),
    ("mini,sag_n=", "sag_n='' is no int"), ("mini,sag_n=4.5", "sag_n='4.5' is no int"), ("mini,lr=fast", "lr='fast' is no float"),
    ("mini,lr=nan", "must be positive"), ("mini,sft=axolotl", "must be one of trl, unsloth"), ("mini,name=big", "no field 'name'"),
    ("", "unknown profile ''"), ("sag_n=4", "unknown profile 'sag_n=4'")])
def test_texts_that_are_no_profile(text, why): assert why in error(get_profile, text)


def test_each_field_belongs_to_one_stage():
    read = " ".join(P._FIRST_READ.values()).split()
    assert sorted(read) == sorted(f.name for f in fields(Profile))
    assert P.fields_read("run/scaling") == [f.name for f in fields(Profile)]
    assert P.fields_read("student/evaluation") == read and P.fields_read("teacher/index")[-1] == "embedder"


OWN = dict(questions="01_questions", index="02_retrieval", teacher="06_teacher", student="07_student")
USED = dict(index=["02b_passages", "02c_indexes"],
            teacher=["03_sandbox", "03c_host", "04_agent", "04b_actions", "05_engines", "05b_servers"])
OTHERS = dict(questions={"in_domain"},   # checked only: each must be a benchmark of the run
              index={"top_k", "batch_size"},   # a cell that searches the finished index; the embedder's own
              teacher={"student", "lora_r"})   # vLLM's room for an adapter, where a student is served


@pytest.mark.parametrize("stage", OWN)
def test_a_stage_reads_no_field_that_belongs_to_a_later_one(stage, root):
    "No code of its chapter, and none exported by those that it uses, has an attribute of that name"
    def code(name): return ["".join(c["source"]) for c in json.loads((root / "nbs" / f"{name}.ipynb").read_text())["cells"]
                            if c["cell_type"] == "code"]
    cells = code(OWN[stage]) + [c for n in USED.get(stage, ()) for c in code(n) if c.startswith("#| export")]
    trees = [ast.parse(c) for c in cells]
    read = {n.attr for t in trees for n in ast.walk(t) if isinstance(n, ast.Attribute)} - OTHERS.get(stage, set())
    later = {f.name for f in fields(Profile)} - {*P.fields_read(stage)}
    assert later and not read & later
    assert not re.search(r"getattr\((p|cfg|prof|profile)\b|asdict\((p|cfg|prof|profile)\)", "".join(map(ast.unparse, trees)))


@pytest.mark.parametrize("stage, stays", [("questions", True), ("index", True), ("teacher", True), ("student", False),
                                          ("student/agent", False), ("evaluation", False)])
def test_a_change_counts_from_the_stage_that_reads_it(tmp_path, stage, stays):
    (tmp_path / stage).mkdir(parents=True)
    Artifact(tmp_path / stage, MINI).start().finish()
    assert Artifact(tmp_path / stage, replace(MINI, lora_r=8)).done == stays


@pytest.mark.parametrize("name", ["mini", "small", "colab", "paper"])
def test_profiles_hold_the_numbers_of_the_paper(name):
    p = get_profile(name)
    assert (p.lora_r, p.lora_alpha, p.lora_dropout, p.batch_size) == (64, 128, .05, 8)
    assert (p.sag_n, p.sag_temperature, p.sag_top_p, p.top_k, p.max_steps) == (8, .4, .8, 3, 5)
    if name != "mini": assert (p.lr, p.epochs) == (2e-4, 2)


def test_paper_profile():
    p = get_profile("paper")
    assert (p.n_train, p.n_test, len(p.benchmarks), len(p.train_benchmarks)) == (1000, 500, 8, 3)
    assert (p.max_length, p.cot_max_length, p.max_new_tokens, p.cot_max_new_tokens) == (10240, 4096, 1024, 4096)


@pytest.mark.parametrize("name", ["small", "colab", "paper"])
def test_hotpotqa_and_math500_are_in_domain_as_in_the_paper(name):
    assert get_profile(name).in_domain == ("hotpotqa", "math500")


def test_unknown_profile_and_field_list_the_valid_ones():
    assert "mini, small, colab, paper" in error(get_profile, "maxi")
    assert "max_steps" in error(get_profile, "mini", maxsteps=3)


@pytest.mark.parametrize("field, value", [
    ("n_test", "100"), ("n_test", -1), ("n_test", 1.5), ("n_test", None), ("n_test", True), ("max_steps", 0),
    ("engine", "vlm"), ("engine", "http://key@host/v1"), ("sft", ""), ("lr", "1e-3"), ("lr", -1.), ("benchmarks", "mini-gsm"),
    ("benchmarks", (1, 2)), ("teacher", None), ("sag_top_p", float("nan")),
    ("lora_dropout", 1.5), ("teacher_top_p", 1.5), ("sag_top_p", 2), ("prompt", "long")])
def test_values_that_cannot_be_right(field, value):
    assert field in error(get_profile, "mini", **{field: value})


def test_overrides_and_freezing():
    p = get_profile("mini", sag_n=4, benchmarks=["mini-gsm"])
    assert (p.sag_n, p.benchmarks, MINI.sag_n) == (4, ("mini-gsm",), 8)
    with pytest.raises(AttributeError): p.sag_n = 8


def test_table_shows_every_field():
    table = profile_table()
    assert all(f"`{f.name}`" in table for f in fields(Profile)[1:])


def test_set_seed_loads_nothing():
    code = "from agent_distill.profile import set_seed; import sys; set_seed(-1); print({'numpy', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_set_seed_repeats():
    import random
    np = pytest.importorskip("numpy")
    draws = []
    for _ in range(2):
        set_seed(5)
        draws.append((random.random(), np.random.rand()))
    assert draws[0] == draws[1]


# JSON lines and records

@pytest.mark.parametrize("bad", ['{"id": 1', "[1]", "null", "x", "\u2028"])
def test_read_jsonl_names_file_and_line(tmp_path, bad):
    f = tmp_path / "rows.jsonl"
    f.write_text('{"id": 0}\n' + bad + '\n{"id": 2}\n', encoding="utf-8")
    if bad.strip():
        assert f"{f}, line 2" in error(read_jsonl, f)
    else:
        assert len(read_jsonl(f)) == 2


def test_read_jsonl_of_nothing_and_of_bytes(tmp_path):
    assert "none.jsonl" in error(read_jsonl, tmp_path / "none.jsonl")
    assert str(tmp_path) in error(read_jsonl, tmp_path)
    (tmp_path / "b.jsonl").write_bytes(b'\xff\xfe{"id": 1}\n')
    assert "UTF-8" in error(read_jsonl, tmp_path / "b.jsonl")


def test_records_keep_order_and_text(tmp_path):
    rows = [{"id": "b", "t": "line\u2028sep \r\n tab\t"}, {"id": "a", "t": "Tromsø"}, {"id": 3, "t": None}]
    r = Records(tmp_path / "deep" / "r.jsonl")
    for row in rows: r.append(row)
    again = Records(r.path)
    assert again.rows == rows == read_jsonl(r.path)
    assert "a" in again and "c" not in again and len(again) == 3 and again.keys == {"a", "b", 3}


@pytest.mark.parametrize("cut", range(2, 22))
def test_a_torn_last_line_is_dropped_and_done_again(tmp_path, cut):
    "Wherever the kill fell inside the last line, the file ends up as if nothing had happened"
    f = tmp_path / "r.jsonl"
    whole = b'{"id": "q1"}\n{"id": "q2", "x": "\xc3\xb8"}\n'
    f.write_bytes(whole[:-cut])
    r = Records(f)
    assert [row["id"] for row in r] == ["q1"]
    assert f.read_bytes() == b'{"id": "q1"}\n'
    r.append({"id": "q2", "x": "ø"})
    assert f.read_bytes() == whole


@pytest.mark.parametrize("tail", [b"\0" * 20, b"\0" * 20 + b"\n", b'{"id": 12', b"garbage\n", b"[]\n", b"\xff\n"])
def test_other_torn_tails(tmp_path, tail):
    f = tmp_path / "r.jsonl"
    f.write_bytes(b'{"id": "q1"}\n' + tail)
    assert Records(f).keys == {"q1"}
    assert f.read_bytes() == b'{"id": "q1"}\n'


def test_a_whole_last_row_without_its_newline_is_kept(tmp_path):
    f = tmp_path / "r.jsonl"
    f.write_bytes(b'{"id": "q1"}\n{"id": "q2"}')
    r = Records(f)
    assert [row["id"] for row in r] == ["q1", "q2"]
    r.append({"id": "q3"})
    assert f.read_bytes() == b'{"id": "q1"}\n{"id": "q2"}\n{"id": "q3"}\n'


def test_a_bad_line_in_the_middle_is_an_error_and_stays(tmp_path):
    f = tmp_path / "r.jsonl"
    f.write_text('{"id": 1}\n{"id": \n{"id": 3}\n')
    assert "line 2" in error(Records, f)
    assert len(f.read_text().splitlines()) == 3


def test_duplicates_are_refused(tmp_path):
    r = Records(tmp_path / "r.jsonl")
    r.append({"id": 1})
    assert "twice" in error(r.append, {"id": 1})
    assert len(read_jsonl(r.path)) == 1 == len(r)
    r.path.write_text('{"id": 1}\n{"id": 1}\n')
    assert "line 2" in error(Records, r.path)


def test_rows_need_their_key(tmp_path):
    r = Records(tmp_path / "r.jsonl", key="name")
    assert "'name'" in error(r.append, {"id": 1})
    assert not r.path.exists()


def test_what_cannot_be_written_is_not_remembered(tmp_path):
    r = Records(tmp_path / "r.jsonl")
    with pytest.raises(TypeError): r.append({"id": 1, "x": object()})
    r.append({"id": 1, "x": "\ud800"})
    assert Records(r.path).keys == {1}


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    r = Records(tmp_path / "r.jsonl")
    r.append({"id": 1})
    def full(fd): raise OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as m:
        m.setattr(os, "fsync", full)
        assert "No space left" in error(r.append, {"id": 2})
    assert 2 not in r and r.path.read_text() == '{"id": 1}\n'
    r.append({"id": 2})
    assert [x["id"] for x in Records(r.path)] == [1, 2]


def test_appends_from_many_threads(tmp_path):
    r = Records(tmp_path / "r.jsonl")
    def work(k):
        for i in range(20): r.append({"id": f"{k}-{i}", "x": "y" * 200})
    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert len(Records(r.path)) == 160


def test_kill_9_in_the_middle_loses_and_doubles_nothing(tmp_path):
    f = tmp_path / "r.jsonl"
    code = ("import sys; from agent_distill.profile import Records\n"
            "r = Records(sys.argv[1])\n"
            "for i in range(10**6):\n"
            "    if i not in r: r.append({'id': i, 'x': 'y' * 1000}); print(i, flush=True)\n")
    seen = -1
    for _ in range(3):
        p = subprocess.Popen([sys.executable, "-c", code, str(f)], stdout=subprocess.PIPE, text=True)
        for _ in range(5): last = int(p.stdout.readline())
        p.kill()
        p.communicate()
        ids = [row["id"] for row in Records(f)]
        assert ids == list(range(len(ids))) and len(ids) > last > seen
        seen = last


# artifacts

@pytest.fixture
def raw(tmp_path):
    f = tmp_path / "raw.jsonl"
    f.write_text('{"id": 1}\n')
    return f


def make(folder, raw, profile=MINI, seed=0, **config):
    a = Artifact(folder, profile, seed, inputs={"raw": raw}, **config)
    if not a.done:
        a.start()
        r = a.records("rows.jsonl")
        for i in range(3):
            if i not in r: r.append({"id": i})
        a.finish(kept=3)
    return a


def test_a_finished_artifact(tmp_path, raw):
    a = make(tmp_path / "questions", raw, limit=4)
    m = a.manifest
    assert a.done and m["complete"] and m["counts"] == {"kept": 3} and m["config"] == {"limit": 4}
    assert m["files"]["rows.jsonl"]["rows"] == 3 and m["profile"]["name"] == "mini" and m["seed"] == 0
    assert set(m["inputs"]) == {"raw"} and m["versions"]["python"] and m["wall_s"] >= 0
    assert m["peak_rss_mb"] is None or m["peak_rss_mb"] > 1
    assert str(tmp_path) not in json.dumps(m)
    assert "rows.jsonl" in a._repr_markdown_()


def test_it_is_not_made_twice(tmp_path, raw):
    make(tmp_path / "questions", raw)
    before = (tmp_path / "questions" / "manifest.json").stat().st_mtime_ns
    make(tmp_path / "questions", raw)
    assert (tmp_path / "questions" / "manifest.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("change, said", [("profile", "n_test 50 there, 7 here"), ("seed", "seed 0 there, 1 here"),
                                          ("config", "limit 4 there, 5 here"), ("input", "another raw")])
def test_whatever_changes_makes_it_stale_and_nothing_is_deleted(tmp_path, raw, change, said):
    first = make(tmp_path / "questions", raw, limit=4)
    made, new = first.manifest, dict(profile=MINI, seed=0, limit=4)
    if change == "profile": new["profile"] = replace(MINI, n_test=7)
    if change == "seed": new["seed"] = 1
    if change == "config": new["limit"] = 5
    if change == "input": raw.write_text('{"id": 2}\n')
    with pytest.warns(Displaced, match=f"^questions/ was made otherwise .{said}. and moves to questions.stale-1/$"):
        assert make(tmp_path / "questions", raw, **new).done
    assert (tmp_path / "questions.stale-1" / "rows.jsonl").exists()
    if change == "input": raw.write_text('{"id": 1}\n')
    with pytest.warns(Displaced, match="^questions.stale-1/ fits again and becomes questions/$"):
        assert make(tmp_path / "questions", raw, limit=4).manifest == made, "the first result, not one like it"
    assert len(list(tmp_path.glob("questions.stale-*"))) == 1


def test_the_line_is_one_and_names_no_path(tmp_path):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "mine.txt").write_text("precious")
    code = ("import sys; from agent_distill.profile import Artifact, get_profile;"
            "Artifact(sys.argv[1], get_profile('mini')).start()")
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path / "index")], capture_output=True, text=True).stderr
    assert said == "index:0: Displaced: index/ was made otherwise (it has no manifest) and moves to index.stale-1/\n"


def test_what_was_set_aside_unfinished_goes_on_and_damaged_stays_aside(tmp_path, raw):
    folder = tmp_path / "teacher"
    Artifact(folder, MINI, inputs={"raw": raw}).start().records("rows.jsonl").append({"id": 0, "first": True})
    with pytest.warns(Displaced): make(folder, raw, limit=1)
    with pytest.warns(Displaced, match="fits again"): again = make(folder, raw)
    assert read_jsonl(again.path("rows.jsonl"))[0] == {"id": 0, "first": True}
    (tmp_path / "teacher.stale-2" / "rows.jsonl").write_text("cut")
    with pytest.warns(Displaced, match="moves to teacher.stale-1"): assert make(folder, raw, limit=1).done
    assert (tmp_path / "teacher.stale-2" / "rows.jsonl").read_text() == "cut"


def test_a_run_has_one_seed(tmp_path, raw):
    "With inputs or without, made anew or taken back; a manifest that cannot be read is its readers' affair"
    made, said = make(tmp_path / "questions", raw), "questions/ was made with seed 0, not 1"
    for a in (Artifact(tmp_path / "index", MINI, 1), Artifact(tmp_path / "teacher", MINI, 1, inputs={"questions": made.folder})):
        assert said in error(a.start) and "an out_dir of its own" in error(a.start) and not a.folder.exists()
    other = make(tmp_path / "two" / "index", raw, seed=1)
    other.folder.rename(tmp_path / "index.stale-1")
    assert said in error(lambda: Artifact(tmp_path / "index", MINI, 1, inputs={"raw": raw}).done)
    assert not (tmp_path / "index").exists()
    (made.folder / "manifest.json").write_text("torn")
    assert Artifact(tmp_path / "index", MINI, 1).start().manifest["seed"] == 1


def test_an_unfinished_one_goes_on(tmp_path, raw):
    a = Artifact(tmp_path / "teacher", MINI, inputs={"raw": raw}).start()
    a.records("rows.jsonl").append({"id": 0, "first": True})
    assert not a.done and "is not finished" in error(Artifact.read, a.folder)
    b = make(tmp_path / "teacher", raw)
    assert b.done and read_jsonl(b.path("rows.jsonl"))[0] == {"id": 0, "first": True}
    assert not list(tmp_path.glob("*.stale-*"))


def test_wall_time_adds_up_over_kills(tmp_path, raw):
    a = Artifact(tmp_path / "teacher", MINI, inputs={"raw": raw}).start()
    a.records("rows.jsonl").append({"id": 0})
    began = a.manifest["began"]
    os.utime(a.path("rows.jsonl"), (began + 100, began + 100))
    assert 100 <= make(tmp_path / "teacher", raw).manifest["wall_s"] < 160


def test_a_folder_with_something_else_is_moved_aside(tmp_path, raw):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "mine.txt").write_text("precious")
    make(tmp_path / "index", raw)
    assert (tmp_path / "index.stale-1" / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_damaged_files_are_one_clear_error(tmp_path, raw, damage):
    a = make(tmp_path / "index", raw)
    f = a.path("rows.jsonl")
    data = f.read_bytes()
    if damage == "cut": f.write_bytes(data[:-3])
    if damage == "flip": f.write_bytes(data[:-3] + b"9" + data[-2:])
    if damage == "gone": f.unlink()
    for call in (lambda: a.done, lambda: Artifact.read(a.folder)):
        message = error(call)
        assert str(f) in message and "02_retrieval" in message


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"complete": true}', '{"complete": false}', "\udcff"])
def test_damaged_manifests(tmp_path, raw, text):
    a = make(tmp_path / "student", raw)
    (a.folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    for call in (lambda: a.done, lambda: Artifact.read(a.folder), lambda: make(a.folder, raw)):
        message = error(call)
        assert "manifest" in message and "07_student" in message


def test_one_place_for_a_run_wherever_it_is_asked_for(tmp_path, monkeypatch):
    import agent_distill
    checkout, other = tmp_path / "a/checkout", tmp_path / "b/c"
    for folder in (checkout / "nbs/lab", other): folder.mkdir(parents=True)
    (checkout / "settings.ini").touch()
    def place(cwd, *args): monkeypatch.chdir(cwd); return P.run_dir(*args)
    for cwd in (checkout, checkout / "nbs", checkout / "nbs/lab"): assert place(cwd) == checkout / "runs/mini"
    assert place(other) == Path(agent_distill.__file__).resolve().parent.parent / "runs/mini", "the checkout of the package"
    (tmp_path / "runs").mkdir()
    assert place(other) == tmp_path / "runs/mini", "the nearest one above"
    assert place(checkout / "nbs") == checkout / "runs/mini", "a checkout keeps to itself"
    assert place(other, "x/y") == other / "x/y" and place(other, "", "mini,sag_n=8,lr=5e-4") == tmp_path / "runs/mini,lr=0.0005"
    (tmp_path / "runs").rmdir()
    monkeypatch.setattr(agent_distill, "__file__", str(tmp_path / "site-packages/agent_distill/__init__.py"))
    assert place(other) == other / "runs/mini", "installed, and no run yet"


def test_runs_are_found_by_their_names(tmp_path, monkeypatch):
    names = "runs/mini", "runs/mini,sag_n=2", "nbs/_runs/mini", "a/runs/minnow"
    for name in names: (tmp_path / name).mkdir(parents=True); (tmp_path / name / "run.json").touch()
    (tmp_path / "runs/no run").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    def found(*args): return [p.relative_to(tmp_path).as_posix() for p in P.runs_like(*args) if p.is_relative_to(tmp_path)]
    assert found(tmp_path / "runs/mini") == ["nbs/_runs/mini", "a/runs/minnow", "runs/mini,sag_n=2"]
    assert found(tmp_path / "runs/mimi")[0] == "runs/mini", "the one beside it first"
    assert found(tmp_path / "runs/mini", "index") == []
    Artifact(tmp_path / "nbs/_runs/mini/index", MINI).start().finish()
    with pytest.raises(AgentDistillError) as e: Artifact.read(tmp_path / "runs/mini/index")
    assert "'index' is missing" in str(e.value) and f"take the run that has it, {tmp_path / 'nbs/_runs/mini'}" in str(e.value)


def test_a_missing_artifact_names_its_chapter(tmp_path):
    (tmp_path / "run.json").touch()
    assert "06_teacher" in error(Artifact.read, tmp_path / "teacher")
    a = Artifact(tmp_path / "student", MINI, inputs={"teacher": tmp_path / "teacher"})
    assert not a.done
    assert "06_teacher" in error(a.start)
    assert not a.folder.exists()


def test_a_place_that_cannot_be_written(tmp_path, raw):
    "Below a regular file: even root cannot write there"
    a = Artifact(raw / "run" / "questions", MINI)
    assert not a.done
    message = error(a.start)
    assert str(raw) in message and "out_dir" in message


def test_an_artifact_as_input_counts_by_its_content(tmp_path, raw):
    first = make(tmp_path / "questions", raw)
    second = Artifact(tmp_path / "index", MINI, inputs={"questions": first.folder}).start()
    second.finish()
    assert second.done
    raw.write_text('{"id": 9}\n')
    make(tmp_path / "questions", raw)
    assert not Artifact(tmp_path / "index", MINI, inputs={"questions": first.folder}).done


def test_an_artifact_of_another_profile_is_refused(tmp_path, raw):
    made = make(tmp_path / "questions", raw)
    a = Artifact(tmp_path / "index", get_profile("colab"), inputs={"questions": made.folder})
    assert "made with profile mini, not colab" in error(a.start)
    assert not a.folder.exists()


def test_read_gives_what_was_made(tmp_path, raw):
    made = make(tmp_path / "evaluation", raw, replace(MINI, sag_n=2), seed=4, method="ftp")
    a = Artifact.read(made.folder)
    assert (a.profile, a.seed, a.config) == (made.profile, 4, {"method": "ftp"})
    assert a.fingerprint == made.fingerprint and a.done


def test_read_of_a_profile_with_other_fields(tmp_path, raw):
    made = make(tmp_path / "evaluation", raw)
    m = made.manifest
    m["profile"]["later"] = 1
    write_atomic(made.folder / "manifest.json", json.dumps(m))
    assert Artifact.read(made.folder).profile == MINI
    del m["profile"]["teacher"]
    write_atomic(made.folder / "manifest.json", json.dumps(m))
    assert "another version" in error(Artifact.read, made.folder)


def test_nested_files_and_strange_counts(tmp_path):
    np = pytest.importorskip("numpy")
    a = Artifact(tmp_path / "student", MINI).start()
    a.path("agent/adapter.bin").write_bytes(b"x")
    (a.folder / "left.tmp").write_text("half")
    m = a.finish(loss=np.float32(.5), n=np.int64(3))
    assert list(m["files"]) == ["agent/adapter.bin"] and m["counts"] == {"loss": .5, "n": 3}


def test_finish_wants_start(tmp_path):
    assert "before start" in error(Artifact(tmp_path / "index", MINI).finish)


def test_write_atomic_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    f = tmp_path / "m.json"
    write_atomic(f, "old")
    def full(fd): raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(P.os, "fsync", full)
    assert "make room" in error(write_atomic, f, "new")
    assert f.read_text() == "old"
