# made from words.py by .ci/stubs.py: edit the notebook
"""BM25 beside the vectors, both together, and what each finds on real text"""
from typing import Any
import collections.abc
from .profile import AgentDistillError as AgentDistillError
from .retrieval import Hit as Hit
from .retrieval import Retriever as Retriever
from .retrieval import Searcher as Searcher
from .retrieval import checked as checked

__all__ = ['Words', 'fuse', 'Hybrid']

class Words(Searcher):
    """BM25 over passages: search by the words themselves"""
    passages: Any
    index: Any

    def __init__(self, passages: Any, k1: float=0.9, b: float=0.4) -> None:
        """- passages: list or PassageStore
- k1: how soon another occurrence of a word stops counting
- b: how much a long passage is held against it, 0 to 1"""
        ...

    def __repr__(self) -> Any:
        ...

    def __len__(self) -> Any:
        ...

    def rows(self, queries: collections.abc.Sequence[str], k: int) -> Any:
        """Rows of the passages that share most with each query

- queries: at least one
- k: rows a query
- returns: scores float32 [n, k], rows int [n, k]"""
        ...

    def search(self, queries: str | list[str], k: int=3) -> list[list[Hit]]:
        """The k passages with the highest BM25 score

- queries: one query or many
- k: passages a query
- returns: a list a query, best first; a passage without a common word is none"""
        ...

def fuse(rankings: collections.abc.Sequence[Any], c: int=60) -> list[list[tuple[int, float]]]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)

- rankings: rows [n, depth] of several searches, best first; -1: none
- c: damps the difference between first and second
- returns: (row, score) a query, best first"""
    ...

class Hybrid(Searcher):
    """A dense retriever and BM25 over the same passages, fused by rank"""
    retriever: Retriever
    depth: int
    words: Any

    def __init__(self, retriever: Retriever, words: Words | None=None, depth: int=100) -> None:
        """- words: None: made here, from the retriever's passages
- depth: hits of each that are fused"""
        ...

    def __repr__(self) -> Any:
        ...

    def search(self, queries: str | list[str], k: int=3) -> list[list[Hit]]:
        """The best k of both

- queries: one query or many
- k: passages a query
- returns: best first; a score is a sum of reciprocal ranks"""
        ...
