# made from pipeline.py by .ci/stubs.py: edit the notebook
"""The chapters are the stages: papermill executes them, and a killed run goes on where it stopped"""
from typing import Any
import collections.abc
import os
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Displaced as Displaced
from .profile import check_seed as check_seed
from .profile import fields_read as fields_read
from .profile import file_hash as file_hash
from .profile import find_run as find_run
from .profile import get_profile as get_profile
from .profile import run_dir as run_dir
from .profile import versions as versions
from .profile import write_atomic as write_atomic

__all__ = ['STAGES', 'Stage', 'find_stage', 'chapters', 'plan', 'package_folder', 'notebooks_folder', 'run_folder', 'chapter_path', 'own_parameters', 'stage_bar', 'note', 'LastLine', 'newest_records', 'chapter_engine', 'ChapterFailed', 'failure', 'kernel_env', 'run_chapter', 'code_of', 'folder_hash', 'stage_key', 'differs', 'RunLog', 'is_done', 'locked', 'tree_mb', 'Meter', 'StageRun', 'wanted', 'misfits', 'made_with', 'check_artifact', 'take_over', 'take_part', 'standing', 'guarded', 'run_stage', 'fate', 'foreign', 'outlook', 'outlook_lines', 'Stopped', 'run']

STAGES: tuple[Stage, ...]

@dataclass(frozen=True)
class Stage:
    """One chapter of a run.

- name: the notebook's name, without `.ipynb`
- artifact: the folder below `out_dir` that it must leave; empty: none
- about: what it does, in a few words"""
    name: str
    artifact: str = ...
    about: str = ...

    @property
    def short(self) -> Any:
        ...

def find_stage(name: str, stages: collections.abc.Sequence[Any]=...) -> Stage:
    """The stage that `name` means.

- name: `06_teacher`, `teacher`, `06` or `6`
- stages: where to look
- returns: an unknown name raises `AgentDistillError`"""
    ...

def chapters(profile: Any, stages: collections.abc.Sequence[Any]=...) -> tuple[Any, ...]:
    """The stages of a run: with `teacher=released` chapter 06b stands where a teacher is asked

- profile: a `Profile`
- stages: all of them, in order"""
    ...

def plan(start: str='', only: str='', stages: collections.abc.Sequence[Any]=...) -> list[Any]:
    """The stages that a run goes through.

- start: begin here; what comes before must be there already
- only: this one alone
- stages: all of them, in order
- returns: the stages to go through"""
    ...

def package_folder() -> Path:
    """Where the library lies."""
    ...

def notebooks_folder(folder: Any=None) -> Path:
    """The chapters: `folder`, or `nbs/` in the installed package, or `nbs/` of the checkout."""
    ...

def run_folder(out_dir: Any, nbs: Any) -> Path:
    """The run's folder, made and proved writable.

- out_dir: where the run goes
- nbs: the chapters' folder, which it must stay out of
- returns: absolute, made if need be; not writable raises `AgentDistillError`"""
    ...

def chapter_path(stage: Stage, nbs: Path) -> Path:
    """The chapter's notebook, which must have exactly one cell tagged `parameters`."""
    ...

def own_parameters(stage: Stage, nbs: Path, params: dict[Any, Any]) -> dict[Any, Any]:
    """Those of a run's parameters that the chapter has; of the others it must not depend."""
    ...

def stage_bar(stage: Stage, progress: bool=True) -> Any:
    """The progress bar of one stage; it advances by cells."""
    ...

def note(bar: Any, text: str) -> None:
    """Show `text` at the end of the bar; in a log file only when the bar is drawn anyway."""
    ...

class LastLine:
    """A file whose last line with a share or a speed is shown at the end of a progress bar."""
    bar: Any

    def __init__(self, bar: Any) -> None:
        ...

    def flush(self) -> None:
        ...

    def write(self, text: str) -> None:
        ...

def newest_records(folder: Path, since: float=0.0) -> str:
    """Name and number of rows of the record file that was written last.

- folder: an artifact
- since: seconds of the epoch; older files are passed over
- returns: "" where there are none"""
    ...

def chapter_engine() -> Any:
    """papermill's engine, with our bar; `start` holds options for the kernel's process."""
    ...

class ChapterFailed(Exception):
    """A chapter stopped for a reason that is not the user's input."""
    stage: str
    copy: Path

    def __init__(self, stage: str, where: str, tail: str, copy: Path) -> None:
        """- stage: the chapter
- where: which of its cells
- tail: the end of the traceback
- copy: the executed notebook"""
        ...

