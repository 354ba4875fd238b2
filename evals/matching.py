"""Whether a text holds a name or a figure, in any script."""

import re
import unicodedata
from collections.abc import Iterable

# Hebrew points, Arabic vowel signs and the tatweel that stretches a word: writers
# may add or leave them out. U+0307 is what casefolding makes of the dot of "İ".
_OPTIONAL_MARKS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06ed\u0307]"
)
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u02b9\u2032\u05f3`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u05f4", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u05be", "-")
    | {"ı": "i", "\u066a": "%"}
)
_MARKS = re.compile(r"\s*\[\d+(?:\s*[,;-]\s*\d+)*\]")

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_SHORT_WORD = 3


def fold(text: str) -> str:
    """The text with differences that do not change its meaning taken away.

    The four Turkish i's become one: a reader of "ISTANBUL" cannot tell which it
    was. Thousands separators stay, as one language's are another's decimal marks.

    >>> fold("İSTANBUL ıİiI"), fold("٤١ و ۴۱"), fold("שָׁלוֹם"), fold("Xi’an 41\u00a0%")
    ('istanbul iiii', '41 و 41', 'שלום', "xi'an 41%")
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SAME)
    text = unicodedata.normalize("NFKC", _OPTIONAL_MARKS.sub("", text))
    text = "".join(_ascii_digit(char) for char in text if unicodedata.category(char) != "Cf")
    return re.sub(r" (?=%)", "", " ".join(text.split()))


def holds(text: str, alternatives: Iterable[str]) -> bool:
    """Whether one of the alternatives stands in the text.

    >>> holds("It reached $41 billion.", ["41"]), holds("in 2041, of 410 or 4.41", ["41"])
    (True, False)
    >>> holds("В марте", ["март"]), holds("והמתכות", ["מתכות"]), holds("a maid", ["AI"])
    (True, True, False)
    """
    folded = fold(text)
    return any(_pattern(fold(alternative)).search(folded) for alternative in alternatives)


def without_marks(text: str) -> str:
    """The text without its citation marks, whose numbers are no figures of the answer.

    >>> without_marks("Six jets flew [5][6].")
    'Six jets flew.'
    """
    return _MARKS.sub("", text)


def _ascii_digit(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def _pattern(alternative: str) -> re.Pattern[str]:
    return re.compile(_before(alternative[0]) + re.escape(alternative) + _after(alternative))


def _before(first: str) -> str:
    """What must hold before a match.

    "41" must not be found in "2041" or "3.41", nor "art" in "party". Hebrew and
    Arabic write "and", "in" and "the" onto the word, so those may stand between.
    Chinese and Japanese have no spaces: any place may begin a word there.
    """
    if first.isdigit():
        return r"(?<!\d)(?<!\d[.,\u066b\u066c])"
    if not re.match(_LETTER, first):
        return ""
    if "\u05d0" <= first <= "\u05ea":
        return rf"(?<!{_LETTER})[ובכלמשה]{{0,3}}"
    if "\u0620" <= first <= "\u06ff":
        return rf"(?<!{_LETTER})[وف]?[بلك]?(?:ال|ل)?"
    return rf"(?<!{_LETTER})"


def _after(alternative: str) -> str:
    """What must hold after a match.

    A figure must end there; a word may go on, since languages inflect at the end,
    unless it is so short that it begins many unrelated words ("AI", "aim").
    """
    if alternative[-1].isdigit():
        return r"(?!\d)(?![.,\u066b\u066c]\d)"
    short = len(alternative) <= _SHORT_WORD and re.fullmatch(rf"{_LETTER}+", alternative)
    return rf"(?!{_LETTER})" if short else ""
