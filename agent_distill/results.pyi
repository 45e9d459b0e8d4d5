# made from results.py by .ci/stubs.py: edit the notebook
"""Recorded runs beside the paper: what reproduced, what did not, and what was never run"""
from typing import Any
import collections.abc
import json
from dataclasses import dataclass
from pathlib import Path
from .evaluation import Results as Results
from .intervals import Comparison as Comparison
from .intervals import wilson as wilson
from .pipeline import notebooks_folder as notebooks_folder
from .profile import PROFILES as PROFILES
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import get_profile as get_profile
from .profile import write_atomic as write_atomic

__all__ = ['STUDENTS', 'CLAIMS', 'recorded_folder', 'paper_results', 'Recorded', 'record', 'recorded_runs', 'stage_rows', 'Claim', 'find', 'verdict', 'paper_points', 'claims_rows', 'claims_table', 'real_runs', 'made_with', 'repeats', 'this_run', 'run_table']

STUDENTS: tuple[str, ...]

CLAIMS: tuple[Claim, ...]

def recorded_folder(folder: Any=None) -> Path:
    """Where recorded numbers are kept

- folder: None: `recorded/` beside the chapters"""
    ...

def paper_results(model: str='1.5B', folder: Any=None) -> Results:
    """The paper's main table for one student, with the teacher's agent row

- model: the student's size: one of STUDENTS
- folder: where paper_table.json is
- returns: Wilson intervals are ours, from the paper's percentages and numbers of questions"""
    ...

@dataclass
class Recorded:
    """A run that was made once and kept

- about: profile, seed, config, versions, stages"""
    results: Results
    about: dict[Any, Any]

    def _repr_markdown_(self) -> Any:
        ...

def record(out_dir: Any, folder: Any=None) -> Path:
    """Keep the numbers of a run in the repository

- out_dir: a finished run
- folder: None: `recorded/` beside the chapters
- returns: the file, named after the profile"""
    ...

def recorded_runs(folder: Any=None) -> dict[str, Recorded]:
    """All recorded runs

- folder: where the files are
- returns: profile name -> run; only those that exist"""
    ...

def stage_rows(stages: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: what each stage took

- stages: stage -> its manifest, or what was recorded of it"""
    ...

@dataclass(frozen=True)
class Claim:
    """Something that the numbers can support or contradict

- b: a is compared with b
- where: a group of benchmarks
- expect: a is higher or lower than b"""
    text: str
    a: str
    b: str
    where: str = ...
    measure: str = ...
    expect: str = ...

def find(claim: Claim, results: Results) -> Comparison | None:
    """The comparison that decides a claim

- returns: None: these results do not speak about it"""
    ...

def verdict(claim: Claim, results: Results) -> str:
    """What a run says about a claim

- returns: reproduced | contradicted | undecided | not measured"""
    ...

def paper_points(claim: Claim, folder: Any=None) -> dict[str, float]:
    """What the paper's main table says about a claim

- returns: student -> difference in points; empty where the paper gives no number"""
    ...

def claims_rows(results: Results, claims: collections.abc.Sequence[Claim]=..., folder: Any=None) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: claim, the paper's numbers, the run's comparison, verdict

- results: a recorded run"""
    ...

def claims_table(results: Results, claims: collections.abc.Sequence[Claim]=..., folder: Any=None) -> str:
    """The same as markdown"""
    ...

def real_runs(folder: Any=None) -> dict[str, Recorded]:
    """The runs of real models that were recorded, whole or in part

- folder: where the files are
- returns: file name -> run; `about["made"]` says how"""
    ...

def made_with(run: Recorded) -> str:
    """What a real run was made with

- returns: markdown"""
    ...

def repeats(recorded: Results, now: Results) -> dict[str, int]:
    """Compare a run with the recorded one, cell by cell

- returns: cells in both, equal ones, and ones outside the recorded interval"""
    ...

def this_run(out_dir: Any) -> Results | None:
    """The results of a run in `out_dir`

- returns: None: there is no evaluation in out_dir"""
    ...

def run_table(folder: Any=None) -> str:
    """Every profile, and whether a run of it was recorded

- returns: markdown"""
    ...
