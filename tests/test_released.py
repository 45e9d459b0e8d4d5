"The published trajectories: odd and hostile rows, the names of tools, the hub, and the artifact that comes out"
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest

from agent_distill.agent import cot_prompt
from agent_distill.evaluation import METHODS, methods_of, scored
from agent_distill.profile import AgentDistillError, Artifact, get_profile, read_jsonl
from agent_distill.prompts import short_prompt
from agent_distill.questions import Question, save_questions
from agent_distill.released import (RELEASED, BadRow, Seen, agent_trajectory, cot_trajectory, find_source, our_action,
                                    our_ending, our_names, our_observation, read_rows, released_counts, source_files,
                                    sources_table, take_released, take_rows, turns_of)
from agent_distill.retrieval import search_tool
from agent_distill.teacher import PASSES, compare_yields, dataset_files, fate, fates_table, prefix_facts, read_runs

PROFILE = get_profile("colab", teacher="released", train_benchmarks=("hotpotqa", "math-medium"))
HOP = Question("hotpotqa-1", "hotpotqa", "fact", "Where was the director of Rain born?", "Lund")
HOP2 = Question("hotpotqa-2", "hotpotqa", "fact", "Who made Snow?", "Ada Brin")
SUM = Question("math-medium-1", "math-medium", "math", "What is\n$\\frac12+\\frac17$?", r"\frac{9}{14}")
QUESTIONS = [HOP, HOP2, SUM]
TOOLS = [search_tool(None)]
LOOK, LUND = 'docs = web_search(query="Rain film")\nprint(docs)', 'final_answer("Lund")'


# rows as smolagents writes them

def text(role, t): return dict(role=role, content=[dict(type="text", text=t)])
def says(thought, code): return text("assistant", f"Thought: {thought}\nCode:\n```py\n{code}\n```<end_code>")
def back(logs, value="None"): return text("tool-response", f"Call id: call_1\nObservation:\nExecution logs:\n{logs}\n"
                                                           f"Last output from code snippet:\n{value}")
def failed(why): return text("tool-response", f"Call id: call_1\nError:\n{why}\nNow let's retry: take care not to repeat "
                             "previous errors! If you have retried several times, try a completely different approach.\n")


def log(question, *messages):
    begin = [text("system", "You are an expert assistant."),
             text("user", f"New task:\n{question.question}\n\nIMPORTANT: Always provide a 'Thought:' sequence.")]
    return json.dumps(dict(messages=begin + list(messages), metadata={}))


def row(question, *messages, answer="Lund", **fields):
    return dict(question=question.question, generated_answer=answer, true_answer=question.answer, score=1,
                log_data=log(question, *messages)) | fields


DOCS = ('\nRetrieved documents:\n\n===== Document 0, similarity: 0.86 =====\n"Rain"\nRain is a film by Eva Lo.'
        '\n\n===== Document 1, similarity: 0.80 =====\n"Eva Lo"\nEva Lo was born in Lund.')
GOOD = row(HOP, says("I look it up.", LOOK), back(DOCS), says("It says Lund.", LUND), back("", "Lund"))


def taken(r, question=HOP, **how): return scored(agent_trajectory(r, question, "system", **how))


