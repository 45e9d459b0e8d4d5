"""Kills at the writes of real stages: `python tests/killing.py FOLDER STAGE [MOST]` prints what went wrong, as JSON

STAGE is one of STAGES below; MOST windows are tried, evenly spread, or all of them.

The stage's function runs in a fork whose file operations are counted by an audit hook; at one of them the
process is gone (`os._exit`): before it, or with its first write torn in the middle or one byte before its end.
Another fork then goes on, and must end with the files of a run that nobody stopped.
"""
import builtins, io, json, os, shutil, sys, traceback
from pathlib import Path

NAMES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink"}
GONE = 77   # exit code of a killed process


def _inside(root, path, fd):
    "Whether a path, possibly relative to a folder's descriptor, lies below `root`"
    if not isinstance(path, (str, bytes, os.PathLike)): return False
    path = os.fsdecode(path)
    if not os.path.isabs(path): path = os.path.join(f"/proc/self/fd/{fd}" if fd not in (None, -1) else os.getcwd(), path)
    return (os.path.realpath(os.path.dirname(path)) + os.sep).startswith(os.path.realpath(root) + os.sep)


def operation(root, event, args):
    "What an audit event does below `root`: an operation's name, or None"
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        return "open" if writes and _inside(root, args[0], None) else None
    if event not in NAMES: return None
    return event if _inside(root, args[0], next((a for a in args[1:] if isinstance(a, int) and a > 2), None)) else None


class Torn(io.FileIO):
    "A file whose first write stops after a part, and with it the process"
    part = 0.5
    def write(self, data):
        n = memoryview(data).nbytes
        super().write(memoryview(data).cast("B")[:min(int(n * self.part), n - 1)])
        os._exit(GONE)


def torn_open(part):
    def do(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *_, **kw):
        raw = Torn(file, mode.replace("b", "").replace("t", ""))
        raw.part = part
        if buffering == 0: return raw
        buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding or "utf-8", errors, newline)
    return do


def watch(root, at=None, part=None):
    "Count the operations below `root`; at number `at` the process ends, or (`part`) its write is torn"
    seen, real = [], io.open
    def hook(event, args):
        if (name := operation(root, event, args)) is None: return
        seen.append(name)
        if len(seen) == at and part is None: os._exit(GONE)
    sys.addaudithook(hook)
    def opening(file, mode="r", *args, **kw):
        writes = set(mode) & set("wax+") and _inside(root, file, None)
        if part is None or not writes or len(seen) + 1 != at: return real(file, mode, *args, **kw)
        return torn_open(part)(file, mode, *args, **kw)
    io.open = builtins.open = opening
    return seen


def forked(work):
    "Run `work` in a fork; its exit code, and what it returned"
    read, write = os.pipe()
    if not (pid := os.fork()):
        code = 1
        try:
            os.dup2(2, 1)
            with os.fdopen(write, "w") as pipe: json.dump(work(), pipe)
            code = 0
        except BaseException: traceback.print_exc()
        finally: os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe: said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), json.loads(said) if said else None


def windows(seen, most):
    "(operation, part of its write or None): all of them, or `most` spread evenly"
    every = [(i, part) for i, name in enumerate(seen, 1) for part in ((None, 0.5, 1.0) if name == "open" else (None,))]
    if not 0 < most < len(every): return every
    return [every[int((k + .5) * len(every) / most)] for k in range(most)]


def sweep(work, root, prepare, result, most=0):
    "Kill `work` in each window and go on; a list of what went wrong, and how many windows there were"
    def fresh(): shutil.rmtree(root, ignore_errors=True); prepare()
    def whole(): return [watch(root), work()][0]
    fresh()
    code, seen = forked(whole)
    assert code == 0 and seen, "the stage fails without any kill"
    wanted, wrong = result(), []
    chosen = windows(seen, most)
    for at, part in chosen:
        fresh()
        code, _ = forked(lambda: [watch(root, at, part), work(), None][-1])
        if code not in (0, GONE): wrong.append([at, seen[at - 1], part, f"exit {code} instead of a kill"])
        again, _ = forked(lambda: [work(), None][-1])
        if again: wrong.append([at, seen[at - 1], part, "the next run fails"]); continue
        found = result()
        odd = [k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k)]
        if odd: wrong.append([at, seen[at - 1], part, f"other results: {sorted(odd)[:3]}"])
    return dict(operations=len(seen), windows=len(chosen), wrong=wrong)


# the stages, in small

def plain(path):
    "A file's content, without the times in it"
    if path.name == "manifest.json": return sorted(json.loads(path.read_text())["files"])
    if path.suffix != ".jsonl": return path.read_bytes()
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [{k: v for k, v in r.items() if k != "seconds"} for r in rows]


