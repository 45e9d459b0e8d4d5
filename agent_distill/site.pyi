# made from site.py by .ci/stubs.py: edit the notebook
"""The chapters as pages: code where it is explained, folded where it is long, and links that lead somewhere"""
from typing import Any
import collections.abc
from functools import cache
from pathlib import Path

__all__ = ['OPEN', 'names', 'caption', 'label', 'fold', 'places', 'link', 'link_prose', 'entries', 'neighbours', 'heading', 'foot', 'sidebar', 'llms', 'write_llms', 'Page']

OPEN: int

def names(source: str) -> list[str]:
    """The public names that code defines

- source: Python
- returns: "Trajectory.add" for a method"""
    ...

def caption(source: str, taken: set[Any]=...) -> str:
    """The anchors of code: one line of Markdown, empty where nothing public is defined

- taken: anchors that the page has already"""
    ...

def label(source: str, tags: collections.abc.Sequence[Any]=..., plot: bool=False) -> str:
    """Whether a cell is folded, and behind which words

- source: Python
- tags: the cell's tags
- plot: the cell's output is a picture
- returns: what stands for the folded code; empty: it stays open"""
    ...

def fold(source: str, words: str) -> str:
    """Put code behind words that open it, by Quarto's options; what a cell says itself comes first

- source: Python with Quarto's options
- words: empty: no fold"""
    ...

@cache
def places() -> dict[Any, Any]:
    """Name: the anchors in the site that define it"""
    ...

def link(text: str, page: str='') -> str:
    '''Link names in backticks to the code that defines them

- text: Markdown
- page: the page that it is on, "lab/world.html"'''
    ...

def link_prose(text: str, page: str='') -> str:
    """`link`, but not in code blocks and headings"""
    ...

def entries(contents: collections.abc.Sequence[Any], above: collections.abc.Sequence[Any]=...) -> list[Any]:
    """The pages of a sidebar

- contents: of the sidebar, as YAML gives it
- above: titles of the sections around it
- returns: (titles, page) in the order of the sidebar"""
    ...

def neighbours(contents: collections.abc.Sequence[Any], page: str) -> tuple[Any, ...]:
    """The pages before and after, on the page's own level of the sidebar

- contents: of the sidebar
- page: "04_agent.ipynb"
- returns: (previous, next); "" where there is none"""
    ...

def heading(path: Any) -> tuple[Any, ...]:
    """A page's title, and the line below it

- path: a notebook or a .qmd file
- returns: (title, description)"""
    ...

def foot(contents: collections.abc.Sequence[Any], page: str, nbs: Any) -> str:
    """Links to the page before and the page after

- contents: of the sidebar
- page: "lab/00_world.ipynb"
- nbs: the folder of the notebooks
- returns: empty where there are no neighbours"""
    ...

def sidebar(root: str='.') -> list[Any]:
    """The contents of the sidebar in `_quarto.yml`"""
    ...

def llms(contents: collections.abc.Sequence[Any], nbs: Any, url: str) -> str:
    """The text of `llms.txt`: every page with its address and what it is about

- contents: of the sidebar
- nbs: the folder of the notebooks
- url: of the site"""
    ...

def write_llms(root: str='.') -> Path:
    """Write `nbs/llms.txt`

- root: the checkout"""
    ...

class Page:
    """nbdev's processor for this site: code is shown, long code folded, names are linked"""
    nb: Any
    page: Any
    taken: Any

    def __init__(self, nb: Any) -> None:
        ...

    def begin(self) -> None:
        """Replace the notebook's cells by the page's"""
        ...

    def shown(self, cell: Any) -> list[Any]:
        """The cells that stand for one cell"""
        ...