def test_a_row_becomes_our_trajectory():
    t = taken(GOOD)
    assert [m["role"] for m in t.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert t.messages[0]["content"] == "system" and t.messages[1]["content"] == HOP.question
    assert t.messages[2]["content"] == ('Thought: I look it up.\nCode:\n```py\ndocs = search(query="Rain film")\n'
                                        "print(docs)\n```<end_code>")
    assert t.messages[3]["content"] == ("Observation:\n[1] Rain: Rain is a film by Eva Lo.\n"
                                        "[2] Eva Lo: Eva Lo was born in Lund.")
    assert (t.answer, t.stop, t.score, fate(t), t.usage["searches"]) == ("Lund", "final", 1.0, "kept", 1)
    assert [s.outcome for s in t.steps] == ["ok", "final"]


def test_what_smolagents_itself_writes_is_read():
    memory = pytest.importorskip("smolagents.memory")
    from smolagents.monitoring import Timing
    call = memory.ToolCall("python_interpreter", LOOK, "call_1")
    step = memory.ActionStep(step_number=1, timing=Timing(0.0), tool_calls=[call], observations="Execution logs:\n" + DOCS +
                             "\nLast output from code snippet:\nNone", model_output=says("x", LOOK)["content"][0]["text"])
    end = memory.ActionStep(step_number=2, timing=Timing(0.0), model_output=says("y", LUND)["content"][0]["text"],
                            observations="Execution logs:\nLast output from code snippet:\nLund")
    steps = [memory.SystemPromptStep("You are ..."), memory.TaskStep(HOP.question), step, end]
    plain = [m.dict() for s in steps for m in s.to_messages()]
    assert {str(m["role"]) for m in plain} >= {"MessageRole.TOOL_CALL", "MessageRole.TOOL_RESPONSE"}
    messages = [dict(role=str(m["role"]), content=m["content"]) for m in plain]
    t = taken(dict(GOOD, log_data=json.dumps(dict(messages=messages))))
    assert t.messages == taken(GOOD).messages[:2] + t.messages[2:] and fate(t) == "kept"
    assert t.messages[3] == taken(GOOD).messages[3]


@pytest.mark.parametrize("role", ["MessageRole.ASSISTANT", "assistant", "ASSISTANT"])
@pytest.mark.parametrize("content", ["Thought: x\nCode:\n```py\nfinal_answer('Lund')\n```<end_code>",
                                     [dict(type="text", text="Thought: x\nCode:\n```py\nfinal_answer('Lund')\n```")]])
def test_roles_and_contents_in_either_form(role, content):
    assert fate(taken(row(HOP, dict(role=role, content=content)))) == "kept"


@pytest.mark.parametrize("messages,expected", [
    ([says("x", LOOK), back(DOCS), says("y", LUND), back("", "Rom")], "kept"),        # the answer is the column's
    ([says("x", LOOK), back(DOCS)], "out of steps"),                                  # cut after an observation
    ([says("x", LOOK), back(DOCS), says("y", "if 0:\n    final_answer(1)"), back("", "None")], "out of steps"),
    ([says("x", LOOK), failed("no network"), says("y", LUND), back("", "Lund")], "kept"),   # failed, then repaired
    ([text("assistant", "I do not know."), failed("Error in code parsing:\nno code"), says("y", LUND)], "parse error"),
    ([says("x", LUND), failed("Check failed")], "out of steps"),
    ([says("x", "print(1)"), back("1")] * 5 + [says("y", LUND)], "out of steps")])    # a sixth step
def test_fates(messages, expected): assert fate(taken(row(HOP, *messages))) == expected


@pytest.mark.parametrize("answer,expected", [("Rom", "wrong answer"), (None, "wrong answer"), (["Lund", "Rom"], "wrong answer"),
                                             ({"a": 1}, "wrong answer"), (42, "wrong answer"), ("lund.", "kept")])
def test_the_answer_is_judged_here(answer, expected):
    assert fate(taken(row(HOP, says("x", LUND), answer=answer, score="yes"))) == expected


def test_an_exact_formula_is_judged():
    r = row(SUM, says("x", 'final_answer("\\\\boxed{\\\\frac{9}{14}}")'), answer=r"\boxed{\frac{9}{14}}", score=None)
    assert fate(taken(r, SUM)) == "kept"


def test_steps_are_limited_by_the_profile():
    messages = [says("x", LOOK), back(DOCS), says("y", LUND)]
    assert [fate(taken(row(HOP, *messages), max_steps=n)) for n in (1, 2)] == ["out of steps", "kept"]


@pytest.mark.parametrize("data,why", [
    ("{\"messages\": [{\"role\"", "no JSON"), (None, "no JSON"), ("", "no JSON"), ("[]", "no JSON"), ("7", "no JSON"),
    ("[" * 100_000, "no JSON"), ({"messages": None}, "no JSON"), ('{"messages": []}', "begin with its question"),
    (log(HOP2, says("x", LUND)), "begin with its question"), (log(HOP), "no turn"),
    (log(HOP, back("1"), says("x", LUND)), "before the first turn"),
    (log(HOP, dict(role="robot", content="")), "role that is unknown"), (log(HOP, dict(role="assistant")), "without role"),
    (log(HOP, dict(role="assistant", content=[dict(type="image")])), "no text"),
    (log(HOP, dict(role="assistant", content=None)), "no text"), (log(HOP, "assistant"), "without role"),
    (log(HOP, says("x", "search = web_search\nsearch('a')"), says("y", LUND)), None),
    (log(HOP, says("x", "def search(q): return q"), says("y", LUND)), "takes a tool's name"),
    (log(HOP, says("x", "import web_search"), says("y", LUND)), "takes a tool's name"),
    (log(HOP, says("x", "print(web_search('a')"), says("y", LUND)), "no Python and names a tool")])
def test_damaged_rows_have_a_reason(data, why):
    if why is None: assert fate(taken(dict(GOOD, log_data=data))) == "kept"
    else:
        with pytest.raises(BadRow, match=why): taken(dict(GOOD, log_data=data))


# the tools' names

@pytest.mark.parametrize("code,ours", [
    ('print(web_search("web_search"))  # web_search', 'print(search("web_search"))  # web_search'),
    ("x = [web_search(q) for q in qs]; web_search (query='é' + web_search('a'))",
     "x = [search(q) for q in qs]; search (query='é' + search('a'))"),
    ("é = 1; print(é, web_search('é'))", "é = 1; print(é, search('é'))"),
    ("search = 1\nprint(search)", "search_value = 1\nprint(search_value)"),
    ("final_answer = 3\nfinal_answer(final_answer)", "final_answer_value = 3\nfinal_answer(final_answer_value)"),
    ("a\r\nweb_search(b)", "a\nsearch(b)"), ("a.web_search(web_search=1)", "a.web_search(web_search=1)"),
    ('x = """\nweb_search\n"""', 'x = """\nweb_search\n"""'), ("print(1", "print(1"), ("", "")])
def test_names_change_where_they_are_names(code, ours): assert our_names(code) == ours


def test_names_inside_f_strings():
    code = our_names('x = f"""\n{web_search("a")}: web_search"""')
    assert "search('a')" in code.replace('"', "'") and ": web_search" in code and "{web_search" not in code


@pytest.mark.parametrize("code", ["web_search = 1", "class final_answer: pass", "f = lambda search: 1", "import a as search"])
def test_code_that_takes_a_tools_name_is_refused(code):
    with pytest.raises(BadRow, match="takes a tool's name"): our_names(code)


def test_all_blocks_of_a_turn_were_run():
    turn = "Thought: a\n```py\nx = 1\n```\nand\n```python\nprint(x)\n```<end_code>\n```py\nnever\n```"
    assert our_action(turn).code == "x = 1\n\nprint(x)"


@pytest.mark.parametrize("texts,seen", [
    ([back("7\n")["content"][0]["text"]], Seen("7", "", "None")),
    ([back("", "7")["content"][0]["text"]], Seen("7", "", "7")),
    ([back("")["content"][0]["text"]], Seen("(no output)", "", "None")),
    (["Observation:\nExecution logs:\n1", failed("boom")["content"][0]["text"]], Seen("1\nError: boom", "boom")),
    ([], Seen("(no output)"))])
def test_observations(texts, seen): assert our_observation(texts) == seen


def test_a_long_observation_is_shortened():
    assert len(our_observation([back("x" * 50_000)["content"][0]["text"]]).text) < 4_100


# chains of thought

@pytest.mark.parametrize("said,task,ours", [
    ("So.\n<answer> Lund </answer>", "fact", "So.\nAnswer: Lund"), ("<answer>7</answer>", "math", "\\boxed{7}"),
    ("<answer>\\boxed{7}</answer>", "math", "\\boxed{7}"), ("<answer>Lund", "fact", "Answer: Lund"), ("7", "math", "7")])
def test_endings(said, task, ours): assert our_ending(said, task) == ours


def test_chains_of_thought_stand_in_either_column():
    said = "Rain is by Eva Lo.\n\n<answer>Lund</answer>"
    a = cot_trajectory(dict(response=said), HOP, "s")
    b = cot_trajectory(dict(log_data=json.dumps(dict(messages=[text("assistant", said)]))), HOP, "s")
    assert a == b and a.answer == "Lund" and fate(scored(a)) == "kept" and not a.steps
    for odd in ({}, dict(response=""), dict(response=7), dict(log_data="{")):
        with pytest.raises(BadRow): cot_trajectory(odd, HOP, "s")


# all rows

def test_each_row_and_each_question_is_counted_once():
    rows = [dict(GOOD, log_data="{"), GOOD, GOOD, None, [], "x", dict(GOOD, question="Else?"), dict(GOOD, question=None),
            {}, row(HOP2, says("\ud800", "final_answer(1)")),
            row(SUM, says("x", "final_answer(1)"), answer="1")]
    out = take_rows(rows, QUESTIONS, lambda r, q: agent_trajectory(r, q, "s"))
    assert [t.question.id for t in out.trajectories] == [HOP.id, SUM.id] and out.lost == [HOP2.id]
    assert out.rows == len(rows) == len(out.trajectories) + sum(out.bad.values())
    assert out.bad["a question that is not asked here"] == 3 and out.bad["no row"] == 3
    assert out.bad["a second row for a question"] == 1 and out.bad["a UnicodeEncodeError"] == 1
    counts = released_counts(out, {"kept": 1, "wrong answer": 1}, 4)
    assert counts == {"asked": 4, "kept": 1, "wrong answer": 1, "bad row": 1, "not released": 1}
    assert "bad row" in fates_table({"plain": counts})


def test_files_of_either_kind(tmp_path):
    import pyarrow, pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([GOOD, GOOD]), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD) + "\n{\n\n[1]\n")
    (tmp_path / "a.json").write_text(json.dumps([GOOD]))
    assert list(read_rows(tmp_path / "a.parquet")) == [GOOD, GOOD] and list(read_rows(tmp_path / "a.json")) == [GOOD]
    assert list(read_rows(tmp_path / "a.jsonl")) == [GOOD, None, [1]]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(AgentDistillError, match="cannot be read.*fetch it again"): list(read_rows(tmp_path / "b.parquet"))


