"""Names of people and places that are known by heart, in several scripts.

The list (`known_names.tsv.gz`, made by `python -m training.known_names`) tells a name where no
capital letter does, in Arabic, Chinese, German and Hebrew, or at the start of a sentence; and
how other scripts write it. A form that ordinary words of a language share is not in the list.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from rag.languages.folding import bare, fold
from rag.languages.names import bare_words, holds_name, names
from rag.languages.transliteration import same_letters
from rag.records import Record

LANGS = ("en", "de", "zh", "kk", "ru", "he", "pl", "tr", "ar", "fr", "es", "uk")
SCRIPTS = {
    "he": "hebrew", "ar": "arabic", "fa": "arabic", "ur": "arabic", "zh": "han", "ja": "han",
    "ru": "cyrillic", "uk": "cyrillic", "kk": "cyrillic", "bg": "cyrillic",
}  # fmt: skip
"""Of languages the script of their names; those of all others are Latin."""
Told = tuple[str, str]
"""A text and its language."""
_FILE = Path(__file__).parent / "known_names.tsv.gz"
_PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك"}
_ENDINGS = {
    "pl": "a u em owi ie y i iem ego emu im ym ą ę om ow ach ami",
    "ru": "а я у ю ом ем е ы и ои еи ою ым ым ого ему ему ов",
    "uk": "а я у ю ом ем ові еві і и ои ою ею им ого ому",
    "kk": "ның нің дың дің тың тің ға ге қа ке на не да де та те дан ден тан тен нан нен ны ні ды"
    " ді ты ті н мен бен пен ы і сы сі тағы тегі дағы дегі",
    "de": "s", "en": "s",
}  # fmt: skip
"""What an inflection may put after a name."""
_PLACE_BEFORE = {
    "pl": re.compile(r"\b(?:we?|na|do|nad|pod|koło)\s\Z", re.IGNORECASE),
    "en": re.compile(r"\b(?:in|at|near)\s\Z", re.IGNORECASE),
    "ru": re.compile(r"\bво?\s\Z", re.IGNORECASE),
}
_PLACE_AFTER = {"tr": re.compile(r"['’][dt][ae]n?\b")}
"""What stands beside places in a language whose capital letters tell names."""
_UNSURE_BEFORE = {
    "pl": re.compile(r"\b(?:ze?|od|po|przez|dla|[A-ZŁŚŻ]\w+)\s\Z"),
    "en": re.compile(r"\b(?:the|from|to|of|for|on|[A-Z]\w+)\s\Z"),
    "ru": re.compile(r"\b(?:из|от|на|для|[А-Я]\w+)\s\Z"),
    "tr": re.compile(r"\b[A-ZÇĞİÖŞÜ]\w+\s\Z"),
    "kk": re.compile(r"\b[А-ЯӘҒҚҢӨҰҮІ]\w+\s\Z"),
}
"""What may stand beside either, or a part of a longer name."""
_MOST_WORDS = 3
_SHORTEST = {"han": 2, "latin": 4, "cyrillic": 4, "hebrew": 4, "arabic": 4}
_STEM = 4
_ENDING = 5
"""Letters that a form may be followed by in a word, and one more."""
_TOO_SHORT = 2
_SLIP = 6
"""Letters from which a form may be written with other ones here and there."""
_OFTEN = 15
"""Names that a sign must stand in to be one of those that write a name by its sound."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BETWEEN = re.compile(r"[ \u00a0\-–־]\Z")


@dataclass(frozen=True, slots=True)
class _List(Record):
    """What each name is of, its forms, and of each form the names that have it."""

    sorts: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    names: dict[str, tuple[int, ...]]
    excluded: frozenset[str]
    """`language:form` of what is an ordinary word there, or a name that it translates."""


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
        known = _list()
        return tuple(dict.fromkeys(f for i in known.names[self.form] for f in known.forms[i]))

    @property
    def sorts(self) -> frozenset[str]:
        """What it may be the name of: "p" is a person, "l" a place."""
        return frozenset(_list().sorts[i] for i in _list().names[self.form])


