"A sweep: its points, what they share, that it goes on, and what it says at the end"
import functools
import itertools
import shutil

import nbformat
import numpy as np
import pytest

from agent_distill import sweep as sw
from agent_distill.cli import main
from agent_distill.compare import Answers, read_answers
from agent_distill.pipeline import Stage, run
from agent_distill.profile import AgentDistillError, Artifact, get_profile
from agent_distill.sweep import by_setting, change, change_rows, field_values, plan_rows, shared_stages, sweep_points

TOYS = Stage("01_questions", "questions"), Stage("08_evaluation", "evaluation")
QUESTIONS = """
from agent_distill.profile import Artifact, get_profile
art = Artifact(out_dir + "/questions", get_profile(profile), seed, limit=limit)
if not art.done:
    print("made")
    art.start().finish()
"""
EVALUATION = """
import random
from agent_distill.profile import Artifact, get_profile
from agent_distill.questions import Question
from agent_distill.trajectories import Trajectory
dial, rng = get_profile(profile), random.Random(seed)
art = Artifact(out_dir + "/evaluation", dial, seed, limit=limit).start()
for method in ("agent-distill", "agent-distill-sag"):
    rows = art.records(f"{method}/mini-gsm.jsonl")
    for i in range(30):
        right = rng.random() < (.3 + .08 * dial.sag_n if "sag" in method else .5)
        rows.append(Trajectory(Question(str(i), "mini-gsm", "math", "?", "12"), [], answer="12" if right else "13").to_row())
art.finish()
"""


def points(*changes, seeds=(0,), profile="mini"): return sweep_points(profile, field_values(changes), list(seeds))


@pytest.fixture(scope="module")
def nbs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbs")
    for name, code in (("01_questions", QUESTIONS), ("08_evaluation", EVALUATION)):
        nb = nbformat.v4.new_notebook(metadata=dict(kernelspec=dict(name="python3", display_name="python3", language="python")))
        params = 'profile = "mini"\nout_dir = ""\nseed = 0\nlimit = 0'
        nb.cells = [nbformat.v4.new_code_cell(params, metadata=dict(tags=["parameters"])), nbformat.v4.new_code_cell(code)]
        nbformat.write(nb, folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def toys(nbs, monkeypatch):
    monkeypatch.setattr(sw, "run", functools.partial(run, stages=TOYS, nbs=nbs, progress=False))


COMMAND = ["sweep", "--set", "sag_n=1,8", "--seeds", "0,1", "--limit", "30", "--out"]


@pytest.fixture(scope="module")
def done(nbs, tmp_path_factory):
    "A sweep that ran through, by the command, and what it said"
    import contextlib, io
    out = tmp_path_factory.mktemp("done") / "sweep"
    with pytest.MonkeyPatch.context() as m, contextlib.redirect_stdout(io.StringIO()) as said:
        m.setattr(sw, "run", functools.partial(run, stages=TOYS, nbs=nbs, progress=False))
        assert main([*COMMAND, str(out)]) == 0
    return out, said.getvalue()


def test_points_are_the_product_of_values_and_seeds(tmp_path):
    ps = points("sag_n=1,2,lr=1e-3", "lora_r=8,16", seeds=(0, 3))
    assert len(ps) == len({p.name for p in ps}) == 8
    assert {(p.profile.sag_n, p.profile.lora_r, p.seed) for p in ps} == set(itertools.product((1, 2), (8, 16), (0, 3)))
    assert all(p.profile.lr == 1e-3 for p in ps) and ps[0].name == "sag_n=1,lora_r=8,seed=0"
    (tmp_path / "b c").mkdir()
    assert points(f"student={tmp_path}/b c,mini-student")[0].name == "student=b-c,seed=0"


@pytest.mark.parametrize("argv, why", [
    (["--set", "sagn=1,2"], "no field 'sagn'"), (["--set", "sag_n=1,two"], "is no int"), (["--set", "sag_n=1,0"], "must be positive"),
    (["--set", "sag_n"], "names no values"), (["--set", "sag_n=1,,2"], "names no values"), ([], "compares nothing"),
    (["--set", "sag_n=4"], "compares nothing"), (["--set", "sag_n=1,01"], "would be the same"), (["--seeds", "1,1"], "would be the same"),
    (["--set", "benchmarks=mini-gsm,hotpoqa"], "unknown benchmark"), (["--profile", "huge", "--seeds", "0,1"], "unknown profile")])
def test_what_cannot_be_is_refused_before_any_work(argv, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *argv]) == 2
    assert why in capsys.readouterr().err and not any(tmp_path.iterdir())


@pytest.mark.parametrize("change_, shared", [
    ("sag_n=1,2", ["questions", "index", "teacher", "student"]), ("lora_r=8,16", ["questions", "index", "teacher"]),
    ("top_k=1,2", ["questions", "index"]), ("corpus=mini,hotpotqa", ["questions"]), ("n_train=4,5", [])])
def test_what_two_points_share(change_, shared, monkeypatch):
    monkeypatch.setattr(sw, "_check_names", lambda profile: None)   # hotpotqa would be looked up
    assert shared_stages(*points(change_)) == shared
    assert shared_stages(*points("concurrency=1", seeds=(0, 1))) == []


