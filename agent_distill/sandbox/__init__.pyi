# made from __init__.py by .ci/stubs.py: edit the notebook
"""Run a model's code in processes of its own; try N candidates from one state, keep the winner"""
from typing import Any
import collections.abc
from ..profile import AgentDistillError as AgentDistillError
from .host import BadFrame as BadFrame
from .host import Frames as Frames
from .host import Hub as Hub
from .host import Limits as Limits
from .host import Link as Link
from .host import Outcome as Outcome
from .host import Replay as Replay
from .host import Tool as Tool
from .host import Toolbox as Toolbox
from .host import fair_memory as fair_memory
from .host import read_message as read_message
from .host import tool as tool
from .worker import CALLS as CALLS
from .worker import FILES as FILES
from .worker import FORKS as FORKS
from .worker import MAX_FRAME as MAX_FRAME
from .worker import pack as pack
from .worker import seccomp_lacks as seccomp_lacks

__all__ = ['STANDARD_IMPORTS', 'STOPS', 'CANARIES', 'REQUIRED', 'Session', 'Report', 'Sandbox']

STANDARD_IMPORTS: tuple[str, ...]

STOPS: dict[str, str]

CANARIES: dict[str, str]

REQUIRED: tuple[str, ...]

class Session:
    """A Python state that branches: every step is tried in forks of the last one"""
    hub: Hub
    owner: Any
    lock: Any
    root: Any
    live: Any
    under_way: Any
    closed: bool
    layers: Any

    def __init__(self, hub: Hub, owner: Any=None) -> None:
        ...

    def __repr__(self) -> Any:
        ...

    def try_all(self, codes: collections.abc.Sequence[str], more: bool=False) -> list[Outcome]:
        """Run every candidate from the same state, none seeing another; `commit` keeps one

- codes: Python source of each candidate
- more: further candidates beside those of the last call, which stay alive
- returns: one each, in order"""
        ...

    def commit(self, outcome: Outcome) -> Outcome:
        """Go on from this candidate's state; it is not run again. A dead one leaves the state as it was

- outcome: one of the last `try_all`, or of those that it was `more` of
- returns: the same, or a crashed one when its process has died since"""
        ...

    def run(self, code: str, effects: bool=True) -> Outcome:
        """Run one candidate and keep its state

- code: Python source
- effects: may it call tools that change something?"""
        ...

    def interrupt(self) -> None:
        """End a step that is under way, at once and from any thread; the session is closed"""
        ...

    def close(self) -> None:
        """End the session's processes"""
        ...

    def __enter__(self) -> Session:
        ...

    def __exit__(self, *exc: Any) -> None:
        ...

    def __del__(self) -> None:
        ...

class Report(dict[Any, Any]):
    """Layer -> on, or off and why"""

    def _repr_markdown_(self) -> Any:
        ...

class Sandbox:
    """Runs model-written code in processes of its own; sessions branch from it"""
    tools: Any
    limits: Any
    hub: Any
    report: Report
    ready: Any

    def __init__(self, tools: Any=..., imports: Any=..., limits: Limits=..., allow_unsafe: bool=False, backend: str | None=None, without: Any=...) -> None:
        """- tools: functions (or `tool`s) of the host that the code may call
- imports: top-level modules that it may import
- limits: what one step may use
- allow_unsafe: go on where a wall is missing
- backend: fork, replay, or None for the best there is
- without: layers to leave out"""
        ...

    def __repr__(self) -> Any:
        ...

    def check(self) -> list[str]:
        """Try to break out: the names of the canaries that got through, none in a sound sandbox"""
        ...

    def session(self) -> Session:
        """A fresh Python state"""
        ...

    def close(self) -> None:
        """End every session and the zygote"""
        ...

    def __enter__(self) -> Sandbox:
        ...

    def __exit__(self, *exc: Any) -> None:
        ...

    def gaps(self, modules: Any=None) -> dict[Any, Any]:
        """Try every public function: which fail because of the sandbox?

- modules: of those that the code may import; None: all
- returns: module.function -> why"""
        ...
