"First thoughts, the filter, the counts, and kill -9, on a tiny Qwen2 that learned its lines"
import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

import agent_distill
from agent_distill.agent import (Step, Trajectory, cot_prompt, parse_action, render_action,
                                 short_prompt)
from agent_distill.engines import TransformersEngine
from agent_distill.profile import AgentDistillError, Artifact, Records, get_profile, read_jsonl
from agent_distill.questions import Question, save_questions
from agent_distill.sandbox import Sandbox
from agent_distill.scorers import Verdict, score
from agent_distill.teacher import (PASSES, act, compare_yields, dataset_files,
                                   effects_table, fate, fates_table, first_paragraph,
                                   first_thoughts, names_answer, prefix_table, read_runs, sift,
                                   teach, teacher_questions, thought_prefix)

PROFILE = get_profile("mini", teacher_temperature=0.0, max_steps=2, concurrency=1)


# first thoughts

@pytest.mark.parametrize("text,thought", [
    ("A plan.\n\nA step.\n\nThe answer is 4.", "A plan."),
    ("A plan.\n \t\nThe answer is 4.", "A plan."),
    ("\n\nA plan.\n\nThe answer is 4.", "A plan."),
    ("A plan. A step. The answer is 4.", "A plan."),                       # no blank line
    ("A plan.\nThe answer is 4.", "A plan."),
    ("A plan. So the answer is 4.\n\nIndeed.", "A plan."),                 # concludes at once
    ("We need $3.5 \\times 2$.\n\nThe answer is \\boxed{7}.", "We need $3.5 \\times 2$."),
    ("### Solution\n\nWe add.\n\n\\boxed{4}", "We add."), ("**Step 1: Add**\n\nWe add.\n\n\\boxed{4}", "We add."),   # headings
    ("Let's solve this step by step:\n\nWe add. Then we halve.\n\nAnswer: 4", "We add. Then we halve."),      # announces nothing
    ("Sure! Let's solve it step-by-step.\nWe add. So 4.\nAnswer: 4", "We add."),
    ("1. Find the price.\n2. Add.\n\\boxed{3}", "Find the price."),                                              # a list's number
    ("I follow these steps:\n1. Find it.\n2. Check it.\nStep 1: It is Lund.\nAnswer: Lund",
     "I follow these steps:\n1. Find it.\n2. Check it."),                                                         # announces a list
    ("Steps:\n\n1. **Add:**\n   We get it. Then more.\n\n2. **Halve:**\n   Yes.\n\nAnswer: 4", "Steps:\n1. **Add:**\n   We get it."),
    ("The rule is:\n\n\\[\na = b\n\\]\n\nSo 4.\n\nAnswer: 4", "The rule is:\n\\[\na = b\n\\]"),                       # a formula
    ("We use\n\\[\na = b\n\\]\nwhich holds.\n\nThen more.", "We use\n\\[\na = b\n\\]\nwhich holds.")])
def test_first_paragraph(text, thought): assert first_paragraph(text) == thought


@pytest.mark.parametrize("text", ["", " \n\n ", "The answer is 4.", "One sentence", "\\boxed{4}",
                                  "```py\nprint(4)\n```\n\nThe answer is 4.",
                                  "So the answer is 4. Good.\n\nThe answer is 4.", "# Solution", "Steps:", "Steps:\n\n",
                                  "The sum is $4\n\n5$."])
def test_no_first_thought_is_an_error(text):
    with pytest.raises(AgentDistillError, match="no first thought"): first_paragraph(text)


REAL = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2] / "shared/data")) / "real/teacher_cot.jsonl.gz"


@pytest.mark.skipif(not REAL.is_file(), reason="the recorded chains of thought of a real model are not here")
def test_first_thoughts_of_a_real_model():
    "Of 200 chains of thought at least 198 have one that is whole, and none is a heading, an empty announcement or cut"
    import gzip
    found = []
    for line in gzip.open(REAL, "rt"):
        text = json.loads(line)["messages"][-1]["content"]
        try: found.append((first_paragraph(text), text))
        except AgentDistillError: pass
    assert len(found) >= 198
    for thought, text in found:
        assert len(thought) < len(text) and not thought.endswith(":") and not thought.startswith(("#", "1.", "**"))
        assert thought.count("\\[") == thought.count("\\]") and "boxed" not in thought and len(thought) > 20


