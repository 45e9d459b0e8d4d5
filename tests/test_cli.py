"The command line: arguments, exit codes, and one clear error for each bad input."
import json, os, subprocess, sys, threading
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from agent_distill import cli
from agent_distill.actions import render_action
from agent_distill.agent import Scripted
from agent_distill.ask import answer
from agent_distill.cli import main, needs, parser
from agent_distill.pipeline import STAGES
from agent_distill.profile import PROFILES, AgentDistillError, Artifact
from agent_distill.sandbox import Sandbox
from agent_distill.servers import free_port

COMMAND = [sys.executable, "-c", "import sys; from agent_distill.cli import main; sys.exit(main())"]


def command(*args, **kw):
    return subprocess.run([*COMMAND, *map(str, args)], capture_output=True, text=True, timeout=300, **kw)


def one_error(capsys, *argv):
    "Run a command that must fail as the user's fault; its single line on stderr"
    assert main([str(a) for a in argv]) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("agent-distill: error: "), captured.err
    assert "Traceback" not in captured.err + captured.out
    return lines[0]


def finished(folder, **files):
    "A complete artifact of the mini profile"
    art = Artifact(folder, PROFILES["mini"]).start()
    for name, text in files.items(): art.path(name.replace("__", ".")).write_text(text)
    art.finish()
    return art


def test_importing_is_light():
    code = ("import sys, agent_distill.cli; print([m for m in ('torch', 'transformers', 'faiss', "
            "'matplotlib', 'datasets', 'papermill', 'rich', 'numpy', 'pandas') if m in sys.modules])")
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_console_script_and_version():
    script = Path(sys.executable).with_name("agent-distill")
    line = [str(script)] if script.exists() else COMMAND
    out = subprocess.run([*line, "--version"], capture_output=True, text=True)
    assert out.returncode == 0 and out.stdout.strip()


@pytest.mark.parametrize("argv", [
    [], ["dance"], ["run", "--limit", "-1"], ["run", "--train-limit", "ten"], ["ask"], ["run", "--seed", "1.5"],
    ["serve", "--port", "65536"], ["serve-model", "--port", "99999"], ["completion", "tcsh"]])
def test_wrong_arguments_end_in_2(argv, capsys):
    with pytest.raises(SystemExit) as e: main(argv)
    assert e.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["run", "report", "sweep", "ask", "chat", "serve", "serve-model", "doctor"])
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as e: main([name, "--help"])
    said = capsys.readouterr().out
    assert e.value.code == 0 and "--profile" in said and "--set FIELD=VALUE" in said


@pytest.mark.parametrize("argv", [["run"], ["ask", "Who?"], ["chat"], ["serve"], ["serve-model"], ["doctor"]])
def test_unknown_profile(argv, capsys, tmp_path):
    error = one_error(capsys, *argv, "--profile", "huge", "--out", tmp_path / "run")
    assert "'huge'" in error and all(name in error for name in PROFILES)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("argv", [["run"], ["ask", "Who?"], ["chat"], ["serve"], ["serve-model"], ["doctor"], ["report"]])
@pytest.mark.parametrize("change, why", [("sagn=4", "no field 'sagn'"), ("sag_n", "'sag_n' changes nothing"),
                                         ("sag_n=0", "sag_n=0 must be positive"), ("engine=vlm", "must be one of transformers, vllm")])
