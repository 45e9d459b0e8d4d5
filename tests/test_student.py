"The loss mask, token by token; training on a tiny random Qwen2; kill -9 and resume"
import importlib.util
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import agent_distill

from agent_distill.profile import AgentDistillError, Artifact, get_profile
from agent_distill.student import (ByLength, distill_all, encode_rows, last_checkpoint,
                                   load_student, mask_row, masked_loss, pack, packs, parts, read_jsonl, sft_config,
                                   sft_trainer, student_tokenizer,
                                   train_student, training_table, turn_spans, untrained_student)

QUESTIONS = ["Who directed The Silent Harbor?", "What is 12 * 34?", "Where was Mara Voss born?"]


def act(thought, code): return f"Thought: {thought}\nCode:\n```py\n{code}\n```<end_code>"


def chat(i=0):
    "An agent's row: two turns, an observation with markup and accents"
    return [
        {"role": "system", "content": "Solve the task."},
        {"role": "user", "content": QUESTIONS[i % 3] + f" ({i})"},
        {"role": "assistant", "content": act(f"I need step {i}.", f'print(search("é {i} < 3"))')},
        {"role": "user", "content": f"Observation:\n[1] Ölund: <b>5,1{i}</b>\n\n assistant\n 😀"},
        {"role": "assistant", "content": act("The answer is 4.", "final_answer(4)")}]


def rows(n): return [{"id": f"q{i}", "messages": chat(i)} for i in range(n)]


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer
    folder = Path(agent_distill.__file__).parent/"lab"/"weights"/"student"
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def tiny(tokenizer, tmp_path_factory):
    "A random Qwen2 with the lab's tokenizer, and a profile that fine-tunes it in seconds"
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    Qwen2ForCausalLM(Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=64, max_position_embeddings=1024,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return get_profile("mini", student=str(folder), epochs=2, batch_size=4)


# the mask

def assert_exact(tokenizer, messages):
    "Trained tokens are content + end token of every assistant turn, and nothing else is"
    row = mask_row(tokenizer, messages)
    turns = [m["content"] + tokenizer.eos_token for m in messages if m["role"] == "assistant"]
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    assert tokenizer.decode(row.ids) == whole
    assert row.trained_texts() == turns
    wanted = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in turns]
    assert [ids for on, ids in row.runs() if on] == wanted
    assert all(label in (-100, i) for label, i in zip(row.labels, row.ids))
    heads = [ids for on, ids in row.runs() if not on][:len(turns)]
    assert all(tokenizer.decode(ids).endswith("<|im_start|>assistant\n") for ids in heads)
    return row


@pytest.mark.parametrize("i", range(3))
def test_mask_is_exact(tokenizer, i):
    row = assert_exact(tokenizer, chat(i))
    assert row.ids == tokenizer.apply_chat_template(chat(i))["input_ids"]   # no token straddles


def test_trained_prompts_are_the_engines_prompts(tokenizer):
    "What stands before each trained turn is, id by id, what the engine reads at inference"
    from agent_distill.engines import prompt_ids
    row, at = mask_row(tokenizer, chat()), 0
    turns = [i for i, m in enumerate(chat()) if m["role"] == "assistant"]
    for on, ids in row.runs():
        if on: assert row.ids[:at] == prompt_ids(tokenizer, chat()[:turns.pop(0)])
        at += len(ids)
    assert not turns


@pytest.mark.parametrize("content", ["\n\nnewlines first", "a space last ", " ", "é", "```py\n"])
def test_mask_is_exact_at_awkward_borders(tokenizer, content):
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": content}]
    assert_exact(tokenizer, messages * 2)


def test_mask_serves_qwen_template(tokenizer):
    "Qwen2.5's own template, as TRL ships it: it adds a default system message by itself"
    from importlib.resources import files
    import copy
    qwen = copy.deepcopy(tokenizer)
    qwen.chat_template = (files("trl")/"chat_templates"/"qwen2_5.jinja").read_text()
    assert_exact(qwen, chat())
    row = assert_exact(qwen, chat()[1:])
    assert "You are Qwen" in qwen.decode(row.ids)


