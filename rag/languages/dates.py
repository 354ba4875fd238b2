"""Months, weekdays and dates in figures, by the names that Babel has from CLDR."""

import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rag.languages.folding import bare, fold
from rag.records import Record

Part = Literal["month", "weekday"]

_NUMERIC = re.compile(
    r"(?<![\d.,/-])(?:(?P<y>(?:1[5-9]|20)\d\d)(?P<s>[-./])(?P<a>[01]?\d)(?P=s)(?P<b>[0-3]?\d)"
    r"|(?P<c>[0-3]?\d)(?P<t>[-./])(?P<d>[0-3]?\d)(?P=t)(?P<z>(?:1[5-9]|20)\d\d))(?![\d/-])"
)
_HAN_MONTH = re.compile(r"(?<!\d)(?P<number>1[0-2]|0?[1-9]) ?月(?!間)")
_HAN_WRITTEN = re.compile(r"(十[一二]?|[一二三四五六七八九])月")
_HAN_NUMBERS = {
    word: i
    for i, word in enumerate(
        ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"), 1
    )
}
_HAN_DAYS = re.compile(r"(?:星期|周|週|礼拜)([一二三四五六日天])|([月火水木金土日])曜")
_HEBREW_DAYS = re.compile(r"יום ([א-וש])(?:'|(?!\w))")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_OTHER_LOCALES = {"ar": ("ar_SY", "ar_IQ", "ar_DZ", "ar_MA", "ar_TN"), "de": ("de_AT",)}
"""Where a language has other names for months in other countries."""
_PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك"}
_CAPITALISED = frozenset({"en", "de", "tr"})
"""Languages that write months and weekdays with a capital letter, tr only beside a figure."""
_DAY_OF_WEEK = {
    "tr": re.compile(r"\|(?:'\w+)? ?(?:gün|sabah|akşam|gece|öğle)", re.IGNORECASE),
    "ru": re.compile(r"(?:^|\W)(?:во?|к|до|со?|на|по|эту|прошлую|следующую)\|", re.IGNORECASE),
    "kk": re.compile(r"\|"),
    "he": re.compile(r"(?:^|\W)[ובלהמשכ]{0,3}(?:יום|ימי|ליל)\|"),
    "pl": re.compile(r"(?:^|\W)(?:we?|do|od|na|po|przed|\w+[łn]ą|tę)\|", re.IGNORECASE),
}
"""The same for weekdays alone, which these languages write without a capital letter."""
_ADDED_ENDINGS = frozenset(("kk", "tr"))
"""Languages that inflect a name by what they put after it."""
_ENDINGS = {"pl": ("u", "em", "ie", "y"), "ru": ("е", "ем", "ю", "у", "ом"), "uk": ("і", "ем", "ю")}
_CUES = {
    "en": re.compile(r"\b(?:in|of|since|until|by|last|next|this|early|late|mid|from|to|on)-?\|"),
    "de": re.compile(r"\b(?:im|am|seit|bis|anfang|mitte|ende)\|", re.IGNORECASE),
    "fr": re.compile(r"\b(?:en|de|depuis|début|fin|mi|d')-? ?\|", re.IGNORECASE),
    "ar": re.compile(r"(?:في|شهر|منذ|نهاية|بداية|أواخر|أوائل|منتصف|حتى)\|"),
    "tr": re.compile(r"\|(?:'\w+)? ?(?:ayı|gün|son|baş|orta|sabah|akşam|gece)", re.IGNORECASE),
}
"""Words beside the name, which is at `|`, that leave no doubt of it."""
_FORENAMES = frozenset(
    ("april", "june", "august", "may", "kasim", "eylul", "nisan", "ekim", "ocak", "қазан", "наурыз")
)
_KEYS: tuple[tuple[Part, str], ...] = (("month", "months"), ("weekday", "days"))
_SHORTEST = 3
_CASE_ENDING = 1
"""Letters that a case may put in the place of a weekday's last one."""
_NO_DAYS = frozenset(("среде", "среды", "средам", "средах"))
"""Forms that a weekday shares with a word that is said more often."""
_ADJECTIVES = {
    "pl": ("poniedziałk", "wtork", "środow", "czwartk", "piątk", "sobotn", "niedzieln"),
    "ru": ("понедельнич", "вторнич", "", "четвергов", "пятнич", "субботн", "воскресн"),
}
"""Stems of adjectives from Monday's on, which support a weekday."""
_LONGER_ENDINGS = {"pl": 6, "ru": 6}
_LONGEST_ENDING = 4
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
class Numeric(Record):
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

    named: tuple[DatePart, ...]
    numeric: tuple[Numeric, ...]

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
    if not lang_has_names(lang):
        return Dates((), tuple(_numeric(plain)))
    return Dates(tuple(_named(plain, lang)), tuple(_numeric(plain)))


def lang_has_names(lang: str) -> bool:
    """Whether months and weekdays of this language are known."""
    months = {number for kind, number in _names(lang)[0].values() if kind == "month"}
    return lang in ("zh", "ja") or len(months) == 12


def _numeric(text: str) -> Iterator[Numeric]:
    for match in _NUMERIC.finditer(text):
        parts = tuple(int(part) for name in "yabcdz" if (part := match[name]))
        others = [int(match[name]) for name in "abcd" if match[name]]
        # Between year and day stands the month; otherwise day and month may change places.
        months = {int(match["a"])} if match["y"] else set(others)
        possible = frozenset(month for month in months if 1 <= month <= 12)
        if possible and all(1 <= part <= 31 for part in others):
            yield Numeric(parts, possible, *match.span())
    for match in _HAN_MONTH.finditer(text):
        number = int(match["number"])
        yield Numeric((number,), frozenset({number}), *match.span())


