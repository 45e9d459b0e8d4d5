"Asking an agent: its steps on the screen, found or guessed, one question after another"
import io, sys
from dataclasses import replace

import pytest

from agent_distill.actions import render_action
from agent_distill.agent import Scripted
from agent_distill.ask import answer, converse, doubt, plain, source, typed, unseen, verdict
from agent_distill.profile import PROFILES
from agent_distill.sandbox import Sandbox

MINI = PROFILES["mini"]


def search(query: str) -> str:
    "passages"
    return "[1] Mara Voss: Mara Voss was born in Kelden in 1950.\n[2] Kelden: Kelden lies in Elmland."


@pytest.fixture(scope="module")
def box():
    with Sandbox(tools=[search]) as s: yield s


def asked(box, question, *codes): return answer(question, Scripted(*(render_action("So.", c) for c in codes)), box, MINI, say=str)


LOOK = 'print(search("x"))'


@pytest.mark.parametrize("question, codes, why, line", [
    ("Where was Mara Voss born?", [LOOK, "final_answer('Kelden')"], "", "Seen in step 1, in the passage [1] Mara Voss."),
    ("Where does Kelden lie?", [LOOK, "final_answer('elmland.')"], "", "Seen in step 1, in the passage [2] Kelden."),
    ("How old was Mara Voss in 1990?", [LOOK, "print(1990 - 1950)", "final_answer(40)"], "", "Seen in step 2, where code printed it."),
    ("How old was Mara Voss in 1990?", [LOOK, "final_answer(1990 - 1950)"], "", "Computed by the code of step 2."),
    ("Is Mara Voss from Kelden?", [LOOK, "final_answer('yes')"], "", "Not seen in any observation: concluded, or from the model's memory."),
    ("What is 12 * 7?", ["final_answer(12 * 7)"], "", "Computed by the code of step 1."),
    ("Where was Ada Lee born?", [LOOK, "final_answer('Kelden')"], "names Ada Lee", "Its guess: Kelden"),
    ("In what year was the son of Mara Voss born?", [LOOK, "final_answer('Oslo')"], "says so", "Its guess: Oslo"),
    ("What is 12 * 7?", [LOOK, "final_answer(1950)"], "names 12, 7", "Its guess: 1950"),
    ("Who wrote Hamlet?", ["final_answer('Shakespeare')"], "says so", "Its guess: Shakespeare"),
    ("Where was Mara Voss born?", [LOOK] * 5, "no answer within 5 steps", "")])
def test_found_computed_or_guessed(box, question, codes, why, line):
    t = asked(box, question, *codes)
    assert why in doubt(t) and bool(doubt(t)) == bool(why)
    said = verdict(t)
    assert said.startswith("I did not find it: " if why else "Answer: ") and said.split("\n")[1:] == [line] * bool(line)


def test_an_engine_that_fails_is_no_answer(box):
    t = replace(asked(box, "Who?", "final_answer(1)"), stop="error", answer=None, meta={"error": "the prompt\x1b is too long"})
    assert verdict(t).startswith("I did not find it: the prompt is too long.")


def test_the_first_word_of_a_sentence_is_no_name(box):
    t = asked(box, "Well. Mara Voss and the Silver Sea, Lund: where? How old?", LOOK, "final_answer('Kelden')")
    assert unseen(t) == ["Silver Sea", "Lund"] and source(t) == (1, "[1] Mara Voss")


def test_answer_shows_each_step_and_nothing_else(box):
    said = []
    t = answer("What is it?", Scripted(render_action("one\x1b[2J.", "x = 20\nprint(x)"), "no code at all", render_action("done.", "final_answer(x + 1)")),
               box, MINI, sag=2, say=said.append)
    assert t.answer == "21" and len(said) == 3 and verdict(t).startswith("Answer: 21")
    assert "\x1b" not in "".join(said) and "2 candidates, 2 votes" in said[0] and said[1].startswith("Step 2 (parse_error")


def test_hostile_text_is_made_plain():
    assert plain("a\x1b]0;title\x07\r\nb\u202e\ud800") == "a]0;title\nb"
    assert plain("na\u00efve \u4e2d\t\u2014 \U0001f600") == "na\u00efve \u4e2d\t\u2014 \U0001f600"


def test_a_conversation_goes_on_after_ctrl_c_with_a_fresh_session(box, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("set\n\nstop\nget\n exit \nnever\n"))
    def agent(text):
        if text == "stop": raise KeyboardInterrupt
        return asked(box, text, *(["x = 5\nprint(x)", "final_answer(x)"] if text == "set" else ["print(x)"] * 5))
    said = []
    converse(agent, typed(), said.append)
    assert said[0].startswith("Answer: 5") and "stopped" in said[1] and "no answer within" in said[2] and len(said) == 3
    assert capsys.readouterr().out == "> set\n> \n> stop\n> get\n>  exit\n"
