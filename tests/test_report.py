"A run as a document: what it says, that hostile names stay text, and that a part of a run is called one"
import csv
import io
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from agent_distill.actions import render_action
from agent_distill.agent import Scripted
from agent_distill.cli import main
from agent_distill.evaluation import METHODS, evaluate, summarise, write_evaluation
from agent_distill.profile import Artifact, Records, get_profile
from agent_distill.questions import Question
from agent_distill.report import FORMATS, Section, _md, _tex, _tex_cell, read_report, tidy, write_plots, written
from agent_distill.results import recorded_runs
from agent_distill.sandbox import Sandbox

NASTY = "</style></svg><script>alert(1)</script>--> $a_b$ $x | `c` [y](z) 50% & \\end{table} # é 漢 \ud800"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    "The recorded run as a run of its own"
    out = tmp_path_factory.mktemp("run")
    art = Artifact(out / "evaluation", get_profile("mini"), limit=0).start()
    art.path("results.json").write_text(recorded_runs()["mini"].results.to_json())
    art.finish()
    return out


@pytest.fixture(scope="module")
def nasty(run):
    "The same with names that were chosen to do harm"
    report = read_report(run)
    r = report.results
    names = {b: b + NASTY for b in r.in_domain + r.out_domain}
    results = replace(r, kind=NASTY, note=NASTY, in_domain=[names[b] for b in r.in_domain], out_domain=[names[b] for b in r.out_domain],
                      cells={m: {names.get(b, b): e for b, e in row.items()} for m, row in r.cells.items()})
    bad = Section(NASTY, NASTY, [NASTY, "b"], [[NASTY, NASTY], ["[x]", "* y"]])
    return replace(report, title=NASTY, partial=[NASTY], results=results, sections=[bad])


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href", "onload", "onerror", "action")]


def test_the_page_is_whole_and_asks_nobody_for_anything(run):
    page = written(read_report(run), "html")
    tags = Tags(page)
    assert tags.found.count("table") == 5 and tags.found.count("svg") == 9 and "script" not in tags.found
    assert not [l for l in tags.links if not l.startswith("#")]
    assert not re.search(r"url\((?!#)|@import|src=", page) and "default-src 'none'" in page
    svgs = re.findall(r"<svg.*?</svg>", page, re.S)
    assert all(ElementTree.fromstring(s).get("aria-label") for s in svgs) and "currentColor" in svgs[0]
    for text in ("mini-teacher", "seed 0", "UTC", "minutes", "transformers", "reproduced", "agent-distill+FTP+SAG", "n 50"): assert text in page
    assert "Partial" not in page


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_stay_text(nasty):
    page = written(nasty, "html")
    tags = Tags(page)
    assert "script" not in tags.found and tags.found.count("style") == 1 + tags.found.count("svg")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    page.encode()
    md = written(nasty, "md")
    assert "<script" not in md and not re.search(r"(?<!\\)\]\(z", md)
    for row in (l for l in md.splitlines() if l.startswith("|")): assert len(re.findall(r"(?<!\\)\|", row)) == 3
    rows = list(csv.DictReader(io.StringIO(written(nasty, "csv"))))
    assert {r["benchmark"][:12] for r in rows} >= {"mini-hotpot<", "mini-musique"} and all(r["partial"] == "True" for r in rows if r["method"])


def read_tex(text):
    "What LaTeX would print of our escapes"
    for command, sign in (("textbackslash", "\\"), ("textasciitilde", "~"), ("textasciicircum", "^"), ("textless", "<"),
                          ("textgreater", ">"), ("textbar", "|"), ("textasciigrave", "`")):
        text = text.replace("\\" + command + "{}", "\0" + str(ord(sign)) + "\0")
    text = re.sub(r"\\([&%$#_{}])", lambda m: f"\0{ord(m[1])}\0", text.replace("-{}-", "--").replace("-{}-", "--"))
    assert not re.search(r"[\\&%$#_{}~^]", text), text
    return re.sub("\0(\\d+)\0", lambda m: chr(int(m[1])), text)


@pytest.mark.parametrize("text", ["50% & $x_1^2$ #3 {a} ~ \\input{/etc/passwd} <b> | `c`", "a -- b --- c", "Größe é", NASTY.split(" 漢")[0]])
def test_tex_prints_what_was_meant(text):
    assert read_tex(_tex(text)) == text


def test_tables_for_latex_are_well_formed(nasty, run):
    assert _tex("漢\ud800 \n\t x") == "?? x"
    assert _tex_cell("72 [62, 80] n 50") == r"\shortstack{72 \\ {}[62, 80] \\ n 50}"
    for report in (nasty, read_report(run)):
        text = written(report, "tex")
        assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(report.sections)
        plain = re.sub(r"\\[\\{}&%$#_]", "", text.replace(r"\shortstack", ""))
        depth = 0
        for c in plain:
            depth += (c == "{") - (c == "}")
            assert depth >= 0
        assert depth == 0
        tables = re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.S)
        for table, s in zip(tables, report.sections):
            rows = [l for l in table.splitlines() if l != r"\midrule"]
            assert len(rows) == 1 + len(s.rows)
            for row in rows:
                assert row.startswith("{}") and row.endswith(r" \\") and not re.search(r"\\\\ *[\[*]", row)
                assert len(re.findall(r"(?<!\\)&", row)) == len(s.head) - 1


