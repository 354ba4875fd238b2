"""Numbers below a thousand that are written as words, in many languages.

The words stand in `number_words.toml`. A number is sure where it cannot well be anything
else; any other is good enough to support a figure, and is not to be doubted.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from rag.languages.folding import bare
from rag.records import Record

_AND = {"and", "und", "et", "y", "e", "و", "i", "a"}
_PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك", "fa": ""}
_CONJUNCTIONS = frozenset("ושو")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BETWEEN = re.compile(r"[ \u00a0\-–־]+\Z|\Z")
_HAN = re.compile(r"[零〇一二两兩三四五六七八九十百][零〇一二两兩三四五六七八九十百千万萬亿億]*")
_HAN_MEASURES = frozenset("个個名位次年岁歲倍座项項场場轮輪家只艘架支天周週")
"""What one sign after a numeral makes sure: a word that counts things."""
_HAN_SMALL = {"十": 10, "百": 100, "千": 1000}
_HAN_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN_DIGITS = {char: i for i, char in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "兩": 2,
}
_GERMAN_THOUSANDS = re.compile("(.+)tausend(?:und)?(.+)")
_GERMAN_ENDINGS = ("e", "er", "en", "es", "em")
_COMPOUNDING = 4
"""Letters of a stem that any ending may follow: "four-day" is one word in many languages."""
_PERCENT = re.compile(
    r"\byüzde\w*|(?:\bفي ال|\bبال)م(?:ائ|ئ|أ)ة\b|pour cent\b|por ?cien(?:to)?\b|por cento\b"
    r"|per ?cento?\b|百分[之の点比]|个百分|vom hundert\b",
    re.IGNORECASE,
)
"""Words for percent, in which a number ("in a hundred") counts nothing."""
_SMALLEST_DOUBTED = 3
"""One and two are pronouns, articles, duals and parts of other words too often."""


@dataclass(frozen=True, slots=True)
class NumberWord(Record):
    """A number that stands at start to end of a folded text; `sure` when it is nothing else."""

    value: int
    start: int
    end: int
    sure: bool
    ordinal: bool = False
    """Whether it says which one, which some languages say of a part as well: "a fifth"."""


def number_words(text: str, lang: str) -> list[NumberWord]:
    """Numbers below a thousand in the words of a language; none for a language without a list.

    Those that a language writes as one word, as German and Chinese do, may be larger.

    `text` is folded (`rag.languages.folding.fold`), and the offsets are those of the folded text.

    >>> [(n.value, n.sure) for n in number_words("fifty-seven of two hundred and five", "en")]
    [(57, True), (205, True)]
    >>> [n.value for n in number_words("واحد وأربعون عاما", "ar")]
    [41]
    """
    text = _PERCENT.sub(lambda match: "." * len(match[0]), text)
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
        ordinal = bare(match[0]).removeprefix("ال") in _ordinals(lang)
        word = NumberWord(value, match.start(), match.end(), sure, ordinal)
        both = _together(found[-1].value, value, lang, bool(joined) or prefixed) if near else None
        if both is None:
            found.append(word)
        else:
            last = found.pop()
            found.append(NumberWord(both, last.start, word.end, sure or last.sure, ordinal))
        end, joined = match.end(), ""
    return [_doubtful(word) for word in found]


def has_number_words(lang: str) -> bool:
    """Whether numbers in words are read in a language."""
    return lang in _tables() or lang in ("zh", "ja")


def _doubtful(word: NumberWord) -> NumberWord:
    sure = word.sure and word.value >= _SMALLEST_DOUBTED
    return replace(word, sure=sure)


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
    if lang == "de" and (whole := _thousands(plain, exact)):
        return whole, True, False
    forms = [plain]
    for _ in range(2):
        first = forms[-1][:1]
        shortest = 2 if first in _CONJUNCTIONS else 3
        if first in tuple(_PREFIXES.get(lang, "")) and len(forms[-1]) > shortest:
            forms.append(forms[-1][1:])
        if first not in _CONJUNCTIONS:
            break  # nothing stands between a preposition and its word
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


def _thousands(word: str, exact: Mapping[str, tuple[int, bool]]) -> int:
    """The value of a German word such as "zweitausenddreihundert"; 0 where it is none."""
    match = _GERMAN_THOUSANDS.fullmatch(word)
    if not match or match[1] not in exact or match[2] not in exact:
        return 0
    return 1000 * exact[match[1]][0] + exact[match[2]][0]


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
    exact |= {word: (value, True) for word, value in _ordinals(lang).items()}
    return exact, stems


@cache
def _ordinals(lang: str) -> dict[str, int]:
    """Words for which one, from the third."""
    table = _tables().get(lang, {})
    endings = table.get("ordinal_endings", "").split()
    return {
        bare(form + ending.strip("-")): value
        for value, forms in enumerate(table.get("ordinals", "").split(), 3)
        for form in forms.split("/")
        for ending in (endings if form != "-" else ())
    }


def _add(form: str, value: int, exact: dict[str, tuple[int, bool]], stems: dict[str, int]) -> None:
    word = bare(form.strip("?*"))
    if form.endswith("*"):
        stems.setdefault(word, value)
    else:
        exact.setdefault(word, (value, not form.startswith("?")))


def _compounds(lang: str) -> list[tuple[str, int]]:
    """Words of several numbers that a language writes as one."""
    if lang not in ("de", "it", "es", "tr"):
        return []
    units = [forms.split("/")[0].strip("?") for forms in _tables()[lang]["units"].split()]
    tens = [forms.split("/")[0] for forms in _tables()[lang]["tens"].split()]
    if lang == "de":
        return _german(units, tens)
    if lang == "tr":
        return _turkish(units, tens)
    made = []
    for i, ten in enumerate(tens):
        for j, unit in enumerate(units[1:10], 1):
            value = 20 + 10 * i + j
            if lang == "it":
                made.append(
                    ((ten[:-1] if unit[0] in "uo" else ten) + (unit + "o" * (j == 1)), value)
                )
            elif i == 0:
                made.append((f"veinti{'uno' if j == 1 else unit}", value))
    return made


def _german(units: Sequence[str], tens: Sequence[str]) -> list[tuple[str, int]]:
    """German writes any number below a million as one word; here whole thousands and below."""
    below = {i: word for i, word in enumerate(units) if i}
    for i, ten in enumerate(tens, 2):
        below |= {10 * i + j: f"{units[j]}und{ten}" for j in range(1, 10)} | {10 * i: ten}
    named = dict(below)
    for i in range(1, 10):
        hundred = f"{units[i]}hundert"
        named |= {100 * i: hundred} | {100 * i + j: hundred + rest for j, rest in below.items()}
    named |= {100 * i + 1: f"{units[i]}hunderteins" for i in range(1, 10)}
    large = [(word, value) for value, word in named.items() if value > 20]
    which = [(f"{word}st{end}", n) for word, n in large if n < 100 for end in _GERMAN_ENDINGS]
    return large + which + [(f"{word}tausend", 1000 * value) for value, word in named.items()]


def _turkish(units: Sequence[str], tens: Sequence[str]) -> list[tuple[str, int]]:
    """Turkish numbers are often written as one word, against the rule."""
    ones = [word.strip("?") for word in units[1:10]]
    made = {f"on{word}": 10 + i for i, word in enumerate(ones, 1)}
    for i, ten in enumerate(tens, 2):
        made |= {f"{ten}{word}": 10 * i + j for j, word in enumerate(ones, 1)}
    made |= {f"{word}yüz": 100 * i for i, word in enumerate(ones, 1) if i > 1}
    return list(made.items())


def _han(match: re.Match[str]) -> list[NumberWord]:
    """Chinese and Japanese numerals; those of one letter are parts of words too often."""
    total, section, current = 0, 0, None
    for char in match[0]:
        if char in _HAN_LARGE:
            total += (section + (current or 0) or 1) * _HAN_LARGE[char]
            section, current = 0, None
        elif char in _HAN_SMALL:
            section += (1 if current is None else current) * _HAN_SMALL[char]
            current = None
        elif current is None:
            current = _HAN_DIGITS[char]
        else:
            current = current * 10 + _HAN_DIGITS[char]
    value = total + section + (current or 0)
    near = match.string[match.end() : match.end() + 1], match.string[: match.start()][-1:]
    counted = value >= _SMALLEST_DOUBTED and (near[0] in _HAN_MEASURES or near[1] == "第")
    sure = len(match[0]) > 1 or counted
    return [NumberWord(value, match.start(), match.end(), sure)]
