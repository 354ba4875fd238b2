"""Signs that end sentences, and what each language does its own way about them."""

import re
from functools import lru_cache

from rag.languages.tables import read_table

_ORDINAL_DOT = "tr tk pl de cs sk hu fi da no nb nn is et lv sl hr sr bs eu"
"""Languages that write "3rd" as "3."; an unknown language is taken for one of them."""

_NAMES_FOLLOW = "en de"
"""Languages where a capital after "Inc." or "usw." tells little: only a starter does."""

_STOP_OF = {"el": ";", "hy": ":"}
"""Signs that end a sentence in one language only."""

SPACED_STOPS = ".!?…‽‼⁇⁈⁉"
"""End a sentence only before white space: 3.14, example.org, Yahoo!'s."""

FREE_STOPS = "。！？｡．؟۔।॥։።፧፨။។៕\u037e"
"""End a sentence whatever follows; these scripts may write no space."""

_MARKS = "\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"
"""Signs without width, most of them for right-to-left text."""

QUOTES = "\"'”’“‘»›«‹」』״"
CLOSERS = rf"(?:[\"'”’›」』״)\]}}）】》〉〗〕］｝*_~{_MARKS}]|[“‘»«‹](?!\w))"
"""A sign that closes after a stop; the last ones open where a word follows."""
DASHES = "-‐‑–—―"

WIDE = re.compile(
    r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]"
)
"""A sign that is two columns wide, of a script without spaces or Hangul."""


class StopRules:
    """The tables of one language (`sentences.toml`), ready to look up."""

    def __init__(self, lang: str) -> None:
        tables = read_table("sentences")
        everywhere, own = tables["everywhere"], tables.get(lang or "en", {})

        def words(name: str) -> frozenset[str]:
            return frozenset(f"{everywhere.get(name, '')} {own.get(name, '')}".split())

        self.joins, self.ends = words("joins"), words("ends")
        self.dated, self.counts = words("dated"), words("counts")
        self.starters, self.saying = words("starters"), words("saying")
        self.names_follow = not lang or lang in _NAMES_FOLLOW.split()
        self.ordinal_dot = not lang or lang in _ORDINAL_DOT.split()
        self.stop = _stop_pattern(_STOP_OF.get(lang, ""))


@lru_cache(maxsize=64)
def stop_rules(lang: str) -> StopRules:
    """The rules of an ISO 639-1 code, with or without a region after it."""
    return StopRules(lang.partition("-")[0].lower())


def _stop_pattern(extra: str) -> re.Pattern[str]:
    """One or more stops with the quotes, brackets and note marks that close after them."""
    stops = f"(?:[{SPACED_STOPS}{FREE_STOPS}{extra}]+|፡፡)"
    return re.compile(
        rf"{stops}(?:{CLOSERS}+{stops})*(?P<closers>{CLOSERS}*(?:[ \xa0\u202f]»(?!\w))?)"
        r"(?:\[[^\]\n]{1,30}\])*"
    )
