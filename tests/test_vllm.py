"""vLLM itself, on the CPU or a GPU: the same greedy text as transformers, adapters, deaths, its server.

Skipped where vLLM is not installed; .ci/vllm.sh installs it. VLLM_LOGGING_LEVEL=INFO shows what it does.
"""
import asyncio, os, shutil, subprocess, sys, time
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from agent_distill.agent import STOP, EngineError, run_agents, run_async, short_prompt
from agent_distill.engines import TransformersEngine
from agent_distill.lab.corpus import Corpus
from agent_distill.profile import Artifact, get_profile
from agent_distill.questions import Question
from agent_distill.servers import ServerEngine, VLLMEngine, adapter_name, adapter_rank, free_port, load_engine

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(not find_spec("vllm"), reason="vLLM is not installed: .ci/vllm.sh")]
PREFIX = "Thought: I should look this up first.\n\n"


def prompts(n):
    "Conversations of every length, as an agent has them, up to a turn of the assistant's"
    corpus, found = Corpus("teacher", seed=7, shares=dict(agent=1.0)), []
    while len(found) < n:
        rows = corpus.draw()
        found += [rows[:i] for i, m in enumerate(rows) if m["role"] == "assistant"]
    return found[:n]


@pytest.fixture(scope="module")
def chats(): return prompts(24)


def ask(engine, chats, **kw):
    async def all_of_them():
        return await asyncio.gather(*[engine.generate(c, seed=i, **{"max_new_tokens": 48, "stop": STOP, **kw})
                                      for i, c in enumerate(chats)], return_exceptions=True)
    return run_async(all_of_them())


def facts(answers): return [[(c.text, c.tokens, c.prompt_tokens, c.finish) for c in cs] for cs in answers]


def same(ours, theirs):
    "Text, counts and ends are equal, log-probabilities nearly"
    assert facts(ours) == facts(theirs)
    for a, b in zip(sum(ours, []), sum(theirs, [])): assert b.logprob == pytest.approx(a.logprob, abs=2e-3)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    "Two LoRA adapters of the mini student that change what it says: rank 64, and one with a larger layer"
    import torch
    from peft import LoraConfig, get_peft_model
    from agent_distill.engines import load_model
    found = {}
    for name, r, more in ("r64", 64, {}), ("r4", 4, {"q_proj": 12}):
        torch.manual_seed(len(found))
        model = get_peft_model(load_model("mini-student")[0], LoraConfig(
            r=r, lora_alpha=2 * r, rank_pattern=more, target_modules="all-linear", init_lora_weights=False))
        for p in model.parameters():
            if p.requires_grad: p.data *= 0.2
        folder = tmp_path_factory.mktemp("adapters") / name
        model.save_pretrained(folder)
        found[name] = str(folder)
    return found


