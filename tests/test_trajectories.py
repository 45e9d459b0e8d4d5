"Trajectories: rows, chat rows, error kinds, and the page in a real browser"
import base64, gzip, json, os, re, shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent_distill.actions import render_action
from agent_distill.page import page_data, write_page
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
    page = Tags(write_page({EVIL: [evil(), replace(evil(), steps=[])]}, tmp_path / "p.html", EVIL).read_text())
    assert page.tags.count("script") == 2 and not {"img", "svg", "iframe", "a"} & set(page.tags)
    assert not [k for k, _ in page.attrs if k.startswith("on") or k in ("src", "href", "srcdoc")]
    assert Tags(evil()._repr_html_()).tags.count("script") == 0


def test_a_notebook_shows_ballots_and_cuts(recorded):
    t = next(t for t in recorded if any(len({c["code"] for c in s.candidates}) > 2 for s in t.steps))
    html = t._repr_html_()
    assert "<details>" in html and f"{len(t.steps[0].candidates)} candidates" in html and "votes for the winner" in html
    lists = html.count("<li class=chosen>")
    assert lists == sum(bool(s.candidates) for s in t.steps)
    assert "was shortened from 900 to 200 characters" in evil()._repr_html_()


def test_page_is_self_contained_and_holds_each_text_once(tmp_path):
    ts = [made(i, score=s) for i, s in enumerate((1.0, 0.0, None, 1.0))]
    text = write_page({"agent": ts, "cot": ts[:1]}, tmp_path / "p.html").read_text()
    assert "http" not in text.replace("http-equiv", "") and 'name="viewport"' in text
    data = json.loads(gzip.decompress(base64.b64decode(re.search('id="data">([^<]*)<', text)[1])))
    assert data == page_data({"agent": ts, "cot": ts[:1]}) and len(set(data["texts"])) == len(data["texts"])
    assert [[t["v"] for t in q["t"]] for q in data["questions"]] == [["right"] * 2, ["wrong"], ["unscored"], ["right"]]


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


def ready(page):
    page.wait_for_selector("#rows .row, #open article")
    return page


def test_filters_in_chromium(open_page, tmp_path, recorded):
    names = Step("", "", "Error: NameError: y", "error")
    ts = [made(0, "mini-hotpot", 1.0), made(1, "mini-hotpot", 0.0, "final", "Oslo", names), made(2, "mini-gsm", 1.0, "final", "7", names),
          made(3, "mini-gsm", 0.0, "max_steps", None)]
    other = [replace(ts[0], score=0.0), ts[1]]
    page = ready(open_page(write_page({"agent": ts, "other": other}, tmp_path / "p.html")))
    def pick(**values):
        for k in "m", "b", "v", "e": page.select_option(f"#{k}", values.get(k, ""))
        return page.locator(".row").count(), page.inner_text("#count")
    assert pick() == (4, "4 of 4 questions, 6 trajectories, 2 right")
    assert pick(m="agent") == (4, "4 of 4 questions, 4 trajectories, 2 right")
    assert pick(m="agent", b="mini-gsm") == (2, "2 of 4 questions, 2 trajectories, 1 right")
    assert pick(m="other", v="wrong")[0] == 2 and pick(v="disagree")[0] == 1
    assert pick(m="agent", e="NameError")[0] == 2 and pick(m="agent", e="no answer")[0] == 1
    assert page.evaluate("location.hash") == "#m=agent&e=no%20answer"
    pick()
    page.fill("#q", "PERSON 3")
    assert page.locator(".row").count() == 1 and "person 3" in page.inner_text(".row")
    page.fill("#q", "nobody wrote this")
    assert page.is_visible("#none") and page.heard == []


def test_an_address_holds_the_view(open_page, tmp_path):
    ts = [made(0, score=1.0), made(1, score=0.0)]
    path = write_page({"a+b": ts, "c": ts[:1]}, tmp_path / "p.html")
    page = ready(open_page(path))
    def at(hash):
        page.goto("about:blank")
        page.goto(path.as_uri() + hash)
        return ready(page)
    assert at("#m=a+b&v=wrong").locator(".row").count() == 1 and page.input_value("#m") == "a+b"
    page.click(".row")
    assert page.evaluate("location.hash") == "#m=a%2Bb&v=wrong&t=mini-hotpot/q1"
    page.go_back()
    page.wait_for_selector(".row")
    at("#t=mini-hotpot/q0/a+b")
    assert page.locator("article").count() == 2 and page.inner_text("article.at h3") == "✓ a+b"
    assert at("#t=gone").locator(".row").count() == 2   # what is not there opens nothing


