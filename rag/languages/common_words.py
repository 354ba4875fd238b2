"""Ordinary words of a language, which titles give a capital letter and which are no names.

The filter (`common_words.npz`, made by `python -m training.common_words`) keeps a number for
each word that was seen without a capital letter.
"""

import zlib
from functools import cache
from pathlib import Path
from typing import Any

from rag.languages.folding import normalised

FILE = Path(__file__).parent / "common_words.npz"
_INFLECTED = frozenset(("tr", "pl", "ru", "kk", "uk"))
"""Languages in which a word is looked up without its ending as well."""
_BORROWS = {"kk": "ru"}
"""Languages that take words from another and put their own endings to them."""
_LONGEST_ENDING, _LONGEST_CASE, _SHORTEST_STEM = 5, 4, 5
"""Letters of an ending that a borrowed word gets, of a case's, and of what stands before it."""
_ENDING, _SHORTEST = 2, 7
"""Letters that are left out at the end of a word in them, and of a word that has so many."""


def is_common(word: str, lang: str) -> bool:
    """Whether a word was seen without a capital letter, or one that differs in its ending.

    >>> is_common("Peninsula", "en"), is_common("Literackiej", "pl"), is_common("Wendel", "en")
    (True, True, False)
    """
    plain = normalised(word)
    kept = [stem(plain, lang)]
    if lang in _INFLECTED:
        kept += [plain[:-n] for n in _cuts(plain, _LONGEST_CASE)]
    if any(_has(each, lang) for each in kept):
        return True
    other = _BORROWS.get(lang, "")
    cuts = _cuts(plain, _LONGEST_ENDING) if other else ()
    borrowed = [plain, *(plain[:-n] for n in cuts)] if other else []
    return any(_has(stem(each, other), other) for each in borrowed)


def _cuts(plain: str, most: int) -> range:
    """How many letters of a word may be an ending."""
    return range(1, min(most, len(plain) - _SHORTEST_STEM) + 1)


def stem(word: str, lang: str) -> str:
    """A normalised word as it is kept: without its ending where words are inflected."""
    if lang not in _INFLECTED or len(word) < _SHORTEST:
        return word
    return word[:-_ENDING]


def code(word: str) -> int:
    """The number that is kept of a word."""
    return zlib.crc32(word.encode())


def _has(word: str, lang: str) -> bool:
    import numpy as np

    codes = _codes(lang)
    if codes is None:
        return False
    at = int(np.searchsorted(codes, code(word)))
    return at < len(codes) and int(codes[at]) == code(word)


@cache
def _codes(lang: str) -> Any:
    import numpy as np

    with np.load(FILE) as kept:
        return kept[lang] if lang in kept.files else None
