"""Scores of one answer, and the figures over many: pure functions.

A score is 1.0 for yes, 0.0 for no or a share between. None means that it could
not be judged, which is never the same as 0.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evals.cases import Case, Evidence, Quote
from evals.matching import holds, without_marks
from evals.supported import unsupported, without_quotes
from rag.errors import InputError
from rag.records import Answer, Citation, Record

Score = float | None
Detector = Callable[[str], str]
"""The ISO 639-1 code of a text's language, or "" when it cannot tell."""

CITED_SHARE = 0.5
"""Part of a quote that must be cited: a clause will do, a word that it shares will not."""

_MIN_LETTER_BYTES = 8
"""Less than this is too short for a detector to be trusted. In UTF-8 bytes, because
a Chinese sign says more than a Latin letter."""

_QUOTED = re.compile(r"“[^”]*”|„[^”“]*[”“]|«[^»]*»|\"[^\"]*\"|「[^」]*」|『[^』]*』")
_ISOLATED = re.compile("\u2068[^\u2069]*\u2069")
"""What the program sets off because its direction may be another."""


class Slice(Protocol):
    """Any record that points into an article."""

    @property
    def source(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Scores(Record):
    """How one answer did; every field is None where it could not be judged."""

    facts_right: Score = None
    """Holds all that it must and nothing that it must not."""
    right_in_language: Score = None
    """The same of the answer's own words, which must be in the language of the question. What
    it quotes in another language counts for nothing here."""
    evidence_cited: Score = None
    """Share of the needed facts whose proof is cited."""
    citations_apt: Score = None
    """Share of the citations that touch the known evidence."""
    pointers_exact: Score = None
    """Share of the citations whose offsets give their quote."""
    wrongly_answered: Score = None
    """Answered though the articles do not say."""
    wrongly_abstained: Score = None
    """Abstained though the articles say."""
    unsupported: Score = None
    """States a figure, date or name that its quotes do not hold."""
    answer_language: Score = None
    """Answered in the language of the question."""
    evidence_found: Score = None
    """All evidence lies within the passages that were found."""
    crag: Score = None
    """1 right, 0 abstained, -1 wrong; abstaining is right where the articles do not say."""
    answer_contained: Score = None
    """Holds a known answer; public sets only."""
    quote_contained: Score = None
    """Quotes a known answer; public sets only."""
    judge: Score = None
    """States the same as the evidence, as a chat model judges it."""


LOWER_IS_BETTER = frozenset({"wrongly_answered", "wrongly_abstained", "unsupported"})
"""Scores of which less is better; of all others more is."""


@dataclass(frozen=True, slots=True)
class Figure(Record):
    """A mean over `n` judged scores; `mean` is None when n is 0."""

    mean: float | None
    n: int
    se: float | None
    """Standard error of the mean; None when fewer than two groups were judged."""


def score(case: Case, answer: Answer, articles: Mapping[str, str], detect: Detector) -> Scores:
    """All scores of one answer; `articles` maps names to texts."""
    language, right = answer_language(case, answer, detect), facts_right(case, answer)
    return Scores(
        facts_right=right,
        right_in_language=None if right is None else _right_in_language(case, answer, language),
        evidence_cited=evidence_cited(case, answer),
        citations_apt=citations_apt(case, answer),
        pointers_exact=pointers_exact(answer.citations, articles),
        wrongly_answered=None if case.answerable else float(not answer.abstained),
        wrongly_abstained=float(answer.abstained) if case.answerable else None,
        unsupported=unsupported(answer, case.question, case.lang),
        answer_language=language,
        evidence_found=evidence_found(case, answer.hits),
        crag=crag(case, answer),
    )


def _right_in_language(case: Case, answer: Answer, language: Score) -> float:
    """What has no language, such as a figure alone, can be read by every asker."""
    if answer.abstained or language == 0.0:
        return 0.0
    foreign = [each.quote for each in answer.citations if each.lang != case.lang]
    return float(_is_right(case, without_quotes(without_marks(answer.text), foreign)))


def failed(case: Case, hits: Sequence[Slice] = ()) -> Scores:
    """The scores of an error in the place of an answer, after these hits.

    Whoever asked got nothing, so it fails whatever an answer owes: also where the articles
    do not say, which they were not told. Nothing was stated or cited, so that is not judged.
    """
    owed = 0.0 if case.answerable else None
    return Scores(
        facts_right=owed,
        right_in_language=owed,
        evidence_cited=owed,
        wrongly_answered=None if case.answerable else 1.0,
        wrongly_abstained=1.0 if case.answerable else None,
        answer_language=0.0,
        evidence_found=evidence_found(case, hits),
        crag=0.0,
    )


def facts_right(case: Case, answer: Answer) -> Score:
    """Whether the answer states all that it must, and no known error."""
    if not case.answerable:
        return None
    return float(_is_right(case, without_marks(answer.text)) and not answer.abstained)


def _is_right(case: Case, text: str) -> bool:
    return all(holds(text, group) for group in case.must) and not holds(text, case.must_not)


def evidence_cited(case: Case, answer: Answer) -> Score:
    """Share of the needed facts of which at least half a quote is cited."""
    if not case.answerable:
        return None
    return len(cited(case, answer.citations)) / len(case.evidence)


def cited(case: Case, slices: Sequence[Slice], share: float = CITED_SHARE) -> tuple[int, ...]:
    """Positions in `case.evidence` of the facts with a quote that the slices cover."""
    return tuple(
        position
        for position, item in enumerate(case.evidence)
        if any(coverage(quote, slices) >= share for quote in item.quotes)
    )


def coverage(quote: Quote, slices: Iterable[Slice]) -> float:
    """Share of the quote's characters that the slices cover together.

    >>> quote = Quote("a.txt", 10, 20, "ten letter")
    >>> coverage(quote, [Quote("a.txt", 5, 14, ""), Quote("b.txt", 10, 20, "")])
    0.4
    """
    covered: set[int] = set()
    for other in slices:
        if other.source == quote.source:
            covered.update(range(max(quote.start, other.start), min(quote.end, other.end)))
    return len(covered) / (quote.end - quote.start)


def citations_apt(case: Case, answer: Answer) -> Score:
    """Share of the citations that touch known evidence; None when nothing is cited."""
    if not case.answerable or not answer.citations:
        return None
    apt = [_touches(citation, case.evidence) for citation in answer.citations]
    return sum(apt) / len(apt)


def pointers_exact(citations: Sequence[Citation], articles: Mapping[str, str]) -> Score:
    """Share of the citations with `article[start:end] == quote`; None when nothing is cited."""
    if not citations:
        return None
    exact = [
        bool(item.quote) and articles.get(item.source, "")[item.start : item.end] == item.quote
        for item in citations
    ]
    return sum(exact) / len(exact)


def answer_language(case: Case, answer: Answer, detect: Detector) -> Score:
    """Whether the answer's own words are in the language that was asked in."""
    words = own_words(answer)
    if sum(len(char.encode()) for char in words if char.isalpha()) < _MIN_LETTER_BYTES:
        return None
    language = detect(words)
    return float(language == case.lang) if language else None


def own_words(answer: Answer) -> str:
    """The answer's text without marks, and without quotes, titles and names in any language."""
    text = without_marks(_ISOLATED.sub(" ", answer.text))
    text = without_quotes(text, [each.quote for each in answer.citations])
    return " ".join(_QUOTED.sub(" ", text).split())


def evidence_found(case: Case, hits: Sequence[Slice]) -> Score:
    """Whether every needed fact can be read in full in the passages that were found."""
    if not case.answerable:
        return None
    return float(len(cited(case, hits, share=1.0)) == len(case.evidence))


def crag(case: Case, answer: Answer) -> float:
    """1 for right, 0 for abstaining, -1 for wrong: a wrong answer costs more than none."""
    if not case.answerable:
        return 1.0 if answer.abstained else -1.0
    if answer.abstained:
        return 0.0
    return 1.0 if facts_right(case, answer) else -1.0


def group_consistency(members: Iterable[tuple[str, Collection[int]]]) -> dict[str, float]:
    """For each group of two or more, whether all its members cite the same evidence.

    A member is its group's name and the evidence that it cites. Citing nothing is
    no agreement.

    >>> group_consistency([("a", (0, 1)), ("a", (1, 0)), ("b", (0,)), ("b", ()), ("c", (0,))])
    {'a': 1.0, 'b': 0.0}
    """
    groups: dict[str, list[frozenset[int]]] = defaultdict(list)
    for group, evidence in members:
        groups[group].append(frozenset(evidence))
    return {
        name: float(len(set(sets)) == 1 and bool(sets[0]))
        for name, sets in groups.items()
        if len(sets) > 1
    }


def summarise(values: Sequence[Score], groups: Sequence[Hashable] | None = None) -> Figure:
    """The mean of the judged scores, their number and the standard error.

    `groups` names for each value the question that it belongs to: the same question
    in nine languages is less than nine independent trials, and the error says so.
    Raises InputError when there are no values at all.

    >>> summarise([1.0, 0.0, None, 1.0, 0.0])
    Figure(mean=0.5, n=4, se=0.28867513459481287)
    >>> summarise([1.0, 0.0, 1.0, 0.0], groups="abab").se
    0.5
    >>> summarise([None])
    Figure(mean=None, n=0, se=None)
    """
    if not values:
        raise InputError("nothing was measured: no question was asked")
    names = range(len(values)) if groups is None else groups
    judged = [(value, name) for value, name in zip(values, names, strict=True) if value is not None]
    if not judged:
        return Figure(None, 0, None)
    mean = math.fsum(value for value, _ in judged) / len(judged)
    return Figure(mean, len(judged), _standard_error(judged, mean))


def _standard_error(judged: Sequence[tuple[float, Hashable]], mean: float) -> float | None:
    """Cluster-robust; with every value in a group of its own it is the usual one."""
    deviations: dict[Hashable, float] = defaultdict(float)
    for value, name in judged:
        deviations[name] += value - mean
    count = len(deviations)
    if count < 2:
        return None
    spread = math.fsum(deviation**2 for deviation in deviations.values())
    return math.sqrt(spread * count / (count - 1)) / len(judged)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5), percentile([1.0, 2.0, 3.0], 0.95)
    (2.0, 3.0)
    """
    if not values:
        raise InputError("nothing was measured: no question was asked")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _touches(citation: Citation, evidence: Iterable[Evidence]) -> bool:
    return any(coverage(quote, [citation]) > 0 for item in evidence for quote in item.quotes)
