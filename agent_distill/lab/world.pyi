# made from world.py by .ci/stubs.py: edit the notebook
"""A fictional encyclopedia over a closed lexicon, five mini benchmarks, and a solver that shows its work"""
from typing import Any
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

__all__ = ['FIRST', 'LAST', 'CITY', 'COUNTRY', 'ADJ', 'NOUN', 'WORK', 'TRADE', 'JOB', 'MONEY', 'R', 'RELATIONS', 'TYPES', 'OF_TYPE', 'chains_cached', 'COMPARE', 'SIZES', 'VALUES', 'THING', 'WORDS', 'OPS', 'TUTORIAL_SEED', 'MINI', 'Relation', 'chains', 'Page', 'World', 'Hop', 'Problem', 'hop', 'chain_problem', 'compare_problem', 'draw_chain', 'draw_compare', 'solve_steps', 'draw_sum', 'tutorial_world', 'problems', 'Row', 'questions']

FIRST: list[str]

LAST: list[str]

CITY: list[str]

COUNTRY: list[str]

ADJ: list[str]

NOUN: list[str]

WORK: list[str]

TRADE: list[str]

JOB: list[str]

MONEY: list[str]

R = Relation

RELATIONS: dict[str, Relation]

TYPES: tuple[str, ...]

OF_TYPE: dict[str, list[str]]

chains_cached: Any

COMPARE: dict[str, tuple[Any, ...]]

SIZES: dict[str, int]

VALUES: dict[str, Any]

THING: list[str]

WORDS: dict[str, tuple[Any, ...]]

OPS: dict[str, Any]

TUTORIAL_SEED: int

MINI: dict[str, str]

@dataclass(frozen=True)
class Relation:
    """How one kind of fact is stored, told, searched and asked

- subject: type of the entity it belongs to
- object: type of its value
- noun: "director of": the noun phrase is "the director of X"
- tell: two paraphrases, subject first, value last where English allows
- ask: two question forms"""
    subject: str
    object: str
    noun: str
    tell: tuple[str, str]
    ask: tuple[str, str]

    def np(self, x: Any) -> Any:
        ...

    def query(self, x: Any) -> Any:
        ...

def chains(hops: int) -> list[tuple[str, ...]]:
    """All relation chains of this length whose steps fit and that do not walk in a circle"""
    ...

class Page(NamedTuple):
    """What the encyclopedia says of one entity; a passage of a corpus has the same fields"""
    id: str
    title: str
    text: str

class World:
    """Entities, their facts and how each fact is told; all of it follows from `seed` and `scale`"""
    rng: Any
    seed: Any
    names: Any
    kind: Any
    facts: Any
    told: Any
    order: Any

    def __init__(self, seed: Any, scale: float=1.0) -> None:
        ...

    def __repr__(self) -> Any:
        ...

    def text(self, name: Any) -> Any:
        ...

    def passages(self) -> list[Page]:
        """One passage an entity"""
        ...

@dataclass
class Hop:
    """One looked-up fact: what is needed, the query that finds it, the sentence that tells it"""
    title: str
    need: str
    query: str
    fact: str
    value: str

@dataclass
class Problem:
    """A question with its solution written out

- verdict: comparison of the two values
- sums: "a = 3 * 4" lines of a word problem"""
    kind: str
    text: str
    answer: str
    hops: list[Hop] = ...
    verdict: str = ...
    sums: list[str] = ...
    need: str = ...
    values: list[str] = ...

def hop(world: Any, name: Any, rel: Any) -> Hop:
    """Look up one fact"""
    ...

def chain_problem(world: Any, start: Any, chain: Any, rng: Any) -> Problem:
    """Follow `chain` from `start`: the paper's multi-hop questions in small"""
    ...

def compare_problem(world: Any, a: Any, b: Any, rel: Any, rng: Any) -> Problem:
    """Two entities, one relation, the larger or the earlier one"""
    ...

def draw_chain(world: Any, rng: Any, hops: int) -> Problem:
    """A random question of `hops` hops"""
    ...

def draw_compare(world: Any, rng: Any) -> Problem:
    """A random comparison of two different values"""
    ...

def solve_steps(steps: Any, numbers: dict[Any, Any]) -> list[int]:
    """Values of the steps, in order; `a`, `b`, `c` name earlier ones"""
    ...

def draw_sum(rng: Any, digits: Any=...) -> Problem:
    """A word problem whose numbers have `digits[0]` to `digits[1]` digits; no step is below zero"""
    ...

@lru_cache(None)
def tutorial_world() -> World:
    ...

def problems(benchmark: str, split: str, n: int, world: World | None=None) -> list[Problem]:
    """The first `n` different problems of a split, with solutions"""
    ...

class Row(NamedTuple):
    """A question as a question file has it"""
    id: str
    benchmark: str
    task: str
    question: str
    answer: str

def questions(benchmark: str, split: str, n: int) -> list[Row]:
    """The first `n` questions of a split"""
    ...
