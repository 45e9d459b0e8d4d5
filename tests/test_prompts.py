"What models are told, and the reader of answers on what models really write"
import gzip
import json
import os
from pathlib import Path

import pytest

from agent_distill.actions import parse_action
from agent_distill.profile import PROFILES
from agent_distill.prompts import *
from agent_distill.prompts import EXAMPLES


DATA = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2] / "shared/data"))


def search(query: str) -> str:
    "passages of the encyclopedia about the query"


def test_short_prompt_is_the_one_the_mini_models_were_trained_on():
    assert short_prompt([search]) == (
        "Solve the task. Write a Thought, then Code. Tools:\n"
        "search(query: str) -> str: passages of the encyclopedia about the query\n"
        "final_answer(answer): ends the task with the answer")
    assert cot_prompt() == cot_prompt("short", "math") == "Answer the question step by step."


def test_prompts_name_every_tool_once():
    def add(a: int, b: int = 2) -> int:
        """the sum

        of two numbers"""
    for prompt in short_prompt([search, add, final_answer]), long_prompt([search, add]):
        assert prompt.count("add(a: int, b: int = 2) -> int: the sum") == 1
        assert prompt.count("final_answer(answer): ends") == 1 and "of two numbers" not in prompt


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_names_a_prompt(name):
    kind = PROFILES[name].prompt
    assert agent_prompt(kind, [search]).count("search(query: str)") == 1
    assert ("boxed" in cot_prompt(kind, "math")) == (name != "mini")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e[0][:20])
def test_worked_examples_are_turns_that_the_loop_would_take(example):
    task, *steps = example
    text = example_text(*example)
    for thought, code, seen in steps:
        assert parse_action(f"Thought: {thought}\nCode:\n```py\n{code}\n```<end_code>") == (thought, code)
        assert code in text and (seen is None or seen in text)
    assert steps[-1][1].startswith("final_answer(") and len(steps) >= 2


def test_worked_examples_work(tmp_path):
    "The code of the examples does in the sandbox what the prompt says that it does"
    from agent_distill.sandbox import Sandbox
    passages = {}
    for _, *steps in EXAMPLES:
        for _, code, seen in steps:
            for line in code.splitlines():
                if line.startswith("print(search("): passages[line.split('"')[1]] = seen
    def search(query: str) -> str:
        "passages about the query"
        return passages[query]
    with Sandbox(tools=[search]) as box:
        for task, *steps in EXAMPLES:
            with box.session() as session:
                for _, code, seen in steps:
                    out = session.run(code)
                    if "search(" in code: assert out.status == "ok"
                    elif seen and seen.startswith("Error"): assert out.status == "error" and "comb" in out.error
                    elif seen: assert (out.status, out.logs.strip()) == ("ok", seen)
                    else: assert out.is_final


@pytest.mark.parametrize("text, answer", [
    ("a\n\nThe answer is Kelden.", "Kelden"), ("The answer is 3.5.", "3.5"), ("**The answer is: 7**", "7"),
    ("The answer is $12$.", "12"), (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"), (r"\boxed{1} no \boxed{2}.", "2"),
    ("The answer is A.\nWait. The answer is B.", "B"), ("nothing", None), (r"\boxed{1", None), ("", None),
    ("The final answer is St. Ives.", "St. Ives"), ("The answer is .", None),
    ("Answer: Paris", "Paris"), ("answer : Paris.", "Paris"), ("**Answer:** Paris", "Paris"), ("**Answer**: Paris", "Paris"),
    ("**Final Answer:** 42", "42"), ("### Final Answer:\n\n42", "42"), ("#### 42", "42"), ("2 + 2\n#### 1,200", "1,200"),
    ("Answer: yes\n\nThis answer is derived from the text.", "yes"),
    ('Therefore, the answer to the question "Who? Where? " is Radiohead.', "Radiohead"),
    ("the answer to the question is:\nThe San Joaquin River", "The San Joaquin River"),
    ("Therefore, the birthday of the Earl of Merioneth is 15 February 1801.", "15 February 1801"),
    ("A is B. Thus the two coaches were Brown and Hill.", "Brown and Hill"),
    ("It was so. Therefore, Slinzega comes from Puglia.", "Slinzega comes from Puglia"),
    ("He was born there. He died here.", None), ("Yes, both are of Armenian descent.", "Yes"), ("No one knows.", None), (r"\[ x = 3 \] Answer: \(x = 3\).", "x = 3"), ('Answer: "Spurs"', "Spurs")])
def test_cot_answer(text, answer): assert cot_answer(text) == answer


@pytest.mark.parametrize("text", ["Therefore, the birthday is 15 Feb", "Thus x is 4 and the"])
def test_a_text_that_was_cut_concludes_nothing(text): assert cot_answer(text, ended=False) is None


def test_real_chains_of_thought_have_answers():
    "Old texts of a 1.5B model that was asked for no form of answer: 89 of 98 were not read before"
    file = DATA / "real" / "teacher_cot.jsonl.gz"
    if not file.exists(): pytest.skip(f"no {file.name} under AGENT_DISTILL_DATA")
    rows = [json.loads(line) for line in gzip.open(file, "rt")]
    ended = [r for r in rows if r["stop"] == "final"]
    facts = [cot_answer(r["messages"][-1]["content"]) for r in ended if r["question"]["benchmark"] == "hotpotqa"]
    math = [cot_answer(r["messages"][-1]["content"]) for r in ended if r["question"]["benchmark"] == "math-medium"]
    assert sum(a is not None for a in facts) >= 80 and None not in math
