"Statistics, the run with resume, results and plots, also of runs in which nothing was right"
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from agent_distill import evaluation as ev
from agent_distill.agent import Completion, EngineError, Step, Trajectory
from agent_distill.evaluation import (METHODS, Method, Results, em, evaluate, f1, grounded, invalid_rate, math_equal,
                                      run_method, score, summarise, write_evaluation)
from agent_distill.intervals import Estimate, bootstrap_ci, compare, mcnemar, share_ci, wilson
from agent_distill.profile import AgentDistillError, Artifact, Records, get_profile
from agent_distill.questions import Question

PROFILE = get_profile("mini")


def fact(answer, *aliases): return Question("q", "b", "fact", "?", answer, aliases)


# Statistics

def test_wilson_against_a_known_table():
    # Newcombe 1998, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for k, n, low, high in ((81, 263, .2553, .3662), (15, 148, .0624, .1605), (0, 20, 0, .1611), (1, 29, .0061, .1718)):
        e = wilson(k, n)
        assert (round(e.low, 4), round(e.high, 4)) == (low, high)
    with pytest.raises(AgentDistillError): wilson(0, 0)


def test_bootstrap_is_seeded_and_stratified():
    xs = [0.1, 1.7, 1.2, 0.4, 5.1, 2.2, 1.9, 0.3]
    assert bootstrap_ci(xs, seed=1) == bootstrap_ci(xs, seed=1) != bootstrap_ci(xs, seed=2)
    e = bootstrap_ci([1.0] * 90, [0.0] * 10)
    assert (e.value, e.low, e.high, e.n) == (0.5, 0.5, 0.5, 100)
    assert share_ci([0.0] * 50, [0.0] * 50) == wilson(0, 100) and share_ci([1.0] * 9) == wilson(9, 9)
    assert share_ci(xs := [0.0, 1.0, 0.5], seed=1) == bootstrap_ci(xs, seed=1)
    with pytest.raises(AgentDistillError): bootstrap_ci([])


def test_mcnemar_against_the_binomial():
    # scipy.stats.binomtest(wins, wins + losses).pvalue
    for wins, losses, p in ((8, 1, 0.0390625), (5, 4, 1), (0, 6, 0.03125), (3, 3, 1), (40, 20, 0.013489294)):
        assert mcnemar(wins, losses) == pytest.approx(p, rel=1e-6)


def test_a_verdict_needs_interval_and_test():
    assert compare([[1] * 5], [[0] * 5]).verdict == "undecided"  # 5 of 5, but p = 0.06
    assert compare([[1] * 9], [[0] * 9]).verdict == "higher"
    assert compare([[0] * 9], [[1] * 9]).verdict == "lower"
    with pytest.raises(AgentDistillError, match="same questions"): compare([[1]], [[1, 0]])


# What the agent did

def trajectory(q, answer="A", outcomes=("ok", "final"), observation="[1] X: A b.", code="print(search('x'))", tokens=10):
    steps = [Step("", code if o != "final" else f"final_answer({answer!r})", observation if o != "final" else "",
                  o, [], tokens) for o in outcomes]
    usage = dict(prompt_tokens=5, completion_tokens=tokens * len(steps), requests=1, searches=1)
    return Trajectory(q, [], steps, answer, score(q, answer), "", usage, 0, "final")


def test_groundedness():
    q = fact("A")
    assert grounded(trajectory(q, "Ada Lee", observation="[1] X: Ada Lee wrote it.")) is True
    assert grounded(trajectory(q, "Ada Lee", observation="{'by': 'Ada Lee'}")) is True
    assert grounded(trajectory(q, "Ada Lee", observation="Ada Lee", code='print("Ada Lee")')) is False
    assert grounded(trajectory(q, "Ada Lee", code='print(search("Ada Lee"))', observation="[1] X: Ada Lee was born.")) is True
    assert grounded(trajectory(q, "Ada", observation="[1] X: Adam")) is False
    assert grounded(trajectory(q, None)) is None
    assert grounded(trajectory(Question("q", "b", "math", "?", "1"), "1")) is None


