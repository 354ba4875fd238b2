"""Why a draft is not shown as a translation: the checks of code, cheap ones first.

Each particular must stand on both sides (`rag.checking.audit`), the language and length must be
right, and each sentence must be near to one of the other side.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rag.checking.audit import audit
from rag.embedding.e5 import E5_NAME
from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors
from rag.languages.cldr import language_name
from rag.languages.detect import detect
from rag.languages.sentences import split_sentences
from rag.models.errors import NO_FORM
from rag.records import Record

LENGTHS = 0.6, 2.0
"""A translation's tokens for each of the quote's; 99 in 100 by people lie between."""
MEANING_FLOOR, SENTENCE_FLOOR = 0.4, 0.3
"""Centred cosine of a translation with the quote, and of each sentence of several with the
nearest of the other side; 19 in 20 by people reach the first, fewer from Hebrew."""
_FOREIGN_LETTERS = 0.1
"""Share of letters in a third script; a few are a word that the quote is about."""
_ADDRESS = re.compile(r"\w+://[^\s<>\"'”»]+|www\.[^\s<>\"'”»]+|[\w.+-]+@[\w-]+\.\w+")
_POINTS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]")

Kind = Literal[
    "form", "language", "script", "length", "address", "particular", "left out", "meaning"
]


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """What is translated: a text on one line, its language ("" when unknown), into which."""

    text: str
    lang: str
    to: str


@dataclass(frozen=True, slots=True)
class Fault(Record):
    """Why a draft is not shown, in words that a model can act on."""

    kind: Kind
    reason: str


TOO_LONG = Fault("length", "it is too long")


def find_fault(draft: str, quote: Quote, embedder: Embedder) -> Fault | None:
    """The first reason not to show a draft as a translation of the quote, if there is one."""
    return next(_faults(draft, quote, embedder), None)


def _faults(draft: str, quote: Quote, embedder: Embedder) -> Iterator[Fault]:
    language = language_name(quote.to)
    if not any(map(str.isalnum, draft)):
        yield Fault("form", NO_FORM)
        return
    if detect(draft).lang not in ("", quote.to):
        yield Fault("language", f"it is not in {language}")
    if _foreign_letters(draft) > _FOREIGN_LETTERS:
        yield Fault("script", f"it mixes other scripts into {language}")
    for address in _ADDRESS.findall(draft):
        if address not in quote.text:
            yield Fault("address", f"it adds the address {address}")
    low, high = LENGTHS
    length = embedder.count_tokens(_bare(draft)) / embedder.count_tokens(_bare(quote.text))
    if not low <= length <= high:
        yield Fault("length", "it is too short") if length < low else TOO_LONG
    for added in audit(draft, quote.to, [(quote.text, quote.lang)]):
        yield Fault("particular", f"the quote does not say {added.text}")
    for lost in audit(quote.text, quote.lang, [(draft, quote.to)]):
        yield Fault("left out", f"it does not say {lost.text}, as the quote does")
    if not _means_the_same(draft, quote, embedder):
        yield Fault("meaning", "it does not say what the quote says")


def _means_the_same(draft: str, quote: Quote, embedder: Embedder) -> bool:
    """Whether the whole is near enough, and each sentence to some of the other side.

    True with a model without language means, whose cosines tell nothing across languages.
    """
    if embedder.name != E5_NAME:
        return True
    drafted = _vectors(draft, quote.to, embedder)
    quoted = _vectors(quote.text, quote.lang, embedder)
    cosines = drafted @ quoted.T
    if cosines[0, 0] < MEANING_FLOOR:
        return False
    nearest = [*cosines.max(axis=1), *cosines.max(axis=0)]
    return bool(min(nearest) >= SENTENCE_FLOOR)


def _vectors(text: str, lang: str, embedder: Embedder) -> Vectors:
    """Centred unit vectors of the whole and, of several, of each sentence; (n, dimension)."""
    spans = split_sentences(text, lang)
    texts = [text, *(text[start:end] for start, end in spans if len(spans) > 1)]
    texts = list(map(_bare, texts))
    raw = np.array(embedder.embeddings.embed_documents(texts), dtype=np.float32)
    return embedder.means.subtract(raw, [lang] * len(texts), "sentence")


def _bare(text: str) -> str:
    """The text without vowel points, which the embedder has hardly ever read."""
    return _POINTS.sub("", text)


def _foreign_letters(text: str) -> float:
    """The share of letters that are neither Latin nor of the script that most are of."""
    scripts = Counter(map(_script, filter(str.isalpha, text)))
    latin = scripts.pop("LATIN", 0)
    if not scripts:
        return 0.0
    most = 0 if latin > sum(scripts.values()) else max(scripts.values())
    return (sum(scripts.values()) - most) / (latin + sum(scripts.values()))


def _script(letter: str) -> str:
    """The script by its letter's Unicode name; those that Japanese mixes are one."""
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA") else name
