# made from host.py by .ci/stubs.py: edit the notebook
"""One thread that talks to every sandboxed process, believes none of them, and runs their tools"""
from typing import Any
import collections.abc
import socket
import subprocess
import time
import types
from collections import OrderedDict
from collections import deque
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from dataclasses import dataclass
from dataclasses import fields
from decimal import Decimal
from typing import Callable
from typing import overload
from ..profile import AgentDistillError as AgentDistillError
from ..profile import cores as cores
from .worker import ADDRESS as ADDRESS
from .worker import CALLS as CALLS
from .worker import FORKS as FORKS
from .worker import MAX_DEPTH as MAX_DEPTH
from .worker import MAX_FRAME as MAX_FRAME
from .worker import as_data as as_data
from .worker import pack as pack

__all__ = ['CORES', 'Limits', 'free_mb', 'fair_memory', 'as_said', 'Outcome', 'BadFrame', 'clean', 'read_message', 'Frames', 'fits', 'Tool', 'tool', 'Toolbox', 'Link', 'start_zygote', 'Hub', 'Guard', 'ioctl', 'retell', 'Stopwatch', 'Replay']

CORES: int

@dataclass(frozen=True)
class Limits:
    """What one step may use; a step that needs more is stopped, the session goes on

- cpu_s: seconds of processor time (rounded up)
- wall_s: seconds by the clock, waiting for tools not counted
- memory_mb: MB of address space beyond the preloaded libraries
- output_bytes: bytes of printed text, at most 65,536
- tool_calls: calls of tools
- tool_s: seconds one call of a tool may take
- open_files: descriptors"""
    cpu_s: float = ...
    wall_s: float = ...
    memory_mb: int = ...
    output_bytes: int = ...
    tool_calls: int = ...
    tool_s: float = ...
    open_files: int = ...

    def __post_init__(self) -> None:
        ...

def free_mb() -> int:
    """MB of memory that programs can still have; a lot where the system does not tell"""
    ...

def fair_memory(megabytes: int, free: int | None=None) -> int:
    """What was asked for, or an eighth of what is there

- megabytes: that one session would like
- free: MB; None: ask
- returns: MB it gets"""
    ...

def as_said(answer: Any) -> Any:
    """What an answer says, however it is written

- answer: JSON data
- returns: a `Decimal` for what reads as a number, else the text"""
    ...

@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What came of one candidate

- status: ok | error | timeout | crashed | flooded
- logs: what it printed
- value: the last expression, as a notebook shows it; empty for None
- is_final: it called `final_answer`
- answer: the answer, JSON data
- error: what went wrong, with the line
- tool_calls: dicts: tool, args (by name), seconds, error
- cpu_s: processor seconds
- rss_bytes: peak resident memory, pages shared with the session included"""
    status: str
    logs: str = ...
    value: str = ...
    is_final: bool = ...
    answer: Any = ...
    error: str = ...
    tool_calls: tuple[Any, ...] = ...
    cpu_s: float = ...
    rss_bytes: int = ...

    @property
    def key(self) -> tuple[Any, ...]:
        """What a vote compares: the answer, or all that the next step could see; hashable"""
        ...

    @property
    def alive(self) -> bool:
        ...

    def __repr__(self) -> Any:
        ...

class BadFrame(ValueError):
    """Bytes from a sandboxed process that are not a message"""

def clean(x: Any, depth: int=0) -> Any:
    """Strings that can be written to any file, nesting that cannot hurt

- x: decoded JSON
- depth: levels above
- returns: the same, without lone surrogates; BadFrame when too deep"""
    ...

def read_message(body: bytes) -> dict[Any, Any]:
    """Decode and check a message

