"""Retrieval measured: recall on real text, compression at a million vectors, growth, and serving.

    pip install -e ".[mini,serve,words]" aiohttp
    python tests/bench/retrieval.py --cache FOLDER [--only text,growth,served] [--json FILE]

Prints tables; writes one JSON (nbs/recorded/retrieval.json) that the chapters show. FOLDER keeps what is
slow to make: the vectors of the 23,323 passages (ten minutes or more of one core) and the million
vectors (1.5 GB, and the indexes as much again). Sections that are not run keep their figures in the
JSON. The real data lies in AGENT_DISTILL_DATA (../shared/data). Nothing is asserted: the clock belongs
to the machine. Every figure of memory is the resident set of a process of its own.
"""
import argparse, asyncio, contextlib, json, os, resource, signal, statistics, subprocess, sys, time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("AGENT_DISTILL_DATA", ROOT.parent / "shared" / "data")) / "retrieval"
MILLION = LARGEST = 1_000_000   # LARGEST: --largest, for a quicker trial
SECONDS = 30
SIZES = (10_000, 30_000, 100_000, 300_000, MILLION)
KS = (1, 5, 10, 20)


# --- real text ----------------------------------------------------------------------------------------

def questions():
    rows = [json.loads(line) for line in open(DATA / "hotpotqa_questions.jsonl", encoding="utf-8")]
    return [r["question"] for r in rows], [r["gold_titles"] for r in rows]


def dense(cache):
    "The exact retriever over the real passages; embedding goes on where an earlier call stopped"
    from agent_distill.retrieval import Embedder, Retriever
    return Retriever.build(DATA / "hotpotqa_passages.jsonl", Embedder(), cache / "text", kind="flat",
                           shard=1000)


def paired(a, b, draws=20_000):
    "Mean difference of paired recalls, its 95 % bootstrap interval, and a sign-flip permutation p"
    rng, d = np.random.default_rng(0), np.asarray(a) - np.asarray(b)
    means = d[rng.integers(0, len(d), (2000, len(d)))].mean(1)
    flips = (rng.integers(0, 2, (draws, len(d)), dtype=np.int8) * 2 - 1) @ d / len(d)
    p = (1 + (abs(flips) >= abs(d.mean()) - 1e-12).sum()) / (1 + draws)
    return dict(difference=d.mean(), low=np.quantile(means, .025), high=np.quantile(means, .975), p=p)


def text(cache):
    "Recall of gold titles: exact, compressed, BM25, hybrid"
    from agent_distill.index import flat_vectors, make_plan, build_index, open_index
    from agent_distill.retrieval import Retriever, recall_at_k, wilson
    from agent_distill.words import Hybrid, Words
    exact = dense(cache)
    vectors = flat_vectors(cache / "text" / "index.faiss")
    build_index(vectors, cache / "text-pq", make_plan("pq", len(vectors), vectors.d))
    small = Retriever(exact.passages, open_index(cache / "text-pq"), exact.embedder)
    words = Words(exact.passages)
    hybrid = Hybrid(exact, words)
    asked, gold = questions()
    ways = {"MiniLM, exact": lambda: exact.search(asked, max(KS)),
            "MiniLM, compressed (pq)": lambda: small.search(asked, max(KS)), "BM25": lambda: words.search(asked, max(KS)),
            "hybrid": lambda: hybrid.search(asked, max(KS))}
    recalls = {n: {k: recall_at_k(hits, gold, k) for k in KS} for n, f in ways.items() for hits in [f()]}
    table = {n: {k: (float(r.mean()), *wilson(float(r.mean()), len(asked))) for k, r in rs.items()}
             for n, rs in recalls.items()}
    tests = {f"hybrid - {o}": {k: paired(recalls["hybrid"][k], recalls[o][k]) for k in KS}
             for o in ("MiniLM, exact", "BM25")}
    return dict(passages=len(exact), questions=len(asked), recall=table, paired=tests,
                embedder=embedder_speed(exact.passages))