def test_invalid_actions_taken_and_sampled():
    q = fact("A")
    assert invalid_rate([trajectory(q, outcomes=("error", "parse_error", "ok", "final"))]).value == 0.5
    sag = trajectory(q, outcomes=("final",))
    sag.steps[0].candidates = [dict(outcome="final"), dict(outcome="error")]
    assert invalid_rate([sag]).value == 0 and invalid_rate([sag], sampled=True).value == 0.5
    assert invalid_rate([trajectory(q, outcomes=())]) is None


# The run

class Script:
    "An engine that answers each question with its own words; counts what it was asked"
    def __init__(self, fail=()): self.asked, self.fail = Counter(), set(fail)
    async def generate(self, messages, n=1, **kw):
        q = messages[1]["content"]
        self.asked[q] += 1
        if q in self.fail: raise EngineError("too long")
        return [Completion(f"Well.\n\nThe answer is {q}.", 3, 4, -0.1, "stop") for _ in range(n)]


def questions(n=4, benchmarks=("mini-hotpot", "mini-2wiki")):
    return [Question(f"{b}-{i}", b, "fact", f"{b} {i}", f"{b} {i}" if i % 2 else "else") for b in benchmarks for i in range(n)]


COT = tuple(m for m in METHODS if m.kind == "cot")


def test_evaluate_resumes_and_does_not_load_an_engine_for_nothing(tmp_path):
    def files(slug, bench): return Records(tmp_path / slug / f"{bench}.jsonl")
    qs, first = questions(), Script()
    half = evaluate(PROFILE, qs[:2], lambda *a: first, None, files, COT)
    second = Script()
    runs = evaluate(PROFILE, qs, lambda *a: second, None, files, COT)
    assert sum(second.asked.values()) == 6 and not set(first.asked) & set(second.asked)
    assert [t.score for t in runs["cot-distill"]["mini-hotpot"]] == [0, 1, 0, 1]
    def never(*a): raise AssertionError("nothing was left to ask")
    again = evaluate(PROFILE, qs, never, None, files, COT)
    assert again == runs and half["cot-distill"]["mini-hotpot"] == runs["cot-distill"]["mini-hotpot"][:2]
    written = [json.loads(row) for row in (tmp_path / "cot-distill/mini-hotpot.jsonl").read_text().splitlines()]
    assert {row["id"]: row["score"] for row in written} == {f"mini-hotpot-{i}": i % 2 for i in range(4)}


def test_an_answer_is_judged_once_and_a_recorded_one_again(tmp_path, monkeypatch):
    judged, judge = Counter(), ev.judge
    def counted(q, answer): judged[q.id] += 1; return judge(q, answer)
    monkeypatch.setattr(ev, "judge", counted)
    def run(n): return evaluate(PROFILE, questions(n), lambda *a: Script(), None,
                                lambda slug, b: Records(tmp_path / slug / f"{b}.jsonl"), COT)
    run(2)
    assert judged == {q.id: 1 for q in questions(2)}
    judged.clear()
    runs = run(4)
    assert judged == {q.id: 1 for q in questions(4)}, "two old and two new answers of each benchmark"
    assert [t.score for t in runs["cot-distill"]["mini-2wiki"]] == [0, 1, 0, 1]
    judged.clear()
    evaluate(PROFILE, questions(2), lambda *a: Script(), None, methods=COT)
    assert judged == {q.id: 1 for q in questions(2)}, "without records too"


def test_one_failed_question_is_wrong_and_all_failed_is_an_error():
    qs = questions(2, ("mini-hotpot",))
    ts = run_method(COT[0], qs, Script(fail=["mini-hotpot 1"]), None, PROFILE)
    assert [(t.score, t.stop) for t in ts] == [(0, "final"), (0, "error")]
    everything = Script(fail=[q.question for q in qs])
    with pytest.raises(AgentDistillError, match="all 2 questions failed.*too long"):
        evaluate(PROFILE, qs, lambda *a: everything, None, methods=COT)


