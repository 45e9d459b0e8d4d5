# made from engines.py by .ci/stubs.py: edit the notebook
"""One model for hundreds of agents: prefill, sampling, stopping, and batches made of strangers"""
from typing import Any
import os
import collections.abc
import functools
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from dataclasses import field
from .agent import Completion as Completion
from .agent import EngineError as EngineError
from .agent import derive_seed as derive_seed
from .profile import AgentDistillError as AgentDistillError
from .profile import cgroup_limit as cgroup_limit
from .profile import cores as cores

__all__ = ['SMALL', 'SHARED', 'LONG', 'resolve_model', 'check_model', 'is_small', 'bfloat16_is_faster', 'load_tokenizer', 'load_model', 'adapter_config', 'grouped_attention', 'use_grouped_attention', 'render_chat', 'prompt_text', 'prompt_ids', 'pick', 'PrefixStore', 'Request', 'read_shared', 'prefill', 'Decoder', 'threads', 'TransformersEngine', 'make_request', 'free_bytes', 'token_bytes', 'limits']

SMALL: float

SHARED: int

LONG: int

def resolve_model(name: str | os.PathLike[str]) -> str:
    """Where a model is

- name: "mini-teacher", "mini-student", a folder or a hub name
- returns: what `from_pretrained` takes"""
    ...

def check_model(name: str, what: str='model') -> None:
    """Raise where a model is neither here nor on the hub, or the hub cannot be asked

- name: as `resolve_model` takes it
- what: the profile's field, for the error
- returns: nothing is loaded"""
    ...

def is_small(model: Any) -> bool:
    ...

@functools.cache
def bfloat16_is_faster() -> bool:
    """Measured once: whether this CPU multiplies matrices at least a third faster in bfloat16"""
    ...

def load_tokenizer(name: str) -> Any:
    """A model's tokenizer

- name: see `resolve_model`"""
    ...

def load_model(name: str, adapter: str | os.PathLike[str] | None=None, device: str | None=None, dtype: Any=None) -> Any:
    """A causal language model and its tokenizer, an adapter merged in

- name: see `resolve_model`
- adapter: folder of a PEFT adapter
- device: None: a GPU if there is one
- dtype: None: fits the device
- returns: (model in evaluation mode, tokenizer)"""
    ...

def adapter_config(adapter: str | os.PathLike[str]) -> dict[Any, Any]:
    """An adapter's own configuration

- adapter: folder of a PEFT adapter
- returns: rank `r`, `base_model_name_or_path`, ..."""
    ...

def grouped_attention(module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: Any=None, **kwargs: Any) -> Any:
    """transformers' sdpa attention, without copies of keys and values where one token is written"""
    ...

def use_grouped_attention(model: Any) -> None:
    """Let a model attend by `grouped_attention`, if it has groups and uses sdpa"""
    ...

def render_chat(tokenizer: Any, messages: collections.abc.Sequence[dict[Any, Any]], **options: Any) -> str:
    """The chat as the tokenizer's template writes it

- messages: chat rows
- options: of `apply_chat_template`
- returns: AgentDistillError: no template, or one that refuses these messages"""
    ...

def prompt_text(tokenizer: Any, messages: collections.abc.Sequence[dict[Any, Any]], prefix: str='') -> str:
    """The conversation as the template writes it, up to where the model goes on

- messages: chat rows
- prefix: how the assistant's turn begins"""
    ...

def prompt_ids(tokenizer: Any, messages: Any, prefix: str='') -> list[int]:
    """The same as tokens"""
    ...

def pick(logits: Any, temperature: Any, top_p: Any, u: Any) -> Any:
    """Choose the next token of each row

- logits: [rows, vocabulary]
- temperature: [rows]; 0: greedy
- top_p: [rows]; 1: the whole distribution
- u: [rows] uniform draws
- returns: (tokens [rows], their log-probabilities at temperature 1 [rows])"""
    ...

class PrefixStore:
    """Keys and values of recent prompts, the least recently used dropped beyond a size"""
    max_bytes: Any
    block: Any
    bytes: int
    entries: OrderedDict[Any, Any]
    index: Any

    def __init__(self, max_bytes: Any=..., block: Any=32) -> None:
        ...

    def longest(self, ids: Any) -> Any:
        """(how many of the first tokens are known, their entry)"""
        ...

    def put(self, ids: Any, layers: Any) -> None:
        """Keep the (keys, values) of a prompt: one pair a layer, each [heads, tokens, size]"""
        ...

