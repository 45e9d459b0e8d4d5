"""What the agent loop costs: against the bare engine, against smolagents' CodeAgent, and as it grows.

    agent-distill run                                 # once: the mini student and its questions
    pip install smolagents gguf xllamacpp             # for the second part; its rows are empty without
    python tests/bench/rollouts.py [--engines transformers,vllm,vllm-server,llama.cpp,recorded]
                                   [--parts efficiency,smolagents,growth] [--rounds 3] [--json FILE]

**Efficiency**: 64 questions at once, N = 8: generated tokens a second of the whole loop, over the same
engine given all the same prompts at once. **smolagents**: questions a minute with the same server, model,
tool, questions and greedy decoding, smolagents with 1 to 32 threads, the best one counts. **Growth**: 1 to
256 questions at once, N 1 to 16.

The engines: transformers and vllm in this process, where smolagents calls the same engine; vLLM's and
llama.cpp's servers, where it uses the `openai` client; and `recorded`, a server that repeats what the
student said before, for a model that runs on some other machine and leaves this one to the two loops.
Each gets the adapter merged. Rounds are interleaved, the median is reported, nothing is asserted: the
clock belongs to the machine. Writes nbs/recorded/rollouts.json, which chapter 4 shows.
"""
import argparse, asyncio, json, os, platform, statistics, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from agent_distill.actions import STOP
from agent_distill.agent import Completion, EngineError, read_candidate, run_agents, run_async
from agent_distill.elsewhere import serve_gguf, smol_agent, student_chat, write_gguf
from agent_distill.engines import TransformersEngine, load_model
from agent_distill.evaluation import questions_of
from agent_distill.scorers import score
from agent_distill.profile import get_profile
from agent_distill.retrieval import Retriever, search_tool
from agent_distill.sandbox import STANDARD_IMPORTS, Sandbox
from agent_distill.servers import ModelServer, ServerEngine, VLLMEngine, free_port, serve_model

ROOT = Path(__file__).resolve().parents[2]


class Listening:
    "An engine that keeps what it was asked, and what it answered"
    def __init__(self, engine):
        self.engine, self.calls, self.answers = engine, [], []
        self.max_batch, self.context = getattr(engine, "max_batch", None), engine.context
        self.prompt_ids = engine.prompt_ids

    async def generate(self, messages, **how):
        messages = [dict(m) for m in messages]
        found = await self.engine.generate(messages, **how)
        self.calls.append((messages, how))
        self.answers.append(found[0])
        return found


RECORDED = """
import json, sys
from aiohttp import web
answers = {tuple(k): json.dumps(v).encode() for k, v in json.load(open(sys.argv[1]))}
unheard = json.dumps(dict(error="never asked before")).encode()
async def models(request):
    return web.json_response(dict(data=[dict(id=sys.argv[2], max_model_len=1024)]))
async def complete(request):
    body = answers.get(tuple((await request.json())["prompt"]))
    return web.Response(body=body or unheard, status=200 if body else 404, content_type="application/json")
app = web.Application()
app.add_routes([web.get("/v1/models", models), web.post("/v1/completions", complete)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[3]), print=None, access_log=None)
"""

def serve_recorded(lab, name, folder):
    "A server that says at once what the lab's engine says to all its questions"
    ear = Listening(lab.engine)
    loop(lab, lab.questions, 1, ear)
    def answer(c):
        choice = dict(index=0, text=c.text, finish_reason=c.finish, logprobs=dict(token_logprobs=[c.logprob] * c.tokens))
        return dict(choices=[choice], usage=dict(prompt_tokens=c.prompt_tokens, completion_tokens=c.tokens))
    rows = [(lab.engine.prompt_ids(m), answer(c)) for (m, _), c in zip(ear.calls, ear.answers)]
    (folder / "answers.json").write_text(json.dumps(rows))
    port = free_port()
    command = [sys.executable, "-c", RECORDED, str(folder / "answers.json"), name, str(port)]
    return ModelServer(command, f"http://127.0.0.1:{port}/v1", folder / "recorded.log", wait_s=60)