def test_a_scorer_that_fails_costs_one_question_and_a_rerun_scores_again(tmp_path, monkeypatch):
    from agent_distill import scorers
    from agent_distill.scorers import Verdict
    qs, judged = questions(2, ("mini-hotpot",)), scorers.judge
    def files(slug, bench): return Records(tmp_path / slug / f"{bench}.jsonl")
    def run(): return evaluate(PROFILE, qs, lambda *a: Script(), None, files, COT)
    def late(q, answer): return Verdict(0.0, "took over 20 s", True) if q.id.endswith("1") else judged(q, answer)
    monkeypatch.setattr(ev, "judge", late)
    runs = run()
    ts = runs["cot-distill"]["mini-hotpot"]
    assert [(t.score, t.meta.get("not judged")) for t in ts] == [(0, None), (0, "took over 20 s")]
    results = summarise(runs, PROFILE)
    assert results.behaviour["cot-distill"]["not judged"].value == 0.5
    assert "Not judged, and counted as wrong: 1 answers of cot-distill." in results.table()
    monkeypatch.setattr(ev, "judge", judged)
    again = run()["cot-distill"]["mini-hotpot"]
    assert [(t.score, t.meta.get("not judged")) for t in again] == [(0, None), (1, None)]
    assert "Not judged" not in summarise(run(), PROFILE).table()


def test_a_scorer_that_fails_always_is_an_error(monkeypatch):
    from agent_distill.scorers import Verdict
    monkeypatch.setattr(ev, "judge", lambda q, answer: Verdict(0.0, "no math-verify", True))
    with pytest.raises(AgentDistillError, match="none of 2 answers could be judged.*no math-verify"):
        evaluate(PROFILE, questions(2, ("mini-hotpot",)), lambda *a: Script(), None, methods=COT)


def test_missing_doubled_and_foreign_trajectories():
    qs = questions(3, ("b",))
    ts = [trajectory(q) for q in qs]
    assert ev.missing(qs, ts) == 0 and ev.missing(qs, ts[:1], allow=True) == 2
    with pytest.raises(AgentDistillError, match="2 of 3 questions have no trajectory"): ev.missing(qs, ts[:1])
    with pytest.raises(AgentDistillError, match="doubled"): ev.missing(qs, ts + ts[:1])
    with pytest.raises(AgentDistillError, match="never asked"): ev.missing(qs[:2], ts)


def test_one_engine_at_a_time():
    loads = []
    def engine(model, adapter):
        loads.append((model, adapter))
        return Script()
    methods = [Method("a", "student", "x", "cot"), Method("b", "teacher", "", "cot"), Method("c", "student", "x", "cot")]
    runs = evaluate(PROFILE, questions(1), engine, None, methods=methods)
    assert list(runs) == ["a", "b", "c"] and loads == [("student", "x"), ("teacher", "")]


# What another evaluation has recorded

def recorded(folder, profile, seed=0):
    "A finished evaluation with an answer of each method on each benchmark"
    art = Artifact(folder, profile, seed).start()
    for m in ev.asked_methods(profile):
        for b in profile.benchmarks:
            art.records(f"{m.slug}/{b}.jsonl").append(dict(id=f"{b}-0", seed=ev.derive_seed(seed, f"{b}-0"), by=m.name))
    art.finish()
    return art


GREEDY, N = {m.name for m in METHODS if not m.sag}, {2: "agent-distill N2", 4: "agent-distill N4", 8: "agent-distill N8"}


@pytest.mark.parametrize("change, taken", [
    (dict(), GREEDY | {"agent-distill+SAG", "agent-distill+FTP+SAG", N[2], N[4]}),
    (dict(in_domain=("mini-hotpot",)), GREEDY | {"agent-distill+SAG", "agent-distill+FTP+SAG", N[2], N[4]}),
    (dict(sag_n=3), GREEDY | {N[2], N[4]}), (dict(sag_n=4), GREEDY | {N[2]}),
    (dict(sag_temperature=.9), GREEDY), (dict(sag_top_p=.5), GREEDY), (dict(sag_n=1), GREEDY | {N[2], N[4]})])
