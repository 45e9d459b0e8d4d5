"""What chapters 06d and 06e say of a teacher's rows, as counts: rules, kinds of prefix, what first thoughts assert.

    python tests/bench/teacher_rows.py FOLDER --about "who taught, on what" [--json FILE]

FOLDER holds plain.jsonl and ftp.jsonl, as `teacher/` of a run does. Writes nbs/recorded/teacher_real.json: no rows,
only values question by question.
"""
import argparse, json
from pathlib import Path

from agent_distill.attempts import PAPER, RULES, broken
from agent_distill.prefixes import claims, kind_facts
from agent_distill.profile import read_jsonl
from agent_distill.trajectories import Trajectory

ROOT = Path(__file__).resolve().parents[2]
PASSES = {"none": "plain", "first thought": "ftp"}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--about", required=True)
    p.add_argument("--json", default=str(ROOT / "nbs" / "recorded" / "teacher_real.json"))
    args = p.parse_args()
    runs = {kind: [Trajectory.from_row(r) for r in read_jsonl(args.folder / f"{name}.jsonl")]
            for kind, name in PASSES.items()}
    asked, kinds, rules, every = [t.question for t in runs["none"]], {}, {}, {}
    for bench in sorted({q.benchmark for q in asked}):
        of = {kind: [t for t in ts if t.question.benchmark == bench] for kind, ts in runs.items()}
        questions = [q for q in asked if q.benchmark == bench]
        kinds[bench] = {kind: kind_facts(ts, questions) for kind, ts in of.items()}
        for kind, ts in of.items():
            kept = [t for t in ts if not broken(t, PAPER)]
            for found, those in ((rules, kept), (every, ts)):
                new = {r: sum(r in broken(t, RULES) for t in those) for r in RULES if r not in PAPER}
                found[f"{bench}, {kind}"] = dict(rows=len(those), **new)
    found = dict(command="python tests/bench/teacher_rows.py FOLDER", about=args.about, kinds=kinds,
                 claims=claims(runs["first thought"]), kept=rules, all=every)
    Path(args.json).write_text(json.dumps(found) + "\n")


if __name__ == "__main__": main()
