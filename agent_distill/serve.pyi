# made from serve.py by .ci/stubs.py: edit the notebook
"""One retriever for many: the `/retrieve` contract of Search-R1, and a client that does not give up"""
from typing import Any
import collections.abc
import socket
from contextlib import contextmanager
from .passages import Passage as Passage
from .passages import from_contents as from_contents
from .passages import to_contents as to_contents
from .profile import AgentDistillError as AgentDistillError
from .retrieval import Hit as Hit
from .retrieval import Retriever as Retriever
from .retrieval import Searcher as Searcher
from .retrieval import checked as checked

__all__ = ['MAX_QUERIES', 'MAX_CHARS', 'MAX_TOPK', 'MAX_BODY', 'answer', 'request_model', 'reasons', 'BodyLimit', 'health', 'make_app', 'listen', 'serve_on', 'serving', 'RemoteRetriever', 'read_answer']

MAX_QUERIES: int

MAX_CHARS: int

MAX_TOPK: int

MAX_BODY: int

def answer(hits: collections.abc.Sequence[list[Hit]], return_scores: bool) -> dict[Any, Any]:
    """What `/retrieve` sends back

- hits: a list a query
- return_scores: the shape of the answer
- returns: JSON data"""
    ...

def request_model() -> Any:
    """The pydantic model of a request to `/retrieve`"""
    ...

def reasons(errors: collections.abc.Sequence[dict[Any, Any]]) -> str:
    """pydantic's errors as one line"""
    ...

class BodyLimit:
    """ASGI middleware: a body of more than MAX_BODY bytes ends in status 413"""
    app: Any

    def __init__(self, app: Any) -> None:
        ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        ...

def health(retriever: Retriever) -> dict[Any, Any]:
    """What `/health` says"""
    ...

def make_app(retriever: Retriever, topk: int=3) -> Any:
    """The application with `/retrieve` and `/health`

- retriever: answers; let it merge
- topk: passages where a request does not say
- returns: a FastAPI application"""
    ...

def listen(host: str, port: int) -> socket.socket:
    """A listening socket; AgentDistillError if the address cannot be had, or nothing can serve on it

- host: an address of this machine; "0.0.0.0" lets every other one in, unasked
- port: 0: any that is free"""
    ...

def serve_on(sock: socket.socket, retriever: Retriever, topk: int=3) -> None:
    """Serve until interrupted

- sock: from `listen`
- retriever: answers; let it merge
- topk: passages where a request does not say"""
    ...

@contextmanager
def serving(retriever: Retriever, topk: int=3) -> collections.abc.Iterator[Any]:
    """Serve in a thread of this process, on a free port, while the block runs

- retriever: answers; let it merge
- topk: passages where a request does not say
- returns: yields the URL"""
    ...

class RemoteRetriever(Searcher):
    """A retriever behind `/retrieve`, ours or Search-R1's; safe to call from many threads"""
    url: Any
    tries: int
    pause: float

    def __init__(self, url: str, timeout: float=30.0, tries: int=5, pause: float=0.2) -> None:
        """- url: where the server is: "http://127.0.0.1:8000"
- timeout: seconds for one attempt
- tries: attempts
- pause: seconds before the second one; doubles, at most 10"""
        ...

    def __repr__(self) -> Any:
        ...

    def search(self, queries: str | list[str], k: int=3) -> list[list[Hit]]:
        """The k passages nearest to each query, by way of the server

- queries: one query or many
- k: passages a query
- returns: a list a query, best first"""
        ...

    def health(self) -> dict[Any, Any]:
        """What the server says about itself"""
        ...

def read_answer(data: Any, n: int) -> list[list[Hit]]:
    """The hits in an answer with scores

- data: JSON data from a server
- n: queries that were asked
- returns: ValueError if it is something else"""
    ...
