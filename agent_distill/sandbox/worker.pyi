# made from worker.py by .ci/stubs.py: edit the notebook
"""The processes that run a model's code: they fork, run a step, and answer in frames"""
from typing import Any
import os
import collections.abc
import ast
import functools
import io
import random
import re
import signal
import socket
import types

__all__ = ['MAX_FRAME', 'MAX_OUTPUT', 'MAX_DEPTH', 'OUR_SOCKET', 'MAX_BITS', 'ADDRESS', 'MAX_DIGITS', 'SYS_CLONE', 'SIBLING', 'PDEATHSIG', 'DUMPABLE', 'SUBREAPER', 'NO_NEW_PRIVS', 'READ', 'SYSCALLS', 'MACHINES', 'ALL', 'CONDITIONS', 'OPENING', 'OTHERS', 'LOAD', 'MASK', 'SAME', 'AT_LEAST', 'END', 'ALLOW', 'KILL', 'NOTIFY', 'ERROR', 'FILES', 'FORKS', 'CALLS', 'LAYERS', 'LAZY', 'COLLAPSE', 'HUGE', 'pack', 'read_exactly', 'Pipe', 'receive', 'as_data', 'as_answer', 'is_silenced', 'split_last', 'execute', 'error_line', 'describe_error', 'Capture', 'known_as', 'allowed_import', 'new_module', 'rebound', 'tool_error', 'FinalAnswer', 'Node', 'check_names', 'attempt', 'usage', 'make_room', 'run_step', 'libc', 'fork_sibling', 'syscall', 'prctl', 'drop_capabilities', 'rlimit', 'limit_memory', 'limit_cpu', 'first_to_go', 'die_with', 'landlock_version', 'library_folders', 'landlock', 'when', 'only_if', 'opening', 'allow_list', 'guard', 'install', 'seccomp_lacks', 'stand_guard', 'harden', 'branch', 'recall', 'serve', 'session_root', 'preload', 'warm', 'preload_all', 'is_sealed', 'rehearse', 'heap_ranges', 'collapse', 'kill', 'reap', 'obey', 'watch', 'get_ready', 'main', 'repeat', 'own_pipe', 'replay']

MAX_FRAME: int

MAX_OUTPUT: int

MAX_DEPTH: int

OUR_SOCKET: int

MAX_BITS: int

ADDRESS: re.Pattern[str]

MAX_DIGITS: int

SYS_CLONE: dict[str, int]

SIBLING: int

PDEATHSIG: int

DUMPABLE: int

SUBREAPER: int

NO_NEW_PRIVS: int

READ: int

SYSCALLS: dict[str, Any]

MACHINES: dict[str, tuple[int, ...]]

ALL: int

CONDITIONS: dict[str, tuple[Any, ...]]

OPENING: tuple[str, ...]

OTHERS: tuple[str, ...]

LOAD: int

MASK: int

SAME: int

AT_LEAST: int

END: int

ALLOW: int

KILL: int

NOTIFY: int

ERROR: int

FILES: str

FORKS: str

CALLS: str

LAYERS: dict[str, Any]

LAZY: tuple[str, ...]

COLLAPSE: int

HUGE: int

def pack(msg: dict[Any, Any]) -> bytes:
    """One message as a frame

- msg: JSON data
- returns: u32 length (big endian), then JSON in UTF-8; ValueError above MAX_FRAME"""
    ...

def read_exactly(sock: socket.socket, n: int) -> bytes:
    """`n` bytes from a blocking socket; fewer only when the stream ends"""
    ...

class Pipe:
    """Two descriptors that are read and written like a socket, for systems that have no better"""
    reads: int
    writes: int

    def __init__(self, read: int, write: int) -> None:
        ...

    def recv(self, n: Any) -> Any:
        ...

    def sendall(self, data: Any) -> None:
        ...

def receive(sock: Any) -> tuple[Any, ...]:
    """The next message, with the descriptor that may have come with its first byte

- sock: a blocking socket, or a Pipe
- returns: (message, descriptor or None); (None, None) when the other side is gone"""
    ...

def as_data(x: Any, depth: int=0, pair: Any=...) -> Any:
    """`x` as JSON data

- x: any object
- depth: levels above this one
- pair: what a tuple becomes
- returns: None, bool, int, float, str, lists and dicts of these; ValueError when too deep"""
    ...

def as_answer(x: Any) -> Any:
    """An answer as it is recorded and voted on

- x: any object
- returns: JSON data; what holds a tuple is a text: (0, 4) is not [0, 4]"""
    ...

def is_silenced(code: str, node: ast.stmt) -> bool:
    """A semicolon after the last expression hides its value, as in a notebook"""
    ...

