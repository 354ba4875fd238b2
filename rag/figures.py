"""Figures in text of any script, so that an answer's can be compared with its quote's.

A figure is the set of values that a numeral may stand for: "1.234" is 1234 to a
German reader and 1.234 to an English one. Number words ("forty-one") are not
read; a word of magnitude without a numeral ("forty-one billion") counts as a
figure of its own, so that it is refused unless the quote has such a word too.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

Figure = frozenset[Decimal | str]

# Words by the power of ten that they stand for, in the languages of the answer
# frames and some more. Stems go on with any ending; short words stand alone, or
# "3 miles" and the Turkish "3 bina" would be thousands.
_STEMS: dict[int, str] = {
    12: r"trillion|trilli[oó]n|trilyon|trylion|триллион"
    r"|трильйон|תריליון|تريليون|兆|billón|billones",
    9: r"billion|milyar|miliard|milliard|миллиард|мільярд|מיליארד|مليار"
    r"|ملیار|میلیارد|bilh|十亿|十億",
    8: r"亿|億|억",
    6: r"million|millon|millón|milyon|milion|milh|миллион|мільйон|מיליון"
    r"|מיליוני|مليون|ملايين|میلیون|百万|百萬",
    4: r"万|萬|만",
    3: r"thousand|tausend|тысяч|тисяч|אלפי|千",
}  # fmt: skip
_WORDS: dict[int, str] = {
    12: r"трлн",
    9: r"bn|mld|mlrd|mrd|млрд",
    6: r"mln|mio|млн",
    3: r"mille|mil|bin|tys|тыс|тис|мың|אלף|ألف|ألفا|آلاف|هزار",
}
# The same letters, another number: where a million millions is called so.
_LONG_SCALE_BILLION = re.compile(r"\b(?:billion(?:en)?|bilion\w*)", re.IGNORECASE)
_LONG_SCALE = {"de", "fr", "pl", "nl", "da", "no", "sv", "cs", "sk", "hu"}

_MAGNITUDE = "|".join(
    rf"(?P<m{power}>(?:{stems})\w*" + (rf"|(?:{_WORDS[power]})\b)" if power in _WORDS else ")")
    for power, stems in _STEMS.items()
)
_FIGURE = re.compile(
    r"(?P<numeral>\d+(?:[.,'’\u00a0\u202f ](?=\d)\d+)*)"
    rf"|(?<![^\W\d_])(?:{_MAGNITUDE})",
    re.IGNORECASE,
)
_JOIN = re.compile(r"[\s\u00a0\u202f\-–]*$")
_GROUPS = re.compile(r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+$")
_CJK = re.compile(rf"(?:{'|'.join(_STEMS[p] for p in (8, 4))}|十亿|十億|百万|百萬|千|兆)")


def figures(text: str, lang: str = "") -> list[Figure]:
    """The figures of a text in order; `lang` settles words that two languages share.

    >>> [sorted(map(str, f)) for f in figures("57 milyar dolar, ١٨ yıl", "tr")]
    [['57000000000'], ['18']]
    >>> [sorted(map(str, f)) for f in figures("1.234,5 and 570亿 and 0.5%")]
    [['1234.5'], ['57000000000'], ['0.5']]
    """
    text = _spaced(_ascii_digits(text))
    found: list[Figure] = []
    end = None
    for match in _FIGURE.finditer(text):
        joined = end is not None and _JOIN.match(text[end : match.start()]) is not None
        if match["numeral"]:
            found += _numerals(match["numeral"])
        else:
            power = _power(match, lang)
            if joined and found and not isinstance(next(iter(found[-1])), str):
                found[-1] = frozenset(v * 10**power for v in found[-1] if isinstance(v, Decimal))
            elif power >= 6:
                found.append(frozenset({f"10^{power}"}))
            else:
                continue
        end = match.end()
    return [frozenset(_plain(value) for value in figure) for figure in found]


def unsupported(
    text: str, quotes: Iterable[str], lang: str = "", quote_lang: str = ""
) -> list[str]:
    """The figures of a text that none of the quotes holds, as `written` shows them.

    >>> unsupported("Trade reached 57 million.", ["handel wyniósł 57 mld"])
    ['57 million']
    """
    held = _values_in(quotes, quote_lang)
    return [written(each, lang) for each in figures(text, lang) if not each & held]


def left_out(text: str, quotes: Iterable[str], lang: str = "", quote_lang: str = "") -> list[str]:
    """The figures of the quotes that the text does not hold.

    Small ones are passed over, since most languages write them as words.

    >>> left_out("It rose by 18 percent.", ["wzrósł o 18%, do 57 mld w 3 lata"], "en", "pl")
    ['57 billion']
    """
    held = _values_in([text], lang)
    return [
        written(each, lang)
        for quote in quotes
        for each in figures(quote, quote_lang)
        if not each & held and not all(v in _SMALL for v in each if isinstance(v, Decimal))
    ]


def written(figure: Figure, lang: str = "") -> str:
    """A figure as a language writes it; "" for a magnitude without a numeral.

    >>> [written(figures("57 מיליארד")[0], lang) for lang in ("en", "tr", "zh", "ru")]
    ['57 billion', '57 milyar', '570亿', '57 миллиардов']
    """
    values = [value for value in figure if isinstance(value, Decimal)]
    if not values:
        return ""
    value = max(values)
    return f"{value:f}" if value < 10**6 else _compact(value, lang)


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


_SMALL = frozenset(map(Decimal, range(11)))


def _values_in(texts: Iterable[str], lang: str) -> set[Decimal | str]:
    return {value for text in texts for figure in figures(text, lang) for value in figure}


def _ascii_digits(text: str) -> str:
    """Digits of every script as ASCII, separators of Arabic as their Latin kin, no marks."""
    text = unicodedata.normalize("NFKC", text)
    out = []
    for char in text:
        if char.isdecimal():
            out.append(str(unicodedata.decimal(char)))
        elif char in "٫٬":
            out.append("." if char == "٫" else ",")
        elif unicodedata.category(char) not in ("Cf", "Mn"):
            out.append(char)
    return "".join(out)


def _spaced(text: str) -> str:
    """Chinese, Japanese and Korean magnitudes set off, since no space does it there."""
    return _CJK.sub(lambda match: f" {match[0]} ", text)


def _numerals(text: str) -> list[Figure]:
    """One numeral with its separators, or several that a space only keeps apart."""
    if _GROUPS.match(text) or not re.search(r"[\u00a0\u202f ]", text):
        return [_values(text)]
    return [_values(part) for part in re.split(r"[\u00a0\u202f ]", text)]


def _values(numeral: str) -> Figure:
    digits = re.sub(r"['’\u00a0\u202f ]", "", numeral)
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
    if lang in _LONG_SCALE and _LONG_SCALE_BILLION.match(match[0]):
        return 12
    return next(power for power in _STEMS if match[f"m{power}"])


def _plain(value: Decimal | str) -> Decimal | str:
    if isinstance(value, str):
        return value
    return value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()
