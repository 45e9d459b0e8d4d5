"The student elsewhere: a chat server on a real socket, and smolagents' CodeAgent"
import http.client, json, os, threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_distill.actions import STOP, render_action
from agent_distill.agent import Completion, EngineError, Scripted, run_async, solve
from agent_distill.prompts import short_prompt
from agent_distill.elsewhere import *
from agent_distill.elsewhere import BadRequest
from agent_distill.engines import TransformersEngine
from agent_distill.profile import AgentDistillError
from agent_distill.questions import Question
from agent_distill.sandbox import Sandbox
from agent_distill.servers import ServerEngine


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return f"[1] {query}: {query} was born in Kelden."


@pytest.fixture(scope="module")
def engine():
    "The real mini student"
    e = TransformersEngine("mini-student")
    yield e
    e.close()


@pytest.fixture(scope="module")
def server(engine):
    with ChatServer(engine) as s: yield s


CHAT = [dict(role="system", content=short_prompt([search])), dict(role="user", content="Where was Ada Voss born?")]


def post(server, body, path="/v1/chat/completions", raw=None):
    "(status, reply)"
    line = http.client.HTTPConnection(server.url.split("/")[2], timeout=60)
    line.request("POST", path, raw if raw is not None else json.dumps(body))
    reply = line.getresponse()
    return reply.status, json.loads(reply.read())


# the wire

def test_the_same_text_as_the_engine_itself(engine, server):
    direct = run_async(engine.generate(CHAT, stop=STOP, max_new_tokens=40))[0]
    status, reply = post(server, dict(messages=CHAT, temperature=0, max_tokens=40, stop=list(STOP), include_stop_str_in_output=True))
    assert status == 200 and reply["choices"][0]["message"] == dict(role="assistant", content=direct.text)
    assert reply["usage"] == dict(prompt_tokens=direct.prompt_tokens, completion_tokens=direct.tokens,
                                  total_tokens=direct.prompt_tokens + direct.tokens)
    assert reply["choices"][0]["finish_reason"] == direct.finish and reply["object"] == "chat.completion"


def test_n_seed_and_an_open_turn(engine, server):
    body = dict(messages=[*CHAT, dict(role="assistant", content="Thought: I need")], n=4, seed=7, temperature=.8, max_tokens=12,
                continue_final_message=True, add_generation_prompt=False)
    direct = run_async(engine.generate(CHAT, n=4, temperature=.8, seed=7, max_new_tokens=12, prefix="Thought: I need"))
    assert [c["message"]["content"] for c in post(server, body)[1]["choices"]] == [c.text for c in direct]


def test_stop_strings_are_cut(server):
    text = post(server, dict(messages=CHAT, temperature=0, max_tokens=40))[1]["choices"][0]["message"]["content"]
    stop = text[3:6]
    assert post(server, dict(messages=CHAT, temperature=0, max_tokens=40, stop=stop))[1]["choices"][0]["message"]["content"] == text[:text.index(stop)]


@pytest.mark.parametrize("change, why", [
    (dict(messages=[]), "messages"), (dict(messages="x"), "messages"), (dict(messages=[1]), "messages"), (dict(n=0), "`n`"),
    (dict(n=True), "`n`"), (dict(n=10**9), "`n`"), (dict(temperature=-1), "`temperature`"), (dict(temperature="hot"), "`temperature`"),
    (dict(top_p=0), "`top_p`"), (dict(max_tokens=1.5), "`max_tokens`"), (dict(max_completion_tokens=0), "`max_tokens`"),
    (dict(stop=[1]), "`stop`"), (dict(stop=["x", ""]), "`stop`"), (dict(stop=["x"] * 17), "`stop`"), (dict(stream=True), "`stream`"), (dict(seed="x"), "`seed`"),
    (dict(messages=[dict(role="root", content="x")]), "roles"), (dict(messages=[dict(role="user", content=[dict(type="image")])]), "text"),
    (dict(messages=[dict(role="user", content="word " * 9000)]), "tokens")])
def test_what_it_cannot_do_it_says(server, change, why):
    status, reply = post(server, {**dict(messages=CHAT, max_tokens=5), **change})
    assert status == 400 and why in reply["error"]["message"]


def test_hostile_bodies(server):
    for raw in b"", b"{", b"[" * 100_000, b"\xff\xfe", b'"x"', b"NaN", b"[]":
        assert post(server, None, raw=raw)[0] == 400
    assert post(server, {}, path="/v1/nothing")[0] == 404
    line = http.client.HTTPConnection(server.url.split("/")[2], timeout=60)
    line.putrequest("POST", "/v1/chat/completions")
    line.putheader("Content-Length", str(10**12))
    line.endheaders()
    assert line.getresponse().status == 413
    assert post(server, dict(messages=CHAT, max_tokens=3))[0] == 200   # and it goes on


