# made from evaluation.py by .ci/stubs.py: edit the notebook
"""Every method on every benchmark: the run, the table, the plots"""
from typing import Any
import collections.abc
import json
from dataclasses import dataclass
from pathlib import Path
from .intervals import Comparison as Comparison
from .intervals import Estimate as Estimate
from .intervals import bootstrap_ci as bootstrap_ci
from .intervals import compare as compare
from .intervals import share_ci as share_ci
from .intervals import wilson as wilson
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Records as Records
from .profile import read_jsonl as read_jsonl
from .profile import write_atomic as write_atomic
from .questions import Question as Question
from .questions import benchmark_name as benchmark_name
from .questions import load_questions as load_questions
from .scorers import em as em
from .scorers import f1 as f1
from .scorers import judge as judge
from .scorers import math_equal as math_equal
from .scorers import score as score
from .prompts import agent_prompt as agent_prompt
from .agent import derive_seed as derive_seed
from .agent import run_agents as run_agents
from .agent import run_cot as run_cot
from .agent import sandbox_tools as sandbox_tools
from .page import write_page as write_page
from .trajectories import Step as Step
from .trajectories import Trajectory as Trajectory

__all__ = ['INVALID', 'METHODS', 'PAIRS', 'MEASURES', 'CHANGES', 'SWEEP', 'SWEEP_QUESTIONS', 'BLUE', 'ORANGE', 'GREEN', 'GREY', 'FIGURES', 'invalid_rate', 'holds', 'passages_in', 'saw', 'grounded', 'behaviour', 'Method', 'methods_of', 'missing', 'scored', 'run_method', 'give_back', 'evaluate', 'Results', 'comparisons', 'changes', 'summarise', 'sweep_methods', 'sweep_rows', 'save_figure', 'plot_accuracy', 'plot_sweep', 'plot_invalid', 'plot_ftp', 'engines_of', 'questions_of', 'read_method', 'asked_methods', 'untouched', 'take_answers', 'trained_on', 'write_evaluation']

INVALID: tuple[str, ...]

METHODS: tuple[Method, ...]

PAIRS: tuple[tuple[str, ...], ...]

MEASURES: dict[str, Any]

CHANGES: tuple[tuple[str, ...], ...]

SWEEP: tuple[int, ...]

SWEEP_QUESTIONS: int

BLUE: str

ORANGE: str

GREEN: str

GREY: str

FIGURES: dict[str, tuple[Any, ...]]

def invalid_rate(trajectories: collections.abc.Sequence[Trajectory], sampled: bool=False, seed: int=0) -> Estimate | None:
    """Share of invalid actions, averaged over questions (steps of one question hang together)

- sampled: True: of all sampled actions, also those that SAG rejected
- returns: None: no actions at all (chain of thought)"""
    ...

def holds(text: str, answer: str) -> bool:
    """Whether a text contains the answer, as whole words

- answer: or any other words
- returns: in any case, whatever the punctuation"""
    ...

def passages_in(observation: str) -> list[str]:
    """The passages that a search printed, a line each"""
    ...

def saw(step: Step, answer: str) -> bool:
    """Whether this step showed the agent the answer"""
    ...

def grounded(trajectory: Trajectory) -> bool | None:
    """Is the answer literally in something the agent saw?

- returns: None: not a fact question, or never answered"""
    ...

def behaviour(trajectories: collections.abc.Sequence[Trajectory], seed: int=0) -> dict[str, Estimate]:
    """How a method went about its questions

- trajectories: of one method, over all benchmarks
- returns: what does not apply is left out"""
    ...

@dataclass(frozen=True)
class Method:
    """One row of the table

- model: "teacher" or "student"
- adapter: folder under student/; "": the bare model
- kind: "agent" or "cot"
- sag: sample profile.sag_n actions a step and vote (SAG)
- n: samples a step where it is not the profile's"""
    name: str
    model: str
    adapter: str = ...
    kind: str = ...
    sag: bool = ...
    n: int = ...

    @property
    def slug(self) -> str:
        ...

    def samples(self, profile: Any) -> int:
        """Actions sampled a step under a profile"""
        ...

