"Prompts and actions: the parser's policies, properties of any text, turns of a real small model"
import io, json, os, re, time, tokenize
from pathlib import Path

import pytest

from agent_distill.actions import *


def search(query: str) -> str:
    "passages of the encyclopedia about the query"


def act(code, thought="Now."): return render_action(thought, code)


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


@pytest.mark.parametrize("text, thought, code", [
    # the block after `Code:` is meant, a fence before it is thought
    ("Thought: no\n```py\nx = 0\n```\nbut\nCode:\n```py\nx = 1\n```", "no\n```py\nx = 0\n```\nbut", "x = 1"),
    ("```\nx = 0\n```\n**Code:**\n\n```tool\nx = 1\n```", "```\nx = 0\n```", "x = 1"),
    ("the ``` mark\nCode:\n```py\nx = 1\n```", "the ``` mark", "x = 1"),
    ("```py\nx = 1\n```\nThought: b\nCode:\n```py\nx = 2\n```", "", "x = 1"),
    ("Code:\n```py\nx = 1\n```\nCode:\n```py\nx = 2\n```", "", "x = 1"),
    ("```json\n{}\n```\nThought: b\nCode:\n```py\nx = 2\n```", "```json\n{}\n```\nThought: b", "x = 2"),
    # what stands on the fence's line
    *[(f"```{info}\nx = 1\n```", "", "x = 1") for info in (
        "python {.line-numbers}", "{python}", "{.python .numberLines}", "python{1,3}", "python:main.py", " python", "python3.11",
        "Python 3", 'python title="a b.py"', "py linenums=1", "py hl_lines='1 2' title=a", "ipython3", "py showLineNumbers",
        "python # a.py", "tool {.wide}", "{python, echo=False}", "python [a.py]")],
    ("```py title='a'\nprint(title)\n```", "", "title='a'\nprint(title)"),
    ("```py title='a'\n```", "", "title='a'"),
    ("```py for i in range(3):\n    print(i)\n```", "", "for i in range(3):\n    print(i)"),
    ('```py x = """\na"""\n```', "", 'x = """\na"""'),
    # longer fences
    ("````py\nx = 1\n````", "", "x = 1"), ("`````\nprint('```', '````')\n`````" + END_CODE, "", "print('```', '````')"),
    ("````md\n```py\nx = 1\n```\n````", "````md", "x = 1"), ("```py\nx = 1\n````", "", "x = 1"),
    # fences and labels in strings and comments
    *[(f"Code:\n```py\n{code}\n```{end}", "", code)
      for end in ("", END_CODE, "\nObservation: 5\nThought: b\nCode:\n```py\ny = '''1'''\n```")
      for code in ("print('```')", 'f("```py\\nx\\n```")\ng(1)', "x = '\\'```'", "x = 1  # it's ``` so\ny = 2", "print('<end_code>')",
                   "s = '''\n```\nThought: a\nObservation: 3\nCode: b\n<think>\n```\n'''\nprint(s)", 's = """\nObservation: 3"""',
                   "s = 'a\\\nObservation: 3'", "print('<|im_end|>')")],
    ("Code:\n```py\nx = 1  # one```", "", "x = 1  # one"),
    ("Code:\n```py\nprint('it's)\n```\nObservation: it's", "", "print('it's)"),
    ("Code:\n```py\n'''abc\n```\nObservation: 5\nCode:\n```py\nx = '''a'''\n```", "", "'''abc"),
    # tags
    *[(f"Thought: go\n{before}<code>{code}{after}", "go", "x = 2\nf(x)") for before in ("", "Code:\n", "Code: ", "  ")
      for code in ("\nx = 2\nf(x)\n", "x = 2\nf(x)", "\n```py\nx = 2\nf(x)\n```\n") for after in ("</code>", "</code>" + END_CODE, "")],
    ("<CODE>\nx = '</code>'\nf(x)\n</CODE> and <code>\ny\n</code>", "", "x = '</code>'\nf(x)"),
    ("<code class='py'>\nx = (\n</code>\nso", "", "x = ("), ("so <code>\nx = 1\n</code>", "so", "x = 1"),
    ("no\n```py\nx = 0\n```\n<code>\nx = 1\n</code>", "no\n```py\nx = 0\n```", "x = 1"),
    ("the <code>f(1)</code> way\nCode:\n```py\nx = 1\n```", "the <code>f(1)</code> way", "x = 1"),
    # others' words after the action
    *[(f"Code:\n```py\nx = 1\n```{rest}\nCode:\n```py\nx = 2\n```", "", "x = 1")
      for rest in ("User: ok", " Human: ok", "<|im_end|>", "</s>")],
    ("Code:\n```py\nx = 1<|im_end|>\n<|im_start|>user\n```", "", "x = 1"), ("Code: x = 1<|eot_id|>user", "", "x = 1"),
    ("The user: says so\n```py\nx = 1\n```", "The user: says so", "x = 1"),
])
def test_policies(text, thought, code):
    assert parse_action(text) == (thought, code)
    assert parse_action(render_action("", code)).code == code


