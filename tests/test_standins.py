"Every chapter under the profiles for real models, from another folder, with stand-ins for what they would download"
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import standins

from agent_distill.questions import COMMIT, PAPER

DATA = Path(os.environ.get("AGENT_DISTILL_DATA", Path(__file__).parents[2] / "shared/data"))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *a): pass


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    "Models and passages; with the paper's question files where they are, else with two questions of ours for each"
    folder = tmp_path_factory.mktemp("standins")
    standins.make(folder, DATA if (DATA / "benchmarks").is_dir() else None)
    return folder


@pytest.fixture
def env(made, tmp_path):
    "Questions come from a local server in the repository's layout, if their hashes are the real ones"
    env = {k: v for k, v in os.environ.items() if not k.startswith("AGENT_DISTILL")} | dict(NO_PROXY="127.0.0.1")
    if (made / "data").is_dir():
        yield env | dict(AGENT_DISTILL_DATA=str(made / "data"))
        return
    site = tmp_path / "site"
    for p in PAPER.values():
        to = site / "Nardien/agent-distillation" / COMMIT / "data_processor" / p.path
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / "benchmarks" / p.file, to)
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield env | dict(AGENT_DISTILL_MIRROR=f"http://127.0.0.1:{http.server_port}", AGENT_DISTILL_CACHE=str(tmp_path / "cache"))
    http.shutdown()


def test_a_colab_run_ends_with_its_table(made, env, tmp_path):
    "All chapters, two questions a benchmark; folders are named as they lie below the caller's"
    changes = dict(teacher="teacher", student="student", corpus="passages.jsonl", embedder="all-MiniLM-L6-v2", engine="transformers",
                   sft="trl", max_new_tokens=48, cot_max_new_tokens=64, sag_n=2)
    line = [sys.executable, "-c", "import sys; from agent_distill.cli import main; sys.exit(main())", "run", "--profile", "colab",
            "--limit", "2", "--train-limit", "2", "--out", str(tmp_path / "run"), *(a for k, v in changes.items() for a in ("--set", f"{k}={v}"))]
    ran = subprocess.run(line, cwd=made, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "agent-distill+FTP+SAG" in ran.stdout and "olymmath" not in ran.stdout
    results = json.loads((tmp_path / "run/evaluation/results.json").read_text())
    assert results["in_domain"] == ["hotpotqa", "math500"] and results["cells"]["teacher-agent"]["hotpotqa"]["n"] == 2
    kept = json.loads((tmp_path / "run/teacher/manifest.json").read_text())["counts"]
    assert kept["plain"]["kept"] >= 2 and kept["cot"]["kept"] >= 2
    copies = sorted(p.stem for p in (tmp_path / "run/notebooks").glob("*.ipynb"))
    assert copies == sorted(p.stem for p in (tmp_path / "run/notebooks").iterdir()) and len(copies) == 11
    left = json.loads((tmp_path / "run/questions/manifest.json").read_text())["counts"]["left_out"]
    assert (made / "data").is_dir() or left["math-medium train"] == ["math-medium-124", "math-medium-519"]
