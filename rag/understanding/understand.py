"""Understand: what a question wants, before anything is searched.

Code tells it by the exemplars of `prompts/question_kinds.toml` (docs/decisions/understanding.md),
and a served model is asked where they say that a question is likely no plain one, or where it may
lean on what went before.
"""

import json
import re
import threading
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from langchain_core.messages import BaseMessage, HumanMessage

from rag.languages.detect import detect
from rag.languages.sentences import split_sentences
from rag.languages.titles import shown_title
from rag.models.errors import NO_FORM
from rag.parts import Parts
from rag.prompts import fill
from rag.records import CallEvent, Query, QueryKind
from rag.understanding.answer_language import names_language
from rag.understanding.exemplars import (
    Exemplar,
    QuestionEmbedder,
    Recogniser,
    by_words,
    known,
    load,
    read_exemplars,
)
from rag.understanding.follow_up import resolve

if TYPE_CHECKING:
    from rag.models.conversation import Conversation

Wanted = Literal[
    "overview", "digest", "count", "languages", "list", "oldest", "newest", "comparison", "fact"
]
"""As `QueryKind`, with what is asked of the corpus, and a comparison of two things told apart."""
WANTED: tuple[Wanted, ...] = get_args(Wanted)
OF_CORPUS: tuple[Wanted, ...] = ("count", "languages", "list", "oldest", "newest")
_SMALL_TALK: tuple[Literal["greeting", "order"], ...] = ("greeting", "order")
VECTORS_FILE = Path(__file__).with_name("question_kinds.npz")
MOST_SEARCHES = 3
MOST_TITLES = 40
LONGEST_REPLY = 2_000
"""Characters; a longer reply is a model that does not stop, and is not read on."""
_TURNS, _ANSWER = 3, 400
"""Earlier turns that the model sees, and characters of an answer."""
_LONGEST_SEARCH = 500
_ASKS = ("?", "？", "؟", "՞", "፧")
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian and Indic words are written."""
_MARK = re.compile(r"\[[0-9, ]+\]")
_CLOSERS = "\"'”’»)]）」』"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": list(get_args(QueryKind))},
        "question": {"type": "string"},
        "searches": {"type": "array", "maxItems": MOST_SEARCHES, "items": {"type": "string"}},
        "language": {"type": "string"},
    },
    "required": ["kind", "question", "searches", "language"],
    "additionalProperties": False,
}


# --- by code


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


def wanted(query: Query, embedder: QuestionEmbedder, likely: bool = False) -> Wanted:
    """What the question alone wants, whatever went before; with `likely`, what it may well want.

    With an embedding model that nothing was fitted for only the exemplars' own words count.
    """
    said = known(query.question, query.question_lang, _by_words())
    if said is not None:
        return said.kind
    made = recogniser(embedder.space)
    if made is None:
        return "fact"
    vector = embedder.question(query.question, query.question_lang)
    return (made.likely(vector) if likely else made.kind(vector)) or "fact"


def wanted_of_corpus(query: Query, embedder: QuestionEmbedder | None) -> Wanted:
    """What a question that is about the corpus asks of it, "count" where that cannot be told."""
    said = known(query.question, query.question_lang, _by_words())
    if said is not None and said.kind in OF_CORPUS:
        return said.kind
    made = recogniser(embedder.space) if embedder else None
    if embedder is None or made is None:
        return "count"
    vector = embedder.question(query.question, query.question_lang)
    return made.nearest_of(OF_CORPUS, vector)


def kind_of(wanted: Wanted) -> QueryKind:
    """The kind of a query; things are compared by their facts.

    >>> kind_of("oldest"), kind_of("comparison")
    ('corpus', 'fact')
    """
    if wanted in OF_CORPUS:
        return "corpus"
    return wanted if wanted in ("overview", "digest") else "fact"


def exemplars() -> tuple[Exemplar[Wanted], ...]:
    """Those of `prompts/question_kinds.toml`, in its order; `$about` and `$both` unfilled.

    After them greetings and orders, so that one that `small_talk.py` does not know is none of the
    other kinds either.
    """
    small = read_exemplars("small_talk", _SMALL_TALK)
    return (
        *read_exemplars("question_kinds", WANTED),
        *(Exemplar(each.text, each.lang, "fact") for each in small),
    )


@cache
def recogniser(space: str) -> Recogniser[Wanted] | None:
    """What was fitted for a vector space; None where that is another one."""
    return load(VECTORS_FILE, WANTED, space)


@cache
def _by_words() -> dict[str, dict[str, Exemplar[Wanted]]]:
    return by_words([each for each in exemplars() if "$" not in each.text])


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


# --- by a model


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
    messages: list[BaseMessage] = [HumanMessage(_prompt(query, titles))]
    with closing(model.stream(messages, SCHEMA, stop)) as replies:
        for reply in replies:
            if len(reply) > LONGEST_REPLY:
                break
    if stop.is_set():
        return query
    understood = _read(model.reply)
    refused = "" if understood else NO_FORM
    yield CallEvent(
        ((messages[0].type, str(messages[0].text)),), model.reply, refused, model.cached
    )
    return _merged(query, understood, language_is_set)


def _prompt(query: Query, titles: Sequence[str]) -> str:
    shown = [shown_title(title, 160) for title in titles[:MOST_TITLES]]
    return fill(
        "understand",
        articles="\n".join(f"- {title}" for title in shown if title) or "none",
        earlier="\n".join(_told(query.history[-_TURNS:])) or "none",
        question=query.question,
    )


def _told(turns: Iterable[tuple[str, str]]) -> Iterable[str]:
    for asked, answered in turns:
        yield f"User: {_line(asked, _ANSWER)}"
        yield f"You: {_line(_MARK.sub('', answered), _ANSWER)}"


def _line(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _read(reply: str) -> dict[str, Any]:
    """The object in a reply; {} where there is none."""
    try:
        found = json.loads(reply[reply.find("{") : reply.rfind("}") + 1], strict=False)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


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
