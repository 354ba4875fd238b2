"""Countries and names of a claim: does anything that was shown have them?"""

from collections.abc import Iterator

from rag.checking.grounds import Finding, Grounds
from rag.checking.name_support import unsupported_known_names, unsupported_names
from rag.languages.facts import TextFacts
from rag.languages.names import CAPITALISED_NAMES


def country_findings(claim: TextFacts, grounds: Grounds) -> Iterator[Finding]:
    """The countries of a claim that nothing shown means."""
    if any(quote.countries is None for quote in grounds.quotes):
        return
    for said in claim.country_mentions:
        named = claim.text[said.start : said.end]
        if claim.lang in CAPITALISED_NAMES and not named[0].isupper():
            continue
        known = any(said.code in each.hinted_countries for each in grounds.shown if each.lang)
        if not known and not any(each.words_but_countries.spells(named) for each in grounds.shown):
            reason = f"it names a country that the sentences do not name: {named}"
            yield Finding("country", named, said.start, said.end, reason)


def name_findings(claim: TextFacts, grounds: Grounds) -> Iterator[Finding]:
    """The names of a claim, but countries and dates, that nothing shown has."""
    taken = [(country.start, country.end) for country in claim.country_mentions]
    taken += [claim.folded.span(part.start, part.end) for part in claim.dates.named]
    found = [(name.start, name.end) for name in unsupported_names(claim, grounds.shown)]
    known = unsupported_known_names(claim, grounds.quotes, grounds.shown)
    for start, end in [*found, *((name.start, name.end) for name in known)]:
        if not any(begin < end and start < stop for begin, stop in taken):
            taken.append((start, end))
            named = claim.text[start:end]
            reason = f"it names {named}, whom the sentences do not name"
            yield Finding("name", named, start, end, reason)