def split_last(code: str, name: str | os.PathLike[str]) -> tuple[Any, ...]:
    """Compile so that the last expression's value can be shown

- code: Python source
- name: its file name in tracebacks
- returns: (code object to exec, code object to eval or None); SyntaxError"""
    ...

def execute(code: str, name: str | os.PathLike[str], env: dict[Any, Any]) -> str:
    """Run `code` in `env`; the text of its last expression

- name: its file name in tracebacks
- env: the namespace it runs in
- returns: empty for None, cut at a quarter of MAX_OUTPUT"""
    ...

def error_line(e: BaseException, name: str | os.PathLike[str]) -> int:
    """Where in the step the error arose: the innermost of its own lines

- name: file name of the step's code
- returns: 0 when no line of the step was involved"""
    ...

def describe_error(e: BaseException, name: str | os.PathLike[str], depth: int=3) -> str:
    """The error as one line that a small model can learn from

- name: file name of the step's code
- depth: causes told (`raise … from …`)"""
    ...

class Capture(io.StringIO):
    """Standard output with a limit of bytes; `flood` gets what fits and, in a step, never returns"""
    left: int
    flood: Any

    def __init__(self, limit: int, flood: Any) -> None:
        ...

    def write(self, s: Any) -> Any:
        ...

def known_as(name: str, fn: Any) -> Any:
    """The same function, by the name that the code knows it under, in errors and when printed"""
    ...

def allowed_import(allowed: collections.abc.Sequence[Any]) -> Any:
    """Import only what is on the list; libraries import what they like

- allowed: top-level module names
- returns: stands in for `__import__` in the model's own code"""
    ...

def new_module(imports: collections.abc.Sequence[Any], names: dict[Any, Any]) -> types.ModuleType:
    """The module that a session's code lives in

- imports: top-level modules the code may import
- names: tools and `final_answer`"""
    ...

def rebound(code: str, names: Any) -> list[Any]:
    """The tools that code would overwrite

- code: Python source
- names: of the tools
- returns: those that running the code would bind anew, or delete"""
    ...

def tool_error(kind: str, message: str) -> Exception:
    """The exception that a tool raised in the host, rebuilt from its name and text"""
    ...

class FinalAnswer(BaseException):
    """Ends a step; no Exception, so `except Exception` lets it pass"""

class Node:
    """One process of a session, as it sees itself: its socket, its tools, the code's module"""
    sock: socket.socket
    config: dict[Any, Any]
    steps: int
    answer: Any
    recorded: Any
    tools: Any
    module: Any

    def __init__(self, sock: socket.socket, config: dict[Any, Any]) -> None:
        ...

    def send(self, **msg: Any) -> None:
        ...

    def stub(self, name: Any, doc: Any) -> Any:
        """A function that runs the tool `name` in the host"""
        ...

    def call(self, tool: Any, args: Any, kwargs: Any) -> Any:
        ...

    def ask(self, tool: Any, args: Any, kwargs: Any) -> Any:
        ...

    def remember(self, tool: Any) -> Any:
        """The reply that this call got when the step was first run"""
        ...

    def end(self, answer: Any) -> None:
        ...

def check_names(code: str, tools: Any) -> None:
    """Raise where code would overwrite a tool; code that does not parse is not judged"""
    ...

def attempt(node: Node, code: str, name: str) -> dict[Any, Any]:
    """Run `code`; how it ended. The tools are there for the next step, whatever it did"""
    ...

def usage(since: float=0.0) -> dict[Any, Any]:
    """What this process used: CPU seconds since then, and peak resident bytes

- since: processor seconds that this process had used before"""
    ...

def make_room(most: int) -> None:
    """A step that has used up its descriptors loses them, or the next one could not begin"""
    ...

def run_step(node: Node, code: str) -> dict[Any, Any]:
    """One step: run the code, report what there is to see; does not return after a flood"""
    ...

@functools.cache
def libc() -> Any:
    """The C library, called with the interpreter lock held"""
    ...

def fork_sibling() -> int:
    """Like `os.fork`, but the child is our parent's child; its `random` goes on from our state"""
    ...

def syscall(number: int, *args: Any) -> int:
    """A system call of Linux by its number; OSError when the kernel refuses"""
    ...

def prctl(option: int, value: int) -> None:
    """Set one attribute of this process; OSError when the kernel refuses"""
    ...

def drop_capabilities() -> None:
    """Give up every privilege of root that is a capability"""
    ...

def rlimit(name: str, soft: int, more: int=0) -> None:
    """Set one limit of setrlimit(2); `more` lies between its warning signal and the end"""
    ...

def limit_memory(megabytes: int) -> None:
    """So much address space beyond what the libraries already take"""
    ...