def methods_of(profile: Any, methods: collections.abc.Sequence[Method]=...) -> tuple[Method, ...]:
    """Those that can be run: a teacher whose published trajectories were taken cannot be asked

- profile: `teacher`"""
    ...

def missing(questions: collections.abc.Sequence[Question], trajectories: collections.abc.Sequence[Trajectory], allow: bool=False, where: str='') -> int:
    """Check that every question was answered exactly once

- allow: count gaps instead of raising
- returns: questions without a trajectory"""
    ...

def scored(trajectory: Trajectory) -> Trajectory:
    """Judge a trajectory's answer; also one that was judged before

- returns: with its score; `meta["not judged"]` says why where a scorer failed"""
    ...

def run_method(method: Method, questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, profile: Any, seed: int=0, records: Records | None=None) -> list[Trajectory]:
    """One method on one list of questions

- sandbox: chapter 3's `Sandbox` with the search tool
- records: resume
- returns: scored"""
    ...

def give_back() -> None:
    """Return freed memory to the system: glibc would keep a gigabyte of each engine's"""
    ...

def evaluate(profile: Any, questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, records: Any=..., methods: collections.abc.Sequence[Method]=..., seed: int=0) -> dict[str, dict[str, list[Trajectory]]]:
    """Run every method on every benchmark

- engine: (model, adapter) -> Engine, e.g. `engines_of(profile, out_dir)`
- records: -> Records to resume from, or None
- methods: those that `methods_of` leaves
- returns: method name -> benchmark -> scored trajectories"""
    ...

@dataclass
class Results:
    """Methods by benchmarks, with where the numbers come from

- kind: "recorded", "paper", or the text of a profile: "mini", "mini,sag_n=4"
- methods: name -> samples a step
- cells: method -> benchmark -> accuracy
- behaviour: method -> measure
- sweep: samples, accuracy, tokens
- missing: "method on benchmark" -> questions"""
    kind: str
    methods: dict[str, int]
    in_domain: list[str]
    out_domain: list[str]
    cells: dict[str, dict[str, Estimate]]
    behaviour: dict[str, dict[str, Estimate]] = ...
    comparisons: list[Comparison] = ...
    sweep: list[dict[Any, Any]] = ...
    missing: dict[str, int] = ...
    note: str = ...

    def to_json(self) -> str:
        """Everything as JSON text"""
        ...

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Read results back

- text: what `to_json` gave"""
        ...

    def accuracy_rows(self) -> tuple[list[Any], list[Any]]:
        """The head and the rows of a table: methods by benchmarks, percent, 95 % interval, n"""
        ...

    def remarks(self) -> list[str]:
        """What a reader of that table must know, a sentence each"""
        ...

    def table(self) -> str:
        """The same as markdown"""
        ...

    def _repr_markdown_(self) -> Any:
        ...

    def behaviour_rows(self) -> tuple[list[Any], list[Any]]:
        """The head and the rows of a table: methods by behaviours, with 95 % intervals"""
        ...

    def behaviour_table(self) -> str:
        """The same as markdown"""
        ...

    def comparison_table(self, groups: collections.abc.Sequence[str]=...) -> str:
        """Paired comparisons: difference in points, interval, wins and losses, p, verdict

- groups: which comparisons of accuracy"""
        ...

    def change_table(self) -> str:
        """Paired comparisons of what the agents did, in the measure's own unit"""
        ...

def comparisons(runs: dict[str, dict[str, list[Trajectory]]], groups: dict[str, list[str]], pairs: collections.abc.Sequence[Any]=..., seed: int=0) -> list[Comparison]:
    """The paired comparisons that were decided on beforehand

- runs: `evaluate`'s result
- groups: name -> benchmarks
- returns: for every pair that was run, on every group"""
    ...

