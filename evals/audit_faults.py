"""Faults that a model makes, planted in a true sentence one at a time."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.languages.cldr import cldr
from rag.languages.countries import country_mentions
from rag.languages.dates import read_dates
from rag.languages.facts import facts_of
from rag.languages.folding import fold, normalised
from rag.languages.units import is_money, unit_at
from rag.records import Record

FAULTS = (
    "digit", "year + 1", "magnitude", "percent of another thing", "month", "weekday", "currency",
    "country", "name",
)  # fmt: skip
_NUMERAL = re.compile(r"\d+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MAGNITUDES = {
    "en": ("billion", "million"), "tr": ("milyar", "milyon"), "pl": ("miliard", "milion"),
    "ru": ("миллиард", "миллион"), "he": ("מיליארד", "מיליון"), "ar": ("مليار", "مليون"),
    "de": ("Milliarde", "Million"), "es": ("mil millones", "millones"),
    "fr": ("milliard", "million"),
    "it": ("miliard", "milion"), "fa": ("میلیارد", "میلیون"), "zh": ("亿", "万"),
}  # fmt: skip
_PERCENT = re.compile(
    r"(?<=\d)(?: ?%| percent| procent| процентов| Prozent| pour cent| por ciento)"
)
_OTHER_THING = {
    "en": " years", "tr": " yıl", "pl": " lat", "ru": " лет", "de": " Jahre", "fr": " ans",
    "es": " años", "he": " שנים", "ar": " سنوات", "it": " anni", "pt": " anos",
}  # fmt: skip
_CURRENCIES = {
    "en": ("dollar", "euro"), "tr": ("dolar", "euro"), "pl": ("dolar", "frank"),
    "ru": ("доллар", "рубл"), "de": ("Dollar", "Euro"), "fr": ("dollar", "euro"),
    "es": ("dólar", "euro"), "he": ("דולר", "אירו"), "ar": ("دولار", "يورو"),
    "it": ("dollar", "euro"),
}  # fmt: skip


_NO_LANDS = {"EU", "UN", "EZ", "ZZ", "XA", "XB", "QO", "MF", "JE"}


@dataclass(frozen=True, slots=True)
class Text(Record):
    """A sentence in a language."""

    text: str
    lang: str


@dataclass(frozen=True, slots=True)
class Fault(Record):
    """A sentence that says something else at start to end."""

    kind: str
    text: Text
    start: int
    end: int


def planted(true: Text, others: Sequence[Text], rng: random.Random) -> Iterator[Fault]:
    """Each fault that the sentence has a place for; names come from the other sentences."""
    text, lang = true.text, true.lang
    for kind, start, end, new in (
        *_digit(text, rng), *_year(text), *_magnitude(text, lang), *_percent(text, lang),
        *_named(text, lang), *_currency(text, lang), *_country(text, lang, rng),
        *_name(true, others, rng),
    ):  # fmt: skip
        changed = text[:start] + new + text[end:]
        if changed != text:
            yield Fault(kind, Text(changed, lang), start, start + len(new))


Change = tuple[str, int, int, str]
"""The fault's name, and what of the text is replaced by what."""


def _digit(text: str, rng: random.Random) -> Iterator[Change]:
    numerals = [m for m in _NUMERAL.finditer(text) if len(m[0]) > 1]
    if numerals:
        numeral = rng.choice(numerals)
        place = rng.randrange(len(numeral[0]))
        digit = str((int(numeral[0][place]) + rng.randint(1, 8)) % 10 or 9)
        yield "digit", *numeral.span(), numeral[0][:place] + digit + numeral[0][place + 1 :]


def _year(text: str) -> Iterator[Change]:
    for year in [*_YEAR.finditer(text)][:1]:
        yield "year + 1", *year.span(), str(int(year[0]) + 1)


def _magnitude(text: str, lang: str) -> Iterator[Change]:
    one, other = _MAGNITUDES.get(lang, ("\0", "\0"))
    for old, new in ((one, other), (other, one)):
        at = text.find(old)
        if at >= 0:
            yield "magnitude", at, at + len(old), new
            return


def _percent(text: str, lang: str) -> Iterator[Change]:
    found = _PERCENT.search(text)
    if found and lang in _OTHER_THING:
        start = re.search(r"[\d.,]+\Z", text[: found.start()])
        begin = start.start() if start else found.start()
        yield (
            "percent of another thing",
            begin,
            found.end(),
            (text[begin : found.start()] + _OTHER_THING[lang]),
        )


def _named(text: str, lang: str) -> Iterator[Change]:
    """The next month but one and the next weekday, in the form that the language has ready."""
    folded = fold(text)
    key = {"month": "months", "weekday": "days"}
    for part in [each for each in read_dates(text, lang).named if each.sure][:1]:
        start, end = folded.span(part.start, part.end)
        for styles in cldr(lang).get(key[part.kind], {}).values():
            wide = styles.get("wide", {}) if isinstance(styles, dict) else {}
            if isinstance(wide, dict) and normalised(wide.get(part.number, "")) == normalised(
                text[start:end]
            ):
                size = 12 if part.kind == "month" else 7
                number = (part.number + 2) % size or (12 if part.kind == "month" else 0)
                yield part.kind, start, end, wide[number]
                return


def _currency(text: str, lang: str) -> Iterator[Change]:
    folded = fold(text)
    for numeral in _NUMERAL.finditer(folded.text):
        if is_money(unit_at(folded.text, *numeral.span(), lang)):
            one, other = _CURRENCIES.get(lang, ("\0", "\0"))
            start, end = folded.span(*numeral.span())
            for old, new in (("$", "€"), ("£", "€"), ("€", "$"), (one, other)):
                at = text.find(old, max(0, start - 3))
                if 0 <= at < end + 30:
                    changed = text[min(at, start) : max(end, at + len(old))].replace(old, new, 1)
                    yield "currency", min(at, start), max(end, at + len(old)), changed
                    return


def _country(text: str, lang: str, rng: random.Random) -> Iterator[Change]:
    lands = {
        k: v
        for k, v in cldr(lang).get("territories", {}).items()
        if len(k) == 2 and k not in _NO_LANDS
    }
    for place in country_mentions(text, lang)[:1]:
        code = rng.choice(sorted(lands.keys() - {place.code}))
        if text[place.start].isupper() or lang in ("he", "ar", "fa", "zh", "ja"):
            yield "country", place.start, place.end, lands[code]


def _name(true: Text, others: Sequence[Text], rng: random.Random) -> Iterator[Change]:
    found = facts_of(true.text, true.lang).names
    strangers = [
        other for other in rng.sample(others, min(60, len(others))) if other.lang == true.lang
    ]
    theirs = [name.text for other in strangers for name in facts_of(other.text, other.lang).names]
    theirs = [name for name in theirs if name not in true.text]
    if found and theirs:
        name = rng.choice(found)
        yield "name", name.start, name.end, rng.choice(theirs)
