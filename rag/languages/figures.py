"""Figures in text of any script, so that an answer's can be compared with its quote's.

A figure is the set of values that a numeral may stand for: "1.234" is 1234 to a
German reader and 1.234 to an English one. `figures` reads numerals, which a word of
magnitude may multiply; such a word alone counts as a figure of its own. `read_figures`
reads numbers in words too ("fifty-seven billion"), says where each figure stands, and
leaves out what is part of a date.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, getcontext
from typing import Literal

from rag.languages.dates import Dates, read_dates
from rag.languages.folding import fold
from rag.languages.fractions import has_half, implied, part_spans
from rag.languages.number_words import NumberWord, number_words
from rag.records import Record

Figure = frozenset[Decimal | str]

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
_TIME = re.compile(r"(?<![\d:.,])([01]?\d|2[0-3])[:h]([0-5]\d)(?![\d:])")
_SHORT_YEAR = re.compile(r"(?<!\d)((?:1[5-9]|20)\d\d)[-–/](\d\d)(?![\d/-])")
_JOIN = re.compile(r"[\s\u00a0\u202f\-–]*\Z")
_GROUPS = re.compile(r"\d{1,3}(?:[.,' ]\d{3})+\Z")
_SPACES = re.compile(r"[\u00a0\u202f]")
_CURRENCY = re.compile(r"[$€£¥₺₽₪₸]\s?\Z")
_SPACE_OR_AND = re.compile(
    r"[ \u00a0]*(?:(?:and|und|et|y|e|i|ve|و|ו|и|мен)?[ \u00a0]+)?|[ \u00a0]و"
)
_NEAR_HALF = 24
"""Signs after a figure in which a half that belongs to it, and its magnitude, may stand."""
_AFTER_HALF = {
    power: re.compile(rf"(?:{_STEMS[power]})|\b(?:{_WORDS[power]})\b", re.IGNORECASE)
    for power in _STEMS
}
_LISTED = re.compile(r"(?<!\d)[,،、;；](?!\d)|\n")
_LISTED_WORDS = 4
"""Words that one thing of a list may have."""
_AND = re.compile(
    r"(?:\s*\S+){1,4}? ?(?:\b(?:and|und|et|y|e|i|oraz|и|ve|мен|және|or|lub) |[ ][וو]|[和与及])"
)
_LETTERS = {"k": 3, "m": 6}
"""What a letter multiplies a sum of money by: "£3m"."""
_THOUSAND = 3
_LARGEST_NAMED = 10**18
"""From here on no language is sure to have a word for the magnitude."""
_SMALL = frozenset(map(Decimal, range(11)))


@dataclass(frozen=True, slots=True)
class Placed(Record):
    """A figure of a text, in the folded text's offsets."""

    values: Figure
    start: int
    end: int
    word: bool = False
    """Whether it is written as a word."""
    sure: bool = True
    """False for a word that may be no number at all."""


def figures(text: str, lang: str = "") -> list[Figure]:
    """The figures of a text in order; `lang` settles words that two languages share.

    >>> [sorted(map(str, f)) for f in figures("57 milyar dolar, ١٨ yıl", "tr")]
    [['57000000000'], ['18']]
    >>> [sorted(map(str, f)) for f in figures("1.234,5 and 570亿 and 0.5%")]
    [['1234.5'], ['57000000000'], ['0.5']]
    """
    return [each.values for each in placed_figures(text, lang)]


def placed_figures(text: str, lang: str = "") -> list[Placed]:
    """The same figures with their places: numerals and words of magnitude, no number words."""
    return _placed(fold(text).text, lang)


def read_figures(text: str, lang: str = "", dates: Dates | None = None) -> list[Placed]:
    """The figures of a text with their places, numbers in words among them.

    The digits of a written date and of a month ("2024-07-05", "7月") are not among
    them; they are in `dates`, which is read from the text if it is not given.

    >>> [(sorted(map(str, f.values)), f.start) for f in read_figures("by fifty-six million", "en")]
    [(['56000000'], 3)]
    """
    plain = fold(text).text
    dates = read_dates(text, lang) if dates is None else dates
    times = [_time(match) for match in _TIME.finditer(plain)]
    years = [match for match in _SHORT_YEAR.finditer(plain) if match[1][2:] < match[2]]
    times += [_short_year(match) for match in years]
    taken = [(date.start, date.end) for date in dates.numeric]
    taken += [(time.start, time.end) for time in times]
    parts = part_spans(plain, lang)
    words = [
        Placed(_worth(w), w.start, w.end, word=True, sure=w.sure and not _is_in(w, parts))
        for w in number_words(plain, lang)
    ]
    return _placed(plain, lang, [*words, *times], taken)


def _is_in(word: NumberWord, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < word.end and word.start < end for start, end in spans)


def _worth(word: NumberWord) -> Figure:
    """What a number in words may be: "a fifth" is 20 percent as well."""
    share = {Decimal(round(100 / word.value))} if word.ordinal else set()
    return frozenset({Decimal(word.value)} | share)


