"Trajectories: rows, chat rows, error kinds, and the page in a real browser"
import json, os, shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent_distill.actions import render_action
from agent_distill.profile import AgentDistillError
from agent_distill.questions import Question
from agent_distill.trajectories import *

RECORDED = Path(__file__).resolve().parent.parent / "nbs" / "recorded" / "trajectories.jsonl"


@pytest.fixture
def recorded(): return [Trajectory.from_row(json.loads(line)) for line in RECORDED.read_text().splitlines()]


def made(i=0, bench="mini-hotpot", score=None, stop="final", answer="Kelden", *steps):
    q = Question(f"q{i}", bench, "fact", f"Where was person {i} born?", "Kelden")
    chat = [dict(role="system", content="s"), dict(role="user", content=q.question),
            dict(role="assistant", content=render_action("Now.", "final_answer('Kelden')"))]
    return Trajectory(q, chat, list(steps), answer, score, stop=stop)


# rows and exports

def test_rows_come_back(recorded):
    assert [Trajectory.from_row(json.loads(json.dumps(t.to_row()))) for t in recorded] == recorded


def test_chat_rows_are_what_trl_trains_on(recorded, tmp_path):
    from datasets import load_dataset
    from trl import is_conversational
    data = to_dataset(recorded)
    ended = [t for t in recorded if t.messages[-1]["role"] == "assistant"]
    assert 0 < len(data) == len(ended) < len(recorded) and data.column_names == ["id", "messages", "benchmark", "answer", "score"]
    assert data["messages"][0] == ended[0].messages and is_conversational(data[0])
    data.to_json(tmp_path / "rows.jsonl")
    again = load_dataset("json", data_files=str(tmp_path / "rows.jsonl"), split="train", cache_dir=str(tmp_path / "cache"))
    assert again["messages"][:] == data["messages"][:]


def test_a_row_must_end_with_the_assistant(recorded):
    lost = next(t for t in recorded if t.messages[-1]["role"] != "assistant")
    with pytest.raises(AgentDistillError, match="end with the assistant"): chat_row(lost)
    assert chat_row(made(), system="other")["messages"][0] == dict(role="system", content="other")


def test_students_can_be_trained_on_the_rows(recorded):
    "The mask of chapter 7 covers exactly the assistant's turns"
    from agent_distill.profile import get_profile
    from agent_distill.student import mask_row, student_tokenizer
    tokenizer = student_tokenizer(get_profile("mini"))
    row = to_dataset(recorded)[0]
    masked = mask_row(tokenizer, row["messages"])
    said = tokenizer.decode([i for i, l in zip(masked.ids, masked.labels) if l != -100])
    for m in row["messages"]: assert (m["content"] in said) == (m["role"] == "assistant")


# error kinds

@pytest.mark.parametrize("outcome, observation, kind", [
    ("error", "1\nError: NameError: name 'y' is not defined (line 2)", "NameError"),
    ("error", "Error: <script>: no", "error"), ("error", "nothing", "error"), ("timeout", "Error: TimeoutError: x", "timeout"),
    ("parse_error", "Error: no code", "parse_error"), ("ok", "Error: ValueError: only printed", "none"), ("crashed", "", "crashed")])
def test_error_kinds(outcome, observation, kind):
    assert error_kinds(made(0, "b", None, "final", "x", Step("", "", observation, outcome))) == [kind]


def test_how_it_ended_is_a_kind():
    assert error_kinds(made(stop="max_steps", answer=None)) == ["no answer"]
    assert error_kinds(made(stop="error", answer=None)) == ["engine error"]
    bad = Step("", "", "Error: NameError: x", "error")
    assert error_kinds(made(0, "b", None, "max_steps", None, bad, bad)) == ["NameError", "no answer"]


# HTML

class Tags(HTMLParser):
    "All tags and attributes of a page"
    def __init__(self, text):
        super().__init__()
        self.tags, self.attrs = [], []
        self.feed(text)
    def handle_starttag(self, tag, attrs): self.tags.append(tag); self.attrs += attrs


EVIL = ("\"'><script>alert(1);window.pwned=1</script><img src=x onerror=\"window.pwned=2\"></pre></details></style><svg onload=window.pwned=3>"
        "<iframe srcdoc='<script>parent.pwned=4</script>'></iframe><a href='javascript:window.pwned=5'>x</a> {{7*7}} ]]> \ud800 \x00")


def evil():
    "A trajectory with hostile text in every field"
    step = Step(EVIL, EVIL, "Error: Pwned" + EVIL, "error", [dict(thought=EVIL, code=EVIL, observation=EVIL, outcome=EVIL, votes=1, logprob=-.1,
                                                                 tokens=1, chosen=True)])
    return Trajectory(Question(EVIL, EVIL, "fact", EVIL, EVIL), [dict(role="assistant", content=EVIL)], [step], EVIL, stop=EVIL,
                      meta={"error": EVIL, "shortened": [dict(before=2, step=1, was=900, now=200)]})


def test_page_escapes_what_models_and_passages_say(tmp_path):
    page = Tags(write_page({EVIL: [evil(), replace(evil(), steps=[])]}, tmp_path / "p.html").read_text())
    assert page.tags.count("script") == 1 and not {"img", "svg", "iframe", "a"} & set(page.tags)
    assert not [k for k, _ in page.attrs if k.startswith("on") or k in ("src", "href", "srcdoc")]
    assert Tags(evil()._repr_html_()).tags.count("script") == 0


