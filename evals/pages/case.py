"""What pages tell of one question, its answer, and how it came about."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from evals.metrics import CITED_SHARE, coverage
from evals.runs import Asked
from rag.records import Hit

_MARK = re.compile(r"(\[\d+\])")
VERDICTS = {
    "checked": "particulars checked",
    "unchecked": "nothing to check in it",
    "refused": "refused",
}
"""What is told of a model's claim by its status."""


def ways(row: Asked) -> Iterator[str]:
    """How the answer was made and checked, as the report's filter names it."""
    yield row.mode
    statuses = {each.status for each in row.answer.statements} if row.answer else set()
    if "refused" in statuses or any(call.refused for call in row.calls):
        yield "refused"
    if "unchecked" in statuses:
        yield "unchecked"


def stages(row: Asked) -> Iterator[tuple[str, str]]:
    """Each stage that the question went through, and what came of it."""
    proofs = [rank for rank, hit in enumerate(row.hits, 1) if evidence_in(row, hit)]
    place = f"first proof at {proofs[0]}" if proofs else "no proof among them"
    yield "found", _counted(len(row.hits), "passage") + (f", {place}" if row.evidence else "")
    if row.calls:
        refused = sum(bool(call.refused) for call in row.calls)
        yield "read", _counted(len(row.calls), "call") + (f", {refused} refused" if refused else "")
    if row.answer and row.answer.statements:
        counts = Counter(each.status for each in row.answer.statements)
        yield "checked", ", ".join(f"{count} {status}" for status, count in counts.items())
    if row.answer and row.evidence:
        yield "cited", f"{len(row.cited)} of {len(row.evidence)} needed facts"
    yield "took", f"{row.seconds:.2f} s"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def evidence_in(row: Asked, hit: Hit) -> list[int]:
    """Positions of the needed facts that can be read in the hit, counted from 1."""
    return [
        position
        for position, quotes in enumerate(row.evidence, 1)
        if any(coverage(quote, [hit]) >= CITED_SHARE for quote in quotes)
    ]


def segments(text: str, numbers: Sequence[int]) -> list[tuple[str, bool]]:
    """A text in pieces, and of each whether it is the mark of one of these citations.

    >>> segments("It rained [1] in [2024].", [1])
    [('It rained ', False), ('[1]', True), (' in ', False), ('[2024]', False), ('.', False)]
    """
    marks = {f"[{number}]" for number in numbers}
    return [(piece, piece in marks) for piece in _MARK.split(text) if piece]
