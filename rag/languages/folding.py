"""Text with digits, marks and forms of letters made alike, and a map back to what stood there.

What compares texts of many scripts compares them folded; what it reports, it reports by
offsets into the text as it was written.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rag.records import Record

LETTERS = re.compile(r"[^\W\d_]+")
"""A run of letters of any script."""
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
"""A word of folded text, with what follows its apostrophes."""
_SEPARATORS = {
    "٫": ".",
    "٬": ",",
    "٪": "%",
    "’": "'",
    "ʼ": "'",
    "׳": "'",
    "‘": "'",
    "`": "'",
    "ß": "ss",
}


@dataclass(frozen=True, slots=True)
class Folded(Record):
    """A text folded; letter i stands for code points starts[i] to ends[i] of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where letters start to end, of which there is one at least, stand in the original."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(1024)
def fold(text: str) -> Folded:
    """The text in NFKC with ASCII digits, without combining marks and marks of direction.

    Case and letters that Unicode has ready with their mark stay as they are.

    >>> folded = fold("עלה ב\u200f־١٨٪")
    >>> folded.text, folded.span(6, 8)
    ('עלה ב־18%', (7, 9))
    """
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and is_mark(text[end]):
            end += 1
        for letter in _letters(text[at:end]):
            letters.append(letter)
            starts.append(at)
            ends.append(end)
        at = end
    return Folded("".join(letters), tuple(starts), tuple(ends))


@lru_cache(1024)
def fold_case(text: str) -> Folded:
    """The text folded, and without case and diacritics as `normalised` makes a word.

    >>> fold_case("İzmir’in").text, fold_case("İzmir’in").span(0, 5)
    ("izmir'in", (0, 5))
    """
    folded = fold(text)
    letters: list[str] = []
    places: list[int] = []
    for i, char in enumerate(folded.text):
        for letter in normalised(char) or char * (char == "'"):
            letters.append(letter)
            places.append(i)
    return Folded(
        "".join(letters),
        tuple(folded.starts[i] for i in places),
        tuple(folded.ends[i] for i in places),
    )


@lru_cache(65_536)
def normalised(word: str) -> str:
    """A word for comparison: no case, no diacritics, no apostrophes; ı is i, and ł is l.

    >>> normalised("İstanbul'DA"), normalised("Złoty"), normalised("أُغُسْطُس"), normalised("п'ять")
    ('istanbulda', 'zloty', 'اغسطس', 'пять')
    """
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_ALIKE))
    return "".join(char for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))


_ALIKE = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "'": None, "’": None, "ʼ": None, "׳": None}
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ە": "ه"}
)


@lru_cache(65_536)
def _letters(cluster: str) -> str:
    """What one character and the marks on it become."""
    out = []
    for char in unicodedata.normalize("NFKC", cluster):
        if char.isdecimal():
            out.append(str(unicodedata.decimal(char)))
        elif unicodedata.category(char) not in ("Cf", "Mn"):
            out.append(_SEPARATORS.get(char, char))
    return "".join(out)


def is_mark(char: str) -> bool:
    """Whether it is a combining mark: an accent, a vowel point, a sign of niqqud or tashkeel."""
    return unicodedata.category(char)[0] == "M"
