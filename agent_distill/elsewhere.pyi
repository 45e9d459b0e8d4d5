# made from elsewhere.py by .ci/stubs.py: edit the notebook
"""A distilled student behind OpenAI's protocol, inside smolagents' `CodeAgent`, and in llama.cpp"""
from typing import Any
import collections.abc
from .actions import STOP as STOP
from .agent import Engine as Engine
from .agent import EngineError as EngineError
from .agent import read_candidate as read_candidate
from .agent import run_async as run_async
from .agent import shorten as shorten
from .profile import AgentDistillError as AgentDistillError
from .prompts import short_prompt as short_prompt
from .sandbox import Sandbox as Sandbox
from .sandbox import Tool as Tool
from .servers import ModelServer as ModelServer
from .servers import free_port as free_port

__all__ = ['MAX_BODY', 'BadRequest', 'read_request', 'write_reply', 'ChatServer', 'student_chat', 'smol_model', 'smol_tool', 'smol_agent', 'smol_executor', 'write_gguf', 'serve_gguf']

MAX_BODY: int

class BadRequest(ValueError):
    """A body that is no chat request; the message goes back to the client"""

def read_request(body: dict[Any, Any]) -> dict[Any, Any]:
    """A chat request as a call of an engine; `BadRequest` if it is none

- body: a decoded JSON body, from anybody
- returns: arguments of `Engine.generate`"""
    ...

def write_reply(completions: Any, body: Any, model: Any, stop: Any) -> Any:
    """A chat completion"""
    ...

class ChatServer:
    """An engine behind `/v1/chat/completions`, for programs on this machine"""
    http: Any
    url: Any
    thread: Any

    def __init__(self, engine: Engine, model: str='student', port: int=0) -> None:
        """- model: the name that clients see
- port: 0: any free one"""
        ...

    def close(self) -> None:
        """Stop listening; the engine stays"""
        ...

    def __repr__(self) -> Any:
        ...

    def __enter__(self) -> ChatServer:
        ...

    def __exit__(self, *exc: Any) -> None:
        ...

def student_chat(messages: collections.abc.Sequence[Any]) -> list[dict[Any, Any]]:
    """smolagents' conversation in the student's words

- messages: of smolagents: objects or dicts with role and content
- returns: chat rows in the shape the student was trained on"""
    ...

def smol_model(engine: Engine, **sampling: Any) -> Any:
    """An engine as a model of smolagents

- sampling: temperature, top_p, max_new_tokens
- returns: a smolagents `Model`"""
    ...

def smol_tool(fn: Any) -> Any:
    """A Python function as a tool of smolagents

- fn: a typed function with a docstring
- returns: a smolagents `Tool`"""
    ...

def smol_agent(engine: Engine, tools: collections.abc.Sequence[Any], max_steps: Any=5, sampling: Any=None, **options: Any) -> Any:
    """A `CodeAgent` that a distilled student understands

- engine: or a `Model` of smolagents that speaks to one
- tools: typed functions
- sampling: of the engine: temperature, top_p, max_new_tokens
- options: of `CodeAgent`
- returns: a smolagents `CodeAgent`"""
    ...

def smol_executor(**options: Any) -> Any:
    """The sandbox as an executor of smolagents; its `session` is open to `try_all`

- options: of `Sandbox`: imports, limits, backend
- returns: a smolagents `PythonExecutor`"""
    ...

def write_gguf(path: Any, model: Any, tokenizer: Any, pre: str='default') -> None:
    """A model and its tokenizer as one file for llama.cpp, in float32

- path: of the file
- model: a Qwen2 model, adapters merged in
- pre: llama.cpp's name for how a text is cut; "qwen2" for Qwen2.5"""
    ...

def serve_gguf(path: Any, name: str, slots: Any=8, context: Any=1024, threads: Any=0, log: Any=None) -> ModelServer:
    """Start llama.cpp's server; returns when it answers

- path: of a GGUF file
- name: the model's name at the server
- slots: conversations at once
- context: tokens of each
- threads: that compute; 0: llama.cpp decides
- log: file for what it prints; None: our own output"""
    ...
