# made from intervals.py by .ci/stubs.py: edit the notebook
"""How sure a number is, and whether a difference is more than luck"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from .profile import AgentDistillError as AgentDistillError

__all__ = ['Estimate', 'wilson', 'bootstrap_ci', 'share_ci', 'mcnemar', 'Comparison', 'compare']

@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and the number of questions behind it

- low: None: no interval"""
    value: float
    low: float | None
    high: float | None
    n: int

    def percent(self, digits: int=0) -> str:
        """In percent, as a table's cell"""
        ...

def wilson(right: float, n: int, z: float=...) -> Estimate:
    """A proportion with Wilson's score interval

- right: right answers, 0 to n
- n: questions
- z: 1.96: 95 %"""
    ...

def bootstrap_ci(*groups: list[float], seed: int=0, draws: int=2000) -> Estimate:
    """Seeded percentile bootstrap, stratified by group

- groups: one value a question; one list a benchmark
- returns: the mean of the groups' means, with a 95 % percentile interval"""
    ...

def share_ci(*groups: list[float], seed: int=0) -> Estimate:
    """`bootstrap_ci` of shares; where no value differs from another, Wilson's interval

- groups: shares between 0 and 1, one a question; one list a benchmark"""
    ...

def mcnemar(wins: int, losses: int) -> float:
    """McNemar's exact test

- wins: questions only the first method answers
- losses: questions only the second method answers
- returns: two-sided p-value"""
    ...

@dataclass(frozen=True)
class Comparison:
    """One method against another on the same questions

- where: a benchmark, or a group of them
- diff: accuracy of a minus accuracy of b
- wins: questions only a answers
- losses: questions only b answers
- p: McNemar's exact test (a sign test where the values are not 0 or 1)
- measure: what is compared"""
    a: str
    b: str
    where: str
    diff: Estimate
    wins: int
    losses: int
    p: float
    measure: str = ...

    @property
    def verdict(self) -> str:
        """higher | lower | undecided: decided only when interval and test agree"""
        ...

def compare(a: collections.abc.Sequence[list[float]], b: collections.abc.Sequence[list[float]], names: tuple[str, str]=..., where: str='', seed: int=0, measure: str='right answers') -> Comparison:
    """Paired comparison of two methods, stratified by benchmark

- a: scores (or another value) of method a: one list a benchmark
- b: scores of method b on the same questions in the same order"""
    ...
