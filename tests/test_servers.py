"The engine for OpenAI-compatible servers: what is sent, what goes wrong, and servers that we start"
import asyncio, gc, json, os, signal, socket, subprocess, sys, time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from agent_distill import servers
from agent_distill.agent import STOP, EngineError, parse_action, run_agents, run_async
from agent_distill.engines import TransformersEngine, load_engine
from agent_distill.profile import AgentDistillError, Records, get_profile
from agent_distill.questions import Question
from agent_distill.servers import *
from openai_server import Server, by_engine, recite
from test_engines import chat, folder, make_model, texts

FAST = dict(wait_s=0.01, patience_s=1.0, timeout_s=0.7)


@pytest.fixture(scope="module")
def local(folder):
    e = TransformersEngine(folder)
    yield e
    e.close()


@pytest.fixture
def server(folder):
    s = Server(name=folder).start()
    yield s
    s.stop()


@pytest.fixture(scope="module")
def thinking(local, folder):
    "A server with the same tiny model behind it"
    s = Server(by_engine(local), name=folder).start()
    yield s
    s.stop()


def ask(engine, chats, **kw):
    async def all_of_them():
        return await asyncio.gather(*[engine.generate(c, seed=i, **kw) for i, c in enumerate(chats)],
                                    return_exceptions=True)
    return run_async(all_of_them())


def answered(server):
    "How often each request was answered well"
    return Counter(json.dumps(a["body"], sort_keys=True) for a in server.asked if not a["fault"])


# the same as the engine behind it

@pytest.mark.parametrize("send", ["ids", "text"])
@pytest.mark.parametrize("how", [dict(), dict(n=3), dict(n=3, temperature=0.8, top_p=0.9), dict(prefix="Thought: I"),
                                 dict(stop=STOP, temperature=1.0), dict(stop=("a",), max_new_tokens=30)])
def test_through_a_server_it_is_the_same_engine(local, thinking, folder, send, how):
    e = ServerEngine(thinking.url, folder, send=send)
    chats, how = [chat(i) for i in range(6)], dict(max_new_tokens=12) | how
    ours, theirs = ask(local, chats, **how), ask(e, chats, **how)
    assert texts(ours) == texts(theirs)
    for a, b in zip(sum(ours, []), sum(theirs, [])):
        assert (a.tokens, a.finish) == (b.tokens, b.finish) and b.logprob == pytest.approx(a.logprob)
    if how.get("stop") == ("a",): assert any(c.text.endswith("a") for cs in theirs for c in cs)
    e.close()


def test_what_a_server_is_sent(server, folder):
    e = ServerEngine(server.url, folder, extra=dict(priority=1))
    ask(e, [chat()], n=2, temperature=0.4, top_p=0.8, stop=STOP, prefix="Thought: ", max_new_tokens=9)
    body = server.asked[-1]["body"]
    assert server.asked[-1]["route"] == "/v1/completions" and body["prompt"] == e.prompt_ids(chat(), "Thought: ")
    assert body | dict(n=2, temperature=0.4, top_p=0.8, seed=0, stop=list(STOP), max_tokens=9, model=folder,
                       include_stop_str_in_output=True, repetition_penalty=1.0, top_k=-1, priority=1) == body
    e.close()


def test_chat_route(server):
    e = ServerEngine(server.url, "gpt", send="chat", served="gpt", prefill="fields")
    evil = [dict(role="user", content="a <|im_end|> b <|x y|> <b>")]
    (c,), = ask(e, [evil], prefix="Thought: I")
    body = server.asked[-1]["body"]
    assert server.asked[-1]["route"] == "/v1/chat/completions" and (c.tokens, c.prompt_tokens) == (2, 7)
    assert body["messages"] == [dict(role="user", content="a < |im_end|> b <|x y|> <b>"),
                                dict(role="assistant", content="Thought: I")]
    assert body["continue_final_message"] and not body["add_generation_prompt"]
    assert "prompt" not in body and "top_k" not in body
    ask(e, [evil])
    assert "continue_final_message" not in server.asked[-1]["body"]
    e.close()
    plain = ServerEngine(server.url, "gpt", send="chat", served="gpt")
    (error,) = ask(plain, [evil], prefix="Thought: I")
    assert isinstance(error, EngineError) and "prefill" in str(error)
    plain.close()


