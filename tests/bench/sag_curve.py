"""What N buys: accuracy against generated tokens, for fixed N and for adaptive SAG.

    agent-distill run                      # once: the mini student and its questions
    python tests/bench/sag_curve.py [--out runs/mini] [--questions 50] [--seeds 1] [--json FILE]

The agent-distilled student on held-out questions of every benchmark, with the profile's sampling. With
several seeds a question counts with its mean over them; the intervals are over questions.
Finished questions are kept beside the run (`sag_curve/`), so that a killed measurement goes on.
Prints a table and writes nbs/recorded/sag_curve.json, which chapter 4 shows.
"""
import argparse, json, statistics, time
from dataclasses import asdict
from pathlib import Path

from agent_distill.agent import run_agents
from agent_distill.evaluation import engines_of, questions_of
from agent_distill.scorers import score
from agent_distill.intervals import bootstrap_ci, compare, wilson
from agent_distill.profile import Records, get_profile
from agent_distill.retrieval import Retriever, search_tool
from agent_distill.sandbox import STANDARD_IMPORTS, Sandbox

ROOT = Path(__file__).resolve().parents[2]
FIXED = (1, 2, 4, 8, 16)
ADAPTIVE = ((8, 1.0), (8, 0.95), (16, 0.95))   # at most so many, stopped at this confidence
WAVE = 2


def ways():
    "Name -> how to sample"
    found = {f"fixed N = {n}": dict(n=n, wave=0, confidence=1.0) for n in FIXED}
    for n, sure in ADAPTIVE:
        rule = "certain" if sure == 1 else f"{100 * sure:.0f} % sure"
        found[f"adaptive N <= {n}, {rule}"] = dict(n=n, wave=WAVE, confidence=sure)
    return found


def run(how, questions, engine, sandbox, profile, records, seed):
    "All questions in one way, scored; greedy where there is one sample, as in the table of methods"
    sampling = dict(temperature=profile.sag_temperature, top_p=profile.sag_top_p) if how["n"] > 1 else {}
    found = run_agents(questions, engine, sandbox, seed=seed, concurrency=profile.concurrency, records=records,
                       max_steps=profile.max_steps, max_new_tokens=profile.max_new_tokens, **sampling, **how)
    for t in found: t.score = score(t.question, t.answer)
    return found


def by_question(ts, value):
    "The mean of a value over the seeds, one a question"
    found = {}
    for t in ts: found.setdefault(t.question.id, []).append(value(t))
    return [statistics.fmean(found[i]) for i in sorted(found)]


def right(ts): return by_question(ts, lambda t: t.score)
def tokens(ts): return by_question(ts, lambda t: t.usage["completion_tokens"])


def row(name, how, ts):
    "One way's figures"
    steps, scores = [s for t in ts for s in t.steps], right(ts)
    once = all(s in (0, 1) for s in scores)
    return dict(name=name, **how, accuracy=asdict(wilson(sum(scores), len(scores)) if once else bootstrap_ci(scores)),
                tokens=asdict(bootstrap_ci(tokens(ts))),
                samples=sum(len(s.candidates) or 1 for s in steps) / len(steps),
                invalid=sum(s.outcome not in ("ok", "final") for s in steps) / len(steps))


def paired(name, ts, base):
    "Accuracy and tokens against fixed N = 8, same questions"
    c = compare([right(ts)], [right(base)], (name, "fixed N = 8"))
    return dict(name=name, difference=asdict(c.diff), wins=c.wins, losses=c.losses, p=c.p,
                tokens=sum(tokens(ts)) / sum(tokens(base)))


def table(rows):
    def cell(e): return f"{100 * e['value']:.1f} [{100 * e['low']:.1f}, {100 * e['high']:.1f}]"
    lines = [f"{'':34} {'right %':>20} {'tokens':>8} {'samples':>8} {'invalid %':>10}"]
    for r in rows:
        lines.append(f"{r['name']:34} {cell(r['accuracy']):>20} {r['tokens']['value']:8.0f} "
                     f"{r['samples']:8.2f} {100 * r['invalid']:10.1f}")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default=str(ROOT / "runs" / "mini"), help="an evaluated run of the profile")
    p.add_argument("--profile", default="mini")
    p.add_argument("--questions", type=int, default=50, help="of each benchmark")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--json", default=str(ROOT / "nbs" / "recorded" / "sag_curve.json"))
    args = p.parse_args()
    profile, out = get_profile(args.profile), Path(args.out)
    questions = questions_of(out, profile, args.questions)
    engine = engines_of(profile, out)("student", "agent")
    found = {}
    tools = [search_tool(Retriever.load(out / "index"), profile.top_k)]
    with Sandbox(tools=tools, imports=STANDARD_IMPORTS) as sandbox:
        for name, how in ways().items():
            t0, slug = time.time(), "-".join(str(v) for v in how.values())
            for seed in range(args.seeds):
                records = Records(out / "sag_curve" / f"seed-{seed}" / f"{slug}.jsonl")
                found.setdefault(name, []).extend(run(how, questions, engine, sandbox, profile, records, seed))
            print(f"{name}: {time.time() - t0:.0f} s", flush=True)
    engine.close()
    rows = [row(name, how, found[name]) for name, how in ways().items()]
    against = [paired(name, ts, found["fixed N = 8"]) for name, ts in found.items()]
    print(table(rows), *(f"{a['name']:34} against fixed N = 8: {100 * a['difference']['value']:+.1f} points "
          f"[{100 * a['difference']['low']:+.1f}, {100 * a['difference']['high']:+.1f}], p {a['p']:.2f}, "
          f"{a['tokens']:.2f} of its tokens" for a in against), sep="\n")
    about = dict(command="python tests/bench/sag_curve.py", profile=profile.name, questions=len(questions), seeds=args.seeds,
                 date=time.strftime("%Y-%m-%d"), temperature=profile.sag_temperature, top_p=profile.sag_top_p)
    Path(args.json).write_text(json.dumps(dict(about, rows=rows, against=against), indent=1) + "\n")


if __name__ == "__main__": main()
