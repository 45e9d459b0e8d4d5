# made from agent.py by .ci/stubs.py: edit the notebook
"""Thought, code, observation: the loop, self-consistent actions, and hundreds of agents at once"""
from typing import Any
import collections.abc
from dataclasses import dataclass
from typing import Protocol
from .actions import STOP as STOP
from .actions import ParseError as ParseError
from .actions import own_turn as own_turn
from .actions import parse_action as parse_action
from .actions import render_action as render_action
from .profile import AgentDistillError as AgentDistillError
from .profile import Records as Records
from .prompts import answer_begin as answer_begin
from .prompts import cot_answer as cot_answer
from .prompts import cot_prompt as cot_prompt
from .prompts import marked_answer as marked_answer
from .prompts import short_prompt as short_prompt
from .questions import Question as Question
from .trajectories import Step as Step
from .trajectories import Trajectory as Trajectory

__all__ = ['KEPT', 'Completion', 'EngineError', 'Engine', 'Scripted', 'shorten', 'observation_text', 'sandbox_tools', 'Candidate', 'read_candidate', 'vote', 'lead_confidence', 'decided', 'run_candidates', 'keep_best', 'try_candidates', 'derive_seed', 'room', 'take_step', 'solve', 'run_async', 'in_flight', 'run_many', 'run_agents', 'solve_cot', 'run_cot']

KEPT: int

@dataclass
class Completion:
    """One sampled continuation of a conversation

- text: what was generated after the prefix, the stop string it met included
- tokens: generated tokens
- prompt_tokens: tokens of the prompt, the prefix included
- logprob: mean log-probability of the generated tokens (nats, at temperature 1)
- finish: "stop": met a stop string or the end of the turn; "length": cut"""
    text: str
    tokens: int
    prompt_tokens: int
    logprob: float
    finish: str

class EngineError(AgentDistillError):
    """A request that this engine cannot answer; recorded on its question, the others go on"""

class Engine(Protocol):
    """Whatever continues conversations

Three more facts are used where an engine has them: `max_batch`, the samples it works on at
once; `context`, the tokens of prompt and answer together; `prompt_ids(messages, prefix)`, a
conversation as tokens."""

    async def generate(self, messages: Any, *args: Any, **kwargs: Any) -> list[Completion]:
        ...

class Scripted:
    """An engine of canned completions: it says the k-th turn in step k of any question"""
    turns: Any
    calls: Any

    def __init__(self, *turns: Any) -> None:
        """- turns: a step each: a text, or a list of texts, one a sample; fewer are repeated"""
        ...

    def __repr__(self) -> Any:
        ...

    async def generate(self, messages: Any, n: Any=1, **options: Any) -> Any:
        ...

def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a long text, and say so

- limit: characters"""
    ...

def observation_text(outcome: Any, limit: Any=4000) -> str:
    """What the model is told about the code it ran

- outcome: the sandbox's `Outcome`
- limit: characters"""
    ...

def sandbox_tools(sandbox: Any) -> list[Any]:
    """The tools of a sandbox, for the prompt

- sandbox: a `Sandbox`
- returns: the functions that code in it may call"""
    ...

@dataclass
class Candidate:
    """One sampled action and what running it gave

- text: the turn as the conversation would keep it
- logprob: mean log-probability of its tokens
- error: why it did not parse
- outcome: the sandbox's `Outcome`; None if it did not parse"""
    text: str
    thought: str
    code: str
    tokens: int
    logprob: float
    error: str = ...
    outcome: Any = ...

    @property
    def status(self) -> str:
        ...

    @property
    def valid(self) -> bool:
        ...

    @property
    def observation(self) -> str:
        ...

def read_candidate(completion: Completion, prefix: str='') -> Candidate:
    """Parse one completion; the conversation will keep the canonical shape of its action

- prefix: how the turn was made to begin
- returns: parsed, not yet run"""
    ...

def vote(candidates: collections.abc.Sequence[Candidate]) -> Candidate:
    """Most votes among the valid, then the most probable; none valid: the most probable of all

- candidates: at least one
- returns: the winner"""
    ...

def lead_confidence(first: int, second: int) -> float:
    """Probability that the leader is the more frequent of the two, with a uniform prior

- first: votes of the leader
- second: votes of the runner-up
- returns: 0.5 to 1"""
    ...

def decided(candidates: collections.abc.Sequence[Candidate], left: int, confidence: float=1.0) -> bool:
    """Whether the leader of the vote stays the leader

- candidates: run
- left: samples that could still come
- confidence: stop at this probability; 1: only when nothing can change"""
    ...

def run_candidates(session: Any, candidates: collections.abc.Sequence[Candidate], known: collections.abc.Sequence[Candidate]=...) -> None:
    """Run each distinct new code from the session's state

- session: of the sandbox
- candidates: parsed; get their `outcome`
- known: run before, from the same state"""
    ...