def strange_known_names(
    text: str, lang: str, quotes: Sequence[Told], around: Sequence[Told] = ()
) -> list[KnownName]:
    """The known names of a text that none of the others has, where a quote has another instead.

    The quotes and what is around them are (text, language) pairs. A name is passed over where
    no quote has a name of the same sort, a person or a place, that the text leaves out: it
    says whom a pronoun means.

    >>> found = strange_known_names("Emma wohnt in Chicago.", "de", [("Emma, Boston", "en")])
    >>> [one.text for one in found]
    ['Chicago']
    """
    strange = [
        name
        for name in known_names(text, lang)
        if not any(is_held(name, lang, each) for each in (*quotes, *around))
    ]
    if not strange:
        return []
    left_out = frozenset[str]().union(*(_left_out(quote, (text, lang)) for quote in quotes))
    return [one for one in strange if one.sorts & left_out]


def _left_out(quote: Told, told: Told) -> frozenset[str]:
    """Of what sorts the names of a quote are that another text leaves out."""
    text, lang = quote
    known = known_names(text, lang)
    sorts = {sort for name in known if not is_held(name, lang, told) for sort in name.sorts}
    for name in names(text, lang):
        new = not any(one.start <= name.start < one.end for one in known)
        if new and not holds_name(name.text, lang, told):
            sorts |= _sorts_by_grammar(text, name.start, name.end, lang)
    return frozenset(sorts)


def _sorts_by_grammar(text: str, start: int, end: int, lang: str) -> set[str]:
    """What an unknown name is of, by the words beside it; nothing where they do not tell."""
    before, after = _PLACE_BEFORE.get(lang), _PLACE_AFTER.get(lang)
    if (before and before.search(text[:start])) or (after and after.match(text[end:])):
        return {"l"}
    unsure = _UNSURE_BEFORE.get(lang)
    return set() if unsure and unsure.search(text[:start]) else {"p"}


@lru_cache(256)
def known_names(text: str, lang: str) -> tuple[KnownName, ...]:
    """Each known name of a text, the longest where they overlap.

    None in a language whose ordinary words were not held against the list.
    """
    if lang not in LANGS:
        return ()
    folded = fold(text)
    found = []
    for start, end, form in _found(folded.text, lang):
        begin, stop = folded.span(start, end)
        found.append(KnownName(text[begin:stop], begin, stop, form))
    return tuple(found)


def is_held(name: KnownName, lang: str, told: Told) -> bool:
    """Whether a text has the name, which is of another's language, in one of its forms."""
    text, its = told
    script = SCRIPTS.get(its, "latin")
    theirs = [form for form in name.forms if script_of(form) == script]
    if script == "han":
        return not theirs or any(form in bare(text) for form in theirs)
    said = () if script_of(name.form) == "han" else (name.text, name.form)
    if any(holds_name(each, lang, told, strict=bool(theirs)) for each in said):
        return True
    if any(all(_is_written(word, told) for word in _longer(form)) for form in theirs):
        return True
    if theirs:
        return False
    latin = [form for form in name.forms if script_of(form) == "latin"]
    return any(all(holds_name(word, "en", told) for word in _longer(form)) for form in latin)


def _is_written(form: str, told: Told) -> bool:
    """Whether a word of a text is a form of its own script, with an ending or a slip."""
    size = len(form)
    return any(
        word == form
        or (size >= _STEM and word.startswith(form) and len(word) - size < _ENDING)
        or (size >= _SLIP and same_letters(form, word))
        for word in bare_words(told)
        if size > _TOO_SHORT
    )


def _longer(form: str) -> list[str]:
    """The words of a form that are long enough to be looked for."""
    words = form.split()
    return [word for word in words if len(word) > 2] or words


def _found(plain: str, lang: str) -> Iterator[tuple[int, int, str]]:
    if SCRIPTS.get(lang) == "han":
        yield from _found_han(plain, lang)
        return
    words = list(_WORD.finditer(plain))
    i = 0
    while i < len(words):
        size = 1
        for n in range(_MOST_WORDS, 0, -1):
            form = _phrase(plain, words, i, n, lang)
            if form:
                size = n
                yield words[i].start(), words[i + n - 1].end(), form
                break
        i += size


