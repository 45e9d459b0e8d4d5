# made from profile.py by .ci/stubs.py: edit the notebook
"""A profile fixes every number of a run; an artifact proves which numbers made it"""
from typing import Any
import os
import json
import random
import sys
from dataclasses import dataclass
from dataclasses import fields
from pathlib import Path

__all__ = ['MINI', 'PAPER', 'COLAB', 'SMALL', 'PROFILES', 'AgentDistillError', 'Profile', 'get_profile', 'runs_folder', 'run_name', 'run_dir', 'profile_table', 'set_seed', 'cgroup_limit', 'cores', 'read_jsonl', 'Records', 'file_hash', 'write_atomic', 'Artifact', 'is_run', 'runs_like', 'find_run', 'fields_read', 'Displaced', 'check_seed', 'versions']

MINI: Profile

PAPER: Profile

COLAB: Profile

SMALL: Profile

PROFILES: dict[str, Profile]

class AgentDistillError(Exception):
    """Bad input, told in three parts: what is wrong, where, and what to do about it"""
    what: str
    where: Any
    fix: str | None

    def __init__(self, what: str, where: Any=None, fix: str | None=None) -> None:
        """- what: the fault, one clause
- where: the thing it is about: a path, a line, a field
- fix: the remedy"""
        ...

    def __str__(self) -> Any:
        ...

@dataclass(frozen=True)
class Profile:
    """Everything that a run depends on, except its seed

- name: the profile it came from
- benchmarks: evaluated on these
- train_benchmarks: the teacher's questions come from these
- in_domain: those of `benchmarks` that are like the training questions
- n_train: training questions a benchmark, at most
- n_test: test questions a benchmark, at most
- corpus: "mini", the name of a public corpus, or a JSONL path
- embedder: sentence-transformers name
- teacher: "mini-teacher", a Hugging Face name, a folder, "released"
- student: "mini-student", a Hugging Face name or a folder
- engine: "transformers", "vllm", or a server's address
- sft: "trl" or "unsloth"
- max_new_tokens: tokens an agent may write in one step
- cot_max_new_tokens: tokens of a chain-of-thought answer
- teacher_temperature: 0: greedy
- teacher_top_p: nucleus of the teacher's sampling
- max_length: tokens of a training row, agent
- cot_max_length: tokens of a training row, chain of thought
- concurrency: questions in flight at once
- prompt: or "short": what an untrained agent is told (chapter 4e)
- top_k: passages a search returns
- max_steps: thought-action-observation rounds a question
- sag_n: candidates a step in self-consistent action generation
- sag_temperature: their temperature
- sag_top_p: their nucleus
- lora_r: rank, on all linear layers
- lora_alpha: scale
- lora_dropout: dropout of the adapter
- lr: learning rate
- epochs: passes over the trajectories
- batch_size: rows an optimizer step"""
    name: str
    benchmarks: tuple[str, ...]
    train_benchmarks: tuple[str, ...]
    in_domain: tuple[str, ...]
    n_train: int
    n_test: int
    corpus: str
    embedder: str
    teacher: str
    student: str
    engine: str
    sft: str
    max_new_tokens: int
    cot_max_new_tokens: int
    teacher_temperature: float
    teacher_top_p: float
    max_length: int
    cot_max_length: int
    concurrency: int
    prompt: str = ...
    top_k: int = ...
    max_steps: int = ...
    sag_n: int = ...
    sag_temperature: float = ...
    sag_top_p: float = ...
    lora_r: int = ...
    lora_alpha: int = ...
    lora_dropout: float = ...
    lr: float = ...
    epochs: int = ...
    batch_size: int = ...

    def __post_init__(self) -> None:
        ...

    @property
    def spec(self) -> str:
        """The text that `get_profile` makes this profile from"""
        ...

    def _repr_markdown_(self) -> Any:
        ...

def get_profile(name: str, **overrides: Any) -> Profile:
    """The profile called `name`, with its changes

- name: mini, small, colab or paper; what is changed may follow: "mini,sag_n=4,lr=5e-4"
- overrides: more changes, as in `get_profile("mini", sag_n=4)`
- returns: raises AgentDistillError for an unknown name or field"""
    ...

def runs_folder() -> Path:
    """Where runs lie: in the nearest `runs/` here or above, else in the checkout's, else here"""
    ...

def run_name(text: str) -> str:
    """What the folder of a run is called

- text: fields and values: a profile's text, what a sweep changes
- returns: without signs that a folder cannot have; of a path its last part"""
    ...

def run_dir(out_dir: str | os.PathLike[str]='', profile: str='mini') -> Path:
    """The folder of a run

- out_dir: as the parameters say it; "": `runs/PROFILE`
- profile: as text, with its changes
- returns: whole"""
    ...

def profile_table(*profiles: Profile) -> str:
    """The fields of `profiles` side by side

- profiles: columns; all shipped profiles when none is given
- returns: a markdown table"""
    ...

