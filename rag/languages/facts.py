"""What a text says of figures, dates, countries and names, each read once."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from rag.languages.countries import (
    CountryMention,
    country_mentions,
    has_country_names,
)
from rag.languages.dates import Dates, read_dates
from rag.languages.figures import TIME, read_figures, read_numerals
from rag.languages.folding import Folded, fold
from rag.languages.fractions import implied
from rag.languages.hinted_countries import hinted_countries
from rag.languages.known_names import KnownName, known_names
from rag.languages.names import Name, names
from rag.languages.numerals import PlacedFigure
from rag.languages.text_words import TextWords, text_words
from rag.records import Record

LanguageText = tuple[str, str]
"""A text and its language, an ISO 639-1 code, "" when unknown."""
_KEPT = 512
"""Texts of which facts are kept: those of one question, its passages and the answer."""
_LONGEST_KEPT = 20_000
"""Code points of a text of which they are."""


@dataclass(frozen=True)
class TextFacts(Record):
    """A text of a language; what it says is read when it is first asked for."""

    text: str
    lang: str

    @cached_property
    def folded(self) -> Folded:
        """The text as figures and dates have their places in it."""
        return fold(self.text)

    @cached_property
    def dates(self) -> Dates:
        """Months, weekdays and dates in figures."""
        return read_dates(self.text, self.lang)

    @cached_property
    def figures(self) -> tuple[PlacedFigure, ...]:
        """Figures, in words as well, that are no part of a date."""
        return tuple(read_figures(self.text, self.lang, self.dates))

    @cached_property
    def figure_values(self) -> frozenset[Decimal | str]:
        """All that its figures may be worth, those of dates, times and other words included."""
        values = {value for figure in self.figures for value in figure.values}
        values |= {Decimal(part) for date in self.dates.numeric for part in date.parts}
        values |= {Decimal(m[i]) for m in TIME.finditer(self.folded.text) for i in (1, 2)}
        return frozenset(values | implied(self.text, self.lang))

    @cached_property
    def numerals(self) -> tuple[PlacedFigure, ...]:
        """Numerals, those of dates among them, and words of magnitude."""
        return tuple(read_numerals(self.text, self.lang))

    @cached_property
    def country_mentions(self) -> tuple[CountryMention, ...]:
        """The countries that are named, where they stand."""
        return tuple(country_mentions(self.text, self.lang))

    @cached_property
    def countries(self) -> frozenset[str] | None:
        """Their ISO 3166 codes; None for a language whose names for them are unknown."""
        known = has_country_names(self.lang)
        return frozenset(each.code for each in self.country_mentions) if known else None

    @cached_property
    def hinted_countries(self) -> frozenset[str]:
        """Codes of the countries that may be meant."""
        return frozenset(hinted_countries(self.text, self.lang))

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """Names by their capital letters."""
        return tuple(names(self.text, self.lang, self.dates))

    @cached_property
    def known_names(self) -> tuple[KnownName, ...]:
        """Names by heart."""
        return tuple(known_names(self.text, self.lang))

    @cached_property
    def words(self) -> TextWords:
        """The words that a name can be compared with."""
        return text_words(self.text, self.lang)

    @cached_property
    def words_but_countries(self) -> TextWords:
        """Those without the countries: one spelt alike is no counterpart of another."""
        text = self.text
        for country in reversed(self.country_mentions):
            text = f"{text[: country.start]} {text[country.end :]}"
        return text_words(text, self.lang)


def facts_of(text: str, lang: str) -> TextFacts:
    """The facts of a text, which are kept for the next call.

    >>> facts_of("w maju 2021 r. w Norwegii", "pl").countries
    frozenset({'NO'})
    """
    return _kept(text, lang) if len(text) <= _LONGEST_KEPT else TextFacts(text, lang)


@lru_cache(_KEPT)
def _kept(text: str, lang: str) -> TextFacts:
    return TextFacts(text, lang)
