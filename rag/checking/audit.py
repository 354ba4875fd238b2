"""Audit: does every particular of a sentence follow from the quotes that it cites?

Figures with what they count, months and weekdays, countries and names are compared, across
languages and scripts and without a model. What cannot be read is passed over: a wrong
finding would cost a right answer.
"""

import re
from collections.abc import Sequence

from rag.checking.date_check import date_findings, datelines
from rag.checking.figure_check import figure_findings
from rag.checking.grounds import Finding, grounds_of
from rag.checking.name_check import country_findings, name_findings
from rag.checking.opposites import opposite_findings
from rag.languages.facts import LanguageText, TextFacts, facts_of

_HAN = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_HAN}]{{1,4}}|[^\s{_HAN}]+")
"""A word, or a few letters of a script that sets no spaces."""
_LAST_TOKEN = re.compile(rf"(?:[{_HAN}]|[^\s{_HAN}]+)\Z")
_OPEN_MARK = re.compile(r"\[[\d\s,;]*\Z")
_HELD_BACK = 3
"""Whole words after a particular that its meaning may depend on."""


def audit(
    text: str,
    lang: str,
    quotes: Sequence[LanguageText],
    question: LanguageText = ("", ""),
    around: Sequence[LanguageText] = (),
    dates: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What a text says that does not follow from its quotes; in order.

    `around` is what else was shown of the articles. It and the question support names, and
    `around` the year of a date that a quote writes without one; a figure of the question
    supports nothing, or a wrong premise would be taken over. From `dates`, the ISO dates of
    the articles, is reckoned what a quote says of "last year"; such a date itself is known.

    >>> found = audit("Trade hit 57 million in June.", "en", [("handel: 57 mld, w lipcu", "pl")])
    >>> [(each.kind, each.text) for each in found]
    [('figure', '57 million'), ('date', 'June')]
    """
    claim = facts_of(text, lang)
    grounds = grounds_of(tuple(quotes), question, tuple(around), tuple(dates))
    checks = figure_findings, date_findings, country_findings, name_findings, opposite_findings
    found = [finding for check in checks for finding in check(claim, grounds)]
    for span in datelines(claim, dates):
        start, end = claim.folded.span(*span)
        found = [each for each in found if not (start <= each.start and each.end <= end)]
    return tuple(sorted(found, key=lambda each: (each.start, each.end)))


def audit_begun(
    text: str,
    lang: str,
    quotes: Sequence[LanguageText],
    question: LanguageText = ("", ""),
    around: Sequence[LanguageText] = (),
    dates: Sequence[str] = (),
) -> tuple[str, tuple[Finding, ...]]:
    """What of an unfinished text can be shown already, and what the audit finds in it.

    The last words are held back, since a figure may still grow, a magnitude or a unit
    follow it, or a name go on; so is a particular that they may belong to.

    >>> audit_begun("It rose by 18 percent in the year to forty", "en", [("%18", "tr")])
    ('It rose by 18 percent in', ())
    """
    known = _LAST_TOKEN.sub("", _OPEN_MARK.sub("", text))
    # Figures do not count: what makes a headline of names are the words around them.
    words = (match for match in _TOKEN.finditer(known) if any(map(str.isalpha, match[0])))
    ends = [match.start() for match in words]
    end = ends[-_HELD_BACK] if len(ends) >= _HELD_BACK else 0
    for start, stop in _spans(facts_of(known, lang)):
        if start < end < stop:
            end = start
    found = audit(known, lang, quotes, question, around, dates)
    return known[:end].rstrip(), tuple(each for each in found if each.end <= end)


def has_particulars(text: str, lang: str) -> bool:
    """Whether a text has anything that `audit` compares: a figure, a date, a country or a name.

    >>> has_particulars("It rose by 7 percent.", "en"), has_particulars("It rose.", "en")
    (True, False)
    """
    facts = facts_of(text, lang)
    return bool(
        any(part.sure for part in facts.dates.named)
        or facts.dates.numeric
        or any(figure.sure for figure in facts.figures)
        or facts.country_mentions
        or facts.names
        or facts.known_names
    )


def _spans(facts: TextFacts) -> list[tuple[int, int]]:
    """Where the particulars of a text stand, last first."""
    spans = [(figure.start, figure.end) for figure in facts.figures]
    spans += [(part.start, part.end) for part in facts.dates.named]
    spans += [(date.start, date.end) for date in facts.dates.numeric]
    spans = [facts.folded.span(*span) for span in spans]
    spans += [(country.start, country.end) for country in facts.country_mentions]
    return sorted(spans, reverse=True)
