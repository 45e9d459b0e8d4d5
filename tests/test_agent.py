"The agent: prompts, parser, vote, loop, resume, page"
import asyncio, json, os, re, time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent_distill.agent import *
from agent_distill.agent import Candidate
from agent_distill.profile import AgentDistillError, Records
from agent_distill.questions import Question
from agent_distill.sandbox import Limits, Sandbox


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return f"[1] {query}: {query} was born in Kelden."


def act(code, thought="Now."): return render_action(thought, code)


def question(i=0): return Question(f"q{i}", "mini-hotpot", "fact", f"Where was person {i} born?", "Kelden")


class Scripted:
    "Plays `script[k]` (a list of turns) at step k of any question; the k-th sample gets the k-th turn"
    def __init__(self, *script): self.script, self.calls = script, []
    async def generate(self, messages, n=1, prefix="", seed=None, **kw):
        k = sum(m["role"] == "assistant" for m in messages)
        self.calls.append(dict(messages=[dict(m) for m in messages], n=n, prefix=prefix, seed=seed, **kw))
        turns = self.script[k]
        return [Completion(turns[i % len(turns)], 10, 50, -0.1 * (i + 1), "stop") for i in range(n)]


FIND = [act('print(search("Ada Voss"))')]
END = [act('final_answer("Kelden")')]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(tools=[search]) as s: yield s


def run(coro): return asyncio.run(coro)


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


def _mint():
    folder = Path(os.environ.get("AGENT_DISTILL_DATA", "../shared/data")) / "checks"
    files = sorted(folder.glob("codeact_trajectories_*.jsonl"))
    if not files: pytest.skip(f"no recorded CodeAct runs in {folder} (AGENT_DISTILL_DATA)")
    for f in files:
        for line in f.read_text().splitlines():
            yield from (m["content"] for m in json.loads(line)["messages"] if m["role"] == "assistant")


def _adapt(text):
    "MINT's tags as ours"
    text = re.sub(r"^\s*Assistant:\s*|</?thought>", "", text)
    text = text.replace("<execute>", "Code:\n```py").replace("</execute>", "```<end_code>")
    return re.sub(r"<solution>(.*?)</solution>", lambda m: act(f"final_answer({m[1].strip()!r})", ""), text,
                  flags=re.S)


def test_recorded_runs_of_a_small_model():
    turns, actions, programs = 0, 0, 0
    for raw in _mint():
        turns += 1
        try: thought, code = parse_action(_adapt(raw))
        except ParseError: continue
        actions += 1
        programs += is_program(code)
        assert parse_action(render_action(thought, code)) == (thought, code)
        assert not re.search(r"^\s*(Observation|Thought|Code):", code, re.M) and "```" not in code
        first = re.search(r"<execute>(.*?)(?:</execute>|\Z)", raw, re.S)
        if first and "<solution>" not in raw[:first.start()]: assert code.split() == first[1].split()
    assert turns > 600 and actions / turns > 0.97 and programs / actions > 0.95


# observations and votes

def test_observation_text(sandbox):
    with sandbox.session() as s:
        say = lambda code: observation_text(s.run(code))
        assert say("print('a'); 5") == "a"
        assert say("40 + 2") == "42"
        assert say("x = 1") == "(no output)"
        assert say("print(1)\nundefined").startswith("1\nError: NameError: name 'undefined'")
        assert "line 2" in say("print(1)\nundefined")
        long = say("print('a' * 50_000 + 'end')")
        assert len(long) < 2100 and "characters cut" in long and long.endswith("end")


def cand(session, code, logprob): return Candidate("", "", code, 1, logprob, outcome=session.try_all([code])[0])


def test_vote(sandbox):
    with sandbox.session() as s:
        a, b, c = cand(s, "final_answer(17)", -.1), cand(s, "final_answer(42)", -.3), cand(s, 'final_answer("42")', -.4)
        bad, worse = cand(s, "1/0", -.05), cand(s, "undefined", -.5)
        text = Candidate("hm", "hm", "", 1, -.01, error="no code")
        assert vote([a, b, c, bad, text]) is b              # final answers are voted on; the likelier of a group
        assert vote([a, b]) is a                            # a tie: the more probable
        assert vote([worse, a, bad]) is a                   # a failure never wins against a valid one
        assert vote([worse, bad]) is bad                    # all failed: the most probable
        assert cand(s, "print(1)", 0).key != cand(s, "1", 0).key
        assert cand(s, "final_answer(1)", 0).key != cand(s, "print(end='')", 0).key


def test_candidates_share_a_state_and_not_their_traces(sandbox):
    with sandbox.session() as s:
        s.run("items = []")
        same = [read_candidate(Completion(act("items.append(1); print(len(items))"), 1, 1, -.1, "stop"))] * 4
        assert try_candidates(s, same).observation.strip() == "1"
        assert s.run("print(len(items))").logs.strip() == "1"


