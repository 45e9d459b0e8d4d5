# made from released.py by .ci/stubs.py: edit the notebook
"""What the paper's 32B teacher wrote, row by row checked and put into our form"""
from typing import Any
import collections.abc
import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import file_hash as file_hash
from .questions import Question as Question
from .actions import ParseError as ParseError
from .actions import own_turn as own_turn
from .actions import parse_action as parse_action
from .actions import render_action as render_action
from .prompts import cot_answer as cot_answer
from .prompts import cot_prompt as cot_prompt
from .prompts import short_prompt as short_prompt
from .agent import shorten as shorten
from .trajectories import Step as Step
from .trajectories import Trajectory as Trajectory
from .evaluation import scored as scored
from .teacher import PASSES as PASSES
from .teacher import fate as fate
from .teacher import write_datasets as write_datasets
from .teacher import write_rows as write_rows

__all__ = ['RELEASED', 'MOST_MB', 'ROLES', 'TOOLS', 'Source', 'find_source', 'sources_table', 'source_files', 'read_rows', 'BadRow', 'turns_of', 'our_names', 'our_action', 'Seen', 'our_observation', 'agent_trajectory', 'our_ending', 'cot_trajectory', 'Taken', 'take_rows', 'released_counts', 'converters', 'take_released', 'dataset_tokens']

RELEASED: dict[str, str]

MOST_MB: int

ROLES: tuple[str, ...]

TOOLS: dict[str, str]

@dataclass(frozen=True)
class Source:
    """Where one published set lies, and what it takes to get it

- repo: the data set's name on the hub
- files: name -> bytes; None: not said
- revision: commit on the hub; empty: a folder of one's own
- licence: empty: not said
- folder: of one's own"""
    repo: str
    files: dict[Any, Any]
    revision: str = ...
    licence: str = ...
    folder: Path | None = ...

    @property
    def mb(self) -> float:
        ...

def find_source(name: str) -> Source:
    """Where a set is: below `AGENT_DISTILL_RELEASED`, or on the hub

- name: one of `RELEASED`
- returns: nothing is downloaded yet"""
    ...

def sources_table(sources: dict[str, Source]) -> str:
    """What would be downloaded from where, how large it is, and whose licence it has

- sources: pass -> its source
- returns: markdown"""
    ...

def source_files(source: Source) -> list[Path]:
    """The files of a set on this machine

- returns: downloaded now, or taken from the hub's cache"""
    ...

def read_rows(path: Path) -> collections.abc.Iterator[Any]:
    """The rows of a file

- path: Parquet or JSON, also compressed by gzip
- returns: yields dicts, and None for what is no row; an unreadable file raises"""
    ...

class BadRow(ValueError):
    """A published row that cannot be taken; the message says why"""

def turns_of(row: dict[Any, Any], question: str) -> list[tuple[Any, ...]]:
    """The turns of an agent's row

- question: that the row must have asked
- returns: (what the model wrote, the texts that came back), turn by turn"""
    ...

def our_names(code: str, tools: Any=...) -> str:
    """The same code for our tools

- code: as the published agent ran it
- tools: its name of a tool -> ours
- returns: with our tools; code that takes a tool's name for itself is a `BadRow`"""
    ...

def our_action(text: str) -> Any:
    """Thought and code of a turn, for our tools

- text: a turn of the published agent
- returns: an `Action`; `ParseError` if there is none"""
    ...

class Seen(NamedTuple):
    """What came back after a turn

- text: as our agent would have read it
- error: empty: none
- value: of the last line; "None": none"""
    text: str
    error: str = ...
    value: str = ...

def our_observation(texts: collections.abc.Sequence[str]) -> Seen:
    """What our agent would have read

- texts: what came back after one turn: an observation, an error, or both"""
    ...

def agent_trajectory(row: dict[Any, Any], question: Question, system: str, max_steps: int=5, prefixed: bool=False) -> Trajectory:
    """A published row as if our agent had gone that way

- row: of an agent's set
- question: of chapter 1, with the same text
- system: system prompt
- prefixed: the set whose first turn begins with a first thought
- returns: not yet scored; a row that cannot be taken raises `BadRow`"""
    ...

def our_ending(text: str, task: str) -> str:
    '''The same with the ending that our prompt asks for

- text: a chain of thought
- task: "fact" or "math"'''
    ...

def cot_trajectory(row: dict[Any, Any], question: Question, system: str) -> Trajectory:
    """A published chain of thought as if our teacher had written it

- system: system prompt
- returns: not yet scored; a row that cannot be taken raises `BadRow`"""
    ...

@dataclass
class Taken:
    """What became of a published set

- trajectories: scored, one a question at most
- bad: reason -> rows that gave none
- lost: ids of questions with bad rows only"""
    trajectories: list[Any] = ...
    bad: Counter[Any] = ...
    lost: list[Any] = ...
    rows: int = ...

def take_rows(rows: Any, questions: collections.abc.Sequence[Question], convert: Any) -> Taken:
    """One scored trajectory for each question that the set answers

- rows: of a set: dicts, or None for what is no row
- questions: of chapter 1
- convert: (row, question) -> Trajectory; may raise `BadRow`"""
    ...

def released_counts(taken: Taken, fates: dict[Any, Any], asked: int) -> dict[Any, Any]:
    """What became of every question, as chapter 6 counts it

- fates: fate -> trajectories
- asked: questions"""
    ...

def converters(profile: Any, tools: collections.abc.Sequence[Any]) -> dict[Any, Any]:
    """How the rows of each set are read

- profile: `prompt`, `max_steps`
- tools: the functions that the student may call
- returns: pass -> (row, question) -> Trajectory"""
    ...

def take_released(profile: Any, out_dir: Any, questions: collections.abc.Sequence[Question], tools: collections.abc.Sequence[Any], seed: int=0, train_limit: int=0) -> Artifact:
    """The published trajectories as chapter 6's artifact

- profile: a `Profile`
- out_dir: folder of the run: reads questions/, writes teacher/
- questions: from `teacher_questions`
- tools: the functions that the student may call
- seed: of the run
- train_limit: of `questions`; part of the artifact's identity
- returns: `teacher/`"""
    ...

def dataset_tokens(out_dir: Any, tokenizer: Any) -> dict[Any, Any]:
    """How long the datasets are

- out_dir: folder of the run, where `teacher/` is
- tokenizer: the student's
- returns: pass -> rows, tokens, tokens of the longest row"""
    ...
