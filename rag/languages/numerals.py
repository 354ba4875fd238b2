"""Words of magnitude, and numerals as they are written with separators."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.records import Record

Figure = frozenset[Decimal | str]
"""The values that a numeral may stand for; a magnitude alone is "10^6"."""

# Words by the power of ten that they stand for, in the languages of the answer
# frames and some more. Stems go on with any ending; short words stand alone, or
# "3 miles" and the Turkish "3 bina" would be thousands.
_STEMS: dict[int, str] = {
    12: r"trillion|trilli[oó]n|trilyon|trylion|триллион|трильйон|трлн"
    r"|טריליון|תריליון|תריליון|تريليون|تریلیون|billón|billones|bilione",
    9: r"billion|milyar|miliard|milliard|миллиард|мільярд|מיליארד|מליארד|مليار"
    r"|ملیار|میلیارد|bilh|bilion",
    6: r"million|millon|millón|milyon|milion|milh|миллион|мільйон|מיליון|מליון"
    r"|מיליוני|مليون|ملايين|ملیون|میلیون|juta",
    3: r"thousand|tausend|tysiąc|tysięc|тысяч|тисяч|אלפי|ribu",
}  # fmt: skip
_WORDS: dict[int, str] = {
    12: r"tn|trn",
    9: r"bn|mld|mlrd|mrd|млрд",
    6: r"mln|mio|mn|млн",
    3: r"mille|mila|mil|bin|tys|тыс|тис|мың|אלף|ألف|ألفا|ألفي|آلاف|الاف|الف|هزار",
}
_HAN: dict[int, str] = {12: "兆", 8: "亿|億|억", 6: "百万|百萬", 4: "万|萬|만", 3: "千"}
"""Magnitudes of scripts that write words without spaces; `十亿` is ten times a hundred million."""
# The same letters, another number: where a million millions is called so.
_LONG_SCALE_BILLION = re.compile(r"\b(?:billion(?:en)?|bilion\w*)", re.IGNORECASE)
_LONG_SCALE = {"de", "fr", "pl", "nl", "da", "no", "sv", "cs", "sk", "hu"}

_MAGNITUDE = "|".join(
    rf"(?P<m{power}>(?:{stems})\w*|(?:{_WORDS[power]})\b)" for power, stems in _STEMS.items()
)
_FIGURE = re.compile(
    r"(?P<numeral>\d+(?:[.,'\u00a0\u202f ](?=\d)\d+)*)(?P<letter>[KkMm]\b)?"
    r"|(?P<h9>十亿|十億)|"
    + "|".join(f"(?P<h{power}>{words})" for power, words in _HAN.items())
    + rf"|(?<![^\W\d_])(?:[ובלהמכשل]{{0,2}}|ال|و|ب)(?:{_MAGNITUDE})",
    re.IGNORECASE,
)
_GROUPS = re.compile(r"\d{1,3}(?:[.,' ]\d{3})+\Z")
_CURRENCY = re.compile(r"[$€£¥₺₽₪₸]\s?\Z")
_SPACES = re.compile(r"[\u00a0\u202f]")
_MAGNITUDES = {
    power: re.compile(rf"(?:{_STEMS[power]})|\b(?:{_WORDS[power]})\b", re.IGNORECASE)
    for power in _STEMS
}
"""What finds each magnitude anywhere in a text."""
_MONEY_LETTERS = {"k": 3, "m": 6}
"""What a letter multiplies a sum of money by: "£3m"."""


@dataclass(frozen=True, slots=True)
class PlacedFigure(Record):
    """A figure of a text, in the folded text's offsets."""

    values: Figure
    start: int
    end: int
    word: bool = False
    """Whether it is written as a word."""
    sure: bool = True
    """False for a word that may be no number at all."""


def placed_numerals(
    text: str, lang: str, taken: Sequence[tuple[int, int]] = ()
) -> Iterable[PlacedFigure]:
    """The numerals and words of magnitude of a folded text, but what dates have `taken`."""
    for match in _FIGURE.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in taken):
            yield from _outside(match, taken)
        elif match["numeral"]:
            for values, start, end in _numerals(match["numeral"]):
                yield PlacedFigure(values, match.start() + start, match.start() + end)
            if match["letter"] and _CURRENCY.search(text, 0, match.start()):
                yield PlacedFigure(
                    frozenset({f"10^{_MONEY_LETTERS[match['letter'].lower()]}"}), *match.span(2)
                )
        elif not (lang == "tr" and match[0].lower() == "mil"):  # miles
            yield PlacedFigure(frozenset({f"10^{_power_of_ten(match, lang)}"}), *match.span())


def _outside(match: re.Match[str], taken: Sequence[tuple[int, int]]) -> Iterable[PlacedFigure]:
    """The runs of digits of a match that no date has taken."""
    for digits in re.finditer(r"\d+", match[0]):
        start, end = match.start() + digits.start(), match.start() + digits.end()
        if not any(a < end and start < b for a, b in taken):
            yield PlacedFigure(frozenset({Decimal(digits[0])}), start, end)


def magnitude_in(text: str) -> int:
    """The largest power of ten that a word of a folded text stands for; 0 for none.

    >>> magnitude_in("and a half million")
    6
    """
    return next((power for power, words in _MAGNITUDES.items() if words.search(text)), 0)


def _numerals(text: str) -> list[tuple[Figure, int, int]]:
    """One numeral with its separators, or several that a space only keeps apart."""
    text = _SPACES.sub(" ", text)
    if _GROUPS.match(text) or " " not in text:
        return [(_values(text), 0, len(text))]
    return [(_values(m[0]), m.start(), m.end()) for m in re.finditer(r"[^ ]+", text)]


def _values(numeral: str) -> Figure:
    digits = re.sub(r"[' ]", "", numeral)
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return frozenset({Decimal(digits)})
    values: set[Decimal | str] = set()
    if len(set(separators)) == 2 or len(separators) == 1:
        last = separators[-1]
        whole, _, part = digits.rpartition(last)
        values.add(Decimal(re.sub(r"[.,]", "", whole) + "." + part))
    if _GROUPS.match(digits) and len(set(separators)) == 1:
        values.add(Decimal(re.sub(r"[.,]", "", digits)))
    # Neither a decimal nor groups, such as a version or a date: its parts as one value.
    return frozenset(values or {digits})


def _power_of_ten(match: re.Match[str], lang: str) -> int:
    """The magnitude that a match of _FIGURE is, in a language."""
    if lang in _LONG_SCALE and _LONG_SCALE_BILLION.search(match[0]):
        return 12
    return next(int(name[1:]) for name, found in match.groupdict().items() if found)
