"The agent: vote, waves, loop, context, resume"
import asyncio, json, threading, time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import children

from agent_distill.actions import STOP, render_action
from agent_distill.agent import *
from agent_distill.agent import Candidate
from agent_distill.profile import AgentDistillError, Records
from agent_distill.prompts import cot_answer, cot_prompt, short_prompt
from agent_distill.questions import Question
from agent_distill.sandbox import Limits, Sandbox
from agent_distill.trajectories import Step, Trajectory


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return f"[1] {query}: {query} was born in Kelden."


def act(code, thought="Now."): return render_action(thought, code)


def question(i=0): return Question(f"q{i}", "mini-hotpot", "fact", f"Where was person {i} born?", "Kelden")


FIND = [act('print(search("Ada Voss"))')]
END = [act('final_answer("Kelden")')]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(tools=[search]) as s: yield s


def run(coro): return asyncio.run(coro)


@pytest.mark.parametrize("backend", ["fork", "replay"])
def test_a_cancelled_task_ends_its_candidates_at_once(backend):
    "Also when every thread of the loop waits for such a step; the tool is still asleep then"
    called, late, returned = threading.Semaphore(0), threading.Event(), []
    def stuck(i: int): called.release(); late.wait(8); returned.append(i)
    turns = Scripted([act(f"stuck({i})") for i in range(2)])
    async def cancelled(box):
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        task = asyncio.create_task(solve(question(), turns, box, n=2))
        for _ in range(2):
            while not called.acquire(blocking=False): await asyncio.sleep(.01)
        task.cancel()
        return await asyncio.gather(task, return_exceptions=True)
    with Sandbox([stuck], imports=["math"], backend=backend, allow_unsafe=backend == "replay") as box:
        assert isinstance(run(cancelled(box))[0], asyncio.CancelledError) and not returned
        while backend == "fork" and children(box.hub.process.pid): time.sleep(.01)
        with box.session() as s: assert s.run("1 + 1").value == "2"
        assert not returned
        late.set()


def test_a_script_that_ends_too_early_says_so(sandbox):
    engine = Scripted("prose", ["a", "b"])
    assert [c.text for c in run(engine.generate([dict(role="assistant", content="")], n=3))] == ["a", "b", "a"]
    with pytest.raises(AgentDistillError, match=r"Scripted\(2 turns, asked 4 times\) has nothing to say in step 3.*a turn for each step"):
        run(solve(question(), engine, sandbox))


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
        assert len(long) < 4100 and "characters cut" in long and long.endswith("end")


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
        assert cand(s, "print(1)", 0).outcome.key != cand(s, "1", 0).outcome.key
        assert cand(s, "final_answer(1)", 0).outcome.key != cand(s, "print(end='')", 0).outcome.key


@pytest.mark.parametrize("equal, other", [
    (["5", "'5'", "5.0", "'5.'", "' 5 '", "'5e0'", "'+5'"], ["6", "'6'"]), (["1000", "'1,000'", "1e3"], ["'1.000'"] * 2),
    (["0.0", "-0.0", "'-0'"], ["'zero'"] * 2), (["'Paris'", "' Paris'", "'Paris'"], ["'paris'"] * 2),
    (["print('so'), final_answer(5)", "5", "print('hm') or '5'"], ["6", "6"])])
def test_what_counts_as_one_answer(sandbox, equal, other):
    "Three that say the same in other words win over two, though the two are likelier"
    with sandbox.session() as s:
        those, few = ([cand(s, f"final_answer({o})", p - k) for k, o in enumerate(codes[:n])]
                      for codes, n, p in ((equal, len(equal), -9.), (other, 2, -1.)))
        assert len({c.outcome.key for c in those}) == 1 and vote(few + those) in those


@pytest.mark.parametrize("answers", [
    ["5", "'five'", "'5 km'", "'$5'", "'5%'", "[5]", "'1/5'", "True", "None", "'5,0'", "'5_0'", "'.'", "''", "'e5'", "'nan'"],
    ["0.1 + 0.2", "0.3"], ["10**16", "10**16 + 1", "1e17"], ["'1e999999999'", "'1e9999999999'", "'1e999999999999999999999'"]])
def test_what_does_not(sandbox, answers):
    "No tolerance, no units, no words; exponents of any size are compared at once"
    with sandbox.session() as s:
        assert len({cand(s, f"final_answer({o})", 0).outcome.key for o in answers}) == len(answers)


def test_candidates_share_a_state_and_not_their_traces(sandbox):
    with sandbox.session() as s:
        s.run("items = []")
        same = [read_candidate(Completion(act("items.append(1); print(len(items))"), 1, 1, -.1, "stop"))] * 4
        assert try_candidates(s, same).observation.strip() == "1"
        assert s.run("print(len(items))").logs.strip() == "1"


# waves

