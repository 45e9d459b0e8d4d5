"The engine for OpenAI-compatible servers: what is sent, what goes wrong, and servers that we start"
import asyncio, gc, json, os, signal, socket, subprocess, sys, time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from agent_distill import servers
from agent_distill.agent import STOP, EngineError, parse_action, run_agents, run_async
from agent_distill.engines import TransformersEngine
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


# servers that know less than we say, and say so, or not

def strict(status, tell, *unknown):
    "A server that refuses unknown fields, all of them or the first, in words of its own"
    def refuses(body):
        names = [k for k in unknown if k in body]
        return (status, tell(names)) if names else None
    return refuses


STYLES = {"vLLM": (400, lambda names: dict(message=str([dict(type="extra_forbidden", loc=("body", k)) for k in names]))),
          "Mistral": (422, lambda names: dict(detail=[dict(type="extra_forbidden", loc=["body", k], input=1) for k in names])),
          "OpenAI": (400, lambda names: dict(error=dict(message=f"Unsupported parameter: '{names[0]}' is not supported with "
                                                                "this model.", param=names[0]))),
          "serde": (422, lambda names: b"unknown field `%s`, expected one of `model`, `prompt`, `messages`" % names[0].encode()),
          "Go": (500, lambda names: dict(error=f'json: unknown field "{names[0]}"')),
          "success": (200, lambda names: dict(error=f"Argument not supported on this model: {names[0]}"))}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("send, unknown", [("ids", ("top_k", "min_p", "add_special_tokens", "stop")), ("chat", ("seed", "logprobs")),
                                           ("chat", ("temperature", "stop"))])
def test_fields_that_a_server_refuses_are_left_out_and_named_once(server, folder, style, send, unknown):
    e = ServerEngine(server.url, folder, send=send, **FAST)
    server.refuses = strict(*STYLES[style], *unknown)
    with pytest.warns(UserWarning, match="refuses .*left out") as said:
        assert run_async(e.generate(chat(), n=2, temperature=0.5, stop=STOP))[0].tokens == 2
    assert len([w for w in said if "refuses" in str(w.message)]) == 1 and e.refused == set(unknown)
    before = len(server.asked)
    assert all(len(cs) == 2 for cs in ask(e, [chat(i) for i in range(4)], n=2, temperature=0.5, stop=STOP))
    assert not any(a["fault"] for a in server.asked[before:])
    assert e.stats["retries"] == 0
    e.close()


def test_fields_can_be_left_out_by_name(server, folder):
    e = ServerEngine(server.url, folder, extra=dict(seed=None, logprobs=None, top_k=5), one_by_one=True)
    ask(e, [chat()], n=2, temperature=0.5)
    assert all(not {"seed", "logprobs"} & a["body"].keys() and a["body"]["top_k"] == 5 for a in server.asked)
    e.close()


def test_an_error_that_repeats_the_request_teaches_nothing(server, folder):
    e = ServerEngine(server.url, folder, **FAST)
    bad = e.prompt_ids(chat(1))
    server.refuses = lambda body: (400, b"not supported: " + json.dumps(body).encode()) if body["prompt"] == bad else None
    found = ask(e, [chat(0), chat(1), chat(2)], n=2, temperature=0.5)
    assert isinstance(found[1], EngineError) and not e.refused and not e.one_by_one
    assert len(found[0]) == len(found[2]) == 2
    e.close()


def test_what_cannot_be_left_out_is_an_error_with_a_way_out(server, folder):
    e = ServerEngine(server.url, folder, send="chat", prefill="fields", **FAST)
    server.refuses = strict(*STYLES["Mistral"], "continue_final_message")
    assert "extra=" in str(ask(e, [chat()], prefix="Thought:")[0]) and len(server.asked) == 1
    e.close()


def test_the_newer_name_of_max_tokens(server, folder):
    e = ServerEngine(server.url, folder, send="chat", **FAST)
    server.refuses = strict(400, lambda names: dict(error=dict(message="Unsupported parameter: 'max_tokens' is not supported "
                                                               "with this model. Use 'max_completion_tokens' instead.")), "max_tokens")
    with pytest.warns(UserWarning, match="max_tokens"): ask(e, [chat()], max_new_tokens=9)
    assert server.asked[-1]["body"]["max_completion_tokens"] == 9 and "max_tokens" not in server.asked[-1]["body"]
    e.close()