def set_seed(seed: int) -> None:
    """Seed `random`, and numpy and torch where they are loaded

- seed: any integer; numpy and torch see it modulo 2**32"""
    ...

def cgroup_limit(name: str, folder: str | os.PathLike[str]='/sys/fs/cgroup') -> list[int]:
    """A limit of the container that this process is in

- name: "cpu.max" or "memory.max"
- folder: where a Linux container sees its own
- returns: the file's numbers; empty where there is no limit"""
    ...

def cores() -> int:
    """Cores that this process may use"""
    ...

def read_jsonl(path: Any) -> list[dict[Any, Any]]:
    """The rows of a JSONL file

- path: a file with one JSON object a line
- returns: raises AgentDistillError with path and line number"""
    ...

class Records:
    """An append-only JSONL file whose rows have unique keys"""
    path: Path
    key: str
    rows: Any
    keys: Any

    def __init__(self, path: Any, key: str='id') -> None:
        """- path: made at the first append
- key: the field that names a row"""
        ...

    def __len__(self) -> Any:
        ...

    def __contains__(self, key: Any) -> Any:
        ...

    def __iter__(self) -> Any:
        ...

    def __repr__(self) -> Any:
        ...

    def append(self, row: dict[Any, Any]) -> None:
        """Add `row` at the end; it survives from here on

- row: JSON data with the key field; a key that is there already raises"""
        ...

def file_hash(path: Any) -> str:
    """The sha256 of a file, read in pieces"""
    ...

def write_atomic(path: Any, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part

- path: replaced whole
- text: the new content
- returns: raises AgentDistillError where the disk is full, or the folder gone"""
    ...

class Artifact:
    """A folder of results with a manifest that says what made them"""
    folder: Path
    profile: Profile
    seed: int
    inputs: Any
    config: Any

    def __init__(self, folder: Any, profile: Profile, seed: int=0, inputs: dict[Any, Any] | None=None, **config: Any) -> None:
        """- folder: its name is the stage's: questions, index, teacher, ...
- profile: the resolved profile
- seed: the run's seed
- inputs: name -> file, or folder of the artifact it was made from
- config: options of this stage, JSON data: limit=4, method=..."""
        ...

    def __repr__(self) -> Any:
        ...

    @property
    def manifest(self) -> dict[Any, Any]:
        """What `manifest.json` says; empty before `start`"""
        ...

    @property
    def fingerprint(self) -> str:
        """One hash of the profile's fields that count here, seed, options and inputs"""
        ...

    def unlike(self, m: dict[Any, Any]) -> dict[str, str]:
        """What a manifest says otherwise: fields that count here, seed, options and inputs

- m: a manifest
- returns: name -> what differs, as in "sag_n 8 there, 2 here"; empty: nothing"""
        ...

    def start(self) -> Artifact:
        """Make the folder, or go on in it; raises AgentDistillError where it cannot be written"""
        ...

    def path(self, name: str | os.PathLike[str]) -> Path:
        """Where the file `name` of this artifact belongs

- name: file name inside the artifact; `/` makes subfolders"""
        ...

    def records(self, name: str | os.PathLike[str], key: str='id') -> Records:
        """The append-only records `name` of this artifact

- name: a JSONL file of this artifact
- key: the field that names a row"""
        ...

    def finish(self, **facts: Any) -> dict[Any, Any]:
        """Declare the artifact complete

- facts: JSON data for the manifest's "counts"
- returns: the manifest"""
        ...

    @property
    def done(self) -> bool:
        """Finished, with this profile, seed, options and inputs, and its files intact"""
        ...

    @classmethod
    def read(cls, folder: Any) -> Any:
        """A finished artifact, its files checked against the manifest

- folder: where a chapter wrote its artifact
- returns: raises AgentDistillError when it is missing, unfinished or damaged"""
        ...

    def _repr_markdown_(self) -> Any:
        ...

def is_run(folder: Any) -> bool:
    """Whether a run was begun in a folder"""
    ...

def runs_like(out: Any, artifact: str='') -> list[Path]:
    """The other runs beside it, in `runs/` here or above, and in `_runs/`

- out: the folder of a run, which need not be there
- artifact: what they must have finished: "index", "student/agent", ...
- returns: most similar names first"""
    ...

def find_run(out: Any) -> Path:
    """The folder of a run; where there is none, the error names those that may be meant

- out: where a run should be
- returns: whole"""
    ...

def fields_read(folder: Any) -> list[str]:
    """The fields of a profile that an artifact may depend on

- folder: an artifact's
- returns: all fields, where it is no stage's"""
    ...

class Displaced(UserWarning):
    """Says that an artifact's folder is set aside, or that one fits again and is taken back"""

def check_seed(out_dir: Any, seed: int, but: str='') -> None:
    """Refuse a folder whose artifacts were made with another seed

- out_dir: folder of a run
- seed: that it should have
- but: an artifact that may have another one: it is about to be set aside
- returns: raises AgentDistillError for the first that has another seed"""
    ...

def versions() -> dict[Any, Any]:
    """Python, and the installed packages that results depend on"""
    ...
