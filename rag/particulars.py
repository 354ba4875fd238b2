"""What a question names exactly, and whether a passage names it too: figures and countries.

A passage on the trade of one year is near to a question on that of another, by its words
as by its vector. Code can tell them apart, in any language.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.figures import Figure, figures
from rag.records import Record
from rag.territories import territories

MOST_IN_WORDS = 10
"""Figures up to it are mostly written as words, which are not read: a text that seems to lack
one may well hold it."""
_NUMERAL = re.compile(r"\d+(?:[.,٫٬'’\u00a0\u202f ]\d+)*")
_WORD = re.compile(r"\w(?:[^\s,;:!?؟،؛。，、？！]*\w)?")
_YEARS = range(1500, 2101)

Told = tuple[str, str]
"""A text and its language, "" when unknown."""
_LONGEST_NAME = 4
"""Words of a country's name."""


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
    found = []
    for figure in _figures_lacking(question, lang, texts):
        if not all(isinstance(v, Decimal) and v <= MOST_IN_WORDS for v in figure):
            found += _first(_places_of_figure(figure, question, lang))
    for code in _countries_lacking(question, lang, texts):
        found += _first(_places_of_country(code, question, lang))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.start))


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


def _first(places: Iterator[Particular]) -> list[Particular]:
    return [place for place, _ in zip(places, range(1), strict=False)]


def _places_of_figure(figure: Figure, text: str, lang: str) -> Iterator[Particular]:
    """A numeral, or as much of what follows as makes it this figure; or a word of magnitude."""
    for numeral in _NUMERAL.finditer(text):
        word = _WORD.search(text, numeral.end())
        after = [word.end()] if word else []
        # Han and kana write no space after a magnitude of one sign or two.
        ends = [numeral.end(), *range(numeral.end() + 1, numeral.end() + 3), *after]
        for end in ends:
            if figures(text[numeral.start() : end], lang) == [figure]:
                yield _particular(text, numeral.start(), end)
                break
    for word in _WORD.finditer(text):
        if not any(map(str.isdigit, word[0])) and figures(word[0], lang) == [figure]:
            yield _particular(text, word.start(), word.end())


def _places_of_country(code: str, text: str, lang: str) -> Iterator[Particular]:
    """The fewest words, and of a script without spaces the fewest signs, that name it."""
    words = list(_WORD.finditer(text))
    for size in range(1, _LONGEST_NAME + 1):
        for first, last in zip(words, words[size - 1 :], strict=False):
            if code in (territories(text[first.start() : last.end()], lang) or ()):
                yield _shortest(code, text, first.start(), last.end(), lang)


def _shortest(code: str, text: str, start: int, end: int, lang: str) -> Particular:
    if lang in ("zh", "ja", "th"):
        while code in (territories(text[start : end - 1], lang) or ()):
            end -= 1
        while code in (territories(text[start + 1 : end], lang) or ()):
            start += 1
    return _particular(text, start, end, code)


def _particular(text: str, start: int, end: int, country: str = "") -> Particular:
    return Particular(text[start:end], start, end, country)
