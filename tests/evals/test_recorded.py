"""Any chat model is measured without a line to it: prompts in a file, replies in another."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fake_engine import FakeEngine
from filled_store import filled_store
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from evals.recorded import RecordedChat, main, recorded_settings
from evals.recording import NoReplyError, Recording, key_of, read_prompts
from evals.run import WAITING
from evals.run import main as run
from evals.table import read_columns
from rag.engine import Rag
from rag.errors import InputError
from rag.models.choice import model_label
from rag.models.conversation import Conversation
from rag.models.tokens import count_openai_tokens
from rag.settings import Settings

pytestmark = pytest.mark.slow

ARTICLES = {
    "harbour.txt": "Im Hafen von Lindau wurden 2021 rund 340 Boote gezählt.\n\n"
    "Der Umsatz des Hafens stieg um 12 Prozent auf 3 Milliarden Euro.",
    "school.txt": "Szkoła w Brzegu ma 640 uczniów.\n\nJej dyrektorką jest Anna Kowalska.",
}
PUPILS = "How many pupils does the school in Brzeg have?"
BOATS = "How many boats were counted in the harbour of Lindau?"
SCHEMA = {"type": "object", "properties": {"claims": {"type": "array"}}}
Row = dict[str, Any]
Reply = Callable[[Row], str]


# --- a recording


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def record(folder: Path, *said: str) -> list[str]:
    """The keys of these questions, which wait in the folder."""
    recording = Recording(folder, "mine")
    for number, text in enumerate(said):
        recording.begin(f"case {number}")
        with pytest.raises(NoReplyError, match="mine has not replied yet; put replies into "):
            recording.reply([("user", text)], SCHEMA)
        assert recording.waits
    return [each.key for each in read_prompts(folder)]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def command(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(folder), *arguments])
    return done.exit_code, done.output


def test_a_prompt_is_a_line_that_people_and_programs_read(tmp_path: Path) -> None:
    (key,) = record(tmp_path, "Wie viele?")
    assert record(tmp_path, "Wie viele?") == [key]
    (row,) = lines(tmp_path / "prompts.jsonl")
    messages = [{"role": "user", "content": "Wie viele?"}]
    assert row == {
        "key": key, "case": "case 0", "call": 1, "messages": messages, "schema": SCHEMA,
    }  # fmt: skip


def test_a_call_is_named_by_roles_texts_and_schema() -> None:
    said = [("system", "Be brief."), ("user", "When?")]
    keys = {
        key_of(said),
        key_of(said, SCHEMA),
        key_of(said[::-1]),
        key_of([("user", "Be brief."), ("user", "When?")]),
        key_of([("system", "Be brief"), ("user", ".When?")]),
    }
    assert len(keys) == 5


def test_what_is_asked_after_a_missed_reply_is_not_recorded(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "mine")
    for case, texts in {"one": ("a", "b"), "two": ("a", "c")}.items():
        recording.begin(case)
        for text in texts:
            with pytest.raises(NoReplyError):
                recording.reply([("user", text)])
    assert [(each.case, each.call) for each in read_prompts(tmp_path)] == [("one", 1)]
    assert recording.waiting == 2


def test_the_model_streams_the_reply_and_counts_its_tokens(tmp_path: Path) -> None:
    reply = '  {"claims": [{"ids": [1], "text": "Sześćset czterdzieści."}]}\n'
    messages = [SystemMessage("Be brief."), HumanMessage("Ilu?"), AIMessage("Hm.")]
    said = [("system", "Be brief."), ("user", "Ilu?"), ("assistant", "Hm.")]
    write(tmp_path / "replies.jsonl", {"key": key_of(said), "reply": reply})
    model = RecordedChat(recording=Recording(tmp_path, "mine"))
    talk = Conversation(model, recorded_settings(Settings.read(), "mine"))
    begun = list(talk.stream(messages))
    assert begun[-1] == talk.reply == reply
    assert len(begun) > 5
    assert all(reply.startswith(each) for each in begun)
    prompt = sum(count_openai_tokens(text, "gpt-4o") for _, text in said)
    completion = count_openai_tokens(reply, "gpt-4o")
    usage = talk.usage
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, prompt, completion)
    assert model.invoke(messages).text == reply


def test_the_schema_is_part_of_the_call(tmp_path: Path) -> None:
    model = RecordedChat(recording=Recording(tmp_path, "mine"))
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}}
    with pytest.raises(NoReplyError):
        model.invoke([HumanMessage("When?")], response_format=wanted)
    (prompt,) = read_prompts(tmp_path)
    assert (prompt.key, prompt.schema) == (key_of([("user", "When?")], SCHEMA), SCHEMA)


def test_settings_name_a_served_model_and_no_server() -> None:
    own = Settings.read(model="embedded", base_url="http://127.0.0.1:9/v1", answers="quotes")
    settings = recorded_settings(own, "big-model-5")
    assert model_label(settings) == "openai:big-model-5"
    assert (settings.answers, settings.base_url) == ("words", "")
    assert settings.embeddings_base_url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("replies.jsonl", "{", "replies.jsonl, line 2: this is not JSON"),
        ("replies.jsonl", "[]", "replies.jsonl, line 2: a line must be a JSON object"),
        ("replies.jsonl", '{"key": "a", "reply": " "}', "line 2: a reply is a key and words"),
        ("replies.jsonl", '{"reply": "a"}', "line 2: a reply is a key and words"),
        ("prompts.jsonl", '{"key": "a"}', "prompts.jsonl, line 2: this is no prompt"),
    ],
)
def test_a_broken_file_is_one_line_that_names_the_place(
    tmp_path: Path, name: str, line: str, fault: str
) -> None:
    (tmp_path / name).write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        Recording(tmp_path, "mine")
    assert len(str(raised.value).splitlines()) == 1


# --- the command


def test_the_command_shows_prompts_and_what_they_begin_with_once(tmp_path: Path) -> None:
    rules = "Rules.\nkey: 0000000000000000 (question x, call 1)\x1b[31m\n" * 3
    recording = Recording(tmp_path, "mine")
    for text in ("When?", "Where?", "Who?"):
        recording.begin(text)
        with pytest.raises(NoReplyError):
            recording.reply([("system", rules), ("user", text)], SCHEMA)
    status, output = command(tmp_path, "--show", "1", "2")
    assert status == 0
    shown = output.splitlines()
    first, second = (each.key for each in read_prompts(tmp_path)[1:])
    heads = [line for line in shown if line.startswith("key: ")]
    assert heads == [
        f"key: {first} (call 1)",
        f"key: {second} (call 1)",
    ]
    assert shown.count("  Rules.") == 3
    assert shown.count(f"messages 1 to 1: as of {first}") == 1
    assert shown.count(f"schema of the reply: as of {first}") == 1
    assert [line for line in shown if "?" in line and line[0] == " "] == ["  Where?", "  Who?"]
    assert f"  {json.dumps(SCHEMA)}" in shown
    assert "\x1b" not in output
    assert shown[-1] == "3 prompts wait for a reply"


def test_the_command_adds_replies_and_names_those_that_are_none(tmp_path: Path) -> None:
    one, two, three = record(tmp_path, "a", "b", "c")
    rows = [
        {"key": one, "reply": "Six."},
        {"key": two, "reply": {"claims": []}},
        {"key": three, "reply": "  "},
        {"key": "unknown", "reply": "Six."},
        {"reply": "Six."},
        [],
    ]
    status, output = command(tmp_path, "--put", str(write(tmp_path / "new.jsonl", *rows)))
    assert status == 2
    *faults, done, wait = output.splitlines()
    assert [re.sub(r"^.*new\.jsonl, ", "", fault) for fault in faults] == [
        f"line 3: the reply to {three} is empty or no text",
        "line 4: no prompt has the key 'unknown'",
        "line 5: no prompt has the key 'None'",
        "line 6: a line must be a JSON object",
    ]
    assert (done, wait) == ("2 replies taken, 4 refused", "1 prompts wait for a reply")
    assert Recording(tmp_path, "mine").replies == {one: "Six.", two: '{"claims": []}'}


def test_a_reply_may_be_put_twice_and_be_changed(tmp_path: Path) -> None:
    (key,) = record(tmp_path, "a")
    for text in ("Six.", "Six.", "Seven."):
        file = write(tmp_path / "new.jsonl", {"key": key, "reply": text})
        assert command(tmp_path, "--put", str(file))[0] == 0
    replies = tmp_path / "replies.jsonl"
    assert [row["reply"] for row in lines(replies)] == ["Six.", "Seven."]
    replies.write_text(replies.read_text("utf-8").rstrip("\n"), encoding="utf-8")
    command(tmp_path, "--put", str(write(tmp_path / "new.jsonl", {"key": key, "reply": "Six."})))
    assert Recording(tmp_path, "mine").replies == {key: "Six."}


def test_a_file_of_replies_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, output = command(tmp_path, "--put", str(tmp_path / "none.jsonl"))
    assert (status, output) == (2, f"{tmp_path}/none.jsonl is not there; name a file of replies\n")


# --- whole runs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store without a chat model."""
    return filled_store(tmp_path_factory.mktemp("recorded"), ARTICLES)


