"""What a question names exactly, and whether a passage names it too: figures and countries.

A passage on the trade of one year is near to a question on that of another, by its words
as by its vector. Code can tell them apart, in any language.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.languages.facts import LanguageText, TextFacts, facts_of
from rag.languages.numerals import Figure
from rag.records import Record

_MOST_IN_WORDS = 10
"""Figures up to it are mostly written as words, which are not read: a text that seems to lack
one may well hold it."""
_YEARS = frozenset(map(Decimal, range(1500, 2101)))


@dataclass(frozen=True, slots=True)
class Particular(Record):
    """A figure or country that a question names: `question[start:end] == text`."""

    text: str
    start: int
    end: int
    country: str = ""
    """ISO 3166 code; "" for a figure."""


def lacking(question: str, lang: str, text: str, text_lang: str) -> int:
    """How many of the figures and countries of the question the text does not name.

    >>> lacking("What was trade with Poland in 2024?", "en", "Handel z Polską w 2023 r.", "pl")
    1
    """
    asked, texts = facts_of(question, lang), [facts_of(text, text_lang)]
    return len(_figures_lacking(asked, texts)) + len(_countries_lacking(asked, texts))


def unnamed(question: str, lang: str, texts: Sequence[LanguageText]) -> tuple[Particular, ...]:
    """What the question names and none of the (text, language) pairs does, in its order.

    Each once, as the question writes it. Small figures are left out, and so is what the
    question writes in a way that cannot be pointed at.

    >>> [each.text for each in unnamed("Did Chile buy 57 bn in 1999?", "en", [("1999", "pl")])]
    ['Chile', '57 bn']
    """
    asked, others = facts_of(question, lang), [facts_of(*each) for each in texts]
    figures = _figures_lacking(asked, others)
    countries = _countries_lacking(asked, others)
    found: dict[object, Particular] = {}
    for figure in asked.numerals:
        small = all(isinstance(v, Decimal) and v <= _MOST_IN_WORDS for v in figure.values)
        if figure.values in figures and not small:
            start, end = asked.folded.span(figure.start, figure.end)
            found.setdefault(figure.values, Particular(question[start:end], start, end))
    for each in asked.country_mentions:
        if each.code in countries:
            text = question[each.start : each.end]
            found.setdefault(each.code, Particular(text, each.start, each.end, each.code))
    return tuple(sorted(found.values(), key=lambda each: each.start))


def has_other_particulars(
    question: LanguageText, sentence: LanguageText, passage: str, article: Iterable[str]
) -> bool:
    """Whether a sentence is about other years or countries than the question.

    It is where it tells of years and neither it nor its passage of the year asked for, or
    where a country of the question stands in none of the passages of its article.

    >>> handel = ("W 2023 r. wzrósł.", "pl")
    >>> has_other_particulars(("Trade in 2024?", "en"), handel, handel[0], handel[:1])
    True
    """
    asked, said, lang = facts_of(*question), facts_of(*sentence), sentence[1]
    years = _years(asked)
    if years and _years(said) - years and not years & _years(facts_of(passage, lang)):
        return True
    return bool(_countries_lacking(asked, [facts_of(each, lang) for each in article]))


def _years(facts: TextFacts) -> Figure:
    return _values([facts]) & _YEARS


def _values(texts: Iterable[TextFacts]) -> Figure:
    return frozenset(v for text in texts for figure in text.numerals for v in figure.values)


def _figures_lacking(asked: TextFacts, texts: Iterable[TextFacts]) -> list[Figure]:
    held = _values(texts)
    return [figure.values for figure in asked.numerals if not figure.values & held]


def _countries_lacking(asked: TextFacts, texts: Iterable[TextFacts]) -> frozenset[str]:
    """None where a text is in a language without known names, since it may name them."""
    named = asked.countries or frozenset()
    for text in texts if named else ():
        named = named - text.countries if text.countries is not None else frozenset()
    return named