@pytest.mark.parametrize("tell", ["Only one completion choice is allowed", "'n' : number must be at most 1", "n must be 1",
                                  "Only n=1 is supported", "multiple completions are not supported"])
def test_samples_are_asked_one_by_one_where_n_is_refused(server, folder, tell):
    e = ServerEngine(server.url, folder, **FAST)
    server.refuses = lambda body: (400, dict(error=dict(message=tell))) if body.get("n", 1) > 1 else None
    with pytest.warns(UserWarning, match="one by one"): assert len(ask(e, [chat()], n=3, temperature=0.5)[0]) == 3
    assert len({a["body"]["seed"] for a in server.asked[1:]}) == 3 and e.one_by_one
    assert len(ask(e, [chat(1)], n=3, temperature=0.5)[0]) == 3 and sum(a["fault"] == "refused" for a in server.asked) == 1
    e.close()


def test_an_n_that_is_ignored_is_named(server, folder):
    e = ServerEngine(server.url, folder, **FAST)
    server.faults = lambda k, body: "fewer"
    with pytest.raises(EngineError, match="1 samples instead of 3.*one_by_one=True"):
        run_async(e.generate(chat(), n=3, temperature=0.5))
    e.close()


def test_a_sample_without_text_among_others():
    def read(*choices, used=30):
        return read_answer(dict(usage=dict(completion_tokens=used), choices=[dict(finish_reason="stop", **c) for c in choices]),
                           servers.Request([1], n=len(choices)))
    def said(text): return dict(message=dict(content=text))
    assert [(c.text, c.tokens) for c in read(said(None), said("a"), said(""))] == [("", 10), ("a", 10), ("", 10)]
    assert [c.text for c in read(dict(text=None), dict(text="a"))] == ["", "a"]
    assert read(said([dict(type="thinking", thinking=[]), dict(type="text", text="a"), dict(type="text", text="b")]))[0].text == "ab"
    assert read(dict(message=dict(reasoning="Hm")))[0].tokens == 30   # a thought that took all there was
    assert [c.text for c in read(said(None), said("a"), used=0)] == ["", "a"]
    for nothing in [said(None)], [said(None), said("")]:
        with pytest.raises(servers.Fault, match="empty"): read(*nothing, used=0)
    for broken in [said(7)], [said(["a"])], [dict(message=None)], [dict(text=None)]:
        with pytest.raises(servers.Fault): read(*broken)


def test_an_error_sent_as_an_answer_keeps_its_words():
    for choices in {}, dict(choices=[]), dict(choices=None):
        with pytest.raises(servers.Refusal, match="bad n"): servers.read_json(json.dumps(dict(error="bad n", **choices)).encode())
    with pytest.raises(servers.Fault, match="bad n"): read_answer(dict(object="error", message="bad n"), servers.Request([1]))


# addresses

@pytest.mark.parametrize("path", ["", "/", "/chat/completions", "/v1/chat/completions", "/v1/models"])
@pytest.mark.parametrize("served", [None, "m"])
@pytest.mark.parametrize("page", [(404, b"404 page not found"), (404, dict(detail="Not Found")), (405, b""), (200, b"<html>Hello"),
                                  (200, dict(error="Unexpected endpoint or method. (GET /models)"))])
def test_a_wrong_path_is_answered_with_the_right_one(server, path, served, page):
    root = server.url.removesuffix("/v1")
    server.models, server.pages = [], {}
    server.refuses = lambda body: page
    Handler = type(server.RequestHandlerClass.__name__, (server.RequestHandlerClass,), dict(do_GET=lambda self: self.send(*page)))
    server.RequestHandlerClass = Handler
    with pytest.raises(EngineError, match=f"{root}.*fix: .*{root}/v1$"):
        run_async(ServerEngine(root + path, "m", send="chat", served=served, **FAST).generate(chat()))


@pytest.mark.parametrize("status, error, send, fix", [
    (404, dict(error=dict(message="model 'm' not found")), "ids", "served="), (404, dict(detail="Not Found"), "ids", 'send="chat"'),
    (405, b"", "ids", 'send="chat"'),
    (400, dict(error="json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string"), "ids", 'send="text"'),
    (422, b"prompt: data did not match any variant of untagged enum Prompt", "ids", 'send="text"'),
    (400, b"'prompt' must be a string", "ids", 'send="text"'), (400, b"No.", "ids", "how the server does")])