def failure(e: Any, stage: Stage, copy: Path) -> Exception:
    """What to raise for papermill's `e`: the message alone, or chapter, cell and traceback's tail."""
    ...

def kernel_env() -> dict[Any, Any]:
    """Ours, with whole paths, for a kernel works elsewhere; no warning that bars are plain text."""
    ...

def run_chapter(stage: Stage, nbs: Path, out: Path, params: dict[Any, Any], lock: int | None=None, bar: Any=None) -> Path:
    """Execute one chapter into `out/notebooks`.

- stage: which
- nbs: the chapters' folder; also the working directory
- out: the run's folder
- params: of the run; those that the chapter has are injected
- lock: a file descriptor that the kernel inherits
- bar: from `stage_bar`; None: none is shown
- returns: the executed copy; raises `AgentDistillError` or `ChapterFailed`"""
    ...

def code_of(path: Path) -> str:
    """The source of a notebook's code cells: what decides what it does."""
    ...

def folder_hash(folder: Path, skip: collections.abc.Sequence[Any]=...) -> str:
    """A sha256 over the files below `folder`, names and contents, without compiled ones.

- skip: names of folders in it that do not count"""
    ...

def stage_key(stage: Stage, nbs: Path, out: Path, params: dict[Any, Any], before: collections.abc.Sequence[Any]=..., library: str | os.PathLike[str]='') -> dict[Any, Any]:
    """Everything that the chapter depends on, files of one's own included.

- stage: whose
- nbs: the chapters
- out: the run's folder
- params: of the run; only those count that the chapter has
- before: the stages before it
- library: `folder_hash` of the package
- returns: name -> a hash, or a parameter's value"""
    ...

def differs(was: dict[Any, Any], key: dict[Any, Any], params: collections.abc.Sequence[Any]=...) -> list[Any]:
    """What a chapter depends on and is not what it was.

- was: an earlier `stage_key`
- key: today's
- params: whose values are readable
- returns: texts"""
    ...

class RunLog:
    """`run.json`: for each finished chapter what it was made from, and what it cost."""
    path: Any
    rows: Any

    def __init__(self, out: Any) -> None:
        ...

    def key(self, stage: str) -> dict[Any, Any]:
        """What the chapter was made from; nothing in the notes of an older version."""
        ...

    def add(self, stage: str, **facts: Any) -> None:
        """Note a finished chapter."""
        ...

    def drop(self, stage: str) -> None:
        """Forget a chapter, which is about to run again."""
        ...

def is_done(stage: Stage, out: Path, key: dict[Any, Any], log: RunLog) -> bool:
    """Whether the chapter ran with the same key and its artifact is there; a damaged one raises."""
    ...

@contextmanager
def locked(out: Path, wait: float=15.0) -> collections.abc.Iterator[Any]:
    """Hold the run folder; gives the descriptor to hand on. A second run gets `AgentDistillError`.

- out: the run's folder
- wait: seconds that an earlier run's kernel gets to end"""
    ...

def tree_mb() -> float:
    """Memory of this process and all below it, in MB; shared pages count once where Linux says so."""
    ...

class Meter(threading.Thread):
    """Samples `tree_mb` until left; `.peak` is the largest value, in MB."""
    every: float
    also: Any
    peak: Any

    def __init__(self, every: float=2.0, also: Any=...) -> None:
        """- every: seconds; a sample costs some 30 ms a GB
- also: called each time"""
        ...

    def run(self) -> None:
        ...

    def __enter__(self) -> Meter:
        ...

    def __exit__(self, *_: Any) -> None:
        ...

@dataclass
class StageRun:
    """What became of one stage.

- name: the chapter
- status: `ran`, `kept` where nothing had to be done, `taken` from an older run
- wall_s: seconds, in this run
- peak_mb: of all processes together
- notebook: the executed copy
- taken_s: seconds that the older run spent on what was taken"""
    name: str
    status: str
    wall_s: float = ...
    peak_mb: float = ...
    notebook: str = ...
    taken_s: float = ...

def wanted(m: dict[Any, Any], folder: Path, params: dict[Any, Any]) -> Artifact:
    """The artifact that a chapter would make in `folder`, if it has the options of that manifest.

- m: the manifest of one that was made before, here or elsewhere
- folder: where it belongs in this run
- params: of this run
- returns: with those of its inputs that are there"""
    ...

def misfits(m: dict[Any, Any], new: Artifact, again: collections.abc.Sequence[Any]=...) -> dict[Any, Any]:
    """In what an artifact is not the one that a chapter would make.

- m: a manifest
- new: `wanted` by it
- again: artifacts that will be made again before this one
- returns: name -> text; empty: nothing"""
    ...