def test_keys_in_chromium(open_page, tmp_path):
    ts = [made(i, score=float(i % 2)) for i in range(200)]
    page = ready(open_page(write_page({"a": ts, "c": ts}, tmp_path / "p.html")))
    def press(*keys):
        for k in keys: page.keyboard.press(k)
        return page.evaluate("location.hash")
    assert 0 < page.locator(".row").count() < 60   # only those in sight
    assert press("j", "j", "ArrowDown", "k", "Enter") == "#t=mini-hotpot/q2"
    page.wait_for_selector("#open article")
    assert press("j") == "#t=mini-hotpot/q3" and press("l", "l") == "#t=mini-hotpot/q3/c"
    assert press("k") == "#t=mini-hotpot/q2/c" and press("Escape") == "" and page.is_visible("#rows")
    press(*["j"] * 60)
    y = page.evaluate("document.querySelector('.row.at').getBoundingClientRect().bottom")
    assert 0 < y < page.viewport_size["height"] + 1   # the page went along
    press("/", *"person 19", "Escape", "?")
    page.locator(".row >> nth=10").wait_for()   # the page grew shorter, and scrolls before it draws
    assert page.locator(".row").count() == 11 and page.is_visible("#help")
    press("Escape")
    assert not page.is_visible("#help") and page.heard == []


def test_an_open_question_shows_the_methods_side_by_side(open_page, tmp_path, recorded):
    voted, cot = recorded[0], replace(recorded[0], steps=[])
    page = ready(open_page(write_page({"sag": [voted], "cot": [cot]}, tmp_path / "p.html")))
    page.click(".row")
    assert page.locator("article").count() == 2 and page.locator(".candidate").count() == 0
    page.click(".step summary >> nth=0")
    page.wait_for_selector(".candidate.chosen")
    assert page.is_visible(".said")
    def corners(): return [(b["x"], b["y"]) for b in (page.locator("article").nth(i).bounding_box() for i in (0, 1))]
    (x, y), (x2, y2) = corners()
    assert x < x2 and y == y2
    page.set_viewport_size(dict(width=390, height=844))
    (x, y), (x2, y2) = corners()
    assert x == x2 and y < y2 and page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    page.wait_for_selector(".row")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and page.heard == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_of_texts_can_be_read(open_page, tmp_path, recorded, scheme):
    page = ready(open_page(write_page({"a": recorded}, tmp_path / "p.html")))
    page.emulate_media(color_scheme=scheme)
    values = page.evaluate("""() => { const css = getComputedStyle(document.documentElement)
        return Object.fromEntries(['back','soft','seen','on','ink','pale','right','wrong','link'].map(k => [k, css.getPropertyValue('--' + k).trim()])) }""")
    def light(h):
        h = h[1:] if len(h) == 7 else "".join(c * 2 for c in h[1:])
        parts = [int(h[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        return sum(w * (p / 12.92 if p <= .04045 else ((p + .055) / 1.055)**2.4) for w, p in zip((.2126, .7152, .0722), parts))
    for ink in "ink", "pale", "right", "wrong", "link":
        for back in "back", "soft", "seen", "on":
            high, low = sorted((light(values[ink]), light(values[back])), reverse=True)
            assert (high + .05) / (low + .05) >= 4.5, (ink, back)


def test_hostile_text_does_not_run_in_chromium(open_page, tmp_path):
    page = ready(open_page(write_page({EVIL: [evil(), replace(evil(), steps=[])]}, tmp_path / "p.html", EVIL)))
    for k in "m", "b", "v", "e":
        for value in page.eval_on_selector_all(f"#{k} option", "os => os.map(o => o.value)"):
            page.select_option(f"#{k}", value)
        page.select_option(f"#{k}", "")
    page.click(".row")
    assert page.locator("article").count() == 2
    page.eval_on_selector_all("details", "ds => ds.forEach(d => d.open = true)")
    page.locator("article h3 a").first.click()
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None and page.heard == []
    assert "<script>alert(1)" in page.inner_text("article.at")   # it is there, as text
    page.reload()   # its address leads back to it
    assert "<script>alert(1)" in ready(page).inner_text("article.at") and page.heard == []


def test_two_thousand_trajectories_are_few_elements(open_page, tmp_path, recorded):
    many = [replace(recorded[i % 6], score=float(i % 4 == 0), question=replace(recorded[i % 6].question, id=str(i))) for i in range(2000)]
    page = ready(open_page(write_page({"agent": many}, tmp_path / "p.html")))
    page.select_option("#v", "right")
    assert page.inner_text("#count") == "500 of 2000 questions, 500 trajectories, 500 right"
    assert page.locator("*").count() < 1000