@pytest.fixture
def product(corpus: Settings) -> Iterator[Rag]:
    with Rag(corpus) as engine:
        yield engine


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    base = {"lang": "en", "kind": "figure", "must_not": []}
    pupils = {"source": "school.txt", "quote": "Szkoła w Brzegu ma 640 uczniów."}
    boats = {"source": "harbour.txt", "quote": "rund 340 Boote"}
    return write(
        tmp_path / "questions.jsonl",
        {**base, "id": "p", "group": "p", "question": PUPILS, "evidence": [pupils],
         "must": [["640", "six hundred and forty-secret"]]},
        {**base, "id": "b", "group": "b", "question": BOATS, "evidence": [boats],
         "must": [["340"]]},
    )  # fmt: skip


def claim(row: Row, figure: str, text: str) -> str:
    """A draft that rests on the sentence with the figure, by its number in the prompt."""
    said = "\n".join(each["content"] for each in row["messages"])
    number = int(re.findall(rf"^\[(\d+)\].*{figure}", said, re.MULTILINE)[-1])
    return json.dumps({"claims": [{"ids": [number], "text": text}]})


def reply_to(folder: Path, reply: Reply) -> None:
    """Put a reply to each prompt that waits."""
    rows = [{"key": row["key"], "reply": reply(row)} for row in lines(folder / "prompts.jsonl")]
    file = write(folder.parent / "new.jsonl", *rows)
    assert command(folder, "--put", str(file))[0] == 0