def test_ordinary_causes_are_named(server, folder, status, error, send, fix):
    e = ServerEngine(server.url, folder, send=send, **FAST)
    server.refuses = lambda body: (status, error)
    with pytest.raises(EngineError, match=fix): run_async(e.generate(chat()))
    e.close()


def test_failed_tries_are_logged(server, folder, caplog):
    caplog.set_level("INFO", "agent_distill")
    e = ServerEngine(server.url, folder, **FAST)
    server.faults = ["500", "503"]
    run_async(e.generate(chat()))
    said = [r.getMessage() for r in caplog.records if r.name == "agent_distill.servers"]
    assert [m.partition(": ")[0] for m in said] == [e.url] * 2 and "500" in said[0] and "503" in said[1] and "try 2" in said[1]
    e.close()


def speaking(kind):
    "What a server refuses that knows only one way"
    def refuses(body):
        if kind == "chat" and "prompt" in body: return 404, dict(detail="Not Found")
        if kind == "text" and isinstance(body.get("prompt"), list): return 400, b"'prompt' must be a string"
    return refuses


@pytest.mark.parametrize("kind", ["ids", "text", "chat"])
def test_what_a_server_speaks_is_found_out(server, folder, kind, recwarn):
    "By the first requests, many at once; then it is known"
    server.refuses = speaking(kind)
    e = ServerEngine(server.url, folder, **FAST)
    first = ask(e, [chat(i) for i in range(4)], n=2, temperature=0.5)
    asked = len(server.asked)
    assert e.send == kind and all(len(cs) == 2 for cs in first + ask(e, [chat(5)], n=2, temperature=0.5))
    assert len(server.asked) == asked + 1 and [f"send='{kind}'" in str(w.message) for w in recwarn] == [True] * (kind != "ids")
    e.close()


def test_what_a_server_said_to_either_way_is_in_the_first_error(server, folder):
    server.refuses = lambda body: (404, dict(detail="Not Found")) if "prompt" in body else (403, dict(error="who are you?"))
    e = ServerEngine(server.url, folder, **FAST)
    with pytest.raises(EngineError, match="403: .*who are you.*before, to token ids: .*404: .*Not Found"): run_async(e.generate(chat()))
    assert e.send is None and [a["route"][4:] for a in server.asked] == ["completions", "chat/completions"]
    e.close()


@pytest.mark.parametrize("owner, send, prefill", [("llamacpp", None, "last"), ("vllm", None, "fields"), ("library", "chat", None),
                                                  ("somebody", None, None), ({}, None, None), (None, None, None)])
def test_whose_server_it_is_says_how_to_ask(server, folder, owner, send, prefill):
    server.models[0]["owned_by"] = owner
    e = ServerEngine(server.url, folder, **FAST)
    assert (e.send, e.prefill) == (send, prefill) and (e.tokenizer is None) == (send == "chat")
    e.close()