# the loop

def test_solve(sandbox):
    engine, seen = Scripted(FIND, END), []
    t = run(solve(question(), engine, sandbox, seed=5, max_new_tokens=77, on_step=seen.append))
    assert (t.answer, t.stop, t.seed) == ("Kelden", "final", 5) and seen == t.steps
    assert [m["role"] for m in t.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert t.messages[0]["content"] == short_prompt([search]) and t.messages[1]["content"] == question().question
    assert t.messages[3]["content"] == "Observation:\n[1] Ada Voss: Ada Voss was born in Kelden."
    assert [s.outcome for s in t.steps] == ["ok", "final"] and t.steps[0].candidates == []
    assert t.usage == dict(prompt_tokens=100, completion_tokens=20, requests=2, searches=1)
    assert engine.calls[0]["stop"] == STOP and engine.calls[0]["max_new_tokens"] == 77
    assert len({c["seed"] for c in engine.calls}) == 2


def test_invented_observations_are_never_kept(sandbox):
    dream = FIND[0].replace("<end_code>", "") + "\nObservation: born in Oslo\n" + act('final_answer("Oslo")')
    t = run(solve(question(), Scripted([dream], END), sandbox))
    assert t.answer == "Kelden" and "Oslo" not in json.dumps(t.to_row())


def test_prefix_opens_the_first_turn_only(sandbox):
    for n in 1, 4:
        engine = Scripted(["I look it up.\n" + act("print(1)", "")], END)
        t = run(solve(question(), engine, sandbox, n=n, prefix="Thought: Two facts.\n\n"))
        assert [c["prefix"] for c in engine.calls] == ["Thought: Two facts.\n\n", ""]
        assert t.messages[2]["content"] == act("print(1)", "Two facts.\n\nI look it up.")
        assert t.prefix == "Thought: Two facts.\n\n"
        assert not t.messages[4]["content"].startswith(t.prefix)
        assert all(c["thought"].startswith("Two facts.") for c in t.steps[0].candidates)


def test_sag_steps_keep_their_candidates(sandbox):
    engine = Scripted([FIND[0], "prose", act("1/0"), FIND[0]], END)
    t = run(solve(question(), engine, sandbox, n=4, temperature=.4, top_p=.8))
    first = t.steps[0]
    assert [c["outcome"] for c in first.candidates] == ["ok", "parse_error", "error", "ok"]
    assert [c["votes"] for c in first.candidates] == [2, 0, 0, 2] and [c["chosen"] for c in first.candidates][0]
    assert first.invalid == 0.5 and first.tokens == 40 and t.answer == "Kelden"
    assert engine.calls[0]["n"] == 4 and engine.calls[0]["temperature"] == .4 and engine.calls[0]["top_p"] == .8


def test_bad_ends(sandbox):
    class Full:
        async def generate(self, messages, **kw): raise EngineError("the prompt has 2000 tokens", "context 1024")
    t = run(solve(question(), Full(), sandbox))
    assert (t.stop, t.answer) == ("error", None) and "2000 tokens" in t.meta["error"]
    t = run(solve(question(), Scripted(*[["hm"]] * 3), sandbox, max_steps=3))
    assert (t.stop, t.answer, len(t.steps)) == ("max_steps", None, 3)
    assert t.messages[-1]["content"].startswith("Observation:\nError: no code in this turn")


def test_a_timeout_is_something_to_learn_from():
    with Sandbox(tools=[search], limits=Limits(cpu_s=1, wall_s=3)) as sandbox:
        t = run(solve(question(), Scripted([act("while True: pass")], END), sandbox))
    assert t.steps[0].outcome == "timeout" and t.answer == "Kelden"
    assert t.messages[3]["content"].startswith("Observation:\nError: ")


def test_a_bug_is_not_recorded_as_an_answer(sandbox, tmp_path):
    class Bug:
        async def generate(self, messages, **kw): raise ZeroDivisionError
    records = Records(tmp_path / "r.jsonl")
    with pytest.raises(ZeroDivisionError): run_agents([question()], Bug(), sandbox, records=records)
    assert len(records) == 0


# many

def test_run_agents_resumes_and_keeps_order(sandbox, tmp_path):
    qs = [question(i) for i in range(9)]
    file = tmp_path / "r.jsonl"
    whole = run_agents(qs, Scripted(FIND, END), sandbox, seed=3)
    run_agents(qs[5:8], Scripted(FIND, END), sandbox, seed=3, records=Records(file))
    file.write_text(file.read_text() + '{"id": "q1", "torn')
    engine = Scripted(FIND, END)
    again = run_agents(qs, engine, sandbox, seed=3, records=Records(file))
    assert again == whole and len(engine.calls) == 2 * 6 and len(Records(file)) == 9
    assert len({t.seed for t in whole}) == 9 and [t.question for t in again] == qs


def test_one_failing_question_leaves_the_others(sandbox):
    class Picky(Scripted):
        async def generate(self, messages, **kw):
            if "person 3" in messages[1]["content"]: raise EngineError("too long")
            return await super().generate(messages, **kw)
    ts = run_agents([question(i) for i in range(6)], Picky(FIND, END), sandbox)
    assert [t.stop for t in ts] == ["final"] * 3 + ["error"] + ["final"] * 2


def test_concurrency_is_bounded_and_slow_questions_hold_nobody():
    now, most, order = 0, 0, []
    async def one(q):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(1.5 if q.id == "q0" else 0.05)
        now -= 1
        order.append(q.id)
        return Trajectory(q, [])
    qs = [question(i) for i in range(12)]
    assert [t.question for t in run_many(one, qs, concurrency=4)] == qs
    assert most == 4 and order[-1] == "q0"


def test_inside_a_running_loop(sandbox):
    async def cell(): return run_agents([question()], Scripted(FIND, END), sandbox)
    assert asyncio.run(cell())[0].answer == "Kelden"


def test_double_ids_are_refused(sandbox):
    with pytest.raises(AgentDistillError, match="'q0' is there twice"):
        run_agents([question(), question()], Scripted(END), sandbox)


def test_rows_load_with_datasets(sandbox, tmp_path):
    from datasets import load_dataset
    file = tmp_path / "r.jsonl"
    ts = run_agents([question(i) for i in range(3)], Scripted(FIND * 2 + ["prose"], END), sandbox, n=3,
                    records=Records(file))
    data = load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(data["id"]) == ["q0", "q1", "q2"] and data[0]["messages"][0]["role"] == "system"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert {r["id"]: Trajectory.from_row(r) for r in rows} == {t.question.id: t for t in ts}


# chain of thought

@pytest.mark.parametrize("text, answer", [
    ("a\n\nThe answer is Kelden.", "Kelden"), ("The answer is 3.5.", "3.5"), ("**The answer is: 7**", "7"),
    ("The answer is $12$.", "12"), (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"), (r"\boxed{1} no \boxed{2}.", "2"),
    ("The answer is A.\nWait. The answer is B.", "B"), ("nothing", None), (r"\boxed{1", None), ("", None),
    ("The final answer is St. Ives.", "St. Ives"), ("The answer is .", None)])
def test_cot_answer(text, answer): assert cot_answer(text) == answer


def test_run_cot():
    class Prose(Scripted):
        async def generate(self, messages, **kw): return [Completion(self.script[0], 9, 5, -.1, "stop")]
    t, = run_cot([question()], Prose("Well.\n\nThe answer is Oslo."))
    assert (t.answer, t.stop, t.steps) == ("Oslo", "final", [])
    assert [m["role"] for m in t.messages] == ["system", "user", "assistant"]
    assert t.messages[0]["content"] == cot_prompt() and t.usage["completion_tokens"] == 9


# HTML

class Tags(HTMLParser):
    "All tags and attributes of a page"
    def __init__(self, text):
        super().__init__()
        self.tags, self.attrs, self.open = [], [], []
        self.feed(text)
    def handle_starttag(self, tag, attrs): self.tags.append(tag); self.attrs += attrs


def test_page_escapes_what_models_and_passages_say(sandbox, tmp_path):
    evil = '"\'><script>alert(1)</script><img src=x onerror=alert(2)></pre></details>'
    q = Question("q<", evil, "fact", evil, evil)
    t = Trajectory(q, [], [Step(evil, evil, evil, "error", [dict(
        thought=evil, code=evil, observation=evil, outcome=evil, votes=1, logprob=-.1, tokens=1, chosen=True)])],
        answer=evil, stop=evil, meta={"error": evil})
    page = Tags(write_page({evil: [t]}, tmp_path / "p.html").read_text())
    assert page.tags.count("script") == 1 and "img" not in page.tags
    assert not [k for k, _ in page.attrs if k.startswith("on") or k in ("src", "href")]
    assert Tags(t._repr_html_()).tags.count("script") == 0


def test_page_is_self_contained_and_counts(sandbox, tmp_path):
    ts = run_agents([question(i) for i in range(4)], Scripted(FIND, END), sandbox)
    for t, score in zip(ts, (1.0, 0.0, None, 1.0)): t.score = score
    text = write_page({"agent": ts, "cot": ts[:1]}, tmp_path / "p.html").read_text()
    page = Tags(text)
    assert page.tags.count("article") == 5 and "http" not in text.replace("http-equiv", "")
    assert [v for k, v in page.attrs if k == "data-verdict"] == ["right", "wrong", "unscored", "right", "right"]