- body: one frame's body, from a process that may be hostile
- returns: exactly the fields of its `op`, each of its type; else BadFrame"""
    ...

class Frames:
    """Cuts a stream of bytes into messages"""
    data: Any

    def __init__(self) -> None:
        ...

    def feed(self, data: bytes) -> list[Any]:
        """The messages that `data` completes; BadFrame for one that is too large or wrong"""
        ...

def fits(value: Any, hint: Any) -> bool:
    """Is JSON data `value` of the type `hint`? What JSON cannot say is let through"""
    ...

class Tool:
    """A function of the host that the model's code may call"""
    fn: Any
    read_only: bool
    name: Any
    signature: Any
    doc: Any
    types: Any

    def __init__(self, fn: Any, read_only: bool=True) -> None:
        """- fn: a function with named parameters
- read_only: False: it changes something, so only `Session.run` may call it"""
        ...

    def __repr__(self) -> Any:
        ...

    def bind(self, args: collections.abc.Sequence[Any], kwargs: dict[Any, Any]) -> dict[Any, Any]:
        """The arguments by name; TypeError in the words of Python"""
        ...

    def __call__(self, arguments: dict[Any, Any]) -> Any:
        ...

@overload
def tool(fn: Callable[..., Any], read_only: bool=True) -> Tool:
    ...

@overload
def tool(fn: None=None, read_only: bool=True) -> Callable[[Callable[..., Any]], Tool]:
    ...

class Toolbox:
    """The tools of a sandbox, run on threads of the host; the same read-only call runs once"""
    tools: Any
    memo: OrderedDict[Any, Any]
    keep: int
    lock: Any
    pool: ThreadPoolExecutor

    def __init__(self, tools: Any, keep: int=4096, threads: int=64) -> None:
        ...

    def bind(self, name: str, args: collections.abc.Sequence[Any], kwargs: dict[Any, Any], effects: bool) -> dict[Any, Any]:
        """The checked arguments of a call; an exception the code will see"""
        ...

    def submit(self, name: str, arguments: dict[Any, Any]) -> Future[Any]:
        """The future value of a call"""
        ...

    def forget(self, key: Any, future: Any) -> None:
        """Errors are not remembered: the next call tries again"""
        ...

@dataclass(eq=False)
class Link:
    """The host's side of one process

- code: what it will run; None for a session's root
- effects: may its code call tools that change something?
- parent: who forks it, until it says hello
- state: queued | starting | running | calling | ready | idle | ending | dead
- future: its outcome; a root's: its layers
- pid: as the kernel attests it
- group: the process group of its session
- guard: whom the kernel asks before the session forks; shared by its nodes
- forks: forks that it was asked for and has not made yet
- history: (code, replies of tools) of each step that led here, if light
- spent: processor seconds of these steps
- left: seconds that its code still has, kept while a tool runs
- replies: (tool, frame that answered it) of each call
- number: calls so far, refused ones included
- verdict: (status, error) when the host ended it"""
    code: str | None = ...
    effects: bool = ...
    parent: Any = ...
    state: str = ...
    future: Future[Any] = ...
    sock: socket.socket | None = ...
    pid: int = ...
    group: int = ...
    guard: Any = ...
    forks: int = ...
    history: tuple[Any, ...] = ...
    spent: float = ...
    inbox: Frames = ...
    outbox: bytearray = ...
    deadline: float = ...
    left: float = ...
    calls: list[Any] = ...
    replies: list[Any] = ...
    number: int = ...
    verdict: tuple[Any, ...] | None = ...

    def renew(self, code: str, effects: bool) -> None:
        """Another step for the same process"""
        ...

def start_zygote(config: dict[Any, Any]) -> tuple[Any, ...]:
    """A fresh interpreter that knows nothing of ours: fixed environment, cwd /, no open files

- config: tools, imports, limits
- returns: (process, socket)"""
    ...