def _named(text: str, lang: str) -> Iterator[DatePart]:
    if lang in ("zh", "ja"):
        for match in _HAN_WRITTEN.finditer(text):
            yield DatePart("month", _HAN_NUMBERS[match[1]], *match.span(), sure=True)
        for match in _HAN_DAYS.finditer(text):
            number = "一二三四五六日".find(match[1].replace("天", "日")) if match[1] else None
            if number is None:
                number = "月火水木金土日".index(match[2])
            yield DatePart("weekday", number, *match.span(), sure=True)
        return
    if lang == "he":
        for match in _HEBREW_DAYS.finditer(text):
            yield DatePart("weekday", "בגדהושא".index(match[1]), *match.span(), sure=True)
    exact, stems, shortened = _names(lang)
    for match in _WORD.finditer(text):
        for form in _forms(match[0], lang):
            if form in exact:
                kind, number = exact[form]
                sure = _is_sure(text, match, form, kind, lang)
                yield DatePart(kind, number, *match.span(), sure=sure)
                break
            stem = next((form[:n] for n in range(len(form), 2, -1) if form[:n] in stems), "")
            if stem and len(form) - len(stem) <= _LONGER_ENDINGS.get(lang, _LONGEST_ENDING):
                kind, number = stems[stem]
                whole = any(form.startswith(name) for name in exact if exact[name][1] == number)
                sure = whole and lang in _ADDED_ENDINGS and _is_dated(text, match)
                case = lang not in _ADDED_ENDINGS and len(form) - len(stem) <= _CASE_ENDING
                inflected = whole or case
                if kind == "weekday" and inflected and _is_said_of_a_day(text, match, lang):
                    sure = True
                yield DatePart(kind, number, *match.span(), sure=sure)
                break
            if form in shortened and _is_dated(text, match):
                yield DatePart("month", shortened[form], *match.span(), sure=False)
                break


def _forms(word: str, lang: str) -> list[str]:
    """The word, and what of it is left without what may be written together with it."""
    forms = [bare(word), bare(word.partition("'")[0])]
    for _ in range(2):
        if forms[-1][:1] in tuple(_PREFIXES.get(lang, "")) and len(forms[-1]) > 3:
            forms.append(forms[-1][1:])
    if lang == "ar":
        forms += [form[2:] for form in forms if form.startswith("ال") and len(form) > 4]
        forms += [form[1:] for form in forms if form.startswith("ل") and len(form) > 5]
    return list(dict.fromkeys(form for form in forms if form))


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
    common = bare(word[0]) in _NO_DAYS
    return bool(cue and not common and cue.search(_beside(text, word)))


def _beside(text: str, word: re.Match[str]) -> str:
    return f"{text[: word.start()].rstrip()[-12:].rstrip()}|{text[word.end() :][:12]}"


_Named = dict[str, tuple[Part, int]]


@cache
def _names(lang: str) -> tuple[_Named, _Named, dict[str, int]]:
    """What each whole name and each stem names, and the month of each short form."""
    exact: _Named = {}
    stems: _Named = {}
    shortened: dict[str, int] = {}
    for locale in (lang, *_OTHER_LOCALES.get(lang, ())):
        data = cldr(locale)
        for kind, key in _KEYS:
            for style in data.get(key, {}).values():
                if not isinstance(style, dict):
                    continue  # an alias of another calendar's names
                wide, short = style.get("wide"), style.get("abbreviated")
                if isinstance(wide, dict):
                    _add(kind, wide, lang, exact, stems)
                if isinstance(short, dict) and kind == "month":
                    shortened |= {bare(name.strip(". ")): n for n, name in short.items()}
    for number, adjective in enumerate(_ADJECTIVES.get(lang, ())):
        if adjective:
            stems.setdefault(bare(adjective), ("weekday", number))
    return exact, stems, shortened


def _add(kind: Part, names: dict[int, str], lang: str, exact: _Named, stems: _Named) -> None:
    for number, name in names.items():
        words = [bare(word) for word in re.findall(r"[^\W\d_]+", fold(name).text)]
        # "יום שלישי", "terça-feira": what tells the days apart, with and without the rest.
        word = (words[-1] if lang == "he" else words[0]) if words else ""
        if len(word) < _SHORTEST:
            continue
        if len(words) == 1:
            exact.setdefault(word, (kind, number))
            for ending in _ENDINGS.get(lang, ()) if kind == "month" else ():
                exact.setdefault(word[:-1] + ending, (kind, number))
        uninflected = len(word) == _SHORTEST or lang in ("he", "ar", "fa", "en")
        stems.setdefault(word if uninflected else word[:-1], (kind, number))


@cache
def cldr(locale: str) -> dict[str, Any]:
    """The locale's own data as Babel keeps it, without what it inherits.

    `Locale.months` gives one language the names of another once several are in use, since
    what it inherits by an alias is shared (Babel 2.18).
    """
    from babel import localedata

    if not re.fullmatch(r"[a-z]{2,3}(?:_[A-Z]{2})?", locale) or not localedata.exists(locale):
        return {}
    data: dict[str, Any] = pickle.loads(
        Path(localedata.resolve_locale_filename(locale)).read_bytes()
    )
    return data
