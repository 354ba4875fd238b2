"""Words of several scripts by their letters in Latin, and by their consonants.

One script writes vowels that another leaves out, and a sound that it lacks it writes by a
near one. So two words are one name where their letters are mostly the same, or where their
consonants are, by kinds that scripts do not confuse.
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache

_LATIN = str.maketrans(
    "абвгдежзийклмнопрстуфхцчшщыэюяёіїєґәғқңөұүһ"
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת"
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويةپچژگڤئؤء",
    "abvgdeszijklmnoprstufhssssyeuaoiiegagknouuh".replace("j", "y")
    + "abgdhvzhtykklmmnnsappsskrst"
    + "abttjhhddrzsssdtzagfkklmnhvyapssgvyva",
    "ъь",
)
_KINDS = str.maketrans("bpvfwkgqxctdszj", "bbbbbkkkkkttsss", "aeiouyh'")
_ONE_SOUND = re.compile(r"sch|tsch|tch|sh|ch|cz|sz|zh|ts|tz|dj|dz|c(?=[eiy])|g(?=[eiy])")
_DOUBLED = re.compile(r"(.)\1+")
_LETTERS_ALIKE = 0.72
"""Share of letters in common from which two words are one name."""
_CONSONANTS_ALIKE = 0.8
_LONG = 4
"""Consonants of a name of which one may be another."""


def can_romanise(word: str) -> bool:
    """Whether most letters of a normalised text can be put into Latin ones."""
    letters = [char for char in word if char.isalpha()]
    read = sum(char.isascii() or ord(char) in _LATIN for char in letters)
    return read >= 0.7 * len(letters)


@lru_cache(65_536)
def romanise(word: str) -> str:
    """A normalised word (`rag.languages.folding.normalised`) in Latin letters, one for each sound.

    >>> romanise("дворжак"), romanise("וושינגטון")
    ('dvorsak', 'vvsyngtvn')
    """
    return word.replace("дж", "ж").translate(_LATIN)


@lru_cache(65_536)
def skeleton(latin: str) -> str:
    """The consonants of a Latin word by kinds that scripts do not confuse.

    >>> skeleton("washington"), skeleton("vvsyngtvn"), skeleton("dubov"), skeleton("tupaif")
    ('bsnktn', 'bsnktbn', 'tb', 'tb')
    """
    return _DOUBLED.sub(r"\1", latin.translate(_KINDS))


@lru_cache(65_536)
def skeletons(word: str) -> frozenset[str]:
    """What consonants a word may have, as j, gh, ch, rz, v, g and h sound in several ways.

    >>> sorted(skeletons("chris"))
    ['krs', 'srs']
    """
    latin = romanise(word)
    ways = {latin}
    if word.isascii():
        ways |= {latin.replace("j", other) for other in "ky"} | {latin.replace("gh", "")}
        ways |= {way.replace("ch", "k") for way in ways} | {way.replace("rz", "s") for way in ways}
        ways = {_ONE_SOUND.sub("s", way) for way in ways}
    else:
        without_v = latin[:1] + latin[1:].replace("v", "")
        ways |= {without_v, latin.replace("g", ""), latin.replace("g", "s")}
        ways |= {way.replace("h", "k") for way in ways}
    return frozenset(map(skeleton, ways))


def same_letters(one: str, other: str) -> bool:
    """Whether two Latin words are mostly the same, or one begins with all of the other."""
    return _alike(one, other, _LETTERS_ALIKE)


def same_consonants(one: str, other: str) -> bool:
    """Whether consonants are the same, but for an ending, or in long names for one of them.

    >>> same_consonants("nbk", "nbkm"), same_consonants("nbk", "tbrk")
    (True, False)
    """
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _LONG:
        return shorter == longer or (len(shorter) > 2 and longer[:-1] == shorter)
    return _alike(one, other, _CONSONANTS_ALIKE)


def _alike(one: str, other: str, least: float) -> bool:
    if one == other or not one or not other:
        return one == other
    shorter, longer = sorted((one, other), key=len)
    if 2 * len(shorter) / (len(shorter) + len(longer)) < least:
        return len(shorter) >= 5 and longer.startswith(shorter)
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= least