def _time(match: re.Match[str]) -> Placed:
    """A time of day; 5:30 may be 17:30, and at the full hour the hour is enough."""
    hour, minute = int(match[1]), int(match[2])
    hours = {hour, hour + 12 if hour < 12 else hour - 12}
    values = {Decimal(f"{each}.{minute:02}") for each in hours}
    return Placed(frozenset(map(_plain, values)), *match.span())


def _short_year(match: re.Match[str]) -> Placed:
    """The second year of "2019-20", which is 20 and 2020."""
    values = {Decimal(match[2]), Decimal(match[1][:2] + match[2])}
    return Placed(frozenset(values), *match.span(2))


def held_values(texts: Iterable[str], lang: str) -> set[Decimal | str]:
    """All values that the figures of some texts may have, those of written dates included."""
    values: set[Decimal | str] = set()
    for text in texts:
        dates = read_dates(text, lang)
        values.update(v for f in read_figures(text, lang, dates) for v in f.values)
        values.update(Decimal(part) for date in dates.numeric for part in date.parts)
        values.update(Decimal(m[i]) for m in _TIME.finditer(fold(text).text) for i in (1, 2))
        values |= implied(text, lang)
    return values


def counts_of_lists(text: str) -> set[Decimal | str]:
    """How many things a text may list: an answer counts them by itself.

    >>> sorted(map(int, counts_of_lists("Ana, Bo, Cid i Dan wyszli")))
    [3, 4]
    """
    found: set[Decimal | str] = set()
    commas = 0
    _, *parts = _LISTED.split(fold(text).text)
    for part in parts:
        commas += 1
        if commas > 1 or _AND.match(part):
            found |= {Decimal(commas + 1), Decimal(commas + 2)}
        if len(part.split()) > _LISTED_WORDS:
            commas = 0
    return found


def holds(held: set[Decimal | str], figure: Figure) -> bool:
    """Whether one of the values is held; "millions" are held by any number of millions.

    >>> holds({Decimal(3_000_000)}, frozenset({"10^6"}))
    True
    """
    if held & figure:
        return True
    for value in figure:
        if isinstance(value, str) and value.startswith("10^"):
            low = Decimal(10) ** int(value[3:])
            if any(isinstance(v, Decimal) and low <= v < low * 1000 for v in held):
                return True
        elif f"10^{_power_of(value)}" in held and value == 10 ** _power_of(value):
            return True  # "1 million" is "a million"
        elif _decades(value) & held:
            return True
    return False


def _decades(value: Decimal | str) -> set[Decimal | str]:
    """How else a decade is written: the 1980s are the 80s."""
    if not isinstance(value, Decimal) or not (20 <= value < 100 or 1500 < value < 2100):
        return set()
    if value % 10:
        return set()
    others = {1900 + value, 1800 + value} if value < 100 else {value % 100} - {Decimal(0)}
    return set(others)


def written(figure: Figure, lang: str = "") -> str:
    """A figure as a language writes it, never rounded; "" for a magnitude without a numeral.

    >>> [written(figures("57 מיליארד")[0], lang) for lang in ("en", "tr", "zh", "ru")]
    ['57 billion', '57 milyar', '570亿', '57 миллиардов']
    >>> written(figures("1,234,567")[0], "de")
    '1234567'
    """
    values = [value for value in figure if isinstance(value, Decimal)]
    if not values:
        return ""
    value = max(values)
    if 10**6 <= value < _LARGEST_NAMED:
        compact = _compact(value, lang)
        if any(value in read for read in figures(compact, lang)):
            return compact
    return f"{value:f}"


def _placed(
    text: str,
    lang: str,
    words: Sequence[Placed] | None = None,
    taken: Sequence[tuple[int, int]] = (),
) -> list[Placed]:
    """Numerals and words in order, each multiplied by the magnitudes that follow it.

    A thousand alone is one where numbers in `words` are read.
    """
    found: list[Placed] = []
    for each in sorted(
        [*_read(text, lang, taken), *(words or ())], key=lambda p: (p.start, p.word)
    ):
        before = found[-1] if found else None
        joined = before is not None and _JOIN.match(text[before.end : each.start]) is not None
        power = _bare_power(each)
        if before is not None and each.start < before.end:
            continue
        if before is not None and joined and power is not None and _bare_power(before) is None:
            found[-1] = _times(before, power, each.end)
        elif power is None or power >= 6:
            found.append(each)
        elif words is not None and power == _THOUSAND:
            one = frozenset({Decimal(1000)})
            found.append(Placed(one, each.start, each.end, word=True, sure=False))
    whole = _with_halves(text, _added(text, found), lang)
    return [replace(each, values=frozenset(map(_plain, each.values))) for each in whole]