def test_answers_that_a_change_of_sag_cannot_have_touched(tmp_path, change, taken):
    "The row of N = 8 is SAG's at the shipped sag_n: it cannot be taken for the sweep's of another one"
    found = recorded(tmp_path / "one" / "evaluation", PROFILE)
    assert {m.name for m in ev.untouched(found, get_profile("mini", **change))} == taken


def test_a_method_is_taken_whole_and_with_todays_seeds_only(tmp_path):
    found = recorded(tmp_path / "evaluation", PROFILE)
    found.path("cot-distill/mini-gsm.jsonl").unlink()
    path = found.path("agent-distill/mini-hotpot.jsonl")
    path.write_text(path.read_text().replace('"seed": ', '"seed": 1'))
    assert GREEDY - {m.name for m in ev.untouched(found, get_profile("mini,sag_n=2"))} == {"cot-distill", "agent-distill"}
    other = recorded(tmp_path / "other" / "evaluation", PROFILE, seed=1)
    assert GREEDY <= {m.name for m in ev.untouched(other, get_profile("mini,sag_n=2"))}


def test_taken_answers_are_not_asked_again(tmp_path):
    "A file that is there is left alone, as after a kill between two copies; copies are byte for byte"
    found, asked = Artifact(tmp_path / "one" / "evaluation", PROFILE).start(), questions()
    first = evaluate(PROFILE, asked, lambda *a: Script(), None, lambda m, b: found.records(f"{m}/{b}.jsonl"), COT)
    for m in set(ev.asked_methods(PROFILE)) - set(COT):
        for b in PROFILE.benchmarks: found.path(f"{m.slug}/{b}.jsonl").touch()
    for b in PROFILE.benchmarks[3:] + PROFILE.benchmarks[1:2]: found.path(f"cot-distill/{b}.jsonl").touch()
    found.finish()
    art = Artifact(tmp_path / "two" / "evaluation", get_profile("mini,sag_n=2")).start()
    art.path("agent-distill/mini-gsm.jsonl").write_text("mine\n")
    taken = ev.take_answers(art, found)
    assert {m.name for m in taken} == GREEDY | {N[4]}, "the SAG rows stand for N = 2"
    assert art.path("agent-distill/mini-gsm.jsonl").read_text() == "mine\n"
    files = {p.name: p.read_bytes() for p in (found.folder / "cot-distill").iterdir()}
    assert {p.name: p.read_bytes() for p in (art.folder / "cot-distill").iterdir()} == files
    def never(*a): raise AssertionError("an answer was asked for again")
    again = evaluate(art.profile, asked, never, None, lambda m, b: art.records(f"{m}/{b}.jsonl"), COT)
    assert again == first


# The table, the file, the artifact

def fake_runs(n=12):
    def answer(i, j): return "A" if (i * 7 + j * 3) % 5 < 2 + i % 3 else "B"
    return {m.name: {b: [trajectory(Question(f"q{j}", b, "fact", "?", "A"), answer(i, j), tokens=10 * m.samples(PROFILE))
                         for j in range(n)] for b in PROFILE.benchmarks} for i, m in enumerate(METHODS)}


def fake_results():
    runs = fake_runs()
    results = summarise(runs, PROFILE)
    sweep = {1: METHODS[3], 8: METHODS[5]}
    results.sweep = ev.sweep_rows(runs, sweep, {(b, "q0") for b in PROFILE.benchmarks})
    return runs, results


def test_results_survive_json_and_name_their_kind():
    runs, results = fake_results()
    assert Results.from_json(results.to_json()) == results
    text = results._repr_markdown_()
    assert text.startswith("**mini**") and "SAG samples several actions" in text
    table = [l for l in text.splitlines() if l.startswith("|")]
    assert len(table) == 2 + len(METHODS) and all(" n 12 " in l for l in table[2:])
    for bad in ("", "[]", "{}", '{"kind": 1}'):
        with pytest.raises(AgentDistillError, match="not a results file"): Results.from_json(bad)


