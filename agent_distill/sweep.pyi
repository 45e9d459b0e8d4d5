# made from sweep.py by .ci/stubs.py: edit the notebook
"""Several values of a field, several seeds: one command, and one table at the end"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from pathlib import Path
from .compare import Answers as Answers
from .compare import accuracy as accuracy
from .compare import cautions as cautions
from .compare import not_judged as not_judged
from .compare import pooled_pairs as pooled_pairs
from .intervals import Estimate as Estimate
from .pipeline import run as run
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Profile as Profile
from .profile import fields_read as fields_read
from .profile import get_profile as get_profile
from .profile import run_name as run_name

__all__ = ['field_values', 'Point', 'sweep_points', 'shared_stages', 'source_of', 'point_state', 'plan_rows', 'run_sweep', 'change', 'change_rows', 'by_setting', 'change_notes']

def field_values(texts: collections.abc.Sequence[str]) -> dict[str, list[str]]:
    """The values of each field, as they were typed

- texts: such as "sag_n=1,2,4"
- returns: field -> its values"""
    ...

@dataclass(frozen=True)
class Point:
    """One run of a sweep

- name: of its folder
- setting: the swept fields and their values"""
    name: str
    setting: str
    profile: Profile
    seed: int

def sweep_points(profile: str, values: dict[Any, Any], seeds: collections.abc.Sequence[int]) -> list[Point]:
    """Every combination of values with every seed

- profile: which dial, and what is changed in all points
- values: field -> values, from `field_values`
- returns: a field, a value or a benchmark that cannot be raises `AgentDistillError`"""
    ...

def shared_stages(a: Point, b: Point) -> list[str]:
    """The stages whose artifacts one point can take from the other"""
    ...

def source_of(point: Point, earlier: collections.abc.Sequence[Point]) -> Point | None:
    """The earlier point that has most of it already

- returns: None: no earlier one shares anything"""
    ...

def point_state(point: Point, out: Path, limits: dict[Any, Any]) -> str:
    """How far a point is

- out: the sweep's folder
- limits: what `run` is told besides: limit=4
- returns: finished | begun | new; a folder of another sweep raises `AgentDistillError`"""
    ...

def plan_rows(points: collections.abc.Sequence[Point], out: Path, limits: dict[Any, Any]) -> tuple[list[Any], list[Any], str]:
    """What will be run, and how much of it is taken over

- returns: head and rows of a table, and a sentence"""
    ...

def run_sweep(points: collections.abc.Sequence[Point], out: Path, limits: dict[Any, Any], reuse: str='', say: Any=..., **how: Any) -> list[Path]:
    """Run what is not finished yet, in order

- out: the sweep's folder
- limits: what `run` is told besides: limit=4
- reuse: an older run, for points that share nothing with an earlier one
- say: gets a line before each run
- how: more options of `run`
- returns: the runs' folders"""
    ...

def change(firsts: collections.abc.Sequence[Answers], others: collections.abc.Sequence[Answers], method: str, where: str='all', measure: str='right answers') -> Estimate | None:
    """What a setting changed, over seeds and questions

- firsts: one a seed
- others: the same seeds, another setting
- returns: other minus first; None: it was not measured in all runs"""
    ...

def change_rows(settings: dict[str, list[Answers]]) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: each method under each setting

- settings: setting -> its runs, one a seed"""
    ...

def by_setting(points: collections.abc.Sequence[Point], runs: collections.abc.Sequence[Answers]) -> dict[str, list[Answers]]:
    """The runs of each setting, in the order of their seeds

- runs: of the points"""
    ...

def change_notes(settings: dict[str, list[Answers]]) -> list[str]:
    """What a reader of that table must know"""
    ...