class Hub:
    """One thread that talks to every process of a sandbox: starts, feeds, times and ends them"""
    limits: Limits
    toolbox: Toolbox
    process: Any
    control: Link
    nodes: Any
    pids: Any
    waiting: deque[Any]
    busy: int
    posted: deque[Any]
    closed: bool
    fault: Any
    ended: Any
    bell: Any
    hammer: Any
    selector: Any
    thread: Any

    def __init__(self, config: dict[Any, Any], toolbox: Toolbox) -> None:
        ...

    def post(self, fn: Any, *args: Any) -> None:
        """Have the hub's thread call `fn`; from any thread"""
        ...

    def drain(self) -> None:
        ...

    def loop(self) -> None:
        """Until closed: read, write, do what was posted, look at the clock, start what is waiting"""
        ...

    def turn(self) -> None:
        ...

    def patience(self) -> Any:
        """Seconds until the next deadline; None to wait for news"""
        ...

    def move(self, node: Any, state: Any, seconds: Any=...) -> None:
        """The node's next state, and how long it may last"""
        ...

    def watch(self, node: Any) -> None:
        """Take its socket into the loop; the kernel shall sign each message with the sender's pid"""
        ...

    def write(self, node: Any, data: Any=b'') -> None:
        """Send what the socket takes now, keep the rest"""
        ...

    def serve(self, node: Any, events: Any) -> None:
        """Something came from a node, or its socket has room again"""
        ...

    def read(self, node: Any) -> Any:
        """Handle what is there: True if there was something, None if not, False at the end or a fault"""
        ...

    def handle(self, node: Any, msg: Any, fds: Any) -> Any:
        """One message: only what the node's state allows"""
        ...

    def identify(self, node: Any, pid: Any) -> None:
        """The first bytes say whose line this is; it stays that process's line"""
        ...

    def on_ready(self, **facts: Any) -> None:
        ...

    def on_hello(self, node: Any, layers: Any) -> Any:
        ...

    def on_guard(self, node: Any, fds: Any) -> None:
        ...

    def on_fork(self, guard: Any) -> Any:
        """Answer the kernel; a process that died over its question needs no answer"""
        ...

    def dismiss(self, guard: Any) -> None:
        """Without a listener every further fork of the session is refused by the kernel"""
        ...

    def open(self, parent: Any, children: Any) -> Any:
        """Start each child as soon as a core is free"""
        ...

    def begin(self, parent: Any, child: Any) -> None:
        """Ask a node, or the zygote for a session's root, to fork; the code lies ready for the child"""
        ...

    def ask(self, parent: Any, sock: Any) -> Any:
        """Hand a fresh socket over; a zygote whose ear is full is asked again, a deaf node is no parent"""
        ...

    def is_light(self, node: Any) -> bool:
        """Can the steps that led to this node's state quickly be run again?"""
        ...

    def go_on(self, node: Any) -> Any:
        """Have a node run the step that it was renewed for, as soon as a core is free"""
        ...

    def step(self, node: Any) -> None:
        ...

    def on_call(self, node: Any, tool: Any, args: Any, kwargs: Any) -> Any:
        """Check a call, then run it beside; the clock of the code stands still meanwhile"""
        ...

    def returned(self, node: Any, number: Any, future: Any=None) -> None:
        """A tool has returned, or took too long: the node goes on when a core is free"""
        ...

    def resume(self, node: Any, data: Any) -> None:
        ...

    def reply(self, node: Any, tool: Any, frame: Any) -> None:
        """Send what a tool replied, and keep it"""
        ...

    def on_done(self, node: Any, status: Any, logs: Any, value: Any, error: Any, **fields: Any) -> None:
        """The step is over: its process stays, idle, until its session keeps it or not"""
        ...

    def remember(self, node: Any, seconds: Any) -> None:
        """A step is over: it belongs to the node's history, which is kept while it is quickly run again"""
        ...

    def finish(self, node: Any, **fields: Any) -> None:
        ...

    def expire(self) -> None:
        """End what is over its time; a tool that is late becomes an error in the code"""
        ...

    def end(self, nodes: Any) -> None:
        """Kill; an outcome that someone waits for comes when the zygote has reported the death"""
        ...

    def cancel(self, nodes: Any) -> None:
        """Nobody waits for these any more; one that is just being forked ends when it says hello"""
        ...

    def lost(self, node: Any) -> None:
        """A fork that never said hello: it was not made, or it hides, and then its session ends with it"""
        ...

    def sweep(self, node: Any) -> None:
        """End a whole session, processes that we never heard of included"""
        ...

    def hear_out(self) -> None:
        """A process may have said hello and ended before we listened"""
        ...

    def on_exit(self, pid: Any, status: Any, **used: Any) -> None:
        """The zygote has buried a process: read its last words, then say how it ended"""
        ...

    def bury(self, node: Any, exit: Any=None, **used: Any) -> Any:
        """Nothing more will come from this node"""
        ...

    def bereaved(self) -> None:
        """Nothing more comes from the zygote: stop, and keep why"""
        ...

    def close(self) -> None:
        ...

    def stop(self) -> None:
        """End everything, and wait for it"""
        ...

    def shut(self) -> None:
        """Close everything; whoever still waits is told"""
        ...