def merged(profile, adapter, folder):
    "The distilled student as a folder of its own"
    model, tokenizer = load_model(profile.student, adapter)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


@contextmanager
def started(name, out, profile, batch):
    "An engine by its name in the table"
    adapter, student = str(out / "student" / "agent"), profile.student
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = folder / "student"
        model, tokenizer = merged(profile, adapter, path)
        if name == "transformers": engine = TransformersEngine(student, adapter, max_batch=batch)
        elif name == "vllm": engine = VLLMEngine(str(path), max_model_len=1024)
        elif name == "vllm-server":
            server = stack.enter_context(serve_model(str(path), port=0, log=folder / "vllm.log", max_model_len=1024))
            engine = ServerEngine(server.url, str(path))
        elif name == "llama.cpp":
            write_gguf(folder / "student.gguf", model, tokenizer)
            server = stack.enter_context(serve_gguf(folder / "student.gguf", student, slots=32, log=folder / "llama.log"))
            engine = ServerEngine(server.url, student)
        elif name == "recorded":
            said = TransformersEngine(student, adapter, max_batch=batch)
            server = stack.enter_context(serve_recorded(Lab(out, profile, said), student, folder))
            said.close()
            engine = ServerEngine(server.url, student)
        else: raise SystemExit(f"no engine {name}")
        stack.callback(engine.close)
        yield engine


class Lab:
    "An engine, the tool and the questions of a run"
    def __init__(self, out, profile, engine):
        self.profile, self.out, self.engine = profile, out, engine
        self.search = search_tool(Retriever.load(out / "index"), profile.top_k)
        kinds = {}
        for q in questions_of(out, profile): kinds.setdefault(q.benchmark, []).append(q)
        self.questions = [q for group in zip(*kinds.values()) for q in group]   # all kinds in turn

    def fresh(self):
        "Nothing remembered from an earlier round"
        e = self.engine
        if getattr(e, "store", None): e.store.__init__(e.store.max_bytes, e.store.block)
        if isinstance(e, VLLMEngine): e.loop.run(e.host.llm.reset_prefix_cache())
        return Sandbox(tools=[self.search], imports=STANDARD_IMPORTS)

    def asked(self, count):
        "So many questions; where there are fewer, some are asked again under another id"
        have = self.questions
        return [replace(have[i % len(have)], id=f"{have[i % len(have)].id}/{i // len(have)}") for i in range(count)]

    def how(self, n):
        p = self.profile
        sag = dict(temperature=p.sag_temperature, top_p=p.sag_top_p) if n > 1 else {}
        return dict(n=n, max_steps=p.max_steps, max_new_tokens=p.max_new_tokens, **sag)


def loop(lab, questions, n, engine=None, concurrency=None):
    "Seconds, and the trajectories, of the whole agent"
    with lab.fresh() as sandbox:
        t0 = time.perf_counter()
        found = run_agents(questions, engine or lab.engine, sandbox, concurrency=concurrency or len(questions),
                           **lab.how(n))
        return time.perf_counter() - t0, found


def offline(lab, calls):
    "Seconds and tokens of the engine alone, given all requests at once"
    lab.fresh().close()
    async def everything():
        return await asyncio.gather(*(lab.engine.generate(m, **how) for m, how in calls))
    t0 = time.perf_counter()
    found = run_async(everything())
    return time.perf_counter() - t0, sum(c.tokens for cs in found for c in cs)


def tokens_of(ts): return sum(t.usage["completion_tokens"] for t in ts)


