"Prompts and actions: the parser's policies, properties of any text, turns of a real small model"
import json, os, re, time
from pathlib import Path

import pytest

from agent_distill.actions import *


def search(query: str) -> str:
    "passages of the encyclopedia about the query"


def act(code, thought="Now."): return render_action(thought, code)


# prompts

def test_short_prompt_is_the_one_the_mini_models_were_trained_on():
    assert short_prompt([search]) == (
        "Solve the task. Write a Thought, then Code. Tools:\n"
        "search(query: str) -> str: passages of the encyclopedia about the query\n"
        "final_answer(answer): ends the task with the answer")
    assert cot_prompt() == "Answer the question step by step."


def test_prompts_name_every_tool_once():
    def add(a: int, b: int = 2) -> int:
        """the sum

        of two numbers"""
    for prompt in short_prompt([search, add, final_answer]), long_prompt([search, add]):
        assert prompt.count("add(a: int, b: int = 2) -> int: the sum") == 1
        assert prompt.count("final_answer(answer): ends") == 1 and "of two numbers" not in prompt


# parser

@pytest.mark.parametrize("text, thought, code", [
    (act("x = 1", "Go."), "Go.", "x = 1"),
    ("Thought: a\nCode:\n```python\nx = 1\n```\nmore\n```py\nx = 2\n```", "a", "x = 1"),
    ("Thought: a\nCode:\n```py\nx = 1\nObservation: 5\nThought: b\nCode:\n```py\nx = 2\n```", "a", "x = 1"),
    ("Thought: a\nCode:\n```py\nx = 1\nThought: b\nCode:\n```py\nx = 2\n```", "a", "x = 1"),
    ("Thought: a\nCode:\n```py\nx = 1", "a", "x = 1"),
    ("Thought: a\nCode:\n```py\nx = 1<end_code>", "a", "x = 1"),
    ("Thought: a\nCode:\n```py\nx = 1```<end_code>", "a", "x = 1"),
    ("Thought: a\nCode:\n```py x = 1\n```", "a", "x = 1"),
    ("Thought: a\nCode: ```x = 1```", "a", "x = 1"),
    ("Thought: a\nCode:\n```PYTHON\n    x = 1\n    y = 2\n```", "a", "x = 1\ny = 2"),
    ("```tool_call\nsearch('a')\n```", "", "search('a')"),
    ("I say\n```json\n{\"a\": 1}\n```\nCode:\n```py\nx = 1\n```", 'I say\n```json\n{"a": 1}\n```', "x = 1"),
    ("Thought: a\nCode:\nx = 1\nprint(x)", "a", "x = 1\nprint(x)"),
    ("Thought: a\nCode: print(1)<end_code> and so on", "a", "print(1)"),
    ("just do it\n```py\nx = 1\n```", "just do it", "x = 1"),
    ("Thought: first\n\nsecond part\nCode:\n```py\nif a:\n    b()\n```", "first\n\nsecond part", "if a:\n    b()"),
])
def test_actions(text, thought, code):
    assert parse_action(text) == (thought, code)
    assert parse_action(render_action(thought, code)) == (thought, code)


@pytest.mark.parametrize("text, message", [
    ("", "no code"), ("The answer is Kelden.", "no code"), ("Code: the answer is Kelden", "no code"),
    ("Code:\n```py\n```<end_code>", "empty"), ("```py\n\n   \n```", "empty"), ("```", "empty"),
    ("```bash\nls -la /etc\n```", "marked 'bash'"), ("```json\n{\"a\": 1}\n```", "marked 'json'"),
    ("Observation: 42\nCode:\n```py\nx = 1\n```", "no code"),
    ("  observation: 42\n```py\nx = 1\n```", "no code"),
    ("<end_code>```py\nx = 1\n```", "no code"),
])
def test_turns_without_an_action_say_how_to_do_it(text, message):
    with pytest.raises(ParseError, match=message) as e: parse_action(text)
    assert "```py" in str(e.value) and len(str(e.value)) < 300


def test_hostile_turns_do_not_stop_the_parser():
    for text in "(" * 100_000, "Code:\n" + "[" * 100_000, "```" * 50_000, "Code:\n" + "-" * 100_000 + "1", \
                "Code:\n\0x = 1", "Thought:" * 20_000, "```py\n" + "\n" * 100_000, "Code:\n\ud800 = 1()":
        start = time.process_time()
        try: parse_action(text)
        except ParseError: pass
        assert time.process_time() - start < 5


# policies that are not of the table above

@pytest.mark.parametrize("text, action", [
    ("<think>\n```py\nx = 0\n```\n</think>\nThought: a\nCode:\n```py\nx = 1\n```", ("a", "x = 1")),
    ("  <thinking>Observation: 5 <end_code></thinking>" + act("x = 1"), ("Now.", "x = 1")),
    ("so I try\n```py\nx = 0\n```\n</think>\n\n" + act("x = 1"), ("Now.", "x = 1")),
    ("<think>a</think><think>b</think>" + act("x = 1"), ("Now.", "x = 1")),
    (act("print('<think>')"), ("Now.", "print('<think>')")),
    ("It is Kelden.\nfinal_answer('Kelden')", ("It is Kelden.", "final_answer('Kelden')")),
    ("So:\n`final_answer(42)`.", ("So:", "final_answer(42)")),
    ("final_answer(1)\nfinal_answer(2)", ("", "final_answer(1)")),
    ("Thought: go\nCode: x = 1\nfinal_answer(2)", ("go", "x = 1\nfinal_answer(2)")),
])
def test_drafts_and_answers_in_prose(text, action): assert parse_action(text) == action


