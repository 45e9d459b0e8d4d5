# made from actions.py by .ci/stubs.py: edit the notebook
"""What is made of the text that a model writes"""
from typing import Any
from typing import NamedTuple

__all__ = ['END_CODE', 'STOP', 'Action', 'render_action', 'without_drafts', 'own_turn', 'is_program', 'ParseError', 'parse_action', 'adapt_tags']

END_CODE: str

STOP: tuple[str, ...]

class Action(NamedTuple):
    """What a model wants to do, and why

- thought: free text
- code: Python, not yet run"""
    thought: str
    code: str

def render_action(thought: str, code: str) -> str:
    """Write an action as an assistant turn

- thought: free text
- code: Python
- returns: an assistant turn in the canonical shape"""
    ...

def without_drafts(text: str) -> str:
    """Cut thinking tags, and what they hold, off the beginning of a turn

- text: what the model generated
- returns: without the thinking that it begins with"""
    ...

def own_turn(text: str) -> str:
    """Cut a turn before everything that was not the model's to write

- text: what the model generated
- returns: the part before an invented observation, user or `<end_code>`"""
    ...

def is_program(code: str) -> bool:
    """Whether `code` is Python that calls, assigns or imports something

- code: any text
- returns: parsed only, nothing is run"""
    ...

class ParseError(ValueError):
    """A turn without an action; the message is what the model gets to read"""

def parse_action(text: str) -> Action:
    """The first action of a turn; everything after it is ignored

- text: one assistant turn as generated
- returns: (thought, code) of its first action; `ParseError` if there is none"""
    ...

def adapt_tags(text: str, thought: str='thought', code: str='execute', answer: str='solution') -> str:
    """Another project's tags as ours; a tag that is never closed stays an open fence

- text: a turn with tags instead of fences
- thought: the tag around the thought: dropped
- code: around the code: becomes a fence
- answer: around an answer: becomes a call of `final_answer`
- returns: a turn that `parse_action` reads"""
    ...
