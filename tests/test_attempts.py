"Several attempts a question, rules by name, and the kinds of prefix: what their chapters do not show"
import json
from pathlib import Path

import pytest

from agent_distill.agent import Scripted, render_action
from agent_distill.attempts import (PAPER, RULES, attempts, attempts_table, broken, every_attempt, invented, repeated,
                                    rules_table, sift_by, students_table, ungrounded)
from agent_distill.prefixes import THINK, act_as, asserts, kind_facts, kinds_table, plan_only, prefixes
from agent_distill.profile import AgentDistillError, Records, get_profile
from agent_distill.questions import Question
from agent_distill.sandbox import Sandbox
from agent_distill.teacher import act, fate, sift
from agent_distill.trajectories import Step, Trajectory

PROFILE = get_profile("mini", max_steps=2)
RECORDED = Path(__file__).parents[1] / "nbs" / "recorded"
QUESTIONS = [Question(f"q{i}", "mini-hotpot", "fact", f"Where was the director of Film {i} born?", "Rasmere") for i in range(3)]


def search(query: str) -> str:
    "looks it up"
    return "[1] Paula Archer: Paula Archer was born in Rasmere."


@pytest.fixture(scope="module")
def box():
    with Sandbox(tools=[search]) as sandbox: yield sandbox


LOOK, RIGHT = render_action("I need it.", 'print(search("Film"))'), render_action("Born there.", 'final_answer("Rasmere")')
WRONG = render_action("I know it.", 'final_answer("Aldhaven")')


class Moody:
    "Wrong when it is greedy; when sampled right from the n-th attempt at the question on"
    def __init__(self, n): self.n, self.begun = n, {}

    async def generate(self, messages, temperature=0., **options):
        asked = messages[1]["content"]
        if len(messages) == 2: self.begun.setdefault(asked, []).append(temperature)
        script = Scripted(LOOK, RIGHT) if len(self.begun[asked]) >= self.n else Scripted(WRONG)
        return await script.generate(messages, **options)


def test_greedy_first_then_sampled_until_one_is_kept(box):
    engine = Moody(3)
    found = attempts(QUESTIONS, engine, box, PROFILE, k=5, temperature=.6)
    assert list(engine.begun.values()) == [[0., .6, .6]] * 3
    assert [[t.score for t in ts] for ts in every_attempt(found)] == [[0., 0., 1.]] * 3
    assert len({t.seed for t in every_attempt(found)[0]}) == 3
    assert sift(found)[1] == {"kept": 3}
    shares = [line.split("|")[2].split()[0] for line in attempts_table(found, 5).splitlines()[2:]]
    assert shares == ["0", "0", "100", "100", "100"]


def test_at_most_k_and_the_last_one_stands(box):
    found = attempts(QUESTIONS[:1], Moody(9), box, PROFILE, k=2)
    assert [broken(t) for t in every_attempt(found)[0]] == [["wrong answer"]] * 2
    assert broken(found[0], ["ungrounded"]) == ["ungrounded"]
    once = attempts(QUESTIONS[:1], Moody(9), box, PROFILE)
    assert once[0].meta["earlier"] == [] and once[0].score == 0


def test_an_attempt_that_breaks_a_rule_is_not_the_last(box):
    engine = Scripted([WRONG.replace("Aldhaven", "Rasmere")])   # right, and seen nowhere
    assert len(attempts(QUESTIONS[:1], engine, box, PROFILE, k=3)[0].meta["earlier"]) == 0
    found = attempts(QUESTIONS[:1], engine, box, PROFILE, k=3, rules=(*PAPER, "ungrounded"))
    assert len(found[0].meta["earlier"]) == 2


def test_attempts_resume_from_their_records(box, tmp_path):
    first = attempts(QUESTIONS[:2], Moody(2), box, PROFILE, k=3, records=Records(tmp_path/"a.jsonl"))
    engine = Moody(2)
    again = attempts(QUESTIONS, engine, box, PROFILE, k=3, records=Records(tmp_path/"a.jsonl"))
    assert len(engine.begun) == 1   # the third question alone
    assert json.dumps([t.to_row() for t in again[:2]]) == json.dumps([t.to_row() for t in first])


def test_a_dead_engine_is_asked_once_a_question(box):
    class Dead:
        calls = 0
        async def generate(self, *args, **options):
            from agent_distill.agent import EngineError
            Dead.calls += 1
            raise EngineError("gone")
    with pytest.raises(AgentDistillError, match="all 3 questions failed"): attempts(QUESTIONS, Dead(), box, PROFILE, k=4)
    assert Dead.calls == 3


def said(*turns, answer="Rasmere", score=1., stop="final", task="fact"):
    "A trajectory of (text, code, what came back, outcome)"
    q = Question("q", "hotpotqa", task, "Where was the director of Film 1 born?", "Rasmere")
    messages = [dict(role="system", content="s"), dict(role="user", content=q.question)]
    for text, code, seen, _ in turns:
        messages += [dict(role="assistant", content=f"Thought: {text}\nCode:\n{code}"), dict(role="user", content=seen)]
    return Trajectory(q, messages[:-1] if stop == "final" else messages, [Step(*t) for t in turns], answer, score, stop=stop)


PASSAGE = "[1] Paula Archer: Paula Archer was born in Rasmere."
FIND = ("I need it.", 'print(search("a"))', "Observation:\n" + PASSAGE, "ok")
GIVE = ("Born there.", 'final_answer("Rasmere")', "Rasmere", "final")