# the hub, and a folder

def sets():
    "Rows of the three sets: the first question has a row in each, the second none, the sum one of two"
    begun = row(HOP, text("assistant", f"Thought: I need the director.\n\nThen the town.\nCode:\n```py\n{LOOK}\n```<end_code>"),
                back(DOCS), says("It says Lund.", LUND), back("", "Lund"))
    wrong = row(SUM, says("x", "final_answer(1)"), back("", "1"), answer="1")
    cot = dict(question=SUM.question, response="Add.\n\n<answer>\\boxed{\\frac{9}{14}}</answer>", score=True)
    return {"cot": [cot, None], "plain": [GOOD, wrong, dict(GOOD, question="Else?")], "ftp": [begun]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    "The sets in a folder of one's own"
    for name, rows in sets().items():
        at = tmp_path / "sets" / Path(RELEASED[name]).name / "data"
        at.mkdir(parents=True)
        (at / "train.jsonl").write_text("".join(json.dumps(r) + "\n" if r else "{torn\n" for r in rows))
    monkeypatch.setenv("AGENT_DISTILL_RELEASED", str(tmp_path / "sets"))
    return tmp_path / "sets"


def prepare(out, questions=QUESTIONS):
    art = Artifact(out / "questions", PROFILE).start()
    save_questions(questions, art.path("train.jsonl"))
    art.finish()
    return out


def test_the_artifact_is_chapter_6s(folder, tmp_path):
    out = prepare(tmp_path / "run")
    art = take_released(PROFILE, out, QUESTIONS, TOOLS, train_limit=2)
    counts = art.manifest["counts"]
    assert counts["plain"] == {"asked": 3, "kept": 1, "wrong answer": 1, "not released": 1}
    assert counts["ftp"] == {"asked": 3, "kept": 1, "not released": 2}
    assert counts["cot"] == {"asked": 3, "kept": 1, "not released": 2}
    facts = counts["released"]["plain"]
    assert facts["repo"] == RELEASED["plain"] and facts["left_out"] == {"a question that is not asked here": 1}
    assert counts["released"]["cot"]["left_out"] == {"no row": 1} and len(facts["files"]["data/train.jsonl"]["sha256"]) == 64
    assert {p.name for p in art.folder.iterdir()} == {"manifest.json", *PASSES.values(), *(f"{n}.jsonl" for n in PASSES)}
    [agent], [cot] = read_jsonl(art.path(PASSES["plain"])), read_jsonl(art.path(PASSES["cot"]))
    assert agent["messages"][0]["content"] == short_prompt(TOOLS) and "search(query: str)" in short_prompt(TOOLS)
    assert cot["messages"][0]["content"] == cot_prompt("examples", "math")
    runs = read_runs(out)
    assert runs["ftp"][0].prefix == "Thought: I need the director.\n\n"
    assert prefix_facts(runs["plain"])["searched"] == 1 and compare_yields(runs, QUESTIONS)[-1].diff.n == 3
    assert set(dataset_files(out)) == set(PASSES)
    (folder / Path(RELEASED["cot"]).name / "data/train.jsonl").unlink()
    assert take_released(PROFILE, out, QUESTIONS, TOOLS, train_limit=2).done     # nothing is read again


def test_no_row_for_any_question_is_an_error(folder, tmp_path):
    other = [Question("a", "b", "fact", "Why?", "so")]
    with pytest.raises(AgentDistillError, match="no published row.*train_benchmarks=hotpotqa"):
        take_released(PROFILE, prepare(tmp_path / "run", other), other, TOOLS)
    assert not (tmp_path / "run/teacher").exists()


def test_a_missing_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_DISTILL_RELEASED", str(tmp_path))
    with pytest.raises(AgentDistillError, match="folder of a published data set is missing"): find_source("cot")
    (tmp_path / Path(RELEASED["cot"]).name).mkdir()
    with pytest.raises(AgentDistillError, match="no Parquet or JSON"): find_source("cot")


class Hub(BaseHTTPRequestHandler):
    "As much of the hub as a data set needs"
    protocol_version = "HTTP/1.1"
    sha, files, card, cut = "c" * 40, {}, {"license": "apache-2.0"}, 0

    def log_message(self, *a): pass

    def reply(self, body, code=200, **headers):
        self.send_response(code)
        for k, v in {"Content-Length": str(len(body)), **headers}.items(): self.send_header(k, v)
        self.end_headers()
        if self.command == "GET": self.wfile.write(body)

    def do_GET(self):
        path = urlparse(self.path).path
        if path.startswith("/api/datasets/"):
            repo = "/".join(path.split("/")[3:5])
            rows = [dict(rfilename=n, size=len(b), blobId="0") for n, b in self.files.get(repo, {}).items()]
            if repo not in self.files: return self.reply(b"{}", 404, **{"X-Error-Code": "RepoNotFound"})
            return self.reply(json.dumps(dict(id=repo, sha=self.sha, siblings=rows, cardData=self.card, tags=[], private=False,
                                              disabled=False, downloads=0, likes=0)).encode())
        repo, name = path.split("/datasets/")[1].split(f"/resolve/{self.sha}/")
        body, head = self.files[repo][name], {"ETag": '"e1"', "X-Repo-Commit": self.sha, "Accept-Ranges": "bytes"}
        start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
        if start: return self.reply(body[start:], 206, **head, **{"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})
        if self.command == "GET" and Hub.cut:                    # the connection breaks in the middle, once
            Hub.cut -= 1
            self.send_response(200)
            for k, v in {**head, "Content-Length": str(len(body))}.items(): self.send_header(k, v)
            self.end_headers()
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
            return
        self.reply(body, **head)

    do_HEAD = do_GET


@pytest.fixture
def hub(tmp_path, monkeypatch):
    import io
    import pyarrow, pyarrow.parquet
    for name, rows in sets().items():
        to = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([r for r in rows if r]), to)
        Hub.files[RELEASED[name]] = {"README.md": b"# x", "data/train-00000-of-00001.parquet": to.getvalue()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for k in ("AGENT_DISTILL_RELEASED", "HF_TOKEN"): monkeypatch.delenv(k, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    yield server
    server.shutdown()


def test_from_the_hub(hub, tmp_path):
    source = find_source("plain")
    assert (source.revision, source.licence, list(source.files)) == (
        Hub.sha, "apache-2.0", ["data/train-00000-of-00001.parquet"])
    assert "apache-2.0" in sources_table({"plain": source}) and not (tmp_path / "cache").exists()   # only looked at
    art = take_released(PROFILE, prepare(tmp_path / "run"), QUESTIONS, TOOLS)
    facts = art.manifest["counts"]["released"]["ftp"]
    assert (facts["revision"], facts["licence"], facts["rows"]) == (Hub.sha, "apache-2.0", 1)
    assert art.manifest["counts"]["plain"] == {"asked": 3, "kept": 1, "wrong answer": 1, "not released": 1}


def test_a_cut_download_goes_on(hub, monkeypatch):
    monkeypatch.setattr(Hub, "cut", 1)
    [path] = source_files(find_source("plain"))
    assert path.read_bytes() == Hub.files[RELEASED["plain"]]["data/train-00000-of-00001.parquet"] and Hub.cut == 0


def test_a_set_without_licence_is_said(hub, monkeypatch):
    monkeypatch.setattr(Hub, "card", None)
    assert "| not stated |" in sources_table({"cot": find_source("cot")})


def test_a_set_of_gigabytes_is_refused(hub, monkeypatch):
    monkeypatch.setattr("agent_distill.released.MOST_MB", 0.001)
    with pytest.raises(AgentDistillError, match="more than 0.001.*AGENT_DISTILL_RELEASED"): source_files(find_source("cot"))


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense", None])
def test_no_network_is_one_error(hub, monkeypatch, endpoint):
    if endpoint: monkeypatch.setenv("HF_ENDPOINT", endpoint)
    else: monkeypatch.setattr(Hub, "files", {})
    with pytest.raises(AgentDistillError, match="cannot be fetched.*HF_ENDPOINT.*AGENT_DISTILL_RELEASED"): find_source("cot")


def test_there_is_no_teacher_to_ask():
    from agent_distill.servers import load_engine
    with pytest.raises(AgentDistillError, match="no teacher to ask"): load_engine(PROFILE, PROFILE.teacher)
    assert [m for m in METHODS if m not in methods_of(PROFILE)] == [METHODS[0]] and METHODS[0].name == "teacher-agent"


def test_the_chapter_stands_in_the_teachers_place(folder, tmp_path, monkeypatch):
    "A run with teacher=released executes chapter 06b; its folder is named as the caller sees it"
    pytest.importorskip("papermill")
    from agent_distill.pipeline import chapters, run
    assert [s.name for s in chapters(PROFILE) if s.artifact == "teacher"] == ["06b_released"]
    prepare(tmp_path / "run")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("AGENT_DISTILL_RELEASED", folder.name)
    student = Path(__file__).parent.parent / "agent_distill/lab/weights/student"
    spec = f"colab,teacher=released,train_benchmarks=hotpotqa+math-medium,student={student}"
    [done] = run(spec, str(tmp_path / "run"), only="teacher", progress=False)
    assert done.name == "06b_released" and Artifact.read(tmp_path / "run/teacher").manifest["counts"]["plain"]["kept"] == 1
    text = (tmp_path / "run/notebooks/06b_released.ipynb").read_text()
    assert "a folder of your own" in text and "not released" in text
