"""Whether two articles say different things of one thing.

They do where a figure that counts the same stands in two sentences with two values, and all
else that tells one thing from another (other figures, dates, places, names) is the same in
both, or stands in one of them alone. In case of doubt they do not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.checking.name_support import unsupported_names
from rag.embedding.embedder import Embedder
from rag.languages.dates import Dates
from rag.languages.facts import TextFacts, facts_of
from rag.languages.folding import LETTERS, normalised
from rag.languages.numerals import PlacedFigure
from rag.languages.units import Unit, unit_at
from rag.records import Record
from rag.retrieval.sentence_selection import Evidence

_NEXT_WORD = re.compile(r"[ \u00a0-]?([^\W\d_]{3,})")
_SMALL_CHANGE = 2
"""Words by which two sentences, otherwise alike, may differ and be on two things."""
_SAME_WORD = 4
"""Letters at the beginning by which two forms of a word are told, if no more than these follow."""
_YEARS = range(1000, 2200)


@dataclass(frozen=True, slots=True)
class _Counted(Record):
    """A figure of a sentence and what it counts; an empty unit for a year or the like."""

    figure: PlacedFigure
    unit: Unit


def differ(evidence: Sequence[Evidence], embedder: Embedder) -> bool:
    """Whether two of the sentences, of two articles, count one thing differently.

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
    pair = _differing(_counted(one), _counted(other))
    return (
        pair is not None
        and _dates_agree(one, other)
        and _places_agree(one, other)
        and _names_agree(one, other)
        and not _one_word_apart(one, other)
        and _about_the_same(one, other, pair, embedder)
    )


def _differing(
    ours: Sequence[_Counted], theirs: Sequence[_Counted]
) -> tuple[_Counted, _Counted] | None:
    """The one pair of figures that count the same and differ; None where others differ too."""
    left, right = _unmatched(ours, theirs), _unmatched(theirs, ours)
    pairs = [(a, b) for a in left for b in right if a.unit & b.unit]
    if len(pairs) != 1:
        return None
    # What one sentence tells and the other leaves out is no second difference.
    return None if len(left) > 1 and len(right) > 1 else pairs[0]


def _unmatched(counted: Sequence[_Counted], others: Sequence[_Counted]) -> list[_Counted]:
    """Those of which no other has the value."""
    values = {value for each in others for value in each.figure.values}
    return [each for each in counted if not each.figure.values & values]


def _counted(evidence: Evidence) -> list[_Counted]:
    facts = _facts(evidence)
    return [_Counted(figure, _unit(facts, figure)) for figure in facts.figures if figure.sure]


def _facts(evidence: Evidence) -> TextFacts:
    return facts_of(evidence.sentence.text, evidence.hit.lang)


def _unit(facts: TextFacts, figure: PlacedFigure) -> Unit:
    """What a figure counts: a known unit, or the word after it in that language."""
    plain, lang = facts.folded.text, facts.lang
    known = unit_at(plain, figure.start, figure.end, lang)
    word = _NEXT_WORD.match(plain, figure.end)
    if known or not word or _is_year(figure):
        return known
    return frozenset({f"{lang}:{normalised(word[1])}"})


def _is_year(figure: PlacedFigure) -> bool:
    return any(isinstance(v, Decimal) and v in _YEARS for v in figure.values)


def _dates_agree(one: Evidence, other: Evidence) -> bool:
    """Whether no month, weekday or date in figures of the two can be told apart."""
    ours, theirs = _facts(one).dates, _facts(other).dates
    return (
        _agree(ours.held("month"), theirs.held("month"))
        and _agree(ours.held("weekday"), theirs.held("weekday"))
        and _agree(_numeric(ours), _numeric(theirs))
    )


def _numeric(dates: Dates) -> set[frozenset[int]]:
    return {frozenset(each.parts) for each in dates.numeric}


def _places_agree(one: Evidence, other: Evidence) -> bool:
    return _agree(_facts(one).countries or (), _facts(other).countries or ())


def _agree(ours: Iterable[object], theirs: Iterable[object]) -> bool:
    """Whether both name the same, or one of them nothing that the other does not."""
    ours, theirs = set(ours), set(theirs)
    return ours <= theirs or theirs <= ours


def _names_agree(one: Evidence, other: Evidence) -> bool:
    """Whether not each of the two names somebody or something that the other does not.

    A sentence without a name of its own is on what its passage names.
    """
    ours, theirs = _naming(one), _naming(other)
    lacks_ours, lacks_theirs = unsupported_names(ours, [theirs]), unsupported_names(theirs, [ours])
    if lacks_ours and lacks_theirs:
        return False
    # Where no name is found, in a script without capital letters or at all, it may be on anything.
    return not (lacks_ours and not theirs.names) and not (lacks_theirs and not ours.names)


def _naming(evidence: Evidence) -> TextFacts:
    """The text that has the names."""
    sentence = _facts(evidence)
    return sentence if sentence.names else facts_of(evidence.hit.in_context, evidence.hit.lang)


def _one_word_apart(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences of one language have other words in the same places.

    "The northern district" and "the southern district" are two things, which neither names nor
    figures tell.
    """
    if one.hit.lang != other.hit.lang:
        return False
    ours, theirs = _words(one), _words(other)
    apart = sum(not _same_word(*pair) for pair in zip(ours, theirs, strict=False))
    return len(ours) == len(theirs) and 0 < apart <= _SMALL_CHANGE


def _words(evidence: Evidence) -> list[str]:
    return [normalised(word) for word in LETTERS.findall(_facts(evidence).folded.text)]


def _same_word(one: str, other: str) -> bool:
    """Whether two words are the same, or look like forms of one."""
    size = max(_SAME_WORD, max(len(one), len(other)) - _SAME_WORD + 1)
    return one[:size] == other[:size]


def _about_the_same(
    one: Evidence, other: Evidence, pair: tuple[_Counted, _Counted], embedder: Embedder
) -> bool:
    """Whether the sentences are as near as translations, once they have the same figure."""
    (start, end), (begin, stop) = _span(one, pair[0]), _span(other, pair[1])
    text = one.sentence.text
    text = text[:start] + other.sentence.text[begin:stop] + text[end:]
    agreed = embedder.agrees(text, one.hit.lang, [other.sentence.text], [other.hit.lang])
    return agreed is True


def _span(evidence: Evidence, counted: _Counted) -> tuple[int, int]:
    return _facts(evidence).folded.span(counted.figure.start, counted.figure.end)
