"""The list of known names: how each is written in several scripts.

It is made by `python -m training.known_names`. A form that ordinary words of a language share
is excluded there.
"""

import gzip
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from rag.records import Record

FILE = Path(__file__).parent / "known_names.tsv.gz"
_SCRIPTS = {
    "he": "hebrew", "ar": "arabic", "fa": "arabic", "ur": "arabic", "zh": "han", "ja": "han",
    "ru": "cyrillic", "uk": "cyrillic", "kk": "cyrillic", "bg": "cyrillic",
}  # fmt: skip
_SHORTEST = {"han": 2, "latin": 4, "cyrillic": 4, "hebrew": 4, "arabic": 4}
_OFTEN = 15
"""Names that a sign must stand in to be one of those that write a name by its sound."""


@dataclass(frozen=True)
class KnownForms(Record):
    """What each name is of ("p" a person, "l" a place), its forms, and the names of each form."""

    sorts: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    names: dict[str, list[int]]
    excluded: frozenset[str]
    """`language:form` of what is an ordinary word there, or a name that it translates."""

    def has(self, form: str, lang: str) -> bool:
        """Whether a form is a name in a language, and long enough to be no chance."""
        if form not in self.names or f"{lang}:{form}" in self.excluded:
            return False
        return len(form) >= _SHORTEST[form_script(form)]

    @cached_property
    def in_han(self) -> frozenset[str]:
        """The forms in Chinese signs."""
        return frozenset(form for form in self.names if form_script(form) == "han")

    @cached_property
    def longest_in_han(self) -> int:
        return max(map(len, self.in_han), default=0)

    @cached_property
    def signs_of_sounds(self) -> frozenset[str]:
        """The Chinese signs that foreign names are written with."""
        signs = Counter(
            sign
            for sort, forms in zip(self.sorts, self.forms, strict=True)
            for form in forms
            if sort == "p" and len(form) > 2 and form_script(form) == "han"
            for sign in set(form)
        )
        return frozenset(sign for sign, times in signs.items() if times >= _OFTEN)


@cache
def known_forms() -> KnownForms:
    """The list as it is kept, in lines: "p" or "l" and a name's forms, or "-", a language and
    the forms that are excluded in it.
    """
    lines = gzip.decompress(FILE.read_bytes()).decode("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    kept = [(sort, tuple(forms)) for sort, *forms in rows if not sort.startswith("-")]
    names: dict[str, list[int]] = {}
    for number, (_, forms) in enumerate(kept):
        for form in forms:
            names.setdefault(form, []).append(number)
    excluded = {f"{sort[1:]}:{form}" for sort, *forms in rows if sort[:1] == "-" for form in forms}
    sorts = tuple(sort for sort, _ in kept)
    return KnownForms(sorts, tuple(forms for _, forms in kept), names, frozenset(excluded))


def language_script(lang: str) -> str:
    """The script of a language's names.

    >>> language_script("kk"), language_script("pl")
    ('cyrillic', 'latin')
    """
    return _SCRIPTS.get(lang, "latin")


def form_script(form: str) -> str:
    """The script of a form's first letter.

    >>> form_script("חיפה"), form_script("haifa")
    ('hebrew', 'latin')
    """
    code = ord(form[0])
    if 0x0590 <= code < 0x0600:
        return "hebrew"
    if 0x0600 <= code < 0x0780:
        return "arabic"
    if 0x0400 <= code < 0x0530:
        return "cyrillic"
    return "han" if code >= 0x3040 else "latin"
