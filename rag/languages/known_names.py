"""Names of people and places that are known by heart (`rag.languages.known_forms`).

They tell a name where no capital letter does, in Arabic, Chinese, German and Hebrew, or at the
start of a sentence; and how other scripts write it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.languages.affixes import without_prefixes
from rag.languages.folding import WORD, fold, normalised
from rag.languages.known_forms import known_forms, language_script
from rag.records import Record

LANGS = ("en", "de", "zh", "kk", "ru", "he", "pl", "tr", "ar", "fr", "es", "uk")
"""Languages whose ordinary words were held against the list."""
_ENDINGS = {
    "pl": "a u em owi ie y i iem ego emu im ym ą ę om ow ach ami",
    "ru": "а я у ю ом ем е ы и ои еи ою ым ым ого ему ему ов",
    "uk": "а я у ю ом ем ові еві і и ои ою ею им ого ому",
    "kk": "ның нің дың дің тың тің ға ге қа ке на не да де та те дан ден тан тен нан нен ны ні ды"
    " ді ты ті н мен бен пен ы і сы сі тағы тегі дағы дегі",
    "de": "s", "en": "s",
}  # fmt: skip
"""What an inflection may put after a name."""
_MOST_WORDS = 3
_STEM = 4
"""Letters that are left of a name without a prefix or an ending."""
_BETWEEN = re.compile(r"[ \u00a0\-–־]\Z")


@dataclass(frozen=True, slots=True)
class KnownName(Record):
    """A name at start to end of a text as it stands."""

    text: str
    start: int
    end: int
    form: str

    @property
    def forms(self) -> tuple[str, ...]:
        """How the name, or names, may be written in any script."""
        known = known_forms()
        return tuple(dict.fromkeys(f for i in known.names[self.form] for f in known.forms[i]))

    @property
    def sorts(self) -> frozenset[str]:
        """What it may be the name of: "p" is a person, "l" a place."""
        return frozenset(known_forms().sorts[i] for i in known_forms().names[self.form])


def known_names(text: str, lang: str) -> list[KnownName]:
    """Each known name of a text, the longest where they overlap; none outside of LANGS."""
    if lang not in LANGS:
        return []
    folded = fold(text)
    found = _found_in_han if language_script(lang) == "han" else _found
    spans = [(*folded.span(start, end), form) for start, end, form in found(folded.text, lang)]
    return [KnownName(text[start:end], start, end, form) for start, end, form in spans]


def _found(plain: str, lang: str) -> Iterator[tuple[int, int, str]]:
    words = list(WORD.finditer(plain))
    i = 0
    while i < len(words):
        runs = (words[i : i + size] for size in range(min(_MOST_WORDS, len(words) - i), 0, -1))
        found = ((run, form) for run in runs if (form := _phrase(plain, run, lang)))
        run, form = next(found, (words[i : i + 1], ""))
        if form:
            yield run[0].start(), run[-1].end(), form
        i += len(run)


def _phrase(plain: str, run: Sequence[re.Match[str]], lang: str) -> str:
    """The known form that words one after another are; "" where they are none."""
    gaps = (plain[one.end() : other.start()] for one, other in pairwise(run))
    if not all(map(_BETWEEN.fullmatch, gaps)):
        return ""
    if language_script(lang) not in ("hebrew", "arabic") and not run[0][0][0].isupper():
        return ""
    first, *rest = (normalised(match[0].partition("'")[0]) for match in run)
    for head in without_prefixes(first, lang, _STEM):
        *before, last = head, *rest
        for end in (last, *_stems(last, lang)):
            form = " ".join([*before, end])
            if known_forms().has(form, lang):
                return form
    return ""


def _stems(word: str, lang: str) -> list[str]:
    """A word without each ending that it may have."""
    endings = map(normalised, _ENDINGS.get(lang, "").split())
    sizes = [len(ending) for ending in endings if word.endswith(ending)]
    return [word[:-size] for size in sizes if len(word) - size >= _STEM]


def _found_in_han(plain: str, lang: str) -> Iterator[tuple[int, int, str]]:
    """Known names in Chinese, none of them a part of a longer name that is written by sound."""
    known = known_forms()
    i = 0
    while i < len(plain):
        parts = (plain[i : i + size] for size in range(known.longest_in_han, 1, -1))
        form = next((part for part in parts if part in known.in_han), "")
        end = i + len(form)
        beside = {plain[i - 1 : i], plain[end : end + 1]}
        if form and known.has(form, lang) and not beside & known.signs_of_sounds:
            yield i, end, form
        i += len(form) or 1
