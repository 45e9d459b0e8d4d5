# made from colab.py by .ci/stubs.py: edit the notebook
"""The whole way in one notebook: a profile for this machine, all chapters in order, the table and the plots"""
from typing import Any
import collections.abc
from .cli import needs as needs
from .profile import PROFILES as PROFILES

__all__ = ['paper_price', 'choose_profile']

def paper_price(gb: float) -> str:
    """What the paper's profile would take on this GPU, as a sentence

- gb: memory of the GPU"""
    ...

def choose_profile(gpu: collections.abc.Sequence[Any], installed: Any=...) -> tuple[str, list[Any]]:
    """The largest profile that the largest GPU takes

- gpu: (name, GB) of each, from `agent_distill.cli.gpus`
- installed: says whether a package is there
- returns: the profile with its changes, and the reasons"""
    ...
