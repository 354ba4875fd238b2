"""What each word for a number is worth, by `number_words.toml`, and numbers of one word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rag.languages.folding import normalised
from rag.languages.tables import read_table
from rag.records import Record

_GERMAN_ENDINGS = ("e", "er", "en", "es", "em")


@dataclass(frozen=True, slots=True)
class NumberForms(Record):
    """The words for numbers of a language, normalised."""

    exact: dict[str, tuple[int, bool]]
    """What a whole word is worth, and whether it is surely a number."""
    stems: dict[str, int]
    """What a word with such a beginning may be worth."""
    ordinals: dict[str, int]
    """Words for which one, from the third; they are among `exact`."""


@cache
def number_forms(lang: str) -> NumberForms:
    """The forms of a language; empty where it has no table."""
    exact: dict[str, tuple[int, bool]] = {}
    stems: dict[str, int] = {}
    for form, value in _listed(lang):
        word = normalised(form.strip("?*"))
        if form.endswith("*"):
            stems.setdefault(word, value)
        else:
            exact.setdefault(word, (value, not form.startswith("?")))
    for word, value in _compounds(lang).items():
        exact.setdefault(normalised(word), (value, True))
    ordinals = dict(_ordinals(lang))
    exact |= {word: (value, True) for word, value in ordinals.items()}
    return NumberForms(exact, stems, ordinals)


def _table(lang: str) -> dict[str, str]:
    table: dict[str, str] = read_table("number_words").get(lang, {})
    return table


def _listed(lang: str) -> Iterator[tuple[str, int]]:
    for name, first, step in (("units", 0, 1), ("tens", 20, 10), ("hundreds", 100, 100)):
        for i, forms in enumerate(_table(lang).get(name, "").split()):
            yield from ((form, first + i * step) for form in forms.split("/"))


def _ordinals(lang: str) -> Iterator[tuple[str, int]]:
    endings = _table(lang).get("ordinal_endings", "").split()
    for value, forms in enumerate(_table(lang).get("ordinals", "").split(), 3):
        for form in forms.split("/") if forms != "-" else ():
            yield from ((normalised(form + ending.strip("-")), value) for ending in endings)


def _compounds(lang: str) -> dict[str, int]:
    """Words of several numbers that a language writes as one."""
    made = {"de": _german, "it": _italian, "es": _spanish, "tr": _turkish}.get(lang)
    if made is None:
        return {}
    units = [forms.split("/")[0].strip("?") for forms in _table(lang)["units"].split()]
    tens = [forms.split("/")[0] for forms in _table(lang)["tens"].split()]
    return made(units, tens)


def _german(units: Sequence[str], tens: Sequence[str]) -> dict[str, int]:
    """German writes any number below a million as one word; here whole thousands and below."""
    below = {word: value for value, word in enumerate(units) if value}
    for i, ten in enumerate(tens, 2):
        below |= {f"{units[j]}und{ten}": 10 * i + j for j in range(1, 10)} | {ten: 10 * i}
    named = dict(below)
    for i in range(1, 10):
        hundred = f"{units[i]}hundert"
        named |= {hundred: 100 * i, f"{hundred}eins": 100 * i + 1}
        named |= {hundred + rest: 100 * i + value for rest, value in below.items() if value > 1}
    large = {word: value for word, value in named.items() if value > 20}
    which = {
        f"{word}st{ending}": value
        for word, value in large.items()
        for ending in (_GERMAN_ENDINGS if value < 100 else ())
    }
    return large | which | {f"{word}tausend": 1000 * value for word, value in named.items()}


def _italian(units: Sequence[str], tens: Sequence[str]) -> dict[str, int]:
    return {
        (ten[:-1] if unit[0] in "uo" else ten) + unit + "o" * (j == 1): 10 * i + j
        for i, ten in enumerate(tens, 2)
        for j, unit in enumerate(units[1:10], 1)
    }


def _spanish(units: Sequence[str], tens: Sequence[str]) -> dict[str, int]:
    return {f"veinti{unit}": 20 + j for j, unit in enumerate(["uno", *units[2:10]], 1)}


def _turkish(units: Sequence[str], tens: Sequence[str]) -> dict[str, int]:
    """Turkish numbers are often written as one word, against the rule."""
    made = {f"on{unit}": 10 + j for j, unit in enumerate(units[1:10], 1)}
    for i, ten in enumerate(tens, 2):
        made |= {f"{ten}{unit}": 10 * i + j for j, unit in enumerate(units[1:10], 1)}
    return made | {f"{unit}yüz": 100 * i for i, unit in enumerate(units[2:10], 2)}