def _phrase(plain: str, words: Sequence[re.Match[str]], i: int, size: int, lang: str) -> str:
    """The known form that so many words from the i-th are; "" where they are none."""
    run = words[i : i + size]
    if len(run) < size or not _stand_together(plain, run):
        return ""
    if SCRIPTS.get(lang) not in ("hebrew", "arabic") and not run[0][0][0].isupper():
        return ""
    *before, last = [match[0].partition("'")[0] for match in run]
    for head in _without_prefixes(bare(before[0] if before else last), lang):
        rest = [bare(word) for word in before[1:]]
        ends = [bare(last)] if before else [head]
        for end in (*ends, *_stems(ends[0], lang)):
            form = " ".join([head, *rest, end] if before else [end])
            if _is_known(form, lang):
                return form
    return ""


def _stand_together(plain: str, run: Sequence[re.Match[str]]) -> bool:
    return all(_BETWEEN.fullmatch(plain[one.end() : other.start()]) for one, other in pairwise(run))


def _without_prefixes(word: str, lang: str) -> list[str]:
    words = [word]
    for _ in range(2):
        if words[-1][:1] in tuple(_PREFIXES.get(lang, "")) and len(words[-1]) > _STEM:
            words.append(words[-1][1:])
    return words


def _stems(word: str, lang: str) -> list[str]:
    ends = [
        bare(ending) for ending in _ENDINGS.get(lang, "").split() if word.endswith(bare(ending))
    ]
    return [word[: -len(end)] for end in ends if len(word) - len(end) >= _STEM]


def _is_known(form: str, lang: str) -> bool:
    known = _list()
    if form not in known.names or f"{lang}:{form}" in known.excluded:
        return False
    return len(form) >= _SHORTEST[script_of(form)]


def _found_han(plain: str, lang: str) -> Iterator[tuple[int, int, str]]:
    """Known names in Chinese, none of them a part of a longer name that is written by sound."""
    forms, longest = _han_forms()
    i = 0
    while i < len(plain):
        sizes = (n for n in range(longest, 1, -1) if plain[i : i + n] in forms)
        form = next((plain[i : i + n] for n in sizes), "")
        if form and _is_known(form, lang) and not _goes_on(plain, i, i + len(form)):
            yield i, i + len(form), form
        i += len(form) or 1


def _goes_on(plain: str, start: int, end: int) -> bool:
    """Whether a sign that names are written with by sound stands beside a part of a text."""
    return bool({plain[start - 1 : start], plain[end : end + 1]} & by_sound())


@cache
def by_sound() -> frozenset[str]:
    """The Chinese signs that foreign names are written with."""
    signs = Counter(
        sign
        for sort, forms in zip(_list().sorts, _list().forms, strict=True)
        for form in forms
        if sort == "p" and script_of(form) == "han" and len(form) > 2
        for sign in set(form)
    )
    return frozenset(sign for sign, times in signs.items() if times >= _OFTEN)


@cache
def _han_forms() -> tuple[frozenset[str], int]:
    forms = frozenset(form for form in _list().names if script_of(form) == "han")
    return forms, max(map(len, forms), default=0)


def script_of(form: str) -> str:
    """The script of a form's first letter.

    >>> script_of("חיפה"), script_of("haifa")
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


@cache
def _list() -> _List:
    """The list as it is kept, in lines: "p" or "l" and a name's forms, or "-", a language and
    the forms that are excluded in it.
    """
    sorts: list[str] = []
    forms: list[tuple[str, ...]] = []
    names: dict[str, list[int]] = {}
    excluded: set[str] = set()
    for line in gzip.decompress(_FILE.read_bytes()).decode("utf-8").splitlines():
        first, *rest = line.split("\t")
        if first.startswith("-"):
            excluded |= {f"{first[1:]}:{form}" for form in rest}
            continue
        for form in rest:
            names.setdefault(form, []).append(len(forms))
        sorts.append(first)
        forms.append(tuple(rest))
    return _List(
        tuple(sorts), tuple(forms), {k: tuple(v) for k, v in names.items()}, frozenset(excluded)
    )
