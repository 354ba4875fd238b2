"""Whether a claim is in another language than the one asked for, told only where it is clear.

A short claim, or one of names and figures, may be in any language, and is never refused.
"""

import re
from collections import Counter

from rag.languages.detect import detect
from rag.languages.scripts import LETTERS_WORTH, script_of

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*")
_SCRIPTS = {
    "he": "HEBREW", "yi": "HEBREW", "ar": "ARABIC", "fa": "ARABIC", "ur": "ARABIC",
    "ps": "ARABIC", "ug": "ARABIC", "zh": "CJK", "ja": "CJK HIRAGANA KATAKANA", "ko": "HANGUL",
    "ru": "CYRILLIC", "uk": "CYRILLIC", "be": "CYRILLIC", "bg": "CYRILLIC", "mk": "CYRILLIC",
    "kk": "CYRILLIC LATIN", "ky": "CYRILLIC", "tg": "CYRILLIC", "mn": "CYRILLIC",
    "tt": "CYRILLIC", "sr": "CYRILLIC LATIN", "uz": "CYRILLIC LATIN", "el": "GREEK",
    "ka": "GEORGIAN", "hy": "ARMENIAN", "th": "THAI", "hi": "DEVANAGARI", "mr": "DEVANAGARI",
    "bn": "BENGALI", "am": "ETHIOPIC", "ta": "TAMIL",
}  # fmt: skip
"""Scripts that a language is written in; those that are not listed in Latin."""
_OWN = {"kk": "әғқңөұүһі", "tr": "ğış", "az": "ə", "pl": "ąćęłńśźż", "de": "äöüß", "ru": "ыэё"}
"""Letters that a text of the language has and its neighbours have not."""
_NEAR = {
    "kk": "әғқңөұүһі", "ru": "әғқңөұүһіїєґў", "uk": "әғқңөұүһыэёў", "tr": "əąęłńśźż", "az": "",
    "en": "ğışəąćęłńśźżäöüß", "de": "ğışəąćęłńśźż", "pl": "ğışə",
}  # fmt: skip
_LEAST_WORDS = 5
"""Words without a capital letter from which the detector is believed."""
_SURE = 0.8
_OWN_SHARE = 0.2
_FOREIGN_WORDS = 3


def other_language(text: str, lang: str) -> bool:
    """Whether a text is clearly in another language than `lang`, an ISO 639-1 code.

    >>> other_language("The bridge was opened in the spring of that year.", "kk")
    True
    >>> other_language("Anna Wendel, 2019", "kk"), other_language("Das Ziel.", "en")
    (False, False)
    """
    written = _SCRIPTS.get(lang, "LATIN").split()
    sizes = _sizes(text)
    if not sizes:
        return False
    if sum(sizes.get(script, 0.0) for script in written) < _OWN_SHARE * sum(sizes.values()):
        return len(_common_words(text, written)) >= _FOREIGN_WORDS or _unspaced(sizes, written)
    return _is_neighbour(text, lang)


def _is_neighbour(text: str, lang: str) -> bool:
    """Whether a text in the right script is in another language that is written in it."""
    if len(_common_words(text, [])) < _LEAST_WORDS:
        return False
    letters = set(text.lower())
    if letters & set(_OWN.get(lang, "")) and not _has_others(letters, lang):
        return False
    found = detect(text)
    return bool(found.lang) and found.lang != lang and found.confidence >= _SURE


def _has_others(letters: set[str], lang: str) -> bool:
    return bool(letters & (set(_NEAR.get(lang, "")) - set(_OWN.get(lang, ""))))


def _common_words(text: str, written: list[str]) -> list[str]:
    """The words that begin with no capital letter, but those in the scripts given."""
    return [
        word
        for word in _WORD.findall(text)
        if not word[0].isupper() and len(word) > 1 and script_of(word[0]) not in written
    ]


def _unspaced(sizes: dict[str, float], written: list[str]) -> bool:
    """Whether there is a sentence of a script that sets no spaces."""
    return any(sizes.get(script, 0.0) >= 18 for script in LETTERS_WORTH if script not in written)


def _sizes(text: str) -> dict[str, float]:
    """How much of a text is in each script, in letters of an alphabet."""
    letters = Counter(script_of(char) for char in filter(str.isalpha, text))
    return {script: times * LETTERS_WORTH.get(script, 1.0) for script, times in letters.items()}
