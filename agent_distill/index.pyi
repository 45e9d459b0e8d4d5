# made from index.py by .ci/stubs.py: edit the notebook
"""From 3,072 bytes a passage to about a hundred, and what is lost on the way"""
from typing import Any
import collections.abc
import json
import time
from dataclasses import dataclass
from pathlib import Path
from .passages import HubFile as HubFile
from .passages import HubSet as HubSet
from .profile import AgentDistillError as AgentDistillError
from .profile import write_atomic as write_atomic

__all__ = ['KINDS', 'CHEAP', 'BLOCK', 'PUBLISHED', 'list_count', 'visits', 'pq_bytes', 'Plan', 'make_plan', 'choose_plan', 'plan_table', 'Piece', 'Vectors', 'npy_vectors', 'flat_vectors', 'flat_bytes', 'train_index', 'build_index', 'Refined', 'read_faiss', 'open_index', 'overlap', 'convert', 'published_plan', 'building_bytes']

KINDS: dict[str, str]

CHEAP: int

BLOCK: int

PUBLISHED: dict[tuple[str, ...], HubSet]

def list_count(n: int) -> int:
    """How many inverted lists: up to 4√n, and at least forty vectors for each

- n: vectors
- returns: a power of two"""
    ...

def visits(nlist: int) -> int:
    """How many lists a query visits

- nlist: inverted lists"""
    ...

def pq_bytes(d: int) -> int:
    """Bytes of a PQ code: one for each group of six numbers or a few more, at most 96

- d: numbers in a vector"""
    ...

@dataclass(frozen=True)
class Plan:
    """How n vectors of d numbers are indexed

- kind: one of KINDS
- n: vectors
- d: numbers in each
- nlist: inverted lists (1: none)
- nprobe: lists a query visits
- code: bytes of a vector's code"""
    kind: str
    n: int
    d: int
    nlist: int
    nprobe: int
    code: int
    wide: int = ...

    @property
    def refined(self) -> bool:
        ...

    @property
    def memory(self) -> int:
        """Bytes in memory"""
        ...

    @property
    def disk(self) -> int:
        """Bytes on the disk"""
        ...

    @property
    def spec(self) -> str:
        """FAISS factory string; np: without a training that only Hamming distances need"""
        ...

def make_plan(kind: str, n: int, d: int) -> Plan:
    """The plan of one kind

- kind: one of KINDS
- n: vectors
- d: numbers in each
- returns: AgentDistillError: no such kind, or too few vectors to train it"""
    ...

def choose_plan(n: int, d: int, budget_gb: float=8.0, kind: str | None=None) -> Plan:
    """The index for a corpus and a memory

- n: vectors
- d: numbers in each
- budget_gb: memory of the machine that will search, in GB (10^9 bytes)
- kind: overrides the rule"""
    ...

def plan_table(corpora: dict[str, tuple[int, int]], budgets: collections.abc.Sequence[float]=...) -> str:
    """What the rule chooses: kind and GB in memory

- corpora: name: vectors, numbers in each
- budgets: GB
- returns: markdown"""
    ...

@dataclass(frozen=True)
class Piece:
    """Vectors in one file, one after another

- offset: bytes before the first
- rows: how many
- data: one vector that is cut over two files, itself"""
    path: Path
    offset: int
    rows: int
    data: bytes = ...

class Vectors:
    """Vectors in files, in order; read in blocks, never all at once"""
    pieces: collections.abc.Sequence[Piece]
    d: int
    dtype: Any
    ends: Any

    def __init__(self, pieces: collections.abc.Sequence[Piece], d: int, dtype: str='<f4') -> None:
        """- pieces: in the order of their rows
- d: numbers in a vector
- dtype: of a number, as numpy writes it"""
        ...

    def __len__(self) -> Any:
        ...

    def __repr__(self) -> Any:
        ...

    def read(self, lo: int, hi: int) -> Any:
        """A copy of the rows lo to hi"""
        ...

    def blocks(self, size: int=...) -> Any:
        """(first row, last row + 1) of each block"""
        ...

    def sample(self, m: int, seed: int=0) -> Any:
        """Rows drawn at random without repetition

- m: how many
- returns: float32 [m, d], in the order of their rows"""
        ...