class Guard:
    """The kernel's question before a session's process forks"""
    fd: int

    def __init__(self, fd: int) -> None:
        ...

    def fileno(self) -> Any:
        ...

    def question(self) -> Any:
        """(number of the question, process id), or None when nobody is left to ask"""
        ...

    def answer(self, number: int, yes: bool) -> None:
        ...

def ioctl(fd: int, request: int, data: Any) -> bytes:
    """The data after the kernel has read and written it"""
    ...

def retell(history: collections.abc.Sequence[Any]) -> collections.abc.Iterator[Any]:
    """What a process is told that has to run those steps again

- history: of a `Link`
- returns: messages"""
    ...

class Stopwatch:
    """Ends a process when its time is over; stands still while a tool works"""
    process: Any
    timer: Any
    late: bool
    end: Any

    def __init__(self, process: Any) -> None:
        ...

    def go(self, seconds: float) -> None:
        ...

    def ring(self) -> None:
        ...

    def halt(self) -> float:
        """Stop; the seconds that are left"""
        ...

class Replay:
    """A hub for machines that cannot fork safely: each candidate runs all steps again, by itself"""
    config: Any
    limits: Limits
    toolbox: Toolbox
    control: Link
    closed: bool
    layers: Any
    cores: Any
    running: Any
    pool: ThreadPoolExecutor

    def __init__(self, config: dict[Any, Any], toolbox: Toolbox) -> None:
        ...

    def post(self, fn: Any, *args: Any) -> None:
        ...

    def open(self, parent: Any, children: Any) -> None:
        ...

    def settle(self, node: Any, result: Any) -> None:
        ...

    def attempt(self, node: Any) -> Any:
        """Run one candidate to its end; its future always gets a result"""
        ...

    def start(self, node: Any) -> subprocess.Popen[bytes]:
        """A fresh interpreter, as the zygote is one"""
        ...

    def story(self, node: Any) -> collections.abc.Iterator[Any]:
        """What the process reads: its set-up, the steps before, its own"""
        ...

    def converse(self, node: Any, process: Any) -> None:
        """Feed the process, hear it, until it is done or its stream ends"""
        ...

    def hear(self, node: Any, process: Any, watch: Any, op: Any, **msg: Any) -> Any:
        """One message: only what the node's state allows"""
        ...

    def on_ready(self, facts: Any) -> None:
        ...

    def reply(self, node: Any, tool: Any, args: Any, kwargs: Any) -> bytes:
        """The frame that answers a call, recorded"""
        ...

    def ask(self, node: Any, tool: Any, args: Any, kwargs: Any) -> bytes:
        """Check a call, run it beside, wait for it"""
        ...

    def on_done(self, node: Any, status: Any, logs: Any, value: Any, error: Any, **fields: Any) -> None:
        """The step is over; if it can be committed, the record is longer by one"""
        ...

    def end(self, nodes: Any) -> None:
        ...

    def cancel(self, nodes: Any) -> None:
        ...

    def is_light(self, node: Any) -> bool:
        ...

    def sweep(self, node: Any) -> None:
        """Nothing lives between two steps"""
        ...

    def close(self) -> None:
        ...

    def stop(self) -> None:
        ...