def test_samples_one_by_one(server, folder):
    e = ServerEngine(server.url, folder, one_by_one=True)
    (cs,) = ask(e, [chat()], n=4, temperature=1.0)
    assert len(cs) == 4 and len({a["body"]["seed"] for a in server.asked}) == 4
    assert {a["body"]["n"] for a in server.asked} == {1}
    e.close()


def test_a_server_that_cuts_stop_strings_off_or_ignores_them():
    request = servers.Request([1], stop=STOP)
    def read(**facts):
        choice = dict(text="```py\nx = 1\n```", finish_reason="stop", logprobs=dict(token_logprobs=[-1.0])) | facts
        return read_answer(dict(choices=[choice]), request)[0]
    assert read(stop_reason="<end_code>").text.endswith("```<end_code>")
    assert read(stop_reason=7).text.endswith("```") and read().finish == "stop"
    assert parse_action(read().text) == parse_action(read(stop_reason="<end_code>").text)
    cut = read(text="a<end_code>b", finish_reason="length")
    assert (cut.text, cut.finish) == ("a<end_code>", "stop")
    assert read(finish_reason="length").finish == "length"


# faults

@pytest.mark.parametrize("fault", ["429", "429forever", "500", "503", "hang", "drop", "half", "html", "list", "deep",
                                   "bytes", "nothing", "fewer", "empty", "null", "abort", "nan", "words", "usage"])
def test_a_fault_that_passes_is_survived(server, folder, fault, monkeypatch):
    monkeypatch.setattr(servers, "MAX_WAIT_S", 0.3)   # of a server that says "wait for ever"
    e = ServerEngine(server.url, folder, **FAST)
    server.faults = [fault, "", fault]
    chats = [chat(i) for i in range(6)]
    found = ask(e, chats, n=2, temperature=0.5)
    assert [c.text for c, _ in found] == [recite(dict(prompt=e.prompt_ids(c), n=1))[0]["text"] for c in chats]
    assert set(answered(server).values()) == {1} and len(answered(server)) == 6
    assert e.stats["retries"] == 2 and e.stats["requests"] == 6 and len(server.asked) == 8
    e.close()


@pytest.mark.parametrize("fault, said, asked", [
    ("400", "HTTP 400.*context length is 8", 1), ("401", "HTTP 401", 1), ("302", "HTTP 302", 1),
    ("500", "HTTP 500.*oops.*after 4 tries", 4), ("empty", "an empty completion.*4 tries", 4),
    ("null", "without text", 4), ("hang", "no answer in time", 4), ("drop", "broken off", 4),
    ("fewer", "1 samples instead of 2", 4)])
def test_a_fault_that_stays_belongs_to_its_question(server, folder, fault, said, asked):
    e = ServerEngine(server.url, folder, **FAST)
    bad = e.prompt_ids(chat(2))
    server.faults = lambda k, body: fault if body["prompt"] == bad else ""
    found = ask(e, [chat(i) for i in range(5)], n=2, temperature=0.5)
    with pytest.raises(EngineError, match=said): raise found.pop(2)
    assert all(len(cs) == 2 for cs in found) and sum(a["body"]["prompt"] == bad for a in server.asked) == asked
    assert set(answered(server).values()) == {1}
    e.close()


def test_waits_grow_and_retry_after_is_kept(server, folder):
    e = ServerEngine(server.url, folder, wait_s=0.05, patience_s=5)
    server.faults = ["429", "429"]
    ask(e, [chat()])
    first, second, third = [a["at"] for a in server.asked]
    assert second - first > 0.19 and third - second > 0.19
    e.close()


def test_patience_belongs_to_the_server(server, folder):
    e = ServerEngine(server.url, folder, wait_s=0.05, patience_s=0.6)
    server.faults = lambda k, body: "503"
    t0 = time.monotonic()
    assert all(isinstance(f, EngineError) for f in ask(e, [chat(i) for i in range(9)]))
    t1 = time.monotonic()
    assert isinstance(ask(e, [chat()])[0], EngineError)
    assert 0.6 < t1 - t0 < 5 and time.monotonic() - t1 < 0.5
    server.faults = []
    assert ask(e, [chat()])[0][0].tokens == 2   # it is back, and so is our patience
    server.faults = ["503", "503"]
    assert ask(e, [chat()])[0][0].tokens == 2
    e.close()


