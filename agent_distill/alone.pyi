# made from alone.py by .ci/stubs.py: edit the notebook
"""What a chapter reads from the chapters before it is made where it is missing"""
from typing import Any
from .profile import Artifact as Artifact
from .profile import get_profile as get_profile

__all__ = ['need']

def need(name: str, out_dir: Any, profile: str, seed: int=0, limit: int=0) -> str:
    """Make the artifacts up to `name` that are not there; with `mini` all of them take six minutes

- name: the last artifact that is read: questions, index, teacher or student
- out_dir: folder of the run
- profile: "mini", or with changes: "mini,sag_n=4"; others are left to `run`
- seed: of the run
- limit: questions a benchmark; 0: all
- returns: what was done, as a sentence"""
    ...
