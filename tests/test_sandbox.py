"""The branching sandbox: semantics, isolation, limits, hostile bytes, and nothing left behind."""
import asyncio, os, random, signal, subprocess, sys, threading, time
from pathlib import Path

import pytest

from agent_distill.profile import AgentDistillError
from agent_distill.sandbox import Frames, Limits, Sandbox, pack, read_message, tool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the branching sandbox needs Linux")
LIGHT = ("math", "random", "json", "time")
calls, gate = [], threading.Event()

def lookup(query: str) -> str: calls.append(query); return query.upper()
def fail(kind: str): raise {"value": ValueError, "key": KeyError}.get(kind, AgentDistillError)("no luck")
def wait_gate() -> bool: return gate.wait(20)
def open_gate() -> bool: gate.set(); return True
def doze(seconds: float) -> str: time.sleep(seconds); return "rested"
def echo(x): return x
@tool(read_only=False)
def publish(text: str) -> int: calls.append(text); return len(calls)

@pytest.fixture(scope="module")
def sandbox():
    tools = [lookup, fail, wait_gate, open_gate, doze, echo, publish]
    with Sandbox(tools, LIGHT, Limits(cpu_s=1, memory_mb=200, tool_calls=5)) as s: yield s

@pytest.fixture(scope="module")
def full():
    with Sandbox() as s: yield s

@pytest.fixture
def session(sandbox):
    calls.clear(); gate.clear()
    with sandbox.session() as s: yield s

def alive(pid):
    "Is there such a process, other than a zombie?"
    try: return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError): return False

def gone(pid, seconds=15):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end: time.sleep(.02)
    return not alive(pid)

def children(pid):
    "Process ids whose parent is `pid`, zombies included"
    found = []
    for p in Path("/proc").glob("[0-9]*/stat"):
        try: fields = p.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError): continue
        if int(fields[1]) == pid: found.append(int(p.parent.name))
    return found

# --- semantics

def test_addresses_are_not_shown(session):
    o = session.run("print(lookup, object())\ndef f(): raise ValueError(f)\nf")
    assert "function lookup at 0x...>" in o.logs and "object at 0x...>" in o.logs
    assert o.value == "<function f at 0x...>" and "at 0x...>" in session.run("f()").error
    assert session.run("'jump at 0x7f00'").value == "'jump at 0x7f00'"

def test_state_values_and_logs(session):
    assert session.run("x = 20\nprint('hi')").logs == "hi\n"
    o = session.run("x + 1")
    assert (o.status, o.logs, o.value, o.is_final, o.answer, o.error) == ("ok", "", "21", False, None, "")
    assert session.run("None").value == "" and session.run("'a'").value == "'a'"
    assert session.run("def f(n): return n and n * f(n - 1)\nclass A:\n    y = 3").status == "ok"
    assert session.run("[A.y for _ in range(2)], next(i for i in range(9) if i > 4)").value == "([3, 3], 5)"
    assert session.run("x = 99\n1 / 0").status == "error" and session.run("x").value == "99"

@pytest.mark.parametrize("code, error", [
    ("a = 1\nx", "NameError: name 'x' is not defined (line 2)"),
    ("def f():\n    return 1 / 0\n\nf()", "ZeroDivisionError: division by zero (line 2)"),
    ("x = (1,\ny = 2", "SyntaxError: '(' was never closed (line 1)"),
    ("assert False", "AssertionError (line 1)"),
    ("import os", "ImportError: 'os' is not available; you can import math, random, json, time (line 1)"),
    ("from json import nothing", "ImportError: cannot import name 'nothing' from 'json'"),
    ("open('/etc/passwd')", "PermissionError: open() is not available in the sandbox (line 1)"),
    ("raise SystemExit(3)", "SystemExit: 3 (line 1)"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt (line 1)"),
    ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "E (line 3)"),
    ("x" * 300_000, "SyntaxError: the code is too long (line 1)"),
    ("a = '\0'", None), ("(" * 5000, None), ("x = 5 +", "SyntaxError: invalid syntax (line 1)")])
def test_errors_say_what_and_where(session, code, error):
    o = session.run(code)
    assert o.status == "error" and (error is None or o.error.startswith(error))
    assert session.run("1 + 1").value == "2"