def keep_best(session: Any, candidates: collections.abc.Sequence[Candidate]) -> Candidate:
    """Vote and commit the winner

- session: of the sandbox
- candidates: run, not yet committed
- returns: the winner; the session's state is now its state"""
    ...

def try_candidates(session: Any, candidates: collections.abc.Sequence[Candidate]) -> Candidate:
    """Run, vote, commit

- session: of the sandbox
- candidates: parsed; get their `outcome`
- returns: the winner; the session's state is now its state"""
    ...

def derive_seed(seed: int, *parts: Any) -> int:
    """A seed of its own for each part of a run

- parts: question id, step number, ...
- returns: 0 to 2**31 - 1, the same on every machine"""
    ...

def room(engine: Engine, messages: collections.abc.Sequence[dict[Any, Any]], prefix: str='') -> float:
    """What is left of the context

- messages: the conversation
- prefix: how the next turn begins
- returns: tokens left for an answer; infinite where the engine does not say"""
    ...

async def take_step(t: Trajectory, session: Any, engine: Engine, n: Any=1, wave: Any=0, confidence: float=1.0, left: Any=None, max_new_tokens: Any=256, **sampling: Any) -> Step:
    """Sample, run, vote, remember

- t: grows by one step
- session: of the sandbox
- n: SAG's N
- wave: samples at a time; 0: all at once
- confidence: with waves: see `decided`
- left: steps left after this one, for hints; None: no hints
- max_new_tokens: of each sample
- sampling: temperature, top_p"""
    ...

async def solve(question: Question, engine: Engine, sandbox: Any, *, tools: Any=None, system: str | None=None, n: Any=1, wave: Any=0, confidence: float=1.0, temperature: float=0.0, top_p: float=1.0, max_steps: Any=5, max_new_tokens: Any=256, prefix: str='', hints: bool=False, seed: Any=0, on_step: Any=None) -> Trajectory:
    """Think, act, observe, until `final_answer` or the last step

- sandbox: a `Sandbox` that holds the tools
- tools: what the prompt announces; None: the sandbox's own
- system: the system prompt; None: `short_prompt(tools)`
- n: SAG's N; 1: plain
- wave: adaptive SAG: samples at a time, at most n; 0: all n at once
- confidence: adaptive SAG: when a vote counts as decided
- temperature: 0: greedy
- max_new_tokens: of each sample
- prefix: first-thought prefix: "Thought: ..."
- hints: tell a model that is stuck, for real models
- seed: this question's own
- on_step: called with each finished `Step`"""
    ...

def run_async(coroutine: Any) -> Any:
    """Run a coroutine to its end, from a script or from a cell; an interrupt cancels it

- returns: its result"""
    ...

def in_flight(engine: Engine, concurrency: int, n: Any=1) -> int:
    """How many questions are worth having under way

- concurrency: questions that the caller would allow
- n: samples a step"""
    ...

def run_many(one: Any, questions: collections.abc.Sequence[Question], concurrency: Any=64, records: Records | None=None, progress: bool | None=None, finish: Any=None) -> list[Trajectory]:
    """Do `one` for each question that `records` does not hold yet

- one: async function: question -> Trajectory
- concurrency: questions in flight
- records: finished rows are read from and appended to it
- progress: None: a bar in terminals only
- finish: Trajectory -> Trajectory, before it is recorded: its score, say
- returns: in the order of `questions`"""
    ...

def run_agents(questions: collections.abc.Sequence[Question], engine: Engine, sandbox: Any, *, seed: Any=0, prefixes: dict[Any, Any] | None=None, concurrency: Any=64, records: Records | None=None, progress: bool | None=None, finish: Any=None, **options: Any) -> list[Trajectory]:
    """Let an agent solve each question

- seed: of the run; each question derives its own
- prefixes: question id -> first-thought prefix
- concurrency: questions in flight at most; fewer if the engine holds fewer
- records: resume from and append to
- progress: None: a bar in terminals only
- finish: as in `run_many`
- options: of `solve`: tools, system, n, temperature, top_p, max_steps, ...
- returns: one a question, in order"""
    ...

async def solve_cot(question: Question, engine: Engine, *, prompt: str='short', temperature: float=0.0, top_p: float=1.0, max_new_tokens: Any=512, seed: Any=0) -> Trajectory:
    """Answer in one go, without tools

- prompt: a profile's `prompt`; "examples": asked again for a missing answer
- returns: one assistant message, no steps"""
    ...

def run_cot(questions: Any, engine: Any, *, seed: Any=0, concurrency: Any=64, records: Any=None, progress: Any=None, finish: Any=None, **options: Any) -> Any:
    """`solve_cot` for each question: options and result as in `run_agents`"""
    ...