@dataclass
class Request:
    """One `generate` call, as tokens

- limit: new tokens"""
    ids: list[int]
    n: int = ...
    temperature: float = ...
    top_p: float = ...
    stop: tuple[Any, ...] = ...
    seed: int = ...
    limit: int = ...
    future: Future[Any] = ...

def read_shared(model: Any, requests: Any, store: Any) -> None:
    """Read the beginning that several prompts share and the store does not know"""
    ...

def prefill(model: Any, requests: collections.abc.Sequence[Request], store: PrefixStore | None=None) -> Any:
    """Read the prompts

- store: of known beginnings
- returns: (logits of the next token [requests, vocabulary], cache, mask)"""
    ...

class Decoder:
    """Writes a batch to its end; others may join it"""
    model: Any
    tokenizer: Any
    store: Any
    requests: Any
    row_steps: int
    cache: Any
    ends: Any
    stops: Any
    may_end: Any
    tokens: Any
    logprobs: Any
    length: Any
    is_end: Any
    rows: Any
    logits: Any

    def __init__(self, model: Any, tokenizer: Any, ends: Any, requests: Any, store: Any=None) -> None:
        ...

    def join(self, requests: collections.abc.Sequence[Request]) -> None:
        """Take in more requests between two tokens"""
        ...

    def run(self, more: Any=...) -> collections.abc.Iterator[Any]:
        """Write until every row is done; gives (request, its completions) as soon as they are whole"""
        ...

def threads() -> int:
    """Threads that torch may use: `OMP_NUM_THREADS`, or one for each core"""
    ...

class TransformersEngine:
    """An `Engine` on any causal language model of transformers, on CPU or GPU"""
    model: Any
    tokenizer: Any
    name: Any
    adapter: str | os.PathLike[str] | None
    max_batch: Any
    max_tokens: Any
    store: Any
    wait_s: Any
    context: Any
    stats: Any
    workers: Any
    joins: Any

    def __init__(self, model_name_or_path: str | os.PathLike[str], adapter: str | os.PathLike[str] | None=None, device: str | None=None, max_batch: Any=None, wait_ms: Any=5, dtype: Any=None, cache_mb: Any=None, max_prompt_tokens: Any=None, workers: Any=None) -> None:
        """- model_name_or_path: "mini-teacher", "mini-student", a folder or a hub name
- adapter: folder of a PEFT adapter, merged at loading
- device: None: a GPU if there is one
- max_batch: rows (samples) decoded together; None: see `limits`
- wait_ms: at least so long without a new request before a batch starts
- dtype: None: see `_dtype`
- cache_mb: for the keys and values of recent prompts; 0: off
- max_prompt_tokens: prompts read at once, padding included
- workers: threads that decode; None: see `_workers`"""
        ...

    def prompt_ids(self, messages: Any, prefix: str='') -> list[int]:
        """The conversation as tokens, up to where the model goes on"""
        ...

    @functools.cached_property
    def ends(self) -> list[int]:
        """Tokens that end a turn"""
        ...

    def __repr__(self) -> Any:
        ...

    async def generate(self, messages: collections.abc.Sequence[dict[Any, Any]], n: Any=1, temperature: float=0.0, top_p: float=1.0, stop: Any=..., prefix: str='', seed: int | None=None, max_new_tokens: Any=256) -> list[Completion]:
        """Continue a conversation `n` times

- messages: chat rows
- n: samples
- temperature: 0: greedy
- stop: strings that end a turn
- prefix: how the assistant's turn begins; the model continues it
- seed: None: a random one"""
        ...

    def close(self) -> None:
        """Let the threads finish what they have and end; a later request starts others"""
        ...

    def _repr_markdown_(self) -> Any:
        ...

def make_request(ids: collections.abc.Sequence[int], context: int | None, name: str, seed: int | None, max_new_tokens: int, **sampling: Any) -> Request:
    """A `generate` call as tokens

- ids: the prompt
- context: tokens that prompt and answer may have together; None: not known
- name: of the model, for the error
- seed: None: a random one
- sampling: n, temperature, top_p, stop
- returns: a prompt without room for an answer is an `EngineError`"""
    ...

def free_bytes(device: Any) -> int:
    """Memory that is free where the model is"""
    ...

def token_bytes(model: Any) -> int:
    """What the keys and values of one token take, in all layers"""
    ...

def limits(model: Any) -> dict[Any, Any]:
    """Rows written together, tokens read together, and MB of recent prompts, for a model on its device"""
    ...
