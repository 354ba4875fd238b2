"""What a question names exactly, and whether a passage names it too: figures and countries.

A passage on the trade of one year is near to a question on that of another, by its words
as by its vector. Code can tell them apart, in any language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.languages.countries import places, territories
from rag.languages.figures import Figure, figures, placed_figures
from rag.languages.folding import fold
from rag.records import Record

MOST_IN_WORDS = 10
"""Figures up to it are mostly written as words, which are not read: a text that seems to lack
one may well hold it."""
_YEARS = range(1500, 2101)

Told = tuple[str, str]
"""A text and its language, "" when unknown."""


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
    texts = [(text, text_lang)]
    return len(_figures_lacking(question, lang, texts)) + len(
        _countries_lacking(question, lang, texts)
    )


def unnamed(question: str, lang: str, texts: Sequence[tuple[str, str]]) -> tuple[Particular, ...]:
    """What the question names and none of the (text, language) pairs does, in its order.

    Each once, as the question writes it. Small figures are left out, and so is what the
    question writes in a way that cannot be pointed at.

    >>> [each.text for each in unnamed("Did Chile buy 57 bn in 1999?", "en", [("1999", "pl")])]
    ['Chile', '57 bn']
    """
    plain = fold(question)
    lacked = _figures_lacking(question, lang, texts)
    countries = _countries_lacking(question, lang, texts)
    found: dict[object, Particular] = {}
    for figure in placed_figures(question, lang):
        small = all(isinstance(v, Decimal) and v <= MOST_IN_WORDS for v in figure.values)
        if figure.values in lacked and not small:
            start, end = plain.span(figure.start, figure.end)
            found.setdefault(figure.values, Particular(question[start:end], start, end))
    for place in places(question, lang):
        if place.code in countries:
            text = question[place.start : place.end]
            found.setdefault(place.code, Particular(text, place.start, place.end, place.code))
    return tuple(sorted(found.values(), key=lambda each: each.start))


def of_another(question: Told, sentence: Told, passage: str, article: str) -> bool:
    """Whether a sentence is about other years or countries than the question.

    It is where it tells of years and neither it nor its passage of the year asked for, or
    where a country of the question stands nowhere in what is known of its article.

    >>> handel = ("W 2023 r. wzrósł.", "pl")
    >>> of_another(("Trade in 2024?", "en"), handel, handel[0], handel[0])
    True
    """
    (asked, asked_lang), (said, lang) = question, sentence
    years = _years(asked, asked_lang)
    if years and _years(said, lang) - years and not years & _years(passage, lang):
        return True
    return bool(_countries_lacking(asked, asked_lang, [(article, lang)]))


def _years(text: str, lang: str) -> set[Decimal]:
    return {
        value
        for figure in figures(text, lang)
        for value in figure
        if isinstance(value, Decimal) and value in _YEARS and value == int(value)
    }


def _figures_lacking(question: str, lang: str, texts: Sequence[tuple[str, str]]) -> list[Figure]:
    asked = figures(question, lang)
    if not asked:
        return []
    held = {value for text, of in texts for figure in figures(text, of) for value in figure}
    return [each for each in asked if not each & held]


def _countries_lacking(question: str, lang: str, texts: Sequence[tuple[str, str]]) -> set[str]:
    """None where a text is in a language without known names, since it may name them."""
    named = territories(question, lang) or set()
    for text, of in texts if named else ():
        there = territories(text, of)
        named = named - there if there is not None else set()
    return named