def test_missing_questions_are_told_in_the_table():
    results = fake_results()[1]
    results.missing = {"agent-distill on mini-gsm": 3}
    assert "Missing: 3 questions of agent-distill on mini-gsm." in results.table()


def test_sweep_uses_the_rows_that_exist():
    methods = ev.sweep_methods(PROFILE)
    assert [m in METHODS for m in methods.values()] == [True, False, False, True]
    assert [m.samples(PROFILE) for m in methods.values()] == [1, 2, 4, 8]


def test_the_artifact_holds_numbers_plots_and_page(tmp_path):
    runs, results = fake_results()
    art = Artifact(tmp_path / "evaluation", PROFILE).start()
    manifest = write_evaluation(art, results, runs)
    assert manifest["complete"] and manifest["counts"]["questions"]["agent-distill"] == 60
    names = {p.name for p in art.folder.iterdir()}
    assert {"results.json", "accuracy.png", "sweep.png", "invalid.png", "ftp.png", "trajectories.html"} <= names
    assert b"Description" in (art.folder / "accuracy.png").read_bytes()
    assert Results.from_json((art.folder / "results.json").read_text()) == results
    before = (art.folder / "results.json").stat().st_mtime_ns
    assert write_evaluation(Artifact(tmp_path / "evaluation", PROFILE), results, runs) == manifest
    assert (art.folder / "results.json").stat().st_mtime_ns == before


def nothing(benchmarks, n=2, tokens=0):
    "Runs of models that answer nothing: no steps, no tokens, no searches"
    def one(b, i):
        usage = dict(prompt_tokens=5, completion_tokens=tokens, requests=1, searches=0)
        return Trajectory(Question(f"{b}-{i}", b, "fact", "?", "A"), [], [], None, 0.0, "", usage, 0, "error")
    names = [m.name for m in [*METHODS, *ev.sweep_methods(PROFILE).values()]]
    return {name: {b: [one(b, i) for i in range(n)] for b in benchmarks} for name in dict.fromkeys(names)}


@pytest.mark.parametrize("in_domain", [(), PROFILE.in_domain, PROFILE.benchmarks])
@pytest.mark.parametrize("tokens", [0, 7])
@pytest.mark.filterwarnings("error")
def test_tables_and_plots_of_a_run_in_which_nothing_was_right(tmp_path, in_domain, tokens):
    profile = get_profile("mini", in_domain=in_domain)
    runs = nothing(profile.benchmarks, tokens=tokens)
    results = summarise(runs, profile)
    results.sweep = ev.sweep_rows(runs, ev.sweep_methods(profile), {(b, f"{b}-0") for b in profile.benchmarks})
    art = Artifact(tmp_path / "evaluation", profile).start()
    assert write_evaluation(art, results, runs)["complete"]
    for table in (results.table(), results.behaviour_table(), results.comparison_table(), results.change_table()):
        assert table and "nan [" not in table and " nan " not in table
    assert Results.from_json(results.to_json()) == results


@pytest.mark.filterwarnings("error")
def test_plots_without_groups_methods_and_sweep():
    results = summarise({"teacher-agent": {"b": [trajectory(Question("q", "b", "fact", "?", "A"))]}}, get_profile("mini", in_domain=()))
    for plot, _ in ev.FIGURES.values(): plot(results).savefig(__import__("io").BytesIO())
    assert results.comparisons == [] and "| b |" in results.table()


