# made from teacher.py by .ci/stubs.py: edit the notebook
"""Chain of thought, first thoughts, agent trajectories, and the filter between them and a dataset."""
from typing import Any
import collections.abc
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Records as Records
from .profile import write_atomic as write_atomic
from .questions import Question as Question
from .questions import benchmark_name as benchmark_name
from .questions import load_questions as load_questions
from .prompts import agent_prompt as agent_prompt
from .prompts import cot_answer as cot_answer
from .prompts import short_prompt as short_prompt
from .agent import derive_seed as derive_seed
from .agent import run_many as run_many
from .agent import sandbox_tools as sandbox_tools
from .agent import solve as solve
from .agent import solve_cot as solve_cot
from .evaluation import scored as scored
from .formulas import normalise as normalise
from .intervals import Comparison as Comparison
from .intervals import compare as compare
from .intervals import wilson as wilson
from .trajectories import Trajectory as Trajectory
from .trajectories import chat_row as chat_row

__all__ = ['FATES', 'PASSES', 'teacher_questions', 'ask_all', 'think', 'first_paragraph', 'thought_prefix', 'first_thoughts', 'act', 'fate', 'sift', 'write_rows', 'write_datasets', 'teach', 'fates_table', 'read_runs', 'yields', 'compare_yields', 'effects_table', 'sentences', 'prefix_table', 'names_answer', 'prefix_facts', 'dataset_files']

FATES: tuple[str, ...]

PASSES: dict[str, str]

def teacher_questions(out_dir: Any, profile: Any, train_limit: int=0) -> list[Question]:
    """The training questions, the first ones of each benchmark

- out_dir: folder of the run, where `questions/` is
- profile: a `Profile`: `train_benchmarks`, `n_train`
- train_limit: questions a benchmark; 0: the profile's `n_train`
- returns: a benchmark without questions raises"""
    ...

def ask_all(one: Any, questions: collections.abc.Sequence[Question], profile: Any, records: Records | None=None, progress: bool | None=None) -> list[Trajectory]:
    """Do `one` for every question; each result is scored before it is recorded

- one: async: question -> Trajectory
- profile: `concurrency`
- records: resume from and append to
- progress: None: a bar in terminals only
- returns: scored, in the order of `questions`"""
    ...

def think(questions: collections.abc.Sequence[Question], engine: Any, profile: Any, seed: int=0, records: Records | None=None, progress: bool | None=None) -> list[Trajectory]:
    """The teacher's chain-of-thought answers (paper, section 3)

- engine: the teacher
- profile: sampling, tokens, concurrency
- seed: of the run; each question derives its own
- records: resume from and append to
- progress: None: a bar in terminals only
- returns: one assistant message each, no steps"""
    ...

def first_paragraph(text: str) -> str:
    """The first thought of an answer: its first paragraph, or else its first sentence

- text: a chain-of-thought answer
- returns: never the whole of it; raises AgentDistillError if there is nothing less"""
    ...

def thought_prefix(paragraph: str) -> str:
    """The first-thought prefix (paper, section 3.2)

- paragraph: a first thought
- returns: the beginning of the agent's first message"""
    ...

def first_thoughts(questions: collections.abc.Sequence[Question], cots: collections.abc.Sequence[Trajectory]) -> tuple[dict[str, str], list[str]]:
    """The prefixes, and which questions have none

- cots: what `think` returned, for all of `questions`
- returns: question id -> prefix; ids without a first thought"""
    ...

def act(questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, profile: Any, prefixes: dict[Any, Any] | None=None, seed: int=0, records: Records | None=None, progress: bool | None=None, more: str='') -> list[Trajectory]:
    """The teacher's agent trajectories, with or without first thoughts

- engine: the teacher
- sandbox: with its tools
- profile: sampling, steps, tokens, concurrency
- prefixes: question id -> prefix, for all questions; None: none
- seed: of the run; each question derives its own
- records: resume from and append to
- progress: None: a bar in terminals only
- more: a last line for the system prompt
- returns: scored"""
    ...

