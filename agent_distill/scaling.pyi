# made from scaling.py by .ci/stubs.py: edit the notebook
"""What changes at twenty-one million passages and with many workers, and what does not"""
from typing import Any
import collections.abc
import os
import time
from dataclasses import dataclass
from pathlib import Path
from .index import overlap as overlap
from .pipeline import locked as locked
from .profile import AgentDistillError as AgentDistillError
from .profile import Records as Records
from .profile import cores as cores
from .profile import write_atomic as write_atomic

__all__ = ['WIKI18', 'E5_DIM', 'WIKI18_LINE', 'code_bytes', 'Footprint', 'agreement', 'embed_hours', 'shard_of', 'shard', 'find_worker', 'search_worker', 'work_shard', 'merge_records', 'worker_env', 'end_with_parent', 'run_processes', 'run_sharded', 'sharded_seconds', 'run_ray']

WIKI18: int

E5_DIM: int

WIKI18_LINE: int

def code_bytes(spec: str, dim: int) -> int:
    """Bytes of one stored vector

- spec: a FAISS factory string: "Flat", "SQfp16", "SQ8", "PQ96", ...
- dim: numbers in a vector"""
    ...

@dataclass(frozen=True)
class Footprint:
    """What a corpus costs with several kinds of index

- specs: FAISS factory strings"""
    passages: int
    dim: int
    specs: tuple[str, ...] = ...

    def gb(self, spec: str) -> float:
        """Memory of the vectors in GB (10^9 bytes), without the passages' text"""
        ...

    def _repr_markdown_(self) -> Any:
        ...

def agreement(exact: Any, spec: str, queries: Any, k: int=3) -> float:
    """Share of the exact index's top k that an index of another kind finds as well

- exact: a faiss index that holds the vectors themselves
- spec: FAISS factory string of the other one
- queries: float32 [n, dim], unit length
- k: passages compared
- returns: 0 to 1"""
    ...

def embed_hours(passages: int, rate: float, workers: int=1) -> float:
    """Hours to embed a corpus, if the workers do not get in each other's way

- passages: how many
- rate: passages a second of one worker
- workers: cores, or GPUs"""
    ...

def shard_of(key: str, n: int) -> int:
    """The shard of a key: the same in each process, each run and each order of the rows

- key: a question's id
- n: number of shards
- returns: 0 to n - 1"""
    ...

def shard(rows: collections.abc.Sequence[dict[Any, Any]], n: int) -> list[list[dict[Any, Any]]]:
    """Spread rows over n shards

- rows: each with an "id"
- n: number of shards
- returns: n lists; a small one may be empty"""
    ...

def find_worker(name: str) -> Any:
    '''The function that a worker's name means

- name: "module:function"'''
    ...

def search_worker(index: str | os.PathLike[str], k: int=3) -> Any:
    """A worker that searches each row's question

- index: folder of the retriever's artifact
- k: passages a question
- returns: row -> dict"""
    ...

def work_shard(job: dict[Any, Any]) -> None:
    """Do the rows of one shard that its record file does not have yet

- job: worker, options, rows, out"""
    ...

def merge_records(paths: collections.abc.Sequence[Path], ids: collections.abc.Sequence[str], out: Path) -> list[dict[Any, Any]]:
    """Put record files together: every id once, none missing

- paths: record files
- ids: what must be there, in this order
- out: the merged file; written whole or not at all"""
    ...

def worker_env(i: int, n: int, gpus: int=0) -> dict[str, str]:
    """Environment variables that keep a worker to its share of the machine

- i: this worker
- n: of how many
- gpus: GPUs of this machine; worker i sees number i modulo this"""
    ...

def end_with_parent() -> None:
    """End this process as soon as its stdin ends: the parent holds the other side, dead or alive"""
    ...

def run_processes(jobs: collections.abc.Sequence[dict[Any, Any]], gpus: int=0, progress: bool | None=None) -> None:
    """Run jobs, each in a process; AgentDistillError names the workers that failed

- jobs: one a worker
- gpus: GPUs to share out
- progress: show a bar; None: where there is a terminal"""
    ...

def run_sharded(worker: str, rows: collections.abc.Sequence[dict[Any, Any]], folder: str | Path, n: int=2, run: Any=..., **options: Any) -> list[dict[Any, Any]]:
    """Spread rows over workers; what an earlier run has done is not done again

- worker: "module:function"; function(**options) returns row -> dict
- rows: JSON data, each with an "id"
- folder: of a started artifact: record files, jobs, logs
- n: workers
- run: run_processes or run_ray
- options: JSON data for the worker
- returns: a result a row, in the order of `rows`"""
    ...

def sharded_seconds(start: float, work: float, n: int) -> float:
    """Wall time of n workers

- start: seconds until a worker is ready
- work: seconds of work for one worker
- n: workers, each with its own core or GPU"""
    ...

def run_ray(jobs: collections.abc.Sequence[dict[Any, Any]], cpus: float=1, gpus: float=0) -> None:
    """Run jobs as Ray tasks, on the cluster that Ray is connected to or on this machine

- jobs: one a worker
- cpus: cores of a worker
- gpus: GPUs of a worker"""
    ...