def family(): return psutil.Process().children(recursive=True)
def vllms(): return [p for p in family() if "VLLM" in p.name() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def references(adapters, chats):
    "What transformers says, greedily"
    found = {}
    for name, model, adapter in ("student", "mini-student", None), ("r64", "mini-student", adapters["r64"]), \
            ("r4", "mini-student", adapters["r4"]), ("teacher", "mini-teacher", None):
        e = TransformersEngine(model, adapter)
        found[name] = ask(e, chats), ask(e, chats, prefix=PREFIX)
        e.close()
    return found


def test_in_process(adapters, references, chats):
    "One vLLM for all that it can be asked, since starting it takes the time"
    e = load_engine(get_profile("colab", student="mini-student"), "mini-student", adapters["r64"])
    assert isinstance(e, VLLMEngine) and e.context == 1024 and e.host.options["max_lora_rank"] == 64
    plain, begun = references["r64"]
    assert facts(plain) != facts(references["student"][0])
    same(plain, ask(e, chats))
    same(begun, ask(e, chats, prefix=PREFIX))
    bare, other = e.with_adapter(), e.with_adapter(adapters["r4"])   # on the same process
    same(references["student"][0], ask(bare, chats))
    same(references["student"][1], ask(bare, chats, prefix=PREFIX))
    same(references["r4"][0], ask(other, chats))
    same(plain, ask(e, chats))
    assert len({x.host for x in (e, bare, other)}) == 1
    samples_and_seeds(e, chats)
    limits(e, chats)
    agents(e)
    deaths(e, chats, plain)
    e.close()
    assert not vllms()


def samples_and_seeds(e, chats):
    how = dict(n=8, temperature=0.8, top_p=0.9)
    first, again = ask(e, chats[:4], **how), ask(e, chats[:4], **how)
    assert facts(first) == facts(again) and all(len(cs) == 8 for cs in first)
    assert any(len({c.text for c in cs}) > 1 for cs in first)
    other = run_async(e.generate(chats[0], seed=99, stop=STOP, max_new_tokens=48, **how))
    assert [c.text for c in other] != [c.text for c in first[0]]
    assert all(c.logprob < 0 and 0 < c.tokens <= 48 for cs in first for c in cs)
    greedy, = ask(e, chats[:1], n=3)
    assert len(greedy) == 3 and len({c.text for c in greedy}) == 1
    free, = run_async(e.generate(chats[0], max_new_tokens=48))
    stop = free.text[8:11]
    met, = run_async(e.generate(chats[0], max_new_tokens=48, stop=("never this", stop)))
    assert met.text == free.text[:free.text.index(stop) + 3] and met.finish == "stop" and met.tokens < free.tokens


def limits(e, chats):
    "An over-long prompt harms nobody, and an answer has the room that is left"
    long = [dict(role="user", content="word " * 3000)]
    found = ask(e, [chats[0], long, chats[1]])
    assert isinstance(found[1], EngineError) and "context 1024" in str(found[1])
    assert len(found[0]) == len(found[2]) == 1
    near = [dict(role="user", content="z " * next(n for n in range(1, 2000) if len(e.prompt_ids(
        [dict(role="user", content="z " * n)])) > 1017))]
    c, = run_async(e.generate(near, max_new_tokens=50))
    assert c.prompt_tokens + c.tokens <= 1024


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return "[1] The Silent Harbor: Mara Voss directed The Silent Harbor."


def agents(e):
    "The whole loop gives the same trajectories as with transformers"
    from agent_distill.sandbox import Sandbox
    qs = [Question(f"q{i}", "b", "fact", f"Who directed The Silent {w}?", "x") for i, w in enumerate(
        ("Harbor", "Garden", "Winter", "Letter"))]
    local = TransformersEngine("mini-student", e.adapter)
    with Sandbox(tools=[search]) as box:
        ours, theirs = [run_agents(qs, x, box, max_steps=3, max_new_tokens=64) for x in (local, e)]
    assert [t.messages for t in ours] == [t.messages for t in theirs]
    assert [t.usage for t in ours] == [t.usage for t in theirs]
    local.close()


def deaths(e, chats, want):
    "vLLM's process is killed while it answers: it is started again, and nothing is lost"
    async def go():
        jobs = [asyncio.create_task(e.generate(c, seed=i, max_new_tokens=48, stop=STOP))
                for i, c in enumerate(chats)]
        while not any(j.done() for j in jobs): await asyncio.sleep(0.001)
        for p in vllms(): p.kill()
        return await asyncio.gather(*jobs)
    requests, left = e.stats["requests"], e.host.restarts
    assert left == 2   # nothing has died so far
    same(want, run_async(go()))
    assert e.stats["requests"] == requests + len(chats) and e.host.restarts == left - 1
    e.host.restarts = 0
    for p in vllms(): p.kill()
    found = ask(e, chats[:2])
    assert all(isinstance(f, EngineError) and "died" in str(f) for f in found)


def test_the_teacher_and_a_killed_parent(references, chats, tmp_path):
    "A process of its own, killed without warning at the end: vLLM's processes end as well"
    script = tmp_path / "run.py"
    script.write_text(f"""
import os, pickle, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
if __name__ == "__main__":
    from test_vllm import *
    e = VLLMEngine("mini-teacher")
    chats = prompts({len(chats)})
    found = ask(e, chats), ask(e, chats, prefix=PREFIX)
    pickle.dump((found, [p.pid for p in family()]), open(sys.argv[1] + ".part", "wb"))
    os.replace(sys.argv[1] + ".part", sys.argv[1])
    time.sleep(600)
""")
    out, parent = tmp_path / "out.pickle", None
    try:
        parent = subprocess.Popen([sys.executable, str(script), str(out)])
        end = time.monotonic() + 400
        while not out.exists() and parent.poll() is None and time.monotonic() < end: time.sleep(0.2)
        import pickle
        (plain, begun), pids = pickle.loads(out.read_bytes())
        processes = [psutil.Process(pid) for pid in pids]
        assert any("VLLM" in p.name() for p in processes)
    finally:
        parent.kill()
        parent.wait()
    same(references["teacher"][0], plain)
    same(references["teacher"][1], begun)
    assert not psutil.wait_procs(processes, 20)[1]


def test_serve_model(references, adapters, chats, tmp_path):
    "The command, a real server, every way to ask it, an adapter loaded later, and the command killed"
    run, port = tmp_path / "run", free_port()
    student = Artifact(run / "student" / "agent_ftp", get_profile("mini")).start()
    for f in Path(adapters["r64"]).iterdir(): shutil.copy(f, student.path(f.name))
    student.finish()
    code = "import sys; from agent_distill.cli import main; sys.exit(main(sys.argv[1:]))"
    command = subprocess.Popen([sys.executable, "-c", code, "serve-model", "--port", str(port), "--out", str(run)],
                               stdout=subprocess.PIPE, text=True)
    try:
        line = command.stdout.readline()
        url = line.split()[0]
        assert url == f"http://127.0.0.1:{port}/v1" and adapter_name(run / "student" / "agent_ftp") in line, line
        mine = psutil.Process(command.pid).children(recursive=True)
        over_http(url, run / "student" / "agent_ftp", references, adapters, chats)
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
    assert len(mine) > 2 and not psutil.wait_procs(mine, 40)[1]


def over_http(url, served, references, adapters, chats):
    profile = get_profile("paper", engine=url)
    for name, adapter in ("r64", served), ("r4", adapters["r4"]), ("student", None):
        e = load_engine(profile, "mini-student", adapter)
        plain, begun = references[name]
        same(plain, ask(e, chats))
        same(begun, ask(e, chats, prefix=PREFIX))
        assert e.context == 1024
        if adapter is None: ways(url, e, references["student"], chats)
        e.close()
    assert adapter_rank(adapters["r4"]) == 12


def ways(url, e, want, chats):
    "As text and as messages it is the same prompt; samples and seeds; what is longer than the context is refused"
    for send in "text", "chat":
        other = ServerEngine(url, "mini-student", send=send, prefill="fields", served=e.served)
        for how, reference in zip((dict(), dict(prefix=PREFIX)), want):
            found = ask(other, chats, **how)
            same(reference, found)
        long = [dict(role="user", content="word " * 3000)]
        refused, fine = ask(other, [long, chats[0]])
        assert isinstance(refused, EngineError) and len(fine) == 1
        assert ("context 1024" if send == "text" else "HTTP 400") in str(refused)   # messages are counted there
        other.close()
    how = dict(n=8, temperature=0.8, top_p=0.9)
    first, again = ask(e, chats[:4], **how), ask(e, chats[:4], **how)
    assert facts(first) == facts(again) and all(len(cs) == 8 for cs in first)
    assert any(len({c.text for c in cs}) > 1 for cs in first)