def fate(t: Trajectory) -> str:
    """Whether a trajectory is kept, or the first reason why it is not

- t: scored; of an agent or a chain of thought
- returns: one of `FATES`"""
    ...

def sift(trajectories: collections.abc.Sequence[Trajectory], system: str | None=None) -> tuple[list[dict[Any, Any]], dict[Any, Any]]:
    """Keep what is worth learning from, and count the rest

- trajectories: scored
- system: system prompt of the rows
- returns: chat rows; number of trajectories by fate"""
    ...

def write_rows(path: Any, rows: collections.abc.Sequence[dict[Any, Any]]) -> None:
    """A JSONL file, whole or not at all"""
    ...

def write_datasets(art: Artifact, runs: dict[Any, Any], tools: collections.abc.Sequence[Any]) -> dict[Any, Any]:
    """Sift each pass into its dataset

- art: `teacher/`, started
- runs: pass -> its trajectories, scored
- tools: the functions that the student may call
- returns: pass -> number of trajectories by fate"""
    ...

def teach(profile: Any, out_dir: Any, questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, seed: int=0, train_limit: int=0, progress: bool | None=None) -> Artifact:
    """Run the three passes, or what is left of them, and write the datasets

- profile: a `Profile`
- out_dir: folder of the run: reads questions/ and index/, writes teacher/
- engine: the teacher
- sandbox: with its tools
- seed: of the run
- train_limit: of `questions`; part of the artifact's identity
- progress: None: bars in terminals only
- returns: `teacher/`"""
    ...

def fates_table(counts: dict[Any, Any]) -> str:
    """What became of every question, pass by pass

- counts: pass -> {"asked": n, fate: n, ...}, as in the manifest of `teacher/`
- returns: markdown"""
    ...

def read_runs(out_dir: Any) -> dict[str, list[Trajectory]]:
    """Everything the teacher said

- out_dir: folder of the run, where `teacher/` is
- returns: pass -> its trajectories, the dropped ones too"""
    ...

def yields(trajectories: collections.abc.Sequence[Trajectory], questions: collections.abc.Sequence[Question]) -> dict[str, list[float]]:
    """Which questions gave a training row

- returns: benchmark -> 1.0 (kept) or 0.0, in the order of `questions`"""
    ...

def compare_yields(runs: dict[Any, Any], questions: collections.abc.Sequence[Question]) -> list[Comparison]:
    """The yield with first thoughts against the yield without, on the same questions

- runs: from `read_runs`
- returns: one a benchmark, and one for all"""
    ...

def effects_table(effects: collections.abc.Sequence[Comparison]) -> str:
    """Difference of yields in points with its 95 % interval, and who won where

- effects: from `compare_yields`
- returns: markdown"""
    ...

def sentences(prefix: str) -> int:
    """How many sentences it has; the number of a list's item ends none

- prefix: a first-thought prefix"""
    ...

def prefix_table(runs: dict[Any, Any]) -> str:
    """Yield with and without the prefix on the same questions, by what the prefix is

- runs: from `read_runs`
- returns: markdown"""
    ...

def names_answer(text: str, question: Question) -> bool:
    """Whether the gold answer stands in the text, word for word after normalisation

- text: a prefix"""
    ...

def prefix_facts(trajectories: collections.abc.Sequence[Trajectory]) -> dict[Any, Any]:
    """How much a pass looked up, and how much its prefixes gave away

- trajectories: of one agent pass
- returns: shares and means over its fact questions"""
    ...

def dataset_files(out_dir: Any) -> dict[str, str]:
    """The datasets of a run, as `load_dataset` takes them for its `data_files`

- out_dir: folder of the run, where `teacher/` is
- returns: pass -> its JSONL file, those with rows; none at all raises"""
    ...