def test_a_change_that_cannot_be(argv, change, why, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert why in one_error(capsys, *argv, "--set", change)
    assert not any(tmp_path.iterdir())


def test_the_folder_of_a_run_is_named_after_what_was_changed(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    def place(*argv): return cli.shown(cli.out_of(parser().parse_args(["run", *argv])))
    assert place() == place("--set", "sag_n=8") == "runs/mini"
    assert place("--set", "sag_n=4", "--set", "lr=1e-4") == place("--profile", "mini,lr=0.0001,sag_n=4") == "runs/mini,sag_n=4,lr=0.0001"
    assert place("--set", "student=../../etc/x y") == "runs/mini,student=..-..-etc-x-y"
    assert place("--set", "lr=1e-4", "--out", "here") == "here"


def test_compare_wants_two_finished_runs(capsys, tmp_path):
    assert "name two" in one_error(capsys, "compare", tmp_path)
    assert "there is no run at" in one_error(capsys, "compare", tmp_path, tmp_path)
    finished(tmp_path / "index")
    assert "08_evaluation" in one_error(capsys, "compare", tmp_path, tmp_path)
    finished(tmp_path / "evaluation", results__json="{}")
    assert "nothing to compare" in one_error(capsys, "compare", tmp_path, tmp_path)


@pytest.mark.parametrize("width", [60, 80, 116])
def test_nothing_is_cut_off_on_a_narrow_terminal(width, monkeypatch):
    from agent_distill.compare import between_rows, pooled_rows, recorded_answers, spread_rows
    from agent_distill.results import recorded_runs
    monkeypatch.setenv("COLUMNS", str(width))
    first, other, *_ = runs = recorded_answers()
    results = recorded_runs()["mini"].results
    table, against, together = cli.results_text(results), cli.against_text(first, other), cli.together_text(runs)
    for text in (table, against, together):
        assert "\u2026" not in text and all(len(line) <= width for line in text.splitlines()[2:] if "─" in line or "[" in line)
    for row in results.cells.values():
        for e in row.values(): assert cli._cell(e).split("\n")[-1] in table
    for rows in (between_rows(first, other)[1], spread_rows(runs)[1]):
        text = against if len(rows[0]) == len(between_rows(first, other)[0]) else together
        for method, *cells in rows: assert method in text and all(part in text for c in cells for part in str(c).split(" ", 1))
    for claim, *_, estimate, verdict in pooled_rows(runs)[1]: assert estimate in together and verdict in together and all(w in together for w in claim.split())


def test_repeats_are_taken_together(tmp_path, capsys):
    from test_compare import PLAIN, SAG, answered
    for seed in (1, 2): answered(tmp_path / f"s{seed}", (seed == 1, 1, 0), seed=seed, methods=(PLAIN, SAG))
    answered(tmp_path / "other", (1, 1, 0), cli.get_profile("mini,lora_r=8"), methods=(PLAIN, SAG))
    assert main(["compare", *(str(tmp_path / f"s{s}") for s in (1, 2))]) == 0
    said = capsys.readouterr().out
    assert "2 runs that differ in nothing but their seed" in said and "SAG answers more" in said and "McNemar" not in said
    assert main(["compare", str(tmp_path / "s1"), str(tmp_path / "other")]) == 0
    said = capsys.readouterr().out
    assert "seed: 1 there, 0 here" in said and "lora_r: 64 there, 8 here" in said and "McNemar" in said


def test_reuse_of_nothing(capsys, tmp_path):
    error = one_error(capsys, "run", "--out", tmp_path / "run", "--reuse", tmp_path / "nowhere")
    assert "there is no run at" in error and "nowhere" in error and not (tmp_path / "run").exists()


def test_a_run_knows_its_own_profile(tmp_path):
    Artifact(tmp_path / "index", PROFILES["colab"]).start().finish()
    def chosen(*argv): return cli.of_run(parser().parse_args(["serve", "--out", str(tmp_path), *argv])).spec
    assert chosen() == "colab" and chosen("--set", "top_k=4") == "mini,top_k=4" and chosen("--profile", "paper") == "paper"


@pytest.mark.parametrize("change, why", [
    ("benchmarks=mini-gsm+hotpoqa", "unknown benchmark 'hotpoqa' (test)"), ("benchmarks=", "unknown benchmark ''"),
    ("train_benchmarks=math500", "unknown benchmark 'math500' (train)"), ("benchmarks=nowhere.jsonl", "question file not found"),
    ("in_domain=mini-hotpt", "'mini-hotpt', which is not tested"), ("corpus=wiki17", "there is no corpus 'wiki17'"), ("", "changes nothing"),
    ("teacher=no/such", "there is no teacher 'no/such' here"), ("student=models/missing/it", "there is no student 'models/missing/it' here"),
    ("embedder=nonsense", "there is no embedder 'sentence-transformers/nonsense' here"), ("engine=http://127.0.0.1:9/v1", "no server answers")])
def test_a_refused_run_leaves_nothing_behind(change, why, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert why in one_error(capsys, "run", "--set", change)
    assert not any(tmp_path.iterdir())


def test_a_model_is_looked_up_on_the_hub_without_being_loaded(monkeypatch):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from agent_distill.engines import check_model
    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *args): pass
        def do_GET(self):
            there = self.path == "/api/models/org/there"
            self.send_response(200 if there else 404)
            if not there: self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            self.wfile.write(b'{"id": "org/there"}' if there else b"{}")
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
        check_model("org/there")
        with pytest.raises(AgentDistillError, match="no student 'org/other' here, and the hub has none"): check_model("org/other", "student")
        hub.shutdown()
    with pytest.raises(AgentDistillError, match="the hub cannot be asked"): check_model("org/other")


def test_unwritable_out_dir(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    error = one_error(capsys, "run", "--out", tmp_path / "file" / "run")
    assert "cannot be written" in error and str(tmp_path / "file" / "run") in error and "--out" in error
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_dir_without_permission(capsys, tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot be written" in one_error(capsys, "run", "--out", tmp_path / "run")


def test_out_dir_among_the_chapters(capsys):
    nbs = Path(cli.__file__).parent.parent / "nbs"
    assert "among the chapters" in one_error(capsys, "run", "--out", nbs / "run")
    assert not (nbs / "run").exists()


def test_unknown_stage_names_the_stages(capsys, tmp_path):
    error = one_error(capsys, "run", "--from", "teecher", "--out", tmp_path / "run")
    assert "'teecher'" in error and all(s.name in error for s in STAGES)
    assert "exclude" in one_error(capsys, "run", "--from", "1", "--only", "2", "--out", tmp_path / "run")


def test_report_without_a_run(capsys, tmp_path):
    finished(tmp_path / "index")
    error = one_error(capsys, "report", "--out", tmp_path)
    assert "evaluation" in error and str(tmp_path) in error and "08_evaluation" in error


@pytest.mark.parametrize("argv", [["report", "--out"], ["ask", "Who?", "--out"], ["chat", "--out"], ["serve", "--port", "0", "--out"],
                                  ["ask", "Who?", "--method", "teacher", "--out"], ["compare", "runs/mini"], ["run", "--reuse"]])
def test_a_mistyped_run_is_answered_with_those_that_are_there(argv, capsys, tmp_path, monkeypatch):
    for name in ("mini", "other"): finished(tmp_path / "runs" / name / "index")
    monkeypatch.chdir(tmp_path)
    error = one_error(capsys, *argv, "runs/minni")
    assert f"there is no run at {tmp_path / 'runs/minni'}" in error and "agent-distill run" not in error
    assert error.index(str(tmp_path / "runs/mini,")[:-1]) < error.index(str(tmp_path / "runs/other")), "the likely one first"
    assert not (tmp_path / "runs" / "minni").exists()


def test_a_run_in_another_place_is_named(capsys, tmp_path, monkeypatch):
    "The default place is empty: the command that fills it is the remedy, or the run of that name that lies elsewhere"
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    error = one_error(capsys, "report")
    assert f"there is no run at {tmp_path / 'runs/mini'}" in error and "agent-distill run --profile mini" in error
    finished(tmp_path / "nbs" / "_runs" / "mini" / "evaluation")
    assert f"take one that is there: {tmp_path / 'nbs/_runs/mini'}" in one_error(capsys, "report")
    finished(tmp_path / "runs" / "mini" / "index")
    error = one_error(capsys, "report")
    assert "'evaluation' is missing" in error and f"{tmp_path / 'nbs/_runs/mini'}" in error


def test_report_of_a_damaged_results_file(capsys, tmp_path):
    finished(tmp_path / "evaluation", results__json="{")
    assert "results" in one_error(capsys, "report", "--out", tmp_path)
    (tmp_path / "evaluation" / "results.json").write_text("changed")
    assert "changed or cut short" in one_error(capsys, "report", "--out", tmp_path)


def test_ask_without_an_index(capsys, tmp_path):
    finished(tmp_path / "questions")
    main(["ask", "--out", str(tmp_path), "Who?"])
    captured = capsys.readouterr()
    assert "untrained" in captured.out  # it says which model would have answered
    assert "'index' is missing" in captured.err and "02_retrieval" in captured.err


def test_ask_rejects_empty_questions_and_unknown_methods(capsys, tmp_path):
    assert "empty" in one_error(capsys, "ask", "--out", tmp_path, "  ")
    error = one_error(capsys, "ask", "--out", tmp_path, "--method", "oracle", "Who?")
    assert "'oracle'" in error and "agent_ftp" in error


def test_ask_takes_the_distilled_student_if_it_is_whole(capsys, tmp_path):
    art = finished(tmp_path / "student" / "agent_ftp", adapter_config__json="{}")
    model, adapter, note = cli.choose_model("agent_ftp", tmp_path)
    assert (model, adapter, note) == ("student", str(art.folder), "")
    (art.folder / "adapter_config.json").unlink()
    assert "missing" in one_error(capsys, "ask", "--out", tmp_path, "Who?")


def test_ask_takes_the_address_of_a_server(capsys, tmp_path):
    assert "an address" in one_error(capsys, "ask", "--out", tmp_path, "--engine", "over there", "Who?")
    finished(tmp_path / "index")
    for argv in (["ask", "Who?"], ["chat"]):   # before the index is missed, which is there in real life and takes a while
        error = one_error(capsys, *argv, "--out", tmp_path, "--engine", f"http://127.0.0.1:{free_port()}/v1")
        assert "no server answers" in error and "serve-model" in error


def test_ask_joins_the_words_and_says_by_its_code_that_nothing_was_found(capsys, tmp_path, monkeypatch):
    asked = []
    @contextmanager
    def agent(*a, **kw):
        with Sandbox() as box:
            yield lambda text: asked.append(text) or answer(text, Scripted(render_action("", f"final_answer({said})")), box, PROFILES["mini"], say=str)
    monkeypatch.setattr(cli, "asker", agent)
    for said, code, words in ((repr("Oslo"), 1, "I did not find it"), ("6 * 7", 0, "Answer: 42")):
        assert main(["ask", "How", "much", "is", "-5", "+", "47?", "--out", str(tmp_path)]) == code
        assert words in capsys.readouterr().out and asked[-1] == "How much is -5 + 47?"


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed: tests/test_vllm.py starts it")
def test_serve_model_without_vllm(capsys, tmp_path):
    error = one_error(capsys, "serve-model", "--out", tmp_path, "--method", "student", "--port", "0")
    assert "vLLM is not installed" in error and "agent_distill[gpu]" in error
    assert "'oracle'" in one_error(capsys, "serve-model", "--out", tmp_path, "--method", "oracle")


def test_doctor_says_what_is_here_and_what_is_needed(tmp_path):
    done = command("doctor", "--out", tmp_path / "not" / "there")
    assert done.returncode == 0 and not done.stderr
    for word in ("cores", "GPU", "torch", "sandbox", *PROFILES): assert word in done.stdout
    assert not (tmp_path / "not").exists()


def test_needs_grow_with_the_profile():
    mini, colab, paper = (needs(PROFILES[n]) for n in ("mini", "colab", "paper"))
    assert mini.download == mini.gpu == 0 and mini.ram <= 4
    assert cli.index_gb(PROFILES["colab"])[0] > 0.35 and 0.35 < cli.corpus_gb("hotpotqa")[0] < cli.corpus_gb("hotpotqa")[1]   # half a million passages
    assert paper.gpu > colab.gpu > 10 and 3 < colab.ram < paper.ram < 8 and paper.disk > colab.disk > mini.disk


def test_the_line_to_go_on_with_reads_back(tmp_path):
    argv = ["run", "--profile", "colab", "--set", "lr=1e-4", "--set", "sag_n=2", "--out", "a folder/x", "--seed", "3",
            "--limit", "7", "--train-limit", "9", "--reuse", "runs/the old"]
    import shlex
    line = shlex.split(cli.run_line(parser().parse_args(argv)))
    assert line[0] == "agent-distill" and parser().parse_args(line[1:]) == parser().parse_args(argv)


def test_a_closed_pipe_is_no_error(tmp_path):
    done = subprocess.run(f'"{sys.executable}" -c "{COMMAND[2]}" doctor | head -1', shell=True,
                          capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line, found", [
    ("re", "report"), ("run --pr", "--profile"), ("run --profile s", "small"), ("run --set sag_", "sag_n= sag_temperature= sag_top_p="),
    ("run --from te", "teacher"), ("compare runs/", "runs/mini runs/other"), ("report --out el", "elsewhere"), ("chat --method te", "teacher"),
    ("index --kind pq", "pq pq-disk")])
def test_the_shell_completes(line, found, tmp_path):
    for name in ("runs/mini", "runs/other", "elsewhere"): (tmp_path / name).mkdir(parents=True)
    line = f"agent-distill {line}"
    env = dict(os.environ, _ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE_IFS="\n", _ARGCOMPLETE_SUPPRESS_SPACE="1",
               _ARGCOMPLETE_STDOUT_FILENAME=str(tmp_path / "found"))
    subprocess.run(COMMAND, cwd=tmp_path, env=env, timeout=60)
    assert (tmp_path / "found").read_text().split() == found.split()


def test_what_a_shell_reads_to_complete_the_command(capsys):
    assert main(["completion", "bash"]) == 0
    said = capsys.readouterr().out
    assert "agent-distill" in said and subprocess.run(["bash", "-n"], input=said, text=True).returncode == 0
