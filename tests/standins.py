"""Stand-ins for what a run with real models downloads: questions, passages, and models of Qwen2.5's shape

    python tests/standins.py FOLDER

The models are small and random: same architecture, same chat template, same special tokens as Qwen2.5, other
weights. The teacher is then trained for some seconds to answer the training questions by heart, as an agent and
by chain of thought, so that there is something to distil. Nothing is measured with them but that every stage runs.
"""
import json
import sys
from pathlib import Path

from agent_distill.actions import render_action
from agent_distill.prompts import agent_prompt, cot_prompt
from agent_distill.questions import PAPER, load_questions

PLACES = "Aldenby Birkholm Corvale Dunmere Elstow Farleigh Garnwick Holtby Ivermoor Jarlstad".split()
TEACHES = ("hotpotqa", "math-medium")   # what the teacher learns; the other training questions it gets wrong


def write_questions(folder):
    "Two questions for each of the paper's files, in its format and under its file names"
    (folder / "benchmarks").mkdir(parents=True, exist_ok=True)
    for k, ((name, split), p) in enumerate(PAPER.items()):
        def ask(i):
            place = PLACES[(2 * k + i) % len(PLACES)]
            if p.task == "math": return f"What is {k + 2} times {i + 3}?", str((k + 2) * (i + 3))
            return f"In which town is the {name} {split} tower number {i + 1}?", place
        rows = [dict(zip(("id", "question", "answer"), (i, *ask(i)))) for i in range(2)]
        (folder / "benchmarks" / p.file).write_text(json.dumps(dict(metadata={}, examples=rows)))
    return folder


def write_passages(path, n=40):
    "A corpus of `n` passages"
    rows = [dict(id=str(i), title=f"Tower {i}", text=f"Tower {i} is a tower in {PLACES[i % 10]}, built in {1500 + i}.")
            for i in range(n)]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def template():
    "Qwen2.5's own chat template, from TRL"
    import trl
    return (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text()


def make_tokenizer(texts, size=1200):
    "A small byte-level tokenizer with Qwen2.5's special tokens and template"
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return PreTrainedTokenizerFast(tokenizer_object=t, eos_token="<|im_end|>", pad_token="<|endoftext|>",
                                   chat_template=template(), model_max_length=32768)


def make_model(tokenizer, seed):
    "A random model of Qwen2.5's shape: grouped-query attention, tied embeddings; a few MB"
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=8192, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None)
    return Qwen2ForCausalLM(config)


def search(query: str) -> str:
    "passages of the encyclopedia about the query"


def lessons(questions, search_tool=search):
    "What the teacher learns by heart: (messages, answer) with and without tools"
    for q in questions:
        agent, cot = agent_prompt("examples", [search_tool]), cot_prompt("examples", q.task)
        told = f"\\boxed{{{q.answer}}}" if q.task == "math" else f"Answer: {q.answer}"
        for system, answer in ((agent, render_action("I know this.", f'final_answer("{q.answer}")')),
                               (cot, f"I know this.\n\nIt is well known.\n\n{told}")):
            yield [dict(role="system", content=system), dict(role="user", content=q.question)], answer


def learn_by_heart(model, tokenizer, pairs, steps=600, goal=0.02):
    "Train on the answers until the loss of both kinds, agent and chain of thought, is below `goal`"
    import torch
    from agent_distill.student import mask_row, masked_loss
    rows = [mask_row(tokenizer, [*messages, dict(role="assistant", content=answer)]) for messages, answer in pairs]
    def batch(rows):
        width = max(map(len, rows))
        def pad(xs, fill): return torch.tensor([x + [fill] * (width - len(x)) for x in xs])
        return dict(input_ids=pad([r.ids for r in rows], 0), labels=pad([r.labels for r in rows], -100),
                    attention_mask=pad([[1] * len(r) for r in rows], 0))
    batches = [batch(rows[0::2]), batch(rows[1::2])]
    class Plain:   # what `masked_loss` asks of a PEFT model
        get_base_model = staticmethod(lambda: model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0)
    for step in range(steps):
        losses = []
        for b in batches:
            loss = masked_loss(Plain, b)
            loss.backward()
            losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        optimizer.zero_grad()
        if max(losses) < goal: return step, max(losses)
    raise RuntimeError(f"the stand-in teacher did not learn its answers: {losses}")


def save(model, tokenizer, folder):
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make(folder, data=None, benchmarks=TEACHES):
    "Everything below `folder`: data/ (unless there is `data`), passages.jsonl, teacher/, student/"
    folder = Path(folder)
    data = Path(data) if data else write_questions(folder / "data")
    write_passages(folder / "passages.jsonl")
    questions = []
    for name in benchmarks:
        p = PAPER[name, "train"]
        questions += load_questions(data / "benchmarks" / p.file, name, p.task, skip=True)[:2]
    pairs = list(lessons(questions))
    texts = [m["content"] for messages, _ in pairs for m in messages] + [answer for _, answer in pairs]
    save(make_model(make_tokenizer(texts), 1), make_tokenizer(texts), folder / "student")
    from agent_distill.engines import load_tokenizer
    tokenizer = load_tokenizer(str(folder / "student"))   # as every stage will read it: Qwen2's class
    teacher = make_model(tokenizer, 0)
    learned = learn_by_heart(teacher, tokenizer, pairs)
    save(teacher, tokenizer, folder / "teacher")
    return learned


if __name__ == "__main__": print("step %d, loss %.3f" % make(sys.argv[1]))
