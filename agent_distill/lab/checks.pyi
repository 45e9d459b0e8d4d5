# made from checks.py by .ci/stubs.py: edit the notebook
"""Three checks on held-out questions, reported whichever way they fall"""
from typing import Any
import collections.abc
import os
from pathlib import Path
from ..evaluation import METHODS as METHODS
from ..evaluation import engines_of as engines_of
from ..evaluation import evaluate as evaluate
from ..intervals import Estimate as Estimate
from ..intervals import wilson as wilson
from ..profile import Records as Records
from ..profile import get_profile as get_profile
from ..profile import write_atomic as write_atomic
from ..questions import load_benchmark as load_benchmark

__all__ = ['wanted', 'ask_checks', 'shares', 'judge', 'checks_table', 'record_checks']

def wanted(profile: Any) -> dict[str, tuple[str, ...]]:
    """Method -> the benchmarks that its check is about"""
    ...

def ask_checks(out_dir: Any, work: Any, n: int=200, seed: int=0) -> dict[Any, Any]:
    """Run the four methods of the checks

- out_dir: folder of a finished mini run: its index and its students
- work: folder for the records
- n: held-out questions a benchmark
- returns: method -> benchmark -> scored trajectories"""
    ...

def shares(runs: dict[Any, Any]) -> dict[str, dict[str, Estimate]]:
    """Right answers of each method on each benchmark, with intervals"""
    ...

def judge(cells: dict[Any, Any], profile: Any) -> list[dict[Any, Any]]:
    """The three checks, each with its figures and whether it holds"""
    ...

def checks_table(rows: collections.abc.Sequence[dict[Any, Any]], n: int) -> str:
    """The checks as a markdown table, in percent"""
    ...

def record_checks(runs: dict[Any, Any], folder: str | os.PathLike[str]='nbs/recorded') -> Path:
    """Judge and keep"""
    ...