@pytest.mark.parametrize("code, answer", [
    ("final_answer(42)", 42), ("final_answer(answer='a')", "a"), ("final_answer(None)", None),
    ("final_answer([1, (2.5, {'k': {3}})])", [1, [2.5, {"k": [3]}]]), ("final_answer(float('nan'))", "nan"),
    ("final_answer(object)", "<class 'object'>"), ("final_answer('\\ud800')", "?"),
    ("try: final_answer(1)\nexcept Exception: pass\nfinal_answer(2)", 1),
    ("try: final_answer(1)\nexcept: pass\nfinal_answer(2)", 1), ("final_answer(1)\n1 / 0", 1)])
def test_final_answer(session, code, answer):
    o = session.run(code)
    assert (o.status, o.is_final, o.answer) == ("ok", True, answer)

@pytest.mark.parametrize("code", ["final_answer('x' * 70_000)", "final_answer(10**5000)",
                                  "a = []; a.append(a); final_answer(a)", "final_answer()"])
def test_answers_that_cannot_be(session, code):
    o = session.run(code)
    assert (o.status, o.is_final, o.answer) == ("error", False, None) and o.error

def test_numbers_of_numpy_and_sympy(full):
    pytest.importorskip("numpy"); pytest.importorskip("sympy")
    with full.session() as s:
        s.run("import numpy as np, sympy as sp\nx = sp.Symbol('x')")
        codes = {"np.float64(2.5)": 2.5, "np.arange(3)": [0, 1, 2], "np.int8(3) + 1": 4, "sp.Integer(7)": 7,
                 "sp.Rational(1, 3)": "1/3", "sp.Float(.5)": .5, "sp.solve(x**2 - 2, x)": ["-sqrt(2)", "sqrt(2)"],
                 "np.bool_(True)": True, "sp.true": True}
        outcomes = s.try_all([f"final_answer({c})" for c in codes])
        assert [o.answer for o in outcomes] == list(codes.values())

# --- branching

def test_candidates_neither_see_nor_change_each_other(session):
    session.run("x = [1]")
    outcomes = session.try_all([f"x.append({i}); x" for i in range(4)])
    assert [o.value for o in outcomes] == [f"[1, {i}]" for i in range(4)]
    session.commit(outcomes[2])
    assert session.run("x").value == "[1, 2]"
    assert session.try_all([]) == []

def test_equal_candidates_agree_on_everything(session):
    session.run("total = 0; import random; random.seed(5)")
    outcomes = session.try_all(["total += 5\nprint(total, random.random())\n{'b', 'a', 'c'}"] * 4)
    assert len({o.key for o in outcomes}) == 1 and outcomes[0].status == "ok"
    state = random.Random(5)
    assert outcomes[0].logs == f"5 {state.random()}\n"
    session.commit(outcomes[1])
    assert session.run("random.random()").value == repr(state.random())

def test_numpy_draws_alike(full):
    pytest.importorskip("numpy")
    with full.session() as s:
        s.run("import numpy as np; np.random.seed(1); g = np.random.default_rng(2)")
        assert len({o.value for o in s.try_all(["np.random.rand(), g.random()"] * 3)}) == 1

def test_the_winner_goes_on_and_runs_once(session):
    outcomes = session.try_all(["pid = random._os.getpid()\npid" if i else "import random\npid = 1\n"
                                for i in range(1)] + ["import random\npid = random._os.getpid()\npid"] * 2)
    session.commit(outcomes[2])
    before = session.root.pid
    assert str(before) == outcomes[2].value and session.run("pid").value == outcomes[2].value
    assert gone(before) and gone(int(outcomes[1].value)), "the root of the last step and the losers end"

def test_commit_takes_one_outcome_of_the_last_try_once(sandbox, session):
    old = session.try_all(["1"])[0]
    new = session.try_all(["2"])[0]
    with pytest.raises(AgentDistillError, match="cannot be committed"): session.commit(old)
    session.commit(new)
    with pytest.raises(AgentDistillError, match="cannot be committed"): session.commit(new)
    with sandbox.session() as other, pytest.raises(AgentDistillError): other.commit(session.try_all(["3"])[0])

def test_keys_do_not_vote_by_logs_alone(session):
    outcomes = session.try_all(["x = 1", "1", "2", "final_answer(1)", "final_answer(2)", "1 / 0",
                                "import random; random._os.abort()"])
    assert len({o.logs for o in outcomes}) == 1 and len({o.key for o in outcomes}) == len(outcomes)