def test_a_notebook_shows_ballots_and_cuts(recorded):
    t = next(t for t in recorded if any(len({c["code"] for c in s.candidates}) > 2 for s in t.steps))
    html = t._repr_html_()
    assert "<details>" in html and f"{len(t.steps[0].candidates)} candidates" in html and "votes for the winner" in html
    lists = html.count("<li class=chosen>")
    assert lists == sum(bool(s.candidates) for s in t.steps)
    assert "was shortened from 900 to 200 characters" in evil()._repr_html_()


def test_page_is_self_contained_and_counts(tmp_path):
    ts = [made(i, score=s) for i, s in enumerate((1.0, 0.0, None, 1.0))]
    text = write_page({"agent": ts, "cot": ts[:1]}, tmp_path / "p.html").read_text()
    page = Tags(text)
    assert page.tags.count("article") == 5 and "http" not in text.replace("http-equiv", "")
    assert [json.loads(v) for k, v in page.attrs if k == "data-verdict"] == [["right"], ["wrong"], ["unscored"], ["right"], ["right"]]


# a real browser

@pytest.fixture(scope="module")
def browser():
    "Headless Chromium without a network"
    sync_api = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright, which [dev] installs")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path: pytest.skip("no Chromium on this machine (apt-get install chromium, or set CHROMIUM)")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    "Open a file; `page.heard` are its dialogs, errors, and requests for anything else"
    context = browser.new_context(offline=True)
    def show(path):
        page, url = context.new_page(), path.resolve().as_uri()
        page.heard = []
        page.on("dialog", lambda d: (page.heard.append(d.message), d.dismiss()))
        page.on("pageerror", lambda e: page.heard.append(str(e)))
        page.on("console", lambda m: page.heard.append(m.text) if m.type in ("error", "warning") else None)
        page.on("request", lambda r: page.heard.append(r.url) if r.url != url else None)
        page.goto(url)
        return page
    yield show
    context.close()


def visible(page): return page.locator("article:not([hidden])").count()


def test_filters_in_chromium(open_page, tmp_path, recorded):
    names = Step("", "", "Error: NameError: y", "error")
    ts = [made(0, "mini-hotpot", 1.0), made(1, "mini-hotpot", 0.0, "final", "Oslo", names), made(2, "mini-gsm", 1.0, "final", "7", names),
          made(3, "mini-gsm", 0.0, "max_steps", None)]
    page = open_page(write_page({"agent": ts, "recorded": recorded}, tmp_path / "p.html"))
    def pick(**values):
        for k in "method", "benchmark", "verdict", "error": page.select_option(f"#{k}", values.get(k, ""))
        return visible(page), page.inner_text("#count")
    assert pick() == (10, "10 shown, 4 right")
    assert pick(method="agent") == (4, "4 shown, 2 right")
    assert pick(method="agent", benchmark="mini-gsm") == (2, "2 shown, 1 right")
    assert pick(method="agent", verdict="wrong") == (2, "2 shown, 0 right")
    assert pick(method="agent", error="NameError") == (2, "2 shown, 1 right")
    assert pick(method="agent", error="no answer") == (1, "1 shown, 0 right")
    assert pick(method="agent", error="none") == (1, "1 shown, 1 right")
    assert pick(benchmark="mini-gsm", verdict="right", error="NameError", method="agent")[0] == 1
    pick()
    page.fill("#words", "PERSON 3")
    assert visible(page) == 1 and "person 3" in page.inner_text("article:not([hidden])")
    assert page.heard == []


def test_a_trajectory_opens_in_chromium(open_page, tmp_path, recorded):
    page = open_page(write_page({"sag": [recorded[0]]}, tmp_path / "p.html"))
    assert not page.is_visible(".step")
    page.click("article summary")
    assert page.is_visible(".step") and not page.is_visible(".step li")
    page.click(".step details summary")
    assert page.is_visible(".step li.chosen") and page.heard == []
    if folder := os.environ.get("SCREENSHOTS"): page.screenshot(path=f"{folder}/trajectory.png", full_page=True)


def test_hostile_text_does_not_run_in_chromium(open_page, tmp_path):
    page = open_page(write_page({EVIL: [evil(), replace(evil(), steps=[])]}, tmp_path / "p.html"))
    assert visible(page) == 2
    for k in "method", "benchmark", "verdict", "error":
        for value in page.eval_on_selector_all(f"#{k} option", "os => os.map(o => o.value)"):
            page.select_option(f"#{k}", value)
        page.select_option(f"#{k}", "")
    page.eval_on_selector_all("details", "ds => ds.forEach(d => d.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None and page.heard == []
    assert "<script>alert(1)" in page.inner_text("article")   # it is there, as text


def test_a_thousand_trajectories_are_filtered_at_once(open_page, tmp_path, recorded):
    many = [replace(recorded[i % 6], score=float(i % 3 == 0)) for i in range(1000)]
    page = open_page(write_page({"agent": many}, tmp_path / "p.html"))
    page.select_option("#verdict", "right")
    assert (visible(page), page.inner_text("#count")) == (334, "334 shown, 334 right")
    if folder := os.environ.get("SCREENSHOTS"): page.screenshot(path=f"{folder}/page.png")