def npy_vectors(paths: collections.abc.Sequence[Path]) -> Vectors:
    """Vectors in .npy files

- paths: .npy files [n, d], all of one type"""
    ...

def flat_vectors(path: str | Path | list[Any]) -> Vectors:
    """The vectors of an exact FAISS index, read where they lie, also in files cut anywhere

- path: written by faiss.write_index from an IndexFlatIP; a list: its parts
- returns: AgentDistillError: another kind of file, or not all of it"""
    ...

def flat_bytes(path: str | Path | list[Any]) -> int:
    """Its size, all parts together

- path: an index file, or its parts"""
    ...

def train_index(vectors: Vectors, plan: Plan, seed: int=0) -> Any:
    """Learn centres and code books from a sample

- seed: of the sample and of k-means
- returns: an empty, trained faiss index"""
    ...

def build_index(vectors: Vectors, folder: str | Path, plan: Plan, seed: int=0, progress: bool | None=None, block: int=...) -> dict[Any, Any]:
    """Index vectors, a block in memory at a time; a stopped build goes on with the next block

- vectors: row i becomes id i
- folder: gets index.faiss, index.json and what refinement needs
- seed: of the training sample and of k-means
- progress: show a bar; None: where there is a terminal
- block: vectors in memory at a time
- returns: plan, files and their bytes, seconds of this call"""
    ...

class Refined:
    """A faiss index whose best candidates are compared again with better copies on the disk"""
    base: Any
    refiner: Any
    wide: int
    ntotal: Any
    d: Any
    width: Any

    def __init__(self, base: Any, refiner: Any, path: Path, wide: int=100) -> None:
        """- base: a faiss index with PQ codes
- refiner: the quantiser of the copies
- path: .npy [n, bytes of a copy]"""
        ...

    def __repr__(self) -> Any:
        ...

    def vectors(self, rows: Any) -> Any:
        """The copies of some rows"""
        ...

    def reconstruct_n(self, lo: Any, n: Any) -> Any:
        """The copies of n rows from row `lo` on"""
        ...

    def search(self, x: Any, k: int) -> Any:
        """Find candidates by their codes, order them by their copies

- x: float32 [q, d], unit length
- k: rows wanted
- returns: scores float32 [q, k], rows int64 [q, k]; best first, -1 where there is none"""
        ...

def read_faiss(path: Path, flags: int=0) -> Any:
    """A faiss index from a file; AgentDistillError if it cannot be read"""
    ...

def open_index(folder: str | Path) -> Any:
    """Open an index; what is damaged is found now and not in the first search

- folder: where `build_index` put it
- returns: a faiss index or a Refined: search(x, k), ntotal, d"""
    ...

def overlap(exact: Any, found: Any) -> float:
    """Share of the exact rows that were found, whatever their order

- exact: int [q, k] rows of the exact index
- found: int [q, k] rows of another one
- returns: 0 to 1"""
    ...

def convert(flat_file: str | Path | list[Any], folder: str | Path, kind: str | None='pq', budget_gb: float=8.0, seed: int=0, progress: bool | None=None) -> dict[Any, Any]:
    """Compress an exact index file by streaming over it

- flat_file: an exact index as FAISS wrote it, or its parts in order
- folder: of the compressed one
- kind: one of KINDS; None: by the rule
- budget_gb: for the rule
- progress: show a bar; None: where there is a terminal
- returns: as `build_index`"""
    ...

def published_plan(hub: HubSet, d: int, kind: str | None=None) -> Plan:
    """The plan of a published index before it is here: its size says how many vectors it has

- hub: one of PUBLISHED
- d: numbers in a vector
- kind: None: by the rule"""
    ...

def building_bytes(plan: Plan) -> int:
    """Bytes on the disk while an index is built: the finished one, and its blocks before that"""
    ...
