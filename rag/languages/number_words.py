"""Numbers below a thousand that are written as words, in many languages.

A number is sure where it cannot well be anything else; any other is good enough to support a
figure, and is not to be doubted.
"""

import re
from dataclasses import dataclass, replace

from rag.languages.affixes import PREFIXES, without_articles
from rag.languages.folding import WORD, normalised
from rag.languages.han_numerals import han_numerals
from rag.languages.number_forms import number_forms
from rag.languages.scripts import HAN_LANGUAGES
from rag.languages.tables import read_table
from rag.records import Record

_AND = {"and", "und", "et", "y", "e", "و", "i", "a"}
_CONJUNCTIONS = frozenset("ושو")
_BETWEEN = re.compile(r"[ \u00a0\-–־]+\Z|\Z")
_GERMAN_THOUSANDS = re.compile("(.+)tausend(?:und)?(.+)")
_COMPOUNDING = 4
"""Letters of a stem that any ending may follow: "four-day" is one word in many languages."""
_ENDING = 5
"""Letters that may follow a shorter one."""
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
    if lang in HAN_LANGUAGES:
        found = [NumberWord(*numeral) for numeral in han_numerals(text)]
    else:
        found = _in_words(text, lang)
    return [replace(word, sure=word.sure and word.value >= _SMALLEST_DOUBTED) for word in found]


def has_number_words(lang: str) -> bool:
    """Whether numbers in words are read in a language."""
    return lang in read_table("number_words") or lang in HAN_LANGUAGES


def _in_words(text: str, lang: str) -> list[NumberWord]:
    found: list[NumberWord] = []
    end, joined = -1, False  # of the number before, or an "and" after it
    for match in WORD.finditer(text) if has_number_words(lang) else ():
        near = end >= 0 and bool(_BETWEEN.match(text[end : match.start()]))
        read = _read(match[0], lang)
        if read is None:
            joined = near and not joined and normalised(match[0]) in _AND
            end = match.end() if joined else -1
            continue
        value, sure, prefixed = read
        ordinal = normalised(match[0]).removeprefix("ال") in number_forms(lang).ordinals
        word = NumberWord(value, *match.span(), sure, ordinal)
        both = _together(found[-1].value, value, lang, joined or prefixed) if near else None
        if both is not None:
            last = found.pop()
            word = replace(word, value=both, start=last.start, sure=sure or last.sure)
        found.append(word)
        end, joined = match.end(), False
    return found


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


def _read(word: str, lang: str) -> tuple[int, bool, bool] | None:
    """The value of a word, whether it is surely that, and whether an "and" is written with it."""
    plain, known = normalised(word), number_forms(lang)
    if lang == "de" and (whole := _german_thousands(plain)):
        return whole, True, False
    forms = _forms(plain, lang)
    for form in forms:
        if form in known.exact:
            return *known.exact[form], form != plain
    for form in forms:
        for size in range(len(form), 1, -1):
            likely = size >= _COMPOUNDING or len(form) - size <= _ENDING
            if likely and form[:size] in known.stems:
                return known.stems[form[:size]], False, form != plain
    return None


def _forms(plain: str, lang: str) -> list[str]:
    """A word, also without an "and" and a preposition that are written with it."""
    forms = [plain]
    for _ in range(2):
        first = forms[-1][:1]
        shortest = 2 if first in _CONJUNCTIONS else 3
        if first in tuple(PREFIXES.get(lang, "")) and len(forms[-1]) > shortest:
            forms.append(forms[-1][1:])
        if first not in _CONJUNCTIONS:
            break  # nothing stands between a preposition and its word
    return forms + without_articles(forms, lang)


def _german_thousands(word: str) -> int:
    """The value of a word such as "zweitausenddreihundert"; 0 where it is none."""
    exact = number_forms("de").exact
    match = _GERMAN_THOUSANDS.fullmatch(word)
    if not match or match[1] not in exact or match[2] not in exact:
        return 0
    return 1000 * exact[match[1]][0] + exact[match[2]][0]