def test_lead_confidence_is_the_posterior():
    "Against an integral over the share of the leader"
    for a, b in (0, 0), (2, 1), (5, 0), (4, 3):
        grid = [(i + .5) / 20_000 for i in range(20_000)]
        mass = [p ** a * (1 - p) ** b for p in grid]
        assert lead_confidence(a, b) == pytest.approx(sum(m for p, m in zip(grid, mass) if p > .5) / sum(mass), abs=1e-4)


class Votes:
    "A candidate that voted"
    valid = True
    def __init__(self, key): self.key, self.outcome = key, self


@pytest.mark.parametrize("keys", ["aabbcc", "aaaabc", "abcabc", "aab", "aaaaaaaa", "abababab"])
def test_a_decided_vote_cannot_be_overturned(keys):
    "Whatever the samples still to come say, the key that leads wins"
    from itertools import product
    for seen in range(len(keys) + 1):
        left, so_far = len(keys) - seen, [Votes(k) for k in keys[:seen]]
        if not decided(so_far, left): continue
        leader = max("abc", key=[v.key for v in so_far].count)
        for rest in product("abcd", repeat=min(left, 4)):
            votes = [v.key for v in so_far] + list(rest) + ["d"] * (left - len(rest))
            assert all(votes.count(leader) > votes.count(k) for k in "abcd" if k != leader)


def solve_with(sandbox, turns, **how):
    engine = Scripted(turns, END)
    return engine, run(solve(question(), engine, sandbox, temperature=.4, **how))


def test_waves_stop_when_decided(sandbox):
    engine, t = solve_with(sandbox, FIND * 8, n=8, wave=2)
    assert [c["n"] for c in engine.calls] == [2, 2, 2, 2, 2, 2] and t.answer == "Kelden"   # 6 : 0 with 2 to come
    assert len(t.steps[0].candidates) == 6 and t.usage["completion_tokens"] == 120 and t.usage["requests"] == 6
    engine, t = solve_with(sandbox, FIND * 8, n=8, wave=2, confidence=.95)
    assert [c["n"] for c in engine.calls] == [2, 2, 2, 2]                                  # 4 : 0 is 97 %
    engine, t = solve_with(sandbox, ["prose"], n=5, wave=2)
    assert [c["n"] for c in engine.calls[:3]] == [2, 2, 1]                                 # failures decide nothing
    assert len({c["seed"] for c in engine.calls[:3]}) == 3


def test_the_first_wave_has_the_seed_of_all_at_once(sandbox):
    whole, _ = solve_with(sandbox, FIND * 8, n=8)
    waves, _ = solve_with(sandbox, FIND * 8, n=8, wave=4)
    assert whole.calls[0]["seed"] == waves.calls[0]["seed"]


def test_a_winner_of_an_early_wave_is_committed(sandbox):
    "Its state goes on, although later candidates ran after it"
    first = [act("x = 'early'; print(1)"), act("x = 'early'; print(1)"), act("x = 'late'; print(2)"), act("1/0")]
    class Turns(Scripted):
        async def generate(self, messages, n=1, **kw):
            k = sum(m["role"] == "assistant" for m in messages)
            turns = [first[len(self.calls) * 2:][:2], [act("print(x)")], END][k if k == 0 else k]
            self.calls.append(n)
            return [Completion(t, 1, 1, -.1, "stop") for t in (turns * n)[:n]]
    t = run(solve(question(), Turns(), sandbox, n=4, wave=2, confidence=.9))
    assert t.steps[1].observation == "early" and [c["votes"] for c in t.steps[0].candidates] == [2, 2, 1, 0]


def test_final_answers_are_voted_on_in_waves(sandbox):
    ends = [act("final_answer(17)"), act("final_answer(42)"), act("final_answer(6*7)"), act("final_answer(42)")]
    class Turns(Scripted):
        async def generate(self, messages, n=1, **kw):
            self.calls.append(n)
            return [Completion(ends.pop(0), 1, 1, -.1, "stop") for _ in range(n)]
    t = run(solve(question(), Turns(), sandbox, n=4, wave=2))
    assert t.answer == "42" and [c["votes"] for c in t.steps[0].candidates] == [1, 3, 3, 3]


def test_all_failed_the_most_probable_error_is_the_observation(sandbox):
    for how in dict(n=3), dict(n=3, wave=2):
        _, t = solve_with(sandbox, [act("undefined"), act("1/0"), "prose"], **how)
        assert t.steps[0].outcome == "error" and "NameError" in t.steps[0].observation   # the first: -0.1
        assert t.messages[3]["content"].startswith("Observation:\nError: NameError")


# a full context

class Narrow(Scripted):
    "Counts words as tokens; a prompt that leaves no room is refused, as real engines do"
    context = 300
    def prompt_ids(self, messages, prefix=""): return " ".join(m["content"] for m in messages).split()
    async def generate(self, messages, **kw):
        if len(self.prompt_ids(messages)) >= self.context: raise EngineError("the prompt is too long")
        return await super().generate(messages, **kw)


