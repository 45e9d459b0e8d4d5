# made from servers.py by .ci/stubs.py: edit the notebook
"""The same request to vLLM, in this process or behind an address: what is sent, what can go wrong, and what is done about it"""
from typing import Any
import collections.abc
import os
import subprocess
import time
from concurrent.futures import Future
from itertools import count
from .agent import Completion as Completion
from .agent import EngineError as EngineError
from .agent import derive_seed as derive_seed
from .engines import Request as Request
from .engines import TransformersEngine as TransformersEngine
from .engines import adapter_config as adapter_config
from .engines import load_tokenizer as load_tokenizer
from .engines import make_request as make_request
from .engines import prompt_ids as prompt_ids
from .engines import prompt_text as prompt_text
from .engines import resolve_model as resolve_model
from .profile import AgentDistillError as AgentDistillError
from .profile import Profile as Profile
from .sandbox.worker import PDEATHSIG as PDEATHSIG
from .sandbox.worker import SUBREAPER as SUBREAPER
from .sandbox.worker import prctl as prctl

__all__ = ['RANKS', 'PREFILL', 'AWAY', 'MAX_WAIT_S', 'MAX_BYTES', 'Loop', 'Remote', 'adapter_rank', 'rank_room', 'hardware', 'vllm_options', 'vllm_sampling', 'vllm_completion', 'VLLM', 'start_watch', 'watch', 'adapter_name', 'VLLMEngine', 'chat_rows', 'request_body', 'Fault', 'Refusal', 'read_answer', 'retry_after', 'read_response', 'read_json', 'refused_fields', 'ServerEngine', 'is_here', 'check_server', 'Singly', 'vllm_flags', 'vllm_command', 'guard', 'free_port', 'ModelServer', 'serve_model', 'load_engine']

RANKS: tuple[int, ...]

PREFILL: dict[str, Any]

AWAY: tuple[int, ...]

MAX_WAIT_S: int

MAX_BYTES: int

class Loop:
    """An event loop in a thread of its own, for callers in any thread and on any other loop"""
    loop: Any
    thread: Any

    def __init__(self, name: Any) -> None:
        ...

    def submit(self, coroutine: Any) -> Future[Any]:
        ...

    def run(self, coroutine: Any) -> Any:
        ...

    def close(self, last: Any=None) -> Any:
        """Cancel what is under way and end the thread

- last: a coroutine function to end with"""
        ...

class Remote:
    """An `Engine` whose model is somewhere else: the prompt is made here, `answer` is theirs"""
    tokenizer: Any
    context: Any
    loop: Any

    def prompt_ids(self, messages: Any, prefix: str='') -> list[int]:
        """The conversation as tokens, up to where the model goes on"""
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

def adapter_rank(adapter: str | os.PathLike[str]) -> int:
    """The rank of an adapter

- adapter: folder of a LoRA adapter
- returns: the largest that its configuration names"""
    ...

def rank_room(rank: int) -> int:
    """The smallest room of vLLM's that holds a rank

- returns: one of `RANKS`"""
    ...

def hardware() -> str:
    """What vLLM would run on: cpu, gpu, or old gpu (without bfloat16)"""
    ...

def vllm_options(model: str, adapter: str | os.PathLike[str] | None=None, max_lora_rank: Any=0, on: str='cpu', **options: Any) -> dict[Any, Any]:
    """How vLLM is started

- model: see `resolve_model`
- adapter: folder of a LoRA adapter
- max_lora_rank: room for other adapters, loaded later
- on: see `hardware`
- options: of vLLM; they win
- returns: arguments of vLLM's `AsyncEngineArgs`"""
    ...

def vllm_sampling(request: Request) -> dict[Any, Any]:
    """A request in vLLM's words

- returns: arguments of vLLM's `SamplingParams`"""
    ...

def vllm_completion(output: Any, prompt_tokens: int) -> Completion:
    """One sample in ours

- output: one of a `RequestOutput`'s `outputs`"""
    ...

class VLLM:
    """vLLM on a loop of its own, started again when its process dies"""
    options: dict[Any, Any]
    restarts: Any
    loop: Loop
    lock: Any
    watch: Any
    llm: Any

    def __init__(self, options: dict[Any, Any], restarts: Any=2) -> None:
        ...

    def close(self) -> None:
        ...

    async def answer(self, request: Request, lora: Any=None) -> Any:
        """The finished output of a request, whatever dies meanwhile"""
        ...