def test_a_dry_run_says_what_is_shared_and_writes_nothing(tmp_path, capsys):
    assert main(["sweep", "--set", "sag_n=1,2,4", "--seeds", "0,1", "--out", str(tmp_path / "s"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "6 runs, 0 finished. Of 30 artifacts of the others 16 are taken over, 14 are made." in said
    assert said.count("new") == 6 and not (tmp_path / "s").exists()


def test_each_point_is_a_run_and_takes_over_from_its_sibling(done):
    out, said = done
    assert sorted(p.name for p in out.iterdir()) == [f"sag_n={n},seed={s}" for n in (1, 8) for s in (0, 1)]
    for n, s in itertools.product((1, 8), (0, 1)):
        art = Artifact.read(out / f"sag_n={n},seed={s}" / "evaluation")
        assert (art.profile.sag_n, art.seed, art.config["limit"]) == (n, s, 30)
    made = Artifact.read(out / "sag_n=8,seed=0" / "questions").profile.sag_n
    assert made == 1, "taken over from the point before"
    assert "4 runs, 0 finished" in said.split("run 1 of 4")[0], "said before work begins"


def test_it_ends_in_a_comparison_over_seeds_and_says_where_runs_lie(done):
    out, said = done
    end = said.split("Right answers in percent, the mean of 2 seeds")[1]
    runs = by_setting(points("sag_n=1,8", seeds=(0, 1)), [read_answers(out / f"sag_n={n},seed={s}") for s in (0, 1) for n in (1, 8)])
    e = change(*runs.values(), "agent-distill+SAG")
    assert e.low > 0 and e.n == 30
    assert "[{:+.1f}, {:+.1f}]".format(100 * e.low, 100 * e.high) in end and "(the same)" in end
    for n, s in itertools.product((1, 8), (0, 1)): assert f"{out}/sag_n={n},seed={s}\n" in end


def test_a_second_start_goes_on(done, toys, tmp_path, capsys):
    out = shutil.copytree(done[0], tmp_path / "sweep")
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    assert main([*COMMAND, str(out)]) == 0
    assert "4 runs, 4 finished" in capsys.readouterr().out
    assert before == {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    shutil.rmtree(out / "sag_n=8,seed=1" / "evaluation")
    assert main([*COMMAND, str(out)]) == 0
    said = capsys.readouterr().out
    assert "4 runs, 3 finished" in said and "run 4 of 4: sag_n=8,seed=1" in said and said.count(" of 4: ") == 1
    Artifact.read(out / "sag_n=8,seed=1" / "evaluation")


def test_a_folder_of_another_sweep_is_refused(done, capsys):
    assert main([*COMMAND[:-1], "--limit", "4", "--out", str(done[0])]) == 2
    assert "limit = 30" in capsys.readouterr().err
    with pytest.raises(AgentDistillError, match="profile mini,sag_n=1"):
        plan_rows(points("sag_n=1,8", seeds=(0, 1), profile="mini,lr=1e-4"), done[0], dict(limit=30))


@pytest.mark.parametrize("argv, said", [(["--set", "sag_n=1,8"], "sag_n=8,seed=0 against "), (["--set", "sag_n=1", "--seeds", "0,1"], "nothing but their seed")])
def test_one_seed_or_one_setting_ends_as_compare_does(done, argv, said, tmp_path, monkeypatch, capsys):
    out = tmp_path / "sweep"
    for folder in done[0].iterdir():
        name = folder.name if "1,8" in argv[1] else folder.name.removeprefix("sag_n=1,")
        shutil.copytree(folder, out / name)
    assert main(["sweep", *argv, "--limit", "30", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "2 runs, 2 finished" in printed and said in printed


def test_a_stopped_sweep_says_how_to_go_on(toys, tmp_path, monkeypatch, capsys):
    from agent_distill.pipeline import Stopped
    def stop(*args, **kw): raise Stopped("08_evaluation")
    monkeypatch.setattr(sw, "run", stop)
    assert main([*COMMAND, str(tmp_path / "s")]) == 130
    assert f"To go on: agent-distill sweep --set sag_n=1,8 --out {tmp_path}/s --seeds 0,1 --limit 30" in capsys.readouterr().err


def test_a_change_is_by_question_and_seed():
    "Against numpy, on values where the questions stand in another order"
    rng, ids = np.random.default_rng(0), [str(i) for i in range(20)]
    profile = get_profile("mini", benchmarks=("mini-gsm",))
    def made(values, order):
        return [Answers("", profile, k, 0, {}, {"m": {"right answers": {"mini-gsm": {ids[i]: x[i] for i in order}}}}) for k, x in enumerate(values)]
    a, b = rng.integers(0, 2, (2, 3, 20)).astype(float)
    e = change(made(a, range(20)), made(b, range(19, -1, -1)), "m")
    assert e.value == pytest.approx((b - a).mean()) and e.low < e.value < e.high and e.n == 20
    assert change(made(a, range(20)), made(b, range(20)), "other") is None
    head, rows = change_rows({"x=1": made(a, range(20)), "x=2": made(a, range(20))})
    assert head == ["method", "x=1", "x=2"] and rows == [["m", f"{100 * a.mean():.1f}", f"{100 * a.mean():.1f} (the same)"]]
