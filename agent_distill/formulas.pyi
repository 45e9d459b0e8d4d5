# made from formulas.py by .ci/stubs.py: edit the notebook
"""Mathematical answers in LaTeX, SymPy, Python or prose, read whole and compared"""
from typing import Any
import math
import string
from dataclasses import dataclass
from decimal import Decimal

__all__ = ['normalise', 'as_number', 'same_number', 'spell', 'unboxed', 'NotMath', 'from_python', 'cut', 'wordy', 'plain', 'Form', 'read', 'value', 'same', 'stated', 'same_answer']

def normalise(text: Any) -> str:
    """SQuAD's answer normalisation

- text: an answer: a string, a number, or None
- returns: lower case, no punctuation, no articles, single spaces (SQuAD v1.1)"""
    ...

def as_number(text: Any) -> Decimal | None:
    """Read a plain number such as 47, -1,200.50, $3 or 1e6; nothing else

- text: an answer
- returns: None: it is not a plain number"""
    ...

def same_number(a: Decimal, b: Decimal) -> bool:
    """Whether two numbers are equal

- returns: integers must agree exactly"""
    ...

def spell(text: str) -> str:
    """One spelling for spaces, brackets, signs and degrees

- text: LaTeX, Python, SymPy or prose"""
    ...

def unboxed(text: str) -> str:
    """What the last boxes of a text hold; without a box, the text

- text: spelled"""
    ...

class NotMath(ValueError):
    """Not in the grammar of formulas"""

def from_python(text: str) -> str | None:
    """LaTeX of a formula in Python's or SymPy's syntax

- text: spelled
- returns: None: it is something else"""
    ...

def cut(text: str, separator: str) -> list[str]:
    """Split at a separator that stands in no bracket

- separator: a regular expression"""
    ...

def wordy(text: str) -> list[str]:
    """The words of a text: none in a formula, some in prose

- text: spelled
- returns: words that no formula holds"""
    ...

def plain(text: str) -> tuple[str, bool, str]:
    """A formula without currency, ordinal, percent sign and unit

- text: spelled
- returns: the formula, whether it is in percent, its unit"""
    ...

@dataclass(frozen=True)
class Form:
    """An answer as it was read

- kind: "value", "list" or "words"
- parts: of a list: forms
- open: of a list: "", "(", "[", "{", "U" for a union, "m" for a matrix"""
    kind: str
    text: str
    parts: tuple[Any, ...] = ...
    open: str = ...
    close: str = ...

def read(text: str) -> Form:
    """An answer as a value, a list or words

- text: spelled, without boxes"""
    ...

def value(text: str) -> Any:
    """What a formula stands for

- text: a formula without its unit
- returns: a SymPy object; None: it cannot be read whole"""
    ...

def same(gold: Form, pred: Form) -> bool:
    """Whether two answers agree"""
    ...

def stated(text: str, longest: int=300) -> Form | None:
    """What a text gives as its answer

- text: prose, spelled
- longest: characters of a statement"""
    ...

def same_answer(gold: str, pred: str) -> bool:
    """Whether two mathematical answers are equivalent; to be called in the grader's process

- gold: the reference (math-verify is not symmetric)
- pred: the answer given"""
    ...
