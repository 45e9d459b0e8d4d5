# made from corpus.py by .ci/stubs.py: edit the notebook
"""Encyclopedias, reading, chains of thought, programs, copying; and, for the teacher alone, a few agent trajectories"""
from typing import Any
from . import world as W

__all__ = ['SYSTEM_COT', 'SYSTEM_READ', 'SYSTEM_AGENT', 'HEAD', 'LOOK', 'END', 'PAGE', 'COMMON', 'HEADS', 'SHARES', 'chat', 'action', 'numbered', 'Reader', 'thoughts', 'cot', 'sum_code', 'agent', 'layout', 'reading', 'quiz', 'program', 'solution', 'copying', 'draw_problem', 'Corpus']

SYSTEM_COT: str

SYSTEM_READ: str

SYSTEM_AGENT: str

HEAD: tuple[str, ...]

LOOK: tuple[str, ...]

END: tuple[str, ...]

PAGE: tuple[str, ...]

COMMON: list[str]

HEADS: list[str]

SHARES: dict[str, dict[str, float]]

def chat(system: Any, *turns: Any) -> list[dict[Any, Any]]:
    """Messages from a system prompt and alternating user and assistant turns"""
    ...

def action(thought: str, code: str) -> str:
    """An agent's turn, in the format of chapter 04"""
    ...

def numbered(passages: Any) -> str:
    """Search results as the agent sees them (chapter 02)"""
    ...

class Reader:
    """Finds a passage and two that look like it, as a retriever would"""
    world: Any
    rng: Any
    by_word: Any
    mentions: Any

    def __init__(self, world: Any, rng: Any) -> None:
        ...

    def lookalike(self, name: Any) -> Any:
        """Shares a word, mentions it, or is merely of the same type"""
        ...

    def results(self, name: Any, k: Any=3) -> Any:
        """`k` passages as (title, text): `name`'s own and look-alikes, shuffled a little"""
        ...

def thoughts(p: Any) -> list[str]:
    """What is said before each look-up and at the end, in the words of the passages"""
    ...

def cot(p: Any, rng: Any) -> str:
    """Chain of thought in paragraphs, separated by blank lines; the last gives the answer"""
    ...

def sum_code(p: Any) -> str:
    """The steps of a word problem as a program that prints the last result"""
    ...

def agent(p: Any, reader: Any) -> list[dict[Any, Any]]:
    """The same problem as an agent's trajectory"""
    ...

def layout(rng: Any) -> Any:
    """A system prompt, and how notes and pages look in one document"""
    ...

def reading(p: Any, reader: Any, rng: Any) -> list[dict[Any, Any]]:
    """A question and passages, at once or one page a turn; a note a page, in some layout"""
    ...

def quiz(reader: Any, rng: Any) -> list[dict[Any, Any]]:
    """Several questions about the same few passages, answered by quoting"""
    ...

def program(rng: Any, world: Any) -> str:
    """A small program and what it prints, sometimes in a fence"""
    ...

def solution(p: Any, rng: Any) -> list[dict[Any, Any]]:
    """A word problem answered by a program and what it prints, in some layout"""
    ...

def copying(rng: Any, world: Any) -> list[dict[Any, Any]]:
    """Say it again: names, numbers and sentences"""
    ...

def draw_problem(world: Any, rng: Any) -> Any:
    """A question about facts, of any shape"""
    ...

class Corpus:
    """An endless stream of documents; a document is a string or a list of messages"""
    rng: Any
    shares: Any
    n: int
    seed: Any
    tutorial: bool
    refresh: int
    world: Any
    reader: Reader

    def __init__(self, role: str, seed: Any, tutorial: bool=False, refresh: int=400, shares: Any=None) -> None:
        ...

    def draw(self) -> Any:
        """The next document"""
        ...