def question(i, benchmark="mini-hotpot", answer="Lund"):
    task = "math" if "gsm" in benchmark else "fact"
    return Question(f"{benchmark}-{i}", benchmark, task, f"Where is {names(i, task)}?", answer)


def names(i, task):
    "A word of its own for each question: easy to tell apart for a very small model"
    words = ("Zimmer", "Oscar", "Ivy") if task == "fact" else ("Chloe", "Harold")
    return " ".join([words[i]] * 3)


def test_a_question_without_chain_of_thought_is_an_error():
    with pytest.raises(AgentDistillError, match="no chain of thought"):
        first_thoughts([question(0)], [])


def test_a_question_without_prefix_is_an_error():
    with pytest.raises(AgentDistillError, match="no prefix"):
        act([question(0)], None, None, PROFILE, prefixes={})


# the filter

@pytest.mark.parametrize("outcomes,stop,right,expected", [
    (["ok", "final"], "final", 1., "kept"), (["error", "final"], "final", 1., "kept"),
    (["timeout", "final"], "final", 1., "kept"), (["final"], "final", 0., "wrong answer"),
    (["parse_error", "final"], "final", 1., "parse error"),
    (["ok"] * 5, "max_steps", 0., "out of steps"),
    ([], "max_steps", 1., "cut off"), ([], "final", 1., "kept"), ([], "error", 0., "engine error")])
def test_fate(outcomes, stop, right, expected):
    t = Trajectory(question(0), [], [Step("", "", "", o) for o in outcomes], score=right, stop=stop)
    assert fate(t) == expected


def test_an_answer_that_cannot_be_judged_is_recorded(monkeypatch, tmp_path):
    "The others go on; only when none can be judged is it an error"
    from agent_distill import evaluation
    from agent_distill.teacher import ask_all
    async def one(q): return Trajectory(q, [dict(role="user", content="")], answer=q.answer, stop="final")
    judge = evaluation.judge
    def odd(bad): return lambda q, a: Verdict(0.0, "too deep", True) if q.id in bad else judge(q, a)
    qs = [question(0), question(1)]
    monkeypatch.setattr(evaluation, "judge", odd({qs[0].id}))
    found = ask_all(one, qs, PROFILE, Records(tmp_path / "a.jsonl"))
    assert [fate(t) for t in found] == ["not judged", "kept"]
    assert "too deep" in (tmp_path / "a.jsonl").read_text()
    monkeypatch.setattr(evaluation, "judge", odd({q.id for q in qs}))
    with pytest.raises(AgentDistillError, match="all 2 questions failed.*too deep"): ask_all(one, qs, PROFILE)


def test_unscored_and_open_ended_rows_are_refused():
    with pytest.raises(AgentDistillError, match="not scored"):
        fate(Trajectory(question(0), [], stop="final"))
    messages = [dict(role=r, content="x") for r in ("system", "user", "assistant", "user")]
    with pytest.raises(AgentDistillError, match="end with the assistant"):
        sift([Trajectory(question(0), messages, score=1., stop="final")])


def test_names_answer():
    assert names_answer("Thought: Mara Voss was born in Lund.", question(0))
    assert not names_answer("Thought: Lundby is a town.", question(0))


# a teacher that knows its lines: what it says to each question, as chain of thought and as agent

def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return "[1] Mara Voss: Mara Voss was born in Lund."


LOOK, SUM = 'print(search("Mara Voss"))', "print(12 * 34)"
LUND, ROM = 'final_answer("Lund")', 'final_answer("Rom")'
HOPS = [question(i) for i in range(3)]
SUMS = [question(i, "mini-gsm", "408") for i in range(2)]
QUESTIONS = HOPS + SUMS
LINES = {   # chain of thought; the agent's actions; its actions after a first thought
    HOPS[0].id: ("I need a town.\n\nThe answer is Lund.", [LOOK, LUND], [LOOK, LUND]),
    HOPS[1].id: ("A town it is. The answer is Rom.", [LOOK, ROM], [LOOK, LUND]),
    HOPS[2].id: ("The answer is Lund.", [None, LUND], None),
    SUMS[0].id: ("I multiply.\n\nThe answer is 408.", [SUM, "final_answer(408)"],
                 [SUM, "final_answer(407)"]),
    SUMS[1].id: ("I multiply it.\n\nThe answer is 1.", [SUM, SUM], [SUM, "final_answer(408)"])}