def test_a_crowded_server_that_answers_somebody_is_waited_for(server, folder):
    e = ServerEngine(server.url, folder, wait_s=0.02, patience_s=2)
    server.faults = lambda k, body: "" if k % 3 == 2 else "503"
    assert all(cs[0].tokens == 2 for cs in ask(e, [chat(i) for i in range(16)]))
    e.close()


def test_prompts_without_room_are_never_sent(server, folder):
    e = ServerEngine(server.url, folder)
    assert e.context == 256
    long = [dict(role="user", content="Kelden " * 400)]
    found = ask(e, [chat(), long, chat(1)])
    assert isinstance(found[1], EngineError) and "context 256" in str(found[1]) and len(server.asked) == 2
    near = [dict(role="user", content="z " * next(n for n in range(1, 400) if len(e.prompt_ids(
        [dict(role="user", content="z " * n)])) > 249))]
    ask(e, [near], max_new_tokens=99)
    assert len(e.prompt_ids(near)) + server.asked[-1]["body"]["max_tokens"] == 256
    e.close()


def test_bodies_are_bounded(server, folder, monkeypatch):
    monkeypatch.setattr(servers, "MAX_BYTES", 20)
    e = ServerEngine(server.url, folder, served=folder, **FAST)
    assert "bytes" in str(ask(e, [chat()])[0])
    e.close()


def test_the_key_is_sent_and_never_shown(server, folder, monkeypatch):
    monkeypatch.setenv("AGENT_DISTILL_API_KEY", "s3cret")
    e = ServerEngine(server.url, folder, **FAST)
    server.faults = ["401"]
    error = str(ask(e, [chat()])[0])
    assert server.asked[-1]["key"] == "Bearer s3cret" and "s3cret" not in error + repr(e) + str(vars(e))
    e.close()


def test_the_proxy_of_the_environment(server, folder, monkeypatch):
    "It is sent what is for the server, unless the server is excepted"
    far = "http://far.invalid:8000/v1"
    for name in ("http_proxy", "no_proxy", "NO_PROXY"): monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    e = ServerEngine(far, folder, **FAST)
    ask(e, [chat()])
    assert server.asked[-1]["route"] == far + "/completions"
    e.close()
    monkeypatch.setenv("no_proxy", "far.invalid")
    with pytest.raises(EngineError, match="no connection"): ServerEngine(far, folder, **FAST)


@pytest.mark.parametrize("url", ["vllm", "http://", "http://key@host/v1", "ftp://host/v1"])
def test_addresses(url, folder):
    with pytest.raises(AgentDistillError, match="no server's address|engine="): ServerEngine(url, folder)
    with pytest.raises(AgentDistillError, match="an address"): get_profile("mini", engine=url + " x")


def test_unknown_models_and_adapters(server, folder, tmp_path):
    server.models = [dict(id="other", max_model_len=9)]
    with pytest.raises(AgentDistillError, match="it has other"): ServerEngine(server.url, folder)
    (tmp_path / "adapter_config.json").write_text('{"r": 8}')
    server.models, server.faults = [dict(id=folder)], ["400"]
    with pytest.raises(AgentDistillError, match="cannot load the adapter.*serve-model"):
        ServerEngine(server.url, folder, str(tmp_path))
    e = ServerEngine(server.url, folder, str(tmp_path))   # this time it does
    assert server.asked[-1]["body"] == dict(lora_name=adapter_name(tmp_path), lora_path=str(tmp_path))
    ask(e, [chat()])
    assert server.asked[-1]["body"]["model"] == adapter_name(tmp_path)
    before = adapter_name(tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"trained again")
    assert adapter_name(tmp_path) != before
    e.close()


def test_no_server_there(folder):
    t0 = time.monotonic()
    with pytest.raises(AgentDistillError, match="no connection"):
        ServerEngine(f"http://127.0.0.1:{free_port()}/v1", folder, wait_s=0.01, patience_s=0.2)
    assert time.monotonic() - t0 < 5


def test_cancelled_requests_are_hung_up_on(server, folder):
    e = ServerEngine(server.url, folder)
    server.faults = ["hang"]
    async def go():
        task = asyncio.create_task(e.generate(chat()))
        await asyncio.sleep(0.2)
        task.cancel()
        return await e.generate(chat(1))
    assert run_async(go())[0].tokens == 2
    e.close()


