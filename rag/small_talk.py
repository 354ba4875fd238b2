"""Recognise what is no question to the articles: a greeting, or an order to the program.

A text is known in the words of `prompts/small_talk.toml`, or by its vector: the exemplar that is
nearest to it is small talk, and near enough. docs/decisions/small-talk.md says how near, and
what that costs. With an embedding model that nothing was measured for only the words count.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np

from rag.encoder import Vectors
from rag.records import Query, Record
from rag.resources import prompts_folder
from rag.sentences import split_sentences

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
    `rag.language` too little."""


@dataclass(frozen=True, slots=True)
class Exemplar(Record):
    """A line of `prompts/small_talk.toml`."""

    text: str
    lang: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Recogniser:
    """The exemplars' vectors in the space of one embedding model."""

    vectors: Vectors
    """Unit vectors, shape (exemplars, dimension)."""
    kinds: tuple[Kind, ...]
    floors: Mapping[Kind, float]
    """Cosine that the nearest exemplar of a kind must reach."""

    def nearest(self, vector: Vectors) -> tuple[Kind, float]:
        """The kind of the nearest exemplar, and its cosine, whatever the floors."""
        cosines = self.vectors @ vector
        best = int(np.argmax(cosines))
        return self.kinds[best], float(cosines[best])

    def kind(self, vector: Vectors) -> Kind:
        """What a text with this vector is; a question where it is near to no small talk."""
        kind, cosine = self.nearest(vector)
        return kind if cosine >= self.floors.get(kind, 1.0) else "question"


class QuestionEmbedder(Protocol):
    """Embeds a question in a named space."""

    @property
    def space(self) -> str:
        """Names the vector space."""

    def question(self, text: str, lang: str) -> Vectors:
        """The unit vector of a question in that language."""


def small_talk(query: Query, embedder: QuestionEmbedder) -> SmallTalk | None:
    """What a question is that asks nothing; None for one that holds a question.

    Only the question itself is looked at, not what went before. It is small talk when each of
    its sentences is, and of a greeting each clause: "Hello, when was it opened?" is a question.
    """
    return recognise(query, embedder, recogniser(embedder.space))


def recognise(
    query: Query, embedder: QuestionEmbedder, by_vector: Recogniser | None
) -> SmallTalk | None:
    """`small_talk` with a recogniser of one's own; by words alone where it is None."""
    text, lang = query.question, query.question_lang
    said = _known(text, lang)
    if said is not None:
        return _small(said.kind, said.lang)
    found: list[Exemplar] = []
    for piece in _pieces(text, lang):
        each = _piece(piece, lang, embedder, by_vector)
        if each.kind == "question" or len(found) == MAX_PIECES:
            return None
        found.append(each)
    orders = [each for each in found if each.kind == "order"]
    first = next(iter(orders or found), None)
    return None if first is None else _small(first.kind, first.lang)


def exemplars() -> tuple[Exemplar, ...]:
    """Those of `prompts/small_talk.toml`, in its order."""
    with (prompts_folder() / "small_talk.toml").open("rb") as file:
        found: dict[str, dict[Kind, list[str]]] = tomllib.load(file)
    return tuple(
        Exemplar(text, lang, kind)
        for lang, texts in found.items()
        for kind in KINDS
        for text in texts[kind]
    )


@cache
def recogniser(space: str) -> Recogniser | None:
    """What was fitted for a vector space; None where that is another one."""
    with np.load(VECTORS_FILE) as file:
        if str(file["space"]) != space:
            return None
        vectors = file["vectors"].astype(np.float32) * float(file["scale"])
        kinds = tuple(KINDS[i] for i in file["kinds"])
        floors: dict[Kind, float] = dict(zip(KINDS, map(float, file["floors"]), strict=False))
    return Recogniser(vectors, kinds, floors)


def save(made: Recogniser, space: str, path: Path = VECTORS_FILE) -> None:
    """Write a recogniser, its vectors in 8 bits."""
    scale = float(np.abs(made.vectors).max()) / 127
    np.savez_compressed(
        path,
        space=np.array(space),
        scale=np.array(scale),
        vectors=np.round(made.vectors / scale).astype(np.int8),
        kinds=np.array([KINDS.index(kind) for kind in made.kinds], dtype=np.uint8),
        floors=np.array([made.floors[kind] for kind in KINDS[:2]]),
    )


def _small(kind: Kind, lang: str) -> SmallTalk | None:
    return None if kind == "question" else SmallTalk(kind, lang)


def _piece(
    text: str, lang: str, embedder: QuestionEmbedder, by_vector: Recogniser | None
) -> Exemplar:
    """The text with its kind."""
    said = _known(text, lang)
    if said is not None:
        return said
    if by_vector is None:
        return Exemplar(text, lang, "question")
    kind = by_vector.kind(embedder.question(text, lang))
    clauses = [clause.strip() for clause in _CLAUSE_END.split(text) if clause.strip()]
    if kind == "greeting" and len(clauses) > 1:
        kinds = [_piece(clause, lang, embedder, by_vector).kind for clause in clauses[:MAX_PIECES]]
        kind = "question" if "question" in kinds or len(clauses) > MAX_PIECES else kind
    return Exemplar(text, lang, kind)


def _pieces(text: str, lang: str) -> Iterator[str]:
    """The sentences that have words."""
    for start, end in split_sentences(text, lang):
        if _key(text[start:end]):
            yield text[start:end]


def _known(text: str, lang: str) -> Exemplar | None:
    """The exemplar in these words, that of the language first."""
    found = _by_words().get(_key(text), {})
    return found.get(lang) or next(iter(found.values()), None)


@cache
def _by_words() -> dict[str, dict[str, Exemplar]]:
    found: dict[str, dict[str, Exemplar]] = {}
    for each in exemplars():
        found.setdefault(_key(each.text), {}).setdefault(each.lang, each)
    return found


def _key(text: str) -> str:
    """The letters alone: no case, accents, vowel points, punctuation or spaces.

    Spaces are no part of it since Persian is written with and without them, and so is chat.

    >>> _key("¡HOLA!  Buenos días"), _key("İyi günler"), _key("שָׁלוֹם")
    ('holabuenosdias', 'iyigunler', 'שלום')
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(
        char
        for char in plain
        if unicodedata.category(char)[0] in "LMN" and not unicodedata.combining(char)
    )
