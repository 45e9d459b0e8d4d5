# made from student.py by .ci/stubs.py: edit the notebook
"""Chat rows, the loss mask, LoRA fine-tuning: three students from one teacher."""
from typing import Any
import os
import time
from dataclasses import dataclass
from pathlib import Path
from .engines import render_chat as render_chat
from .profile import AgentDistillError as AgentDistillError
from .profile import Artifact as Artifact
from .profile import read_jsonl as read_jsonl
from .profile import set_seed as set_seed
from .profile import write_atomic as write_atomic

__all__ = ['ROLES', 'STUDENTS', 'LINEAR', 'student_tokenizer', 'end_of_turn', 'turn_spans', 'check_messages', 'Masked', 'mask_row', 'Encoded', 'encode_rows', 'max_length', 'student_rows', 'check_rows', 'lora_config', 'weight_dtype', 'precision', 'load_student', 'ByLength', 'activation_bytes', 'MicroBatch', 'micro_batch', 'sft_config', 'pack', 'parts', 'masked_loss', 'rows_attention', 'use_rows_attention', 'packs', 'sft_trainer', 'progress_callback', 'last_checkpoint', 'use_threads', 'peak_mb', 'train_student', 'untrained_student', 'distill', 'distill_all', 'training_table', 'plot_losses', 'first_turn']

ROLES: tuple[str, ...]

STUDENTS: dict[str, str]

LINEAR: list[str]

def student_tokenizer(profile: Any) -> Any:
    """The student's tokenizer with its chat template.

- profile: its `student` names the model"""
    ...

def end_of_turn(tokenizer: Any) -> str:
    """The control token that the template writes behind an assistant's turn

- tokenizer: a Hugging Face tokenizer with a chat template
- returns: such as <|im_end|>; one at which the model stops"""
    ...

def turn_spans(tokenizer: Any, messages: Any) -> tuple[str, list[tuple[int, int]]]:
    """The rendered chat, and where in it each assistant turn stands (content and end token).

- tokenizer: a Hugging Face tokenizer with a chat template
- messages: chat messages: dicts with `role` and `content`"""
    ...

def check_messages(tokenizer: Any, messages: Any) -> None:
    """Raise for an unknown role, for no assistant turn, and for a control token in a message.

- tokenizer: its control tokens must not occur in a message
- messages: chat messages"""
    ...

@dataclass(frozen=True, repr=False)
class Masked:
    """One training row: token ids, and labels that are -100 where no loss is taken."""
    ids: list[int]
    labels: list[int]
    tokenizer: Any = ...

    def __len__(self) -> Any:
        ...

    def __repr__(self) -> Any:
        ...

    @property
    def n_trained(self) -> int:
        """How many tokens carry loss."""
        ...

    def runs(self) -> list[tuple[bool, list[int]]]:
        """Stretches of (trained?, ids), in order."""
        ...

    def trained_texts(self) -> list[str]:
        """What is trained, decoded: one text a turn."""
        ...

    def _repr_html_(self) -> Any:
        ...

def mask_row(tokenizer: Any, messages: Any) -> Masked:
    """Tokenise a chat; the loss is on each assistant turn's content and end token, and nowhere else.

- tokenizer: a Hugging Face tokenizer with a chat template
- messages: chat messages"""
    ...

@dataclass(frozen=True)
class Encoded:
    """The rows of one dataset as ids and labels, and the ids of those left out, by reason."""
    rows: list[Masked]
    dropped: dict[str, list[str]]

    @property
    def n_tokens(self) -> int:
        ...

    def _repr_markdown_(self) -> Any:
        ...

def encode_rows(tokenizer: Any, rows: Any, max_length: int) -> Encoded:
    """Mask every row; what cannot be trained on is left out with its reason, and never shortened.

- tokenizer: a Hugging Face tokenizer with a chat template
- rows: chat rows: dicts with `id` and `messages`
- max_length: tokens; a longer row is left out, never cut"""
    ...