def test_requests_share_batches(engine, server):
    engine.wait_s, before = .1, dict(engine.stats)
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: post(server, dict(messages=CHAT, max_tokens=8, temperature=0)), range(16)))
    assert {s for s, _ in replies} == {200} and len({json.dumps(r["choices"]) for _, r in replies}) == 1
    assert engine.stats["batches"] - before["batches"] < 8
    engine.wait_s = .005


def test_it_stops_and_leaves_nothing(engine):
    s = ChatServer(engine)
    s.close()
    with pytest.raises(ConnectionRefusedError): post(s, {})
    assert not [t for t in threading.enumerate() if t is s.thread]


def test_the_openai_client(engine, server):
    openai = pytest.importorskip("openai", reason="the client of that name, which [dev] installs")
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        assert [m.id for m in client.models.list()] == ["student"]
        reply = client.chat.completions.create(model="student", messages=CHAT, temperature=0, max_tokens=40, stop=list(STOP))
        direct = run_async(engine.generate(CHAT, stop=STOP, max_new_tokens=40))[0]
        assert reply.choices[0].message.content == direct.text.replace(STOP[0], "").replace(STOP[1], "")
        with pytest.raises(openai.BadRequestError, match="`n` must be"):
            client.chat.completions.create(model="student", messages=CHAT, n=1000)


def test_null_is_not_given(server):
    "Clients that send every field they know, most of them null"
    nothing = dict.fromkeys(["max_completion_tokens", "n", "seed", "stop", "stream", "top_p", "temperature", "continue_final_message"])
    assert read_request({**nothing, "messages": CHAT, "max_tokens": 100})["max_new_tokens"] == 100
    assert read_request(dict(messages=CHAT, max_tokens=100, max_completion_tokens=7))["max_new_tokens"] == 7
    assert "max_new_tokens" not in read_request({**nothing, "messages": CHAT, "max_tokens": None})
    status, reply = post(server, {**nothing, "messages": CHAT, "max_tokens": 3})
    assert status == 200 and reply["usage"]["completion_tokens"] <= 3


@pytest.mark.parametrize("fault", [ValueError("inner"), RecursionError("inner"), KeyError("inner"), RuntimeError("inner")], ids=repr)
def test_a_fault_of_the_engine_is_told_as_one(fault):
    class Faulty:
        async def generate(self, messages, **kw):
            if messages[-1]["content"] == "boom": raise fault
            return [Completion("hi", 1, 1, 0., "stop")]
    with ChatServer(Faulty()) as s:
        status, reply = post(s, dict(messages=[dict(role="user", content="boom")]))
        assert status == 500 and type(fault).__name__ in reply["error"]["message"] and "inner" in reply["error"]["message"]
        assert "JSON" not in reply["error"]["message"] and reply["error"]["type"] == "server_error"
        assert post(s, dict(messages=[dict(role="user", content="q")]))[0] == 200   # and it goes on


def test_a_wrong_path_names_the_right_ones(server):
    for path in "/chat/completions", "/v1/completions", "/":
        status, reply = post(server, dict(messages=CHAT), path=path)
        assert status == 404 and "/v1/chat/completions" in reply["error"]["message"]


def test_ports_that_cannot_be_had(engine, server):
    for port in 70000, -1, int(server.url.split(":")[2].split("/")[0]):
        with pytest.raises(AgentDistillError, match="cannot be had"): ChatServer(engine, port=port)


def test_our_own_engine_for_servers(engine, server):
    "It finds the name and the context, and what to send"
    e = ServerEngine(server.url, "student", wait_s=.01)
    try:
        assert (e.served, e.context, e.send, e.prefill) == ("student", engine.context, "chat", "fields")
        how = dict(n=2, temperature=.8, seed=5, max_new_tokens=12, prefix="Thought: I")
        assert [c.text for c in run_async(e.generate(CHAT, **how))] == [c.text for c in run_async(engine.generate(CHAT, **how))]
    finally: e.close()
    ids = ServerEngine(server.url, "mini-student", served="student", send="ids", wait_s=.01)
    with pytest.raises(EngineError, match='send="chat"'): run_async(ids.generate(CHAT))
    ids.close()


# smolagents

