"The mini lab: its formats are the chapters' formats, its weights are what they claim, its notebooks run"
import json
from pathlib import Path

import pytest

from agent_distill import agent, lab, retrieval
from agent_distill.lab import corpus as C
from agent_distill.lab import models as M
from agent_distill.lab import world as W

ROOT = Path(__file__).parents[1]
WEIGHTS = Path(lab.__file__).parent / "weights"


class NoRetriever:
    "Enough of a retriever to be announced to a model"
    def observation(self, query, k=3): return ""


def test_prompts_are_those_of_the_agent_chapter():
    search = retrieval.search_tool(NoRetriever(), 3)
    assert C.SYSTEM_AGENT == agent.short_prompt([search])
    assert C.SYSTEM_COT == agent.cot_prompt()


def test_actions_are_those_of_the_agent_chapter():
    turn = C.action("I need x.", 'print(search("x"))')
    assert turn == agent.render_action("I need x.", 'print(search("x"))')
    assert agent.parse_action(turn) == ("I need x.", 'print(search("x"))')


def test_cot_answers_are_read_by_the_agent_chapter():
    import random
    rng = random.Random(0)
    for draw in (W.draw_sum, lambda r: W.draw_chain(W.tutorial_world(), r, 2)):
        p = draw(rng)
        assert agent.cot_answer(C.cot(p, rng)) == p.answer


def test_the_world_is_a_function_of_its_seed():
    a, b = W.World(7, .1), W.World(7, .1)
    assert a.passages() == b.passages()
    assert len(W.tutorial_world().passages()) == 2000


@pytest.mark.parametrize("benchmark", W.MINI)
def test_questions_are_different_and_splits_apart(benchmark):
    train = {q.question for q in W.questions(benchmark, "train", 200)}
    test = {q.question for q in W.questions(benchmark, "test", 200)}
    assert len(train) == len(test) == 200 and not train & test


@pytest.mark.parametrize("benchmark", ["mini-hotpot", "mini-musique", "mini-2wiki"])
def test_solutions_follow_from_the_encyclopedia(benchmark):
    texts = {p.title: p.text for p in W.tutorial_world().passages()}
    for p in W.problems(benchmark, "test", 100):
        assert all(h.fact in texts[h.title] for h in p.hops)


def test_word_problems_are_right():
    for p in W.problems("mini-gsm-hard", "test", 100):
        scope = {}
        exec("\n".join(p.sums), {"__builtins__": {}}, scope)   # our own templates, not a model's
        assert str(scope["abc"[len(p.sums) - 1]]) == p.answer


def test_the_student_never_reads_agent_trajectories():
    stream = C.Corpus("student", seed=11)
    docs = [str(stream.draw()) for _ in range(3000)]
    assert not [d for d in docs if "Observation:" in d or "final_answer" in d or C.SYSTEM_AGENT in d]


def test_only_the_teacher_reads_the_tutorials_world():
    told = set(W.tutorial_world().told.values())
    def share(role, tutorial):
        stream = C.Corpus(role, 3, tutorial)
        docs = [d for d in (stream.draw() for _ in range(2000)) if isinstance(d, str) and ": " in d]
        lines = [s for d in docs for s in d.replace(". ", ".\n").split("\n")]
        return sum(line.split(": ")[-1] in told for line in lines) / len(lines)
    assert share("student", False) < .05 < .3 < share("teacher", True)


def test_weights_are_small_and_of_the_stated_kind():
    from transformers import AutoConfig
    assert sum(f.stat().st_size for f in WEIGHTS.rglob("*") if f.is_file()) <= 16e6
    for role, layers in (("student", M.STUDENT["num_hidden_layers"]), ("teacher", M.TEACHER_LAYERS)):
        config = AutoConfig.from_pretrained(WEIGHTS / role)
        assert config.model_type == "qwen2" and config.num_hidden_layers == layers
        assert (WEIGHTS / role / "model.safetensors").exists()


def test_the_shipped_tokenizer_is_taken_as_it_is():
    "Beside a qwen2 configuration `AutoTokenizer` would rebuild it as Qwen2's own"
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    stream = C.Corpus("teacher", seed=5)
    texts = [str(stream.draw()) for _ in range(50)] + ["Nora Vance: 4567890 ☃\n\tx=1"]
    for role in ("student", "teacher"):
        file = PreTrainedTokenizerFast(tokenizer_file=str(WEIGHTS / role / "tokenizer.json"))
        auto = AutoTokenizer.from_pretrained(WEIGHTS / role)
        assert [auto.encode(t) for t in texts] == [file.encode(t) for t in texts]
        assert [auto.decode(auto.encode(t)) for t in texts] == texts
        whole = [w.replace("Ġ", " ") for w in M.whole_tokens()]
        assert not [w for w in whole if len(auto.encode(w)) != 1]


def test_a_run_goes_on_where_it_stopped(tmp_path):
    tok = M.make_tokenizer()
    def run(): return M.Run(M.new_model(tok), tok, C.Corpus("student", 0), tmp_path / "run")
    run().train(2, every=1)
    again = run()
    assert again.step == 2
    again.train(4, every=1)
    steps = [json.loads(line)["step"] for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["00_world", "01_corpus", "02_models"])
def test_lab_chapters_run(name, tmp_path):
    import papermill
    papermill.execute_notebook(str(ROOT / f"nbs/lab/{name}.ipynb"), str(tmp_path / f"{name}.ipynb"),
                               parameters=dict(out_dir=str(tmp_path)), cwd=str(ROOT / "nbs/lab"),
                               kernel_name="python3", progress_bar=False)
