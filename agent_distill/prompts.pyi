# made from prompts.py by .ci/stubs.py: edit the notebook
"""What a model is told, and where its answer stands"""
from typing import Any
from .actions import render_action as render_action
from .profile import AgentDistillError as AgentDistillError

__all__ = ['EXAMPLES', 'final_answer', 'tool_line', 'short_prompt', 'example_text', 'long_prompt', 'agent_prompt', 'cot_prompt', 'answer_begin', 'marked_answer', 'cot_answer']

EXAMPLES: tuple[tuple[Any, ...], ...]

def final_answer(answer: Any) -> None:
    """ends the task with the answer"""
    ...

def tool_line(tool: Any) -> str:
    """How one tool is announced to the model

- tool: any Python function with a docstring
- returns: `name(arguments) -> type: first line of the docstring`"""
    ...

def short_prompt(tools: Any) -> str:
    """Few words: the format was learned, only the tools have to be named

- tools: the functions the agent may call, `final_answer` apart
- returns: the system prompt of a student that was trained on the format"""
    ...

def example_text(task: str, *steps: Any) -> str:
    """A worked example, as the conversation would hold it

- task: the question
- steps: (thought, code, observation); the last observation is None"""
    ...

def long_prompt(tools: Any, max_steps: Any=5) -> str:
    """The paper's agent format with worked examples, for a model that was never trained on it

- tools: the functions the agent may call
- max_steps: told to the model; the paper allows five
- returns: the system prompt for an instruct model"""
    ...

def agent_prompt(kind: str, tools: Any, max_steps: Any=5) -> str:
    """The system prompt of an agent that was not distilled

- kind: a profile's `prompt`: "short", or "examples"
- tools: the functions the agent may call"""
    ...

def cot_prompt(kind: str='short', task: str='fact') -> str:
    '''The system prompt of plain chain of thought: no tools

- kind: a profile's `prompt`
- task: the question's: "fact" or "math"'''
    ...

def answer_begin(task: str) -> str:
    """The words that make a finished chain of thought say its answer"""
    ...

def marked_answer(text: str) -> str | None:
    """The last boxed answer, or the last line that says that it is one"""
    ...

def cot_answer(text: str, ended: bool=True) -> str | None:
    """The answer that a chain of thought ends with

- text: a chain of thought
- ended: False: it was cut, so its last sentence concludes nothing
- returns: None: it does not say"""
    ...
