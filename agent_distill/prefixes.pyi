# made from prefixes.py by .ci/stubs.py: edit the notebook
"""No prefix, a first thought, its plan alone, or an instruction to think first"""
from typing import Any
import collections.abc
from .evaluation import grounded as grounded
from .intervals import bootstrap_ci as bootstrap_ci
from .intervals import compare as compare
from .intervals import wilson as wilson
from .profile import AgentDistillError as AgentDistillError
from .profile import Records as Records
from .questions import Question as Question
from .teacher import act as act
from .teacher import first_thoughts as first_thoughts
from .teacher import names_answer as names_answer
from .teacher import thought_prefix as thought_prefix
from .teacher import yields as yields
from .trajectories import Trajectory as Trajectory

__all__ = ['KINDS', 'THINK', 'sentences_of', 'asserts', 'plan_only', 'prefixes', 'act_as', 'kind_facts', 'kinds_table', 'claims', 'claims_table']

KINDS: tuple[str, ...]

THINK: str

def sentences_of(thought: str) -> list[str]:
    """Its sentences; an item of a list is one, without its number

- thought: a first thought"""
    ...

def asserts(sentence: str, question: str) -> bool:
    """Whether it says nothing of what to do, or has a name or a number that the question has not"""
    ...

def plan_only(thought: str, question: str) -> str:
    """The first thought without its assertions

- thought: a first thought, from `first_paragraph`
- returns: raises AgentDistillError where nothing is left"""
    ...

def prefixes(questions: collections.abc.Sequence[Question], cots: collections.abc.Sequence[Trajectory]=..., kind: str='first thought') -> tuple[dict[Any, Any] | None, list[str]]:
    """How the agent's first turn is made to begin

- cots: from `think`, for all of `questions`
- kind: one of `KINDS`"""
    ...

def act_as(kind: str, questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, profile: Any, cots: collections.abc.Sequence[Trajectory]=..., seed: int=0, records: Records | None=None, progress: bool | None=None) -> tuple[list[Trajectory], list[str]]:
    """The teacher's agent trajectories with one kind of beginning

- kind: one of `KINDS`
- engine: the teacher
- sandbox: with its tools
- profile: sampling, steps, tokens, concurrency
- cots: from `think`, for the kinds with a prefix
- seed: of the run; all kinds share their questions' seeds
- records: resume from and append to
- progress: None: a bar in terminals only
- returns: scored; the questions that have no such prefix"""
    ...

def kind_facts(trajectories: collections.abc.Sequence[Trajectory], questions: collections.abc.Sequence[Question]) -> dict[Any, Any]:
    """What a kind of prefix gave: kept rows, grounded answers, searches

- trajectories: of one kind
- questions: all that were asked, also those without a prefix
- returns: JSON data: a list of values for each benchmark"""
    ...

def kinds_table(facts: dict[Any, Any]) -> str:
    """Yield, groundedness and searches by kind of prefix, with 95 % intervals

- facts: kind -> its `kind_facts`; "none" is what the others are compared with
- returns: markdown"""
    ...

def claims(trajectories: collections.abc.Sequence[Trajectory]) -> dict[Any, Any]:
    """How often first thoughts assert something, hold no plan at all, or name the gold answer

- trajectories: of a pass with first thoughts
- returns: benchmark -> counts"""
    ...

def claims_table(found: dict[Any, Any]) -> str:
    """The same as markdown"""
    ...
