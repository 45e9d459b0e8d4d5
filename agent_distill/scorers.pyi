# made from scorers.py by .ci/stubs.py: edit the notebook
"""What counts as right: facts, mathematics, and a verdict that never ends a run"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from .formulas import as_number as as_number
from .formulas import normalise as normalise
from .formulas import same_answer as same_answer
from .formulas import same_number as same_number
from .profile import AgentDistillError as AgentDistillError
from .profile import Records as Records

__all__ = ['POLICY', 'JUDGE_PROMPT', 'em', 'f1', 'fact_equal', 'Grader', 'Verdict', 'math_verdict', 'math_equal', 'judge', 'score', 'judge_messages', 'read_verdict', 'LLMJudge', 'judge_table']

POLICY: tuple[tuple[Any, ...], ...]

JUDGE_PROMPT: str

def em(pred: Any, golds: collections.abc.Sequence[str]) -> float:
    """Exact match with any gold answer after normalisation

- pred: the answer given; None: no answer
- golds: the gold answer and its aliases
- returns: 1.0 or 0.0"""
    ...

def f1(pred: Any, golds: collections.abc.Sequence[str]) -> float:
    """Token F1 with the closest gold answer

- pred: the answer given; None: no answer
- golds: the gold answer and its aliases
- returns: 0.0 to 1.0"""
    ...

def fact_equal(golds: collections.abc.Sequence[str], answer: Any) -> bool:
    """Whether a factual answer is right

- golds: the gold answer and its aliases
- answer: the answer given; None: no answer"""
    ...

class Grader:
    """A process that compares formulas; safe to call from any thread"""
    timeout: float
    start: float
    proc: Any
    lock: Any

    def __init__(self, timeout: float=20.0, start: float=120.0) -> None:
        """- timeout: seconds for one pair
- start: seconds to import math-verify"""
        ...

    def close(self) -> None:
        """End the grader process; the next pair starts another"""
        ...

    def verdict(self, gold: str, pred: str) -> Verdict:
        """Whether two mathematical answers are equivalent

- gold: the reference
- pred: the answer given
- returns: a fault when the pair took too long or killed the grader"""
        ...

    def equal(self, gold: str, pred: str) -> bool:
        """Whether two mathematical answers are equivalent; warns where they could not be judged"""
        ...

@dataclass(frozen=True)
class Verdict:
    """A score with what there is to say about it

- score: 1.0 right, 0.0 wrong
- why: a judge's reason, or what went wrong
- fault: it could not be judged: the score says nothing"""
    score: float
    why: str = ...
    fault: bool = ...

def math_verdict(gold: Any, pred: Any) -> Verdict:
    """Whether a mathematical answer is equivalent to the reference

- gold: the reference answer
- pred: the answer given; None: no answer"""
    ...

def math_equal(gold: Any, pred: Any) -> bool:
    """Whether a mathematical answer is equivalent to the reference; warns where that is not known

- gold: the reference answer
- pred: the answer given; None: no answer"""
    ...

def judge(question: Any, answer: Any) -> Verdict:
    """A question's verdict; whatever goes wrong in a scorer is a fault with its reason

- question: a `Question`: its task is "fact" or "math"
- answer: the answer given; None: no answer"""
    ...

def score(question: Any, answer: Any) -> float:
    """Exact match for facts, equivalence for mathematics; warns where it could not be judged

- question: a `Question`: its task is "fact" or "math"
- answer: the answer given; None: no answer
- returns: 1.0 right, 0.0 wrong"""
    ...

def judge_messages(question: Any, answer: Any) -> list[dict[Any, Any]]:
    """What the judge is told; the texts are JSON, so that none can pose as another part

- question: a `Question`
- answer: the answer given
- returns: chat rows"""
    ...

def read_verdict(reply: str) -> bool | None:
    """A judge's reply: correct, not correct, or neither

- reply: what the judge wrote
- returns: None: not the JSON that was asked for"""
    ...

class LLMJudge:
    """A language model that judges facts; every verdict is a record"""
    engine: Any
    max_new_tokens: int
    model: Any
    rows: Any
    records: Records | None

    def __init__(self, engine: Any, records: Records | None=None, model: str='', max_new_tokens: int=32) -> None:
        """- engine: any `Engine`
- records: keeps the verdicts; None: only in memory
- model: recorded; "": the engine's name"""
        ...

    def __repr__(self) -> Any:
        ...

    def key(self, question: Any, answer: Any) -> str:
        """What a verdict depends on, as a hash"""
        ...

    @property
    def usage(self) -> dict[str, int]:
        """What the verdicts cost, in requests and tokens"""
        ...

    async def judge(self, question: Any, answer: Any) -> Verdict:
        """One verdict, from the records or from the model

- question: a `Question`
- answer: the answer given; None: no answer
- returns: a fault where the engine failed or the reply was not the JSON asked for"""
        ...

def judge_table(llm: LLMJudge, answers: collections.abc.Sequence[tuple[Any, ...]], verdicts: collections.abc.Sequence[Verdict]) -> str:
    """A model's verdicts beside EM and F1

- answers: (question, answer) pairs
- verdicts: the model's, in the same order
- returns: markdown"""
    ...
