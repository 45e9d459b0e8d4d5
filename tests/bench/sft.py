"""How fast a student is trained: ours against the published set-up, in one run, on whatever device is there.

    python tests/bench/sft.py [MODEL] [--rows 8] [--tokens 1100] [--steps 1] [--rounds 3]

MODEL is a folder or a hub name; without one a small random model of Qwen2.5's shape is made. Optimizer steps over
the same rows, `--tokens` long on average and from 0.55 to 1.45 of it, as the kept trajectories of a real
teacher differ. The published set-up is TRL's trainer with padded micro-batches of two in random order and
gradient checkpointing; on a CPU, where TRL's loss (a Triton kernel) does not run, it gets the same loss as ours.
Rounds are interleaved, the median is reported, nothing is asserted: the clock belongs to the machine. On a CPU the
seconds that the process computed are counted too, which others on the machine lengthen less. OMP_NUM_THREADS says
how many threads; on a shared machine, one.
"""
import argparse, gc, os, random, statistics, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import agent_distill.engines as engines
from agent_distill.engines import load_tokenizer
from agent_distill.profile import get_profile
from agent_distill.student import (Masked, load_student, masked_loss, micro_batch, sft_config, sft_trainer,
                                   use_threads)


def stand_in(folder):
    "A small random model that counts as a real one"
    from standins import make_model, make_tokenizer, save
    engines.SMALL = 0
    tokenizer = make_tokenizer(["a stand-in for a model"])
    return str(save(make_model(tokenizer, 0), tokenizer, folder))


def make_rows(tokenizer, n, tokens, seed=0):
    "Rows of random tokens; of each quarter the last two fifths carry loss, as an agent's turns do"
    rng, rows = random.Random(seed), []
    for i in range(n):
        length = round(tokens * (.55 + .9 * i / max(1, n - 1)))
        ids = [rng.randrange(3, len(tokenizer) - 1) for _ in range(length)]
        turn = max(4, length // 4)
        rows.append(Masked(ids, [t if k % turn >= .6 * turn else -100 for k, t in enumerate(ids)], tokenizer))
    rng.shuffle(rows)
    return rows


def published(model, tokenizer, rows, args):
    "TRL's own trainer on the same ids and labels"
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTTrainer
    class Published(SFTTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            if torch.cuda.is_available(): return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            return masked_loss(model, inputs, num_items_in_batch)
    args.per_device_train_batch_size, args.gradient_accumulation_steps = 2, len(rows) // 2
    data = Dataset.from_list([dict(input_ids=r.ids, labels=r.labels) for r in rows])
    trainer = Published(model=model, args=args, train_dataset=data, processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


def once(way, profile, tokenizer, rows):
    "Tokens a second of one step, its loss, and how it was cut"
    import torch
    longest = max(map(len, rows))
    model = load_student(profile, longest)
    micro = micro_batch(model, longest, labelled=sum(r.n_trained for r in rows) / sum(map(len, rows)))
    with tempfile.TemporaryDirectory() as folder:
        args = sft_config(profile, folder, len(rows), way == "published" or micro.checkpointing, model=model)
        args.save_strategy = "no"
        trainer = (published(model, tokenizer, rows, args) if way == "published" else
                   sft_trainer(model, tokenizer, rows, args, tokens=micro.tokens))
        if torch.cuda.is_available(): torch.cuda.synchronize()
        start, busy = time.perf_counter(), time.process_time()
        trainer.train()
        if torch.cuda.is_available(): torch.cuda.synchronize()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    loss = next(r["loss"] for r in trainer.state.log_history if "loss" in r)
    n = sum(map(len, rows)) * trainer.state.global_step
    about = dict(tokens=n / seconds, computed=n / busy, loss=loss, micro=micro,
                 attention=model.config._attn_implementation, dtype=str(model.dtype), device=str(model.device))
    del trainer, model
    gc.collect()
    if torch.cuda.is_available(): torch.cuda.empty_cache()
    return about


def padded(rows):
    "Tokens of padded pairs over tokens of the rows, on average over random pairs"
    lengths = sorted(map(len, rows))
    pairs = [max(a, b) for i, a in enumerate(lengths) for b in lengths[i + 1:]]
    return statistics.fmean(pairs) / statistics.fmean(lengths)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", nargs="?", default="", help="folder or hub name; nothing: a stand-in")
    p.add_argument("--rows", type=int, default=8, help="of a step; an even number")
    p.add_argument("--tokens", type=int, default=1100, help="of a row, on average")
    p.add_argument("--steps", type=int, default=1, help="a GPU needs several: the first one is slow")
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = a.model or stand_in(folder)
        profile = get_profile("small", student=model, epochs=a.steps, batch_size=a.rows, lora_dropout=0.)
        tokenizer, threads = load_tokenizer(model), use_threads()
        rows, found = make_rows(tokenizer, a.rows, a.tokens), {"published": [], "ours": []}
        for way in found: once(way, profile, tokenizer, make_rows(tokenizer, 2, 64))   # first uses fill caches
        for _ in range(a.rounds):
            for way in found:
                found[way].append(once(way, profile, tokenizer, rows))
                one = found[way][-1]
                print(f"{way:10} {one['tokens']:10,.1f} tokens/s, {one['computed']:8,.1f} a computed second   "
                      f"loss {one['loss']:.4f}", flush=True)
    ours = found["ours"][-1]
    def ratio(k):
        each = [b[k] / t[k] for t, b in zip(*found.values())]
        return f"{statistics.median(each):.2f} (rounds: {', '.join(f'{r:.2f}' for r in each)})"
    print(f"\n{a.model or 'stand-in'} on {ours['device']} ({ours['dtype']}, {threads} threads, load "
          f"{os.getloadavg()[0]:.1f}); {a.steps} steps of {len(rows)} rows, {sum(map(len, rows)):,} tokens\n"
          f"ours: {ours['micro']}, {ours['attention']}; padding of the published pairs: x {padded(rows):.2f}\n"
          f"ratio {ratio('tokens')}" + (f"; by computed seconds {ratio('computed')}" if ours["device"] == "cpu" else ""))


if __name__ == "__main__": main()
