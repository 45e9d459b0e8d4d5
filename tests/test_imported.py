"Other people's trajectories: every shape, every reason, nothing lost and nothing raised"
import json
from collections import Counter

import pytest

from agent_distill.engines import load_tokenizer
from agent_distill.imported import SHAPES, check_exact, import_row, import_rows
from agent_distill.profile import AgentDistillError
from agent_distill.prompts import short_prompt
from agent_distill.released import BadRow
from agent_distill.teacher import sift


def search(query: str) -> str:
    "passages about the query"


def call(name, arguments): return dict(function=dict(name=name, arguments=arguments))
def user(text): return dict(role="user", content=text)
def said(text, **more): return dict(role="assistant", content=text, **more)


def react(*turns, reward="True"):
    rows = [user("Where does the Aare end?")]
    for t in turns: rows += [said(t), user("Observation: It flows into the Rhine.")]
    return dict(messages=[*rows[:-1], user(f"Observation: Episode finished, reward = {reward}")])


GOOD = {
    "ReAct": react("Thought: I look.\nAction: search[Aare]", "Thought: So.\nAction: finish[the Rhine]"),
    "ReAct, numbered": react("Thought 1: I look.\nAction 1: Search[Aare]", "Thought 2: So.\nAction 2: Finish[the Rhine]"),
    "ReAct, input on its line": react("I look.\nAction: search\nAction Input: Aare", "So.\nFinal Answer: the Rhine"),
    "tags": dict(question="Where?", success=True, messages=[
        said("Assistant:\n<thought>I look.</thought><execute>print(wikipedia_search('Aare'))</execute>"),
        user("Observation:\nthe Rhine"), said("So <solution> the Rhine </solution>.")]),
    "tool calls": dict(gold="the Rhine", messages=[
        user("Where?"), said(None, tool_calls=[call("search", '{"query": "Aare"}'), call("search", '{"query": "Rhine"}')]),
        dict(role="tool", content="one"), dict(role="tool", content="two"), said("The answer is the Rhine.")]),
    "code": dict(answer=["the Rhine", "Rhine"], messages=[
        user("Where?"), said("Thought: I look.\nCode:\n```py\nprint(web_search('Aare'))\n```<end_code>"), user("Observation:\nx"),
        said("Thought: So.\nCode:\n```py\nfinal_answer('the Rhine')\n```<end_code>")]),
    "memory": dict(answer="the Rhine", steps=[
        dict(task="Where?"), dict(model_output="Thought: x\n<code>\n1/0\n</code>", error=dict(message="ZeroDivisionError")),
        dict(model_output="Thought: So.\n<code>\nr = 'the Rhine'\nfinal_answer(r)\n</code>", action_output="the Rhine", is_final_answer=True)]),
}


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
def test_good_rows_are_trained_as_they_were_imported(row):
    found = import_rows([json.loads(json.dumps(row))], [search])
    rows, fates = sift(found.trajectories, short_prompt([search]))
    assert fates == {"kept": 1} and not found.dropped
    text = "".join(m["content"] for m in rows[0]["messages"])
    assert "wikipedia_search" not in text and "web_search" not in text and "Rhine" in text
    check_exact(load_tokenizer("mini-student"), rows)


