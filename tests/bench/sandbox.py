"""The branching sandbox against smolagents' LocalPythonExecutor and a fresh Python per candidate.

    pip install smolagents
    python tests/bench/sandbox.py [--rounds 10] [--json FILE]

One run, interleaved, eight candidates a round; prints the median milliseconds by the clock and the
ratios. Nothing is asserted: the clock belongs to the machine. Without smolagents that column is empty.
"""
import argparse, json, os, platform, statistics, subprocess, sys, time

from agent_distill.sandbox import Sandbox

N = 8
CODES = {
    "trivial": "x = 1 + 1\nx",
    "loop of 1e5": "total = 0\nfor i in range(100000):\n    total = total + i * i\ntotal",
    "sympy solve": "import sympy\nx = sympy.Symbol('x')\nsympy.solve(x**2 - 5*x + 6, x)",
}


def timed(run):
    "Milliseconds by the clock"
    t0 = time.perf_counter()
    run()
    return (time.perf_counter() - t0) * 1e3


def forked(session, code):
    "A round as an agent has it: eight candidates, the first one kept"
    outcomes = session.try_all([code] * N)
    assert all(o.status == "ok" for o in outcomes), outcomes[0]
    session.commit(outcomes[0])


def fresh(code):
    "A Python for each candidate; it does not even have the session's state"
    for _ in range(N): subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def local_executor():
    "smolagents' interpreter, run eight times in one state; None when it is not installed"
    try: from smolagents.local_python_executor import LocalPythonExecutor
    except ImportError: return None
    executor = LocalPythonExecutor(["numpy.*", "sympy.*", "sympy"])
    executor.send_tools({})
    def run(code):
        for _ in range(N): executor(code)
    return run


def measure(code, session, local, rounds):
    "Median milliseconds of each way, rounds interleaved; fresh Pythons fewer times, they are slow"
    ways = {"forks": lambda: forked(session, code), "fresh Python": lambda: fresh(code)}
    if local: ways["LocalPythonExecutor"] = lambda: local(code)
    for run in ways.values(): run()   # first uses fill caches
    times = {k: [] for k in ways}
    for i in range(rounds):
        for name, run in ways.items():
            if name == "forks" or i < max(3, rounds // 3): times[name].append(timed(run))
    return {k: statistics.median(v) for k, v in times.items()}


def sizes(sandbox, rounds, megabytes=(0, 100, 400), counts=(1, 2, 4, 8, 16)):
    "Median milliseconds of a round of `counts` trivial candidates with so much state"
    found = {}
    for mb in megabytes:
        with sandbox.session() as s:
            s.run(f"state = b'x' * ({mb} << 20); x = 0")
            for n in counts:
                def round(): s.commit(s.try_all(["x = x + 1"] * n)[0])
                found[f"{mb} MB, {n}"] = statistics.median(timed(round) for _ in range(rounds))
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=10)
    p.add_argument("--json", help="write the figures here")
    args = p.parse_args()
    local = local_executor()
    if local is None: print("smolagents is not installed (pip install smolagents): its column is empty\n")
    with Sandbox() as sandbox:
        with sandbox.session() as s: rows = {k: measure(c, s, local, args.rounds) for k, c in CODES.items()}
        branch = sizes(sandbox, args.rounds)
    print(f"{N} candidates a round, median ms; {os.cpu_count()} CPUs, Python {platform.python_version()}, "
          f"load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':14} {'forks':>8} {'LocalPythonExecutor':>28} {'fresh Python':>22}")
    for name, row in rows.items():
        def cell(k): return f"{row[k]:.1f} ({row[k] / row['forks']:.1f} x)" if k in row else "-"
        print(f"{name:14} {row['forks']:8.1f} {cell('LocalPythonExecutor'):>28} {cell('fresh Python'):>22}")
    print("\nstate, candidates -> ms a round:", {k: round(v, 1) for k, v in branch.items()})
    if args.json:
        with open(args.json, "w") as f: json.dump(dict(rounds=rows, sizes=branch, load=os.getloadavg()), f, indent=1)


if __name__ == "__main__": main()
