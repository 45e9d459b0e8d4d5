# made from imported.py by .ci/stubs.py: edit the notebook
"""Chat rows that somebody else's agent wrote, in our form, checked and counted"""
from typing import Any
import collections.abc
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple
from .actions import ParseError as ParseError
from .actions import own_turn as own_turn
from .actions import parse_action as parse_action
from .actions import render_action as render_action
from .agent import shorten as shorten
from .evaluation import scored as scored
from .profile import AgentDistillError as AgentDistillError
from .prompts import cot_answer as cot_answer
from .prompts import short_prompt as short_prompt
from .questions import Question as Question
from .released import BadRow as BadRow
from .released import our_names as our_names
from .released import our_observation as our_observation
from .trajectories import Step as Step
from .trajectories import Trajectory as Trajectory

__all__ = ['TOOL_NAMES', 'SHAPES', 'Turn', 'Told', 'from_react', 'from_tags', 'from_calls', 'from_code', 'from_memory', 'shape_of', 'trajectory_of', 'import_row', 'Imported', 'import_rows', 'check_exact']

TOOL_NAMES: dict[str, str]

SHAPES: dict[str, Any]

class Turn(NamedTuple):
    """One turn of somebody's agent

- code: for our tools
- seen: what came back"""
    thought: str
    code: str
    seen: str = ...
    answer: str | None = ...

class Told(NamedTuple):
    """What a row says, whatever its shape

- turns: of `Turn`
- right: what the row says of its answer; None: nothing"""
    question: str
    turns: list[Any]
    right: bool | None = ...

def from_react(row: Any) -> Told:
    """ReAct text: `Thought: ...`, `Action: search[...]`"""
    ...

def from_tags(row: Any) -> Told:
    """`<execute>` and `<solution>`"""
    ...

def from_calls(row: Any) -> Told:
    """OpenAI's messages with `tool_calls`"""
    ...

def from_code(row: Any) -> Told:
    """Thought and code in messages"""
    ...

def from_memory(row: Any) -> Told:
    """smolagents' `agent.memory.get_full_steps()`, under `steps`"""
    ...

def shape_of(row: Any) -> str:
    """The shape that a row has"""
    ...

def trajectory_of(told: Told, question: Question, system: str) -> Trajectory:
    """What a row says, as if our agent had gone that way

- question: its gold answer may be empty
- system: system prompt
- returns: not yet scored; one that cannot be taken raises `BadRow`"""
    ...

def import_row(row: dict[Any, Any], id: str, system: str, task: str='fact', unchecked: bool=False) -> Trajectory:
    """One row of any shape

- id: of the question
- system: system prompt
- task: which scorer judges, "fact" or "math", where the row does not say it
- unchecked: take answers that nothing says to be right
- returns: scored; a row that cannot be taken raises `BadRow`"""
    ...

@dataclass
class Imported:
    """What became of somebody's rows

- trajectories: scored
- shapes: of those that were taken
- dropped: reason -> rows that were not"""
    trajectories: list[Any] = ...
    shapes: Counter[Any] = ...
    dropped: Counter[Any] = ...

    def _repr_markdown_(self) -> Any:
        ...

def import_rows(rows: Any, tools: collections.abc.Sequence[Any], name: str='imported', **options: Any) -> Imported:
    """Somebody's trajectories in our form

- rows: dicts, for instance from `read_rows`
- tools: the functions that the student may call
- name: begins the ids
- options: of `import_row`: task, unchecked
- returns: nothing at all taken raises"""
    ...

def check_exact(tokenizer: Any, rows: Any) -> None:
    """What is trained is what stands in the rows, token by token

- tokenizer: the student's
- rows: chat rows, for instance from `sift`
- returns: raises AgentDistillError at the first row that differs"""
    ...
