# made from attempts.py by .ci/stubs.py: edit the notebook
"""Several attempts a question, and a filter of named rules that can be switched"""
from typing import Any
import collections.abc
from .agent import derive_seed as derive_seed
from .evaluation import grounded as grounded
from .evaluation import scored as scored
from .intervals import compare as compare
from .intervals import wilson as wilson
from .profile import AgentDistillError as AgentDistillError
from .profile import Records as Records
from .questions import Question as Question
from .teacher import ask_all as ask_all
from .teacher import fate as fate
from .trajectories import Trajectory as Trajectory
from .trajectories import chat_row as chat_row

__all__ = ['RULES', 'PAPER', 'ungrounded', 'invented', 'repeated', 'broken', 'sift_by', 'rules_table', 'students_table', 'attempts', 'every_attempt', 'attempts_table']

RULES: dict[str, Any]

PAPER: tuple[str, ...]

def ungrounded(t: Trajectory) -> bool:
    """Whether the answer to a fact question stands in nothing that was seen; yes and no never do"""
    ...

def invented(t: Trajectory) -> list[str]:
    """The lines of an observation that the model wrote itself and had not read before"""
    ...

def repeated(t: Trajectory) -> bool:
    """Whether the same code was run twice"""
    ...

def broken(t: Trajectory, rules: Any=...) -> list[str]:
    """Every rule that a trajectory breaks; one without a verdict breaks that alone

- t: scored
- rules: names of `RULES`
- returns: empty: it is kept"""
    ...

def sift_by(trajectories: collections.abc.Sequence[Trajectory], rules: Any=..., system: str | None=None) -> tuple[list[dict[Any, Any]], dict[Any, Any]]:
    """`sift` of chapter 6 with rules to choose from

- trajectories: scored, of agents
- rules: names of `RULES`
- system: system prompt of the rows
- returns: chat rows; number of trajectories by the first rule broken"""
    ...

def rules_table(trajectories: collections.abc.Sequence[Trajectory]) -> str:
    """What each rule drops by itself, of right and of wrong answers, and what no other rule drops

- trajectories: scored, of agents
- returns: markdown"""
    ...

def students_table(measured: dict[Any, Any]) -> str:
    """What the student that learned from the rows of each rule answers, against that of no rule

- measured: a file that tests/bench/rules.py wrote
- returns: markdown"""
    ...

def attempts(questions: collections.abc.Sequence[Question], engine: Any, sandbox: Any, profile: Any, k: int=1, rules: Any=..., temperature: float=0.7, prefixes: dict[Any, Any] | None=None, seed: int=0, records: Records | None=None, progress: bool | None=None) -> list[Trajectory]:
    """Ask greedily, then sampled, until an attempt is kept, at most `k` times

- engine: the teacher
- sandbox: with its tools
- profile: top_p, steps, tokens, concurrency
- k: attempts a question, at most
- rules: an attempt that breaks none ends the search
- temperature: of all attempts but the first, which is greedy
- prefixes: question id -> prefix, for all questions; None: none
- seed: of the run; each attempt derives its own
- records: resume from and append to
- progress: None: a bar in terminals only
- returns: one a question, the last; those before it: `meta["earlier"]`"""
    ...

def every_attempt(trajectories: collections.abc.Sequence[Trajectory]) -> list[list[Trajectory]]:
    """All attempts, the dropped ones too

- trajectories: from `attempts`
- returns: one list a question, in the order of asking"""
    ...

def attempts_table(trajectories: collections.abc.Sequence[Trajectory], k: int, rules: Any=...) -> str:
    """The yield of at most 1, 2, ..., k attempts, and what they cost

- trajectories: from `attempts`
- k: attempts a question, at most
- rules: as they were asked with
- returns: markdown"""
    ...