@pytest.mark.parametrize("t, rules", [
    (said(FIND, GIVE), []),
    (said(GIVE), ["ungrounded"]),
    (said(("No.", 'final_answer("No.")', "No.", "final"), answer="No."), []),              # yes and no stand in no passage
    (said(GIVE, task="math"), []),                                                          # only facts are looked up
    (said(("I look.\n" + PASSAGE, "x = 1", "Observation:\n(no output)", "ok"), GIVE), ["ungrounded", "invented observation"]),
    (said(FIND, ("Passage 1:\n" + PASSAGE, "x = 1", "", "ok"), GIVE), []),                  # it had read that line
    (said(FIND, ("Done.\nObservation: Rasmere", "x = 1", "", "ok"), GIVE), ["invented observation"]),
    (said(("[1]", "x = [1]", "", "ok"), FIND, GIVE), []),                                   # a list is no passage
    (said(FIND, FIND, GIVE), ["repeated action"]),
    (said(FIND, (*FIND[:1], FIND[1] + "\n", *FIND[2:]), GIVE), ["repeated action"]),
    (said(("no code", "", "Error", "parse_error"), ("no code", "", "Error", "parse_error"), FIND, GIVE), ["parse error"]),
    (said(FIND, FIND, answer=None, score=0., stop="max_steps"), ["out of steps", "wrong answer", "repeated action"])])
def test_rules(t, rules): assert broken(t, RULES) == rules


def test_the_rules_of_the_paper_give_the_fates_of_chapter_6():
    ts = [said(FIND, GIVE), said(GIVE, score=0.), said(FIND, stop="max_steps", answer=None, score=0.),
          said(("", "", "", "parse_error"), GIVE)]
    assert [next(iter(broken(t)), "kept") for t in ts] == [fate(t) for t in ts]
    assert sift_by(ts) == sift(ts)
    assert [r["messages"][-1]["role"] for r in sift_by(ts, [])[0]] == ["assistant"] * 4
    failed = said(FIND, GIVE)
    failed.stop = "error"
    assert sift_by([failed], []) == ([], {"engine error": 1})


def test_a_row_of_the_table_of_rules():
    lines = rules_table([said(GIVE), said(FIND, FIND, GIVE), said(FIND, FIND, GIVE, score=0.)]).splitlines()
    assert lines[0] == "| rule | drops | of 2 right | of 1 wrong | alone |"
    assert lines[-3:] == ["| ungrounded | 1 | 1 | 0 | 1 |", "| invented observation | 0 | 0 | 0 | 0 |", "| repeated action | 2 | 1 | 1 | 1 |"]


def test_recorded_students_are_those_of_every_rule():
    measured = json.loads((RECORDED / "rules.json").read_text())
    names = [s["rule"] for s in measured["students"]]
    assert set(names) == {"no rule", *RULES, "all rules"} and len(names) == len(set(names))
    assert students_table(measured).count("\n") == len(names) + 1


# kinds of prefix

ASKED = "What is the age of the founder of Norris Steel?"


@pytest.mark.parametrize("thought, plan", [
    ("I need the founder of Norris Steel. It was founded by Elena Graves. Now I need the age of Elena Graves.", "I need the founder of Norris Steel."),
    ("To solve this, we follow these steps:\n1. Find the founder.\n2. Compute the age - in years.", "To solve this, we follow these steps: Find the founder. Compute the age - in years."),
    ("We need the age. It is 84. We take 84.", "We need the age."),
    ("We follow these steps:\n1. Norris Steel is old.", None),         # the colon announces nothing any more
    ("Elena Graves founded Norris Steel.", None), ("We need \\(x. The rest is known.", None)])
def test_plan_only(thought, plan):
    if plan: assert plan_only(thought, ASKED) == plan
    else:
        with pytest.raises(AgentDistillError, match="no plan"): plan_only(thought, ASKED)


def cot(q, text): return Trajectory(q, [{}, {}, dict(role="assistant", content=text)])


def test_kinds_of_prefix(box):
    texts = ["I need the director. It is by Paula Archer.\n\nThe answer is Rasmere.", "Paula Archer made it.\n\nThe answer is Rasmere.",
             "The answer is Rasmere."]
    cots = [cot(q, text) for q, text in zip(QUESTIONS, texts)]
    assert prefixes(QUESTIONS, cots)[1] == ["q2"]
    assert prefixes(QUESTIONS, cots, "plan") == ({"q0": "Thought: I need the director.\n\n"}, ["q2", "q1"])
    engine, facts = Scripted(LOOK, RIGHT), {}
    for kind, asked in (("none", 3), ("first thought", 2), ("plan", 1), ("think first", 3)):
        engine.calls.clear()
        ts, without = act_as(kind, QUESTIONS, engine, box, PROFILE, cots)
        assert (len(ts), len(without)) == (asked, 3 - asked)
        assert all((THINK in c["messages"][0]["content"]) == (kind == "think first") for c in engine.calls)
        facts[kind] = kind_facts(ts, QUESTIONS)
    assert kinds_table(facts).count("| ") and [sum(f["kept"]["mini-hotpot"]) for f in facts.values()] == [3, 2, 1, 3]
    assert act_as("plan", QUESTIONS, engine, box, PROFILE, [cot(q, texts[2]) for q in QUESTIONS]) == ([], ["q0", "q1", "q2"])


def test_no_prefix_is_what_chapter_6_did(box):
    engine = Scripted(LOOK, RIGHT)
    old = act(QUESTIONS, engine, box, PROFILE, seed=3)
    assert [t.to_row() for t in act_as("none", QUESTIONS, engine, box, PROFILE, seed=3)[0]] == [t.to_row() for t in old]


def test_a_name_that_the_question_does_not_have_is_an_assertion():
    assert asserts("I look for Elena Graves.", ASKED) and not asserts("I look for Norris Steel.", ASKED)
    assert asserts("I need 3.5 of them.", "What are 3 and 5?") and not asserts("I need 3.5 of them.", "What is 3.5?")