def start_watch() -> subprocess.Popen[bytes]:
    """A process that ends those whose numbers it is given, as soon as we are gone"""
    ...

def watch(parent: int) -> None:
    """Hear process numbers until the parent is gone, then end those that are still there

- parent: process number"""
    ...

def adapter_name(adapter: str | os.PathLike[str]) -> str:
    """What a server calls an adapter; another name after another training

- adapter: folder of a LoRA adapter
- returns: its folder's name and its content's hash"""
    ...

class VLLMEngine(Remote):
    """An `Engine` on vLLM in this process"""
    tokenizer: Any
    name: Any
    host: VLLM
    adapters: count[Any]
    loop: Any
    context: Any
    max_batch: Any
    stats: Any
    close: Any
    adapter: Any
    lora: Any

    def __init__(self, model_name_or_path: str | os.PathLike[str], adapter: str | os.PathLike[str] | None=None, restarts: Any=2, **options: Any) -> None:
        """- model_name_or_path: "mini-teacher", "mini-student", a folder or a hub name
- adapter: folder of a LoRA adapter of any rank up to 512
- restarts: times that a dead vLLM is started again
- options: of vLLM: max_model_len, gpu_memory_utilization, ..."""
        ...

    def __repr__(self) -> Any:
        ...

    def take(self, adapter: Any) -> None:
        ...

    def with_adapter(self, adapter: str | os.PathLike[str] | None=None) -> Any:
        """The same model with another adapter; `max_lora_rank` has to be given at the start

- adapter: folder of a LoRA adapter; None: the bare model
- returns: an engine on the same vLLM, which lives as long as either"""
        ...

    async def answer(self, request: Any, messages: Any, prefix: Any) -> Any:
        """The completions of one request"""
        ...

def chat_rows(messages: collections.abc.Sequence[dict[Any, Any]], prefix: str='') -> list[dict[Any, Any]]:
    """Messages without control tokens, the open turn last

- returns: for a server whose template we do not know"""
    ...

def request_body(request: Request, messages: collections.abc.Sequence[dict[Any, Any]], prefix: str='', send: str='ids', tokenizer: Any=None, prefill: str | None=None) -> tuple[str, dict[Any, Any]]:
    """A request as OpenAI's protocol has it, but for the model's name

- send: ids, text, chat
- tokenizer: for "text"
- prefill: for "chat": a key of `PREFILL`; None: a prefix is an `EngineError`
- returns: (route, JSON)"""
    ...

class Fault(Exception):
    """Something that may be better at the next try"""
    away: bool
    after: float | None
    status: Any
    said: str
    fix: Any

    def __init__(self, why: str, away: bool=False, after: float | None=None, status: Any=200, said: str='', fix: Any=None) -> None:
        ...

class Refusal(EngineError):
    """Something that will be the same at the next try"""
    status: int
    said: str

    def __init__(self, why: str, status: int, said: str) -> None:
        ...

def read_answer(answer: dict[Any, Any], request: Request) -> list[Completion]:
    """The completions of an answer

- answer: what the server sent
- request: what it was asked
- returns: a `Fault` if they are none"""
    ...

def retry_after(value: str | None) -> float | None:
    """How long a server wants us to wait

- value: of the header
- returns: seconds from now; None: it does not say"""
    ...

def read_response(status: int, headers: Any, data: bytes) -> bytes:
    """What a response carries, if it is a good one

- returns: a `Fault` where trying again may help, a `Refusal` where it will not"""
    ...

def read_json(data: bytes) -> dict[Any, Any]:
    """The JSON object in an answer

- returns: a `Fault` if it is none; an error that was sent as a success is one"""
    ...

def refused_fields(said: str, sent: dict[Any, Any]) -> set[str]:
    """The fields that a server does not want

- said: the server's error
- sent: the request's body
- returns: of the fields sent that can be left out"""
    ...

