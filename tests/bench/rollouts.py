"""What the agent loop costs: against the bare engine, against smolagents' CodeAgent, and as it grows.

    agent-distill run                                 # once: the mini student and its questions
    pip install smolagents                            # for the second part; its row is empty without
    python tests/bench/rollouts.py [--parts efficiency,smolagents,growth] [--rounds 3] [--json FILE]

**Efficiency**: 64 questions at once, N = 8: generated tokens a second of the whole loop, over the same
engine given all the same prompts at once. **smolagents**: questions a minute with the same engine,
tool, questions and greedy decoding, smolagents with 1 to 32 threads, the best one counts; and the same
with a model that takes no time (it repeats what it said before), which is what each harness can do by
itself. **Growth**: 1 to 256 questions at once, N 1 to 16. Rounds are interleaved, the median is reported, nothing is
asserted: the clock belongs to the machine. Writes nbs/recorded/rollouts.json, which chapter 4 shows.
"""
import argparse, asyncio, json, os, platform, statistics, time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from agent_distill.agent import run_agents, run_async
from agent_distill.engines import load_engine
from agent_distill.evaluation import questions_of, score
from agent_distill.profile import get_profile
from agent_distill.retrieval import Retriever, search_tool
from agent_distill.sandbox import STANDARD_IMPORTS, Sandbox

ROOT = Path(__file__).resolve().parents[2]


class Listening:
    "An engine that keeps what it was asked, and for how long its thread was at work"
    def __init__(self, engine):
        self.engine, self.calls = engine, []
        self.max_batch, self.context, self.prompt_ids = engine.max_batch, engine.context, engine.prompt_ids

    async def generate(self, messages, **how):
        self.calls.append(([dict(m) for m in messages], how))
        return await self.engine.generate(messages, **how)


class Echo:
    "Says at once what the model said to the same conversation before"
    def __init__(self, engine):
        self.engine, self.said, self.asked, self.new = engine, {}, 0, 0
        self.max_batch, self.context, self.name = 1 << 20, None, "echo"

    async def generate(self, messages, **how):
        key = json.dumps(messages)
        self.asked += 1
        if key not in self.said:
            self.new += 1
            self.said[key] = await self.engine.generate(messages, **how)
        return self.said[key]


class Lab:
    "The engine, the tool and the questions of a run"
    def __init__(self, out, profile, batch):
        self.profile, self.out = profile, out
        self.engine = load_engine(profile, profile.student, adapter=str(out / "student" / "agent"), max_batch=batch)
        self.search = search_tool(Retriever.load(out / "index"), profile.top_k)
        kinds = {}
        for q in questions_of(out, profile): kinds.setdefault(q.benchmark, []).append(q)
        self.questions = [q for group in zip(*kinds.values()) for q in group]   # all kinds in turn

    def fresh(self):
        "Nothing remembered from an earlier round"
        if self.engine.store: self.engine.store.__init__(self.engine.store.max_bytes, self.engine.store.block)
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
        ear.calls, busy = [], lab.engine.stats["busy_s"]
        seconds, ts = loop(lab, questions, n, ear)
        busy = lab.engine.stats["busy_s"] - busy
        alone, tokens = offline(lab, ear.calls)
        rows.append(dict(loop=tokens_of(ts) / seconds, engine=tokens / alone, decoding=busy / seconds,
                         same=tokens == tokens_of(ts)))
        rows[-1]["ratio"] = rows[-1]["loop"] / rows[-1]["engine"]
    middle = {k: statistics.median(r[k] for r in rows) for k in ("loop", "engine", "decoding", "ratio")}
    return dict(middle, questions=count, n=n, rounds=rows)


def smol(lab, questions, threads, engine=None):
    "Seconds and right answers of smolagents' CodeAgent on so many threads"
    from agent_distill.elsewhere import smol_agent
    def one(q):
        agent = smol_agent(engine or lab.engine, [lab.search], max_steps=lab.profile.max_steps,
                           sampling=dict(temperature=0.0, max_new_tokens=lab.profile.max_new_tokens))
        try: return score(q, agent.run(q.question))
        except Exception: return 0.0   # whatever ends it is a wrong answer
    lab.fresh().close()
    t0 = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool: right = sum(pool.map(one, questions))
    return time.perf_counter() - t0, right