def changes(runs: dict[str, dict[str, list[Trajectory]]], plan: collections.abc.Sequence[Any]=..., seed: int=0) -> list[Comparison]:
    """Paired comparisons of what the agents did

- runs: `evaluate`'s result
- plan: measure, method, method it is compared with
- returns: of those whose methods were run and whose measure applies"""
    ...

def summarise(runs: dict[str, dict[str, list[Trajectory]]], profile: Any, methods: collections.abc.Sequence[Method]=..., seed: int=0) -> Results:
    """From scored trajectories to a table

- runs: `evaluate`'s result"""
    ...

def sweep_methods(profile: Any, counts: collections.abc.Sequence[int]=...) -> dict[int, Method]:
    """The methods of the N sweep

- counts: samples a step
- returns: rows of the table where it has them, new ones otherwise"""
    ...

def sweep_rows(runs: dict[str, dict[str, list[Trajectory]]], methods: dict[int, Method], ids: set[Any], seed: int=0) -> list[dict[Any, Any]]:
    """Accuracy and tokens a question for each N, on the same questions

- runs: with the methods of the sweep in it
- ids: the (benchmark, id) of the sweep's questions
- returns: samples, accuracy, tokens"""
    ...

def save_figure(fig: Any, path: Path, alt: str) -> Path:
    """Write a figure with its alt text

- path: a PNG
- alt: what a reader who cannot see it should know"""
    ...

def plot_accuracy(results: Results) -> Any:
    """Accuracy by method: mean over the in-domain and over the out-of-domain benchmarks

- returns: a matplotlib Figure"""
    ...

def plot_sweep(results: Results) -> Any:
    """Accuracy against generated tokens for each N

- returns: a matplotlib Figure"""
    ...

def plot_invalid(results: Results) -> Any:
    """Invalid actions with and without SAG

- returns: a matplotlib Figure"""
    ...

def plot_ftp(results: Results) -> Any:
    """Groundedness and searches with and without first-thought prefixes

- returns: a matplotlib Figure"""
    ...

def engines_of(profile: Any, out_dir: Any) -> Any:
    """Engines for the methods: the base model, with an adapter of `student/` where one is named

- out_dir: where `student/` is
- returns: (model, adapter) -> Engine"""
    ...

def questions_of(out_dir: Any, profile: Any, limit: int=0) -> list[Question]:
    """The questions to evaluate on

- out_dir: where `questions/` is
- limit: questions a benchmark; 0: the profile's n_test
- returns: the first ones of each benchmark; an unknown or empty benchmark raises"""
    ...

def read_method(art: Artifact, method: Method) -> dict[str, list[Trajectory]]:
    """What was recorded of a method, judged by today's scorers

- art: the evaluation of a run
- returns: benchmark -> scored trajectories; empty: it was not run"""
    ...

def asked_methods(profile: Any) -> list[Method]:
    """The methods of the table, then those that only the sweep asks"""
    ...

def untouched(found: Artifact, profile: Any) -> list[Method]:
    """The methods of the other one whose answers are recorded already

- found: a finished evaluation
- profile: of another one, equal but for in_domain, sag_n, sag_temperature and sag_top_p"""
    ...

def take_answers(art: Artifact, found: Artifact) -> list[Method]:
    """Copy the records of untouched methods, as far as nothing is recorded of them

- art: the other evaluation, started
- found: the finished one
- returns: whose records are there now"""
    ...

def trained_on(student: Any) -> dict[Any, Any]:
    """What the student of each distilled method learned from

- student: the folder `student/` of a run; None: there is none
- returns: method -> its dataset (a hash), rows, `train_limit`"""
    ...

def write_evaluation(art: Artifact, results: Results, runs: dict[str, dict[str, list[Trajectory]]]) -> dict[Any, Any]:
    """Write results.json, the plots and the page of trajectories, and finish the artifact

- art: started; a finished one is left alone
- returns: the manifest"""
    ...
