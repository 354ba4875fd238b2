"""Look closer: the best hits are read, and ranked anew by all that is known of them.

Reading question and passage together takes far longer than comparing vectors
(docs/performance.md), so it is done for few; docs/decisions/cross-encoder.md says what it is
worth.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.embedding.cross_encoder import CrossEncoder, Reading
from rag.parts import Parts
from rag.records import Hit, Query
from rag.retrieval.calibration import SIGNALS, blended, relevance
from rag.retrieval.particulars import lacking

READ = 12
"""Hits that get a closer look; the answer is hardly ever further down."""


def rerank(
    query: Query, hits: Sequence[Hit], parts: Parts, signals: Sequence[str] = SIGNALS
) -> list[Hit]:
    """The hits, best first, of which the first few were looked at more closely.

    They get the signals `particulars` and `cross_encoder`, with the place of the likeliest
    answer. What is further down stays there.
    """
    best, rest = list(hits[:READ]), hits[READ:]
    closer: dict[str, list[float]] = {}
    if "particulars" in signals:
        closer["particulars"] = [-float(_lacks(query, hit)) for hit in best]
    if "cross_encoder" in signals and parts.cross_encoder is not None:
        closer["cross_encoder"], readings = _read(query, best, parts.cross_encoder)
        best = list(map(_as_read, best, readings))
    if not best or not closer:
        return list(hits)
    known = {name: [hit.signals[name] for hit in best] for name in best[0].signals} | closer
    scores = relevance({n: np.array(values) for n, values in known.items()}, parts.embedder.name)
    looked = [
        replace(
            hit,
            score=float(scores[i]),
            signals={name: values[i] for name, values in known.items()},
        )
        for i, hit in enumerate(best)
    ]
    looked.sort(key=lambda hit: -hit.score)
    return [*looked, *ranked_below(rest, looked)]


def ranked_below(hits: Sequence[Hit], others: Sequence[Hit]) -> list[Hit]:
    """The hits with scores that are no higher than those of the others."""
    most = min((hit.score for hit in others), default=1.0)
    return [replace(hit, score=min(hit.score, most)) for hit in hits]


def _lacks(query: Query, hit: Hit) -> int:
    text = f"{hit.in_context}\n{hit.date}"
    return lacking(query.asked, query.question_lang, text, hit.lang)


def _read(
    query: Query, hits: Sequence[Hit], cross_encoder: CrossEncoder
) -> tuple[list[float], Sequence[Reading]]:
    """The log-odds that each hit answers, and its reading for what is asked."""
    texts = [hit.in_context for hit in hits]
    readings = cross_encoder.read(query.asked, texts)
    answers = np.array([reading.answers for reading in readings])
    if query.asked != query.text:
        joined = cross_encoder.read(query.text, texts)
        answers = blended(answers, np.array([reading.answers for reading in joined]))
    return answers.tolist(), readings


def _as_read(hit: Hit, reading: Reading) -> Hit:
    # From places in what was read, which a title leads, to places in the article.
    moved = hit.start - (len(hit.in_context) - len(hit.text))
    begin, end = (moved + place for place in reading.span)
    return replace(
        hit,
        answer=(begin, end) if begin >= hit.start else None,
        shares=tuple(reading.share(s.start - moved, s.end - moved) for s in hit.sentences),
    )
