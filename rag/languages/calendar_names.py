"""What each language calls months and weekdays, by CLDR, and how it inflects that."""

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from rag.languages.affixes import without_articles, without_prefixes
from rag.languages.cldr import cldr
from rag.languages.folding import LETTERS, fold, normalised
from rag.languages.scripts import HAN_LANGUAGES
from rag.records import Record

Part = Literal["month", "weekday"]
_KEYS: tuple[tuple[Part, str], ...] = (("month", "months"), ("weekday", "days"))
_OTHER_LOCALES = {"ar": ("ar_SY", "ar_IQ", "ar_DZ", "ar_MA", "ar_TN"), "de": ("de_AT",)}
"""Where a language has other names for months in other countries."""
_CASES = {"pl": ("u", "em", "ie", "y"), "ru": ("е", "ем", "ю", "у", "ом"), "uk": ("і", "ем", "ю")}
"""Endings that take the place of a month's last letter."""
_ADJECTIVES = {
    "pl": ("poniedziałk", "wtork", "środow", "czwartk", "piątk", "sobotn", "niedzieln"),
    "ru": ("понедельнич", "вторнич", "", "четвергов", "пятнич", "субботн", "воскресн"),
}
"""Stems of adjectives from Monday's on, which support a weekday."""
_UNINFLECTED = ("he", "ar", "fa", "en")
_SHORTEST = 3
_LONGER_ENDINGS = {"pl": 6, "ru": 6}
_LONGEST_ENDING = 4


@dataclass(frozen=True, slots=True)
class CalendarNames(Record):
    """What normalised words stand for in a language: months 1 to 12, weekdays from Monday's 0."""

    lang: str
    exact: dict[str, tuple[Part, int]] = field(default_factory=dict)
    stems: dict[str, tuple[Part, int]] = field(default_factory=dict)
    shortened: dict[str, int] = field(default_factory=dict)
    """Months by short forms, which are other words where no figure stands beside them."""

    def stem_of(self, form: str) -> str:
        """The longest stem that a word begins with and has a likely ending after; "" for none."""
        sizes = range(len(form), _SHORTEST - 1, -1)
        stem = next((form[:size] for size in sizes if form[:size] in self.stems), "")
        longest = _LONGER_ENDINGS.get(self.lang, _LONGEST_ENDING)
        return stem if len(form) - len(stem) <= longest else ""


@cache
def calendar_names(lang: str) -> CalendarNames:
    """The names of all locales of a language; empty where CLDR has none."""
    names = CalendarNames(lang)
    for locale in (lang, *_OTHER_LOCALES.get(lang, ())):
        for kind, key in _KEYS:
            for style in cldr(locale).get(key, {}).values():
                if isinstance(style, dict):  # not an alias of another calendar's names
                    _add_style(names, kind, style)
    for number, adjective in enumerate(_ADJECTIVES.get(lang, ())):
        if adjective:
            names.stems.setdefault(normalised(adjective), ("weekday", number))
    return names


def has_calendar_names(lang: str) -> bool:
    """Whether months and weekdays of this language are known."""
    months = {number for kind, number in calendar_names(lang).exact.values() if kind == "month"}
    return lang in HAN_LANGUAGES or len(months) == 12


def calendar_forms(word: str, lang: str) -> list[str]:
    """A word, normalised, and what of it is left without what may be written together with it."""
    forms = [normalised(word), *without_prefixes(normalised(word.partition("'")[0]), lang)]
    forms += without_articles(forms, lang)
    if lang == "ar":
        forms += [form[1:] for form in forms if form.startswith("ل") and len(form) > 5]
    return list(dict.fromkeys(filter(None, forms)))


def _add_style(names: CalendarNames, kind: Part, style: dict[str, object]) -> None:
    wide, short = style.get("wide"), style.get("abbreviated")
    for number, name in wide.items() if isinstance(wide, dict) else ():
        _add_name(names, kind, number, name)
    if isinstance(short, dict) and kind == "month":
        names.shortened.update({normalised(name.strip(". ")): n for n, name in short.items()})


def _add_name(names: CalendarNames, kind: Part, number: int, name: str) -> None:
    words = [normalised(word) for word in LETTERS.findall(fold(name).text)]
    # "יום שלישי", "terça-feira": what tells the days apart, with and without the rest.
    word = (words[-1] if names.lang == "he" else words[0]) if words else ""
    if len(word) < _SHORTEST:
        return
    if len(words) == 1:
        names.exact.setdefault(word, (kind, number))
        for ending in _CASES.get(names.lang, ()) if kind == "month" else ():
            names.exact.setdefault(word[:-1] + ending, (kind, number))
    whole = len(word) == _SHORTEST or names.lang in _UNINFLECTED
    names.stems.setdefault(word if whole else word[:-1], (kind, number))
