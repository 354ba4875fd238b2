"""Months, weekdays and dates in figures in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.languages.calendar_names import (
    CalendarNames,
    Part,
    calendar_forms,
    calendar_names,
    has_calendar_names,
)
from rag.languages.folding import WORD, fold, normalised
from rag.languages.scripts import HAN_LANGUAGES
from rag.records import Record

_NUMERIC = re.compile(
    r"(?<![\d.,/-])(?:(?P<y>(?:1[5-9]|20)\d\d)(?P<s>[-./])(?P<a>[01]?\d)(?P=s)(?P<b>[0-3]?\d)"
    r"|(?P<c>[0-3]?\d)(?P<t>[-./])(?P<d>[0-3]?\d)(?P=t)(?P<z>(?:1[5-9]|20)\d\d))(?![\d/-])"
)
_HAN_MONTH = re.compile(r"(?<!\d)(?P<number>1[0-2]|0?[1-9]) ?月(?!間)")
_HAN_WRITTEN = re.compile(r"(十[一二]?|[一二三四五六七八九])月")
_HAN_NUMBERS = ("", *"一二三四五六七八九十", "十一", "十二")
_HAN_DAYS = re.compile(r"(?:星期|周|週|礼拜)([一二三四五六日天])|([月火水木金土日])曜")
_HEBREW_DAYS = re.compile(r"יום ([א-וש])(?:'|(?!\w))")
_CAPITALISED = frozenset({"en", "de", "tr"})
"""Languages that write months and weekdays with a capital letter, tr only beside a figure."""
_ADDED_ENDINGS = frozenset(("kk", "tr"))
"""Languages that inflect a name by what they put after it."""
_CUES = {
    "en": re.compile(r"\b(?:in|of|since|until|by|last|next|this|early|late|mid|from|to|on)-?\|"),
    "de": re.compile(r"\b(?:im|am|seit|bis|anfang|mitte|ende)\|", re.IGNORECASE),
    "fr": re.compile(r"\b(?:en|de|depuis|début|fin|mi|d')-? ?\|", re.IGNORECASE),
    "ar": re.compile(r"(?:في|شهر|منذ|نهاية|بداية|أواخر|أوائل|منتصف|حتى)\|"),
    "tr": re.compile(r"\|(?:'\w+)? ?(?:ayı|gün|son|baş|orta|sabah|akşam|gece)", re.IGNORECASE),
}
"""Words beside a name, which is at `|`, that leave no doubt of it."""
_DAY_OF_WEEK = {
    "tr": re.compile(r"\|(?:'\w+)? ?(?:gün|sabah|akşam|gece|öğle)", re.IGNORECASE),
    "ru": re.compile(r"(?:^|\W)(?:во?|к|до|со?|на|по|эту|прошлую|следующую)\|", re.IGNORECASE),
    "kk": re.compile(r"\|"),
    "he": re.compile(r"(?:^|\W)[ובלהמשכ]{0,3}(?:יום|ימי|ליל)\|"),
    "pl": re.compile(r"(?:^|\W)(?:we?|do|od|na|po|przed|\w+[łn]ą|tę)\|", re.IGNORECASE),
}
"""The same for weekdays alone, which these languages write without a capital letter."""
_FORENAMES = frozenset(
    ("april", "june", "august", "may", "kasim", "eylul", "nisan", "ekim", "ocak", "қазан", "наурыз")
)
_CASE_ENDING = 1
"""Letters that a case may put in the place of a weekday's last one."""
_NO_DAYS = frozenset(("среде", "среды", "средам", "средах"))
"""Forms that a weekday shares with a word that is said more often."""
_SURE_LENGTH = 5
"""Letters from which a name of a month that no figure stands beside is taken for one."""


@dataclass(frozen=True, slots=True)
class DatePart(Record):
    """A month (1 to 12) or weekday (0 is Monday) at start to end of the folded text."""

    kind: Part
    number: int
    start: int
    end: int
    sure: bool
    """Whether it can hardly be another word."""


