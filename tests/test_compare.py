"Comparing runs: the same questions, what differs, intervals that know of questions and of runs"
import json, random
from dataclasses import replace

import numpy as np
import pytest

from agent_distill import evaluation as ev
from agent_distill.cli import against_text, together_text
from agent_distill.compare import (Answers, accuracy, between, between_rows, between_table, crossed, differing, pooled,
                                   pooled_rows, read_answers, record_answers, recorded_answers, shared, single,
                                   spread_rows)
from agent_distill.evaluation import METHODS
from agent_distill.intervals import Estimate
from agent_distill.profile import AgentDistillError, Artifact, get_profile
from agent_distill.questions import Question
from agent_distill.results import CLAIMS, Claim
from agent_distill.trajectories import Step, Trajectory

MINI = get_profile("mini")
PLAIN, SAG = (next(m for m in METHODS if m.name == n) for n in ("agent-distill", "agent-distill+SAG"))


def answered(folder, right, profile=MINI, seed=0, methods=(PLAIN,), benchmarks=("mini-hotpot", "mini-gsm-hard"), **config):
    "A finished evaluation: the same questions for each method, right where the list says so"
    art = Artifact(folder / "evaluation", profile, seed, **config).start()
    for m in methods:
        for b in benchmarks:
            rows = art.records(f"{m.slug}/{b}.jsonl")
            for i, ok in enumerate(right):
                q = Question(f"{b}-{i}", b, "math" if "gsm" in b else "fact", "?", "12")
                steps = [Step("", "", "", "ok" if ok else "error", tokens=9)]
                rows.append(Trajectory(q, [], steps, "12" if ok else "13").to_row())
    art.finish()
    return folder


def made(values, benchmark="mini-hotpot", **profile):
    "Runs from an array [runs, questions] of what method a is better by"
    prof = get_profile("mini", benchmarks=(benchmark,), **profile)
    def row(xs): return {"right answers": {benchmark: {str(i): x for i, x in enumerate(xs)}}}
    return [Answers(f"seed {k}", prof, k, 0, {}, dict(a=row(xs), b=row([0] * len(xs)))) for k, xs in enumerate(values)]


# what a run answered

def test_answers_are_scored_and_measured(tmp_path):
    run = read_answers(answered(tmp_path, (1, 0, 1), limit=3))
    values = run.values["agent-distill"]
    assert values["right answers"]["mini-gsm-hard"] == {f"mini-gsm-hard-{i}": s for i, s in enumerate((1, 0, 1))}
    assert values["invalid actions"]["mini-hotpot"]["mini-hotpot-1"] == 1
    assert values["grounded answers"]["mini-hotpot"]["mini-hotpot-0"] is False
    assert values["grounded answers"]["mini-gsm-hard"]["mini-gsm-hard-0"] is None, "no fact question"
    assert (run.label, run.profile, run.limit) == (tmp_path.name, MINI, 3) and "6 questions" in repr(run)
    assert accuracy(run, "agent-distill") == pytest.approx(2 / 3)


def test_answers_that_no_scorer_could_judge_are_counted_and_said(tmp_path, monkeypatch):
    from agent_distill.scorers import Verdict, judge
    folders = [answered(tmp_path / n, (1, 0, 1), seed=s) for s, n in enumerate(("one", "two"))]
    def late(q, answer): return Verdict(0.0, "took over 20 s", True) if q.id == "mini-gsm-hard-2" else judge(q, answer)
    monkeypatch.setattr(ev, "judge", late)
    one = read_answers(folders[0])
    assert one.unjudged == {"agent-distill": 1}
    assert one.values["agent-distill"]["right answers"]["mini-gsm-hard"]["mini-gsm-hard-2"] == 0
    monkeypatch.setattr(ev, "judge", judge)
    two = read_answers(folders[1])
    assert two.unjudged == {}
    for said in (between_table(one, two), against_text(one, two)):
        assert said.count("Not judged") == 1 and "counted as wrong: 1 answers of agent-distill in one." in said
    assert "1 answers of agent-distill in seed 0." in together_text([one, two])
    assert "Not judged" not in between_table(two, two)


def test_runs_that_are_not_there(tmp_path):
    with pytest.raises(AgentDistillError, match="there is no run at"): read_answers(tmp_path)
    Artifact(tmp_path / "evaluation", MINI).start().finish()
    with pytest.raises(AgentDistillError, match="nothing to compare"): read_answers(tmp_path)


def test_a_damaged_run_is_refused(tmp_path):
    answered(tmp_path, (1, 0))
    rows = tmp_path / "evaluation" / PLAIN.slug / "mini-hotpot.jsonl"
    rows.write_bytes(rows.read_bytes()[:-5])
    with pytest.raises(AgentDistillError, match="changed or cut short.*mini-hotpot.jsonl"): read_answers(tmp_path)


