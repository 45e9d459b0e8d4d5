# made from frames.py by .ci/stubs.py: edit the notebook
"""A finished run as pandas frames: questions, answers, steps, candidates"""
from typing import Any
from dataclasses import dataclass
from .evaluation import METHODS as METHODS
from .evaluation import SWEEP as SWEEP
from .evaluation import Results as Results
from .evaluation import read_method as read_method
from .evaluation import sweep_methods as sweep_methods
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .trajectories import Trajectory as Trajectory

__all__ = ['Run', 'load_run']

@dataclass(repr=False)
class Run:
    """A finished run as data

- questions: DataFrame: benchmark, id, task, question, gold, aliases
- answers: DataFrame: method, benchmark, id, answer, score (0 to 1), tokens, ...
- steps: DataFrame: method, benchmark, id, step, thought, code, observation, ...
- candidates: DataFrame: method, benchmark, id, step, candidate, votes, logprob, ...
- results: tables with intervals
- profile: the `Profile` that it was made with"""
    questions: Any
    answers: Any
    steps: Any
    candidates: Any
    results: Results
    profile: Any

    def __repr__(self) -> Any:
        ...

def load_run(out_dir: Any) -> Run:
    """The records of an evaluation as pandas frames, scored by today's scorers

- out_dir: a finished run; one that is not raises AgentDistillError"""
    ...
