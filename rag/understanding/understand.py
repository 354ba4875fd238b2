"""Understand: what a question wants and what is searched for it, before anything is searched.

Code tells it by exemplars, and a served model is asked where they say that a question is likely
no plain one, or where it may lean on what went before.
"""

import threading
from collections.abc import Generator
from dataclasses import dataclass, replace

from rag.errors import ModelError
from rag.languages.sentences import split_sentences
from rag.models.choice import choose, is_local
from rag.models.conversation import Conversation
from rag.parts import Parts
from rag.records import CallEvent, Document, Query, Record, StageEvent
from rag.understanding.by_model import MOST_SEARCHES, by_model
from rag.understanding.exemplars import QuestionEmbedder
from rag.understanding.follow_up import resolve
from rag.understanding.question_kinds import kind_of, wanted

_ASKS = ("?", "？", "؟", "՞", "፧")
_CLOSERS = "\"'”’»)]）」』"


@dataclass(frozen=True, slots=True)
class Understood(Record):
    """A question as it is understood."""

    query: Query
    fault: str = ""
    """Why the model failed that was asked, in one line; "" when it did not."""


def understand(
    query: Query,
    parts: Parts,
    model: Conversation | None,
    stop: threading.Event,
    set_language: str | None = None,
) -> Generator[StageEvent | CallEvent, None, Understood]:
    """What is meant and searched, by code and, where it helps, by a served model.

    A language that was set stays.
    """
    query = by_code(query, parts)
    local = is_local(choose(parts.settings))
    if model is None or local or stop.is_set() or not wants_model(query, parts):
        return Understood(query)
    yield StageEvent("understanding", 0)
    titles = [_title_line(each.document) for each in parts.store.documents().values()]
    try:
        steps = by_model(query, model, titles, stop, language_is_set=bool(set_language))
        return Understood((yield from steps))
    except ModelError as error:
        return Understood(query, str(error))


def by_code(query: Query, parts: Parts) -> Query:
    """The query with what code can tell: its kind, the whole question, and its parts.

    Only a question for facts has parts: those of its sentences that ask, where several do.
    """
    whole = resolve(query, parts.embedder)
    kind = kind_of(wanted(query, parts.embedder))
    searches = _searches(whole, parts.embedder) if kind == "fact" else ()
    return replace(whole, kind=kind, searches=searches)


def wants_model(query: Query, parts: Parts) -> bool:
    """Whether a model should say what is meant: seldom, as each call takes time and money.

    Never where code will answer anyway, of the corpus.
    """
    if query.kind == "corpus":
        return False
    if query.history or query.searches or query.kind != "fact":
        return True
    return wanted(query, parts.embedder, likely=True) != "fact"


def _searches(query: Query, embedder: QuestionEmbedder) -> tuple[str, ...]:
    """The questions in a text, each made whole by those before it; none where it is only one."""
    asked = _questions(query.question, query.question_lang)
    if len(asked) < 2:
        return ()
    turns, found = query.history, list[str]()
    for text in asked:
        part = replace(query, question=text, text=text, history=turns)
        found.append(resolve(part, embedder).text)
        turns = (*turns, (text, ""))
    return tuple(found)


def _questions(text: str, lang: str) -> list[str]:
    """The sentences that ask, each led by those before it that do not; three at most."""
    found: list[str] = []
    begin = 0
    for _, end in split_sentences(text, lang):
        if text[:end].rstrip(_CLOSERS).endswith(_ASKS):
            found.append(text[begin:end].strip())
            begin = end
    return found[:MOST_SEARCHES]


def _title_line(document: Document) -> str:
    title = document.title or document.source
    return ", ".join(filter(None, (title, document.lang, document.date)))