def test_questions_of_names_the_benchmark_that_is_not_there(tmp_path):
    from dataclasses import asdict
    art = Artifact(tmp_path / "questions", PROFILE).start()
    rows = [asdict(q) for q in questions(5, PROFILE.benchmarks[:-1])]
    art.path("test.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    art.finish()
    with pytest.raises(AgentDistillError, match="no test questions of mini-gsm-hard"): ev.questions_of(tmp_path, PROFILE)
    small = get_profile("mini", benchmarks=PROFILE.benchmarks[:-1])
    assert Counter(q.benchmark for q in ev.questions_of(tmp_path, small, limit=2)) == dict.fromkeys(small.benchmarks, 2)


def test_import_is_light():
    import subprocess, sys
    code = "import sys, agent_distill.evaluation; print([m for m in ('torch', 'sympy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# Recorded results

from agent_distill import results as rs


def test_the_paper_table_agrees_with_its_own_averages():
    d = json.loads((rs.recorded_folder() / "paper_table.json").read_text())
    assert len(d["rows"]) == 34 and all(len(r) == len(d["columns"]) for r in d["rows"])
    for r in d["rows"]: assert sum(r[2:10]) / 8 == pytest.approx(r[10], abs=0.02), r[:2]
    paper = rs.paper_results("1.5B")
    assert paper.kind == "paper" and "single runs" in paper.table().lower()
    assert paper.cells["teacher-agent"]["hotpotqa"].value == pytest.approx(0.564)
    assert rs.paper_points(rs.CLAIMS[4])["3B"] == pytest.approx(33.50 - 33.60, abs=0.02)


def finished(tmp_path, limit=0):
    runs, results = fake_results()
    write_evaluation(Artifact(tmp_path / "evaluation", PROFILE, limit=limit).start(), results, runs)
    return results


def test_record_keeps_and_labels(tmp_path):
    results = finished(tmp_path, limit=7)
    path = rs.record(tmp_path, tmp_path / "recorded")
    assert path.name == "mini.json" and str(tmp_path) not in path.read_text()
    back = rs.recorded_runs(tmp_path / "recorded")["mini"]
    assert back.results.kind == "recorded" and back.results.cells == results.cells
    assert "At most 7 questions" in back.results.table() and "evaluation" in back._repr_markdown_()
    assert rs.repeats(back.results, rs.this_run(tmp_path))["equal"] == 7 * (5 + 2)
    table = rs.run_table(tmp_path / "recorded")
    assert "recorded, 60 questions a method" in table and table.count("**not done**") == 3


def test_record_refuses_a_changed_profile(tmp_path):
    "`recorded/mini.json` is a run of mini as it is shipped"
    runs, results = fake_results()
    write_evaluation(Artifact(tmp_path / "evaluation", get_profile("mini,sag_n=4")).start(), results, runs)
    with pytest.raises(AgentDistillError, match="a run of mini,sag_n=4"): rs.record(tmp_path, tmp_path / "recorded")


def test_record_refuses_what_is_not_complete(tmp_path):
    with pytest.raises(AgentDistillError, match="no run at"): rs.record(tmp_path)
    finished(tmp_path)
    (tmp_path / "evaluation/results.json").write_text("{}")
    with pytest.raises(AgentDistillError, match="results.json"): rs.record(tmp_path, tmp_path / "recorded")
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded/mini.json").write_text("torn")
    with pytest.raises(AgentDistillError, match="cannot be read"): rs.recorded_runs(tmp_path / "recorded")


def test_verdicts_follow_the_comparisons():
    claim = rs.Claim("x", "agent-distill", "cot-distill", "all")
    def results(c): return Results("recorded", {}, [], [], {}, comparisons=[c] if c else [])
    def pair(a, b): return compare([a], [b], ("agent-distill", "cot-distill"), "all")
    assert rs.verdict(claim, results(pair([1] * 20, [0] * 20))) == "reproduced"
    assert rs.verdict(claim, results(pair([0] * 20, [1] * 20))) == "contradicted"
    assert rs.verdict(claim, results(pair([1, 0] * 20, [0, 1] * 20))) == "undecided"
    assert rs.verdict(claim, results(None)) == "not measured"
    assert "contradicted" in rs.claims_table(results(pair([0] * 20, [1] * 20)), (claim,))


def test_changes_in_behaviour_are_paired():
    runs = fake_runs()
    for b in runs["agent-distill+FTP"].values():
        for t in b: t.usage["searches"] = 0
    found = {(c.measure, c.a): c for c in ev.changes(runs)}
    c = found["searches", "agent-distill+FTP"]
    assert (c.diff.value, c.wins, c.losses, c.verdict) == (-1, 0, 60, "lower")
    assert found["invalid actions", "agent-distill+SAG"].verdict == "undecided"
