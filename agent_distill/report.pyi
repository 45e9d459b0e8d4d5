# made from report.py by .ci/stubs.py: edit the notebook
"""A run as one document: Markdown, CSV, LaTeX, or a page with its plots in it"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from pathlib import Path
from .evaluation import BLUE as BLUE
from .evaluation import ORANGE as ORANGE
from .evaluation import FIGURES as FIGURES
from .evaluation import METHODS as METHODS
from .evaluation import Results as Results
from .evaluation import methods_of as methods_of
from .evaluation import questions_of as questions_of
from .evaluation import read_method as read_method
from .evaluation import summarise as summarise
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .results import CLAIMS as CLAIMS
from .results import claims_rows as claims_rows
from .results import find as find
from .results import stage_rows as stage_rows
from .results import this_run as this_run
from .results import verdict as verdict

__all__ = ['FORMATS', 'stopped_run', 'partial', 'Section', 'Report', 'run_rows', 'read_report', 'as_md', 'tidy', 'as_csv', 'as_tex', 'plot_methods', 'figures', 'write_plots', 'as_html', 'written']

FORMATS: dict[str, Any]

def stopped_run(out_dir: Any) -> Results:
    """What can be said already: the methods that answered every question

- out_dir: a run whose evaluation is not finished
- returns: raises AgentDistillError where no method is through"""
    ...

def partial(out_dir: Any, results: Results) -> list[str]:
    """What was left out of a run

- out_dir: a run, finished or not
- returns: sentences; empty: it is a whole run"""
    ...

@dataclass(frozen=True)
class Section:
    """A table of a report, before it is written in some format

- text: what the reader must know"""
    title: str
    text: str
    head: list[Any]
    rows: list[Any]

@dataclass(repr=False)
class Report:
    """A run, ready to be written

- partial: sentences; empty: a whole run
- sections: of `Section`
- stages: stage -> seconds"""
    title: str
    partial: list[Any]
    results: Results
    sections: list[Any]
    stages: dict[Any, Any]

    def __repr__(self) -> Any:
        ...

def run_rows(out: Path, results: Results) -> list[Any]:
    """What the run was: profile, models, seed, questions, date, versions"""
    ...

def read_report(out_dir: Any) -> Report:
    """A run, ready to be written in any format

- out_dir: a run; the evaluation may be unfinished
- returns: raises AgentDistillError where there is nothing to report"""
    ...

def as_md(report: Report) -> str:
    """The tables with their titles

- returns: GitHub's Markdown"""
    ...

def tidy(report: Report) -> Any:
    """Each number of a report in a row of its own; shares lie between 0 and 1

- returns: DataFrame, with the columns of `_COLUMNS`"""
    ...

def as_csv(report: Report) -> str:
    """The same as text"""
    ...

def as_tex(report: Report) -> str:
    """The tables, each with its caption

- returns: to be taken into a document by \\input"""
    ...

def plot_methods(results: Results, names: collections.abc.Sequence[Any]=...) -> Any:
    """Right answers of each method, with 95 % intervals

- names: of benchmarks, or groups of them; at most two
- returns: a matplotlib Figure"""
    ...

def figures(results: Results) -> dict[Any, Any]:
    """The plots of a report: over all, then chapter 8's, then one a benchmark"""
    ...

def write_plots(results: Results, folder: Any) -> list[Path]:
    """Each plot as PNG and SVG

- folder: made if need be
- returns: of the files"""
    ...

def as_html(report: Report) -> str:
    """One self-contained page: tables, plots, what the run was

- returns: the whole page"""
    ...

def written(report: Report, format: str) -> str:
    """A report as text

- format: one of FORMATS"""
    ...