# one against another

def test_what_differs_is_named(tmp_path):
    one = read_answers(answered(tmp_path / "one", (1, 0)))
    two = read_answers(answered(tmp_path / "two", (1, 0), get_profile("mini", lora_r=8), seed=3, limit=2))
    settings, versions = differing(one, replace(two, versions=two.versions | dict(torch="1")))
    assert {k: v for k, *v in settings} == dict(lora_r=[64, 8], seed=[0, 3], limit=[0, 2])
    assert [k for k, *_ in versions] == ["torch"] and differing(one, one) == ([], [])


def learned(run, rows, limit=0):
    return replace(run, trained={"agent-distill": dict(dataset=f"{rows} rows", rows=rows, train_limit=limit)})


@pytest.mark.parametrize("change, few, judged", [
    (dict(), 12, True),                      # --train-limit is the change
    (dict(teacher="another"), 12, True),     # so is the teacher, who writes the rows
    (dict(sag_n=2), 12, False),              # the change is another one, and the rows differ unnoticed
    (dict(lora_r=8), 12, False),
    (dict(sag_n=2), 300, True),              # the same rows: the usual comparison
], ids=str)
def test_no_verdict_beside_other_training_rows(tmp_path, change, few, judged):
    one = learned(read_answers(answered(tmp_path / "one", [1] * 15 + [0] * 5, methods=(PLAIN, SAG))), 300)
    two = read_answers(answered(tmp_path / "two", [0] * 20, get_profile("mini", **change), methods=(PLAIN, SAG)))
    two = learned(two, few, few % 300)
    for said in (between_table(one, two), against_text(one, two)):
        assert ("no verdict" in said) is not judged
        assert ("Trained on other rows: agent-distill (300 rows in one, 12 in two)" in said) is (few == 12)
        assert ("things differ" in said) is (few == 12 and bool(change)), "a warning where it is more than one"
        if "Trained" in said: assert said.index("Trained") < said.index("wins"), "before the table"
    rows = {m: row for m, *row in between_rows(one, two)[1]}
    assert rows["agent-distill"][-1] == ("lower" if judged else "none") and rows["agent-distill+SAG"][-1] == "lower"


def test_the_evaluation_knows_what_its_students_learned_from(tmp_path):
    (rows := tmp_path / "dataset_agent.jsonl").write_text("{}\n" * 12)
    student = Artifact(tmp_path / "student", MINI).start()
    Artifact(tmp_path / "student" / "agent", MINI, inputs=dict(dataset=rows), train_limit=6).start().finish(rows=12)
    student.finish()
    evaluation = Artifact(tmp_path / "evaluation", MINI, inputs=dict(student=student.folder))
    q = Question("q", "mini-hotpot", "fact", "?", "12")
    shelf = evaluation.start().records("agent-distill/mini-hotpot.jsonl")
    shelf.append(Trajectory(q, [], [], "12").to_row())
    runs = {"agent-distill": {"mini-hotpot": [ev.scored(Trajectory(q, [], [], "12"))]}}
    ev.write_evaluation(evaluation, ev.summarise(runs, MINI, (PLAIN,)), runs)
    run = read_answers(tmp_path)
    assert run.trained["agent-distill"] == run.trained["agent-distill+SAG"] and run.train_limit == 6
    assert run.trained["agent-distill"]["rows"] == 12 and "agent-distill+FTP" not in run.trained
    assert recorded_answers()[0].trained == {}, "answers that were recorded before know nothing of it"


def test_pairs_are_by_question_not_by_place(tmp_path):
    right = [1, 0, 1, 1, 0, 0, 1, 0]
    one = read_answers(answered(tmp_path / "one", right))
    two = read_answers(answered(tmp_path / "two", right))
    for row in two.values.values():
        for ids in row.values():
            for b in ids: ids[b] = dict(random.Random(0).sample(sorted(ids[b].items()), len(ids[b])))
    c = between(one, two, "agent-distill")
    assert (c.diff.value, c.wins, c.losses, c.p) == (0, 0, 0, 1) and c.verdict == "undecided"


def test_a_difference_and_its_direction(tmp_path):
    one = read_answers(answered(tmp_path / "one", [0] * 20), "before")
    two = read_answers(answered(tmp_path / "two", [1] * 15 + [0] * 5), "after")
    c = between(one, two, "agent-distill")
    assert (c.a, c.b, c.diff.value, c.wins, c.losses, c.verdict) == ("after", "before", .75, 30, 0, "higher")
    assert between(two, one, "agent-distill").verdict == "lower"
    assert between(one, two, "agent-distill", measure="invalid actions").diff.value == -.75
    assert between(one, two, "agent-distill", "in domain").diff.n == 20
    assert between(one, two, "agent-distill", measure="tokens").diff.value == 0
    table = between_table(one, two)
    assert "**after** minus **before**" in table and "+75.0 [" in table and "| 30 : 0 |" in table and "left out" not in table


