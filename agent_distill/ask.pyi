# made from ask.py by .ci/stubs.py: edit the notebook
"""`agent-distill ask` and `chat`: an agent's steps as they happen, its answer, and whether it was found or guessed"""
from typing import Any
import collections.abc
from contextlib import contextmanager
from pathlib import Path
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import find_run as find_run

__all__ = ['METHODS', 'plain', 'indent', 'step_text', 'choose_model', 'answer', 'source', 'unseen', 'doubt', 'verdict', 'asker', 'typed', 'converse']

METHODS: tuple[str, ...]

def plain(text: Any) -> str:
    """Text without control characters, tabs and line ends apart."""
    ...

def indent(text: str, by: str='    ') -> str:
    """Every line of a text, moved to the right."""
    ...

def step_text(step: Any, k: int) -> str:
    """One step as it is shown: thought, code, observation.

- step: `agent_distill.agent.Step`
- k: its number, from 1"""
    ...

def choose_model(method: str, out: Path) -> tuple[Any, ...]:
    """The model and adapter that answer for a method.

- method: `agent_ftp`, `agent`, `student` or `teacher`
- out: the run
- returns: (`student` or `teacher`, adapter's folder or None, a sentence to show or "")"""
    ...

def answer(text: str, engine: Any, sandbox: Any, profile: Any, sag: int=1, seed: int=0, say: Any=..., system: str | None=None) -> Any:
    """Let one agent answer one question, showing its steps.

- text: the question
- engine: chapter 5's
- sandbox: chapter 3's, with the search tool
- profile: for its limits
- sag: actions sampled a step
- seed: of the sampling
- say: gets each step's text as soon as it is done
- system: the system prompt; None: the short one
- returns: the trajectory"""
    ...

def source(t: Any) -> tuple[Any, ...] | None:
    """Where the agent saw its answer first, in a passage if in any

- t: a `Trajectory` with an answer
- returns: (step, head of the passage; "": a printed result), or None"""
    ...

def unseen(t: Any) -> list[str]:
    """What the question names and nothing that the agent saw contains

- t: a `Trajectory` with an answer
- returns: empty where the agent did not search"""
    ...

def doubt(t: Any) -> str:
    """Why the answer was not found; empty: it was

- t: a `Trajectory`"""
    ...

def verdict(t: Any) -> str:
    """How a trajectory ended: the answer and where it stands, or that it was not found

- t: a `Trajectory`"""
    ...

@contextmanager
def asker(profile: Any, out: Path, method: str='agent_ftp', sag: int=1, seed: int=0, say: Any=...) -> collections.abc.Iterator[Any]:
    """The agent of a run, loaded once

- profile: its engine, models and limits
- out: the run
- method: as for `choose_model`
- sag: actions sampled a step
- seed: of the sampling
- say: gets each step's text
- returns: yields a function: question -> `Trajectory`"""
    ...

def typed(prompt: str='> ') -> collections.abc.Iterator[Any]:
    """The lines that someone types, or that come through a pipe

- returns: of stdin; Ctrl-C at the prompt throws the line away"""
    ...

def converse(agent: Any, lines: Any, say: Any=...) -> None:
    """Answer line after line, until `exit` or the end

- agent: question -> `Trajectory`, as `asker` yields it
- lines: of questions"""
    ...