@dataclass(frozen=True, slots=True)
class NumericDate(Record):
    """A date or month in figures, in the folded text's offsets."""

    parts: tuple[int, ...]
    """Its figures in order, such as year, month and day."""
    months: frozenset[int]
    """The months that it may be in: both figures where "05/07" can be read either way."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dates(Record):
    """What a text says of dates."""

    named: tuple[DatePart, ...] = ()
    numeric: tuple[NumericDate, ...] = ()

    def held(self, kind: Part) -> set[int]:
        """The months or weekdays that the text may name."""
        numbers = {each.number for each in self.named if each.kind == kind}
        if kind == "month":
            numbers.update(month for each in self.numeric for month in each.months)
        return numbers


def read_dates(text: str, lang: str) -> Dates:
    """Months, weekdays and dates in figures of a text.

    >>> dates = read_dates("w lipcu 2024 r., czyli 05.07.2024 (środa)", "pl")
    >>> [(d.kind, d.number) for d in dates.named], dates.numeric[0].parts
    ([('month', 7), ('weekday', 2)], (5, 7, 2024))
    """
    plain = fold(text).text
    named = _named(plain, lang) if has_calendar_names(lang) else ()
    return Dates(tuple(named), tuple(_numeric(plain)))


def _numeric(text: str) -> Iterator[NumericDate]:
    for match in _NUMERIC.finditer(text):
        parts = tuple(int(part) for name in "yabcdz" if (part := match[name]))
        others = [int(match[name]) for name in "abcd" if match[name]]
        # Between year and day stands the month; otherwise day and month may change places.
        months = {int(match["a"])} if match["y"] else set(others)
        possible = frozenset(month for month in months if 1 <= month <= 12)
        if possible and all(1 <= part <= 31 for part in others):
            yield NumericDate(parts, possible, *match.span())
    for match in _HAN_MONTH.finditer(text):
        number = int(match["number"])
        yield NumericDate((number,), frozenset({number}), *match.span())


def _named(text: str, lang: str) -> Iterator[DatePart]:
    if lang in HAN_LANGUAGES:
        yield from _named_in_han(text)
        return
    if lang == "he":
        for match in _HEBREW_DAYS.finditer(text):
            yield DatePart("weekday", "בגדהושא".index(match[1]), *match.span(), sure=True)
    names = calendar_names(lang)
    for match in WORD.finditer(text):
        found = (_read(text, match, form, names) for form in calendar_forms(match[0], lang))
        yield from [part for part in found if part][:1]


def _named_in_han(text: str) -> Iterator[DatePart]:
    for match in _HAN_WRITTEN.finditer(text):
        yield DatePart("month", _HAN_NUMBERS.index(match[1]), *match.span(), sure=True)
    for match in _HAN_DAYS.finditer(text):
        chinese, japanese = match[1] or "", match[2] or ""
        number = "一二三四五六天月火水木金土日".index(chinese + japanese) % 7
        yield DatePart("weekday", number, *match.span(), sure=True)


def _read(text: str, word: re.Match[str], form: str, names: CalendarNames) -> DatePart | None:
    """What a form of a word names, as a part of the text."""
    if form in names.exact:
        kind, number = names.exact[form]
        sure = _is_sure(text, word, form, kind, names.lang)
    elif stem := names.stem_of(form):
        kind, number = names.stems[stem]
        sure = _is_sure_inflected(text, word, form, stem, names)
    elif form in names.shortened and _is_dated(text, word):
        kind, number, sure = "month", names.shortened[form], False
    else:
        return None
    return DatePart(kind, number, *word.span(), sure=sure)


def _is_sure_inflected(
    text: str, word: re.Match[str], form: str, stem: str, names: CalendarNames
) -> bool:
    """The same of a form that goes on after the stem of a name."""
    kind, number = names.stems[stem]
    whole = any(form.startswith(name) for name in names.exact if names.exact[name][1] == number)
    adds = names.lang in _ADDED_ENDINGS
    case = not adds and len(form) - len(stem) <= _CASE_ENDING
    if kind == "weekday" and (whole or case) and _is_said_of_a_day(text, word, names.lang):
        return True
    return whole and adds and _is_dated(text, word)


def _is_dated(text: str, word: re.Match[str]) -> bool:
    """Whether a figure stands beside the word: a day or a year."""
    before = re.sub(
        r"(?:(?<=\d)(?:st|nd|rd|th|er|º|de)| of| de)\Z", "", text[: word.start()].rstrip()
    )
    after = text[word.end() :].lstrip(" .,'-")
    return before.rstrip(" .,-")[-1:].isdigit() or after[:1].isdigit()


def _is_sure(text: str, word: re.Match[str], form: str, kind: Part, lang: str) -> bool:
    """Whether a name of a month or weekday can hardly be another word here."""
    capital = word[0][:1].isupper()
    before = text[: word.start()].rstrip()
    if kind == "weekday" and _is_said_of_a_day(text, word, lang):
        return True
    if lang in _CAPITALISED and not capital:
        return False
    cue = _CUES.get(lang)
    if kind == "month" and _is_dated(text, word):
        return True
    if cue and cue.search(_beside(text, word)):
        return True
    if lang == "tr" and (kind == "weekday" or form in _FORENAMES):
        return False
    inside = bool(before) and before[-1] not in '.!?:"“„«'
    alone = lang not in _CAPITALISED or inside or kind == "weekday"
    shortest = 4 if lang in ("ru", "uk") else _SURE_LENGTH
    return len(form) >= shortest and alone and form not in _FORENAMES


def _is_said_of_a_day(text: str, word: re.Match[str], lang: str) -> bool:
    """Whether the words beside the name of a weekday leave no doubt of it."""
    cue = _DAY_OF_WEEK.get(lang)
    common = normalised(word[0]) in _NO_DAYS
    return bool(cue and not common and cue.search(_beside(text, word)))


def _beside(text: str, word: re.Match[str]) -> str:
    return f"{text[: word.start()].rstrip()[-12:].rstrip()}|{text[word.end() :][:12]}"