SEEN = {LOOK: search(""), SUM: "408"}


def asked(system, q):
    return [dict(role="system", content=system), dict(role="user", content=q.question)]


def conversation(q, first, codes):
    "(messages before a turn, the turn's given beginning, what the model says)"
    messages = asked(short_prompt([search]), q)
    for k, code in enumerate(codes):
        start = thought_prefix(first) if first and k == 0 else ""
        said = f"Code:\n```py\n{code}\n```<end_code>" if code else "I do not know how."
        said = said if start or not code else f"Thought: Turn {k} for {q.question}\n{said}"
        yield list(messages), start, said
        turn = render_action(*parse_action(start + said)) if code else said
        seen = SEEN.get(code, "Error: no code in this turn. Write a Thought, then Code:\n"
                              "```py\n# your code\n```<end_code>")
        messages += [dict(role="assistant", content=turn),
                     dict(role="user", content=f"Observation:\n{seen}")]


def lessons():
    for q in QUESTIONS:
        cot, plain, ftp = LINES[q.id]
        yield asked(cot_prompt(), q), "", cot
        yield from conversation(q, None, plain)
        if ftp: yield from conversation(q, first_paragraph(cot), ftp)


def learn(model, tokenizer, steps=150):
    "Overfit: every line by heart"
    import torch
    rows = []
    for messages, start, said in lessons():
        head = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        a = tokenizer(head + start)["input_ids"]
        b = tokenizer(said + "<|im_end|>")["input_ids"]
        rows.append((a + b, [-100] * len(a) + b))
    width = max(len(ids) for ids, _ in rows)
    pad = lambda xs, v: torch.tensor([x + [v] * (width - len(x)) for x in xs])
    ids, labels = pad([r[0] for r in rows], 0), pad([r[1] for r in rows], -100)
    mask = pad([[1] * len(r[0]) for r in rows], 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.)
    for _ in range(steps):
        on = labels[:, 1:] != -100
        hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1][on]
        logits, wanted = model.lm_head(hidden), labels[:, 1:][on]
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        if loss.item() < .02 and (logits.argmax(-1) == wanted).all(): return
    raise AssertionError(f"the lines were not learned, loss {loss.item():.3f}")


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    "Folder of a tiny Qwen2 that has learned LINES"
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
    folder = tmp_path_factory.mktemp("brain")
    tokenizer = AutoTokenizer.from_pretrained(
        Path(agent_distill.__file__).parent/"lab"/"weights"/"student")
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=128, max_position_embeddings=1024,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id))
    learn(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def box():
    with Sandbox(tools=[search]) as box: yield box


def prepare(out):
    "The artifacts the chapter reads"
    art = Artifact(out/"questions", PROFILE, 5).start()
    save_questions(QUESTIONS, art.path("train.jsonl"))
    art.finish()
    art = Artifact(out/"index", PROFILE, 5).start()
    art.path("passages.jsonl").write_text("")
    art.finish()
    return out


@pytest.fixture(scope="module")
def taught(brain, box, tmp_path_factory):
    "A run from beginning to end"
    out = prepare(tmp_path_factory.mktemp("run"))
    engine = TransformersEngine(brain)
    art = teach(PROFILE, out, teacher_questions(out, PROFILE), engine, box, seed=5)
    engine.close()
    return out, art


def test_counts_are_what_the_teacher_did(taught):
    counts = taught[1].manifest["counts"]
    assert counts["cot"] == {"asked": 5, "kept": 3, "wrong answer": 2}
    assert counts["plain"] == {"asked": 5, "kept": 2, "wrong answer": 1, "parse error": 1,
                               "out of steps": 1}
    assert counts["ftp"] == {"asked": 5, "kept": 3, "wrong answer": 1, "no first thought": 1}
    assert counts["without_first_thought"] == [HOPS[2].id]
    assert "| agent | 5 | 40 [" in fates_table({k: counts[k] for k in PASSES})


def test_rows_begin_with_the_first_thought(taught):
    rows = {r["id"]: r["messages"] for r in read_jsonl(taught[1].path(PASSES["ftp"]))}
    assert set(rows) == {HOPS[0].id, HOPS[1].id, SUMS[1].id}
    assert rows[HOPS[0].id][2]["content"].startswith("Thought: I need a town.")
    assert rows[HOPS[1].id][2]["content"].startswith("Thought: A town it is.")
    for messages in rows.values():
        assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant"]
        assert messages[0]["content"] == short_prompt([search])
        assert not any("Rom" in m["content"] for m in messages)


def test_datasets_load(taught, tmp_path):
    from datasets import load_dataset
    data = load_dataset("json", data_files=dataset_files(taught[0]), cache_dir=str(tmp_path))
    assert {k: len(v) for k, v in data.items()} == {"cot": 3, "plain": 2, "ftp": 3}
    assert data["cot"][0]["messages"][0] == dict(role="system", content=cot_prompt())


def test_yield_is_compared_on_the_same_questions(taught):
    *each, all_ = compare_yields(read_runs(taught[0]), QUESTIONS)
    found = [(c.where, c.wins, c.losses) for c in each]
    assert found == [("mini-hotpot", 1, 0), ("mini-gsm", 1, 1)]
    assert (all_.wins, all_.losses, all_.diff.n) == (2, 1, 5)
    assert all_.diff.value == pytest.approx((1 / 3 + 0) / 2) and all_.verdict == "undecided"
    assert "undecided" in effects_table([all_])
    table = prefix_table(read_runs(taught[0])).splitlines()[2:]     # all prefixes are one sentence
    assert [row.split(" | ")[1] for row in table] == ["one sentence"] * 2
    assert "100 [" in table[1] and table[1].startswith("| mini-hotpot")


def test_finished_stage_asks_nobody(taught, box):
    assert teach(PROFILE, taught[0], QUESTIONS, None, box, seed=5).done


def test_limit_and_missing_benchmark(taught, tmp_path):
    assert [q.id for q in teacher_questions(taught[0], PROFILE, 1)] == [HOPS[0].id, SUMS[0].id]
    other = get_profile("mini", train_benchmarks=("mini-hotpot", "mini-algebra"))
    with pytest.raises(AgentDistillError, match="mini-algebra"):
        teacher_questions(taught[0], other)
    with pytest.raises(AgentDistillError, match="no run at|01_questions"):
        teacher_questions(tmp_path, PROFILE)


def doomed(brain, out, requests):
    "The stage in a process that dies by SIGKILL in the middle"
    class Dying(TransformersEngine):
        left = requests
        async def generate(self, *args, **kw):
            self.left -= 1
            if self.left < 0: os.kill(os.getpid(), signal.SIGKILL)
            return await super().generate(*args, **kw)
    with Sandbox(tools=[search]) as box:
        teach(PROFILE, out, QUESTIONS, Dying(brain), box, seed=5)


def test_kill_9_and_resume_gives_the_same_records(taught, brain, box, tmp_path):
    "The 18th of 23 requests kills: one trajectory of the last pass is there by then"
    out = prepare(tmp_path)
    child = multiprocessing.get_context("spawn").Process(target=doomed, args=(brain, out, 17))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with pytest.raises(AgentDistillError, match="not finished"): read_runs(out)
    torn = out/"teacher"/"ftp.jsonl"
    before = [r["id"] for r in read_jsonl(torn)]
    assert 0 < len(before) < len(QUESTIONS)
    with torn.open("a") as f: f.write('{"id": "mini-ho')
    engine = TransformersEngine(brain)
    art = teach(PROFILE, out, QUESTIONS, engine, box, seed=5)
    engine.close()
    assert [r["id"] for r in read_jsonl(torn)][:len(before)] == before
    for file in [*(f"{n}.jsonl" for n in PASSES), *PASSES.values()]:
        assert read_jsonl(art.path(file)) == read_jsonl(taught[1].path(file)), file
    assert art.manifest["counts"] == taught[1].manifest["counts"]


def test_an_engine_that_always_fails_is_an_error(brain, box, tmp_path):
    engine = TransformersEngine(brain)
    engine.context = 10                                     # no prompt fits
    with pytest.raises(AgentDistillError, match="all 5 questions failed"):
        act(QUESTIONS, engine, box, PROFILE, records=Records(tmp_path/"plain.jsonl"))
    engine.close()


def test_scores_are_recorded(taught):
    for rows in read_runs(taught[0]).values():
        assert all(t.score == score(t.question, t.answer) for t in rows)
    assert json.loads(taught[1].path("cot.jsonl").read_text().splitlines()[0])["score"] == 1.0
