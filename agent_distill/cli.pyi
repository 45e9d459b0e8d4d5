# made from cli.py by .ci/stubs.py: edit the notebook
"""`agent-distill run | report | compare | sweep | ask | chat | index | serve | serve-model | doctor | completion`: one job each, one clear error each"""
from typing import Any
import collections.abc
import argparse
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from .ask import METHODS as METHODS
from .ask import asker as asker
from .ask import choose_model as choose_model
from .ask import converse as converse
from .ask import doubt as doubt
from .ask import typed as typed
from .ask import verdict as verdict
from .pipeline import STAGES as STAGES
from .pipeline import ChapterFailed as ChapterFailed
from .pipeline import RunLog as RunLog
from .pipeline import Stopped as Stopped
from .pipeline import run as run
from .profile import PROFILES as PROFILES
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Profile as Profile
from .profile import cgroup_limit as cgroup_limit
from .profile import cores as cores
from .profile import find_run as find_run
from .profile import get_profile as get_profile
from .profile import run_dir as run_dir
from .profile import runs_folder as runs_folder

__all__ = ['COMMANDS', 'parser', 'run_folders', 'completions', 'completed', 'completion', 'absolute', 'chosen', 'out_of', 'shown', 'of_run', 'flags', 'run_line', 'term_interrupts', 'costs', 'results_text', 'places', 'example_question', 'report', 'send_report', 'against_text', 'together_text', 'compare', 'run_all', 'sweep_line', 'sweep_text', 'sweep', 'ask', 'chat', 'serve', 'serve_model', 'memory_gb', 'gpus', 'free_gb', 'Machine', 'billions', 'corpus_gb', 'index_gb', 'Needs', 'needs', 'lacks', 'not_here', 'packages', 'package_lines', 'sandbox_lines', 'profile_lines', 'doctor', 'index_needs', 'index_lines', 'index', 'go_on', 'stopped', 'main']

COMMANDS: dict[str, Any]

def parser() -> argparse.ArgumentParser:
    """The arguments of `agent-distill`."""
    ...

def run_folders(prefix: str='', **_: Any) -> list[Any]:
    """Folders that begin so, and those of runs/ in any case"""
    ...

def completions() -> dict[Any, Any]:
    """What may stand for an argument: its name in the parser -> a function for argcomplete"""
    ...

def completed(p: argparse.ArgumentParser) -> None:
    """Answer the shell, which asks by its environment; otherwise do nothing"""
    ...

def completion(a: Any, say: Any=...) -> None:
    """`agent-distill completion`: what the shell reads to complete the command."""
    ...

def absolute(changes: str) -> str:
    """Changes `FIELD=VALUE,...`: values that name files or folders here, with their whole paths."""
    ...

def chosen(a: Any) -> Profile:
    """The profile that the arguments mean; paths are those of the working directory."""
    ...

def out_of(a: Any) -> Path:
    """The run's folder that the arguments mean."""
    ...

def shown(path: Any) -> str:
    """A path, relative to the working directory where it lies below it, or both lie beside `runs/`."""
    ...

def of_run(a: Any) -> Profile:
    """The profile of a run that is there, unless the arguments name one."""
    ...

def flags(a: Any, *more: Any) -> str:
    """The arguments that name this run, as one types them; `more`: (flag, value, default)."""
    ...

def run_line(a: Any) -> str:
    """The command that goes on with this run."""
    ...

@contextmanager
def term_interrupts() -> collections.abc.Iterator[Any]:
    """Make SIGTERM raise KeyboardInterrupt, as Ctrl-C does."""
    ...

def costs(runs: Any) -> str:
    """A line about what a run took, and what it did not have to."""
    ...

def results_text(results: Any, width: int=0) -> str:
    """The table of methods and benchmarks as plain text.

- results: `agent_distill.evaluation.Results`
- width: characters; 0: the terminal's, or 116 where there is none"""
    ...

def places(out: Path) -> list[Any]:
    """Lines that say where the files of a run lie."""
    ...

def example_question(out: Path) -> str:
    """A test question of the run."""
    ...

def report(a: Any, say: Any=...) -> None:
    """`agent-distill report`: the table, the places, how to ask."""
    ...

def send_report(a: Any, say: Any=...) -> Any:
    """`agent-distill report`: plain text, or a document in some format; and the plots, if asked."""
    ...

def against_text(first: Any, other: Any, width: int=0) -> str:
    """What differs between two runs, and each method's difference in right answers."""
    ...

def together_text(runs: collections.abc.Sequence[Any], width: int=0) -> str:
    """Runs that differ in nothing but their seed: how far they are apart, and what all of them say."""
    ...

