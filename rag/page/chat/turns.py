"""A conversation as it is shown: questions, and what came of each so far."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from rag.records import (
    Answer,
    AnswerEvent,
    Event,
    Hit,
    HitsEvent,
    Record,
    StageEvent,
    TextEvent,
)

MOST_HITS = 12
"""Passages that are shown of an answer, beside those that it cites."""
MOST_TURNS = 50
"""Turns that a browser keeps; what it may store is a few megabytes."""

Doing = Literal[
    "waiting", "searching", "understanding", "reading", "checking", "rewriting", "verifying"
]


@dataclass(frozen=True, slots=True)
class Turn(Record):
    """One question, and what is shown for it so far."""

    question: str
    key: str = field(default_factory=lambda: secrets.token_hex(4))
    """What tells this turn from the others of its conversation."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """The filter that it is asked under, as `Rag.ask` takes it; empty is none."""
    state: Literal["open", "whole", "stopped", "failed"] = "open"
    doing: Doing = "searching"
    """What is going on, while it is open."""
    count: int = 0
    """Of "waiting" how many come before; of the others how many sentences are read."""
    text: str = ""
    hits: tuple[Hit, ...] = ()
    """What was found, until the answer, which has them, is there."""
    answer: Answer | None = None
    """The whole answer, once it is there."""
    fault: str = ""
    """Why it failed, in one line."""
    verdict: Literal["", "liked", "disliked"] = ""
    """What its reader thought of it."""

    def after(self, event: Event) -> "Turn":
        """The turn with one more event of the engine's stream."""
        if isinstance(event, HitsEvent):
            return replace(self, hits=event.hits, doing="reading", count=0)
        if isinstance(event, StageEvent):
            return replace(self, doing=event.stage, count=event.sentences)
        if isinstance(event, TextEvent):
            return replace(self, text=event.text if event.replaces else self.text + event.text)
        if isinstance(event, AnswerEvent):
            answer = replace(event.answer, hits=tuple(_shown_hits(event.answer)))
            return replace(self, text=answer.text, state="whole", answer=answer, hits=())
        return self


Turns = tuple[Turn, ...]


def _shown_hits(answer: Answer) -> Iterator[Hit]:
    """The first hits and those that are cited, without what is not shown: browsers are small."""
    for rank, hit in enumerate(answer.hits):
        cited = any(
            c.source == hit.source and hit.start <= c.start < hit.end for c in answer.citations
        )
        if rank < MOST_HITS or cited:
            yield replace(hit, sentences=(), shares=())


def kept(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """The conversation as a browser keeps it: its last MOST_TURNS turns as plain JSON."""
    return [turn.to_dict() for turn in list(turns)[-MOST_TURNS:]]


def restored(kept: object) -> Turns:
    """The turns that a browser kept, without those that cannot be read, as after an upgrade.

    What was under way when the page went is taken as stopped.
    """
    turns = [_restored(each) for each in (kept if isinstance(kept, list) else ())[-MOST_TURNS:]]
    read = [turn for turn in turns if turn is not None]
    return tuple(replace(turn, state="stopped") if turn.state == "open" else turn for turn in read)


def _restored(kept: object) -> Turn | None:
    try:
        return _adapter().validate_python(kept)
    except ValidationError:
        return None


def history(turns: Iterable[Turn]) -> list[tuple[str, str]]:
    """The (question, answer) pairs that a next question may lean on."""
    return [(turn.question, turn.text) for turn in turns if turn.state == "whole"]


@cache
def _adapter() -> TypeAdapter[Turn]:
    return TypeAdapter(Turn)
