"""Scaling: shards that nothing falls out of, workers that die, merges that refuse to guess."""
import json, os, sys

import pytest

from agent_distill.profile import AgentDistillError, Records
from agent_distill.scaling import (WIKI18, Footprint, embed_hours, find_worker, merge_records,
                                   run_sharded, shard, sharded_seconds, worker_env)

ROWS = [dict(id=f"q{i}", x=i) for i in range(40)]
WORKER = """
import os, pathlib
def double(bomb="", log=""):
    def do(row):
        if bomb and row["id"] == "q17" and pathlib.Path(bomb).exists():
            pathlib.Path(bomb).unlink()
            os.kill(os.getpid(), 9)
        if log: open(log, "a").write(row["id"] + "\\n")
        return {"twice": 2*row["x"]}
    return do
def broken(): raise RuntimeError("no model here")
"""

@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module of workers that the new processes can import"""
    (tmp_path/"toy_workers.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path

def test_every_row_is_in_exactly_one_shard_whatever_the_order():
    parts = shard(ROWS, 3)
    assert sorted(r["x"] for p in parts for r in p) == list(range(40))
    again = shard(ROWS[::-1] + [dict(id="new", x=0)], 3)
    for a, b in zip(parts, again): assert {r["id"] for r in a} <= {r["id"] for r in b}
    with pytest.raises(AgentDistillError): shard(ROWS, 0)

def test_workers_do_every_row_once_in_order(toy):
    log = toy/"log"
    out = run_sharded("toy_workers:double", ROWS, toy/"run", n=3, log=str(log))
    assert out == [dict(id=r["id"], twice=2*r["x"]) for r in ROWS]
    assert sorted(log.read_text().split()) == sorted(r["id"] for r in ROWS)
    assert [json.loads(line) for line in open(toy/"run"/"merged.jsonl")] == out

def test_killed_worker_then_again_with_another_number_of_workers(toy):
    bomb, log = toy/"bomb", toy/"log"
    bomb.touch()
    options = dict(bomb=str(bomb), log=str(log))
    with pytest.raises(AgentDistillError, match="1 of 2 workers failed.*exit -9.*run again"):
        run_sharded("toy_workers:double", ROWS, toy/"run", n=2, **options)
    assert not (toy/"run"/"merged.jsonl").exists()
    out = run_sharded("toy_workers:double", ROWS, toy/"run", n=3, **options)
    assert out == [dict(id=r["id"], twice=2*r["x"]) for r in ROWS]
    assert len(log.read_text().split()) == 40   # nothing was done twice

def test_torn_last_line_is_done_again(toy):
    first = run_sharded("toy_workers:double", ROWS, toy/"run", n=2)
    file = toy/"run"/"shard-0.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    assert run_sharded("toy_workers:double", ROWS, toy/"run", n=2) == first

def test_worker_that_cannot_start_leaves_a_log(toy):
    with pytest.raises(AgentDistillError, match="2 of 2 workers failed"):
        run_sharded("toy_workers:broken", ROWS, toy/"run", n=2)
    assert "no model here" in (toy/"run"/"shard-0.log").read_text()

@pytest.mark.parametrize("name", ["no_such_module:f", "json:no_such", "json", ""])
def test_unknown_worker(name):
    with pytest.raises(AgentDistillError, match="no worker"): find_worker(name)

def test_merge_refuses_losses_and_doubles(tmp_path):
    for name, ids in (("a", "12"), ("b", "23")):
        records = Records(tmp_path/f"{name}.jsonl")
        for i in ids: records.append(dict(id=i))
    a, b, out = tmp_path/"a.jsonl", tmp_path/"b.jsonl", tmp_path/"out.jsonl"
    with pytest.raises(AgentDistillError, match="1 rows are there twice"): merge_records([a, b], ["1"], out)
    with pytest.raises(AgentDistillError, match="1 of 3 rows are missing, first '3'"):
        merge_records([a], ["1", "2", "3"], out)
    assert not out.exists()
    assert merge_records([a], ["2", "1"], out) == [dict(id="2"), dict(id="1")]

def test_arithmetic():
    wiki = Footprint(WIKI18, 768)
    assert wiki.gb("Flat") == pytest.approx(64.56, abs=.01)   # the published index: 64.5 GB
    assert wiki.gb("PQ96") == pytest.approx(2.02, abs=.01)
    with pytest.raises(AgentDistillError, match="Flut"): wiki.gb("Flut")
    assert embed_hours(7200, 1, 2) == 1 and sharded_seconds(10, 100, 10) == 20
    assert worker_env(5, 8, gpus=4)["CUDA_VISIBLE_DEVICES"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in worker_env(0, 2)

def test_ray_gives_the_same(toy):
    pytest.importorskip("ray", reason="ray is not installed")
    from agent_distill.scaling import run_ray
    sys.path.insert(0, str(toy))
    try: out = run_sharded("toy_workers:double", ROWS, toy/"run", n=2, run=run_ray)
    finally: sys.path.remove(str(toy))
    assert out == [dict(id=r["id"], twice=2*r["x"]) for r in ROWS]
