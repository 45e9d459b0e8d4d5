# made from alone.py by .ci/stubs.py: edit the notebook
"""What a chapter reads from the chapters before it is made where it is missing"""
from typing import Any
from .pipeline import STAGES as STAGES
from .pipeline import made_with as made_with
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import find_run as find_run
from .profile import get_profile as get_profile
from .profile import run_dir as run_dir

__all__ = ['need']

def need(name: str, out_dir: Any, profile: str, seed: int=0, train_limit: int=0) -> str:
    """Make the artifacts up to `name` that are not there; with `mini` all of them take six minutes

- name: the last artifact that is read: questions, index, teacher or student
- out_dir: folder of the run
- profile: "mini", or with changes: "mini,sag_n=4"; others are left to `run`
- seed: of the run
- train_limit: training questions a benchmark; 0: all
- returns: what was done, as a sentence"""
    ...
