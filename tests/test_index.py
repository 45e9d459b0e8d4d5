"""Indexes: the rule, building in blocks, a kill, damage, and the conversion of a flat file."""
import json, os, shutil, subprocess, sys
from pathlib import Path

import numpy as np
import pytest

from agent_distill.index import (KINDS, Plan, build_index, choose_plan, convert, flat_vectors, make_plan, npy_vectors,
                                 open_index, overlap)
from agent_distill.profile import AgentDistillError


def cloud(n, d, seed=0):
    "Unit vectors in 200 clusters: what neighbours of passages look like, roughly"
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(200, d))
    x = centres[rng.integers(0, 200, n)] + .7*rng.normal(size=(n, d))
    return (x/np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def flat_file(path, x):
    import faiss
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    faiss.write_index(index, str(path))
    return path


@pytest.fixture(scope="module")
def x(): return cloud(6000, 32)

@pytest.fixture(scope="module")
def flat(x, tmp_path_factory): return flat_file(tmp_path_factory.mktemp("flat")/"flat.faiss", x)

@pytest.fixture(scope="module")
def queries(x): return x[::50] + np.random.default_rng(1).normal(0, .05, (120, 32)).astype(np.float32)

@pytest.fixture(scope="module")
def truth(x, queries): return np.argsort(-(queries @ x.T), axis=1)[:, :3]

@pytest.fixture(scope="module")
def built(flat, tmp_path_factory):
    "A folder for each kind"
    out = tmp_path_factory.mktemp("built")
    for kind in KINDS: convert(flat, out/kind, kind)
    return out


# --- the rule

@pytest.mark.parametrize("n, d, gb, kind", [
    (2_000, 384, 4, "flat"), (70_000, 768, 12, "flat"), (1_000_000, 384, 12, "sq8"),
    (21_015_324, 768, 12, "pq"), (21_015_324, 768, 128, "sq8"), (21_015_324, 768, 2, "pq-disk"), (10, 384, .000001, "flat")])
def test_the_rule(n, d, gb, kind): assert choose_plan(n, d, gb).kind == kind


def test_wikipedia_stays_below_its_limits():
    plan = make_plan("pq", 21_015_324, 768)
    assert plan.memory/plan.n <= 110 and plan.memory <= 3e9
    assert choose_plan(21_015_324, 768, kind="flat").memory == pytest.approx(64.5e9, rel=.01)


def test_an_override_and_what_cannot_be():
    assert choose_plan(10**6, 384, kind="pq").kind == "pq"
    with pytest.raises(AgentDistillError, match="'ivf'.*flat, sq8"): make_plan("ivf", 10**6, 384)
    with pytest.raises(AgentDistillError, match="too few"): make_plan("pq", 999, 384)


# --- search

@pytest.mark.parametrize("kind, least", [("flat", 1), ("sq8", .95), ("pq", .95), ("pq-disk", .95)])
def test_each_kind_finds_the_neighbours(built, queries, truth, kind, least):
    index = open_index(built/kind)
    scores, rows = index.search(queries, 3)
    assert (index.ntotal, index.d, rows.shape) == (6000, 32, (120, 3))
    assert overlap(truth, rows) >= least and (np.diff(scores, axis=1) <= 0).all()


def test_refinement_mends_what_the_codes_lose(x, queries, truth, tmp_path):
    "Two bytes a vector confuse neighbours; their copies on the disk do not"
    plan = make_plan("pq", *x.shape)
    np.save(tmp_path/"x.npy", x)
    build_index(npy_vectors([tmp_path/"x.npy"]), tmp_path/"pq", Plan(**{**plan.__dict__, "code": 2, "wide": 200}))
    index = open_index(tmp_path/"pq")
    alone, refined = (overlap(truth, i.search(queries, 3)[1]) for i in (index.base, index))
    assert alone < .6 and refined > .85, (alone, refined)


def test_refined_scores_are_inner_products(built, x, queries):
    scores, rows = open_index(built/"pq").search(queries, 3)
    np.testing.assert_allclose(scores, (x[rows]*queries[:, None]).sum(2), atol=.01)


def test_more_wanted_than_there_is(built, queries):
    scores, rows = open_index(built/"pq").search(queries[:2], 5999)
    assert rows.shape[0] == 2 and ((rows >= -1) & (rows < 6000)).all()
    assert np.isneginf(scores[rows < 0]).all() and (rows[:, :3] >= 0).all()


def test_disk_and_memory_give_the_same(built, queries):
    for a, b in zip(open_index(built/"pq").search(queries, 5), open_index(built/"pq-disk").search(queries, 5)):
        np.testing.assert_array_equal(a, b)


def test_an_index_moves_with_its_folder(built, queries, tmp_path):
    before = open_index(built/"pq-disk").search(queries, 3)[1]
    moved = shutil.copytree(built/"pq-disk", tmp_path/"elsewhere")
    (moved/"lists.ivfdata").chmod(0o644)
    np.testing.assert_array_equal(open_index(moved).search(queries, 3)[1], before)


def test_nothing_is_printed(built, capfd, flat, tmp_path):
    convert(flat, tmp_path/"d", "pq-disk")
    open_index(tmp_path/"d")
    assert capfd.readouterr().out == ""


# --- blocks and a kill

def files(folder): return {f.name: f.read_bytes() for f in Path(folder).iterdir()}

KILLED = """
import os, signal, sys
import agent_distill.index as m
add, done = m._add_block, []
def one_then_die(*a):
    if done: os.kill(os.getpid(), signal.SIGKILL)
    done.append(add(*a))
m._add_block = one_then_die
v = m.flat_vectors(sys.argv[1])
m.build_index(v, sys.argv[2], m.make_plan("pq", len(v), v.d), block=1000)
"""


def test_a_killed_build_goes_on_and_gives_the_same_bytes(flat, tmp_path, monkeypatch):
    import agent_distill.index as module
    v = flat_vectors(flat)
    plan = make_plan("pq", len(v), v.d)
    done = subprocess.run([sys.executable, "-c", KILLED, str(flat), str(tmp_path/"a")], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert (tmp_path/"a"/"block-0000000000.faiss").exists()
    with pytest.raises(AgentDistillError, match="no finished index"): open_index(tmp_path/"a")
    blocks, read = [], type(v).read
    monkeypatch.setattr(type(v), "read", lambda self, lo, hi: blocks.append((lo, hi)) or read(self, lo, hi))
    build_index(v, tmp_path/"a", plan, block=1000)
    assert blocks == [(lo, lo + 1000) for lo in range(1000, 6000, 1000)]   # neither sample nor first block again
    build_index(v, tmp_path/"b", plan, block=1000)
    assert files(tmp_path/"a") == files(tmp_path/"b")


def test_leftovers_of_another_build_are_not_used(flat, tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(flat), str(tmp_path/"a")], capture_output=True)
    other = flat_file(tmp_path/"other.faiss", cloud(6000, 32, seed=9))
    for out in ("a", "b"): convert(other, tmp_path/out)
    assert files(tmp_path/"a") == files(tmp_path/"b")


# --- damage

PARTS = {"flat": ["index.faiss"], "sq8": ["index.faiss"], "pq": ["index.faiss", "refine.npy", "refiner.faiss"],
         "pq-disk": ["index.faiss", "refine.npy", "refiner.faiss", "lists.ivfdata"]}


@pytest.mark.parametrize("kind, name", [(k, n) for k, names in PARTS.items() for n in names])
@pytest.mark.parametrize("damage", ["cut", "longer", "gone"])
def test_damage_is_found_before_the_first_search(built, tmp_path, kind, name, damage):
    folder = Path(shutil.copytree(built/kind, tmp_path/"copy"))
    whole = (folder/name).read_bytes()
    (folder/name).unlink()
    if damage != "gone": (folder/name).write_bytes(whole[:-1] if damage == "cut" else whole + b"x")
    with pytest.raises(AgentDistillError, match=name): open_index(folder)


def test_bytes_that_are_no_index(built, tmp_path):
    folder = Path(shutil.copytree(built/"pq", tmp_path/"copy"))
    (folder/"index.faiss").write_bytes(b"\0"*(folder/"index.faiss").stat().st_size)
    with pytest.raises(AgentDistillError, match="cannot be read.*index.faiss"): open_index(folder)


def test_files_of_two_indexes(built, tmp_path):
    folder = Path(shutil.copytree(built/"pq", tmp_path/"copy"))
    facts = json.loads((folder/"index.json").read_text())
    facts["plan"]["n"] = 7000
    (folder/"index.json").write_text(json.dumps(facts))
    with pytest.raises(AgentDistillError, match="6,000 × 32, not 7,000"): open_index(folder)


@pytest.mark.parametrize("change, said", [
    (lambda b: b[:-4], "cut short"), (lambda b: b + b"1234", "cut short or damaged"), (lambda b: b[:20], "no flat"),
    (lambda b: b"", "no flat"), (lambda b: b"IxF2" + b[4:], "no flat"),
    (lambda b: b[:8] + (2**60).to_bytes(8, "little") + b[16:], "no flat")])
def test_a_flat_file_that_is_none(flat, tmp_path, change, said):
    (tmp_path/"f").write_bytes(change(flat.read_bytes()))
    with pytest.raises(AgentDistillError, match=said): convert(tmp_path/"f", tmp_path/"out")
    with pytest.raises(AgentDistillError, match="no index file"): convert(tmp_path/"none", tmp_path/"out")


# --- a million

CONVERT = """
import resource, sys
from agent_distill.index import *
import faiss
from agent_distill.index import convert
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(sys.argv[1], sys.argv[2])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)//1024)
"""


@pytest.mark.slow
def test_a_million_vectors_are_converted_in_bounded_memory(tmp_path):
    "256 MB of flat vectors written here, a block at a time; the conversion holds less than half of them"
    n, d, path = 1_000_000, 64, tmp_path/"flat.faiss"
    with path.open("wb") as f:
        from agent_distill.index import _FLAT
        f.write(_FLAT.pack(b"IxFI", d, n, True, 0, n*d))
        for i in range(20): f.write(cloud(n//20, d, seed=i).tobytes())
    done = subprocess.run([sys.executable, "-c", CONVERT, str(path), str(tmp_path/"pq")], capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    import faiss
    exact, index = faiss.read_index(str(path)), open_index(tmp_path/"pq")
    assert exact.ntotal == index.ntotal == n   # FAISS reads the file as its own
    asked = flat_vectors(path).read(500_000, 500_100)
    assert overlap(exact.search(asked, 3)[1], index.search(asked, 3)[1]) > .9
    assert int(done.stdout) < 200, done.stdout
