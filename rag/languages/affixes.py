"""What Hebrew and Arabic write together with the word that follows: "and", "in", "the"."""

import re

from rag.languages.scripts import WITHOUT_SPACES

PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك"}
"""The letters that stand for a word of their own."""
_PATTERNS = {"he": f"[{PREFIXES['he']}]{{0,3}}", "ar": f"[{PREFIXES['ar']}]{{0,2}}(?:ال|ل)?"}


def without_prefixes(word: str, lang: str, longer_than: int = 3) -> list[str]:
    """A normalised word, and what is left of it without one and two prefixes.

    Nothing is taken off a word that is not `longer_than` so many letters.

    >>> without_prefixes("ובחיפה", "he"), without_prefixes("וינה", "he", 4)
    (['ובחיפה', 'בחיפה', 'חיפה'], ['וינה'])
    """
    forms = [word]
    for _ in range(2):
        if len(forms[-1]) > longer_than and forms[-1][0] in PREFIXES.get(lang, ""):
            forms.append(forms[-1][1:])
    return forms


def without_articles(words: list[str], lang: str) -> list[str]:
    """The Arabic ones of some normalised words that have an article, without it.

    >>> without_articles(["الشمس", "قمر"], "ar")
    ['شمس']
    """
    return [w[2:] for w in words if lang == "ar" and w.startswith("ال") and len(w) > 4]


def words_pattern(words: str, lang: str, end: str = r"\b") -> re.Pattern[str]:
    """Finds whole words, given as a pattern of normalised text, with prefixes written onto them.

    >>> words_pattern("רבע", "he").search("שלושת הרבעים, וברבע")
    <re.Match object; span=(14, 19), match='וברבע'>
    """
    if lang in WITHOUT_SPACES:
        return re.compile(words)
    return re.compile(rf"\b{_PATTERNS.get(lang, '')}(?:{words}){end}")
