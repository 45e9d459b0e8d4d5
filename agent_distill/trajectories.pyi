# made from trajectories.py by .ci/stubs.py: edit the notebook
"""What an agent leaves behind: a row, a training example, something to read"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from .profile import AgentDistillError as AgentDistillError
from .questions import Question as Question
from .agent import Candidate as Candidate
from .agent import Completion as Completion
from .agent import Engine as Engine

__all__ = ['Step', 'Trajectory', 'chat_row', 'to_dataset', 'step_html', 'verdict', 'trajectory_html', 'error_kinds']

@dataclass
class Step:
    """One round of thought, code and observation

- code: empty if the turn did not parse
- observation: what the model read afterwards
- outcome: ok | error | timeout | crashed | flooded | parse_error | final
- candidates: SAG: one dict a candidate, the chosen one too
- tokens: generated in this step, all candidates together"""
    thought: str
    code: str
    observation: str
    outcome: str
    candidates: list[Any] = ...
    tokens: int = ...

    @property
    def invalid(self) -> float:
        """Share of invalid actions: did not parse, or failed when run (Section 4 of the paper)"""
        ...

@dataclass(repr=False)
class Trajectory:
    """One question's way to its answer

- messages: chat rows: {"role", "content"}
- answer: None: no answer was given
- score: set by the evaluation, 0 to 1
- prefix: how the first assistant turn was made to begin (FTP)
- stop: final | max_steps | error
- meta: "error": why it stopped; "shortened": what was cut"""
    question: Question
    messages: list[Any]
    steps: list[Any] = ...
    answer: str | None = ...
    score: float | None = ...
    prefix: str = ...
    usage: dict[Any, Any] = ...
    seed: int = ...
    stop: str = ...
    meta: dict[Any, Any] = ...

    def __repr__(self) -> Any:
        ...

    def add(self, candidates: collections.abc.Sequence[Candidate], best: Candidate, left: int | None=None) -> Step:
        """Append the step that `best` won to the conversation and the record

- best: the one that counts
- left: steps that are left after this one; None: no hints"""
        ...

    def make_room(self, engine: Engine, prefix: str, need: int) -> None:
        """Shorten the oldest observations until `need` tokens are free"""
        ...

    def count(self, completions: collections.abc.Sequence[Completion]) -> None:
        """Add a request to the bill: its prompt once, all that was generated"""
        ...

    def to_row(self) -> dict[Any, Any]:
        """A JSON row; `id` is the question's"""
        ...

    @classmethod
    def from_row(cls, row: dict[Any, Any]) -> Trajectory:
        """The trajectory of a row that `to_row` made"""
        ...

    def _repr_html_(self) -> Any:
        ...

def chat_row(t: Trajectory, system: str | None=None) -> dict[Any, Any]:
    """One training row

- t: one that ends with a turn of the assistant
- system: system prompt of the row; None: as it was asked
- returns: {"id", "messages"}"""
    ...

def to_dataset(trajectories: collections.abc.Sequence[Trajectory], system: str | None=None) -> Any:
    """Chat rows for `datasets`, TRL and Unsloth

- trajectories: those that do not end with the assistant are left out
- system: system prompt of the rows; None: as they were asked
- returns: a `datasets.Dataset`: id, messages, benchmark, answer, score"""
    ...

def step_html(step: Step, k: int) -> str:
    """One step as HTML; everything in it is escaped

- k: its number, from 1"""
    ...

def verdict(t: Trajectory) -> str:
    """How the evaluation judged it

- returns: right | wrong | unscored"""
    ...

def trajectory_html(t: Trajectory) -> str:
    """A trajectory as HTML; everything in it is escaped

- returns: without the style sheet"""
    ...

def error_kinds(t: Trajectory) -> list[str]:
    """What went wrong on the way, each kind once

- returns: ["none"]: nothing went wrong"""
    ...