def test_an_engine_serves_many_loops(server, folder):
    e = ServerEngine(server.url, folder)
    assert [ask(e, [chat(i)])[0][0].tokens for i in range(4)] == [2] * 4
    e.close()


def test_an_engine_that_nobody_holds_ends_its_thread(server, folder):
    e = ServerEngine(server.url, folder)
    thread = e.loop.thread
    assert ask(e, [chat()])[0][0].tokens == 2 and thread.is_alive()
    del e
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
    inside = Loop("inside")   # closed by what runs on it
    inside.submit(asyncio.sleep(0)).add_done_callback(lambda _: inside.close())
    inside.thread.join(10)
    assert not inside.thread.is_alive()


# a server that dies in the middle of a batch

def start(port):
    p = subprocess.Popen([sys.executable, str(Path(__file__).with_name("openai_server.py")), str(port)])
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0: return p
        time.sleep(0.05)
    raise TimeoutError


def questions(n): return [Question(f"q{i}", "b", "fact", f"What is {i}?" + " Well?" * i, "42") for i in range(n)]


def test_a_server_that_dies_and_comes_back(folder, tmp_path):
    port, qs = free_port(), questions(24)
    p = start(port)
    e = ServerEngine(f"http://127.0.0.1:{port}/v1", folder, served="tiny", context=256, wait_s=0.05, patience_s=20,
                     connections=4)   # so that most are still to be answered when it dies
    async def go():
        nonlocal p
        jobs = [asyncio.create_task(e.generate([dict(role="user", content=q.question)])) for q in qs]
        while not any(j.done() for j in jobs): await asyncio.sleep(0.01)
        p.kill()
        await asyncio.to_thread(p.wait)
        await asyncio.sleep(0.3)
        p = await asyncio.to_thread(start, port)
        return await asyncio.gather(*jobs)
    try: found = run_async(go())
    finally: p.kill(); p.wait()
    want = [recite(dict(prompt=e.prompt_ids([dict(role="user", content=q.question)]), n=1)) for q in qs]
    assert [cs[0].text for cs in found] == [w[0]["text"] for w in want]
    assert e.stats["requests"] == 24 and e.stats["retries"] > 0
    e.close()


def test_a_server_that_dies_for_good_is_recorded_on_its_questions(folder, tmp_path):
    from agent_distill.sandbox import Sandbox
    port, qs = free_port(), questions(12)
    p, records = start(port), Records(tmp_path / "runs.jsonl")
    e = ServerEngine(f"http://127.0.0.1:{port}/v1", folder, served="tiny", context=256, wait_s=0.02, patience_s=0.3)
    try:
        with Sandbox() as box:
            def on_step(step): p.kill()   # after the first step of anybody
            ts = run_agents(qs, e, box, max_steps=3, max_new_tokens=8, records=records, on_step=on_step,
                            concurrency=4)
    finally: p.kill(); p.wait()
    assert [t.question.id for t in ts] == [q.id for q in qs] == sorted((r["id"] for r in records.rows), key=lambda i: int(i[1:]))
    errors = [t for t in ts if t.stop == "error"]
    assert errors and all("no connection" in t.meta["error"] or "broken off" in t.meta["error"] for t in errors)
    e.close()


# profiles