class ServerEngine(Remote):
    """An `Engine` on a server that speaks OpenAI's protocol"""
    url: Any
    name: Any
    adapter: str | os.PathLike[str] | None
    send: Any
    prefill: Any
    extra: Any
    one_by_one: Any
    attempts: Any
    context: Any
    patience_s: Any
    wait_s: float
    stats: Any
    silent_since: Any
    refused: Any
    loop: Loop
    http: Any
    close: Any
    served: Any
    tokenizer: Any

    def __init__(self, url: str, model_name_or_path: str | os.PathLike[str], adapter: str | os.PathLike[str] | None=None, send: str | None=None, prefill: str | None=None, served: str | None=None, context: int | None=None, one_by_one: bool=False, extra: dict[Any, Any] | None=None, attempts: Any=4, patience_s: Any=120, wait_s: float=0.5, timeout_s: Any=600, connections: Any=256, key_env: str='AGENT_DISTILL_API_KEY') -> None:
        """- url: up to and with /v1
- model_name_or_path: gives the tokenizer; "chat" needs none
- adapter: folder of a LoRA adapter, which the server can read too
- send: ids, text or chat; None: found out
- prefill: "chat": how it continues an open turn, a key of `PREFILL`
- served: the model's name there; None: looked up
- context: tokens; None: what the server says, if it does
- one_by_one: for servers that do not know `n`: one request a sample
- extra: fields for the request's body; they win; None leaves one out
- attempts: for a request that fails
- patience_s: for a server that answers nobody
- wait_s: before the second try, then twice as long each time
- timeout_s: of one request
- connections: at once
- key_env: the environment variable with the key"""
        ...

    def __repr__(self) -> Any:
        ...

    async def ask(self, method: Any, route: Any, body: Any=None, read: Any=...) -> Any:
        """Ask until there is an answer that `read` (bytes -> anything, or a `Fault`) can read"""
        ...

    async def answer(self, request: Any, messages: Any, prefix: Any) -> Any:
        """The completions of one request; until one was answered, a refusal may name another way to send"""
        ...

def is_here(host: str) -> bool:
    """Whether a host's name or number means this machine"""
    ...

def check_server(engine: str) -> None:
    """Raise where nobody listens at an address

- engine: a profile's: only an address is asked"""
    ...

class Singly(Exception):
    """The server writes one sample for each request"""

def vllm_flags(options: dict[Any, Any]) -> list[str]:
    """Options as vLLM's command line takes them

- options: as of `vllm_options`"""
    ...

def vllm_command(model: str, adapter: str | os.PathLike[str] | None=None, host: str='127.0.0.1', port: Any=8000, **options: Any) -> list[str]:
    """The command that serves a model and its adapter

- model: see `resolve_model`; also its name at the server
- adapter: folder of a LoRA adapter
- options: of `vllm_options`"""
    ...

def guard(command: collections.abc.Sequence[str], grace_s: float=20.0) -> int:
    """Run a command until it ends or our parent does; then end everything that it started

- grace_s: for an orderly end
- returns: the command's exit code"""
    ...

def free_port(host: str='127.0.0.1', port: Any=0) -> int:
    """A port that nobody listens on

- host: or an IPv6 address
- port: 0: any
- returns: taken, or no port at all: an `AgentDistillError`"""
    ...

class ModelServer:
    """A server that we started; `close`, or our own end, ends it and nothing else"""
    url: str
    log: Any
    guard: Any
    seconds: Any

    def __init__(self, command: collections.abc.Sequence[str], url: str, log: Any=None, env: dict[Any, Any] | None=None, wait_s: float=900.0) -> None:
        """- url: answers at url/models when it is ready
- log: file for what it prints; None: our own output
- env: environment; None: ours
- wait_s: until it answers, at most"""
        ...

    def __repr__(self) -> Any:
        ...

    def __enter__(self) -> ModelServer:
        ...

    def __exit__(self, *args: Any) -> None:
        ...

    def wait(self) -> None:
        """Until the server ends by itself, which is an error"""
        ...

    def close(self) -> None:
        """End it; returns when it is gone"""
        ...

def serve_model(model: str, adapter: str | os.PathLike[str] | None=None, host: str='127.0.0.1', port: Any=8000, log: Any=None, wait_s: float=900.0, **options: Any) -> ModelServer:
    """Start vLLM's server for a model; returns when it answers

- model: see `resolve_model`
- adapter: folder of a LoRA adapter
- port: 0: any
- log: file for what vLLM prints; None: our own output
- wait_s: until it answers, at most
- options: of `vllm_options`: max_lora_rank, and vLLM's own"""
    ...

def load_engine(profile: Profile, model: str, adapter: str | os.PathLike[str] | None=None, **options: Any) -> Any:
    """The engine that a profile asks for

- profile: its `engine` chooses: transformers, vllm, or a server's address
- model: a model name, see `resolve_model`
- adapter: folder of a PEFT adapter
- options: of the engine
- returns: an `Engine`"""
    ...