# --- limits; the session lives on

FORK_BOMB_SAFE = "import random\npid = random._os.fork()\nif pid == 0:\n    while True: pass\n"

@pytest.mark.parametrize("code, status, error", [
    ("while True: pass", "timeout", "TimeoutError: the step took more than 1 s of CPU"),
    ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", "timeout", ""),
    ("print('x' * 70_000)", "flooded", "OutputError: more than 65,536 bytes printed"),
    ("while True:\n    try: print('é' * 999)\n    except BaseException: pass", "flooded", "OutputError"),
    ("import random; random._os.kill(random._os.getpid(), 11)", "crashed", "the process was ended by SIGSEGV"),
    ("import random; random._os._exit(3)", "crashed", "the process exited with code 3"),
    ("x = bytearray(300 << 20)", "error", "MemoryError"),
    ("def f(n): return f(n + 1)\nf(0)", "error", "RecursionError"),
    ("import random\nrandom._os.closerange(3, 99)\nwhile True: pass", "crashed", "")])
def test_limits(session, code, status, error):
    session.run("x = 7")
    o = session.run(code)
    assert o.status == status and error in o.error
    assert len(o.logs.encode()) <= 65536
    assert session.run("x").value == "7"

def test_the_clock_on_the_wall():
    with Sandbox([doze], ["time"], Limits(wall_s=3, tool_s=30)) as sandbox, sandbox.session() as s:
        stuck, waited = s.try_all(["import time\ntime.sleep(60)", "doze(4.)"])
        assert (stuck.status, stuck.error) == ("timeout", "TimeoutError: the step took more than 3 s")
        assert (waited.status, waited.value) == ("ok", "'rested'"), "waiting for a tool is not counted"

def test_a_winner_that_dies_later_is_told(session):
    o = session.try_all(["import random\nrandom._os.kill(random._os.getppid(), 0)\nx = random._os.getpid()\nx"])[0]
    os.kill(int(o.value), signal.SIGKILL)
    assert gone(int(o.value))
    end = time.monotonic() + 10
    while session.live[0][1].state == "idle" and time.monotonic() < end: time.sleep(.01)
    assert session.commit(o).status == "crashed"
    assert session.run("1").value == "1"

# --- tools

def test_equal_searches_cost_one_call(session):
    outcomes = session.try_all(["lookup('same')"] * 6 + ["lookup(query='same')"])
    assert {o.value for o in outcomes} == {"'SAME'"} and calls == ["same"]
    assert outcomes[0].tool_calls[0]["args"] == {"query": "same"} and not outcomes[0].tool_calls[0]["error"]

def test_a_slow_tool_does_not_hold_its_siblings_up(session):
    outcomes = session.try_all(["wait_gate()"] * 3 + ["1"] * 4 + ["open_gate()"])
    assert [o.value for o in outcomes] == ["True"] * 3 + ["1"] * 4 + ["True"]

@pytest.mark.parametrize("code, error", [
    ("lookup(3)", "TypeError: lookup() argument 'query' must be str, not int (line 1)"),
    ("lookup()", "TypeError: lookup() missing a required argument: 'query' (line 1)"),
    ("lookup('a', 'b')", "TypeError: lookup() too many positional arguments (line 1)"),
    ("fail('value')", "ValueError: no luck (line 1)"), ("fail('key')", "KeyError: 'no luck' (line 1)"),
    ("fail('?')", "RuntimeError: AgentDistillError: no luck (line 1)"),
    ("echo('x' * 2_000_000)", "ValueError: a message of"),
    ("for i in range(9): echo(i)", "RuntimeError: no more than 5 tool calls in one step (line 1)")])
def test_tool_errors_are_python_errors(session, code, error):
    assert session.run(code).error.startswith(error)

def test_tool_errors_can_be_caught(session):
    assert session.run("try: fail('value')\nexcept ValueError as e: print('caught', e)").logs == "caught no luck\n"
    assert session.run("echo([1, {'a': (2, None)}, 'é', 1.5])").value == "[1, {'a': [2, None]}, 'é', 1.5]"

