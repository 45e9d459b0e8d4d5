# made from models.py by .ci/stubs.py: edit the notebook
"""A tokenizer and two Qwen2s trained from scratch on two CPU cores: how, for how long, and what came out"""
from typing import Any
import collections.abc
import random
from pathlib import Path
from . import corpus as C
from . import world as W

__all__ = ['TEMPLATE', 'WORD', 'SPECIAL', 'OWN_CLASS', 'READ', 'STUDENT', 'TEACHER_LAYERS', 'PLAN', 'whole_tokens', 'make_tokenizer', 'encode', 'batches', 'new_model', 'deepen', 'attend', 'adapt_attention', 'loss_of', 'optimizers', 'schedule', 'Run', 'share_gradients', 'ship', 'make_models', 'recorded_logs']

TEMPLATE: str

WORD: str

SPECIAL: list[str]

OWN_CLASS: dict[str, list[Any]]

READ: float

STUDENT: dict[str, int]

TEACHER_LAYERS: int

PLAN: dict[str, int]

def whole_tokens() -> list[str]:
    """Every word and number chunk that is to be one token"""
    ...

def make_tokenizer(n_docs: int=3000, merged: int=1300) -> Any:
    """Byte-level BPE in which names, the lab's words and chunks of three digits are whole tokens"""
    ...

def encode(tok: Any, doc: Any, rng: Any) -> tuple[list[int], list[float]]:
    """Token ids and loss weights: 1 on what a model should say, 0.5 on a few of what it reads"""
    ...

def batches(tok: Any, stream: Any, rng: Any, tokens: int=4096, chunk: int=256) -> collections.abc.Iterator[Any]:
    """Endless batches of about `tokens` tokens: (ids [b, t], weights [b, t])"""
    ...

def new_model(tok: Any, **kw: Any) -> Any:
    """A Qwen2 with random weights"""
    ...

def deepen(model: Any, tok: Any, layers: int) -> Any:
    """A deeper copy that computes the same function: every new layer starts as the identity"""
    ...

def attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any=None, dropout: float=0.0, **kw: Any) -> Any:
    """Causal attention in fp32; a row is one document, so no mask is needed"""
    ...

def adapt_attention(model: Any) -> None:
    """Switch `model` to the fp32 attention"""
    ...

def loss_of(model: Any, ids: Any, weights: Any) -> Any:
    """(weighted next-token loss, mean loss over what the model should say) of a batch"""
    ...

def optimizers(model: Any, lr: float, adam_lr: float) -> Any:
    """Muon for the matrices inside the layers, AdamW for embeddings, biases and norms"""
    ...

def schedule(step: Any, steps: Any, decay: float, warmup: int=50) -> float:
    """Warm up, hold, then fall linearly to nothing over the last `decay` of the run; 0: never fall"""
    ...

class Run:
    """One training run in `folder`: saved and resumed as a whole"""
    folder: Path
    model: Any
    opts: Any
    rates: Any
    rank: Any
    ranks: Any
    step: Any
    seen: Any
    wall: Any
    said: Any
    source: Any

    def __init__(self, model: Any, tok: Any, stream: Any, folder: Any, seed: Any=0, lr: float=0.003, adam_lr: float=0.003, rank: Any=0, ranks: Any=1) -> None:
        ...

    @property
    def checkpoint(self) -> Any:
        ...

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one"""
        ...

    def save(self, wall: float) -> None:
        """Write the checkpoint, then a line of the log"""
        ...

    def update(self, scale: float) -> None:
        """One optimizer step on one batch"""
        ...

    def train(self, steps: int, decay: float=0.0, every: int=50) -> Any:
        """Train until `steps`, saving every so often"""
        ...

def share_gradients(model: Any, ranks: int) -> None:
    """Average the gradients of all processes, in one message"""
    ...

def ship(out: Any, role: Any, tok: Any) -> None:
    """Write a branch as bf16 safetensors in the format of transformers"""
    ...

def make_models(out: str='runs/lab', seed: int=0, plan: dict[Any, Any]=...) -> None:
    """Train both models; killed and called again, it goes on"""
    ...

def recorded_logs() -> dict[str, list[dict[Any, Any]]]:
    """The logs of the runs that made the shipped weights, in the order of their names"""
    ...