def contents(folder):
    return {p.relative_to(folder).as_posix(): plain(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def index(out, kind=None, n=7):
    "Chapter 02: an encyclopedia of two or more shards"
    import hashlib
    import numpy as np
    from agent_distill.passages import Passage
    from agent_distill.retrieval import Embedder, Retriever

    class Hashes(Embedder):
        "Vectors from a hash of the text: no model"
        dim = 16
        def _encode(self, texts, kind, progress):
            seeds = [int.from_bytes(hashlib.sha256(t.partition("\n")[2].encode()).digest()[:4], "big") for t in texts]
            x = np.stack([np.random.default_rng(s).normal(size=16) for s in seeds]).astype(np.float32)
            return x / np.linalg.norm(x, axis=1, keepdims=True)

    passages = [Passage(str(i), f"title {i}", f"text {i}") for i in range(n)]
    def work(): Retriever.build(passages, Hashes("hashes"), out / "index", kind=kind, shard=-(-n // 3)); return []
    def result():
        facts = json.loads((out / "index/manifest.json").read_text())["counts"]
        return contents(out / "index") | dict(speed=facts.get("passages_per_cpu_s", 0) > 0, clean=os.listdir(out))
    return work, lambda: out.mkdir(), result


class Script:
    "An engine that knows its lines"
    name = "script"
    async def generate(self, messages, n=1, prefix="", **kw):
        from agent_distill.agent import Completion
        agent = "final_answer" in messages[0]["content"]
        said = "Thought: I know.\nCode:\n```py\nfinal_answer('Lund')\n```<end_code>" if agent else "A town.\n\nThe answer is Lund."
        return [Completion(said.removeprefix("Thought: I know.\n") if prefix else said, 9, 9, -.1, "stop")] * n


def search(query: str) -> str:
    "passages of the encyclopedia about the query"
    return "[1] Lund: a town."


def ask(n=2, benchmark="mini-hotpot"):
    from agent_distill.questions import Question
    return [Question(f"{benchmark}-{i}", benchmark, "fact", f"Where was number {i} born?", "Lund") for i in range(n)]


def begun(out, profile, **files):
    "A finished artifact for each name: its files and their texts"
    from agent_distill.profile import Artifact
    for name, texts in files.items():
        art = Artifact(out / name, profile).start()
        for file, text in texts.items(): art.path(file).write_text(text)
        art.finish()


def teacher(out):
    "Chapter 06: three passes over two questions"
    from agent_distill.profile import get_profile
    from agent_distill.sandbox import Sandbox
    from agent_distill.teacher import teach
    profile = get_profile("mini", concurrency=1, max_steps=2)
    def work():
        with Sandbox(tools=[search]) as box: teach(profile, out, ask(), Script(), box)
        return []
    return work, lambda: begun(out, profile, questions={"train.jsonl": ""}, index={"p.jsonl": ""}), lambda: contents(out / "teacher")


def student(out):
    "Chapter 07: a small random model learns four rows"
    import importlib
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
    import agent_distill
    from agent_distill.profile import get_profile
    from agent_distill.student import STUDENTS, distill
    for name in ("trl", "peft", "datasets", "transformers.trainer"): importlib.import_module(name)
    base = out.with_name("base")
    tokenizer = AutoTokenizer.from_pretrained(Path(agent_distill.__file__).parent / "lab/weights/student")
    torch.manual_seed(0)
    Qwen2ForCausalLM(Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
        intermediate_size=16, tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id)).save_pretrained(base)
    tokenizer.save_pretrained(base)
    profile = get_profile("mini", student=str(base), epochs=2, batch_size=2, lora_r=4)
    chats = [[dict(role="user", content=f"q {i}"), dict(role="assistant", content=f"answer {i}")] for i in range(4)]
    text = "".join(json.dumps(dict(id=str(i), messages=m)) + "\n" for i, m in enumerate(chats))
    def work(): distill(profile, out, "cot"); return []
    return work, lambda: begun(out, profile, teacher={name: text for name in STUDENTS.values()}), lambda: contents(out / "student")


def evaluation(out):
    "Chapter 08: two methods on two benchmarks, table, plots and page"
    from matplotlib import pyplot
    from agent_distill.evaluation import METHODS, evaluate, summarise, write_evaluation
    from agent_distill.profile import Artifact, get_profile
    from agent_distill.sandbox import Sandbox
    profile, methods = get_profile("mini", concurrency=1, max_steps=2, sag_n=2), METHODS[2:6:3]
    questions = [*ask(1), *ask(1, "mini-2wiki")]
    def work():
        art = Artifact(out / "evaluation", profile)
        if art.done: return []
        art.start()
        files = lambda slug, bench: art.records(f"trajectories/{slug}/{bench}.jsonl")
        with Sandbox(tools=[search]) as box: runs = evaluate(profile, questions, lambda *a: Script(), box, files, methods)
        write_evaluation(art, summarise(runs, profile, methods), runs)
        return []
    return work, lambda: out.mkdir(), lambda: contents(out / "evaluation")


STAGES = dict(index=index, index_pq=lambda out: index(out, "pq", 1000), index_disk=lambda out: index(out, "pq-disk", 1000),
              teacher=teacher, student=student, evaluation=evaluation)

if __name__ == "__main__":
    folder, stage, most = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["0"])[0])
    out = Path(folder) / "run"
    work, prepare, result = STAGES[stage](out)
    print(json.dumps(sweep(work, out, prepare, result, most)))
