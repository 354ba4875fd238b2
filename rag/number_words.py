"""Numbers below a thousand that are written as words, in many languages.

The words stand in `number_words.toml`. A number is sure where it cannot well be anything
else; any other is good enough to support a figure, and is not to be doubted.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.folding import bare
from rag.records import Record

_AND = {"and", "und", "et", "y", "e", "و", "i", "a"}
_PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك", "fa": ""}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BETWEEN = re.compile(r"[ \u00a0\-–־]+\Z|\Z")
_HAN = re.compile(r"[零〇一二两兩三四五六七八九十百]+")
_HAN_DIGITS = {char: i for i, char in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "兩": 2,
}
_COMPOUNDING = 4
"""Letters of a stem that any ending may follow: "four-day" is one word in many languages."""
_NO_NUMBERS = {"tr": re.compile("yuzde")}
"""What begins like a number and is none: "percent" is "in a hundred"."""
_SMALLEST_DOUBTED = 3
"""One and two are pronouns, articles, duals and parts of other words too often."""


@dataclass(frozen=True, slots=True)
class NumberWord(Record):
    """A number that stands at start to end of a folded text; `sure` when it is nothing else."""

    value: int
    start: int
    end: int
    sure: bool


def number_words(text: str, lang: str) -> list[NumberWord]:
    """Numbers from 0 to 999 in the words of a language; none for a language without a list.

    `text` is folded (`rag.folding.fold`), and the offsets are those of the folded text.

    >>> [(n.value, n.sure) for n in number_words("fifty-seven of two hundred and five", "en")]
    [(57, True), (205, True)]
    >>> [n.value for n in number_words("واحد وأربعون عاما", "ar")]
    [41]
    """
    if lang in ("zh", "ja"):
        return [found for m in _HAN.finditer(text) for found in _han(m)]
    exact, stems = _words(lang)
    if not exact:
        return []
    found: list[NumberWord] = []
    joined = ""
    end = -1
    for match in _WORD.finditer(text):
        read = _read(match[0], lang, exact, stems)
        gap = text[end : match.start()] if end >= 0 else "."
        near = bool(found) and end >= 0 and _BETWEEN.match(gap) is not None
        if read is None:
            if not (near and bare(match[0]) in _AND and not joined):
                end, joined = -1, ""
            else:
                end, joined = match.end(), "and"
            continue
        value, sure, prefixed = read
        word = NumberWord(value, match.start(), match.end(), sure)
        both = _together(found[-1].value, value, lang, bool(joined) or prefixed) if near else None
        if both is None:
            found.append(word)
        else:
            last = found.pop()
            found.append(NumberWord(both, last.start, word.end, sure or last.sure))
        end, joined = match.end(), ""
    return [_doubtful(word) for word in found]


def has_number_words(lang: str) -> bool:
    """Whether numbers in words are read in a language."""
    return lang in _tables() or lang in ("zh", "ja")


def _doubtful(word: NumberWord) -> NumberWord:
    sure = word.sure and word.value >= _SMALLEST_DOUBTED
    return NumberWord(word.value, word.start, word.end, sure)


def _together(before: int, value: int, lang: str, joined: bool) -> int | None:
    """The number that two words one after another make, if they make one."""
    if value == 100 and 1 < before < 10:
        return before * 100
    if before >= 100 and before % 100 == 0 and 0 < value < 100:
        return before + value
    tens, units = before % 100, value
    if tens >= 20 and tens % 10 == 0 and 0 < units < 10:
        return before + units
    if lang == "fr" and (before, value) == (4, 20):
        return 80
    if lang in ("tr", "kk", "fr") and tens == 10 and 0 < units < 10:
        return before + units
    if lang == "fr" and tens in (60, 80) and 10 <= units < 20:
        return before + units
    if lang in ("he", "ar") and 0 < before % 100 < 10 and value == 10:
        return before + 10
    if lang == "ar" and joined and 0 < tens < 10 and value % 10 == 0 and 20 <= value < 100:
        return before + value
    return None


def _read(
    word: str, lang: str, exact: Mapping[str, tuple[int, bool]], stems: Mapping[str, int]
) -> tuple[int, bool, bool] | None:
    """The value of a word, whether it is surely that, and whether an "and" is written with it."""
    plain = bare(word)
    if lang in _NO_NUMBERS and _NO_NUMBERS[lang].match(plain):
        return None
    forms = [plain]
    for _ in range(2):
        if forms[-1][:1] in tuple(_PREFIXES.get(lang, "")) and len(forms[-1]) > 3:
            forms.append(forms[-1][1:])
    if lang == "ar":
        forms += [form[2:] for form in forms if form.startswith("ال") and len(form) > 4]
    for form in forms:
        if form in exact:
            value, sure = exact[form]
            return value, sure, form != plain
    for form in forms:
        for size in range(len(form), 1, -1):
            if form[:size] in stems and (size >= _COMPOUNDING or len(form) - size <= 5):
                return stems[form[:size]], False, form != plain
    return None


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = (Path(__file__).parent / "number_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _words(lang: str) -> tuple[dict[str, tuple[int, bool]], dict[str, int]]:
    """Of each whole word its value and whether it is sure; of each stem its value."""
    exact: dict[str, tuple[int, bool]] = {}
    stems: dict[str, int] = {}
    table = _tables().get(lang, {})
    for name, first, step in (("units", 0, 1), ("tens", 20, 10), ("hundreds", 100, 100)):
        for i, forms in enumerate(table.get(name, "").split()):
            for form in forms.split("/"):
                _add(form, first + i * step, exact, stems)
    for word, value in _compounds(lang):
        exact.setdefault(bare(word), (value, True))
    return exact, stems


def _add(form: str, value: int, exact: dict[str, tuple[int, bool]], stems: dict[str, int]) -> None:
    word = bare(form.strip("?*"))
    if form.endswith("*"):
        stems.setdefault(word, value)
    else:
        exact.setdefault(word, (value, not form.startswith("?")))


def _compounds(lang: str) -> list[tuple[str, int]]:
    """Words of two numbers that a language writes as one."""
    if lang not in ("de", "it", "es"):
        return []
    units = [forms.split("/")[0].strip("?") for forms in _tables()[lang]["units"].split()][:10]
    tens = [forms.split("/")[0] for forms in _tables()[lang]["tens"].split()]
    made = []
    for i, ten in enumerate(tens):
        for j, unit in enumerate(units[1:], 1):
            value = 20 + 10 * i + j
            if lang == "de":
                made.append((f"{unit}und{ten}", value))
            elif lang == "it":
                made.append(
                    ((ten[:-1] if unit[0] in "uo" else ten) + (unit + "o" * (j == 1)), value)
                )
            elif i == 0:
                made.append((f"veinti{'uno' if j == 1 else unit}", value))
    return made


def _han(match: re.Match[str]) -> list[NumberWord]:
    """Chinese and Japanese numerals; those of one letter are parts of words too often."""
    total, current = 0, None
    for char in match[0]:
        if char in "十百":
            total += (1 if current is None else current) * (10 if char == "十" else 100)
            current = None
        elif current is None:
            current = _HAN_DIGITS[char]
        else:
            current = current * 10 + _HAN_DIGITS[char]
    return [NumberWord(total + (current or 0), match.start(), match.end(), len(match[0]) > 1)]