def _read(text: str, lang: str, taken: Sequence[tuple[int, int]]) -> Iterable[Placed]:
    for match in _FIGURE.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in taken):
            yield from _outside(match, taken)
        elif match["numeral"]:
            for values, start, end in _numerals(match["numeral"]):
                yield Placed(values, match.start() + start, match.start() + end)
            if match["letter"] and _CURRENCY.search(text, 0, match.start()):
                yield Placed(frozenset({f"10^{_LETTERS[match['letter'].lower()]}"}), *match.span(2))
        elif not (lang == "tr" and match[0].lower() == "mil"):  # miles
            yield Placed(frozenset({f"10^{_power(match, lang)}"}), *match.span())


def _outside(match: re.Match[str], taken: Sequence[tuple[int, int]]) -> Iterable[Placed]:
    """The runs of digits of a match that no date has taken."""
    for digits in re.finditer(r"\d+", match[0]):
        start, end = match.start() + digits.start(), match.start() + digits.end()
        if not any(a < end and start < b for a, b in taken):
            yield Placed(frozenset({Decimal(digits[0])}), start, end)


def _bare_power(figure: Placed) -> int | None:
    value = next(iter(figure.values))
    return int(value[3:]) if isinstance(value, str) and value.startswith("10^") else None


def _times(figure: Placed, power: int, end: int) -> Placed:
    values = frozenset(v * 10**power for v in figure.values if isinstance(v, Decimal))
    # "One million" is sure where "one" is not, and "tens of thousands" is a guess.
    small = all(isinstance(v, Decimal) and v < _THOUSAND for v in figure.values)
    sure = figure.sure or not figure.word or small
    return replace(figure, values=values or figure.values, end=end, sure=sure)


def _added(text: str, found: Sequence[Placed]) -> list[Placed]:
    """The figures with those added together that go on after a magnitude.

    "3亿2000万", and in words or with "and" between, "two thousand three hundred".
    """
    whole: list[Placed] = []
    for each in found:
        last = whole[-1] if whole else None
        if last and _goes_on(text, last, each):
            sums = frozenset(
                a + b
                for a in last.values
                for b in each.values
                if isinstance(a, Decimal) and isinstance(b, Decimal) and b < _magnitude(a)
            )
            if sums:
                whole[-1] = replace(last, values=sums, end=each.end)
                continue
        whole.append(each)
    return whole


def _goes_on(text: str, last: Placed, each: Placed) -> bool:
    """Whether a figure may be the rest of the one before it."""
    between = text[last.end : each.start]
    if not between:
        return text[last.end - 1] in "亿億万萬억만千"
    if not (last.word and each.word and each.sure):
        return False
    return bool(_SPACE_OR_AND.fullmatch(between))


def _magnitude(value: Decimal) -> int:
    """The thousand, or hundred million of Chinese, that a value has a number of."""
    return next((10**p for p in (12, 9, 8, 6, 4, 3) if value and value % 10**p == 0), 0)


def _with_halves(text: str, found: Sequence[Placed], lang: str) -> list[Placed]:
    """The figures, each beside a word for a half with what they may be together."""
    return [
        replace(each, values=each.values | _and_half(each, text, lang))
        if any(isinstance(value, Decimal) for value in each.values) or each.word
        else each
        for each in found
    ]


def _and_half(figure: Placed, text: str, lang: str) -> Figure:
    """Two and a half, and two and a half of its magnitude, which may stand after the half."""
    near = text[figure.start : figure.end + _NEAR_HALF]
    if not has_half(near, lang):
        return frozenset()
    power = next((p for p, words in _AFTER_HALF.items() if words.search(near)), 0)
    made: set[Decimal | str] = set()
    for value in figure.values:
        if isinstance(value, Decimal):
            unit = _magnitude(value) or 1
            made |= {value + Decimal(unit) / 2, (value + Decimal("0.5")) * 10**power}
    return frozenset(made)


def _compact(value: Decimal, lang: str) -> str:
    from babel import Locale, UnknownLocaleError
    from babel.numbers import format_compact_decimal

    try:
        locale = Locale(lang)
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    # Languages that write the magnitude as a letter have the short form only.
    form: Literal["long", "short"] = "long" if "long" in locale.compact_decimal_formats else "short"
    text = format_compact_decimal(value, format_type=form, locale=locale, fraction_digits=3)
    # Babel sets Hebrew and Arabic figures in marks of direction, which no quote has.
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return shown.replace("\u00a0", " ")


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


def _power(match: re.Match[str], lang: str) -> int:
    if lang in _LONG_SCALE and _LONG_SCALE_BILLION.search(match[0]):
        return 12
    return next(int(name[1:]) for name, found in match.groupdict().items() if found)


def _power_of(value: Decimal | str) -> int:
    return value.adjusted() if isinstance(value, Decimal) and value else 0


def _plain(value: Decimal | str) -> Decimal | str:
    if isinstance(value, str):
        return value
    if value == value.to_integral() and value.adjusted() < getcontext().prec:
        return value.quantize(Decimal(1))
    return value.normalize()
