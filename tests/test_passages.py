"""Passages: formats, bad lines, and text that stays on the disk."""
import gzip, json, os, subprocess, sys
from pathlib import Path

import pytest

from agent_distill.passages import (Corpus, Passage, PassageStore, corpus_sha256, from_contents, load_passages,
                                    open_corpus, to_contents, write_passages)
from agent_distill.profile import AgentDistillError

DATA = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2]/"shared"/"data"))/"retrieval"
ROWS = [dict(id=str(i), title=f"Title {i}", text=f"Text of {i}.") for i in range(25)]
PASSAGES = [Passage(**r) for r in ROWS]


def jsonl(path, rows): path.write_text("".join(json.dumps(r) + "\n" for r in rows)); return path


def test_every_format_gives_the_same_passages(tmp_path):
    pa, pq, datasets = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet"), pytest.importorskip("datasets")
    plain = jsonl(tmp_path/"a.jsonl", ROWS)
    packed = tmp_path/"a.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    wiki = jsonl(tmp_path/"w.jsonl", [dict(id=p.id, contents=to_contents(p)) for p in PASSAGES])
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path/"a.parquet")
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path/"saved"))
    for source in (plain, packed, wiki, tmp_path/"a.parquet", tmp_path/"saved", PASSAGES):
        assert load_passages(source) == PASSAGES, source


def test_hotpotqa_from_the_authors_and_from_the_hub(tmp_path):
    pairs = [dict(_id="q1", context=[["A", ["One. ", "Two."]], ["B", ["Three."]]]),
             dict(_id="q2", context=[["A", ["One. ", "Two."]], ["C", ["Four."]]])]
    lists = [dict(id=r["_id"], context=dict(title=[t for t, _ in r["context"]], sentences=[s for _, s in r["context"]]))
             for r in pairs]
    (tmp_path/"hotpot.json").write_text(json.dumps(pairs))
    authors = load_passages(tmp_path/"hotpot.json")
    assert [(p.id, p.text) for p in authors] == [("A", "One. Two."), ("B", "Three."), ("C", "Four.")]
    assert load_passages(jsonl(tmp_path/"hub.jsonl", lists)) == authors


@pytest.mark.parametrize("line, why", [
    ("{torn", "not JSON"), ("[1]", "not a JSON object"), ('{"id": 1}', "lacks title, text"), ("[" * 100_000, "not JSON"),
    ('{"id": 1, "title": "a", "text": " "}', "no text"), ('{"id": 1, "title": 3, "text": "a"}', "must be strings"),
    ('{"id": 1, "title": "a", "text": "\\ud800"}', "surrogate"), ('{"id": 1, "contents": 7}', "no passage"),
    ('{"context": [["t"]]}', "no passage"), ('{"context": {"title": ["a", "b"], "sentences": [["x"]]}}', "no passage"),
    ('{"context": 7}', "no passage"), ("\xff\xfe", "not JSON")])
def test_each_bad_line_is_numbered_and_counted(tmp_path, line, why):
    path = tmp_path/"c.jsonl"
    path.write_bytes(b"\n" + json.dumps(ROWS[0]).encode() + b"\n" + line.encode("latin-1") + b"\n" + json.dumps(ROWS[1]).encode())
    corpus = open_corpus(path, bad="skip")
    assert list(corpus) == PASSAGES[:2]
    assert corpus.report.count == 1 and corpus.report.first[0][0] == 3 and why in corpus.report.first[0][1]
    with pytest.raises(AgentDistillError, match="1 rows are no passages: row 3"): load_passages(path)


def test_many_bad_lines_are_all_counted(tmp_path):
    path = jsonl(tmp_path/"c.jsonl", ROWS + [dict(id=1)] * 1000)
    with pytest.raises(AgentDistillError, match="1000 rows.*row 26.*row 30") as e: load_passages(path)
    assert len(str(e.value)) < 1000