def test_the_oldest_observation_gives_way(sandbox):
    say = lambda word: [act(f"print('{word} ' * 120)")]
    engine = Narrow(say("alpha"), say("beta"), END)
    t = run(solve(question(), engine, sandbox, max_new_tokens=50))
    assert t.answer == "Kelden" and t.stop == "final"
    cut, = t.meta["shortened"]
    assert cut["before"] == 3 and cut["step"] == 1 and cut["was"] > 600 > 300 > cut["now"]
    assert "characters cut" in t.messages[3]["content"] and "alpha" in t.messages[3]["content"]
    assert t.messages[5]["content"].count("beta") == 120              # the newer one is whole
    assert t.steps[0].observation.count("alpha") == 120               # the record keeps what was read
    assert "the observation of step 1 was shortened" in t._repr_html_()


def test_a_full_context_of_a_real_model(sandbox):
    "Three long observations do not fit into 1,024 tokens; the two oldest give way, and the model answers"
    from agent_distill.engines import TransformersEngine
    chat = [dict(role="system", content=short_prompt([search])), dict(role="user", content=question().question)]
    for k in range(3): chat += [dict(role="assistant", content=FIND[0]), dict(role="user", content=f"Observation:\n{k}" + " Norvale" * 370)]
    t = Trajectory(question(), chat, [Step("", FIND[0], m["content"], "ok") for m in chat[3::2]])
    engine = TransformersEngine("mini-student")
    with pytest.raises(EngineError, match="tokens"): run(engine.generate(t.messages))
    with sandbox.session() as session: run(take_step(t, session, engine, max_new_tokens=96))
    assert [c["step"] for c in t.meta["shortened"]] == [1, 2] and len(t.steps) == 4
    assert len(engine.prompt_ids(chat[:8])) + 96 <= engine.context and chat[7]["content"].count("Norvale") == 370
    engine.close()


def test_a_question_that_is_too_long_by_itself_says_so(sandbox):
    q = Question("q", "b", "fact", "word " * 400, "x")
    t = run(solve(q, Narrow(END), sandbox))
    assert t.stop == "error" and "too long" in t.meta["error"] and "shortened" not in t.meta


def test_room_is_only_asked_where_an_engine_knows_it(sandbox):
    _, t = solve_with(sandbox, [act("print('word ' * 3000)")])
    assert "shortened" not in t.meta and room(Scripted(), t.messages) == float("inf")


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


def test_an_engine_bounds_what_is_under_way():
    class Batched: max_batch = 64
    assert [in_flight(Batched(), 256, n) for n in (1, 8, 16, 1000)] == [256, 32, 16, 1]
    assert in_flight(Batched(), 10, 8) == 10 and in_flight(object(), 77, 8) == 77


def test_no_more_questions_run_than_the_engine_holds(sandbox):
    class Few(Scripted):
        max_batch, now, most = 4, 0, 0
        async def generate(self, messages, **kw):
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(.05)
            self.now -= 1
            return await super().generate(messages, **kw)
    engine = Few(FIND, END)
    ts = run_agents([question(i) for i in range(20)], engine, sandbox, n=2, temperature=.4)
    assert 2 < engine.most <= 8 and all(t.answer == "Kelden" for t in ts)


def test_slow_tools_hold_nobody():
    "More questions wait in a slow tool than there are cores; a quick one passes them"
    gate, done = threading.Event(), []
    def wait(query: str) -> str:
        "waits"
        gate.wait(30)
        return query
    class Mixed(Scripted):
        async def generate(self, messages, **kw):
            if sum(m["role"] == "assistant" for m in messages): turn = END[0]
            else: turn = act("print('quick')") if "person 39" in messages[1]["content"] else act(f"wait('{len(self.calls)}')")
            self.calls.append(1)
            return [Completion(turn, 1, 1, -.1, "stop")]
    async def one(q):
        t = await solve(q, engine, box)
        done.append(q.id)
        if q.id == "q39": gate.set()
        return t
    engine = Mixed()
    with Sandbox(tools=[wait]) as box: ts = run_many(one, [question(i) for i in range(40)], concurrency=40)
    assert done[0] == "q39" and all(t.answer == "Kelden" for t in ts)


def test_tokens_of_a_step_are_limited(sandbox):
    engine = Scripted(FIND, END)
    run(solve(question(), engine, sandbox, n=4, wave=2, max_new_tokens=33))
    assert {c["max_new_tokens"] for c in engine.calls} == {33}


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
    t, = run_cot([question()], Scripted("Well.\n\nThe answer is Oslo."))
    assert (t.answer, t.stop, t.steps) == ("Oslo", "final", [])
    assert [m["role"] for m in t.messages] == ["system", "user", "assistant"]
    assert t.messages[0]["content"] == cot_prompt() and t.usage["completion_tokens"] == 10


