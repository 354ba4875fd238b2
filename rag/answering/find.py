"""Find: what is meant -> the passages to answer from, whole articles among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from rag.answering.context import MOST_HITS, fitting
from rag.answering.overview import chosen_articles, passages_of
from rag.parts import Parts
from rag.records import Document, Hit, Query, Record
from rag.retrieval.retrieve import retrieve
from rag.store.filters import meets, parse_filter

Where = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Findings(Record):
    """What was found for a question."""

    query: Query
    hits: tuple[Hit, ...]
    """Best first."""
    by_part: tuple[tuple[Query, Sequence[Hit]], ...]
    """The same for each part that is searched by itself, before it was cut to fit a model."""
    of_articles: bool
    """Whether it is all passages of some articles, for a summary."""


def find(query: Query, parts: Parts, k: int | None, where: Where, budget: int | None) -> Findings:
    """At most k passages, and no more than a model's budget of tokens holds if it reads them."""
    of_articles = query.kind in ("overview", "digest")
    if of_articles:
        by_part = [(query, _whole_articles(query, parts, where))]
    else:
        most = k or (MOST_HITS if budget else None)
        asked = [replace(query, text=text, lead="") for text in query.searches] or [query]
        by_part = [(each, retrieve(each, parts, most, where)) for each in asked]
    hits = in_turn([hits for _, hits in by_part])
    if budget:
        hits = fitting(hits, budget, parts.embedder.count_tokens)
    return Findings(query, tuple(hits[: k or MOST_HITS]), tuple(by_part), of_articles)


def in_turn(ranked: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The first of each list, then the second of each, and so on.

    A passage that is in several stands once, where it came last.
    """
    found = [hit for row in zip_longest(*ranked) for hit in row if hit is not None]
    return list({(hit.source, hit.start): hit for hit in reversed(found)}.values())[::-1]


def stored_documents(parts: Parts, where: Where) -> dict[str, Document]:
    """The stored articles that meet the filter, by their source."""
    conditions, stored = parse_filter(where), parts.store.documents()
    return {n: each.document for n, each in stored.items() if meets(each.document, conditions)}


def _whole_articles(query: Query, parts: Parts, where: Where) -> list[Hit]:
    """All passages of the articles that a summary is of, one of each in turn."""
    hits = retrieve(query, parts, MOST_HITS, where)
    documents = stored_documents(parts, where)
    sources = chosen_articles(query, hits, documents)
    return in_turn([passages_of(documents[source], parts) for source in sources])