def embedder_speed(passages, n=128):
    "Passages a second of one core in full and in half precision; the other back ends where they are"
    import torch
    from agent_distill.profile import AgentDistillError
    from agent_distill.retrieval import Embedder
    torch.set_num_threads(1)
    found, sample = {}, [passages[i] for i in range(0, len(passages), max(1, len(passages) // n))]
    for name, how in (("torch float32", {}), ("torch bfloat16", dict(dtype="bfloat16")),
                      ("onnx", dict(backend="onnx")), ("openvino", dict(backend="openvino"))):
        try: embedder = Embedder(device="cpu", **how); embedder.encode_passages(sample[:8])
        except AgentDistillError: found[name] = None; continue
        start = time.process_time()
        embedder.encode_passages(sample)
        found[name] = len(sample) / (time.process_time() - start)
    return found


# --- a million vectors --------------------------------------------------------------------------------

def synthetic(base, n, seed=0, near=16, block=20_000):
    """Blocks of unit vectors around real ones: a + u (b - c), with b and c among the nearest of a.

    Differences of neighbours have the shape of the cloud where a lies, so the new vectors fill the
    space between real passages without a model of it. The real ones come first.
    """
    import faiss
    rng, index = np.random.default_rng(seed), faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    nearest = np.concatenate([index.search(base[i:i + 1000], near + 1)[1][:, 1:]
                              for i in range(0, len(base), 1000)])
    yield base[:n]
    for lo in range(min(len(base), n), n, block):
        m = min(block, n - lo)
        a = rng.integers(0, len(base), m)
        first = rng.integers(0, near, m)
        other = (first + rng.integers(1, near, m)) % near   # never the same one: that would copy a
        b, c = nearest[a, first], nearest[a, other]
        x = base[a] + rng.uniform(.3, 1, (m, 1)).astype(np.float32) * (base[b] - base[c])
        yield x / np.linalg.norm(x, axis=1, keepdims=True)


def million(cache):
    "The flat index file with the real vectors and the synthetic ones"
    import faiss
    from agent_distill.index import flat_vectors
    n = LARGEST
    path = cache / f"flat-{n}.faiss"
    if path.exists(): return path
    dense(cache)
    vectors = flat_vectors(cache / "text" / "index.faiss")
    index = faiss.IndexFlatIP(vectors.d)
    for block in synthetic(vectors.read(0, len(vectors)), n): index.add(block)
    faiss.write_index(index, str(path) + ".tmp")
    os.replace(str(path) + ".tmp", path)
    return path


def prefix(path, n):
    "The first n vectors of a flat file"
    from agent_distill.index import Piece, Vectors, flat_vectors
    whole = flat_vectors(path)
    return Vectors([Piece(whole.pieces[0].path, whole.pieces[0].offset, n)], whole.d)


def query_vectors(cache):
    "The real questions' vectors"
    path = cache / "queries.npy"
    if not path.exists():
        from agent_distill.retrieval import Embedder
        np.save(path, Embedder().encode_queries(questions()[0]))
    return np.load(path)


def rss():
    import psutil
    return psutil.Process().memory_info().rss


def peak_rss():
    "Of this program alone: ru_maxrss would begin with what the process that started it held"
    try: status = Path("/proc/self/status").read_text()
    except OSError: return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss   # bytes on macOS
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def speed(index, x, seconds=10):
    "Searches a second on one core, one at a time and 64 at a time, and milliseconds of one"
    import faiss
    faiss.omp_set_num_threads(1)
    index.search(x[:8], 3)
    times, stop = [], time.perf_counter() + seconds
    for q in x:
        start = time.perf_counter()
        index.search(q[None], 3)
        times.append(time.perf_counter() - start)
        if time.perf_counter() > stop: break
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds and done < len(x):
        index.search(x[done:done + 64], 3)
        done += len(x[done:done + 64])
    return dict(one=len(times) / sum(times), batch=done / (time.perf_counter() - start),
                ms=statistics.median(times) * 1e3)


def step_exact(cache, n):
    "Exact search over n vectors: memory, speed, and the true best three"
    import faiss
    x, vectors = query_vectors(cache), prefix(million(cache), n)
    before = rss()
    index = faiss.IndexFlatIP(vectors.d)
    for lo, hi in vectors.blocks(): index.add(vectors.read(lo, hi))
    found = speed(index, x)
    truth = np.concatenate([index.search(x[i:i + 64], 3)[1] for i in range(0, len(x), 64)])
    np.save(cache / f"truth-{n}.npy", truth)
    return found | dict(bytes=(rss() - before) / n)


def step_build(cache, n):
    "Compress n vectors by streaming over the flat file: seconds and the most memory"
    from agent_distill.index import build_index, make_plan
    vectors, before = prefix(million(cache), n), rss()
    facts = build_index(vectors, cache / f"pq-{n}", make_plan("pq", n, vectors.d))
    peak = peak_rss()
    return dict(seconds=facts["seconds"], peak_mb=peak / 1e6, above_start_mb=(peak - before) / 1e6,
                flat_mb=4 * n * vectors.d / 1e6, plan=facts["plan"], files=facts["files"])


def step_search(cache, n):
    "The compressed index: memory, speed, agreement with the exact one"
    from agent_distill.index import open_index, overlap
    import faiss  # counted before, like numpy
    x, truth = query_vectors(cache), np.load(cache / f"truth-{n}.npy")
    before = rss()
    index = open_index(cache / f"pq-{n}")
    opened = rss() - before
    found = speed(index, x)
    rows = np.concatenate([index.search(x[i:i + 64], 3)[1] for i in range(0, len(x), 64)])
    alone = np.concatenate([index.base.search(x[i:i + 64], 3)[1] for i in range(0, len(x), 64)])
    return found | dict(bytes=opened / n, bytes_after=(rss() - before) / n,
                        recall3=overlap(truth, rows), recall3_codes_alone=overlap(truth, alone))


def in_process(step, cache, n):
    "Run a step in a Python of its own, on one core"
    line = [sys.executable, __file__, "--cache", str(cache), "--step", step, "--n", str(n),
            "--largest", str(LARGEST)]
    done = subprocess.run(line, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if done.returncode: sys.exit(f"step {step} of {n} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def growth(cache):
    "Exact and compressed from 10 k to 1 M"
    million(cache), query_vectors(cache)
    rows = {}
    for n in (s for s in SIZES if s <= LARGEST):
        rows[n] = {s: in_process(s, cache, n) for s in ("exact", "build", "search")}
        print(f"  {n:,} done", file=sys.stderr, flush=True)
    from agent_distill.index import make_plan
    last = rows[max(rows)]
    wiki = make_plan("pq", 21_015_324, 768)
    overhead = last["search"]["bytes_after"] * max(rows) / make_plan("pq", max(rows), 384).memory
    return dict(sizes=rows, real=len(prefix_real(cache)), wiki=dict(
        plan_gb=wiki.memory / 1e9, resident_to_plan=overhead, projected_gb=wiki.memory * overhead / 1e9,
        flat_gb=4 * 768 * 21_015_324 / 1e9))


def prefix_real(cache):
    from agent_distill.index import flat_vectors
    return flat_vectors(cache / "text" / "index.faiss")


# --- serving ------------------------------------------------------------------------------------------

def store(cache, n):
    "Passages for n vectors: the real ones, then rows that say of which one they are a variation"
    from agent_distill.passages import Corpus, Passage, PassageStore, load_passages, write_passages
    real = load_passages(DATA / "hotpotqa_passages.jsonl")
    every = (real[i] if i < len(real) else Passage(f"synthetic-{i}", f"Synthetic {i}", real[i % len(real)].text[:300])
             for i in range(n))
    write_passages(Corpus("bench", lambda: enumerate(every, 1), str), cache / f"store-{n}")
    return PassageStore(cache / f"store-{n}")


def step_ours(cache, n):
    "Our server over the compressed index"
    from agent_distill.index import open_index
    from agent_distill.retrieval import Embedder, Retriever
    from agent_distill.serve import listen, serve_on
    embedder = Embedder(device="cpu")
    embedder.dim
    retriever = Retriever(store(cache, n), open_index(cache / f"pq-{n}"), embedder, merge=True)
    with contextlib.suppress(KeyboardInterrupt): serve_on(listen("127.0.0.1", PORT), retriever)


def step_published(cache, n):
    "A server as the published one works: an exact index, and each query embedded and searched by itself"
    import faiss, fastapi, threading, uvicorn
    from pydantic import BaseModel
    from agent_distill.passages import to_contents
    from agent_distill.retrieval import Embedder
    passages, embedder, lock = store(cache, n), Embedder(device="cpu"), threading.Lock()
    index, app = faiss.read_index(str(million(cache))), fastapi.FastAPI()
    class Request(BaseModel):
        queries: list[str]
        topk: int | None = None
        return_scores: bool = False
    def one(query, k):
        with lock: scores, rows = index.search(embedder.encode_queries([query]), k)
        return [dict(document=dict(id=passages[i].id, contents=to_contents(passages[i])), score=float(s))
                for s, i in zip(scores[0], rows[0])]
    @app.get("/health")
    def health(): return dict(status="ok")
    @app.post("/retrieve")
    def retrieve(r: Request): return dict(result=[one(q, r.topk or 3) for q in r.queries])
    embedder.dim
    uvicorn.run(app, port=PORT, log_level="warning")


PORT = 8631


async def load(asked, clients, seconds):
    "So many clients, each with one question at a time; seconds of each request"
    import aiohttp
    times, queue, stop = [], iter(asked), time.perf_counter() + seconds
    async def client(session):
        for q in queue:
            if time.perf_counter() > stop: return
            start = time.perf_counter()
            body = dict(queries=[q], topk=3, return_scores=True)
            async with session.post(f"http://127.0.0.1:{PORT}/retrieve", json=body) as reply:
                assert reply.status == 200 and len((await reply.json())["result"][0]) == 3
            times.append(time.perf_counter() - start)
    connector, timeout = aiohttp.TCPConnector(limit=clients), aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        start = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return times, time.perf_counter() - start


def ready(process, seconds=300):
    "Wait until the server answers"
    import httpx
    for _ in range(seconds * 5):
        if process.poll() is not None: sys.exit("the server ended")
        try: return httpx.get(f"http://127.0.0.1:{PORT}/health", timeout=2).json()
        except httpx.HTTPError: time.sleep(.2)
    sys.exit("the server did not start")


def measure_server(step, cache, n, clients, seconds):
    "Requests a second, and the 50th and 99th percentile of their milliseconds"
    process = subprocess.Popen([sys.executable, __file__, "--cache", str(cache), "--step", step,
                                "--n", str(n), "--largest", str(LARGEST)])
    try:
        ready(process)
        # never the same question twice: what a server remembers does not count
        asked = [f"{q} ({i})" for i in range(40) for q in questions()[0]]
        asyncio.run(load(asked[:clients], clients, 60))
        times, wall = asyncio.run(load(asked[clients:], clients, seconds))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    return dict(requests=len(times), qps=len(times) / wall, p50=p50, p99=p99)


def served(cache, clients=64):
    "64 clients against both servers, one after the other"
    million(cache), store(cache, LARGEST)
    if not (cache / f"pq-{LARGEST}" / "index.json").exists(): in_process("build", cache, LARGEST)
    rows = {s: measure_server(s, cache, LARGEST, clients, SECONDS) for s in ("published", "ours")}
    return dict(servers=rows, clients=clients, vectors=LARGEST, ratio=rows["ours"]["qps"] / rows["published"]["qps"])


# --- the report ---------------------------------------------------------------------------------------

def show_text(r):
    print(f"\nreal text: {r['passages']:,} passages, {r['questions']:,} questions, recall of gold titles")
    print(f"{'':26}" + "".join(f"{f'@{k}':>22}" for k in KS))
    cell = lambda o: f"{o[0]:.3f} ({o[1]:.3f}-{o[2]:.3f})"
    for name, row in r["recall"].items(): print(f"{name:26}" + "".join(f"{cell(row[k]):>22}" for k in row))
    for name, row in r["paired"].items():
        print(f"{name:26}" + "".join(f"{o['difference']:+.3f} p={o['p']:.1g}".rjust(22) for o in row.values()))
    print("passages a core second:", {k: v and round(v, 1) for k, v in r["embedder"].items()})


def show_growth(r):
    print(f"\nexact and compressed; {r['real']:,} real vectors, the rest synthetic around them; one core")
    print(f"{'vectors':>10} {'recall@3':>9} {'codes alone':>12} {'bytes/passage exact':>20} {'compressed':>11} "
          f"{'searches/s exact':>17} {'compressed':>11} {'batched':>9} {'compressed':>11} {'build s':>8} {'peak MB':>8}")
    for n, o in r["sizes"].items():
        e, b, s = o["exact"], o["build"], o["search"]
        print(f"{int(n):10,} {s['recall3']:9.3f} {s['recall3_codes_alone']:12.3f} {e['bytes']:20.0f} {s['bytes_after']:11.1f} "
              f"{e['one']:17.1f} {s['one']:11.1f} {e['batch']:9.1f} {s['batch']:11.1f} {b['seconds']:8.1f} {b['peak_mb']:8.0f}")
    print("21 M passages of 768 numbers:", {k: round(v, 2) for k, v in r["wiki"].items()})


def show_served(r):
    print(f"\nserved: {r['clients']} clients, {r['vectors']:,} vectors")
    for name, o in r["servers"].items():
        print(f"{name:10} {o['qps']:8.1f} queries/s   p50 {o['p50']:8.0f} ms   p99 {o['p99']:8.0f} ms   ({o['requests']} requests)")
    print(f"ratio {r['ratio']:.1f}")


SECTIONS = dict(text=(text, show_text), growth=(growth, show_growth), served=(served, show_served))
STEPS = dict(exact=step_exact, build=step_build, search=step_search, ours=step_ours, published=step_published)


def main():
    global LARGEST, SECONDS
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=Path, required=True, help="scratch folder, kept between runs")
    p.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    p.add_argument("--largest", type=int, default=MILLION, help="vectors of the largest size")
    p.add_argument("--seconds", type=int, default=30, help="of load on each server")
    p.add_argument("--json", type=Path, default=ROOT / "nbs" / "recorded" / "retrieval.json")
    p.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    p.add_argument("--n", type=int, help=argparse.SUPPRESS)
    args = p.parse_args()
    LARGEST, SECONDS = args.largest, args.seconds
    args.cache.mkdir(parents=True, exist_ok=True)
    if args.step: return print(json.dumps(STEPS[args.step](args.cache, args.n)))
    found = json.loads(args.json.read_text()) if args.json.exists() else {}
    for name in args.only.split(","):
        measure, show = SECTIONS[name]
        found[name] = json.loads(json.dumps(measure(args.cache)))
        found[name]["machine"] = dict(cpus=os.cpu_count(), load=round(os.getloadavg()[0], 1))
        args.json.write_text(json.dumps(found, indent=1) + "\n")
        show(found[name])


if __name__ == "__main__": main()
