"""What each rule of the teacher's filter does to the mini student.

    agent-distill run                      # once: the teacher's rows, the index, the test questions
    python tests/bench/rules.py [--out nbs/_runs/mini] [--train 50] [--passes ftp] [--seed 0] [--only RULES]

A student a rule: trained on the trajectories of the first `--train` questions of each benchmark that this rule
alone lets pass, with the mini profile; and one on all of them. Each is asked all test questions, greedily.
Rules that let the same rows pass share a student. Finished students and answers are kept beside the run
(`student/rules/`), so that a killed measurement goes on. Writes nbs/recorded/rules.json, which chapter 06d shows;
another seed than 0 adds what its students got right to that file.
"""
import argparse, json, os, platform, time
from pathlib import Path

from agent_distill.attempts import RULES, sift_by
from agent_distill.evaluation import Method, behaviour, engines_of, questions_of, run_method
from agent_distill.profile import Records, get_profile
from agent_distill.prompts import short_prompt
from agent_distill.retrieval import Retriever, search_tool
from agent_distill.sandbox import STANDARD_IMPORTS, Sandbox
from agent_distill.student import encode_rows, student_tokenizer, train_student
from agent_distill.teacher import read_runs, teacher_questions

ROOT = Path(__file__).resolve().parents[2]

ARMS = {"no rule": (), **{r: (r,) for r in ("wrong answer", *RULES)}, "all rules": tuple(RULES)}


def student(profile, rows, folder, seed):
    "The facts of a student's training, of before where there are any"
    facts = folder / "facts.json"
    if not facts.is_file():
        tokenizer = student_tokenizer(profile)
        data = encode_rows(tokenizer, rows, profile.max_length)
        found = train_student(profile, data.rows, tokenizer, folder, profile.max_length, seed)
        facts.write_text(json.dumps(found))
    return json.loads(facts.read_text())


def measure(profile, out, name, trajectories, rules, questions, box, seed):
    "One student: its rows, and its answers question by question"
    rows, _ = sift_by(trajectories, rules, short_prompt(box.tools))
    folder = out / "student" / "rules" / name
    facts = student(profile, rows, folder, seed)
    engine = engines_of(profile, out)("student", f"rules/{name}")
    ts = run_method(Method(name, "student", f"rules/{name}"), questions, engine, box, profile,
                    records=Records(folder / "answers.jsonl"))
    engine.close()
    acts = {k: dict(value=e.value, low=e.low, high=e.high, n=e.n) for k, e in behaviour(ts).items()}
    return dict(rows=len(rows), train_s=facts["train_s"], behaviour=acts,
                right="".join(str(int(t.score == 1)) for t in ts))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default=str(ROOT / "nbs" / "_runs" / "mini"), help="a run with a teacher of mini")
    p.add_argument("--train", type=int, default=50, help="training questions a benchmark")
    p.add_argument("--passes", default="ftp", help="plain, ftp, or both with a comma")
    p.add_argument("--seed", type=int, default=0, help="of the adapter's first values and the order of the rows")
    p.add_argument("--only", default=",".join(ARMS), help="these rules, with commas")
    p.add_argument("--json", default=str(ROOT / "nbs" / "recorded" / "rules.json"))
    args = p.parse_args()
    profile, out, t0 = get_profile("mini"), Path(args.out), time.time()
    asked, questions = teacher_questions(out, profile, args.train), questions_of(out, profile)
    runs, found, known = read_runs(out), [], {}
    with Sandbox(tools=[search_tool(Retriever.load(out / "index"), profile.top_k)], imports=STANDARD_IMPORTS) as box:
        for which in args.passes.split(","):
            by_id = {t.question.id: t for t in runs[which]}
            ts = [by_id[q.id] for q in asked if q.id in by_id]
            for name, rules in ((name, ARMS[name]) for name in args.only.split(",")):
                key = which, *sorted(r["id"] for r in sift_by(ts, rules)[0])
                slug = f"{which}-{name.replace(' ', '-')}" + f"-seed-{args.seed}" * bool(args.seed)
                if key not in known: known[key] = measure(profile, out, slug, ts, rules, questions, box, args.seed)
                same = next((f["rule"] for f in found if f["pass"] == which and f["data"] is known[key]), None)
                found.append({"pass": which, "rule": name, "same": same, "data": known[key]})
                print(which, name, same or "", known[key]["rows"], known[key]["right"].count("1"),
                      f"{time.time() - t0:.0f} s", flush=True)
    path = Path(args.json)
    if args.seed:
        before = json.loads(path.read_text())
        new = [{"rule": f["rule"], "seed": args.seed, "right": f["data"]["right"]} for f in found]
        path.write_text(json.dumps(before | {"other_seeds": before.get("other_seeds", []) + new}) + "\n")
        return
    about = dict(command="python tests/bench/rules.py", profile="mini", model="mini-student, taught by mini-teacher",
                 device=f"CPU, {os.cpu_count()} cores, {platform.machine()}", seed=0, train=len(asked),
                 test=len(questions), benchmarks=[q.benchmark for q in questions],
                 minutes=round((time.time() - t0) / 60), date=time.strftime("%Y-%m-%d"))
    rows = [{k: v for k, v in f.items() if k != "data"} | ({} if f["same"] else f["data"]) for f in found]
    path.write_text(json.dumps(dict(about, students=rows)) + "\n")


if __name__ == "__main__": main()