def test_a_late_tool_becomes_an_error():
    with Sandbox([doze], [], Limits(tool_s=.3)) as sandbox, sandbox.session() as s:
        o = s.run("try: doze(2.)\nexcept TimeoutError as e: print(e)\n1")
        assert (o.logs, o.value) == ("doze() took more than 0.3 s\n", "1")
        assert "TimeoutError" in o.tool_calls[0]["error"]

def test_effects_only_when_nothing_is_being_tried(session):
    assert "PermissionError" in session.try_all(["publish('a')"])[0].error and calls == []
    assert session.run("publish('a')").value == "1" and session.run("publish('a')").value == "2"

# --- strangers' bytes

WRITE = "import random\nos = random._os\nfor fd in range(3, 20):\n    try: os.write(fd, %r)\n    except OSError: pass\n1"
DONE = dict(op="done", status="ok", logs="", value="", error="", is_final=True, answer=1, cpu_s=0., rss_bytes=1)

@pytest.mark.parametrize("data", [
    b"\xff" * 64, b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x01", pack(dict(op="exit", pid=1, status=0)),
    pack(DONE | dict(status="great")), pack(DONE | dict(answer=float("nan"))), pack(DONE | dict(logs=3)),
    pack(DONE) * 2, pack(dict(op="hello", layers={})), pack(dict(op="call", tool="x", args=1, kwargs={})),
    pack(dict(op="call", tool="no_tool", args=[], kwargs={})) * 3])
def test_forged_frames_end_the_node_not_the_host(sandbox, session, data):
    session.run("x = 7")
    o = session.try_all([WRITE % data, "x"])
    assert o[1].value == "7" and o[0].status in ("ok", "crashed")
    session.commit(o[1])
    assert session.run("x").value == "7"

@pytest.mark.parametrize("body", [
    b"", b"{}", b"[]", b"\xff\xfe", b"[" * 99_999, b'{"op": "done"}', b'{"op": ["done"]}', b"1" * 9999,
    b'{"op": "call", "tool": "t", "args": [1e999], "kwargs": {}}',
    b'{"op": "call", "tool": "t", "args": ' + b"[" * 60 + b"]" * 60 + b', "kwargs": {}}',
    b'{"op": "call", "tool": true, "args": [], "kwargs": {}}'])
def test_wrong_messages_are_refused(body):
    with pytest.raises(ValueError): read_message(body)

def test_frames_survive_any_cut():
    data = pack(DONE) * 3
    for size in (1, 3, 50, len(data)):
        frames, n = Frames(), 0
        for i in range(0, len(data), size): n += len(frames.feed(data[i:i + size]))
        assert n == 3

# --- processes

def test_nothing_is_inherited(monkeypatch, tmp_path):
    monkeypatch.setenv("A_TOKEN", "secret")
    with open(tmp_path / "open", "w") as f, Sandbox(imports=LIGHT) as sandbox, sandbox.session() as s:
        os.set_inheritable(f.fileno(), True)
        o = s.run("import random\nos = random._os\nprint('A_TOKEN' in os.environ, os.getcwd())\n"
                  "print([os.readlink(f'/proc/self/fd/{i}') for i in (0, 1, 2)])")
        assert o.logs == "False /\n['/dev/null', '/dev/null', '/dev/null']\n" or "Permission" in o.error
        assert "secret" not in Path(f"/proc/{sandbox.hub.process.pid}/environ").read_text()

def test_what_a_candidate_started_dies_with_it(session):
    o = session.run(FORK_BOMB_SAFE + "pid")
    pid = int(o.value)
    assert o.status == "ok" and alive(pid)
    session.close()
    assert gone(pid)

def test_500_branches_leave_nothing(sandbox):
    zygote = sandbox.hub.process.pid
    def counts(): return [len(os.listdir(f"/proc/{p}/fd")) for p in (os.getpid(), zygote)]
    with sandbox.session() as s:
        s.run("x = 0")
        before = counts()
        for _ in range(25):
            outcomes = s.try_all(["x += 1\nx"] * 19 + ["import random; random._os.abort()"])
            s.commit(outcomes[3])
        assert s.run("x").value == "25"
        end = time.monotonic() + 10
        def more(): return any(a > b for a, b in zip(counts(), before)) or len(children(zygote)) > 1
        while more() and time.monotonic() < end: time.sleep(.05)
        assert not more()
        assert len(sandbox.hub.nodes) == 1 and len(sandbox.hub.pids) == 1 and sandbox.hub.busy == 0