def limit_cpu(seconds: float) -> None:
    """So many seconds beyond what the process has used; a warning signal, a second later the end"""
    ...

def first_to_go() -> None:
    """When memory runs out, the kernel takes this process first"""
    ...

def die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends"""
    ...

def landlock_version() -> int:
    """What this kernel's Landlock can do; OSError where there is none"""
    ...

def library_folders() -> list[Any]:
    """Where this Python imports from"""
    ...

def landlock(folders: collections.abc.Sequence[Any]) -> None:
    """Nothing else can be opened from now on; no TCP, no signal to a process outside

- folders: that stay readable"""
    ...

def when(number: int, *program: Any) -> list[Any]:
    """Run `program`, which ends with a verdict, for the system call `number`"""
    ...

def only_if(conditions: collections.abc.Sequence[Any], then: int, error: int) -> list[Any]:
    """The verdict `then` if all conditions hold, else an error"""
    ...

def opening(mark: int) -> list[Any]:
    """Kill what comes from another processor type; then the number of the call is in the register"""
    ...

def allow_list(machine: str, sealed: bool=False) -> list[Any]:
    """The system calls that stay, all others are not permitted

- machine: as `os.uname` names it
- returns: instructions"""
    ...

def guard(machine: str) -> list[Any]:
    """Ask the listener about every fork that the allow-list would let through"""
    ...

def install(program: collections.abc.Sequence[Any], flags: int=0) -> int:
    """Put a filter on this process for good; with flag 8 the descriptor of its listener"""
    ...

def seccomp_lacks() -> str:
    """Why this machine cannot have the two filters; empty when it can"""
    ...

def stand_guard(sock: socket.socket) -> None:
    """Have the kernel ask the host about every fork: the listener's descriptor goes to the host"""
    ...

def harden(limits: dict[Any, Any], parent: int, sock: Any=None, without: dict[Any, Any]=...) -> dict[Any, Any]:
    """Put every layer on this process and all it will fork

- limits: of `Limits`
- parent: process id of the one to die with
- sock: to the host
- returns: layer -> empty, or why it is off"""
    ...

def branch(node: Node, fd: int, zygote: int) -> Any:
    """Fork: the child goes on as the node of the socket `fd`; if that fails, the host sees it close"""
    ...

def recall(node: Node, op: str, **msg: Any) -> Any:
    """A part of what was before: what a tool replied, or a step to run again with those replies"""
    ...

def serve(node: Node, zygote: int) -> None:
    """Until the host hangs up: fork, run or recall, as it says"""
    ...

def session_root(fd: int, config: dict[Any, Any], zygote: int) -> None:
    """The first node of a session, just forked from the zygote; does not return"""
    ...

def preload(imports: collections.abc.Sequence[Any]) -> dict[Any, Any]:
    """Import what the code may import, so that a fork finds it there; name -> empty, or why not"""
    ...

def warm() -> None:
    """Touch what is imported only at first use, and fix the seed"""
    ...

def preload_all(package: str) -> None:
    """Import all modules of a package, and what they import; those that fail are left out"""
    ...

def is_sealed(without: dict[Any, Any]) -> bool:
    """Will sessions run where no file can be opened?"""
    ...

def rehearse(config: dict[Any, Any], times: int=20) -> None:
    """Run trivial steps of our own, so that forks need not fill the same caches again"""
    ...

def heap_ranges(maps: str) -> list[Any]:
    """(start, bytes) of the huge pages that fit into writable memory without a file"""
    ...

def collapse() -> None:
    """Ask for the memory used so far in huge pages"""
    ...

def kill(number: int, group: bool=False) -> None:
    """End a child of ours, or a process group of children; another's process is left alone"""
    ...

def reap(control: socket.socket) -> None:
    """Collect the dead and tell the host"""
    ...

def obey(control: socket.socket, config: dict[Any, Any]) -> bool:
    """Do one thing the host asks for; False when it has hung up"""
    ...

def watch(control: socket.socket, config: dict[Any, Any]) -> None:
    """The zygote's life: start sessions, kill, reap"""
    ...

def get_ready(config: dict[Any, Any]) -> dict[Any, Any]:
    """Import what the sessions will need; module -> empty, or why it is not there"""
    ...

def main(fd: int) -> None:
    """The zygote: read the configuration, import, say ready, then do what is asked; does not return

- fd: the descriptor of the host's socket"""
    ...

def repeat(node: Node, pipe: Pipe) -> str:
    """Run the committed steps again, as the host recalls them; the code of the new one"""
    ...

def own_pipe() -> Pipe:
    """Take standard input and output for ourselves; what the code gets leads nowhere"""
    ...

def replay() -> None:
    """One candidate in a process of its own, after the steps before it; does not return"""
    ...