def efficiency(lab, rounds, count=64, n=8):
    "The loop over the bare engine, rounds in turn"
    ear, questions, rows = Listening(lab.engine), lab.asked(count), []
    loop(lab, questions[:16], n)   # first uses fill caches
    for _ in range(rounds):
        ear.calls, busy = [], lab.engine.stats.get("busy_s")
        seconds, ts = loop(lab, questions, n, ear)
        busy = lab.engine.stats.get("busy_s") and lab.engine.stats["busy_s"] - busy
        alone, tokens = offline(lab, ear.calls)
        rows.append(dict(loop=tokens_of(ts) / seconds, engine=tokens / alone, decoding=busy and busy / seconds,
                         same=tokens == tokens_of(ts)))
        rows[-1]["ratio"] = rows[-1]["loop"] / rows[-1]["engine"]
    middle = {k: rows[0][k] and statistics.median(r[k] for r in rows) for k in ("loop", "engine", "decoding")}
    return dict(middle, ratio=middle["loop"] / middle["engine"], questions=count, n=n, rounds=rows)


def client_model(engine, limit):
    "A model of smolagents on the openai client, for a server"
    from openai import OpenAI
    from smolagents.models import ChatMessage, MessageRole, Model
    from smolagents.monitoring import TokenUsage
    client = OpenAI(base_url=engine.url, api_key="none", max_retries=0)
    class Client(Model):
        def generate(self, messages, **kwargs):
            ids = engine.prompt_ids(student_chat(messages))
            room = min(limit, engine.context - len(ids))
            if room < 1: raise EngineError("no room for an answer")
            found = client.completions.create(model=engine.served, prompt=ids, max_tokens=room, temperature=0, stop=list(STOP),
                                              extra_body=dict(top_k=-1, min_p=0.0))
            text, used = found.choices[0].text, found.usage
            said = Completion(text, used.completion_tokens, used.prompt_tokens, 0.0, "stop")
            return ChatMessage(role=MessageRole.ASSISTANT, content=read_candidate(said).text,
                               token_usage=TokenUsage(used.prompt_tokens, used.completion_tokens))
    return Client(model_id=engine.served)


def smol(lab, questions, threads):
    "Seconds and right answers of smolagents' CodeAgent on so many threads, which share one model"
    limit = lab.profile.max_new_tokens
    model = client_model(lab.engine, limit) if isinstance(lab.engine, ServerEngine) else lab.engine
    def one(q):
        agent = smol_agent(model, [lab.search], max_steps=lab.profile.max_steps, verbosity_level=-1,
                           sampling=dict(temperature=0.0, max_new_tokens=limit))
        try: return score(q, agent.run(q.question))
        except Exception: return 0.0   # whatever ends it is a wrong answer
    lab.fresh().close()
    t0 = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool: right = sum(pool.map(one, questions))
    return time.perf_counter() - t0, right


def against_smolagents(lab, rounds, count=64, threads=(1, 4, 8, 16, 32)):
    "Questions a minute of both, rounds in turn; None where smolagents is not installed"
    try: import smolagents
    except ImportError: return None
    questions, ours, theirs = lab.asked(count), [], {k: [] for k in threads}
    loop(lab, questions, 1), smol(lab, questions, 8)   # first uses fill caches and open connections
    def note(rows, seconds, right): rows.append((60 * len(questions) / seconds, right))
    for _ in range(rounds):
        seconds, ts = loop(lab, questions, 1)
        note(ours, seconds, sum(score(t.question, t.answer) for t in ts))
        for k in threads: note(theirs[k], *smol(lab, questions, k))
    middle = {k: statistics.median(v for v, _ in rows) for k, rows in theirs.items()}
    best, here = max(middle, key=middle.get), statistics.median(v for v, _ in ours)
    return dict(ours=here, theirs=middle[best], threads=best, ratio=here / middle[best], by_threads=middle,
                right=dict(ours=ours[-1][1], theirs=theirs[best][-1][1]), version=smolagents.__version__, questions=count)


def growth(lab, rounds, most=256, count=64):
    "Tokens and questions a minute by questions at once (N = 1) and by N"
    def point(x, questions, n, concurrency):
        got = []
        for _ in range(rounds):
            seconds, ts = loop(lab, questions, n, concurrency=concurrency)
            got.append((tokens_of(ts) / seconds, 60 * len(ts) / seconds))
        return dict(x=x, tokens_s=statistics.median(a for a, _ in got),
                    questions_min=statistics.median(b for _, b in got))
    sizes = [1 << k for k in range(most.bit_length())]
    return dict(concurrency=[point(c, lab.asked(max(16, c)), 1, c) for c in sizes],
                n=[point(n, lab.asked(count), n, count) for n in (1, 2, 4, 8, 16)])


