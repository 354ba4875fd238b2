"""Which way a text runs, and how a piece of another direction is kept from turning it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Literal

Way = Literal["ltr", "rtl"]

_ISOLATED = re.compile("[\u2066-\u2068][^\u2066-\u2069]*\u2069")

# Each code point is one letter of a pattern: L and R letters that run left and right, M what
# belongs to the one before it, N and A figures (A those of Arabic), P plus, S minus, T signs
# such as % and $, C what stands within figures, G an apostrophe, O other signs, B what no run
# goes beyond: brackets, quotation marks, controls of direction.
_CODES = {
    "L": "L", "R": "R", "AL": "R", "NSM": "M", "BN": "M", "EN": "N", "AN": "A",
    "ES": "S", "ET": "T", "CS": "C", "WS": " ", "ON": "O",
}  # fmt: skip
_CODE_OF = {"+": "P", "'": "G", "’": "G", '"': "G", "\u00a0": " ", "\u202f": " "}

# The bounds keep the search of a long row of figures linear.
_FIGURE = r"T?[NA](?:[NACS]{0,30}[NA])?T?"
_LATIN = rf"""
    (?P<figure>(?:(?<![LRMNAT])[SP])?(?<![NA])(?<![NA][CS])(?<![RM][SO])(?<![RM]){_FIGURE}[ S]?)?
    (?P<letters>L(?:(?:[LMNACOSPT ]|(?<=[LM])G(?=L))*L)?M*+)
    (?:[ S]?{_FIGURE})?(?:P+|[ ]?T)?M*
    | (?<![LRMNAT])[SP]{_FIGURE}M*
    | (?<![NS])N{{1,20}}(?:SN{{1,20}}){{2,8}}M*
"""
_FOREIGN = {
    "rtl": re.compile(_LATIN, re.VERBOSE),
    "ltr": re.compile(r"R(?:(?:[RMNACOSPT ]|(?<=[RM])G(?=R))*R)?M*"),
}


def direction(text: str, otherwise: Way = "ltr") -> Way:
    """The way that the sentence runs: right to left when 4 in 10 of its letters do.

    Going by the first letter would turn a Hebrew line round that opens with a Latin name,
    going by most letters one that holds two of them. What the text itself sets apart, by
    U+2066 to U+2069, counts where nothing else does; text without letters runs `otherwise`.

    >>> direction("OPEC+ הודיעה על קיצוץ"), direction("[1] 2024"), direction("Opis: «سلام»")
    ('rtl', 'ltr', 'rtl')
    """
    for counted in (_ISOLATED.sub("", text), text):
        kinds = Counter(map(unicodedata.bidirectional, counted))
        backward, forward = kinds["R"] + kinds["AL"], kinds["L"]
        if backward or forward:
            return "rtl" if 10 * backward > 4 * (backward + forward) else "ltr"
    return otherwise


def opposite(way: Way) -> Way:
    """The other direction."""
    return "ltr" if way == "rtl" else "rtl"


def foreign_runs(text: str, way: Way) -> list[tuple[int, int]]:
    """Where words of the other direction begin and end in a text that runs this way.

    To a word belong what stands between it and the next one of its kind, and in a text from
    right to left its figures and signs: set off as a whole they keep their order. So does
    a figure with a sign of its own, but not one that a Hebrew prefix leads.

    >>> [text[a:b] for text in ["עלה ל 640 million $ ב-2024 (OPEC+) ו-17"]
    ...  for a, b in foreign_runs(text, "rtl")]
    ['640 million $', 'OPEC+']
    """
    codes = "".join(map(_code, text))
    runs = []
    for found in _FOREIGN[way].finditer(codes):
        start, end = found.span()
        if way == "rtl" and found["figure"] and _begins_name(text[slice(*found.span("letters"))]):
            start = found.start("letters")
        runs.append((start, end))
    return runs


def pieces(text: str, way: Way) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each piece of the text, and whether it runs the other way."""
    at = 0
    for start, end in foreign_runs(text, way):
        yield at, start, False
        yield start, end, True
        at = end
    yield at, len(text), False


def _begins_name(letters: str) -> bool:
    """Whether these are a name, which no figure before it counts: "2024 Rossi", not "3 km"."""
    return letters[:1].isupper() and letters[1:2].islower()


@cache
def _code(char: str) -> str:
    if char in _CODE_OF:
        return _CODE_OF[char]
    category = unicodedata.category(char)
    if unicodedata.mirrored(char) or category in ("Pi", "Pf") or char in "„‟":
        return "B"
    return _CODES.get(unicodedata.bidirectional(char), "B")