BAD = {
    "no row": [None, 3, "text", []],
    "a row without messages or steps": [{}, {"messages": None}, {"messages": "Hello"}],
    "messages without roles": [{"messages": [1]}, {"messages": [{"content": "x"}]}, {"messages": [None]}],
    "a shape that is not known": [{"messages": [user("Hi"), said("Hello")]}, {"messages": []}],
    "a content that is no text": [{"messages": [dict(role="user", content=5)]}],
    "no question": [{"messages": [said("Thought: x\nAction: finish[y]")]}],
    "a turn without an action": [react("Thought: I look.\nAction: search[Aare]", "Well.")],
    "a call of 'lookup', for which there is no tool here": [react("Thought: x\nAction: lookup[y]")],
    "an answer before the last turn": [react("Thought: x\nAction: finish[y]", "Thought: x\nAction: finish[z]")],
    "code and an answer in one turn": [dict(question="q", messages=[said("<execute>1</execute><solution>1</solution>")])],
    "arguments that are no JSON": [{"messages": [user("q"), said("", tool_calls=[call("search", "{")])]}],
    "a tool call without a function": [{"messages": [user("q"), said("", tool_calls=[{}])]}],
    "code that takes a tool's name": [dict(GOOD["tags"], messages=[said("<execute>def search(x): return x</execute>")])],
    "an answer that only running the code would give": [{"messages": [user("q"), said("Code:\n```py\nfinal_answer(x)\n```")]}],
    "nothing says whether the answer is right (unchecked=True takes it)": [
        {"messages": [user("q"), said("Code:\n```py\nfinal_answer(1)\n```")]}],
    "no turn of the assistant": [dict(steps=[dict(task="Where?")])],
    "a UnicodeEncodeError": [react("Thought: \ud800\nAction: finish[y]")],
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_row_is_counted_with_its_reason(reason):
    rows = BAD[reason]
    found = import_rows([*rows, GOOD["ReAct"]], [search])
    assert found.dropped == Counter({reason: len(rows)}) and len(found.trajectories) == 1
    assert f"| left out: {reason} | {len(rows)} |" in found._repr_markdown_()


def test_nothing_at_all_is_an_error():
    with pytest.raises(AgentDistillError, match="none of 2 rows could be taken.*no row.*shapes that are known: memory"):
        import_rows([None, 1], [search])
    with pytest.raises(AgentDistillError, match="none of 0 rows"): import_rows([], [search])


def test_what_the_row_says_of_itself_and_what_it_does_not():
    wrong = react("Thought: x\nAction: finish[y]", reward="False")
    assert import_row(wrong, "1", "s").score == 0
    bare = {"messages": [user("q"), said("Code:\n```py\nfinal_answer(1)\n```")]}
    with pytest.raises(BadRow, match="unchecked"): import_row(bare, "1", "s")
    assert import_row(bare, "1", "s", unchecked=True).score == 1
    assert import_row(dict(bare, answer="2"), "1", "s", unchecked=True).score == 0


def test_the_answer_of_our_own_row_is_not_its_gold():
    row = dict(id="7", steps=[], answer="41", messages=[user("6 times 7?"), said("Code:\n```py\nfinal_answer(x)\n```")],
               question=dict(id="7", benchmark="b", task="math", question="6 times 7?", answer="42", aliases=[]))
    assert import_row(row, "1", "s").score == 0
    assert import_row(dict(row, answer="42"), "1", "s").score == 1


def test_gold_answers_are_read_as_chapter_01_reads_them():
    row = dict(messages=[user("Where?"), said("Code:\n```py\nfinal_answer('Rhine')\n```")])
    for golds in (dict(answer="the Rhine", aliases=["Rhine river", "Rhine"]), dict(gold=["the Rhine", "Rhine"]), dict(reference="Rhine"),
                  dict(golden_answers=[None, "", "Rhine"])):
        t = import_row(row | golds, "1", "s")
        assert t.score == 1 and "None" not in (t.question.answer, *t.question.aliases) and t.question.answer
    with pytest.raises(BadRow, match="unchecked"): import_row(row | dict(gold=[None]), "1", "s")


@pytest.mark.parametrize("garbage", [dict(messages=[dict(role={}, content=[])]), dict(steps=[5, None, {"model_output": 7}]),
                                     dict(steps=[dict(task="q"), dict(model_output="x", error="late")]),
                                     dict(messages=[user("q"), said("", tool_calls=5)]),
                                     dict(messages=[user("q"), said("", tool_calls=[call("search", [1])])]),
                                     dict(question={"question": 5}, messages=[said("Final Answer: x")]),
                                     dict(question="q", messages=[said("<solution>" * 2000)])])
def test_garbage_costs_one_row(garbage):
    found = import_rows([garbage, GOOD["tags"]], [search])
    assert sum(found.dropped.values()) == 1 and len(found.trajectories) == 1


def test_the_shapes_are_those_of_the_chapter(): assert set(SHAPES) == {"memory", "tool calls", "tags", "ReAct", "code"}
