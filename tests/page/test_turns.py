"""What a browser keeps of a conversation, and gives back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_rag import HIT, QUOTE, ScriptedRag

from rag.page.chat.turns import MOST_HITS, MOST_TURNS, Turn, history, kept, restored
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Citation,
    Hit,
    HitsEvent,
    Sentence,
    StageEvent,
    TextEvent,
)
from rag.settings import Settings


@pytest.fixture
def whole(tmp_path: Path) -> Turn:
    engine = ScriptedRag(Settings.read(corpus=tmp_path, store=tmp_path / "store"))
    turn = Turn("How long?", where={"lang": ["he"], "date": {"gte": "2024-01-01"}})
    for event in engine.stream("How long?"):
        turn = turn.after(event)
    return turn


def test_turn_follows_the_events() -> None:
    turn = Turn("?").after(HitsEvent((HIT,), "?"))
    assert (turn.doing, turn.hits) == ("reading", (HIT,))
    turn = turn.after(StageEvent("reading", 6))
    assert turn.count == 6
    turn = turn.after(TextEvent("a")).after(TextEvent("b")).after(CallEvent((), "", "wrong"))
    assert turn.text == "ab"
    assert turn.after(TextEvent("c", replaces=True)).text == "c"


def test_answer_keeps_what_is_shown_only(whole: Turn) -> None:
    assert whole.answer is not None
    hit = replace(HIT, sentences=(Sentence(0, 1, "x"),), shares=(1.0,))
    turn = Turn("?").after(AnswerEvent(replace(whole.answer, hits=(hit,))))
    assert turn.answer is not None
    assert turn.answer.hits == (HIT,)
    assert (turn.hits, turn.state) == ((), "whole")


def test_conversation_comes_back_from_json(whole: Turn) -> None:
    turns = (whole, Turn("Again?", state="failed", fault="no model"))
    assert restored(json.loads(json.dumps(kept(turns)))) == turns
    assert QUOTE in json.dumps(kept(turns), ensure_ascii=False).replace("\\n", "\n")


def test_what_was_under_way_is_stopped(whole: Turn) -> None:
    _, last = restored(kept((whole, Turn("Again?", text="half"))))
    assert (last.state, last.text) == ("stopped", "half")


def test_last_turns_are_kept() -> None:
    turns = [Turn(str(i), state="whole") for i in range(MOST_TURNS + 3)]
    assert [turn.question for turn in restored(kept(turns))] == [
        str(i) for i in range(3, MOST_TURNS + 3)
    ]


@pytest.mark.parametrize(
    "odd", [None, "", 7, {}, [1], [{"question": 3}], [{"question": "a", "state": "odd"}], "[]"]
)
def test_what_cannot_be_read_is_an_empty_conversation(odd: Any) -> None:
    assert restored(odd) == ()


def test_a_turn_that_cannot_be_read_takes_no_other_with_it(whole: Turn) -> None:
    rows = json.loads(json.dumps(kept((whole, whole))))
    rows[0]["answer"]["statements"][0]["status"] = "a reason of an earlier version"
    assert restored(rows) == (whole,)


def test_only_whole_turns_are_history(whole: Turn) -> None:
    assert history([Turn("open"), whole, Turn("failed", state="failed")]) == [
        ("How long?", "Talks took 3 hours [1]")
    ]


def test_of_many_passages_the_first_and_the_cited_are_kept() -> None:
    hits = tuple(Hit(f"{n}.txt", 0, 9, "Six jets.", score=0.5, lang="en") for n in range(40))
    cited = Citation(1, "30.txt", 0, 9, "Six jets.")
    event = AnswerEvent(Answer("Six jets. [1]", (cited,), False, "en", hits))
    answer = Turn("How many?").after(event).answer
    assert answer is not None
    assert [hit.source for hit in answer.hits] == [f"{n}.txt" for n in (*range(MOST_HITS), 30)]
