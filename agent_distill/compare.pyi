# made from compare.py by .ci/stubs.py: edit the notebook
"""One number changed: what did it change, and is that more than another seed would have?"""
from typing import Any
import os
import collections.abc
import json
from dataclasses import dataclass
from .evaluation import BLUE as BLUE
from .evaluation import GREY as GREY
from .evaluation import MEASURES as MEASURES
from .evaluation import METHODS as METHODS
from .evaluation import read_method as read_method
from .intervals import Comparison as Comparison
from .intervals import Estimate as Estimate
from .intervals import compare as compare
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import Profile as Profile
from .profile import fields_read as fields_read
from .profile import find_run as find_run
from .profile import write_atomic as write_atomic
from .questions import benchmark_name as benchmark_name
from .results import CLAIMS as CLAIMS
from .results import Claim as Claim
from .results import recorded_folder as recorded_folder
from .trajectories import Trajectory as Trajectory

__all__ = ['Answers', 'read_answers', 'differing', 'differing_rows', 'differing_table', 'other_rows', 'unjudgeable', 'cautions', 'shared', 'between', 'between_rows', 'not_judged', 'between_table', 'record_answers', 'recorded_answers', 'accuracy', 'spread_rows', 'crossed', 'pooled_pairs', 'pooled', 'single', 'pooled_rows', 'plot_claims']

@dataclass(frozen=True)
class Answers:
    """What a run answered: enough to compare it with another

- label: what tables call it
- limit: test questions a benchmark; 0: all
- versions: of Python and the libraries
- values: method -> measure -> benchmark -> {question id: value; None: it has none}
- unjudged: method -> answers that no scorer could judge
- trained: method -> dataset, rows, train_limit; see 08"""
    label: str
    profile: Profile
    seed: int
    limit: int
    versions: dict[Any, Any]
    values: dict[Any, Any]
    unjudged: dict[Any, Any] = ...
    trained: dict[Any, Any] = ...

    @property
    def train_limit(self) -> int:
        ...

    def __repr__(self) -> Any:
        ...

def read_answers(out_dir: Any, label: str | os.PathLike[str]='') -> Answers:
    """What the methods of a run answered

- out_dir: a finished run
- label: what to call it; "": the folder's name
- returns: raises AgentDistillError where the run is not finished or damaged"""
    ...

def differing(first: Answers, other: Answers) -> tuple[list[Any], list[Any]]:
    """The settings and the versions that differ: (what, its value in the first run, in the other)"""
    ...

def differing_rows(first: Answers, other: Answers) -> list[tuple[Any, ...]]:
    """Both in one list, as the rows of a table"""
    ...

def differing_table(first: Answers, other: Answers) -> str:
    """The same as a markdown table, or a sentence"""
    ...

def other_rows(first: Answers, other: Answers) -> dict[Any, Any]:
    """The methods whose students learned from different rows"""
    ...

def unjudgeable(first: Answers, other: Answers) -> dict[Any, Any]:
    """Those of them about which nothing can be said, since something else was changed too"""
    ...

def cautions(first: Answers, other: Answers) -> list[str]:
    """Sentences that belong before a comparison"""
    ...

def shared(first: Answers, other: Answers) -> tuple[list[str], int]:
    """The methods that both runs have, and the questions that only one of them was asked"""
    ...

def between(first: Answers, other: Answers, method: str, where: str='all', measure: str='right answers', seed: int=0) -> Comparison | None:
    """A method in one run against the same method in another, on the same questions

- method: one that both have
- where: or "in domain", "out of domain"
- measure: or one of the evaluation's, or "tokens"
- seed: of the bootstrap
- returns: other minus first; None: the measure applies to no question"""
    ...

def between_rows(first: Answers, other: Answers, seed: int=0) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: each method in the other run against the first"""
    ...

def not_judged(*runs: Answers) -> list[str]:
    """A sentence for each method with answers that no scorer could judge"""
    ...

def between_table(first: Answers, other: Answers, seed: int=0) -> str:
    """The same as markdown, with what must be known and what was left out or could not be judged"""
    ...

def record_answers(runs: collections.abc.Sequence[Any], path: Any) -> None:
    """Keep the answers of runs in the repository

- runs: folders of finished runs
- path: a JSON file"""
    ...

def recorded_answers(path: Any=None) -> list[Answers]:
    """Answers that were recorded

- path: None: recorded/mini_seeds.json"""
    ...

def accuracy(run: Answers, method: str, where: str='all') -> float:
    """Mean over the group's benchmarks of the share of right answers"""
    ...

def spread_rows(runs: collections.abc.Sequence[Answers]) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: each method's accuracy (%) in each run, and their spread"""
    ...

def crossed(tables: collections.abc.Sequence[Any]) -> Estimate:
    """A mean over runs and questions, both of which are a sample (two-way random effects)

- tables: one a benchmark: [runs, questions], the same runs in all
- returns: the mean of the tables' means, with a 95 % interval; n: questions"""
    ...

def pooled_pairs(pairs: collections.abc.Sequence[Any], where: str='all', measure: str='right answers') -> Estimate | None:
    """The difference within pairs, over pairs and questions

- pairs: of ((run, method), (run, method)), the same questions
- returns: first minus second; None: it was not measured in all runs"""
    ...

def pooled(runs: collections.abc.Sequence[Answers], a: str, b: str, where: str='all', measure: str='right answers') -> Estimate | None:
    """Two methods over several runs that were asked the same questions

- returns: a minus b; None: it was not measured in all runs"""
    ...

def single(claim: Claim, run: Answers) -> float:
    """What one run says about a claim that was measured: a minus b"""
    ...

def pooled_rows(runs: collections.abc.Sequence[Answers], claims: collections.abc.Sequence[Claim]=...) -> tuple[list[Any], list[Any]]:
    """The head and the rows of a table: each claim in the runs one by one, all together, the verdict"""
    ...

def plot_claims(runs: collections.abc.Sequence[Answers], claims: collections.abc.Sequence[Claim]=...) -> Any:
    """Differences run by run and pooled, for claims about right answers

- returns: a matplotlib Figure"""
    ...