@pytest.mark.parametrize("text, message", [
    *[(text, "empty") for text in (
        "Code:\n```py```", "```python```", "```py" + END_CODE, "``` py\n```", "```Python3", "```json```", "<code></code>", "<code>\n",
        "````py\n````", "```py\nx = 1\n```\nCode:\n```py\n```", "```Thought: a", "```py Thought: a")],
    *[(f"{said}\nCode:\n```py\nfinal_answer(42)\n```", "no code") for said in (
        "I ask. User: 42", "I ask! Human: 42", "I ask. Observation: 42", "User: 42", "a<|im_end|>", "a<|im_start|>user 42",
        "a [INST] 42 [/INST]", "a<end_of_turn> 42", "a<｜User｜>42", "a</s>42")],
    ("a<|im_end|>user\nfinal_answer(1)", "no code"), ("a. User: go\nfinal_answer(1)", "no code"), ("a. User: b\n<code>\nx = 1", "no code"),
    ("I use <code>print(1)</code> here", "no code"), ("```bash {.wide}\nls -la\n```", "marked 'bash'"),
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
                "final_answer(" + ")." * 50_000, "<thinking></think>" * 20_000, "\t" * 200_000 + "</think", \
                "```py\n#" + "`" * 100_000, "```py\n# " + "``` " * 30_000, "```py\n'''\n```\n" * 10_000, '"' * 99_999, "```py\n" + "'" * 99_999, \
                "```py\nx\n```\nCode:\n" * 9_000, "```py\n" + '"\\' * 50_000, "```py\n" + "'\\" * 50_000, "<code>" * 30_000, "<code " * 30_000, "Code:\n" * 30_000, "." + " " * 100_000, "```py\n" * 20_000, \
                "````md\n```\n" * 9_000, "```" + "x=" * 50_000, "```py " + "id=" * 30_000 + "\nx":
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
            "<think>", "</think>\n", "final_answer(1)\n", 'final_answer("a") ', "x = 1\n", "print(x)\n", "    y()\n", "\n", "ls -la\n", "(", "'" * 3, "`", "````",
            '"""\n', "<code>", "</code>\n", "# ", "'", "User: ", "<|im_end|>", "py", " {.a}")
turns = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=12), max_size=14).map("".join)
words = st.text(st.characters(codec="utf-8", exclude_characters="`:<\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=60).map(str.strip)
names = st.sampled_from(["x", "total", "passages"])
values = st.integers().map(str) | st.text("abc \"'\\{}[]#", max_size=9).map(repr)
lines = st.one_of(st.builds("{} = {}".format, names, values), st.builds("print({})".format, values),
                  st.builds("for i in range({}):\n    print(i, {})".format, st.integers(0, 9), names), st.builds("final_answer({})".format, values))
programs = st.lists(lines, min_size=1, max_size=4).map("\n".join)
many = settings(max_examples=300, deadline=None, derandomize=True)   # the same texts everywhere


def clean(code):
    "No mark is left in the code, but in strings and comments of code that is Python"
    def marked(text): return "```" in text or re.search(r"^[ \t]*(Thought|Code|Observations?):", text, re.M)
    if not marked(code): return True
    try: tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError): return False
    inner = (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1))
    return not any(marked(t.string) for t in tokens if t.type not in inner)


@many
@given(turns)
def test_any_text_is_an_action_or_a_parse_error(text):
    try: thought, code = parse_action(text)
    except ParseError as e: return_ok = "```py" in str(e) and len(str(e)) < 300
    else: return_ok = bool(code.strip()) and clean(code)
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
