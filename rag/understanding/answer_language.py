"""An order such as "Answer in Russian:" taken off a question.

It is one clause at the question's beginning or end, or a bracket, that names a language and has
nothing but words of ordering beside: prompts/answer_language.toml. So a question about a language
("What is said in Russian?") is left as it is.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from rag.languages.locales import FALLBACK
from rag.prompts import table
from rag.records import Record

LONGEST_ORDER = 80
"""Code points; a longer clause says more than how to answer."""
_MARKS = r":：,，、،;；؛.。!！?？؟\n—–"
_MARK = re.compile(rf"[{_MARKS}](?=\s|[^\x00-\u2fff])|[{_MARKS}]$")
_BRACKETS = re.compile(r"[(（\[]([^()（）\[\]]+)[)）\]]")
_EDGES = " \t\r\n:：,，、،;；؛-—–"
_LEADING = _EDGES + ".。!！"


@dataclass(frozen=True, slots=True)
class _Clause(Record):
    """A part of a question that may be an order, and what is left without it."""

    text: str
    rest: str
    bracketed: bool = False


def asked_language(question: str, question_lang: str) -> tuple[str, str]:
    """The question without the order, and the ISO code that it names; "" where there is none.

    >>> asked_language("Answer in Russian: who built it?", "en")
    ('who built it?', 'ru')
    >>> asked_language("Who speaks Russian there?", "en")
    ('Who speaks Russian there?', '')
    """
    langs = [lang for lang in (question_lang, FALLBACK, *_tables()) if lang in _tables()]
    for clause in _clauses(question):
        folded = _folded(clause.text)
        for lang in dict.fromkeys(langs):
            code = _ordered(folded, _Words.of(lang), clause.bracketed)
            if code:
                return clause.rest, code
    return question, ""


def names_language(text: str, code: str, lang: str) -> bool:
    """Whether a text in a language has the name of the language of that code."""
    folded = _folded(text)
    return any(
        code in (found for found, _ in _Words.of(each).named(folded))
        for each in dict.fromkeys((lang, FALLBACK))
        if each in _tables()
    ) or _has_own_name(folded, code)


# --- where an order can stand


def _clauses(question: str) -> Iterator[_Clause]:
    """Brackets at either end; then clauses at the beginning and at the end, longest first."""
    for found in (_clause(question, *span) for span in _spans(question)):
        if found and any(map(str.isalnum, found.rest)):
            yield found


def _spans(question: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _BRACKETS.finditer(question))
    marks = [match.end() for match in _MARK.finditer(question)]
    yield from ((0, end) for end in reversed(marks) if end <= LONGEST_ORDER)
    starts = (end for end in marks if len(question) - end <= LONGEST_ORDER)
    yield from ((start, len(question)) for start in starts)


def _clause(question: str, start: int, end: int) -> _Clause | None:
    """The clause, if what stands beside it is on one side only, end marks apart."""
    before, text, after = question[:start], question[start:end], question[end:]
    in_bracket = bool(_BRACKETS.fullmatch(text.strip()))
    if not any(map(str.isalnum, after)):
        # "Who built it (in French)?" asks of French; "Who built it? (in French)" orders it.
        alone = in_bracket and not any(mark in after for mark in "?？؟")
        ending = after.strip() if in_bracket else ""
        return _Clause(text, before.strip().rstrip(_EDGES) + ending, alone)
    if not any(map(str.isalnum, before)):
        return _Clause(text, after.lstrip(_LEADING), in_bracket)
    return None


# --- whether a clause is one


def _ordered(folded: str, words: "_Words", bracketed: bool) -> str:
    """The language that a clause orders; "" where it says anything else."""
    if not bracketed and not words.order.search(folded):
        return ""
    for code, (start, end) in words.named(folded):
        beside = f"{folded[:start]} | {folded[end:]}"
        left, orders = words.order.subn(" ", beside)
        if (orders or bracketed) and not _has_words(words.around.sub(" ", left)):
            return code
    return _ordered_by_own_name(folded, words)


def _ordered_by_own_name(folded: str, words: "_Words") -> str:
    """The same for a language that is called as it calls itself: "Answer in Deutsch"."""
    left, orders = words.order.subn(" ", folded)
    name = " ".join(words.around.sub(" ", left).translate(_NO_MARKS).split())
    return _own_names().get(name, "") if orders else ""


def _has_own_name(folded: str, code: str) -> bool:
    name = next((each for each, found in _own_names().items() if found == code), "")
    return bool(name) and name in folded


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


@dataclass(frozen=True)
class _Words:
    """Names of languages and words of ordering in one language, as patterns of folded text."""

    lang: str
    order: re.Pattern[str]
    around: re.Pattern[str]

    @classmethod
    @cache
    def of(cls, lang: str) -> "_Words":
        table = _tables()[lang]
        spaced = bool(table.get("spaced", True))
        return cls(lang, _any_of(table["order"], spaced), _any_of(table["around"], spaced))

    @cached_property
    def names(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Patterns with the ISO code of their language, longest stem first."""
        return _names(self.lang, _tables()[self.lang])

    def named(self, folded: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """The languages that a text names, and where."""
        for code, pattern in self.names:
            match = pattern.search(folded)
            if match:
                yield code, match.span()


def _any_of(words: Iterable[str], spaced: bool) -> re.Pattern[str]:
    longest = sorted((_folded(word) for word in words), key=len, reverse=True)
    either = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in longest)
    return _bounded(f"(?:{either})", spaced)


def _names(lang: str, table: dict[str, Any]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    from babel import Locale

    spaced = bool(table.get("spaced", True))
    named = {code: name for code, name in Locale(lang).languages.items() if len(code) == 2}
    pairs = [*named.items(), *table.get("also", {}).items()]
    stems = {(_stem(_folded(name), table.get("cut", ())), code) for code, name in pairs}
    before = "|".join(map(_folded, table.get("before", ())))
    after = "|".join(map(_folded, table["after"])) if "after" in table else r"\w{0,5}"
    return tuple(
        (code, _bounded(f"(?:{before})?{re.escape(stem)}(?:{after})", spaced))
        for stem, code in sorted(stems, key=lambda pair: (-len(pair[0]), pair[1]))
    )


def _stem(name: str, cuts: Iterable[str]) -> str:
    for cut in map(_folded, cuts):
        bare = name.removeprefix(cut[1:]) if cut.startswith("-") else name.removesuffix(cut)
        if bare and bare != name:
            return bare
    return name


def _bounded(pattern: str, spaced: bool) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){pattern}(?!\w)" if spaced else pattern)


@cache
def _own_names() -> dict[str, str]:
    """Codes by what each language calls itself."""
    from babel import Locale, localedata

    codes = (code for code in localedata.locale_identifiers() if len(code) == 2)
    return {_folded(Locale(code).languages.get(code, "")): code for code in codes}


def _tables() -> dict[str, dict[str, Any]]:
    return table("answer_language")


_NO_MARKS = {ord(mark): " " for mark in ":：,，、،;；؛.。!！?？؟—–-()（）[]\"'«»“”"}


def _folded(text: str) -> str:
    """Letters without case and accents; a hyphen parts words, an apostrophe does not."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    kept = (char for char in plain if not unicodedata.combining(char) and char not in "'’ʼ")
    return "".join(" " if char in "-‐\u200c" else char for char in kept)