def test_questions_of_one_run_alone_are_counted(tmp_path):
    one = read_answers(answered(tmp_path / "one", (1, 0, 1), methods=(PLAIN, SAG)))
    two = read_answers(answered(tmp_path / "two", (1, 0)))
    assert shared(one, two) == (["agent-distill"], 2) == shared(two, one)
    assert between(one, two, "agent-distill").diff.n == 4 and "2 questions that only one" in between_table(one, two)
    far = read_answers(answered(tmp_path / "far", (1, 0), benchmarks=("mini-musique",)))
    with pytest.raises(AgentDistillError, match="no question in common"): between_table(one, far)


def test_a_measure_that_applies_to_no_question(tmp_path):
    run = read_answers(answered(tmp_path, (1, 0), benchmarks=("mini-gsm-hard",)))
    assert between(run, run, "agent-distill", measure="grounded answers") is None
    assert between(run, run, "agent-distill", "in domain") is None and "| - |" in between_table(run, run)


# many seeds

def test_record_and_read_back(tmp_path):
    runs = [answered(tmp_path / f"{s}", (1, 0), seed=s, methods=(PLAIN, SAG)) for s in (4, 2)]
    record_answers(runs, tmp_path / "kept.json")
    back = recorded_answers(tmp_path / "kept.json")
    assert [(r.label, r.seed, r.profile) for r in back] == [("seed 4", 4, MINI), ("seed 2", 2, MINI)]
    assert back[0].values == read_answers(runs[0]).values and str(tmp_path) not in (tmp_path / "kept.json").read_text()
    for text in ("", "{}", "[1]", '[{"label": "x"}]', json.dumps([{"profile": {"name": "mini"}}])):
        (tmp_path / "kept.json").write_text(text)
        with pytest.raises(AgentDistillError, match="cannot be read"): recorded_answers(tmp_path / "kept.json")


@pytest.mark.parametrize("k, run_sd", [(2, 0.), (2, .3), (5, 0.), (5, .1), (5, .3), (12, .1)])
@pytest.mark.parametrize("benchmarks", [1, 5])
def test_the_interval_knows_of_questions_and_of_runs(k, run_sd, benchmarks):
    "It covers the truth about as often as it says"
    rng, hit = np.random.default_rng(0), 0
    for _ in range(400):
        run = rng.normal(0, run_sd, size=(k, 1))
        e = crossed([run + rng.normal(0, .3, size=(1, 50)) + rng.normal(0, .3, size=(k, 50)) for _ in range(benchmarks)])
        hit += e.low <= 0 <= e.high
    assert hit >= 400 * (.91 if k > 2 else .84), "380 are wanted; two runs are few"


def test_intervals_at_the_edges():
    assert crossed([np.ones((3, 4))]) == Estimate(1, 1, 1, 4)
    same = crossed([np.array([[0., 1, 0, 1, 1]] * 4)])
    one = crossed([np.array([[0., 1, 0, 1, 1]])])
    assert (same.low, same.high) == pytest.approx((one.low, one.high)), "copies of a run know no more than it"


def test_pooled_is_a_mean_of_benchmarks_means():
    one, two = made([[1, 1, 0, 0]])[0], made([[1] * 40], "mini-gsm")[0]
    values = {m: {"right answers": one.values[m]["right answers"] | two.values[m]["right answers"]} for m in "ab"}
    run = Answers("x", get_profile("mini", benchmarks=("mini-hotpot", "mini-gsm")), 0, 0, {}, values)
    assert pooled([run], "a", "b", "in domain").value == .75 == single(Claim("", "a", "b", "in domain"), run)


def test_a_question_without_a_value_in_some_run_is_left_out():
    assert pooled(made([[1, None, 0, 0], [0, 1, 1, 0]]), "a", "b").n == 3
    assert pooled(made([[1, None], [None, 1]]), "a", "b") is None is pooled(made([[1, 0]]), "a", "c")


def test_tables_of_the_recorded_runs():
    runs = recorded_answers()
    assert len(runs) >= 3 and len({r.seed for r in runs}) == len(runs)
    assert all(not {k for k, *_ in differing(runs[0], r)[0]} - {"seed"} for r in runs), "nothing differs but the seed"
    assert all(len(r.values) == len(METHODS) for r in runs)
    assert [row[0] for row in spread_rows(runs)[1]] == [m.name for m in METHODS]
    assert [row[0] for row in pooled_rows(runs)[1]] == [c.text for c in CLAIMS]
    assert pooled_rows([replace(r, values={"agent-distill": r.values["agent-distill"]}) for r in runs])[1] == []
