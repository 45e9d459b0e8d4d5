"""Serving: Search-R1's contract, hostile requests, many callers, and a client that does not give up."""
import json, os, signal, socket, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

from agent_distill.passages import Passage
from agent_distill.profile import AgentDistillError
from agent_distill.retrieval import Embedder, Retriever, search_tool
from agent_distill.serve import MAX_BODY, MAX_QUERIES, RemoteRetriever, listen, serving

TOY = [Passage(str(i), t, f"{t} is {what}.") for i, (t, what) in enumerate({
    "Heron": "a long-legged bird that eats fish", "Granite": "a hard rock", "Lute": "a plucked instrument",
    "Omelette": "made from eggs", "Tarn": "a city on a river"}.items())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")/"index"
    Retriever.build(TOY, Embedder(), folder)
    return folder

@pytest.fixture(scope="module")
def retriever(folder): return Retriever.load(folder, merge=True)

@pytest.fixture(scope="module")
def url(retriever):
    with serving(retriever, topk=2) as url: yield url


def post(url, **body): return httpx.post(f"{url}/retrieve", json=body)


# --- the contract

def test_with_scores(url, retriever):
    [hits] = post(url, queries=["bird"], topk=3, return_scores=True).json()["result"]
    assert len(hits) == 3 and set(hits[0]) == {"document", "score"}
    assert hits[0]["document"] == {"id": "0", "contents": '"Heron"\n' + TOY[0].text}
    assert [h["score"] for h in hits] == pytest.approx([h.score for h in retriever.search("bird", 3)[0]], abs=1e-5)


@pytest.mark.parametrize("more", [dict(return_scores=False), {}])
def test_without_scores(url, more):
    found = post(url, queries=["bird", "rock"], topk=1, **more).json()["result"]
    assert found == [[{"id": "0", "contents": '"Heron"\n' + TOY[0].text}], [{"id": "1", "contents": '"Granite"\n' + TOY[1].text}]]


@pytest.mark.parametrize("topk", [{}, dict(topk=None), dict(topk=0)])
def test_the_servers_own_topk(url, topk): assert len(post(url, queries=["bird"], **topk).json()["result"][0]) == 2


def test_more_than_there_is_and_nothing_asked(url):
    assert len(post(url, queries=["bird"], topk=100).json()["result"][0]) == len(TOY)
    assert post(url, queries=[]).json() == {"result": []}


def test_health(url):
    assert httpx.get(f"{url}/health").json() == dict(status="ok", passages=5, dim=384, index="IndexFlatIP", embedder="all-MiniLM-L6-v2")


# --- what is refused

@pytest.mark.parametrize("body, said", [
    (dict(), "queries"), (dict(queries="bird"), "queries"), (dict(queries=[1]), "queries.0"), (dict(queries=[None]), "queries.0"),
    (dict(queries=[""]), "empty"), (dict(queries=["\n\t"]), "empty"), (dict(queries=["x"*9000]), "8192"),
    (dict(queries=["a"]*(MAX_QUERIES + 1)), "1024"), (dict(queries=["a"], topk=-1), "topk"), (dict(queries=["a"], topk=10**30), "topk"),
    (dict(queries=["a"], topk="many"), "topk"), (dict(queries=["a"], topk=1.5), "topk"), (dict(queries=["a"], return_scores="perhaps"), "return_scores")])
def test_malformed_fields_get_422_and_the_reason(url, body, said):
    reply = post(url, **body)
    assert reply.status_code == 422 and said in reply.json()["detail"]


@pytest.mark.parametrize("content, status", [
    (b"", 422), (b"{", 422), (b"[]", 422), (b"null", 422), (b"\xff\xfe\x00", 400), (b'{"queries": ["\\ud800"]}', 422),
    (b'{"queries": [NaN]}', 422), (b"["*200_000, 422), (b'{"queries": ' + b"["*50_000 + b"]"*50_000 + b"}", 422)])
def test_bodies_that_are_no_request(url, content, status):
    reply = httpx.post(f"{url}/retrieve", content=content, headers={"content-type": "application/json"})
    assert 400 <= reply.status_code < 500 and reply.json()["detail"]
    assert httpx.get(f"{url}/health").status_code == 200


def test_a_body_without_end_is_cut_off(url):
    def endless():
        for _ in range(3*MAX_BODY // 2**20): yield b" "*2**20
    try: assert httpx.post(f"{url}/retrieve", content=endless(), headers={"content-type": "application/json"}).status_code == 413
    except httpx.TransportError: pass   # the server may close before everything is sent
    assert httpx.get(f"{url}/health").status_code == 200


def test_raw_garbage_and_half_requests_do_not_end_the_server(url):
    host, port = url.removeprefix("http://").split(":")
    for raw in (b"\0\1\2\3\r\n\r\n", b"POST /retrieve HTTP/1.1\r\nContent-Length: 50\r\n\r\n{", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection((host, int(port))) as s: s.sendall(raw)
    assert httpx.get(f"{url}/no-such").status_code == 404
    assert httpx.get(f"{url}/retrieve").status_code == 405
    assert len(post(url, queries=["bird"]).json()["result"]) == 1


# --- many callers

def test_64_callers_get_what_one_gets(url, retriever):
    asked = [f"{p.title} {i}" for i in range(40) for p in TOY]
    remote = RemoteRetriever(url)
    with ThreadPoolExecutor(64) as pool: together = list(pool.map(remote.observation, asked))
    alone = Retriever(retriever.passages, retriever.index, retriever.embedder, merge=False)
    assert together == [alone.observation(q) for q in asked]


def test_callers_are_merged(retriever, monkeypatch):
    sizes, rows = [], type(retriever).rows
    def slow(self, queries, k): sizes.append(len(queries)); time.sleep(.05); return rows(self, queries, k)
    monkeypatch.setattr(type(retriever), "rows", slow)
    with serving(retriever) as url, ThreadPoolExecutor(64) as pool:
        remote = RemoteRetriever(url)
        list(pool.map(lambda i: remote.search(f"bird {i}"), range(128)))
    assert sum(sizes) == 128 and max(sizes) >= 16, sizes


# --- the client

def test_the_tool_does_not_notice(url, retriever):
    remote = RemoteRetriever(url)
    assert search_tool(remote, 2)("bird") == search_tool(retriever, 2)("bird")
    assert remote.search(["bird", "rock"], 2)[1][0].passage == TOY[1] and remote.search([]) == []
    with pytest.raises(AgentDistillError, match="k is 0"): remote.search("bird", 0)
    with pytest.raises(ValueError, match="not empty"): remote.observation(" ")


class Fake(ThreadingHTTPServer):
    "A server that gives these (status, body) in turn, the last one for ever"
    def __init__(self, *replies, wait=0):
        self.replies, self.seen = list(replies), 0
        fake = self
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                fake.seen += 1
                self.rfile.read(int(self.headers["content-length"]))
                status, body = fake.replies[min(fake.seen, len(fake.replies)) - 1]
                time.sleep(wait)
                self.send_response(status); self.send_header("content-length", str(len(body))); self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_): pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
    def __exit__(self, *a): self.shutdown(); self.server_close()
    url = property(lambda self: f"http://127.0.0.1:{self.server_port}")


GOOD = json.dumps({"result": [[{"document": {"id": 7, "contents": '"A"\na'}, "score": .5}]]}).encode()


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_what_may_pass_is_tried_again(status):
    with Fake((status, b"busy"), (status, b"busy"), (200, GOOD)) as fake:
        [[hit]] = RemoteRetriever(fake.url, pause=.01).search("x")
        assert fake.seen == 3 and hit.passage == Passage("7", "A", "a") and hit.score == .5


def test_it_gives_up_after_its_tries():
    with Fake((503, b"busy")) as fake:
        with pytest.raises(AgentDistillError, match="answered 503: busy"): RemoteRetriever(fake.url, tries=3, pause=.01).search("x")
        assert fake.seen == 3


def test_a_refusal_is_not_tried_again():
    with Fake((422, b'{"detail": "no such thing"}')) as fake:
        with pytest.raises(AgentDistillError, match="answered 422: no such thing"): RemoteRetriever(fake.url).search("x")
        assert fake.seen == 1


def test_a_slow_server_times_out():
    with Fake((200, GOOD), wait=1) as fake:
        with pytest.raises(AgentDistillError, match="does not answer.*ReadTimeout"): RemoteRetriever(fake.url, timeout=.1, tries=2, pause=.01).search("x")


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"[]", b"{}", b'{"result": null}', b'{"result": [[{"document": null, "score": 1}]]}', b'{"result": []}',
    b'{"result": [[{"document": {"contents": 3}, "score": 1}]]}', b'{"result": [[{"document": {"contents": "a"}, "score": "high"}]]}'])