def against_smolagents(lab, rounds, count=64, threads=(1, 4, 8, 16, 32)):
    "With the model, and with one that takes no time; None where smolagents is not installed"
    try: import smolagents
    except ImportError: return None
    questions, echo = lab.asked(count), Echo(lab.engine)
    loop(lab, questions, 1, echo), smol(lab, questions, 8, echo)   # first uses fill caches, and the echo
    learned = echo.new
    with_model = race(lab, questions, rounds, threads)
    without = race(lab, questions, rounds, threads, echo)
    return dict(with_model, version=smolagents.__version__, questions=count, echo=without,
                unheard=(echo.new - learned) / max(1, echo.asked))


def race(lab, questions, rounds, threads, engine=None):
    "Questions a minute of both, rounds in turn"
    ours, theirs = [], {k: [] for k in threads}
    def note(rows, seconds, right): rows.append((60 * len(questions) / seconds, right))
    for _ in range(rounds):
        seconds, ts = loop(lab, questions, 1, engine)
        note(ours, seconds, sum(score(t.question, t.answer) for t in ts))
        for k in threads: note(theirs[k], *smol(lab, questions, k, engine))
    middle = {k: statistics.median(v for v, _ in rows) for k, rows in theirs.items()}
    best, here = max(middle, key=middle.get), statistics.median(v for v, _ in ours)
    return dict(ours=here, theirs=middle[best], threads=best, ratio=here / middle[best], by_threads=middle,
                right=dict(ours=ours[-1][1], theirs=theirs[best][-1][1]))


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
    "What the chapter shows, as markdown"
    e, s = found.get("efficiency"), found.get("smolagents")
    rows = ["| measure | value | wanted |", "|---|---|---|"]
    if e: rows += [
        f"| the whole loop, {e['questions']} questions at once, N = {e['n']} | {e['loop']:,.0f} tokens/s | |",
        f"| the same prompts, the engine alone | {e['engine']:,.0f} tokens/s | |",
        f"| harness efficiency | {e['ratio']:.2f} | ≥ 0.85 |",
        f"| share of the loop's time in which the engine decodes | {e['decoding']:.2f} | |"]
    if s: rows += [
        f"| our loop, N = 1 | {s['ours']:,.0f} questions/min, {s['right']['ours']:.0f} of {s['questions']} right | |",
        f"| smolagents {s['version']}, best of 1 to 32 threads ({s['threads']}) | {s['theirs']:,.0f} questions/min, "
        f"{s['right']['theirs']:.0f} of {s['questions']} right | |",
        f"| smolagents, one thread | {min(s['by_threads'].items(), key=lambda kv: int(kv[0]))[1]:,.0f} questions/min | |",
        f"| ratio of ours to smolagents' best | {s['ratio']:.1f} | ≥ 4 |",
        f"| the same with a model that takes no time | {s['echo']['ours']:,.0f} against {s['echo']['theirs']:,.0f} questions/min "
        f"({s['echo']['threads']} threads): {s['echo']['ratio']:.1f} | |"]
    m = found["machine"]
    return "\n".join([f"*recorded*, mini student on {m['cpus']} CPUs, {m['date']}, load before {m['load']:.1f}", "", *rows])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default=str(ROOT / "nbs" / "_runs" / "mini"), help="an evaluated mini run")
    p.add_argument("--parts", default="efficiency,smolagents,growth")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch", type=int, default=64, help="samples that the engine decodes together")
    p.add_argument("--questions", type=int, default=64, help="at once, in the first two parts")
    p.add_argument("--json", default=str(ROOT / "nbs" / "recorded" / "rollouts.json"))
    args = p.parse_args()
    machine = dict(cpus=os.cpu_count(), python=platform.python_version(), load=os.getloadavg()[0],
                   threads=os.environ.get("OMP_NUM_THREADS", "all"), batch=args.batch, date=time.strftime("%Y-%m-%d"))
    lab, path = Lab(Path(args.out), get_profile("mini"), args.batch), Path(args.json)
    found = json.loads(path.read_text()) if path.exists() else {}
    found |= dict(command="python tests/bench/rollouts.py", machine=machine, questions=args.questions)
    parts = dict(efficiency=lambda: efficiency(lab, args.rounds, args.questions),
                 smolagents=lambda: against_smolagents(lab, args.rounds, args.questions),
                 growth=lambda: growth(lab, max(1, args.rounds // 2), count=args.questions))
    for name in args.parts.split(","):
        found[name] = parts[name]()
        print(name, json.dumps(found[name], indent=1), flush=True)
    lab.engine.close()
    found["table"] = table(found)
    print(found["table"])
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__": main()