# a turn is a thought and code

class Speaker:
    "Says `thoughts` and stops; asked to open its code, or to end `final_answer(`, it writes `code`"
    def __init__(self, *thoughts, code='final_answer("Kelden")\n```'):
        self.thoughts, self.code, self.calls = thoughts, code, []
    async def generate(self, messages, n=1, prefix="", seed=None, **kw):
        self.calls.append((prefix, n, seed))
        opened = prefix.endswith(("```py\n", "final_answer("))
        return [Completion(self.code if opened else self.thoughts[i], 4, 50, -1., "stop") for i in range(n)]

def test_a_thought_without_code_goes_on_with_code(sandbox):
    engine = Speaker(" It is Kelden.", " I print.\nCode:\n```py\nprint(1)\n```", " Hm.\nObservation: 3")
    t = run(solve(question(), engine, sandbox, n=3, hints=True))
    assert (t.answer, t.stop) == ("Kelden", "final")
    prefixes = [c[0] for c in engine.calls]
    assert prefixes[0] == "Thought:" and set(prefixes[1:]) == {
        "Thought: It is Kelden.\nCode:\n```py\n", "Thought: Hm.\nCode:\n```py\n"}
    assert len({c[2] for c in engine.calls}) == 3 and t.usage["requests"] == 3
    assert t.steps[0].candidates[0]["tokens"] == 8 and t.usage["completion_tokens"] == 20

def test_code_that_was_cut_is_not_continued(sandbox):
    engine = Speaker(" I print.\nCode:\n```py\nprint(", code='"Kelden")\n```')
    t = run(solve(question(), engine, sandbox, hints=True, max_steps=2))
    assert [c[0] for c in engine.calls][:2] == ["Thought:", "Thought:"] and len(engine.calls) == 3
    assert engine.calls[2][0].endswith("```py\nfinal_answer(") and t.answer == "Kelden"

def test_the_last_turn_thinks_and_then_answers(sandbox):
    "Whatever it wrote: code without an answer, half a block, nothing but a thought"
    for written in (" It is Kelden.\nCode:\n```py\nx = 1\n```", " It is Kelden.\nCode:\n```py\nx = (", " It is Kelden."):
        engine = Speaker(written, code='"Kelden")\n```')
        t = run(solve(question(), engine, sandbox, hints=True, max_steps=1))
        assert [c[0] for c in engine.calls] == ["Thought:", "Thought: It is Kelden.\nCode:\n```py\nfinal_answer("]
        assert (t.steps[-1].thought, t.answer) == ("It is Kelden.", "Kelden")

def test_a_last_turn_that_answers_is_left_alone(sandbox):
    engine = Speaker(" So.\nCode:\n```py\nx = 'Kelden'\nfinal_answer(x)\n```")
    t = run(solve(question(), engine, sandbox, hints=True, max_steps=1))
    assert len(engine.calls) == 1 and t.answer == "Kelden"

def test_models_without_hints_are_left_alone(sandbox):
    engine = Speaker("It is Kelden.")
    t = run(solve(question(), engine, sandbox, max_steps=2))
    assert [c[0] for c in engine.calls] == ["", ""] and t.stop == "max_steps"

def test_a_first_thought_begins_the_first_turn(sandbox):
    engine = Speaker(" And so on.")
    run(solve(question(), engine, sandbox, hints=True, prefix="Thought: I recall.", max_steps=1))
    assert engine.calls[0][0] == "Thought: I recall." and engine.calls[1][0].startswith("Thought: I recall. And so on.\nCode:")


def test_an_example_s_answer_is_refused_unless_it_was_seen(sandbox):
    "A real model that got nowhere answers with the number of an example in its prompt"
    from agent_distill.prompts import agent_prompt
    say = lambda code: f"Well.\nCode:\n```py\n{code}\n```"
    asked = lambda *said, q="?": run_async(solve(Question("q", "b", "math", q, "7"), Scripted(*said), sandbox, hints=True,
                                                 system=agent_prompt("examples", [], 5), max_steps=len(said)))
    t = asked(say("final_answer(46200)"), say("final_answer(7)"))
    assert t.answer == "7" and t.steps[0].outcome == "parse_error" and "example" in t.steps[0].observation
    t = asked(say("x = 1"), say(r'final_answer(r"3 + \sqrt{2}")'))
    assert (t.answer, t.stop) == (None, "max_steps")
    assert asked(say("print(46200)"), say("final_answer(46200)")).answer == "46200"
    assert asked(say("final_answer(46200)"), q="Is it 46200 or 7?").answer == "46200"
    assert asked(say('final_answer("no")')).answer == "no"
