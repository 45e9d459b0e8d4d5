"""Retrieval: what is found, what is refused before the first search, and what the agent reads."""
import inspect, json, os, shutil, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent_distill import retrieval
from agent_distill.index import build_index, flat_vectors, make_plan
from agent_distill.profile import AgentDistillError, Artifact, PROFILES, file_hash
from agent_distill.passages import (Passage, PassageStore, corpus_sha256, load_passages, open_corpus,
                                    write_passages)
from agent_distill.retrieval import (Embedder, Hit, Merger, Retriever, embed_shards, flat_index, format_hits,
                                     minilm_path, recall_at_k, recall_table, search_tool, wilson)

DATA = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2]/"shared"/"data"))/"retrieval"
TEXTS = {"The Silent Harbor": "The Silent Harbor was directed by Mara Quill.",
         "Mara Quill": "Mara Quill was born in Tarn. " * 30,
         "Tarn": "Tarn is a city on a river.", "Omelette": "An omelette is made from eggs.",
         "Lute": "A lute is a plucked instrument.", "Granite": "Granite is a hard rock.",
         "Heron": "The heron is a long-legged bird that eats fish."}
TOY = [Passage(str(i), title, text) for i, (title, text) in enumerate(TEXTS.items())]

@pytest.fixture(scope="module")
def embedder(): return Embedder()

@pytest.fixture(scope="module")
def built(embedder, tmp_path_factory):
    return Retriever.build(TOY, embedder, tmp_path_factory.mktemp("out")/"index")

@pytest.fixture
def copy(built, tmp_path):
    """The index in a folder that a test may damage"""
    folder = tmp_path/"index"
    folder.mkdir()
    return Path(shutil.copytree(built.folder, folder, dirs_exist_ok=True))

def sign(folder):
    """Make the manifest agree with the files again: damage that no hash gives away"""
    path = folder/"manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["sum"], manifest["format"]   # format 1 had no sum of its own
    for name, about in manifest["files"].items():
        about |= {"sha256": file_hash(folder/name), "bytes": (folder/name).stat().st_size}
    path.write_text(json.dumps(manifest))

def test_import_is_light():
    heavy = "torch faiss transformers sentence_transformers matplotlib datasets".split()
    code = f"import sys, agent_distill.retrieval; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"

# --- passages

@pytest.mark.parametrize("lines, said", [
    (['{"id": 1, "title": "A", "text": "a"}', '{"id": 2, "text": "b"}'], "row 2"),
    (['{"id": 1, "title": "A", "text": "a"}', '{"id": 1, "title": "B", "text": "b"}'], "more than once"),
    (['{"id": 1, "title": "A", "text": "  "}'], "no text"),
    (['{"id": 1, "title": "A", "text": '], "row 1: not JSON"),
    ([], "empty")])
def test_bad_corpus(tmp_path, lines, said):
    path = tmp_path/"corpus.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    with pytest.raises(AgentDistillError, match=said): load_passages(str(path))

def test_unknown_corpus_says_what_there_is():
    with pytest.raises(AgentDistillError, match="wikipedai.*mini"): load_passages("wikipedai")

def test_ids_become_strings(tmp_path):
    (tmp_path/"c.jsonl").write_text('{"id": 7, "title": "A", "text": "a", "url": "x"}\n')
    assert load_passages(str(tmp_path/"c.jsonl")) == [Passage("7", "A", "a")]

def test_mini_world_has_two_thousand_passages():
    passages = load_passages("mini")
    assert len(passages) == 2000 and len({p.title for p in passages}) == 2000

# --- the embedder

def test_weights_are_checked_before_they_are_loaded():
    with pytest.raises(AgentDistillError, match="sha256"): minilm_path("0"*64)

def test_order_survives_sorting_by_length(embedder):
    together = embedder.encode_passages(TOY)
    alone = np.concatenate([embedder.encode_passages([p]) for p in TOY])
    assert together.dtype == np.float32 and together.shape == (len(TOY), 384)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert embedder.encode_queries([]).shape == (0, 384)

@pytest.fixture(scope="module")
def e5(tmp_path_factory):
    """A tiny untrained BERT in a bare Hugging Face folder that is named like e5"""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel
    folder = tmp_path_factory.mktemp("models")/"e5-base-v2"
    tokenizer = AutoTokenizer.from_pretrained(minilm_path())
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2,
                        num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Embedder(folder)