def max_length(profile: Any, name: str) -> int:
    """The longest row a student is trained on, in tokens.

- profile: a `Profile`
- name: one of `STUDENTS`"""
    ...

def student_rows(profile: Any, out_dir: Any, name: str, tokenizer: Any) -> Encoded:
    """The rows one student learns from.

- profile: a `Profile`
- out_dir: folder of the run; its `teacher/` artifact is read
- name: one of `STUDENTS`
- tokenizer: the student's"""
    ...

def check_rows(out_dir: Any) -> None:
    """There must be something to learn from

- out_dir: folder of the run
- returns: raises where the teacher kept nothing at all"""
    ...

def lora_config(profile: Any) -> Any:
    """PEFT's LoRA configuration: all linear layers, no bias (paper, section 4).

- profile: `lora_r`, `lora_alpha`, `lora_dropout`"""
    ...

def weight_dtype(model: Any=None) -> Any:
    """The dtype of the frozen weights: half precision on a GPU, and on a CPU that is faster in it

- model: the student, to tell a real one from a mini model; None: a real one"""
    ...

def precision(model: Any=None) -> dict[Any, Any]:
    """TRL's options for the same: autocast in bf16 from Ampere on, in fp16 below, none in float32"""
    ...

def load_student(profile: Any, max_length: int, seed: int=0) -> Any:
    """The student's weights, frozen, with a fresh LoRA adapter on every linear layer.

- profile: `student` names the weights, `sft` is "trl" or "unsloth"
- max_length: tokens of the longest row
- seed: of the adapter's first values"""
    ...

class ByLength:
    """Sampler: batches of like length in an order fixed by `seed` and the epoch."""
    lengths: Any
    batch: int
    seed: int
    epoch: int

    def __init__(self, lengths: Any, batch: int, seed: int) -> None:
        ...

    def __len__(self) -> Any:
        ...

    def set_epoch(self, epoch: int) -> None:
        ...

    def __iter__(self) -> Any:
        ...

def activation_bytes(config: Any, itemsize: int) -> int:
    """About what one token keeps for the backward pass of a LoRA model, without its logits"""
    ...

@dataclass(frozen=True)
class MicroBatch:
    """How much goes through the model at once

- tokens: padding included; a longer row goes alone
- checkpointing: activations are computed twice, to save memory"""
    tokens: int
    checkpointing: bool

def micro_batch(model: Any, longest: int, free: int | None=None, labelled: float=0.5) -> MicroBatch:
    """The largest micro-batch that memory allows

- model: the student
- longest: tokens of the longest row
- free: bytes; None: what is free where the model is
- labelled: share of the tokens that carry loss"""
    ...

def sft_config(profile: Any, folder: Any, n_rows: int, checkpointing: bool=False, seed: int=0, model: Any=None) -> Any:
    """TRL's configuration: nothing is cut, a step is a batch, about four checkpoints a run.

- profile: `lr`, `epochs`, `batch_size`
- folder: checkpoints go here
- n_rows: rows in the dataset
- seed: of dropout and order
- model: the student, for its precision; None: a real one"""
    ...

def pack(batch: Any) -> dict[Any, Any]:
    """The rows of a batch end to end, without padding; no row predicts the next one's first token

- batch: `input_ids`, `attention_mask`, `labels`: [rows, tokens], padded on the right
- returns: [1, tokens of all rows]; `row_lengths` says where each ends"""
    ...

def parts(batch: Any, tokens: int, packed: bool=False) -> list[dict[Any, Any]]:
    """A batch in parts of like length

- batch: `input_ids`, `attention_mask`, `labels`: [rows, tokens], padded on the right
- tokens: of a part at most, padding included; a longer row goes alone
- packed: each part by `pack`, without padding"""
    ...

def masked_loss(model: Any, batch: Any, n_items: Any=None) -> Any:
    """Cross-entropy (nats) of each labelled token, summed over the batch and divided by `n_items`.

- model: a PEFT model
- batch: `input_ids`, `attention_mask`, `labels`: int64 [rows, tokens]; or from `pack`
- n_items: labelled tokens of the whole optimizer step; this batch's by default"""
    ...

