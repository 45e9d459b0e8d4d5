# made from page.py by .ci/stubs.py: edit the notebook
"""Every question of a run, what each method answered, and how it got there: one file for a browser"""
from typing import Any
from pathlib import Path
from .profile import write_atomic as write_atomic
from .trajectories import Trajectory as Trajectory
from .trajectories import error_kinds as error_kinds
from .trajectories import verdict as verdict

__all__ = ['page_data', 'write_page']

def page_data(trajectories_by_method: dict[str, list[Trajectory]], title: str='Trajectories') -> dict[Any, Any]:
    """What the page shows, each text once

- returns: JSON data: title, methods, texts, questions"""
    ...

def write_page(trajectories_by_method: dict[str, list[Trajectory]], path: Any, title: str='Trajectories') -> Path:
    """A self-contained page to browse a run: works offline, from a file

- trajectories_by_method: method -> its trajectories
- path: of the HTML file"""
    ...