def test_their_conversation_in_our_words():
    theirs = [dict(role="system", content=[dict(type="text", text="S")]), dict(role="user", content=[dict(type="text", text="New task:\nQ?")]),
              dict(role="assistant", content="A"), dict(role="tool-call", content="Calling tools: ..."),
              dict(role="tool-response", content="Observation:\nExecution logs:\na\nb\nLast output from code snippet:\nNone"),
              dict(role="tool-response", content="Observation:\nExecution logs:\nLast output from code snippet:\n42"),
              dict(role="tool-response", content="Observation:\nExecution logs:\nLast output from code snippet:\nNone"),
              dict(role="tool-response", content="Call id: call_2\nError:\nNo such name\nNow let's retry: take care not to ...\n")]
    assert [m["content"] for m in student_chat(theirs)] == [
        "S", "Q?", "A", "Observation:\na\nb", "Observation:\n42", "Observation:\n(no output)", "Observation:\nError: No such name"]
    assert [m["role"] for m in student_chat(theirs)] == ["system", "user", "assistant", *["user"] * 4]


TURNS = (render_action("I look.", 'print(search("Ada Voss"))'), render_action("I divide.", "1 / 0"), render_action("", "x = 6 * 7\nx"),
         "Thought: done\nCode:\n```py\nfinal_answer('Kelden')\n```\nObservation: Oslo\n```py\nfinal_answer('Oslo')\n```")


def test_code_agent_runs_the_student_s_actions():
    pytest.importorskip("smolagents", reason="the package of that name, which [dev] installs")
    engine = Scripted(*TURNS)
    agent = smol_agent(engine, [search], sampling=dict(max_new_tokens=50))
    assert agent.run("Where was Ada Voss born?") == "Kelden"
    assert [s.token_usage.output_tokens for s in agent.memory.steps[1:]] == [10] * 4
    with Sandbox(tools=[search]) as box: t = run_async(solve(Question("q", "b", "fact", "Where was Ada Voss born?", "x"), Scripted(*TURNS), box))
    ours = [m["content"] for m in t.messages]
    seen = [c["messages"] for c in engine.calls]
    assert [m["content"] for m in seen[1]] == ours[:4]      # what the student read is what it would read in our loop
    assert seen[-1][0]["content"] == short_prompt([search]) and "division by zero" in seen[2][-1]["content"]
    assert seen[3][-1]["content"] == "Observation:\n42" and "Oslo" not in json.dumps(seen)


def test_a_real_student_in_code_agent(engine):
    "The bare mini student, which was never an agent: the loop ends with an answer or at its step limit"
    pytest.importorskip("smolagents", reason="the package of that name, which [dev] installs")
    agent = smol_agent(engine, [search], max_steps=2, sampling=dict(max_new_tokens=40))
    agent.run("Where was Ada Voss born?")
    assert 2 <= len(agent.memory.steps) and engine.stats["completion_tokens"] > 0


def test_the_sandbox_as_their_executor():
    "State, prints, values, errors and answers as `CodeAgent` wants them, from processes of their own"
    smolagents = pytest.importorskip("smolagents", reason="the package of that name, which [dev] installs")
    from smolagents.local_python_executor import PythonExecutor
    here, calls = os.getpid(), []
    def count(word: str, of: str = None) -> int:
        "how often"
        calls.append((word, of, os.getpid()))
        return len(calls)
    turns = [render_action("", c) for c in ("print(count('a'), count('a', of='b'), place)", "x = [1, 2]\nx", "print('half')\n1 / 0",
                                            "import os", "final_answer({'x': x})")]
    engine, executor = Scripted(*turns), smol_executor(imports=["math"])
    agent = smol_agent(engine, [count], executor=executor)
    assert agent.run("?", additional_args=dict(place="here")) == {"x": [1, 2]} and isinstance(executor, PythonExecutor)
    assert calls == [("a", None, here), ("a", "b", here)]   # the same call twice is two calls
    read = [m["content"] for m in engine.calls[-1]["messages"] if m["content"].startswith("Observation")]
    assert read[:2] == ["Observation:\n1 2 here", "Observation:\n[1, 2]"]
    assert "half" in read[2] and "division by zero" in read[3] and "'os' is not available" in read[4]
    assert executor.session.run("x").value == "[1, 2]" and [s.observations for s in agent.memory.steps[3:4]] == ["Execution logs:\nhalf\n"]
    with pytest.raises(AgentDistillError, match="no plain data"): executor.send_variables(dict(bad=object()))
    agent.cleanup()
    assert executor.box is None and executor("1 + 1").output == 2
    executor.cleanup()