def table(found):
    "What the chapter shows, as markdown: a column for each engine"
    names, m = list(found["engines"]), found["machine"]
    def row(title, part, say):
        cells = [say(e[part]) if e.get(part) else "" for e in found["engines"].values()]
        return f"| {title} | {' | '.join(cells)} |"
    first = next((e["efficiency"] for e in found["engines"].values() if e.get("efficiency")), dict(questions=64, n=8))
    rows = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|",
        row(f"the whole loop, {first['questions']} questions at once, N = {first['n']}: tokens/s", "efficiency", lambda e: f"{e['loop']:,.0f}"),
        row("the same prompts, the engine alone: tokens/s", "efficiency", lambda e: f"{e['engine']:,.0f}"),
        row("**harness efficiency** (wanted: 0.85); its rounds", "efficiency", lambda e: f"**{e['ratio']:.2f}** (" +
            ", ".join(f"{r['ratio']:.2f}" for r in e["rounds"]) + ")"),
        row("share of the loop's time in which the engine decodes", "efficiency", lambda e: f"{e['decoding']:.2f}" if e["decoding"] else ""),
        row("our loop, N = 1: questions a minute", "smolagents", lambda s: f"{s['ours']:,.0f}"),
        row("smolagents' CodeAgent, its best number of threads", "smolagents", lambda s: f"{s['theirs']:,.0f} ({s['threads']})"),
        row("smolagents, one thread", "smolagents", lambda s: f"{s['by_threads'][min(s['by_threads'], key=int)]:,.0f}"),
        row("**ours over smolagents' best** (wanted: 4)", "smolagents", lambda s: f"**{s['ratio']:.1f}**"),
        row("right answers, ours and theirs", "smolagents", lambda s: f"{s['right']['ours']:.0f}, {s['right']['theirs']:.0f} of {s['questions']}")]
    return "\n".join([f"*recorded*, mini student on {m['cpus']} CPUs, {m['date']}, load before {m['load']:.1f}", "", *rows])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default=str(ROOT / "runs" / "mini"), help="an evaluated mini run")
    p.add_argument("--engines", default="transformers", help="several, by commas: those that are named are measured anew")
    p.add_argument("--parts", default="efficiency,smolagents,growth", help="growth: of transformers; efficiency: in process")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch", type=int, default=64, help="samples that transformers decodes together")
    p.add_argument("--questions", type=int, default=64, help="at once, in the first two parts")
    p.add_argument("--json", default=str(ROOT / "nbs" / "recorded" / "rollouts.json"))
    args = p.parse_args()
    machine = dict(cpus=os.cpu_count(), python=platform.python_version(), load=os.getloadavg()[0],
                   threads=os.environ.get("OMP_NUM_THREADS", "all"), batch=args.batch, date=time.strftime("%Y-%m-%d"))
    path, out, profile = Path(args.json), Path(args.out), get_profile("mini")
    found = json.loads(path.read_text()) if path.exists() else {}
    found |= dict(command="python tests/bench/rollouts.py", machine=machine, questions=args.questions)
    engines, parts = found.setdefault("engines", {}), args.parts.split(",")
    for name in args.engines.split(","):
        with started(name, out, profile, args.batch) as engine:
            lab, row = Lab(out, profile, engine), engines.setdefault(name, {})
            if "efficiency" in parts and not isinstance(engine, ServerEngine): row["efficiency"] = efficiency(lab, args.rounds, args.questions)
            if "smolagents" in parts: row["smolagents"] = against_smolagents(lab, args.rounds, args.questions)
            if "growth" in parts and name == "transformers": found["growth"] = growth(lab, max(1, args.rounds // 2), count=args.questions)
            print(name, json.dumps(row, indent=1), flush=True)
    found["table"] = table(found)
    print(found["table"])
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__": main()