def test_answers_that_are_none(body):
    with Fake((200, body)) as fake:
        with pytest.raises(AgentDistillError, match="not JSON|none of a retriever's"): RemoteRetriever(fake.url, pause=.01).search("x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere", "http://[bad"])
def test_nobody_there(url):
    with pytest.raises(AgentDistillError, match="does not answer"): RemoteRetriever(url, tries=2, pause=.01).search("x")


def test_a_restarted_server_is_found_again(retriever):
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    sock.close()
    from agent_distill.serve import _server
    server = _server(retriever, 3)
    def later(): time.sleep(.5); server.run(sockets=[listen("127.0.0.1", port)])
    thread = threading.Thread(target=later)
    thread.start()
    try: assert RemoteRetriever(f"http://127.0.0.1:{port}", tries=8).search("bird")[0][0].passage == TOY[0]
    finally:
        server.should_exit = True
        thread.join()


# --- the command

def test_the_command_serves_until_it_is_stopped(folder):
    line = [sys.executable, "-c", "import sys; from agent_distill.cli import main; sys.exit(main())", "serve", "--index", str(folder), "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        said = process.stdout.readline()
        assert said.startswith("5 passages at http://127.0.0.1:"), process.stderr.read()
        url = said.split()[-1].removesuffix("/retrieve")
        assert RemoteRetriever(url).search("bird", 1)[0][0].passage == TOY[0]
    finally: process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130 and "Traceback" not in process.stderr.read()


def test_a_port_in_use_and_a_missing_index_are_one_clear_error(folder, capsys, tmp_path):
    from agent_distill.cli import main
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--index", str(folder), "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen" in capsys.readouterr().err
    (tmp_path/"run.json").touch()
    assert main(["serve", "--index", str(tmp_path/"index")]) == 2
    assert "02_retrieval" in capsys.readouterr().err
    with pytest.raises(SystemExit) as e: main(["serve", "--index", str(folder), "--port", "99999"])
    assert e.value.code == 2 and "no port" in capsys.readouterr().err
