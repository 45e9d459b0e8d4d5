# made from questions.py by .ci/stubs.py: edit the notebook
"""One schema for every benchmark: the paper's exact subsets and the mini lab's five"""
from typing import Any
import os
import collections.abc
from dataclasses import dataclass
from pathlib import Path
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import read_jsonl as read_jsonl

__all__ = ['TASKS', 'COMMIT', 'PAPER', 'GITHUB', 'Question', 'lacking', 'to_question', 'load_questions', 'left_out', 'save_questions', 'Published', 'cache_folder', 'mirror', 'paper_file', 'benchmark_name', 'is_file', 'load_benchmark', 'sources_table', 'check_benchmarks', 'run_questions', 'incomplete', 'own_files', 'write_questions']

TASKS: tuple[str, ...]

COMMIT: str

PAPER: dict[tuple[str, ...], Published]

GITHUB: str

@dataclass(frozen=True)
class Question:
    """One question with its gold answer

- id: unique over all benchmarks of a run
- benchmark: such as "mini-hotpot" or "gsm-hard"
- task: "fact" or "math"
- question: what the agent reads
- answer: gold answer
- aliases: other strings that count as right"""
    id: str
    benchmark: str
    task: str
    question: str
    answer: str
    aliases: tuple[str, ...] = ...

def lacking(row: dict[Any, Any]) -> list[str]:
    """The fields of a question that a row lacks; blank text and an empty list count as nothing"""
    ...

def to_question(row: dict[Any, Any], where: str) -> Question:
    """A `Question` from a JSON object, or one clear error"""
    ...

def load_questions(path: Any, benchmark: str | os.PathLike[str] | None=None, task: str | os.PathLike[str] | None=None, skip: bool=False) -> list[Question]:
    """All questions of a file, or one clear error

- path: JSONL of `Question` rows, or a JSON file of the paper
- benchmark: name of the benchmark; None: what the rows say, or the file's stem
- task: the task of a JSON file of the paper
- skip: leave out rows without question or answer (see `left_out`)
- returns: raises AgentDistillError: file, row and field"""
    ...

def left_out(path: Any, benchmark: str | None=None, task: str | None=None) -> list[str]:
    """The ids of the rows that have no question or no answer"""
    ...

def save_questions(questions: collections.abc.Sequence[Question], path: Any) -> Path:
    """Write one JSON line a question"""
    ...

@dataclass(frozen=True)
class Published:
    """One of the paper's question files

- task: of its questions: "fact" or "math"
- file: its name here
- path: in the repository, below `data_processor/`
- licence: of the questions; the repository's own is Apache-2.0"""
    task: str
    file: str
    path: str
    bytes: int
    licence: str
    sha256: str

def cache_folder() -> Path:
    """Where downloads are kept: `AGENT_DISTILL_CACHE`, or the user's cache folder"""
    ...

def mirror(address: str | os.PathLike[str]=...) -> str:
    """The address that takes the place of `address`: `AGENT_DISTILL_MIRROR`, where it is set

- address: where files come from"""
    ...

def paper_file(published: Published) -> Path:
    """One of the paper's files: your own copy, the one in the cache, or downloaded now with a bar

- published: one of `PAPER`
- returns: AgentDistillError: no network, another hash, a read-only cache"""
    ...

def benchmark_name(benchmark: str) -> str:
    """What a benchmark is called in tables: a question file by its stem, others by their name"""
    ...

def is_file(benchmark: str) -> bool:
    """Whether a benchmark is a question file"""
    ...

def load_benchmark(name: str | os.PathLike[str], split: str | os.PathLike[str], n: int | None=None) -> list[Question]:
    """Questions of one benchmark

- name: a mini benchmark, one of the paper's, or the path of a question file
- split: "train" or "test"; a file of your own is the same for both
- n: the first `n`; None: all of a file, 500 of a mini benchmark"""
    ...

def sources_table(profile: Any) -> str:
    """Where the questions of a run come from, how large the files are, and whose licence they have"""
    ...

def check_benchmarks(profile: Any) -> None:
    """Raise where a benchmark is none; question files of your own are read, nothing is downloaded

- profile: a `Profile`"""
    ...

def run_questions(profile: Any) -> tuple[list[Question], list[Question]]:
    """(training questions, test questions) of a run

- profile: a `Profile`
- returns: AgentDistillError: one is in both"""
    ...

def incomplete(profile: Any) -> dict[str, list[str]]:
    """Benchmark and split -> ids of the published rows that have no question or no answer"""
    ...

def own_files(profile: Any) -> dict[str, Path]:
    """The question files of your own that a run asks"""
    ...

def write_questions(profile: Any, out_dir: Any, train: collections.abc.Sequence[Question], test: collections.abc.Sequence[Question], seed: int=0) -> Artifact:
    """The questions of a run as an artifact

- profile: a `Profile`
- out_dir: folder of the run
- test: both from `run_questions`
- seed: of the run
- returns: `questions/`; a finished one is left alone"""
    ...