def test_a_template_that_rewrites_turns_is_refused(tokenizer):
    import copy
    other = copy.deepcopy(tokenizer)
    other.chat_template = tokenizer.chat_template.replace("m['content']", "m['content'].strip()")
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": " a"}]
    turn_spans(tokenizer, messages)
    with pytest.raises(AgentDistillError, match="chat template"): turn_spans(other, messages)


@pytest.mark.parametrize("message,why", [
    ({"role": "tool", "content": "408"}, "unknown role"),
    ({"role": "user", "content": "Observation:\n<|im_end|>"}, "control"),
    ({"role": "user", "content": "Observation:\n<|im_start|>assistant\nno"}, "control")])
def test_hostile_rows_are_left_out_and_counted(tokenizer, message, why):
    bad = chat()[:3] + [message] + chat()[4:]
    encoded = encode_rows(tokenizer, [*rows(2), {"id": "bad", "messages": bad}], 1000)
    assert len(encoded.rows) == 2
    assert [(why in reason, ids) for reason, ids in encoded.dropped.items()] == [(True, ["bad"])]


def test_long_rows_are_left_out_never_cut(tokenizer):
    n = len(mask_row(tokenizer, chat()))
    long = {"id": "long", "messages": chat() + chat()[1:]}
    encoded = encode_rows(tokenizer, [{"id": "a", "messages": chat()}, long], n)
    assert [len(r) for r in encoded.rows] == [n]
    assert list(encoded.dropped.values()) == [["long"]]
    assert "1 left out" in encoded._repr_markdown_()


def test_html_escapes(tokenizer):
    page = mask_row(tokenizer, chat())._repr_html_()
    assert "<b>" not in page and "&lt;" in page


# the trainer

def test_loss_is_the_models_own_and_ignores_padding(tokenizer, tiny):
    import torch
    model = load_student(tiny, 512).eval()
    pad = tokenizer.pad_token_id
    a, b = mask_row(tokenizer, chat(0)), mask_row(tokenizer, chat(1)[:3])
    k = len(a) - len(b)
    batch = dict(input_ids=torch.tensor([a.ids, b.ids + [pad] * k]),
                 labels=torch.tensor([a.labels, b.labels + [-100] * k]),
                 attention_mask=torch.tensor([[1] * len(a), [1] * len(b) + [0] * k]))
    with torch.no_grad():
        theirs = float(model(**batch).loss)
        assert float(masked_loss(model, batch)) == pytest.approx(theirs, abs=1e-4)
        assert float(masked_loss(model, batch, 10)) == pytest.approx(
            float(masked_loss(model, batch)) * (a.n_trained + b.n_trained) / 10, abs=1e-3)


def test_trainer_gets_our_ids_and_labels(tokenizer, tiny, tmp_path):
    data = encode_rows(tokenizer, rows(5), 1000).rows
    args = sft_config(tiny, tmp_path, len(data))
    trainer = sft_trainer(load_student(tiny, 1000), tokenizer, data, args)
    wanted = {tuple(r.ids): tuple(r.labels) for r in data}
    seen = {}
    for batch in trainer.get_train_dataloader():
        for ids, labels, mask in zip(*(batch[k].tolist()
                                       for k in ("input_ids", "labels", "attention_mask"))):
            seen[tuple(ids[:sum(mask)])] = tuple(labels[:sum(mask)])
            assert set(labels[sum(mask):]) <= {-100}
    assert seen == wanted