def test_each_number_has_a_row_of_its_own(run):
    r = recorded_runs()["mini"].results
    frame = tidy(read_report(run)).set_index(["method", "benchmark", "measure"])
    row = frame.loc[("agent-distill+SAG", "mini-2wiki", "right answers")]
    e = r.cells["agent-distill+SAG"]["mini-2wiki"]
    assert (row.value, row.low, row.high, row.n, row.domain) == (e.value, e.low, e.high, e.n, "out of domain")
    claims = frame[frame.verdict.notna()]
    assert set(claims.verdict) <= {"reproduced", "contradicted", "undecided"} and len(claims) == 9
    assert frame.loc[("agent-distill", "all", "tokens")].value > 1
    assert next(csv.reader(io.StringIO(written(read_report(run), "csv"))))[:8] == [
        "method", "benchmark", "domain", "measure", "value", "low", "high", "n"]


def test_markdown_of_the_tables(run):
    md = written(read_report(run), "md")
    e = recorded_runs()["mini"].results.cells["agent-distill"]["mini-gsm"]
    assert e.percent() in next(l for l in md.splitlines() if l.startswith("| agent-distill |"))
    assert [l for l in md.splitlines() if l.startswith("## ")][:2] == ["## Right answers", "## Claims"]
    assert _md("a*b_c") == r"a\*b_c"


@pytest.mark.filterwarnings("ignore:Glyph")
def test_plots_as_files_whatever_the_names(nasty, tmp_path):
    files = write_plots(nasty.results, tmp_path / "b")
    assert len({*files}) == 18 and all(p.stat().st_size and p.parent == tmp_path / "b" for p in files)
    for p in files:
        if p.suffix == ".svg": ElementTree.parse(p)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    "An evaluation of three questions, two methods, with a limit"
    out = tmp_path_factory.mktemp("toy")
    p = get_profile("mini,benchmarks=mini-hotpot")
    qs = [Question(str(i), "mini-hotpot", "fact", f"Capital {i}?", "Oslo") for i in range(3)]
    art = Artifact(out / "questions", p).start()
    art.path("test.jsonl").write_text("".join(json.dumps(q.__dict__) + "\n" for q in qs))
    art.finish()
    art = Artifact(out / "evaluation", p, limit=3).start()
    methods = tuple(m for m in METHODS if m.name in ("student-agent", "agent-distill"))
    oslo = Scripted(render_action("Oslo.", 'final_answer("Oslo")'))
    with Sandbox() as box:
        runs = evaluate(p, qs, lambda *a: oslo, box, lambda slug, b: Records(art.path(f"{slug}/{b}.jsonl")), methods)
    stopped = shutil.copytree(out, tmp_path_factory.mktemp("stopped") / "run")
    write_evaluation(art, summarise(runs, p, methods), runs)
    return out, stopped


def test_the_terminal_says_that_a_run_was_limited(toy, run, capsys):
    (run / "questions").mkdir()   # a report ends with a question
    shutil.copy(toy[0] / "questions/test.jsonl", run / "questions")
    for out, said in ((toy[0], True), (run, False)):
        assert main(["report", "--out", str(out)]) == 0
        assert ("Partial: At most 3 of 50 test questions" in capsys.readouterr().out) == said


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_limited_run_says_so(toy, kind):
    text = written(read_report(toy[0]), kind)
    assert "True" in text if kind == "csv" else "At most 3 of 50 test questions" in text and "Partial" in text


def test_a_stopped_run_shows_who_is_through(toy, capsys, tmp_path):
    out = shutil.copytree(toy[1], tmp_path / "run")
    path = out / "evaluation/agent-distill/mini-hotpot.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2]) + lines[2][:40])   # killed while it wrote
    report = read_report(out)
    assert list(report.results.methods) == ["student-agent"] and report.partial[0] == "The evaluation is not finished."
    assert "agent-distill" in report.results.note and "agent-distill" in path.parent.name
    assert path.read_text().endswith(lines[2][:40]), "a report writes nothing into a run"
    for text in (written(report, "md"), written(report, "html")): assert "not finished" in text and "answers are missing: " in text
    (out / "evaluation/student-agent/mini-hotpot.jsonl").unlink()
    assert main(["report", str(out), "--format", "md"]) == 2
    assert "'evaluation' is not finished" in capsys.readouterr().err


def test_the_command_writes_files(run, tmp_path, capsys):
    file = tmp_path / "page.html"
    assert main(["report", str(run), "--format", "html", "--out", str(file), "--plots", str(tmp_path / "plots")]) == 0
    names = {p.name for p in (tmp_path / "plots").iterdir()}
    assert {"all.png", "all.svg", "sweep.svg", "benchmark-mini-gsm-hard.png"} <= names and len(names) == 18
    assert file.read_text().startswith("<!doctype html>")
    assert str(file) in capsys.readouterr().out
    assert main(["report", str(run), "--out", str(tmp_path / "table.tex")]) == 0 and "booktabs" in (tmp_path / "table.tex").read_text()
    capsys.readouterr()
    assert main(["report", str(run), "--format", "md"]) == 0
    assert capsys.readouterr().out == written(read_report(run), "md")


@pytest.mark.parametrize("more, why", [(["--format", "docx"], "md, csv, tex, html"), (["--out", "x"], "does not say its format"),
                                       (["--out", "no/x.md"], "no such folder"), (["--plots", "taken/x"], "cannot be written")])
def test_what_the_command_refuses(run, more, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()
    assert main(["report", str(run), *more]) == 2
    said = capsys.readouterr().err
    assert why in said and "Traceback" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