def test_e5_prompts_are_really_applied(e5):
    raw = lambda text: e5.model.encode([text], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(e5.encode_queries(["lute"]), raw("query: lute"), atol=1e-5)
    passage = Passage("0", "Lute", "plucked")
    np.testing.assert_allclose(e5.encode_passages([passage]), raw("passage: Lute\nplucked"), atol=1e-5)
    assert np.linalg.norm(e5.encode_passages([passage])) == pytest.approx(1, abs=1e-5)

def test_unknown_model_is_one_clear_error(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(AgentDistillError, match="no-such/model"): Embedder("no-such/model").dim

# --- searching

def test_search_is_the_inner_product(built, embedder):
    queries = ["Where was Quill born?", "bird", "breakfast"]
    scores = embedder.encode_queries(queries) @ embedder.encode_passages(TOY).T
    for hits, row in zip(built.search(queries, 5), scores):
        assert [h.passage for h in hits] == [TOY[i] for i in np.argsort(-row)[:5]]
        np.testing.assert_allclose([h.score for h in hits], np.sort(row)[::-1][:5], atol=1e-5)

def test_one_query_many_none_and_too_many(built):
    assert built.search("bird", 1)[0][0].passage.title == "Heron"
    assert [len(h) for h in built.search(["bird", "rock"], 50)] == [len(TOY)]*2
    assert built.search([]) == []
    with pytest.raises(AgentDistillError, match="k is 0"): built.search("bird", 0)

class Counting(Embedder):
    texts = 0
    def encode_queries(self, texts, progress=False):
        self.texts += len(texts)
        return super().encode_queries(texts, progress)

def test_memo_embeds_a_query_once_and_stays_small(built):
    counting = Counting()
    counting._model = built.embedder.model
    r = Retriever(TOY, built.index, counting, memo=3)
    first = r.search(["bird", "rock", "bird"])
    assert counting.texts == 2 and first[0] == first[2]
    r.search(["bird", "rock"], k=5)
    assert counting.texts == 2
    r.search(["one", "two", "three", "four", "five"])
    assert len(r._memo) == 3

def test_many_threads_get_what_one_gets(built):
    queries = [f"{t} {i % 3}" for t in TEXTS for i in range(6)]
    fresh = Retriever(TOY, built.index, built.embedder)
    with ThreadPoolExecutor(16) as pool: together = list(pool.map(fresh.observation, queries))
    assert together == [built.observation(q) for q in queries]

# --- the folder

def test_build_is_done_once(built, embedder, monkeypatch):
    before = (built.folder/"index.faiss").stat().st_mtime_ns
    again = Retriever.build(TOY, embedder, built.folder)
    assert (again.folder/"index.faiss").stat().st_mtime_ns == before
    assert again.observation("bird") == built.observation("bird")

def test_manifest_says_what_made_it(built):
    facts = json.loads((built.folder/"manifest.json").read_text())["counts"]
    assert facts["passages"] == len(TOY) and facts["dim"] == 384
    assert facts["embedder"] == "all-MiniLM-L6-v2" and facts["corpus_sha256"] == corpus_sha256(TOY)
    assert facts["passages_per_s"] > 0

PARTS = ["index.faiss", "index.json", "passages/00000.arrow", "passages/shards.json"]

@pytest.mark.parametrize("name", PARTS)
def test_truncated_file(copy, embedder, name):
    whole = (copy/name).read_bytes()
    (copy/name).write_bytes(whole[:len(whole)//2])
    with pytest.raises(AgentDistillError, match=name): Retriever.load(copy, embedder)

@pytest.mark.parametrize("name", [*PARTS, "manifest.json"])
def test_missing_file(copy, embedder, name):
    (copy/name).unlink()
    with pytest.raises(AgentDistillError, match="index"): Retriever.load(copy, embedder)

def test_missing_index_names_the_chapter(tmp_path, embedder):
    (tmp_path/"run.json").touch()
    with pytest.raises(AgentDistillError, match="02_retrieval"):
        Retriever.load(tmp_path/"index", embedder)

def test_truncated_although_the_hash_agrees(copy, embedder):
    whole = (copy/"index.faiss").read_bytes()
    (copy/"index.faiss").write_bytes(whole[:len(whole)//2])
    sign(copy)
    with pytest.raises(AgentDistillError, match="cut short or damaged"): Retriever.load(copy, embedder)

def test_zeroed_although_the_hash_agrees(copy, embedder):
    (copy/"index.faiss").write_bytes(b"\0"*(copy/"index.faiss").stat().st_size)
    sign(copy)
    with pytest.raises(AgentDistillError, match="cannot be read"): Retriever.load(copy, embedder)

def test_index_of_another_size_although_the_hash_agrees(copy, embedder):
    import faiss
    few = flat_index(embedder.encode_passages(TOY[:3]))
    faiss.write_index(few, str(copy/"few.faiss"))
    build_index(flat_vectors(copy/"few.faiss"), copy, make_plan("flat", 3, 384))
    sign(copy)
    with pytest.raises(AgentDistillError, match="3 vectors.*7 passages"): Retriever.load(copy, embedder)

def test_other_corpus(built, embedder):
    with pytest.raises(AgentDistillError, match="another corpus"):
        Retriever.load(built.folder, embedder, TOY[::-1])

def test_other_embedder_by_name_by_width_and_by_vectors(built, copy, e5):
    with pytest.raises(AgentDistillError, match="another embedder"): Retriever.load(built.folder, e5)
    wide = Embedder()
    wide._model = e5.model
    with pytest.raises(AgentDistillError, match="32 dimensions.*384"): Retriever.load(copy, wide)
    liar = Embedder()
    liar.model.prompts["document"] = "an entirely different instruction: "
    with pytest.raises(AgentDistillError, match="did not make this index"): Retriever.load(copy, liar)

KILL = """
import os, signal, sys
from agent_distill.retrieval import *
import agent_distill.retrieval as r
sys.path.insert(0, {tests!r})
from test_retrieval import TOY
import faiss
write = faiss.write_index
def write_half(index, path):
    write(index, path)
    whole = open(path, "rb").read()
    open(path, "wb").write(whole[:len(whole)//2])
    os.kill(os.getpid(), signal.SIGKILL)
faiss.write_index = write_half
Retriever.build(TOY, Embedder(), {folder!r})
"""

def test_killed_while_writing_then_built_again(tmp_path, built, embedder):
    folder = tmp_path/"index"
    code = KILL.format(tests=str(Path(__file__).parent), folder=str(folder))
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == -9
    assert (folder/"index.faiss.tmp").exists() and not (folder/"index.faiss").exists()
    with pytest.raises(AgentDistillError, match="not finished"): Retriever.load(folder, embedder)
    Retriever.build(TOY, embedder, folder)
    for name in PARTS:
        assert file_hash(folder/name) == file_hash(built.folder/name)

# --- streams

ROWS = [Passage(str(i), f"{t} {i}", f"{t} number {i}. {text[:60]}") for i in range(145) for t, text in TEXTS.items()]

@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus")/"corpus.jsonl"
    path.write_text("".join(json.dumps(dict(id=p.id + p.title, title=p.title, text=p.text)) + "\n" for p in ROWS) + "{bad\n")
    return path

KILL_SHARDS = """
import os, signal, sys
import agent_distill.retrieval as r
save, done = r._save, []
def two_then_die(vectors, path):
    save(vectors, path)
    done.append(path)
    if len(done) == 2: os.kill(os.getpid(), signal.SIGKILL)
r._save = two_then_die
r.Retriever.build(r.open_corpus({corpus!r}, bad="skip"), r.Embedder(), {folder!r}, kind="pq", shard=400)
"""

def test_a_killed_build_embeds_only_what_is_missing(tmp_path, corpus, embedder):
    folder, source = tmp_path/"index", open_corpus(corpus, bad="skip")
    code = KILL_SHARDS.format(corpus=str(corpus), folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert len(list((folder/"vectors").glob("*.npy"))) == 2
    counting = CountingPassages()
    counting._model = embedder.model
    found = Retriever.build(source, counting, folder, kind="pq", shard=400)
    assert counting.passages == len(ROWS) - 800 + 3   # the rest, and three probes when it is opened
    assert len(found) == len(ROWS) == 1015 and not (folder/"vectors").exists()
    assert found.search(ROWS[900].text, 1)[0][0].passage.title == ROWS[900].title
    facts = json.loads((folder/"manifest.json").read_text())["counts"]
    assert facts["bad_rows"] == 1 and facts["first_bad"] == [[1016, "not JSON"]] and facts["kind"] == "pq"

class CountingPassages(Embedder):
    passages = 0
    def encode_passages(self, passages, progress=False):
        self.passages += len(passages)
        return super().encode_passages(passages, progress)

def test_the_bar_says_how_fast_and_how_long(tmp_path, embedder, capsys):
    store = write_passages(open_corpus(TOY), tmp_path/"p", 3) and PassageStore(tmp_path/"p")
    _, speed = embed_shards(store, embedder, tmp_path/"v", progress=True)
    said = capsys.readouterr().err
    assert "passage" in said and "/7 [" in said and "<" in said and speed["passages"] == 7

@pytest.fixture(scope="module")
def exact(tmp_path_factory, corpus, embedder):
    return Retriever.build(open_corpus(corpus, bad="skip"), embedder, tmp_path_factory.mktemp("exact")/"flat")

@pytest.mark.parametrize("kind", ["sq8", "pq", "pq-disk"])
def test_a_published_flat_index_becomes_a_retriever(tmp_path, corpus, exact, embedder, kind):
    source, flat = open_corpus(corpus, bad="skip"), exact.folder/"index.faiss"
    counting = CountingPassages()
    counting._model = embedder.model
    small = Retriever.convert(flat, source, counting, tmp_path/kind, kind=kind)
    assert counting.passages == 6   # probes before and after: nothing is embedded again
    asked = [p.text for p in ROWS[::40]]
    assert [h[0].passage for h in small.search(asked)] == [h[0].passage for h in exact.search(asked)]
    again = Retriever.convert(flat, source, counting, tmp_path/kind, kind=kind)
    assert again.observation("heron") == small.observation("heron")

def test_a_flat_index_of_another_corpus_is_refused(tmp_path, embedder):
    Retriever.build(TOY, embedder, tmp_path/"flat")
    flat = tmp_path/"flat"/"index.faiss"
    with pytest.raises(AgentDistillError, match="7 vectors.*6 passages"): Retriever.convert(flat, TOY[1:], embedder, tmp_path/"a", kind="flat")
    with pytest.raises(AgentDistillError, match="did not make this index: passage 0"):
        Retriever.convert(flat, TOY[1:] + TOY[:1], embedder, tmp_path/"b", kind="flat")

def test_rows_in_another_order_are_found_when_loading(copy, embedder):
    shutil.rmtree(copy/"passages")
    write_passages(open_corpus(TOY[1:] + TOY[:1]), copy/"passages")
    sign(copy)
    with pytest.raises(AgentDistillError, match="passage 0 is not row 0"): Retriever.load(copy, embedder)

def test_an_artifact_from_before_there_were_shards(tmp_path, built, embedder):
    import faiss
    art = Artifact(tmp_path/"index", PROFILES["mini"], embedder=embedder.name, corpus_sha256=corpus_sha256(TOY)).start()
    art.path("passages.jsonl").write_text("".join(json.dumps(vars(p)) + "\n" for p in TOY))
    faiss.write_index(built.index, str(art.path("index.faiss")))
    art.finish(embedder=embedder.name, corpus_sha256=corpus_sha256(TOY))
    before = file_hash(tmp_path/"index"/"manifest.json")
    old = Retriever.build(TOY, embedder, tmp_path/"index", PROFILES["mini"])
    assert old.observation("bird") == built.observation("bird") and file_hash(tmp_path/"index"/"manifest.json") == before

# --- precision and merging

def test_half_precision_gives_unit_vectors_nearly_the_same(embedder):
    half = Embedder(dtype="bfloat16", device="cpu")
    a, b = embedder.encode_passages(TOY), half.encode_passages(TOY)
    assert b.dtype == np.float32 and (a*b).sum(1).min() > .999
    np.testing.assert_allclose(np.linalg.norm(b, axis=1), 1, atol=1e-5)
    with pytest.raises(AgentDistillError, match="'int8'"): Embedder(dtype="int8").dim

def test_on_a_cpu_callers_are_not_merged_unless_asked(built, monkeypatch):
    batches, rows = [], Retriever.rows
    monkeypatch.setattr(Retriever, "rows", lambda self, q, k: batches.append(len(q)) or time.sleep(.05) or rows(self, q, k))
    for merge, largest in ((None, 1), (True, 16)):
        batches.clear()
        fresh = Retriever(TOY, built.index, built.embedder, merge=merge)
        with ThreadPoolExecutor(16) as pool: list(pool.map(fresh.search, [f"bird {i}" for i in range(64)]))
        assert sum(batches) == 64 and (max(batches) == 1 if largest == 1 else max(batches) > 4)

def test_one_bad_caller_does_not_spoil_the_batch():
    def many(items):
        time.sleep(.02)
        return [1/o for o in items]
    merger = Merger(many)
    def ask(i):
        try: return merger([i])
        except ZeroDivisionError: return "refused"
    with ThreadPoolExecutor(16) as pool: found = list(pool.map(ask, [1, 0, 2]*16))
    assert found == [[1.0], "refused", [.5]]*16

def test_merged_callers_may_want_different_numbers(built):
    merged = Retriever(TOY, built.index, built.embedder, merge=True)
    with ThreadPoolExecutor(8) as pool: found = list(pool.map(lambda k: merged.search("bird", k)[0], [1, 2, 3, 7]*8))
    assert [len(h) for h in found] == [1, 2, 3, 7]*8
    assert found[0] == [found[3][0]]

# --- what the agent reads

def test_observation_is_exactly_this(built):
    hits = [Hit(TOY[0], .9), Hit(TOY[1], .8)]
    assert format_hits(hits) == ("[1] The Silent Harbor: The Silent Harbor was directed by Mara Quill.\n"
                                 f"[2] Mara Quill: {TOY[1].text[:800]}")
    assert len(built.observation("Mara Quill").splitlines()) == 3

def test_tool_reads_like_a_tool(built):
    search = search_tool(built, k=2)
    assert search.__name__ == "search" and str(inspect.signature(search)) == "(query: str) -> str"
    assert search.__doc__ == "passages of the encyclopedia about the query"
    assert search("bird") == built.observation("bird", 2)
    with pytest.raises(ValueError, match="not empty"): search(" \n")
    with pytest.raises(TypeError, match="not int"): search(42)

# --- recall

def test_recall_counts_shares(built):
    hits = built.search(["bird", "rock"], 2)
    assert recall_at_k(hits, [["Heron"], ["Granite", "Nowhere"]], 1).tolist() == [1, .5]
    assert recall_at_k(hits, [["6"], ["5"]], 1, by="id").tolist() == [1, 1]
    with pytest.raises(AgentDistillError, match="2 questions"): recall_at_k(hits, [["Heron"]], 1)
    with pytest.raises(AgentDistillError, match="question 1"): recall_at_k(hits, [["Heron"], []], 1)

def test_wilson_agrees_with_the_textbook():
    assert wilson(.2, 50) == pytest.approx((.1124, .3304), abs=5e-4)
    assert wilson(0, 10) == pytest.approx((0, .2775), abs=5e-4)

def test_real_questions_find_real_passages(embedder, tmp_path):
    if not (DATA/"hotpotqa_passages.jsonl").exists(): pytest.skip(f"no HotpotQA passages in {DATA}")
    rows = [json.loads(line) for line in open(DATA/"hotpotqa_questions.jsonl")][:60]
    gold = [r["gold_titles"] for r in rows]
    wanted, every = {t for g in gold for t in g}, load_passages(str(DATA/"hotpotqa_passages.jsonl"))
    corpus = [p for p in every if p.title in wanted]
    corpus += [p for p in every[::97] if p.title not in wanted][:300 - len(corpus)]
    real = Retriever.build(corpus, embedder, tmp_path/"index")
    recall = recall_table(real, {"question": ([r["question"] for r in rows], gold)}, (1, 3, 10))
    at1, at3, at10 = recall.mean("question")
    assert len(corpus) == 300 and .4 < at1 <= .5   # two gold passages a question: one hit is half
    assert at3 > .75 and at10 > .9
    assert "recall@10" in recall._repr_markdown_()


def test_a_back_end_that_does_not_fit_the_installed_versions(monkeypatch):
    import sentence_transformers
    def unfit(*args, **how): raise ImportError("cannot import name 'get_parameter_dtype'")
    monkeypatch.setattr(retrieval, "_check_backend", lambda backend: None)
    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", unfit)
    with pytest.raises(AgentDistillError, match="cannot be loaded: cannot import name .* use .torch"):
        Embedder(backend="onnx").dim
