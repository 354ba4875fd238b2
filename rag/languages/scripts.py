"""Scripts: which one a letter is of, and what follows from it for words."""

import unicodedata
from functools import lru_cache

HAN_LANGUAGES = frozenset(("zh", "ja"))
WITHOUT_SPACES = HAN_LANGUAGES | {"th"}
"""Languages that set no spaces between words."""
LETTERS_WORTH = {"CJK": 3.0, "HIRAGANA": 3.0, "KATAKANA": 2.0, "HANGUL": 2.0}
"""What one sign of a script is worth in letters of an alphabet."""


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """The script, as the first word of the letter's Unicode name.

    >>> script_of("ж"), script_of("中")
    ('CYRILLIC', 'CJK')
    """
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