@pytest.mark.parametrize("text", [
    "<think>hm\n```py\nx = 1\n```", "Then I call final_answer('x').", "- final_answer('x') ends it",
    "final_answer('x", "final_answer(the town)", "Observation: 1\nfinal_answer(1)"])
def test_plans_and_endless_drafts_are_no_actions(text):
    with pytest.raises(ParseError): parse_action(text)


def test_hostile_drafts_do_not_stop_the_parser():
    for text in "<think>" * 50_000, "</think>\n" * 50_000, " \n" * 100_000, "final_answer(" * 20_000, \
                "final_answer(" + ")." * 50_000, "<thinking></think>" * 20_000, "\t" * 200_000 + "</think":
        start = time.process_time()
        try: parse_action(text)
        except ParseError: pass
        assert time.process_time() - start < 5


# a real small model

def _mint():
    folder = Path(os.environ.get("AGENT_DISTILL_DATA", "../shared/data")) / "checks"
    files = sorted(folder.glob("codeact_trajectories_*.jsonl"))
    if not files: pytest.skip(f"no recorded CodeAct runs in {folder} (AGENT_DISTILL_DATA)")
    for f in files:
        for line in f.read_text().splitlines():
            yield from (m["content"] for m in json.loads(line)["messages"] if m["role"] == "assistant")


def test_recorded_runs_of_a_small_model():
    "No crash, first action only, what was written after it is cut, invented observations too"
    turns, actions, programs, several, went_on = 0, 0, 0, 0, 0
    for raw in _mint():
        turns += 1
        try: thought, code = parse_action(adapt_tags(raw))
        except ParseError: continue
        actions += 1
        programs += is_program(code)
        assert parse_action(render_action(thought, code)) == (thought, code)
        assert not re.search(r"^\s*(Observation|Thought|Code):", code, re.M) and "```" not in code
        first, _, rest = raw.partition("</execute>")
        if "<execute>" in first and "<solution>" not in first: assert code.split() == first.split("<execute>")[1].split()
        several += raw.count("<execute>") + raw.count("<solution>") > 1
        went_on += bool(rest.strip())
        dream = raw.replace("</execute>", "") + "\nObservation:\nIt is Oslo.\n<execute>\nanswer = 'Oslo'\n</execute>"
        assert "Oslo" not in render_action(*parse_action(adapt_tags(dream)))
    assert turns > 600 and actions / turns > 0.97 and programs / actions > 0.95
    assert several > 20 and went_on > 40


# properties of any text

hypothesis = pytest.importorskip("hypothesis", reason="the property tests need hypothesis, which [dev] installs")
from hypothesis import given, settings, strategies as st

SNIPPETS = ("```", "```py\n", "```python\n", "```bash\n", "```json", "Thought: ", "Code:", "Code:\n", "Observation: 3\n", "<end_code>",
            "<think>", "</think>\n", "final_answer(1)\n", 'final_answer("a") ', "x = 1\n", "print(x)\n", "    y()\n", "\n", "ls -la\n", "(", "'" * 3, "`")
turns = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=12), max_size=14).map("".join)
words = st.text(st.characters(codec="utf-8", exclude_characters="`:<\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=60).map(str.strip)
names = st.sampled_from(["x", "total", "passages"])
values = st.integers().map(str) | st.text("abc \"'\\{}[]#", max_size=9).map(repr)
lines = st.one_of(st.builds("{} = {}".format, names, values), st.builds("print({})".format, values),
                  st.builds("for i in range({}):\n    print(i, {})".format, st.integers(0, 9), names), st.builds("final_answer({})".format, values))
programs = st.lists(lines, min_size=1, max_size=4).map("\n".join)
many = settings(max_examples=300, deadline=None, derandomize=True)   # the same texts everywhere


@many
@given(turns)
def test_any_text_is_an_action_or_a_parse_error(text):
    try: thought, code = parse_action(text)
    except ParseError as e: return_ok = "```py" in str(e) and len(str(e)) < 300
    else: return_ok = bool(code.strip()) and "```" not in code and not re.search(r"^[ \t]*(Thought|Code|Observations?):", code, re.M)
    assert return_ok


@many
@given(turns)
def test_what_was_parsed_is_parsed_the_same_again(text):
    try: first = parse_action(text)
    except ParseError: return
    again = parse_action(render_action(*first))
    assert again.code == first.code


@many
@given(words, programs)
def test_canonical_turns_come_back_whole(thought, code): assert parse_action(render_action(thought, code)) == (thought, code)


@many
@given(words, programs, turns)
def test_nothing_after_the_action_counts(thought, code, rest):
    turn = render_action(thought, code)
    assert parse_action(turn + rest) == (thought, code)
    assert parse_action(turn.replace(END_CODE, "") + "\nObservation: " + rest) == (thought, code)


@many
@given(turns)
def test_an_invented_observation_leaves_no_trace(text):
    own = own_turn(text)
    assert not re.search(r"^[ \t]*Observations?:", own, re.M | re.I) and END_CODE not in own


@many
@given(turns, turns)
def test_thinking_is_never_run(draft, text):
    clean = draft.replace("<", "").replace("\n", " ")
    def code(t):
        try: return parse_action(t)
        except ParseError: return None
    assert code(f"<think>{clean}</think>\n{text}") == code("\n" + text)
