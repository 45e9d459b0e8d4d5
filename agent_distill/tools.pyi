# made from tools.py by .ci/stubs.py: edit the notebook
"""Anybody's tools as typed Python functions: in the prompt, and in the sandbox"""
from typing import Any
import collections.abc
import inspect
from contextlib import contextmanager
from .profile import AgentDistillError as AgentDistillError
from .sandbox.host import Tool as Tool

__all__ = ['MAX_RESULT', 'python_name', 'mcp_signature', 'mcp_value', 'mcp_tools']

MAX_RESULT: int

def python_name(name: str) -> str:
    """A name that Python code can use

- name: as a server gives it
- returns: an identifier"""
    ...

def mcp_signature(schema: dict[Any, Any], returns: Any=...) -> tuple[inspect.Signature, dict[Any, Any]]:
    """The arguments of a tool as a Python signature

- schema: JSON schema of a tool's arguments
- returns: and: Python name -> name on the wire"""
    ...

def mcp_value(result: dict[Any, Any]) -> Any:
    """The value of a tool call

- result: a call's result as it was on the wire
- returns: JSON data; an error of the server raises `RuntimeError`"""
    ...

@contextmanager
def mcp_tools(*command: str, url: str | None=None, env: dict[Any, Any] | None=None, read_only: collections.abc.Sequence[Any]=..., timeout_s: float=60.0, start_s: float=30.0) -> collections.abc.Iterator[Any]:
    """The tools of an MCP server, as long as the block lasts

- url: or its address: streamable HTTP
- env: environment variables of the program; None: a small safe set
- read_only: names of tools that change nothing although the server does not say so
- timeout_s: seconds for one call
- start_s: seconds until the server has listed its tools
- command: the server's program and its arguments
- returns: list of `Tool`, for `Sandbox(tools=...)`"""
    ...