def compare(a: Any, say: Any=...) -> Any:
    """`agent-distill compare`: the runs against the first of them; repeats of one run, all together."""
    ...

def run_all(a: Any, say: Any=...) -> None:
    """`agent-distill run`: the chapters, then the report."""
    ...

def sweep_line(a: Any) -> str:
    """The command that goes on with this sweep."""
    ...

def sweep_text(points: collections.abc.Sequence[Any], folders: collections.abc.Sequence[Any], width: int=0) -> str:
    """What each setting changed, over all seeds."""
    ...

def sweep(a: Any, say: Any=...) -> None:
    """`agent-distill sweep`: what will be run, the runs, what each value changed, where they lie."""
    ...

def ask(a: Any, say: Any=...) -> int:
    """`agent-distill ask`: one agent's steps, then its answer; 1 where it found none."""
    ...

def chat(a: Any, say: Any=...) -> None:
    """`agent-distill chat`: one answer after another, the model loaded once."""
    ...

def serve(a: Any, say: Any=...) -> None:
    """`agent-distill serve`: the retriever over HTTP, until stopped."""
    ...

def serve_model(a: Any, say: Any=...) -> None:
    """`agent-distill serve-model`: vLLM with a profile's model, until Ctrl-C."""
    ...

def memory_gb() -> float:
    """Memory that this process may use, in GB."""
    ...

def gpus() -> list[Any]:
    """(name, GB) of each NVIDIA GPU."""
    ...

def free_gb(path: Path) -> float:
    """Free disk at the nearest folder that exists."""
    ...

@dataclass(frozen=True)
class Machine:
    """What there is to run on.

- disk_gb: free where the run would go
- gpu: (name, GB) of each"""
    cores: int
    ram_gb: float
    disk_gb: float
    gpu: tuple[Any, ...] = ...

    @classmethod
    def here(cls, out: Any) -> Any:
        ...

def billions(model: str) -> float:
    """Parameters of a model in billions, from its name; the mini models have none to speak of."""
    ...

def corpus_gb(corpus: str) -> tuple[Any, ...]:
    """The text of a corpus: the published files as they are pinned, and the passages of a run."""
    ...

def index_gb(profile: Any) -> tuple[Any, ...]:
    """The index of a profile's corpus, of the kind that chapter 2's rule chooses."""
    ...

@dataclass(frozen=True)
class Needs:
    """What a profile needs, estimated, in GB.

- gpu: all GPUs together"""
    download: float
    disk: float
    ram: float
    gpu: float

def needs(profile: Any) -> Needs:
    """What a profile needs, before anything is downloaded.

- profile: a `Profile`
- returns: from parameter counts and passages; nothing is looked up"""
    ...

def lacks(need: Needs, machine: Machine) -> list[Any]:
    """What the machine has too little of."""
    ...

def not_here(profile: Any) -> list[Any]:
    """The engine and trainer of a profile, as far as they are missing."""
    ...

def packages() -> list[Any]:
    """(name, installed version or '', wanted, extra) of each requirement."""
    ...

def package_lines() -> list[Any]:
    """What is installed, what is missing or too old, and which extras are there."""
    ...

def sandbox_lines() -> list[Any]:
    """Layer by layer, what the sandbox could switch on."""
    ...

def profile_lines(machine: Machine) -> list[Any]:
    """What each profile needs, and whether it is here."""
    ...

def doctor(a: Any, say: Any=...) -> None:
    """`agent-distill doctor`: the machine, the packages, the sandbox, the profiles."""
    ...

def index_needs(published: Any, corpus: str, plan: Any, folder: Path) -> dict[Any, Any]:
    """What fetching and converting a published index still takes

- published: a `HubSet`
- plan: of the index that will be made
- folder: of that index
- returns: folder -> bytes that will be written below it"""
    ...

def index_lines(profile: Any, published: Any, plan: Any, room: Any) -> list[Any]:
    """What it takes, to be said first."""
    ...

def index(a: Any, say: Any=...) -> None:
    """`agent-distill index`: a published index, fetched, joined and converted for a run."""
    ...

def go_on(a: Any) -> str:
    """What to type after a run, or a sweep, that did not end."""
    ...

def stopped(a: Any) -> str:
    """What to say after Ctrl-C."""
    ...

def main(argv: collections.abc.Sequence[Any] | None=None) -> int:
    """The command `agent-distill`.

- argv: arguments; None: the process's own
- returns: 0 well, 1 a defect or no answer found, 2 bad input, 130 stopped"""
    ...
