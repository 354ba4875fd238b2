"""Whether a full stop is part of a word: of a number, an initial or an abbreviation."""

import re
import unicodedata

from rag.languages.folding import is_mark
from rag.languages.stops import DASHES, WIDE, StopRules

_NEXT_WORD = re.compile(r"\s*(?P<mark>(?:[^\w\s]{1,8}\s*){0,3})(?P<word>[^\W_][^\s]{0,40})?")
_TOKEN = re.compile(r"[^\s()\[\]{}\"“”„«»…,;:!?؟،/]*$")
_SPACED_TOKEN = re.compile(r"(?<!\w)(?:[^\W\d_]{1,2}\.[ \xa0\u202f]?){1,3}[^\W\d_]{1,3}$")
_DOTTED = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])+")
_ONE_LETTER_WORDS = frozenset("aeiouyаеиоуэюяєıә")
"""Small vowels are words ("o", "я") more often than they abbreviate one."""

_ONE_LETTER = re.compile(r"[^\W\d_]\.")
_ROMAN = re.compile(r"[IVXLC]+")
_NUMBER_BEFORE = re.compile(r"(?:\d|\b[IVXLC]+)[\s\xa0-]*$")
_LIST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*")

_LOOK_BACK = 48
"""Characters before a stop that can hold an abbreviation and the number before it."""

_CLAUSE_WORDS = 4
"""Fewer words than this before "2023 г." are no sentence yet."""


class Stop:
    """A run of stops with what stands around it."""

    def __init__(self, text: str, start: int, end: int, match: re.Match[str]) -> None:
        self.text = text
        self.start = start
        """Where the sentence begins."""
        self.before = match.start()
        self.last = text[max(start, self.before - 1) : self.before]
        """The sign before the stop, "" at the sentence's begin."""
        self.closers = match["closers"]
        self.run = match[0]
        self.next = text[match.end()]
        head = _NEXT_WORD.match(text, match.end(), end)
        self.mark = head["mark"] if head else ""
        """Quotes, dashes and brackets before the next word."""
        self.word = (head["word"] or "") if head else ""


def dot_joins(stop: Stop, rules: StopRules) -> bool:
    """Whether the one full stop belongs to a number, an initial or an abbreviation."""
    window = stop.text[max(stop.start, stop.before - _LOOK_BACK) : stop.before]
    found = _TOKEN.search(window)
    token = found[0].lstrip(DASHES + "'‘’„«") if found else ""
    if not token:
        return False
    if token[-1].isdigit() or _ROMAN.fullmatch(token):
        return _number_joins(token, stop, rules)
    spaced = _SPACED_TOKEN.search(window)
    long_form = re.sub(r"\s", "", spaced[0]) if spaced else token
    for form in (long_form, token):
        joins = _abbreviation_joins(_key(form), window, stop, rules)
        if joins is not None:
            return joins
    return _is_initial(token, stop.word) and stop.word.lower() not in rules.starters


def _key(form: str) -> str:
    return unicodedata.normalize("NFC", form).lower().replace("i\u0307", "i")


def _number_joins(token: str, stop: Stop, rules: StopRules) -> bool:
    """Whether this is "1." before a list item or an ordinal like "3. Bölüm"."""
    lead = stop.text[stop.start : min(stop.before - len(token), stop.start + _LOOK_BACK)]
    at_start = not lead.strip("( \t" + DASHES)
    if at_start and (_LIST_NUMBER.fullmatch(token) or len(token) < 4):
        return True
    short = len(token) <= 3 and token.isdigit()
    ordinal = short or bool(_ROMAN.fullmatch(token))
    return rules.ordinal_dot and ordinal and stop.word.lower() not in rules.starters


def _abbreviation_joins(key: str, window: str, stop: Stop, rules: StopRules) -> bool | None:
    """Whether the tables say that the sentence goes on; None when they do not know the word."""
    if key in rules.dated:
        before = window[: len(window) - len(key)]
        return _may_end_joins(stop, rules) if _NUMBER_BEFORE.search(before) else True
    if key in rules.counts:
        return stop.word[:1].isdigit() or bool(_ROMAN.fullmatch(stop.word)) or None
    if key in rules.ends:
        return _may_end_joins(stop, rules)
    return True if key in rules.joins else None


def _may_end_joins(stop: Stop, rules: StopRules) -> bool:
    """Whether the sentence goes on after an abbreviation that can stand last in it."""
    if stop.word[:1].isdigit():
        return True
    if rules.names_follow or stop.word.lower() in rules.starters:
        return stop.word.lower() not in rules.starters
    words = stop.text[max(stop.start, stop.before - 200) : stop.before].split()
    return len(words) < _CLAUSE_WORDS


def _is_initial(token: str, next_word: str) -> bool:
    """Whether it is one letter or dotted letters: "J", "А.С", "ג"; not "o" or "я" as a word."""
    letters = "".join(c for c in unicodedata.normalize("NFD", token) if not is_mark(c))
    if _DOTTED.fullmatch(letters):
        return True
    if len(letters) != 1 or not letters.isalpha() or WIDE.match(letters):
        return False
    return letters not in _ONE_LETTER_WORDS or bool(_ONE_LETTER.match(next_word))
