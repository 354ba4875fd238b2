"""Example texts of each kind in many languages, and the one that is nearest to a text.

What a text is can so be told in any language that the embedding model knows, without a chat
model. `small_talk.py` and `question_kinds.py` tell different kinds, from files of their own.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

import numpy as np

from rag.embedding.encoder import Vectors
from rag.prompts import table
from rag.records import Record

K = TypeVar("K", bound=str)


class QuestionEmbedder(Protocol):
    """Embeds a question."""

    def question(self, text: str, lang: str) -> Vectors:
        """The unit vector of a question in that language."""


class NamedEmbedder(QuestionEmbedder, Protocol):
    """Embeds a question in a space that has a name."""

    @property
    def space(self) -> str:
        """Names the vector space."""


@dataclass(frozen=True, slots=True)
class Exemplar(Record, Generic[K]):
    """A line of `prompts/<name>.toml`."""

    text: str
    lang: str
    kind: K


@dataclass(frozen=True, slots=True)
class Recogniser(Generic[K]):
    """The exemplars' vectors in the space of one embedding model."""

    vectors: Vectors
    """Unit vectors, shape (exemplars, dimension)."""
    kinds: tuple[K, ...]
    floors: Mapping[K, float]
    """Cosine that the nearest exemplar of a kind must reach; a kind without one is none."""
    low: Mapping[K, float] = field(default_factory=dict)
    """Cosine from which the kind is at least likely."""

    def nearest(self, vector: Vectors) -> tuple[K, float]:
        """The kind of the nearest exemplar, and its cosine, whatever the floors."""
        cosines = self.vectors @ vector
        best = int(np.argmax(cosines))
        return self.kinds[best], float(cosines[best])

    def kind(self, vector: Vectors) -> K | None:
        """What a text with this vector is; None where it is near to nothing that has a floor."""
        return self._reached(vector, self.floors)

    def likely(self, vector: Vectors) -> K | None:
        """What a text with this vector may well be."""
        return self._reached(vector, self.low)

    def nearest_of(self, kinds: Sequence[K], vector: Vectors) -> K:
        """The one of these kinds that a text is nearest to, by its nearest three exemplars."""
        cosines = self.vectors @ vector
        of_kind = {
            kind: [cosines[i] for i, each in enumerate(self.kinds) if each == kind]
            for kind in kinds
        }
        return max(kinds, key=lambda kind: sum(sorted(of_kind[kind])[-3:]))

    def _reached(self, vector: Vectors, floors: Mapping[K, float]) -> K | None:
        kind, cosine = self.nearest(vector)
        return kind if cosine >= floors.get(kind, 2.0) else None


@cache
def read_exemplars(name: str, kinds: tuple[K, ...]) -> tuple[Exemplar[K], ...]:
    """Those of `prompts/<name>.toml`, in its order."""
    return tuple(
        Exemplar(text, lang, kind)
        for lang, texts in table(name).items()
        for kind in kinds
        for text in texts[kind]
    )


def known(
    text: str, lang: str, exemplars: Mapping[str, Mapping[str, Exemplar[K]]]
) -> Exemplar[K] | None:
    """The exemplar in these words, that of the language first; see `by_words`."""
    found = exemplars.get(words_key(text), {})
    return found.get(lang) or next(iter(found.values()), None)


def by_words(exemplars: Sequence[Exemplar[K]]) -> dict[str, dict[str, Exemplar[K]]]:
    """Exemplars by their letters, and then by their language."""
    found: dict[str, dict[str, Exemplar[K]]] = {}
    for each in exemplars:
        found.setdefault(words_key(each.text), {}).setdefault(each.lang, each)
    return found


def load(path: Path, kinds: Sequence[K], space: str) -> Recogniser[K] | None:
    """What was fitted for a vector space; None where that is another one."""
    with np.load(path) as file:
        if str(file["space"]) != space:
            return None
        vectors = file["vectors"].astype(np.float32) * float(file["scale"])
        low = file["low"] if "low" in file.files else ()
        return Recogniser(
            cast("Vectors", vectors),
            tuple(kinds[i] for i in file["kinds"]),
            dict(zip(kinds, map(float, file["floors"]), strict=False)),
            dict(zip(kinds, map(float, low), strict=False)),
        )


def words_key(text: str) -> str:
    """The letters alone: no case, accents, vowel points, punctuation or spaces.

    Spaces are no part of it since Persian is written with and without them, and so is chat.

    >>> words_key("¡HOLA!  Buenos días"), words_key("İyi günler"), words_key("שָׁלוֹם")
    ('holabuenosdias', 'iyigunler', 'שלום')
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(
        char
        for char in plain
        if unicodedata.category(char)[0] in "LMN" and not unicodedata.combining(char)
    )
