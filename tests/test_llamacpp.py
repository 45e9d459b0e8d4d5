"llama.cpp itself, with the mini student in a GGUF file: the same greedy text as transformers, samples, prefixes, the agent"
import math
from importlib.util import find_spec

import pytest

from agent_distill.agent import STOP, EngineError, run_agents, run_async
from agent_distill.elsewhere import serve_gguf, write_gguf
from agent_distill.engines import TransformersEngine, load_model
from agent_distill.profile import AgentDistillError
from agent_distill.questions import Question
from agent_distill.sandbox import Sandbox
from agent_distill.servers import ServerEngine
from test_vllm import PREFIX, ask, prompts

pytestmark = pytest.mark.skipif(not (find_spec("gguf") and find_spec("xllamacpp")),
                                reason="gguf or xllamacpp is not installed: pip install gguf xllamacpp")


@pytest.fixture(scope="module")
def chats(): return prompts(24)


@pytest.fixture(scope="module")
def ours():
    e = TransformersEngine("mini-student")
    yield e
    e.close()


@pytest.fixture(scope="module")
def server(ours, tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    write_gguf(folder / "student.gguf", ours.model, ours.tokenizer)
    with serve_gguf(folder / "student.gguf", "mini-student", log=folder / "log") as s: yield s


@pytest.fixture(scope="module")
def theirs(server):
    e = ServerEngine(server.url, "mini-student")
    yield e
    e.close()


def without_stop(text):
    "llama.cpp ends a text before the stop string"
    return text[:min((text.find(s) for s in STOP if s in text), default=len(text))]


def agreeing(ours, theirs):
    "How many answers are the same; those are so in every respect"
    pairs = [(a, b) for (a,), (b,) in zip(ours, theirs, strict=True) if without_stop(a.text) == b.text]
    for a, b in pairs:
        assert (a.prompt_tokens, a.finish) == (b.prompt_tokens, b.finish) and 0 <= a.tokens - b.tokens <= 2
        assert b.logprob == pytest.approx(a.logprob, abs=.02)
    return len(pairs)


def test_it_says_how_long_its_context_is(theirs): assert theirs.context == 1024


def test_the_same_greedy_text(ours, theirs, chats):
    assert agreeing(ask(ours, chats), ask(theirs, chats)) == len(chats)


def test_a_prefix_is_continued(ours, theirs, chats):
    "One that no mini model was trained on, where two tokens may be equally probable"
    assert agreeing(ask(ours, chats, prefix=PREFIX), ask(theirs, chats, prefix=PREFIX)) >= len(chats) - 3


def test_a_prefix_in_a_chat(server):
    "The server renders the chat, goes on with the open turn, and repeats it; we want what is new"
    e, chat = ServerEngine(server.url, "mini-student", send="chat"), [dict(role="user", content="Hello")]
    try:
        (whole,), (rest,) = (run_async(e.generate(chat, prefix=p, max_new_tokens=24)) for p in ("", "Thought: I"))
        assert "Thought: I" not in rest.text and rest.text and rest.prompt_tokens > whole.prompt_tokens
    finally: e.close()


def test_samples_differ_and_belong_to_their_seed(theirs, chats):
    def draw(seed): return [c.text for c in run_async(theirs.generate(chats[0], n=4, temperature=1.5, seed=seed, max_new_tokens=24))]
    first = draw(1)
    assert len(set(first)) == 4 and set(draw(10)).isdisjoint(first)
    assert draw(1)[0] == first[0], "batches may differ, and with them the last bit; the first sample comes alone"


def test_a_sample_is_rated_at_temperature_one(theirs, chats):
    c, = run_async(theirs.generate(chats[0], temperature=1.5, top_p=.5, seed=3, max_new_tokens=24))
    assert -math.inf < c.logprob < 0


def test_a_prompt_that_is_too_long_is_refused_by_both(server, theirs):
    long = [dict(role="user", content="word " * 2000)]
    with pytest.raises(EngineError, match="tokens"): run_async(theirs.generate(long))
    deaf = ServerEngine(server.url, "mini-student", context=1 << 20)
    with pytest.raises(EngineError, match="HTTP 400"): run_async(deaf.generate(long))
    deaf.close()


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return f"[1] {query}: The {query} is 17."


def test_the_agent_takes_the_same_steps(ours, theirs):
    questions = [Question(f"q{i}", "test", "fact", f"What is the {what} of Norvale?", "17")
                 for i, what in enumerate(("population", "area", "age"))]
    with Sandbox([search]) as box:
        one, other = (run_agents(questions, e, box, max_new_tokens=64, max_steps=3) for e in (ours, theirs))
        voted = run_agents(questions, theirs, box, n=4, temperature=.4, top_p=.8, max_new_tokens=64, max_steps=3)
    assert [[s.code for s in t.steps] for t in one] == [[s.code for s in t.steps] for t in other]
    assert all(len(s.candidates) == 4 for t in voted for s in t.steps) and all(t.steps for t in voted)


def test_other_architectures_are_refused(tmp_path):
    model, tokenizer = load_model("mini-student")
    model.config.model_type = "llama"
    with pytest.raises(AgentDistillError, match="no GGUF for a model of type llama"):
        write_gguf(tmp_path / "x.gguf", model, tokenizer)
