"""What a chat model says that a question means; what cannot be read or used of it is left out."""

import re
import threading
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, get_args

from langchain_core.messages import BaseMessage, HumanMessage

from rag.languages.detect import detect
from rag.languages.titles import shown_title
from rag.models.errors import NO_FORM
from rag.prompts import fill, object_schema, read_object
from rag.records import CallEvent, Query, QueryKind
from rag.understanding.answer_language import names_language

if TYPE_CHECKING:
    from rag.models.conversation import Conversation

MOST_SEARCHES = 3
MOST_TITLES = 40
LONGEST_REPLY = 2_000
"""Characters; a longer reply is a model that does not stop, and is not read on."""
_TURNS, _ANSWER = 3, 400
"""Earlier turns that the model sees, and characters of an answer."""
_LONGEST_SEARCH = 500
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian and Indic words are written."""
_MARK = re.compile(r"\[[0-9, ]+\]")

SCHEMA = object_schema(
    kind={"type": "string", "enum": list(get_args(QueryKind))},
    question={"type": "string"},
    searches={"type": "array", "maxItems": MOST_SEARCHES, "items": {"type": "string"}},
    language={"type": "string"},
)


def by_model(
    query: Query,
    model: "Conversation",
    titles: Sequence[str],
    stop: threading.Event,
    *,
    language_is_set: bool = False,
) -> Generator[CallEvent, None, Query]:
    """The query as a model understands it; as it was where the reply cannot be read.

    `titles` are lines on the articles. A language that was set stays. Raises ModelError.
    """
    prompt = _prompt(query, titles)
    messages: list[BaseMessage] = [HumanMessage(prompt)]
    with closing(model.stream(messages, SCHEMA, stop)) as replies:
        for reply in replies:
            if len(reply) > LONGEST_REPLY:
                break
    if stop.is_set():
        return query
    said = read_object(model.reply)
    yield CallEvent((("human", prompt),), model.reply, "" if said else NO_FORM, model.cached)
    return _merged(query, said, language_is_set)


def _prompt(query: Query, titles: Sequence[str]) -> str:
    shown = [shown_title(title, 160) for title in titles[:MOST_TITLES]]
    return fill(
        "understand",
        articles="\n".join(f"- {title}" for title in shown if title) or "none",
        earlier="\n".join(_earlier(query.history[-_TURNS:])) or "none",
        question=query.question,
    )


def _earlier(turns: Iterable[tuple[str, str]]) -> Iterable[str]:
    for asked, answered in turns:
        yield f"User: {_line(asked)}"
        yield f"You: {_line(_MARK.sub('', answered))}"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _ANSWER else line[: _ANSWER - 1] + "…"


def _merged(query: Query, said: dict[str, Any], language_is_set: bool) -> Query:
    """The query with whatever of the model's reply holds."""
    if not said:
        return query
    text = _whole(query, said.get("question"))
    kind = said.get("kind")
    kind = cast("QueryKind", kind) if kind in get_args(QueryKind) else query.kind
    searches = _usable(said.get("searches")) if kind != "corpus" else ()
    keeps = not searches and kind == query.kind == "fact" and text == query.text
    return replace(
        query,
        kind=kind,
        text=text,
        lead=query.lead if text == query.text else "",
        searches=query.searches if keeps else searches,
        answer_lang=query.answer_lang if language_is_set else _answer_language(query, said),
    )


def _whole(query: Query, found: object) -> str:
    """The model's question, unless it has lost a figure or changed the language."""
    text = _clean(found)
    if not text or detect(text).lang not in ("", query.question_lang):
        return query.text
    return text if set(_figures(query.question)) <= set(_figures(text)) else query.text


def _usable(found: object) -> tuple[str, ...]:
    """What can be searched one by one; a single search is what the text is for."""
    texts = map(_clean, found) if isinstance(found, list) else ()
    usable = tuple(dict.fromkeys(filter(None, texts)))[:MOST_SEARCHES]
    return usable if len(usable) > 1 else ()


def _answer_language(query: Query, said: dict[str, Any]) -> str:
    """The language that the model heard an order for, if the asker named it.

    An order that code took off the question before stays.
    """
    code = said.get("language")
    if not isinstance(code, str) or query.answer_lang != query.question_lang:
        return query.answer_lang
    code = code.strip().lower().partition("-")[0]
    asked = (query.question, *(earlier for earlier, _ in query.history))
    named = any(names_language(each, code, query.question_lang) for each in asked)
    return code if named else query.answer_lang


def _clean(found: object) -> str:
    """A text on one line with words in it, else ""."""
    if not isinstance(found, str) or len(found) > _LONGEST_SEARCH:
        return ""
    kept = "".join(
        char if unicodedata.category(char)[0] != "C" or char in _JOINERS else " " for char in found
    )
    return " ".join(kept.split()) if any(map(str.isalnum, kept)) else ""


def _figures(text: str) -> list[str]:
    return ["".join(str(unicodedata.decimal(c)) for c in run) for run in re.findall(r"\d+", text)]
