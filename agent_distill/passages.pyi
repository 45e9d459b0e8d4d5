# made from passages.py by .ci/stubs.py: edit the notebook
"""The encyclopedia as it comes: many formats in, bad lines counted, text that never fills the memory"""
from typing import Any
import collections.abc
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from .profile import AgentDistillError as AgentDistillError
from .profile import file_hash as file_hash
from .profile import write_atomic as write_atomic
from .questions import cache_folder as cache_folder

__all__ = ['HUB', 'SHARD', 'Passage', 'check_passages', 'corpus_sha256', 'from_contents', 'to_contents', 'row_passages', 'BadRows', 'HubFile', 'HubSet', 'hub_path', 'hub_left', 'hub_table', 'corpus_source', 'check_room', 'fetch', 'Corpus', 'open_corpus', 'load_passages', 'corpus_commit', 'write_passages', 'PassageStore']

HUB: dict[str, HubSet]

SHARD: int

@dataclass(frozen=True)
class Passage:
    """One piece of the encyclopedia: what a search can return

- id: unique in its corpus
- title: name of the article
- text: the words, without the title"""
    id: str
    title: str
    text: str

def check_passages(passages: collections.abc.Sequence[Passage]) -> list[Passage]:
    """A corpus that can be indexed: not empty, ids unique, no empty text

- passages: the whole corpus
- returns: the same; AgentDistillError names the first bad one"""
    ...

def corpus_sha256(passages: Iterable[Passage]) -> str:
    """Identity of a corpus: ids, titles, texts and their order

- passages: read once, in order"""
    ...

def from_contents(contents: str) -> tuple[str, str]:
    """Take wiki-18's `contents` apart

- contents: '"Title"\\ntext'
- returns: title, text"""
    ...

def to_contents(passage: Passage) -> str:
    """wiki-18's `contents` of a passage"""
    ...

def row_passages(row: dict[Any, Any]) -> list[Passage]:
    """The passages that a row holds

- row: one line of a corpus
- returns: ValueError says why it is none"""
    ...

@dataclass
class BadRows:
    """The rows of a corpus that are no passages

- first: row number from 1, reason"""
    count: int = ...
    first: list[tuple[int, str]] = ...

    def add(self, number: Any, reason: Any) -> None:
        ...

    def __str__(self) -> Any:
        ...

    def _repr_markdown_(self) -> Any:
        ...

class HubFile(NamedTuple):
    """A file of a data set on the Hugging Face hub"""
    name: str
    bytes: int
    sha256: str

@dataclass(frozen=True)
class HubSet:
    """Published files at one commit

- repo: the data set's name on the hub
- revision: the commit
- files: in the order in which they are read"""
    repo: str
    revision: str
    licence: str
    files: tuple[HubFile, ...]

    @property
    def bytes(self) -> int:
        ...

def hub_path(hub: HubSet, file: HubFile) -> Path:
    """The place of a published file on this machine

- file: one of its files
- returns: where it is, or will be once it is downloaded"""
    ...

def hub_left(hub: HubSet) -> int:
    """Bytes of a published set that are still to be downloaded"""
    ...

def hub_table(sets: dict[str, HubSet]) -> str:
    """What is downloaded from where, how large it is, how much is left, and whose licence it has

- sets: what each is called -> where it comes from
- returns: markdown; nothing is downloaded for it"""
    ...

def corpus_source(corpus: str) -> str:
    """Where a corpus comes from, and what it takes to get it

- corpus: as a profile names it
- returns: markdown"""
    ...

def check_room(needs: dict[Path, int]) -> None:
    """Raise where a disk has too little room; folders on one disk are added up

- needs: folder -> bytes that will be written below it
- returns: raises AgentDistillError"""
    ...

def fetch(hub: HubSet) -> list[Path]:
    """The files of a published set: your own copies, those in a cache, or downloaded with a bar

- returns: AgentDistillError: no network, no room, another hash, a read-only cache"""
    ...

class Corpus:
    """Passages that are read one by one; each pass leaves a report of the rows that are none"""
    name: str
    rows: Callable[[], Iterator[Any]]
    bad: str
    report: BadRows

    def __init__(self, name: str, rows: Callable[[], Iterator[Any]], identity: Callable[[], str], bad: str='raise') -> None:
        """- name: what errors call it
- rows: begins a pass over (number, row or Passage)
- identity: a hash; called at most once
- bad: or "skip": what a pass does with bad rows in the end"""
        ...

    @property
    def sha256(self) -> str:
        """What tells this corpus from others"""
        ...

    def __repr__(self) -> Any:
        ...

    def __iter__(self) -> collections.abc.Iterator[Any]:
        ...

def open_corpus(source: Any, bad: str='raise') -> Corpus:
    """A corpus by its name, from a file, or from a list

- source: "mini", "hotpotqa", "wiki18", a path, a list of passages, or a Corpus
- bad: or "skip": count bad rows and go on"""
    ...

def load_passages(source: Any, bad: str='raise') -> list[Passage]:
    """All passages of a corpus that fits into memory

- source: as `open_corpus` takes it
- returns: AgentDistillError: no such corpus, or bad rows with their numbers"""
    ...

def corpus_commit(corpus: Corpus) -> str:
    """Where on the hub a corpus comes from

- returns: "repository@commit"; "" for any other corpus, and for a copy that differs"""
    ...

def write_passages(corpus: Corpus, folder: Path, shard: int=...) -> dict[Any, Any]:
    """Copy a corpus into Arrow shards, unless they are there already

- corpus: read once
- folder: gets 00000.arrow, 00001.arrow, ... and shards.json
- shard: passages a file
- returns: rows of each shard, bad rows"""
    ...

class PassageStore:
    """Passages in memory-mapped Arrow shards; reads like a list"""
    folder: Path
    ends: Any
    shards: Any

    def __init__(self, folder: Path) -> None:
        """- folder: where `write_passages` put them"""
        ...

    def __repr__(self) -> Any:
        ...

    def __len__(self) -> Any:
        ...

    def __iter__(self) -> Any:
        ...

    def __getitem__(self, i: Any) -> Any:
        ...

    def shard(self, i: Any) -> list[Passage]:
        """The passages of one shard"""
        ...
