"""Whether two articles say different things of one thing."""

from collections.abc import Sequence
from decimal import Decimal

from rag.embed import Embedder
from rag.evidence import Evidence
from rag.figures import read_figures
from rag.folding import fold
from rag.units import Unit, unit_at

Amounts = dict[Unit, set[Decimal | str]]


def differ(evidence: Sequence[Evidence], embedder: Embedder) -> bool:
    """Whether two of the sentences, of two articles, give one kind of figure differently.

    They must say about the same: as near as a sentence and its translation. Never for an
    embedding model for which nobody has measured how near that is.
    """
    return any(
        _contradict(one, other, embedder)
        for i, one in enumerate(evidence)
        for other in evidence[:i]
        if one.hit.source != other.hit.source
    )


def _contradict(one: Evidence, other: Evidence, embedder: Embedder) -> bool:
    amounts, others = _amounts(one), _amounts(other)
    if not any(not amounts[unit] & others[unit] for unit in amounts.keys() & others.keys()):
        return False
    text, lang = one.sentence.text, one.hit.lang
    return embedder.agrees(text, lang, [other.sentence.text], [other.hit.lang]) is True


def _amounts(evidence: Evidence) -> Amounts:
    """The figures of a sentence that count something known, by what they count."""
    text, lang = evidence.sentence.text, evidence.hit.lang
    plain = fold(text).text
    found: Amounts = {}
    for figure in read_figures(text, lang):
        unit = unit_at(plain, figure.start, figure.end, lang)
        if unit and figure.sure:
            found.setdefault(unit, set()).update(figure.values)
    return found