def test_64_sessions_at_once(sandbox):
    def agent(i):
        with sandbox.session() as s:
            s.run(f"x = {i}")
            for _ in range(2): s.commit(s.try_all(["x += 1", f"x += lookup('{i}') and 1"])[1])
            return int(s.run("x").value)
    async def all_of_them(): return await asyncio.gather(*[asyncio.to_thread(agent, i) for i in range(64)])
    assert asyncio.run(all_of_them()) == [i + 2 for i in range(64)]

def test_the_thread_that_opened_it_may_end():
    made = []
    t = threading.Thread(target=lambda: made.append(Sandbox(imports=["math"])))
    t.start(); t.join()
    time.sleep(.3)
    with made[0] as sandbox, sandbox.session() as s: assert s.run("1 + 1").value == "2"

HOST = """
from agent_distill.sandbox import Sandbox, Limits
s = Sandbox(imports=["random"], limits=Limits(cpu_s=60)).session()
print(s.hub.process.pid, s.root.pid, flush=True)
s.try_all(["while True: pass"] * 2)
"""

def test_nothing_survives_a_killed_host():
    p = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True)
    zygote, root = map(int, p.stdout.readline().split())
    end = time.monotonic() + 20
    def busy(): return [o for o in children(zygote) if o > root]   # the report's probe came before
    while not busy() and time.monotonic() < end: time.sleep(.05)
    nodes = [root, *busy()]
    assert len(nodes) >= 2
    p.kill(); p.wait()
    assert all(gone(o) for o in [zygote, *nodes])

def test_a_killed_zygote_is_an_error_not_a_hang():
    sandbox = Sandbox(imports=["math"])
    s = sandbox.session()
    os.kill(sandbox.hub.process.pid, signal.SIGKILL)
    with pytest.raises(AgentDistillError, match="the sandbox has stopped"):
        for _ in range(50): s.run("1"); time.sleep(.05)
    with pytest.raises(AgentDistillError): sandbox.session()
    sandbox.close()

def test_closing_ends_every_process(sandbox):
    with Sandbox(imports=["math"]) as own:
        s = own.session(); s.try_all(["1"] * 3)
        pids = [own.hub.process.pid, *children(own.hub.process.pid)]
        assert len(pids) >= 4
    assert all(gone(o) for o in pids)
    with pytest.raises(AgentDistillError, match="has stopped"): s.run("1")
    t = sandbox.session(); t.close()
    with pytest.raises(AgentDistillError, match="session is closed"): t.run("1")

# --- bad use, and what the report says

@pytest.mark.parametrize("kw", [dict(wall_s=0), dict(cpu_s=-1), dict(memory_mb=1.5), dict(tool_calls="9"),
                                dict(output_bytes=10**6), dict(wall_s=float("nan")), dict(open_files=True)])
def test_limits_must_make_sense(kw):
    with pytest.raises(AgentDistillError, match=f"Limits.{next(iter(kw))}"): Limits(**kw)

def test_clear_refusals(monkeypatch):
    with pytest.raises(AgentDistillError, match="name that code cannot use"): Sandbox([lambda q: q])
    with pytest.raises(AgentDistillError, match="name that code cannot use"): Sandbox(imports=["os.path"])
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(AgentDistillError, match="needs Linux.*darwin.*Colab"): Sandbox()

def test_the_report_is_honest(sandbox):
    off = {k for k, v in sandbox.report.items() if v.startswith("off")}
    assert any("seccomp" in k for k in off) and any("Landlock" in k for k in off)
    assert sandbox.report["memory limit"] == "on" and "| layer | here |" in sandbox.report._repr_markdown_()

def test_a_missing_library_is_named():
    with Sandbox(imports=["math", "no_such_library"]) as sandbox, sandbox.session() as s:
        assert "no_such_library" in sandbox.report["import allow-list (a convenience)"]
        assert s.run("import no_such_library").error.startswith("ModuleNotFoundError")

def test_the_import_is_light():
    code = "import agent_distill.sandbox, sys; print([m for m in ('torch', 'numpy', 'sympy', 'faiss', " \
           "'transformers', 'matplotlib', 'pandas', 'IPython') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
