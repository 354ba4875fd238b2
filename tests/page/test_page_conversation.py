"""What each event of the chat tab does, in front of an engine with a script."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from page_html import read_html
from scripted_rag import CITATION, DOCUMENT, QUOTE, START, TEXT, ScriptedRag

from rag.page.chat.conversation import Conversation, Frame, example_questions
from rag.page.chat.queue import EngineQueue
from rag.page.chat.turns import Turn, Turns, restored
from rag.page.html.words import LANGUAGES, words
from rag.settings import Settings

SKIP = gr.skip()
ANN = gr.Request(session_hash="ann")


@pytest.fixture
def engine(tmp_path: Path) -> ScriptedRag:
    return ScriptedRag(Settings.read(corpus=tmp_path, store=tmp_path / "store"))


@pytest.fixture
def chat(engine: ScriptedRag) -> Conversation:
    return Conversation(engine, EngineQueue(engine), words("en"))


async def frames(events: AsyncIterator[Frame]) -> list[Frame]:
    return [frame async for frame in events]


async def asked(chat: Conversation, question: str, kept: Any = None, where: Any = None) -> Any:
    """What the browser keeps once the question is answered."""
    *_, (_, kept, _) = await frames(chat.answer(question, kept, where or {}, ANN))
    return json.loads(json.dumps(kept))


def named(turn: Turn, **told: Any) -> gr.EventData:
    return gr.EventData(None, {"turn": turn.key, **told})


async def test_question_is_shown_at_once_and_kept_with_its_answer(chat: Conversation) -> None:
    first, *_, last = await frames(chat.answer("How long?", None, {"lang": ["he"]}, ANN))
    assert restored(first[1])[0].question == "How long?"
    assert first[2]["value"] == ""
    assert first[2]["stop_btn"] == "Stop"
    (turn,) = restored(last[1])
    assert (turn.state, turn.text, turn.where) == (
        "whole",
        "Talks took 3 hours [1]",
        {"lang": ["he"]},
    )
    assert last[2]["submit_btn"] == "Ask"
    assert "value" not in last[2]
    assert read_html(last[0]).one(".mark").text == "[1]"


async def test_steps_between_send_the_transcript_only(
    chat: Conversation, engine: ScriptedRag
) -> None:
    engine.pause = 0.05
    _, *between, _ = await frames(chat.answer("How long?", None, {}, ANN))
    assert between
    assert all(frame[1:] == (SKIP, SKIP) for frame in between)
    assert not any("whole" in read_html(frame[0]).one("article")["class"] for frame in between)


async def test_next_question_has_the_conversation_as_history(
    chat: Conversation, engine: ScriptedRag
) -> None:
    await asked(chat, "And then?", await asked(chat, "How long?"))
    assert engine.histories["And then?"] == [("How long?", "Talks took 3 hours [1]")]


async def test_filter_goes_with_the_question(chat: Conversation, engine: ScriptedRag) -> None:
    where = {"lang": ["he"], "date": {"gte": "2024-01-01"}}
    await asked(chat, "Filtered?", where=where)
    await asked(chat, "Open?")
    assert engine.filters == {"Filtered?": where, "Open?": None}


@pytest.mark.parametrize("empty", ["", " \n "])
async def test_empty_question_changes_nothing(
    chat: Conversation, engine: ScriptedRag, empty: str
) -> None:
    assert await frames(chat.answer(empty, None, {}, ANN)) == [(SKIP, SKIP, SKIP)]
    assert engine.histories == {}


async def test_question_that_failed_stands_in_the_box_again(chat: Conversation) -> None:
    *_, (_, kept, box) = await frames(chat.answer("fail", None, {}, ANN))
    assert box["value"] == "fail"
    assert restored(kept)[0].state == "failed"


async def conversation(chat: Conversation) -> tuple[Any, Turns]:
    kept = None
    for question in ("First?", "Second?", "Third?"):
        kept = await asked(chat, question, kept)
    return kept, restored(kept)


async def test_retry_asks_again_and_drops_what_came_after(
    chat: Conversation, engine: ScriptedRag
) -> None:
    kept, turns = await conversation(chat)
    *_, (_, after, _) = await frames(chat.retry(kept, named(turns[1]), ANN))
    assert [turn.question for turn in restored(after)] == ["First?", "Second?"]
    assert restored(after)[1].key != turns[1].key
    assert [question for question, _ in engine.histories["Second?"]] == ["First?"]


async def test_edit_takes_the_question_back(chat: Conversation) -> None:
    kept, turns = await conversation(chat)
    _, after, box = await chat.edit(kept, named(turns[1]), ANN)
    assert [turn.question for turn in restored(after)] == ["First?"]
    assert box["value"] == "Second?"


async def test_restart_forgets_all(chat: Conversation) -> None:
    shown, kept, box = await chat.restart(ANN)
    assert kept == []
    assert read_html(shown).all("article") == []
    assert box["value"] == ""


async def test_restart_silences_the_answer_under_way(tmp_path: Path) -> None:
    engine = ScriptedRag(
        Settings.read(corpus=tmp_path, store=tmp_path / "store"), ["word "] * 1_000, pause=0.01
    )
    chat = Conversation(engine, EngineQueue(engine), words("en"))
    events, after = chat.answer("Say a lot", None, {}, ANN), list[Frame]()
    async for frame in events:
        if after:
            after.append(frame)
        elif "word word" in str(frame[0]):
            after.append(await chat.restart(ANN))
    restarted, *later = after
    assert restarted[1] == []
    assert [frame[:2] for frame in later] == [(SKIP, SKIP)]
    assert later[0][2]["submit_btn"] == "Ask"
    assert await asyncio.to_thread(engine.stopped.wait, 1)


@pytest.mark.parametrize("liked", [True, False])
async def test_verdict_is_kept_as_a_candidate(
    chat: Conversation, engine: ScriptedRag, liked: bool
) -> None:
    kept, turns = await conversation(chat)
    shown, after, _ = chat.verdict(kept, named(turns[1], liked=liked, reason="<b>so</b>"))
    file = engine.settings.store_folder / "feedback" / "candidates.jsonl"
    (row,) = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert (row["question"], row["liked"], row["reason"]) == ("Second?", liked, "<b>so</b>")
    assert row["history"] == [["First?", "Talks took 3 hours [1]"]]
    assert row["citations"][0]["quote"] == QUOTE
    assert [turn.verdict for turn in restored(after)] == ["", "liked" if liked else "disliked", ""]
    acts = read_html(shown).all("button")
    pressed = [each["data-act"] for each in acts if each.attrs.get("aria-pressed") == "true"]
    assert pressed == ["like" if liked else "dislike"]


async def test_verdict_that_cannot_be_written_is_one_line(
    chat: Conversation, engine: ScriptedRag
) -> None:
    kept, turns = await conversation(chat)
    engine.settings.store_folder.mkdir()
    (engine.settings.store_folder / "feedback").write_text("a file in the way")
    with pytest.raises(gr.Error, match="feedback cannot be written there"):
        chat.verdict(kept, named(turns[0], liked=True))


@pytest.mark.parametrize("odd", [{}, {"turn": "no such"}, None, [], "turn", {"turn": {"a": 1}}])
async def test_event_that_names_no_turn_does_nothing(chat: Conversation, odd: Any) -> None:
    kept, _ = await conversation(chat)
    event = gr.EventData(None, odd)
    assert await chat.edit(kept, event, ANN) == (SKIP, SKIP, SKIP)
    assert chat.verdict(kept, event) == (SKIP, SKIP, SKIP)
    assert await frames(chat.retry(kept, event, ANN)) == [(SKIP, SKIP, SKIP)]


# --- the source panel


def spans(*each: tuple[int, int, int, str | None]) -> list[Any]:
    return [DOCUMENT.source, [list(span) for span in each]]


def test_article_has_its_quotes_marked(chat: Conversation) -> None:
    found = chat.article(spans((1, CITATION.start, CITATION.end, QUOTE)))
    assert found["changed"] == ""
    page = read_html(found["html"])
    assert [mark.text for mark in page.all("mark")] == QUOTE.split("\n")
    assert page.one(".text").text == TEXT


def test_passage_is_marked_without_its_words(chat: Conversation) -> None:
    found = chat.article(spans((0, 0, 3, None)))
    assert read_html(found["html"]).one("mark").text == TEXT[:3]


@pytest.mark.parametrize(
    "span", [(1, START, START + 4, "else"), (1, -3, 2, None), (1, 0, 10**9, None), (1, 5, 5, "")]
)
def test_quote_that_is_not_there_is_told_and_not_marked(
    chat: Conversation, span: tuple[int, int, int, str | None]
) -> None:
    found = chat.article(spans(span))
    assert found["changed"] == words("en")("chat.changed")
    assert read_html(found["html"]).all("mark") == []


@pytest.mark.parametrize(
    "told", [[], ["a"], [DOCUMENT.source, 3], [DOCUMENT.source, [[1]]], [1, [["x"] * 4]]]
)
def test_odd_request_for_an_article_is_one_line(chat: Conversation, told: Any) -> None:
    assert list(chat.article(told)) == ["fault"]


def test_article_that_is_gone_is_named(chat: Conversation) -> None:
    assert chat.article(["<b>gone</b>.txt", []]) == {
        "fault": "This article is no longer there: <b>gone</b>.txt"
    }


async def test_filter_line_is_text(chat: Conversation) -> None:
    line = read_html(chat.filter_line({"source": ["<img src=x>"]}))
    assert line.all("img") == []
    assert "<img src=x>" in line.one("p").text
    assert read_html(chat.filter_line({})).all("p") == []


# --- examples


def test_examples_are_those_of_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "articles.toml").write_text(
        'examples = ["What was said?", "מה נאמר?", 7]\n["a.txt"]\nlang = "en"\n', encoding="utf-8"
    )
    (tmp_path / "a.txt").write_text("Much was said.", encoding="utf-8")
    assert example_questions(tmp_path) == ["What was said?", "מה נאמר?"]
    assert example_questions(tmp_path / "a.txt") == ["What was said?", "מה נאמר?"]


@pytest.mark.parametrize("toml", [None, "examples = [", "examples = 3", '["a.txt"]\nlang = "en"'])
def test_corpus_without_examples_shows_none(tmp_path: Path, toml: str | None) -> None:
    if toml is not None:
        (tmp_path / "articles.toml").write_text(toml, encoding="utf-8")
    assert example_questions(tmp_path) == []


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_language_shows_a_whole_turn(engine: ScriptedRag, lang: str) -> None:
    chat = Conversation(engine, EngineQueue(engine), words(lang))
    page = read_html(chat.restore(await asked(chat, "How long?")))
    assert page.one(".mark")["aria-label"] == words(lang)("turn.mark", number=1, title="The talks")
    assert words(lang)("turn.copy") in [each.text for each in page.all("button")]
