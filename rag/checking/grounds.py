"""What a claim is held against, and a finding that it does not follow from that."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Literal

from rag.checking.relative_dates import Reckoned, reckon
from rag.checking.relative_words import tells_year
from rag.languages.facts import LanguageText, TextFacts, facts_of
from rag.languages.lists import counts_of_lists
from rag.languages.units import Unit, unit_at
from rag.records import Record

Kind = Literal[
    "figure", "percent", "currency", "unit", "date", "country", "name", "person", "place"
]
Values = frozenset[Decimal | str]
_DUALS = ("ar", "he")
"""Languages that write "two years" as one word."""


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """A particular that the quotes do not hold: `text[start:end]` of the audited text."""

    kind: Kind
    text: str
    start: int
    end: int
    reason: str
    """In words that a model can act on."""


@dataclass(frozen=True)
class Grounds(Record):
    """The quotes of a claim, and what else was shown and asked."""

    quotes: tuple[TextFacts, ...]
    question: TextFacts
    around: tuple[TextFacts, ...] = ()
    dates: tuple[str, ...] = ()
    """ISO dates of the articles."""

    @cached_property
    def shown(self) -> tuple[TextFacts, ...]:
        """All that may tell a name: what was shown, and the question."""
        return (*self.quotes, *self.around, *([self.question] if self.question.text else []))

    @cached_property
    def reckoned(self) -> Reckoned:
        """What follows from the dates of quotes and articles."""
        return reckon(self.quotes, self.dates)

    @cached_property
    def figure_values(self) -> Values:
        """The figures that the quotes hold, and those of their dates that follow from the rest."""
        held = Values().union(*(quote.figure_values for quote in self.quotes))
        if any(quote.lang in _DUALS for quote in self.quotes):
            held |= {Decimal(1), Decimal(2)}
        for quote in self.quotes:
            held |= counts_of_lists(quote.text)
            tells = quote.dates.held("month") or tells_year(quote.text, quote.lang)
            if tells and not _years(held):
                held = held.union(*(_years(each.figure_values) for each in self.around))
        return held

    @cached_property
    def counted(self) -> tuple[tuple[Values, Unit], ...]:
        """Each figure of the quotes with what it counts."""
        return tuple(
            (
                figure.values,
                frozenset()
                if figure.word
                else unit_at(quote.folded.text, figure.start, figure.end, quote.lang),
            )
            for quote in self.quotes
            for figure in quote.figures
        )


@lru_cache(64)
def grounds_of(
    quotes: tuple[LanguageText, ...],
    question: LanguageText = ("", ""),
    around: tuple[LanguageText, ...] = (),
    dates: tuple[str, ...] = (),
) -> Grounds:
    """The grounds that some texts are; they are kept while an answer is being written."""
    return Grounds(
        tuple(facts_of(*each) for each in quotes),
        facts_of(*question),
        tuple(facts_of(*each) for each in around),
        dates,
    )


def _years(values: Values) -> Values:
    return frozenset(v for v in values if isinstance(v, Decimal) and 1000 <= v <= 2200)
