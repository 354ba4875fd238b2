"""Recognise what is no question to the articles: a greeting, or an order to the program.

A text is known in the words of `prompts/small_talk.toml`, or by its vector: the exemplar that is
nearest to it is small talk, and near enough. docs/decisions/small-talk.md says how near, and
what that costs. With an embedding model that nothing was measured for only the words count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from rag.languages.sentences import split_sentences
from rag.records import Query, Record
from rag.understanding.exemplars import (
    Exemplar,
    NamedEmbedder,
    Recogniser,
    by_words,
    known,
    load,
    read_exemplars,
    words_key,
)
from rag.understanding.question_kinds import wanted

Kind = Literal["greeting", "order", "question"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VECTORS_FILE = Path(__file__).with_name("small_talk.npz")
MAX_PIECES = 8
"""Sentences and clauses; a text of more is taken for a question."""
_CLAUSE_END = re.compile("[,;،؛，；、]+")


@dataclass(frozen=True, slots=True)
class SmallTalk(Record):
    """A text that asks nothing of the articles."""

    kind: Literal["greeting", "order"]
    lang: str
    """ISO 639-1 code; that of the known words where there are such, since one word ("hola") tells
    `rag.languages.detect` too little."""


def small_talk(query: Query, embedder: NamedEmbedder) -> SmallTalk | None:
    """What a question is that asks nothing; None for one that holds a question.

    In a conversation only known words count, alone the vector too. It is small talk when each of
    its sentences is, and of a greeting each clause: "Hello, when was it opened?" is a question.
    What asks for a summary or for something of the corpus is none, though it be an order.
    """
    # "And how high?" is near to "and how are you?", but leans on what went before.
    found = recognise(query, embedder, None if query.history else recogniser(embedder.space))
    return None if found is None or wanted(query, embedder) != "fact" else found


def recognise(
    query: Query, embedder: NamedEmbedder, by_vector: Recogniser[Kind] | None
) -> SmallTalk | None:
    """`small_talk` with a recogniser of one's own; by words alone where it is None."""
    text, lang = query.question, query.question_lang
    said = _known(text, lang)
    if said is not None:
        return _small(said.kind, said.lang)
    found: list[Exemplar[Kind]] = []
    for piece in _pieces(text, lang):
        each = _piece(piece, lang, embedder, by_vector)
        if each.kind == "question" or len(found) == MAX_PIECES:
            return None
        found.append(each)
    orders = [each for each in found if each.kind == "order"]
    first = next(iter(orders or found), None)
    return None if first is None else _small(first.kind, first.lang)


def exemplars() -> tuple[Exemplar[Kind], ...]:
    """Those of `prompts/small_talk.toml`, in its order."""
    return read_exemplars("small_talk", KINDS)


@cache
def recogniser(space: str) -> Recogniser[Kind] | None:
    """What was fitted for a vector space; None where that is another one."""
    return load(VECTORS_FILE, KINDS, space)


def _small(kind: Kind, lang: str) -> SmallTalk | None:
    return None if kind == "question" else SmallTalk(kind, lang)


def _piece(
    text: str, lang: str, embedder: NamedEmbedder, by_vector: Recogniser[Kind] | None
) -> Exemplar[Kind]:
    """The text with its kind."""
    said = _known(text, lang)
    if said is not None:
        return said
    if by_vector is None:
        return Exemplar(text, lang, "question")
    kind = by_vector.kind(embedder.question(text, lang)) or "question"
    clauses = [clause.strip() for clause in _CLAUSE_END.split(text) if clause.strip()]
    if kind == "greeting" and len(clauses) > 1:
        kinds = [_piece(clause, lang, embedder, by_vector).kind for clause in clauses[:MAX_PIECES]]
        kind = "question" if "question" in kinds or len(clauses) > MAX_PIECES else kind
    return Exemplar(text, lang, kind)


def _pieces(text: str, lang: str) -> Iterator[str]:
    """The sentences that have words."""
    for start, end in split_sentences(text, lang):
        if words_key(text[start:end]):
            yield text[start:end]


def _known(text: str, lang: str) -> Exemplar[Kind] | None:
    """The exemplar in these words, that of the language first."""
    return known(text, lang, _by_words())


@cache
def _by_words() -> dict[str, dict[str, Exemplar[Kind]]]:
    return by_words(exemplars())