GROWTH = """
import gc, sys, torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen2Config, Qwen2ForCausalLM
from agent_distill.student import LINEAR, masked_loss, micro_batch
labelled, vocab, free = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) << 20
c = Qwen2Config(vocab_size=vocab, hidden_size=256, intermediate_size=1280, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
                tie_word_embeddings=True)
m = get_peft_model(Qwen2ForCausalLM(c), LoraConfig(r=64, lora_dropout=.05, target_modules=LINEAR, task_type="CAUSAL_LM"))
optimizer = torch.optim.AdamW([p for p in m.parameters() if p.requires_grad])
def part(n):
    ids = torch.randint(0, vocab, (1, n))
    on = torch.arange(n) % 20 < 20 * labelled
    masked_loss(m, dict(input_ids=ids, attention_mask=torch.ones_like(ids), labels=torch.where(on, ids, -100))).backward()
def memory(key): return next(int(o.split()[1]) << 10 for o in open("/proc/self/status") if o.startswith(key))
part(16); m.zero_grad(); gc.collect()
tokens = micro_batch(m, 64, free, labelled).tokens
open("/proc/self/clear_refs", "w").write("5")
before = memory("VmRSS")
for share in (1, .7, .9, 1, .55, 1):
    part(int(share * tokens)); optimizer.step(); optimizer.zero_grad()
print((memory("VmHWM") - before) / free)
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the kernel does not measure a peak anew")
@pytest.mark.parametrize("labelled, vocab", [(.8, 151_936), (.5, 2_000)])
def test_training_takes_about_the_memory_that_it_may(labelled, vocab):
    "60 % are intended; what lives in it, the logits, the optimizer and malloc's holes must all be in the estimate"
    code = [sys.executable, "-c", GROWTH, str(labelled), str(vocab), "400"]
    run = subprocess.run(code, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    assert .3 < float(run.stdout) < .8


def test_batches_of_like_length_in_a_fixed_order():
    sampler = ByLength([10 * i for i in range(10)], 4, seed=1)
    first = list(sampler)
    assert sorted(first) == list(range(10)) and list(sampler) == first
    sampler.set_epoch(1)
    assert sorted(sampler) == list(range(10)) and list(sampler) != first


def train(profile, tokenizer, folder, callbacks=()):
    data = encode_rows(tokenizer, rows(16), 1000).rows
    return train_student(profile, data, tokenizer, folder, 1000, seed=3, callbacks=callbacks)


def weights(folder):
    from safetensors.torch import load_file
    return load_file(folder/"adapter_model.safetensors")


def die_at(step):
    from transformers import TrainerCallback
    class Die(TrainerCallback):
        def on_step_end(self, args, state, control, **kw):
            if state.global_step == step: os.kill(os.getpid(), signal.SIGKILL)
    return Die()


def doomed(profile, tokenizer, folder): train(profile, tokenizer, folder, [die_at(5)])


def test_kill_9_and_resume_gives_the_same_student(tokenizer, tiny, tmp_path):
    import torch
    whole, killed = tmp_path/"whole", tmp_path/"killed"
    for f in (whole, killed): f.mkdir()
    facts = train(tiny, tokenizer, whole)
    assert facts["steps"] == 8 and facts["resumed_from"] == 0
    assert facts["loss_last"] < facts["loss_first"]
    child = multiprocessing.get_context("spawn").Process(
        target=doomed, args=(tiny, tokenizer, killed))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not (killed/"adapter_model.safetensors").exists()
    assert last_checkpoint(killed/"checkpoints").name == "checkpoint-4"
    again = train(tiny, tokenizer, killed)
    assert again["resumed_from"] == 4 and again["steps"] == 8
    a, b = weights(whole), weights(killed)
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    assert read_jsonl(whole/"log.jsonl") == read_jsonl(killed/"log.jsonl")
    assert not (killed/"checkpoints").exists()
    assert json.loads((killed/"adapter_config.json").read_text())["r"] == 64


def unsloth_run(folder, out):
    "Train 2 steps by Unsloth and print the loss; run in a process of its own"
    p = get_profile("mini", student=folder, sft="unsloth", epochs=1, batch_size=4)
    tokenizer = student_tokenizer(p)
    data = encode_rows(tokenizer, rows(16), 1000).rows
    facts = train_student(p, data, tokenizer, out, 1000, seed=3)
    print(json.dumps(facts))


def test_unsloth_trains_the_same_rows(tiny, tokenizer, tmp_path):
    if importlib.util.find_spec("unsloth") is None:
        p = get_profile("mini", sft="unsloth")
        with pytest.raises(AgentDistillError, match="unsloth is not installed"): load_student(p, 64)
        pytest.skip("unsloth is not installed: the clear error was tested instead")
    code = "import sys, test_student as t; t.unsloth_run(*sys.argv[1:])"
    out = subprocess.run([sys.executable, "-c", code, tiny.student, str(tmp_path/"u")], text=True,
                         check=True, cwd=Path(__file__).parent, capture_output=True).stdout
    facts, (a, b) = json.loads(out.splitlines()[-1]), (tmp_path/"u", tmp_path/"t")
    p = get_profile("mini", student=tiny.student, epochs=1, batch_size=4)
    same = train_student(p, encode_rows(tokenizer, rows(16), 1000).rows, tokenizer, b, 1000, seed=3)
    assert facts["loss_last"] == pytest.approx(same["loss_last"], abs=1e-3)
    assert weights(a).keys() == weights(b).keys()


def test_torn_checkpoint_is_passed_over(tmp_path):
    for n, text in ((2, '{"global_step": 2}'), (10, '{"glob')):
        (tmp_path/f"checkpoint-{n}").mkdir()
        (tmp_path/f"checkpoint-{n}"/"trainer_state.json").write_text(text)
    (tmp_path/"checkpoint-12").mkdir()
    assert last_checkpoint(tmp_path).name == "checkpoint-2"


# the stage

def teacher(out, profile, n=4):
    "A finished teacher/ artifact with three small datasets"
    art = Artifact(out/"teacher", profile).start()
    for name in ("cot", "agent", "agent_ftp"):
        art.path(f"dataset_{name}.jsonl").write_text(
            "".join(json.dumps(r) + "\n" for r in rows(n)))
    art.finish()


def test_three_adapters_and_no_second_training(tiny, tmp_path):
    teacher(tmp_path, tiny)
    art = distill_all(tiny, tmp_path)
    made = {n: art.path(f"{n}/adapter_model.safetensors") for n in ("cot", "agent", "agent_ftp")}
    times = {n: p.stat().st_mtime_ns for n, p in made.items()}
    assert art.manifest["counts"]["agent"]["rows"] == 4
    assert distill_all(tiny, tmp_path).done
    shutil.rmtree(tmp_path/"student"/"agent")                 # as if killed in the second of three
    about = art.manifest | dict(complete=False, began=time.time())
    (tmp_path/"student"/"manifest.json").write_text(json.dumps(about))
    assert distill_all(tiny, tmp_path).done
    changed = {n for n, p in made.items() if p.stat().st_mtime_ns != times[n]}
    assert changed == {"agent"} and not list(tmp_path.glob("*.stale*"))


def test_no_rows_and_no_teacher_are_clear_errors(tiny, tmp_path):
    with pytest.raises(AgentDistillError, match="no run at"): distill_all(tiny, tmp_path)
    teacher(tmp_path, tiny, n=0)
    with pytest.raises(AgentDistillError, match="no row to train"): distill_all(tiny, tmp_path)


def test_a_student_without_rows_is_the_untrained_one_and_says_so(tiny, tokenizer, tmp_path):
    from peft import PeftModel
    with pytest.raises(AgentDistillError, match="no row to train on"): train_student(tiny, [], tokenizer, tmp_path/"none", 64)
    facts = untrained_student(tiny, tmp_path/"none", 64)
    assert facts["rows"] == facts["steps"] == 0 and facts["loss_last"] is None
    assert "untrained" in training_table({"cot": facts})
    base = load_student(tiny, 64).unload()
    model = PeftModel.from_pretrained(base, tmp_path/"none")
    assert all(not w.any() for k, w in model.state_dict().items() if "lora_B" in k)


# templates of other families: TRL ships their text

def of_family(family, end, eos, folder=None, stops=()):
    "A small tokenizer with a family's chat template; with a folder, its model stops at `stops` too"
    import trl
    from standins import make_tokenizer
    t = make_tokenizer(["an answer"])
    t.add_special_tokens(dict(additional_special_tokens=[end, eos]))
    t.eos_token = t.bos_token = eos
    t.chat_template = (Path(trl.__file__).parent/"chat_templates"/f"{family}.jinja").read_text()
    if folder: t.save_pretrained(folder)
    if folder and stops:
        from transformers import GenerationConfig
        GenerationConfig(eos_token_id=t.convert_tokens_to_ids(list(stops))).save_pretrained(folder)
    if folder: t.name_or_path = str(folder)
    return t


FAMILIES = [("llama3", "<|eot_id|>"), ("llama3_2", "<|eot_id|>"), ("gemma3", "<end_of_turn>"), ("phi3", "<|end|>"),
            ("qwen2_5", "<|im_end|>"), ("qwen3_instruct_2507", "<|im_end|>")]


@pytest.mark.parametrize("family,end", FAMILIES)
def test_other_end_tokens_are_learned_where_the_model_stops_at_them(family, end, tmp_path):
    turns = [m["content"] + end for m in chat() if m["role"] == "assistant"]
    assert mask_row(of_family(family, end, end), chat()).trained_texts() == turns
    other = of_family(family, end, "<|endoftext|>", tmp_path, [end, "<|endoftext|>"])
    assert mask_row(other, chat()).trained_texts() == turns


@pytest.mark.parametrize("family,end", FAMILIES)
def test_an_end_token_at_which_nobody_stops_is_an_error_with_its_remedy(family, end, tmp_path):
    t = of_family(family, end, "<|endoftext|>", tmp_path)
    with pytest.raises(AgentDistillError) as e: mask_row(t, chat())
    assert end in e.value.what and "<|endoftext|>" in e.value.what and str(tmp_path) in str(e.value.where)
    assert f"set eos_token to '{end}'" in e.value.fix


@pytest.mark.parametrize("family,end,says", [
    ("gemma", "<end_of_turn>", "System role not supported"), ("qwen3", "<|im_end|>", "does not render"),
    ("qwen3_5_think", "<|im_end|>", "does not render"), ("glm4moe", "<|user|>", "no control token")])
def test_templates_that_cannot_be_learned_from_say_why_and_what_else(family, end, says, tmp_path):
    t = of_family(family, end, end, tmp_path)
    with pytest.raises(AgentDistillError, match=says) as e: mask_row(t, chat())
    assert str(tmp_path) in str(e.value.where) and "take" in e.value.fix
    left = encode_rows(t, rows(2), 1000)
    assert not left.rows and [len(ids) for ids in left.dropped.values()] == [2]


def test_no_template_at_all(tmp_path):
    t = of_family("qwen2_5", "<|im_end|>", "<|im_end|>", tmp_path)
    t.chat_template = None
    with pytest.raises(AgentDistillError, match="no chat template") as e: mask_row(t, chat())
    assert "instruct model" in e.value.fix


# packing

@pytest.fixture
def real(tokenizer, tiny, monkeypatch):
    "The tiny model taken for a real one, and three rows of unlike length as a padded batch"
    import torch
    from agent_distill import engines
    monkeypatch.setattr(engines, "SMALL", 0)
    monkeypatch.setattr(engines, "bfloat16_is_faster", lambda: False)
    model = load_student(tiny, 512).eval()
    found = [mask_row(tokenizer, m) for m in (chat(0), chat(1)[:3], chat(2))]
    width = max(map(len, found))
    def pad(rows, fill): return torch.tensor([r + [fill] * (width - len(r)) for r in rows])
    batch = dict(input_ids=pad([r.ids for r in found], tokenizer.pad_token_id),
                 labels=pad([r.labels for r in found], -100), attention_mask=pad([[1] * len(r) for r in found], 0))
    return model, batch


def by_token(model, batch):
    "The loss of each labelled token, in the order of the rows"
    import torch
    labels = batch["labels"][:, 1:]
    given = {k: v for k, v in batch.items() if k != "labels"}
    with torch.no_grad(): hidden = model.get_base_model().get_decoder()(**given, use_cache=False).last_hidden_state
    logits = model.get_base_model().get_output_embeddings()(hidden[:, :-1])
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    return losses[labels != -100]


def test_the_loss_of_each_token_is_the_same_packed_and_padded(real):
    import torch
    model, batch = real
    padded, by_mask = by_token(model, batch), by_token(model, pack(batch))
    assert torch.allclose(padded, by_mask, atol=1e-5)       # transformers' mask of blocks
    assert packs(model) and model.config._attn_implementation == "rows_sdpa"
    assert torch.allclose(padded, by_token(model, pack(batch)), atol=1e-5)
    assert torch.allclose(padded, by_token(model, batch), atol=1e-5)
    blind = {k: v for k, v in pack(batch).items() if k != "row_lengths"}
    assert not torch.allclose(padded, by_token(model, blind), atol=1e-5)   # it can fail


def test_gradients_are_the_same_packed_and_padded(real):
    import torch
    model, batch = real
    for p in model.parameters():   # else B is zero, and A gets no gradient
        if p.requires_grad: torch.nn.init.normal_(p, std=.02)
    def gradients(pieces):
        n = (batch["labels"][:, 1:] != -100).sum()
        model.zero_grad()
        for piece in pieces: masked_loss(model, piece, n).backward()
        return [p.grad.clone() for p in model.parameters() if p.requires_grad]
    padded = gradients([batch])
    assert packs(model)
    longest = int(batch["attention_mask"].sum(1).max())
    for tokens in (longest, 10**6):
        cut = parts(batch, tokens, True)
        assert (len(cut) > 1) == (tokens == longest)
        for a, b in zip(padded, gradients(cut)): assert torch.allclose(a, b, atol=1e-5)


def test_models_that_would_mix_rows_stay_padded(real, monkeypatch):
    from agent_distill import engines, student
    model, _ = real
    model.config.layer_types = ["full_attention", "sliding_attention"]
    assert not packs(model)
    model.config.layer_types = ["full_attention"] * 2
    whole = student.rows_attention
    def forgetful(*args, row_lengths=None, **kw): return whole(*args, **kw)
    monkeypatch.setattr(student, "rows_attention", forgetful)
    assert not packs(model) and model.config._attn_implementation == "sdpa"
    monkeypatch.undo()
    assert not packs(model)   # a mini model again


def test_a_packed_run_ends_where_a_padded_one_does(tokenizer, tiny, tmp_path, monkeypatch):
    from agent_distill import engines
    profile = get_profile("mini", student=tiny.student, epochs=2, batch_size=4, lora_dropout=0.)
    padded = train(profile, tokenizer, tmp_path/"padded")
    monkeypatch.setattr(engines, "SMALL", 0)
    monkeypatch.setattr(engines, "bfloat16_is_faster", lambda: False)
    packed = train(profile, tokenizer, tmp_path/"packed")
    assert packed["loss_last"] == pytest.approx(padded["loss_last"], abs=1e-3)


def test_a_full_gpu_is_one_error_that_says_who_holds_it(tiny, tokenizer, tmp_path, monkeypatch):
    import torch
    from transformers import TrainerCallback

    class Full(TrainerCallback):
        def on_step_begin(self, *args, **kwargs): raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2 * 10**9, 80 * 10**9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 18 * 10**9)
    data = encode_rows(tokenizer, rows(4), 1000).rows
    with pytest.raises(AgentDistillError, match="18.0 GB are held by this program and 60.0 GB by others, of 80.0 GB"):
        train_student(tiny, data, tokenizer, tmp_path, 1000, callbacks=[Full()])