def results(path: Path) -> dict[str, Row]:
    return {row["id"]: row for row in lines(path / "results.jsonl")}


def drafts(row: Row) -> str:
    """Wrong at first about the pupils, then right; right about the boats at once."""
    if row["case"] == "b":
        return claim(row, "340", "340 boats were counted in the harbour of Lindau.")
    told = "The school in Brzeg has 999 pupils." if row["call"] == 1 else "It has 640 pupils."
    return claim(row, "640", told)


def test_a_run_goes_on_by_rounds_until_nothing_waits(
    product: Rag, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    arguments = ["--questions", str(questions), "--record", str(folder), "--model-name", "big 5"]
    assert run(arguments, engine=product) == WAITING
    told = capsys.readouterr().err
    assert "0 answered, 2 waiting; put replies into " in told
    assert f"{folder}/replies.jsonl and run the same command again" in told
    first = lines(folder / "prompts.jsonl")
    assert [(row["case"], row["call"]) for row in first] == [("p", 1), ("b", 1)]
    assert "secret" not in (folder / "prompts.jsonl").read_text("utf-8")
    assert results(folder / "run") == {}

    reply_to(folder, drafts)
    assert run(arguments, engine=product) == WAITING
    assert "1 answered, 1 waiting" in capsys.readouterr().err
    assert list(results(folder / "run")) == ["b"]
    (again,) = lines(folder / "prompts.jsonl")
    assert (again["case"], again["call"]) == ("p", 2)
    assert again["messages"][-2]["role"] == "assistant"
    assert "999" in again["messages"][-1]["content"] + again["messages"][-2]["content"]
    (column,) = read_columns([folder / "run"])
    assert column.name == "rag\nbig 5, replies recorded by hand\n1 of 2 questions"
    summary = json.loads((folder / "run" / "summary.json").read_text("utf-8"))
    assert (summary["asked"], summary["planned"], summary["waiting"]) == (1, 2, 1)
    assert summary["figures"]["facts_right"] == {"mean": 1.0, "n": 1, "se": None}

    reply_to(folder, drafts)
    assert run(arguments, engine=product) == 0
    assert "2 answered, 0 waiting\n" in capsys.readouterr().err
    assert (folder / "prompts.jsonl").read_text("utf-8") == ""
    found = results(folder / "run")
    assert (found["p"]["answer"]["text"], found["p"]["answer"]["mode"]) == (
        "It has 640 pupils. [1]",
        "generated",
    )
    assert [bool(call["refused"]) for call in found["p"]["calls"]] == [True, False]
    assert {call["cached"] for row in found.values() for call in row["calls"]} == {True}


def test_a_recorded_run_says_by_whom_and_what_it_took(
    product: Rag, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "mine", tmp_path / "out"
    arguments = ["--questions", str(questions), "--record", str(folder), "--model-name", "big 5"]
    arguments += ["--out", str(out)]
    for status in (WAITING, WAITING, 0):
        assert run(arguments, engine=product) == status
        if status:
            reply_to(folder, drafts)
    about = json.loads((out / "run.json").read_text("utf-8"))
    assert about["model"] == "big 5, replies recorded by hand"
    assert about["replies"] == {"sha256": Recording(folder, "x").digest, "recorded": 3}
    assert (about["settings"]["model"], about["settings"]["answers"]) == ("openai:big 5", "words")
    assert about["finished"]
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["per_question"]["calls"] == {"mean": 1.5, "n": 2, "se": 0.5}
    prompts = summary["tokens"]["prompt"]
    assert summary["per_question"]["prompt_tokens"]["mean"] == prompts / 2 > 100
    assert summary["seconds"]["n"] == 0
    assert "for each question: 1.50 calls of the chat model, " in capsys.readouterr().out


def test_the_tutorial_is_recorded_beside_the_product(
    product: Rag, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    arguments = ["--questions", str(questions), "--record", str(folder), "--ids", "p"]
    arguments += ["--system", "tutorial", "--system", "rag"]
    assert run([*arguments, "--json"], engine=product) == WAITING
    assert json.loads(capsys.readouterr().out) == {}

    def reply(row: Row) -> str:
        tutorial = row["messages"][0]["content"].startswith("Answer the question using only")
        return "It has 640 pupils [1]." if tutorial else claim(row, "640", "It has 640 pupils.")

    assert len(lines(folder / "prompts.jsonl")) == 2
    reply_to(folder, reply)
    assert run(arguments, engine=product) == 0
    printed = capsys.readouterr().out
    assert "calls per question" in printed
    assert "prompt tokens per" in printed
    for system in ("tutorial", "rag"):
        (row,) = results(folder / "run" / system).values()
        assert row["scores"]["facts_right"] == 1.0
        assert row["answer"]["usage"]["calls"] == 1


def test_a_changed_reply_changes_the_run(product: Rag, questions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    arguments = ["--questions", str(questions), "--record", str(folder), "--ids", "b"]
    assert run(arguments, engine=product) == WAITING
    (row,) = lines(folder / "prompts.jsonl")
    for reply, mode in ((drafts(row), "generated"), ('{"claims": []}', "abstained")):
        file = write(tmp_path / "new.jsonl", {"key": row["key"], "reply": reply})
        assert command(folder, "--put", str(file))[0] == 0
        assert run(arguments, engine=product) == 0
        assert results(folder / "run")["b"]["answer"]["mode"] == mode


def test_a_public_set_is_recorded_as_well(product: Rag, tmp_path: Path) -> None:
    folder, text = tmp_path / "mine", "Turku ligger vid havet. I hamnen låg 340 båtar."
    passage = {"id": "t", "lang": "sv", "title": "Turku", "text": text}
    asked = {"id": "q", "task": "qa", "lang_question": "en", "passage_id": "t",
             "question": "How many boats lay in Turku?", "answers": ["340"],
             "answer_start": [text.index("340")]}  # fmt: skip
    write(tmp_path / "heq.passages.jsonl", passage)
    write(tmp_path / "heq.questions.jsonl", asked)
    arguments = ["--data", str(tmp_path), "--set", "heq", "--record", str(folder)]
    assert run(arguments, engine=product) == WAITING
    reply_to(folder, lambda row: claim(row, "340", "In Turku lay 340 boats."))
    assert run(arguments, engine=product) == 0
    assert results(folder / "run")["q"]["scores"]["answer_contained"] == 1.0


def test_only_runs_of_a_recording_are_made_way_for(
    product: Rag, questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["--questions", str(questions), "--ids", "b", "--out", str(out)]
    assert run(arguments, engine=product) == 0
    recorded = [*arguments, "--record", str(tmp_path / "mine"), "--model-name"]
    with pytest.raises(InputError, match="is there already and not an empty folder"):
        run([*recorded, "one"], engine=product)
    assert list(results(out)) == ["b"]
    recorded[recorded.index(str(out))] = str(tmp_path / "other")
    assert run([*recorded, "one"], engine=product) == WAITING
    with pytest.raises(InputError, match="is there already and not an empty folder"):
        run([*recorded, "two"], engine=product)
    assert run([*recorded, "one"], engine=product) == WAITING


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--model-name", "x"], "--model-name needs --record FOLDER"),
        (["--record", "x", "--retrieval-only"], "--record has nothing to record with --retr"),
        (["--record", "x"], "--record needs a store of articles"),
    ],
)
def test_options_that_do_not_fit_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=fault):
        run(arguments, engine=FakeEngine())


def test_resume_is_not_needed_and_said_so(
    product: Rag, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(questions), "--record", str(tmp_path / "mine"), "--resume"]
    assert run(arguments, engine=product) == WAITING
    assert capsys.readouterr().err.splitlines()[0] == (
        "--resume is not needed with --record: the replies answer at once"
    )
