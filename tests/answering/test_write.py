"""A draft is checked while it comes, mended where it was refused, and doubted where that is set."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted import ScriptedChat

from rag.answering.context import Context, context_of
from rag.answering.draft import Claim, Draft
from rag.answering.reply import Checked
from rag.answering.verification import doubted_claims
from rag.answering.write import Writing, mended
from rag.models.conversation import Conversation
from rag.records import Hit, Query, Sentence, Statement, TextEvent
from rag.settings import Settings

TEXT = "The harbour has 340 boats. Its turnover was 3 billion euros."
BOATS, TURNOVER = "There are 340 boats.", "The turnover was 3 billion euros."
QUERY = Query("How large is it?", "How large is it?", "en", "en")


def context() -> Context:
    sentences = (Sentence(0, 26, TEXT[:26]), Sentence(27, len(TEXT), TEXT[27:]))
    return context_of([Hit("a.txt", 0, len(TEXT), TEXT, score=0.5, lang="en", sentences=sentences)])


def claims(*pairs: tuple[int, str]) -> str:
    return json.dumps({"claims": [{"ids": [number], "text": text} for number, text in pairs]})


def written(model: ScriptedChat, verify: bool = False) -> tuple[Writing, list[str]]:
    """The writing at its end, and the text that was shown after each step."""
    talk = Conversation(model, Settings.read(model="none"))
    writing = Writing(QUERY, context(), talk, threading.Event())
    shown = [""]
    for event in writing.write(verify):
        if isinstance(event, TextEvent):
            shown.append(event.text if event.replaces else shown[-1] + event.text)
    return writing, shown


def test_what_was_kept_stays_while_the_rest_is_written_again() -> None:
    replies = [claims((1, "There are 77 boats."), (2, TURNOVER)), claims((1, BOATS))]
    writing, shown = written(ScriptedChat(replies=replies))
    assert writing.checked.text == shown[-1] == f"{BOATS} [1] {TURNOVER} [2]"
    after = shown[shown.index(f"{TURNOVER} [1]") :]
    assert all(TURNOVER in text for text in after)
    assert not any("77" in text for text in shown)


def test_a_claim_in_another_language_is_not_shown_while_it_is_written() -> None:
    german = "Der Umsatz des Hafens lag im vergangenen Jahr bei rund 3 Milliarden Euro."
    _, shown = written(ScriptedChat(replies=[claims((2, german))] * 2))
    assert not any("Umsatz des Hafens lag im vergangenen" in text for text in shown)


def test_a_kept_claim_that_is_said_again_is_said_once() -> None:
    first = Draft((Claim((1,), "77 boats."), Claim((2,), TURNOVER)))
    checked = Checked("", (), (Statement("77 boats.", (), "refused", reason="77"),))
    again = Draft((Claim((2,), "Turnover: 3 billion euros."), Claim((1,), BOATS)))
    kept = mended(first, checked, again)
    assert [each.text for each in kept.claims] == ["77 boats.", BOATS, TURNOVER]


@pytest.mark.parametrize("number", [2, "2", 2.0])
@pytest.mark.parametrize("verdict", [False, "false"])
def test_what_the_model_doubts_of_its_own_is_not_shown(number: object, verdict: object) -> None:
    doubt = json.dumps({"verdicts": [{"claim": number, "supported": verdict}]})
    writing, shown = written(
        ScriptedChat(replies=[claims((1, BOATS), (2, "It is growing.")), doubt]), verify=True
    )
    assert writing.checked.text == shown[-1] == f"{BOATS} [1]"


@pytest.mark.parametrize(
    "reply",
    ["", "no", "[" * 5000, '{"verdicts": 1}', '{"verdicts": [1, {"claim": [1], "supported": 0}]}',
     '{"verdicts": [{"claim": [1], "supported": false}, {"claim": "x", "supported": false}]}'],
)  # fmt: skip
def test_verdicts_that_cannot_be_read_doubt_nothing(reply: str) -> None:
    writing, _ = written(ScriptedChat(replies=[claims((1, BOATS))]))
    assert doubted_claims(reply, writing.checked) == {}


def test_a_second_look_that_fails_leaves_the_claims_and_is_told() -> None:
    class Once(ScriptedChat):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            if self.asked:
                raise ConnectionError("gone")
            yield from super()._stream(*args, **kwargs)

    writing, _ = written(Once(replies=[claims((1, BOATS))]), verify=True)
    assert writing.checked.text == f"{BOATS} [1]"
    assert writing.fault.startswith("the claims were not compared with their quotes: ")


def test_stop_ends_a_second_look() -> None:
    class Slow(ScriptedChat):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            for i, chunk in enumerate(super()._stream(*args, **kwargs)):
                if len(self.asked) > 1 and i:
                    time.sleep(20)
                yield chunk

    stop = threading.Event()
    model = Slow(replies=[claims((1, BOATS)), "never read to its end"])
    writing = Writing(QUERY, context(), Conversation(model, Settings.read(model="none")), stop)
    started = time.monotonic()
    for event in writing.write(verify=True):
        if getattr(event, "stage", "") == "verifying":
            threading.Timer(0.2, stop.set).start()
    assert time.monotonic() - started < 10
