"""Overview: which articles a question is about as a whole, and their most central sentences."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors, unit
from rag.languages.detect import detect
from rag.languages.locales import FALLBACK
from rag.parts import Parts
from rag.prompts import table
from rag.reading.split import split_document
from rag.records import Document, Hit, Query
from rag.retrieval.sentence_selection import Evidence

MOST_OF_OVERVIEW, MOST_OF_DIGEST = 3, 20
"""Articles."""
NEARLY = 0.8
"""Share of the best article's strength that another has that is a third one."""
_ALIKE = 0.75
"""Centred cosine from which two sentences of one article say about the same."""
_TITLE, _LEAD = 0.5, 0.15
"""What nearness to the title counts beside that to the whole article, and standing first."""
_LEAST_WORDS, _LEAST_LETTERS = 6, 30
_WIDE = 3
"""A Han sign is worth so many letters of an alphabet."""
_END = re.compile(r"[.!…。！।۔]+[\s\"'”’»)\]）」』]*$")


def chosen_articles(
    query: Query, hits: Sequence[Hit], documents: Mapping[str, Document]
) -> list[str]:
    """The sources that an overview or a digest is made of, the first ones first.

    For a digest all, at most twenty, those with most hits first. Else the article that the hits
    tell of; where the question is about several, the next as well, and a third if it is nearly
    as strong as the first.
    """
    if query.kind == "digest":
        counts = Counter(hit.source for hit in hits)
        known = dict.fromkeys((*(s for s, _ in counts.most_common()), *documents))
        return [source for source in known if source in documents][:MOST_OF_DIGEST]
    ranked = _strengths([hit for hit in hits if hit.source in documents])
    if not is_of_several(query):
        return [source for source, _ in ranked[:1]]
    near = sum(strength >= NEARLY * ranked[0][1] for _, strength in ranked)
    return [source for source, _ in ranked[: min(max(2, near), MOST_OF_OVERVIEW)]]


def is_of_several(query: Query) -> bool:
    """Whether a question for an overview means more than one article."""
    if len(query.searches) > 1:
        return True
    patterns = (_several(lang) for lang in dict.fromkeys((query.question_lang, FALLBACK)))
    return any(pattern.search(query.question.casefold()) for pattern in patterns if pattern)


def passages_of(document: Document, parts: Parts) -> list[Hit]:
    """All passages of an article, in order, as hits: each answers what the article is about."""
    embedder = parts.embedder
    passages = split_document(document, embedder.count_tokens, embedder.budget)
    return [passage.hit(1.0) for passage in passages]


def central_sentences(hits: Sequence[Hit], embedder: Embedder) -> list[Evidence]:
    """Of whole articles the sentences that tell most of each, in its order, numbered from 1.

    Three of a single article, two of each of up to three, one of each of more.
    """
    by_article: dict[str, list[Hit]] = {}
    for hit in hits:
        by_article.setdefault(hit.source, []).append(hit)
    most = {1: 3, 2: 2, 3: 2}.get(len(by_article), 1)
    found = [each for of_one in by_article.values() for each in _central(of_one, most, embedder)]
    return [replace(evidence, number=number) for number, evidence in enumerate(found, 1)]


# --- which articles


def _strengths(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Each article with how near its passages are to the question, nearest first.

    No passage answers what an article is about, so what counts is its nearness, which is of the
    subject, rather than the probability that it answers.
    """
    near: dict[str, list[float]] = {}
    for hit in hits:
        near.setdefault(hit.source, []).append(hit.signals.get("dense", hit.score))
    best = {source: float(np.mean(sorted(found)[-2:])) for source, found in near.items()}
    return sorted(best.items(), key=lambda pair: -pair[1])


@cache
def _several(lang: str) -> re.Pattern[str] | None:
    """The words of a language that mean more than one article."""
    words = table("question_kinds").get(lang, {}).get("several", [])
    if not words:
        return None
    either = "|".join(re.escape(word.casefold()) for word in words)
    return re.compile(either if lang in ("zh", "ja") else rf"(?<!\w)(?:{either})")


# --- which sentences


def _central(hits: Sequence[Hit], most: int, embedder: Embedder) -> list[Evidence]:
    """The most central sentences of one article, none that repeats another, in its order."""
    found = list(_whole_sentences(hits))
    if not found:
        return []
    texts, langs = [e.sentence.text for e in found], [e.hit.lang for e in found]
    vectors = embedder.sentences(texts, langs)
    scores = _centrality(vectors, hits[0], embedder)
    chosen: list[int] = []
    for i in map(int, np.argsort(-scores, kind="stable")):
        if len(chosen) < most and not any(vectors[i] @ vectors[j] > _ALIKE for j in chosen):
            chosen.append(i)
    return [replace(found[i], score=float(np.clip(scores[i], 0, 1))) for i in sorted(chosen)]


def _centrality(vectors: Vectors, hit: Hit, embedder: Embedder) -> Vectors:
    """How near each sentence is to the whole article and to its title; the lead is favoured."""
    scores = vectors @ unit(vectors.mean(axis=0))
    if hit.title:
        lang = detect(hit.title).lang or hit.lang
        scores = scores + _TITLE * (vectors @ embedder.sentences([hit.title], [lang])[0])
    lead = 1 - np.arange(len(scores)) / len(scores)
    return np.asarray((scores + _LEAD * lead) / (1 + _TITLE + _LEAD), dtype=np.float32)


def _whole_sentences(hits: Sequence[Hit]) -> Iterator[Evidence]:
    """The sentences that say something whole: no headings, bylines or questions."""
    for hit in hits:
        for sentence in hit.sentences:
            if _is_whole(sentence.text) and sentence.text != hit.title:
                yield Evidence(0, sentence, hit, 0.0)


def _is_whole(text: str) -> bool:
    if not _END.search(text):
        return False
    letters = sum(_WIDE if _is_wide(char) else 1 for char in text if char.isalpha())
    words = len(text.split())
    return letters >= _LEAST_LETTERS and (words >= _LEAST_WORDS or any(map(_is_wide, text)))


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"