def test_a_model_without_a_tokenizer_is_sent_chats(server, tmp_path):
    with pytest.warns(UserWarning, match="is sent chats"): e = ServerEngine(server.url, str(tmp_path), served="gpt", **FAST)
    assert run_async(e.generate(chat()))[0].tokens == 2 and server.asked[0]["route"] == "/v1/chat/completions"
    e.close()
    with pytest.raises(AgentDistillError, match="cannot be loaded"): ServerEngine(server.url, str(tmp_path), served="gpt", send="ids")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_no_proxy_stands_between_us_and_this_machine(server, folder, monkeypatch, name):
    for n in ("http_proxy", "no_proxy", "NO_PROXY"): monkeypatch.delenv(n, raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    for host in "127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0":
        e = ServerEngine(server.url.replace("127.0.0.1", host), folder, **FAST)
        assert ask(e, [chat()])[0][0].tokens == 2
        e.close()


def test_hosts_that_are_here():
    assert all(map(is_here, ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost", "api.localhost", "localhost.", "::", "0.0.0.0")))
    assert not any(map(is_here, ("10.0.0.1", "::2", "example.org", "localhost.example.org", "notlocalhost", "128.0.0.1", "")))


def test_an_ipv6_address(server, folder, monkeypatch):
    monkeypatch.setattr("openai_server.Server.address_family", socket.AF_INET6)
    try: six = Server(name=folder, host="::1").start()
    except OSError: pytest.skip("this machine has no IPv6")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    e = ServerEngine(f"http://[::1]:{six.server_port}/v1", folder, **FAST)
    assert ask(e, [chat()])[0][0].tokens == 2 and e.context == 256
    e.close()
    with pytest.raises(AgentDistillError, match="cannot be had"): free_port("::1", six.server_port)
    six.stop()
    assert free_port("::1") > 0


@pytest.mark.parametrize("url", ["http://::1:8000/v1", "http://[::1/v1", "http://host:99999/v1", "http://host:http/v1", "http://host:0/v1", "http://:80/v1", "http://host/v1?key=a", "http://host/v1#a"])
def test_addresses_that_cannot_be(url, folder):
    with pytest.raises(AgentDistillError, match="no server's address.*IPv6"): ServerEngine(url, folder, **FAST)


@pytest.mark.parametrize("port", [70000, -1, 1 << 40])
def test_ports_that_cannot_be(port):
    with pytest.raises(AgentDistillError, match="cannot be had.*choose another"): free_port(port=port)


@pytest.mark.parametrize("host, near", [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("gpu7", "gpu7")])
def test_where_a_server_of_ours_is_asked(monkeypatch, host, near):
    asked = []
    monkeypatch.setattr(servers, "ModelServer", lambda *a: asked.append(a))
    monkeypatch.setattr(servers, "hardware", lambda: "gpu")
    monkeypatch.setattr(servers, "free_port", lambda host, port: port)
    serve_model("mini-student", host=host, port=9)
    command, url, log, env, wait = asked[0]
    assert url == f"http://{near}:9/v1" and command[command.index("--host") + 1] == host
    assert env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == str(int(host in ("127.0.0.1", "::1")))   # not where others can ask


# how long a server's context is

@pytest.mark.parametrize("models, pages, context", [
    ([dict(id="m", max_model_len=512)], {}, 512),                                        # vLLM, SGLang
    ([dict(id="m", meta=dict(n_ctx=300, n_ctx_train=9000))], {}, 300),                   # llama.cpp
    ([dict(id="m", meta=dict(n_ctx_train=9000))], {"/props": dict(default_generation_settings=dict(n_ctx=400))}, 400),   # an older one
    ([dict(id="m")], {"/info": dict(max_input_tokens=500, max_total_tokens=600)}, 600),  # TGI
    ([dict(id="m", context_length=700), dict(id="x", context_length=64)], {}, 700),      # OpenRouter, Together
    ([dict(id="m", context_window=800), dict(id="x", context_window=64)], {}, 800),      # Groq
    ([dict(id="base", max_model_len=900), dict(id="m", parent="base")], {}, 900),        # an adapter at vLLM
    ([dict(id="m"), dict(id="x", context_window=64)], {}, None), ([dict(id="m", max_model_len="many")], {}, None),
    ([dict(id="m", max_model_len=True)], {"/props": []}, None)])
@pytest.mark.parametrize("served", [None, "m"])
def test_the_context_is_found_where_a_server_says_it(server, folder, models, pages, context, served):
    server.models, server.pages = models, pages
    for m in models: m["id"] = folder if m["id"] == "m" else m["id"]
    e = ServerEngine(server.url, folder, served=served and folder, **FAST)
    assert (e.context, e.served) == (context, folder)
    e.close()


def test_a_server_that_lists_nothing_can_be_used_by_name(server, folder):
    server.models = None
    e = ServerEngine(server.url, folder, served="m", **FAST)
    assert ask(e, [chat()])[0][0].tokens == 2 and e.context is None
    e.close()
    e = ServerEngine(server.url, folder, served="m", context=64, send="chat", **FAST)
    assert e.context == 64
    e.close()


# profiles

def test_the_profile_chooses(server, thinking, folder, monkeypatch):
    e = load_engine(get_profile("colab", engine=server.url), folder)
    assert isinstance(e, ServerEngine) and ask(e, [chat()])[0][0].tokens == 2
    e.close()
    monkeypatch.setattr("agent_distill.servers.find_spec", lambda name: None)
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