def rows_attention(module: Any, query: Any, key: Any, value: Any, mask: Any, row_lengths: Any=None, **kwargs: Any) -> Any:
    """transformers' sdpa attention, causal within each row of a pack; padding stands on the right"""
    ...

def use_rows_attention(model: Any) -> None:
    """Let a model attend by `rows_attention`, and build no masks"""
    ...

def packs(model: Any) -> bool:
    """Whether rows may go through a model end to end: a real one whose layers keep them apart

- model: a PEFT model, not trained yet
- returns: then it attends by rows from here on"""
    ...

def sft_trainer(model: Any, tokenizer: Any, rows: Any, args: Any, callbacks: Any=..., tokens: Any=None) -> Any:
    """TRL's SFTTrainer on ready-made ids and labels, in an order that a resumed run repeats.

- model: with its adapter on
- tokenizer: the student's
- rows: list of `Masked`
- args: from `sft_config`
- callbacks: transformers' TrainerCallback objects
- tokens: that go through the model at once, from `micro_batch`; None: a whole step"""
    ...

def progress_callback(folder: Any) -> Any:
    """A TrainerCallback: a bar in terminals, and the loss log.

- folder: `log.jsonl` is written here"""
    ...

def last_checkpoint(folder: Any) -> Path | None:
    """The newest complete checkpoint, or None; a torn one is passed over.

- folder: holds `checkpoint-N` folders"""
    ...

def use_threads() -> int:
    """Give torch the CPU threads this process may use, or `OMP_NUM_THREADS`; returns the number."""
    ...

def peak_mb() -> float:
    """Peak memory in MB: of the GPU's tensors where there is one, else of this process so far."""
    ...

def train_student(profile: Any, rows: Any, tokenizer: Any, folder: Any, max_length: int, seed: int=0, callbacks: Any=...) -> dict[Any, Any]:
    """Fine-tune one student, from its last checkpoint if there is one; returns facts of the run.

- profile: a `Profile`
- rows: list of `Masked`; none raises
- tokenizer: the student's
- folder: adapter and `log.jsonl` are written here, checkpoints while it runs
- max_length: tokens of the longest row
- seed: of the adapter's first values, dropout and order
- callbacks: transformers' TrainerCallback objects"""
    ...

def untrained_student(profile: Any, folder: Any, max_length: int, seed: int=0) -> dict[Any, Any]:
    """The adapter of a student for whom the teacher kept no row: it changes nothing, and says so"""
    ...

def distill(profile: Any, out_dir: Any, name: str, seed: int=0, train_limit: int=0, callbacks: Any=...) -> Artifact:
    """One distilled student as an artifact: an adapter folder with its loss log.

- profile: a `Profile`
- out_dir: folder of the run: reads `teacher/`, writes `student/NAME/`
- name: one of `STUDENTS`
- seed: of the run
- train_limit: the teacher's; part of the artifact's identity
- callbacks: transformers' TrainerCallback objects
- returns: its manifest's "counts" are the facts of the run"""
    ...

def distill_all(profile: Any, out_dir: Any, seed: int=0, train_limit: int=0) -> Artifact:
    """Every student, as the stage's artifact.

- profile: a `Profile`
- out_dir: folder of the run
- seed: of the run
- train_limit: the teacher's
- returns: `student/`, with the three adapters inside"""
    ...

def training_table(facts: dict[Any, Any]) -> str:
    """Markdown: rows, steps, loss, time, speed and memory of each student.

- facts: student's name -> facts of `train_student`"""
    ...

def plot_losses(logs: dict[Any, Any]) -> Any:
    """Loss on the assistant's tokens against the optimizer's steps, one line a student.

- logs: student's name -> rows of its `log.jsonl`"""
    ...

def first_turn(profile: Any, question: Any, system: str, adapter: str | os.PathLike[str] | None=None) -> str:
    """What a student writes as its first turn, greedily

- profile: a `Profile`
- question: a `Question`
- system: the system prompt
- adapter: folder of a student; None: untrained"""
    ...
