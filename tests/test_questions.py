"Questions: rows of every shape, files of one's own, and downloads that are checked, against a local server"
import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent_distill import questions as Q
from agent_distill.profile import AgentDistillError, get_profile
from agent_distill.questions import *

ROW = dict(id="1", benchmark="toy", task="fact", question="Which city?", answer="Paris")
DATA = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2] / "shared/data")) / "benchmarks"


def error(f, *args, **kwargs):
    with pytest.raises(AgentDistillError) as e: f(*args, **kwargs)
    return str(e.value)


def write(path, *rows, bom=b""):
    path.write_bytes(bom + "".join(json.dumps(r) + "\n" for r in rows).encode())
    return path


# rows and files

@pytest.mark.parametrize("change, answer, aliases", [
    ({}, "Paris", ()), (dict(aliases="City of Light"), "Paris", ("City of Light",)), (dict(aliases=None), "Paris", ()),
    (dict(answer=["Paris", "City of Light"]), "Paris", ("City of Light",)), (dict(answer=42), "42", ()),
    (dict(answer=0), "0", ()), (dict(answer=["a", "b"], aliases=["c"]), "a", ("b", "c"))])
def test_answers_of_every_shape(change, answer, aliases):
    q = to_question(ROW | change, "row 1")
    assert (q.answer, q.aliases) == (answer, aliases)


@pytest.mark.parametrize("change, why", [
    (dict(answer=""), "no 'answer'"), (dict(answer="  "), "no 'answer'"), (dict(answer=[]), "no 'answer'"), (dict(answer=None), "no 'answer'"),
    (dict(question=""), "no 'question'"), (dict(task="trivia"), "'trivia' is unknown"), (dict(question="\ud800?"), "surrogate")])