@pytest.mark.parametrize("name, content", [
    ("c.parquet", b"no parquet"), ("c.jsonl.gz", b"no gzip"), ("c.jsonl.gz", gzip.compress(b'{"a": 1}' * 999)[:40]),
    ("c.json", b"{}"), ("c.csv", b"a,b")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content):
    (tmp_path/name).write_bytes(content)
    with pytest.raises(AgentDistillError, match=name): load_passages(tmp_path/name)


def test_contents_keep_inner_quotes_and_lines():
    p = Passage("1", '"Weird Al" Yankovic', "Alfred\nMatthew")
    assert from_contents(to_contents(p)) == (p.title, p.text)
    assert from_contents("no title") == ("no title", "")


def test_wiki18_sample():
    if not (DATA/"wiki18_sample.jsonl").exists(): pytest.skip(f"no wiki-18 sample in {DATA}")
    found = load_passages(DATA/"wiki18_sample.jsonl")
    assert len(found) == 10 and found[0].title == "Evan Morris" and found[0].text.startswith("Evan Morris Evan L.")
    assert all(p.text and '"' not in p.title[:1] for p in found)


# --- the store

def stored(folder, shard=10, rows=PASSAGES):
    write_passages(open_corpus(rows), folder, shard)
    return PassageStore(folder)


def test_a_store_reads_like_the_list(tmp_path):
    store = stored(tmp_path)
    assert list(store) == PASSAGES and len(store) == 25 and [len(s) for s in store.shards] == [10, 10, 5]
    assert store[-1] == PASSAGES[-1] and store[8:12] == PASSAGES[8:12] and store.shard(2) == PASSAGES[20:]
    with pytest.raises(IndexError): store[25]
    assert corpus_sha256(store) == corpus_sha256(PASSAGES)


def test_a_finished_store_is_not_written_again(tmp_path):
    facts = stored(tmp_path) and write_passages(Corpus("x", lambda: 1/0, str), tmp_path)
    assert facts["rows"] == [10, 10, 5]


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-40]), lambda p: p.write_bytes(b"")])
def test_a_damaged_shard_is_found_when_opened(tmp_path, damage):
    stored(tmp_path)
    damage(tmp_path/"00001.arrow")
    with pytest.raises(AgentDistillError, match="00001.arrow"): PassageStore(tmp_path)


def test_a_shard_of_another_store_is_found(tmp_path):
    stored(tmp_path)
    (tmp_path/"00002.arrow").write_bytes((tmp_path/"00001.arrow").read_bytes())
    with pytest.raises(AgentDistillError, match="10 passages instead of 5"): PassageStore(tmp_path)


def test_duplicate_ids_and_an_empty_corpus_stop_before_anything_is_embedded(tmp_path):
    path = jsonl(tmp_path/"twice.jsonl", ROWS + ROWS[:2])
    with pytest.raises(AgentDistillError, match="2 passage ids occur more than once"): write_passages(open_corpus(path), tmp_path/"a", 10)
    (tmp_path/"empty.jsonl").write_text("\n")
    with pytest.raises(AgentDistillError, match="empty"): write_passages(open_corpus(tmp_path/"empty.jsonl"), tmp_path/"b")
    assert not (tmp_path/"a"/"shards.json").exists()


MEMORY = """
import json, resource, sys
from agent_distill.passages import *
import pyarrow
def rows():
    for i in range(int(sys.argv[2])): yield i, Passage(str(i), f"Title {i}", f"{i} " + "words and words " * 60)
write_passages(Corpus("x", rows, str), sys.argv[1], 2000)
store = PassageStore(sys.argv[1])
for i in range(0, len(store), 50): store[i]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    "Ten times the text, 100 MB more of it, and nearly the same peak: mapped pages that were read are all that is added"
    def peak(n): return int(subprocess.check_output([sys.executable, "-c", MEMORY, str(tmp_path/str(n)), str(n)], text=True))
    small, large = peak(12_000), peak(120_000)
    assert large - small < 60, (small, large)