def made_with(artifact: Artifact, params: dict[Any, Any]) -> list[Any]:
    """With what other parameters an artifact was made.

- artifact: finished
- params: of a run
- returns: texts; empty: with these"""
    ...

def check_artifact(stage: Stage, out: Path, params: dict[Any, Any]) -> None:
    """The artifact that the chapter had to leave, made with the parameters that it was given."""
    ...

def take_over(stage: Stage, out: Path, source: Path, params: dict[Any, Any], again: collections.abc.Sequence[Any]=...) -> dict[Any, Any]:
    """Take a finished artifact of an older run, if it is what the chapter would make here.

- stage: whose artifact
- out: the run's folder
- source: the folder of an older run
- params: of this run
- again: artifacts that will be made again before this one
- returns: why not: name -> text; empty: it is here. A damaged one raises `AgentDistillError`"""
    ...

def take_part(odd: dict[Any, Any], out: Path, source: Path, params: dict[Any, Any]) -> list[Any]:
    """Take the answers of an older evaluation that its own fields cannot have changed.

- odd: what `take_over` said of the evaluation
- out: the run's folder
- source: the folder of an older run
- params: of this run
- returns: a text, if any answers were taken"""
    ...

def standing(stage: Stage, out: Path, params: dict[Any, Any], again: collections.abc.Sequence[Any]=...) -> tuple[Any, ...]:
    '''What the chapter will find in the run's folder.

- stage: with an artifact
- out: the run's folder
- params: of the run
- again: artifacts that will be made again before this one
- returns: whether it will be found done; a text about what happens to it, or ""'''
    ...

@contextmanager
def guarded(copy: Path) -> collections.abc.Iterator[Any]:
    """Around a chapter: what the disk refuses is an `AgentDistillError`, not a defect."""
    ...

def run_stage(stage: Any, nbs: Any, out: Any, params: Any, key: Any, log: Any, lock: Any=None, again: bool=False, progress: bool=True, taken: bool=False) -> StageRun:
    """One stage of a run: kept if nothing changed, or taken, or executed, checked and noted."""
    ...

def fate(stage: Stage, out: Path, key: dict[Any, Any], log: RunLog, again: collections.abc.Sequence[Any]=..., stays: bool=True, odd: dict[Any, Any] | None=None) -> tuple[Any, ...]:
    """What will become of a stage that was not asked for by name.

- out: the run's folder
- key: the stage's
- again: artifacts that will be made again before this one
- stays: whether its own artifact will be found done
- odd: what `take_over` said
- returns: `kept`, `taken` or `run`; why"""
    ...

def foreign(stage: Stage, nbs: Path, params: dict[Any, Any]) -> set[Any]:
    """Limits that the chapter does not have, so that nothing it makes has them."""
    ...

def outlook(stages: Any, todo: Any, nbs: Any, out: Any, asked: Any, key: Any, log: Any, forced: Any=..., source: Any=None) -> dict[Any, Any]:
    """Take what fits of an older run; then what will become of each stage, and why."""
    ...

def outlook_lines(found: dict[Any, Any], source: str | os.PathLike[str]='') -> list[Any]:
    """What a run will do, as it is told before it does it.

- found: from `outlook`
- source: the folder of the older run
- returns: texts; none where all of it is made for the first time"""
    ...

class Stopped(KeyboardInterrupt):
    """Ctrl-C during a stage; what is done is kept."""
    stage: str

    def __init__(self, stage: str) -> None:
        ...

def run(profile: str='mini', out_dir: str | os.PathLike[str]='', seed: int=0, limit: int=0, train_limit: int=0, start: str='', only: str='', stages: collections.abc.Sequence[Any]=..., nbs: Any=None, progress: bool=True, reuse: str | os.PathLike[str]='', say: Any=...) -> list[Any]:
    """Execute the chapters in order; what is complete is kept, what was stopped goes on.

- profile: which dial, and what is changed in it: "mini,sag_n=4"
- out_dir: where everything goes; "": `runs/PROFILE`, see `run_dir`
- seed: of every stage
- limit: test questions a benchmark; 0: all
- train_limit: training questions a benchmark; 0: all
- start: begin here
- only: this stage alone
- stages: all of them, in order
- nbs: the chapters' folder; None: from `notebooks_folder`
- progress: one bar a stage
- reuse: the folder of an older run, whose artifacts are taken where they fit
- say: gets what will be done and why, before it is, a line each
- returns: a `StageRun` for each; raises `AgentDistillError`, `ChapterFailed`, `Stopped`"""
    ...