def test_rows_that_are_no_questions(change, why): assert why in error(to_question, ROW | change, "row 1")


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path):
    assert load_questions(write(tmp_path / "q.jsonl", ROW, bom=b"\xef\xbb\xbf"))[0].answer == "Paris"
    (tmp_path / "q.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(dict(examples=[ROW])).encode())
    assert load_questions(tmp_path / "q.json", "toy", "fact")[0].answer == "Paris"


def test_a_file_of_ones_own_is_a_benchmark_named_by_its_stem(tmp_path):
    path = write(tmp_path / "towns.jsonl", ROW, dict(ROW, id="2"))
    found = load_benchmark(str(path), "test")
    assert [q.benchmark for q in found] == ["towns"] * 2 and benchmark_name(str(path)) == "towns"
    profile = get_profile("mini", benchmarks=(str(path), "mini-gsm"), n_test=2)
    assert [q.benchmark for q in run_questions(profile)[1]] == ["towns"] * 2 + ["mini-gsm"] * 2
    assert "not found" in error(load_benchmark, "gone.jsonl", "test")
    assert "row 2" in error(load_benchmark, str(write(path, ROW, dict(ROW, id="2", answer=""))), "test")


# downloads

FILE = PAPER["bamboogle", "test"]


class Server:
    "Serves the repository's layout; `faults` are taken from the front, one a request"
    def __init__(self):
        self.files, self.faults, self.asked = {}, [], []
        outer = self
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *a): pass
            def do_GET(self):
                outer.asked.append(self.path)
                fault, data = outer.faults.pop(0) if outer.faults else "", outer.files.get(self.path)
                self.send_response(404 if data is None else 503 if fault == "busy" else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                if data is not None and fault != "busy": self.wfile.write(data[:len(data) // 2] if fault == "cut" else data)
                if fault == "cut": self.connection.close()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server(tmp_path, monkeypatch):
    "A mirror with one file whose hash is the expected one"
    s = Server()
    data = json.dumps(dict(examples=[dict(id=i, question=f"Which town {i}?", answer=f"Town {i}") for i in range(5)] +
                                    [dict(id=9, question="Lost?", answer="")])).encode()
    good = Published("fact", FILE.file, FILE.path, len(data), FILE.licence, hashlib.sha256(data).hexdigest())
    monkeypatch.setitem(PAPER, ("bamboogle", "test"), good)
    s.files[f"/Nardien/agent-distillation/{COMMIT}/data_processor/{FILE.path}"] = data
    for name, value in (("AGENT_DISTILL_MIRROR", s.url), ("AGENT_DISTILL_CACHE", str(tmp_path / "cache")), ("NO_PROXY", "127.0.0.1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AGENT_DISTILL_DATA", raising=False)
    monkeypatch.setattr("time.sleep", lambda s: None)   # between tries
    yield s
    s.http.shutdown()


def test_downloaded_once_checked_and_kept(server):
    assert [q.answer for q in load_benchmark("bamboogle", "test", 2)] == ["Town 0", "Town 1"]
    assert len(load_benchmark("bamboogle", "test")) == 5 and len(server.asked) == 1


def test_rows_without_an_answer_are_left_out_and_named(server):
    profile = get_profile("mini", benchmarks=("bamboogle",), train_benchmarks=("mini-gsm",))
    assert incomplete(profile) == {"bamboogle test": ["bamboogle-9"]}
    assert "1" in sources_table(profile) and FILE.licence in sources_table(profile)


@pytest.mark.parametrize("faults", [["cut"], ["busy"], ["cut", "busy", "cut"]])
def test_a_broken_connection_is_taken_up_again(server, faults):
    server.faults = faults[:]
    assert len(load_benchmark("bamboogle", "test")) == 5 and len(server.asked) == len(faults) + 1


def test_a_connection_that_stays_broken_is_one_error(server):
    server.faults = ["cut"] * 99
    said = error(load_benchmark, "bamboogle", "test")
    assert "cannot be downloaded" in said and "AGENT_DISTILL_DATA" in said and server.url in said
    server.faults = []
    assert len(load_benchmark("bamboogle", "test")) == 5


def test_another_hash_is_refused_and_nothing_stays(server, tmp_path):
    path, data = next(iter(server.files.items()))
    server.files[path] = data.replace(b"Town 3", b"Town 4")
    said = error(load_benchmark, "bamboogle", "test")
    assert "not the published file" in said and "mirror" in said
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    server.files[path] = data
    assert len(load_benchmark("bamboogle", "test")) == 5


def test_a_damaged_copy_in_the_cache_is_fetched_again(server, tmp_path):
    load_benchmark("bamboogle", "test")
    copy, = [p for p in (tmp_path / "cache").rglob("*.json")]
    copy.write_bytes(copy.read_bytes()[:50])
    assert len(load_benchmark("bamboogle", "test")) == 5 and len(server.asked) == 2


def test_no_network_is_one_error_with_the_remedy(server, monkeypatch):
    monkeypatch.setenv("AGENT_DISTILL_MIRROR", "http://127.0.0.1:9")
    said = error(load_benchmark, "bamboogle", "test")
    assert "check the network" in said and "AGENT_DISTILL_DATA=FOLDER" in said


def test_a_cache_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AGENT_DISTILL_CACHE", str(tmp_path / "file"))
    assert "AGENT_DISTILL_CACHE" in error(load_benchmark, "bamboogle", "test")


def test_a_folder_of_ones_own_comes_first(server, tmp_path, monkeypatch):
    (tmp_path / "own/benchmarks").mkdir(parents=True)
    (tmp_path / "own/benchmarks" / FILE.file).write_text(json.dumps(dict(examples=[dict(id=1, question="Whose?", answer="mine")])))
    monkeypatch.setenv("AGENT_DISTILL_DATA", str(tmp_path / "own"))
    assert [q.answer for q in load_benchmark("bamboogle", "test")] == ["mine"] and not server.asked


def test_the_real_files_are_the_pinned_ones():
    if not DATA.is_dir(): pytest.skip("no benchmarks under AGENT_DISTILL_DATA")
    for p in PAPER.values():
        data = (DATA / p.file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (p.bytes, p.sha256)
    assert re.fullmatch("[0-9a-f]{40}", COMMIT)