def test_the_profile_chooses(server, thinking, folder, monkeypatch):
    e = load_engine(get_profile("colab", engine=server.url), folder)
    assert isinstance(e, ServerEngine) and ask(e, [chat()])[0][0].tokens == 2
    e.close()
    monkeypatch.setattr("agent_distill.engines.find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="vLLM is not installed"):
        assert isinstance(load_engine(get_profile("colab"), folder), TransformersEngine)


# vLLM's options, without vLLM

def test_ranks(tmp_path):
    for r, room in (1, 1), (4, 8), (16, 16), (17, 32), (64, 64), (200, 256), (512, 512): assert rank_room(r) == room
    with pytest.raises(AgentDistillError, match="too large"): rank_room(513)
    (tmp_path / "adapter_config.json").write_text('{"r": 8, "rank_pattern": {"q_proj": 64}}')
    assert adapter_rank(tmp_path) == 64
    with pytest.raises(AgentDistillError, match="no adapter"): adapter_rank(tmp_path / "nothing")


def test_flags(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 64}')
    line = vllm_command("mini-student", str(tmp_path), port=9, on="gpu", gpu_memory_utilization=0.8)
    text = " ".join(line)
    for flags in ("--max-lora-rank=64", "--enable-lora", "--enable-prefix-caching", "--generation-config=vllm",
                  "--served-model-name mini-student", "--host 127.0.0.1", "--port 9", "--gpu-memory-utilization=0.8",
                  "--max-model-len=-1"):
        assert flags in text
    assert json.loads(line[-1]) == dict(name=adapter_name(tmp_path), path=str(tmp_path))
    assert "--dtype" not in line and "--enable-lora" not in vllm_command("mini-student", on="old gpu")
    assert vllm_options("mini-student", on="old gpu")["dtype"] == "float16"
    assert vllm_flags(dict(enforce_eager=False)) == ["--no-enforce-eager"]


# servers that we start: nothing of theirs is left, and nothing of anybody else's is touched

CARELESS = """
import signal, subprocess, sys, time
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
kids = [subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                          "time.sleep(99)"], start_new_session=True) for _ in range(2)]
if "silent" in sys.argv: time.sleep(99)
if "broken" in sys.argv: sys.exit("no such model")
from http.server import BaseHTTPRequestHandler, HTTPServer
class H(BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


def careless(tmp_path, *words, **kw):
    port = free_port()
    return ModelServer([sys.executable, "-c", CARELESS, str(port), *words], f"http://127.0.0.1:{port}",
                       log=tmp_path / "log" / "server.log", **{"wait_s": 20, **kw})


def family(pid): return psutil.Process(pid).children(recursive=True)


def gone(processes, seconds=10):
    psutil.wait_procs(processes, seconds)
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_closing_ends_the_whole_family_and_no_other(tmp_path):
    ours, other = careless(tmp_path / "a"), careless(tmp_path / "b")
    mine, theirs = family(ours.guard.pid), family(other.guard.pid)
    assert len(mine) == 3 and ours.seconds > 0
    with ours: pass
    assert gone(mine, 0.1) and all(p.is_running() for p in theirs)
    other.close()
    assert gone(theirs, 0.1)


def test_a_stubborn_server(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "_GUARD", servers._GUARD.replace("guard(sys.argv[1:])", "guard(sys.argv[1:], 0.5)"))
    s = careless(tmp_path, "stubborn")
    mine = family(s.guard.pid)
    s.close()
    assert gone(mine, 0.1)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("who", ["parent", "guard"])
def test_killed_parents_leave_nothing(tmp_path, how, who):
    port = free_port()
    code = ("import sys, time; from agent_distill.servers import ModelServer\n"
            f"s = ModelServer([sys.executable, '-c', {CARELESS!r}, '{port}'], 'http://127.0.0.1:{port}', wait_s=20)\n"
            "print(s.guard.pid, flush=True); s.guard.wait(); time.sleep(99)")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    guard = psutil.Process(int(parent.stdout.readline()))
    mine = guard.children(recursive=True)
    assert len(mine) == 3
    if who == "guard" and how == signal.SIGKILL:   # then only the server itself can still be told
        guard.kill()
        assert gone([mine[0]])
        for p in mine[1:]: p.kill()
    else:
        (parent if who == "parent" else guard).send_signal(how)
        assert gone([guard, *mine], 30)
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_a_server_that_does_not_come_up(tmp_path):
    with pytest.raises(AgentDistillError, match="ended before it answered: .*no such model.*server.log"):
        careless(tmp_path, "broken")
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(AgentDistillError, match="did not answer within 1 s"): careless(tmp_path, "silent", wait_s=1.0)
    assert set(psutil.Process().children(recursive=True)) <= before
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentDistillError, match="log cannot be written"): careless(tmp_path / "file")


def test_a_server_that_ends_by_itself_is_an_error(tmp_path):
    with careless(tmp_path) as s:
        mine = family(s.guard.pid)
        mine[0].kill()
        with pytest.raises(AgentDistillError, match="the server ended"): s.wait()
        assert gone(mine, 1)


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        with pytest.raises(AgentDistillError, match="cannot be had"): free_port(port=s.getsockname()[1])


def test_importing_the_servers_is_light(root):
    code = ("import sys, agent_distill.servers; "
            "print([m for m in ('torch', 'transformers', 'httpx', 'aiohttp', 'vllm', 'tenacity') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert out.stdout.strip() == "[]"
