"""Names that a text writes with a capital letter, told from the words of titles."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rag.languages.common_words import is_common
from rag.languages.dates import Dates
from rag.languages.folding import WORD, fold, normalised
from rag.languages.tables import read_table
from rag.records import Record

CAPITALISED_NAMES = frozenset(("en", "tr", "pl", "ru", "uk", "kk", "fr", "es", "it", "pt"))
"""Languages that write names, and little else, with a capital letter; German, whose nouns all
have one, is not among them. Each has its words in `titles.toml`."""
_ENGLISH_ENDINGS = (
    "tions?|ments?|it(?:y|ies)|ness|ships?|(?<![jpx])ings?|ists?|isms?|[iot]nal|ical|eral|ural|ental"
    "|ern|ese|ish|[iec]ans?|[ai]ble|ences?|ances|ology|ics|ers|tors|ors|ous|ives?|dom|hood|ful|less"
    "|ites?|ates|est|ies"
)
_SHORTEST = 4
"""Letters; a shorter word is too often an abbreviation."""
_SHORTEST_MIXED = 6
"""Letters of a name that has a capital within."""
_BEFORE, _AHEAD = 5, 4
"""Words around a name by which a headline is told, where all words have a capital letter."""
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…\"“”„«»()\[\]—–\n\r•]|\s['‘])\s*\Z")


@dataclass(frozen=True, slots=True)
class Name(Record):
    """A capitalised word at start to end of a text as it stands."""

    text: str
    start: int
    end: int


def names(text: str, lang: str, dates: Dates) -> list[Name]:
    """The words of a text that can hardly be anything but names, and are no part of its dates.

    >>> text = "The Foreign Minister met Ana Tolvar in Paris."
    >>> [name.text for name in names(text, "en", Dates())]
    ['Tolvar', 'Paris']
    """
    if lang not in CAPITALISED_NAMES:
        return []
    folded = fold(text)
    dated = {each.start for each in dates.named}
    words = list(WORD.finditer(folded.text))
    found = []
    for i, match in enumerate(words):
        word = match[0].partition("'")[0]
        if (
            _looks_like_name(word)
            and match.start() not in dated
            and not _SENTENCE_START.search(folded.text[: match.start()])
            and not _in_headline(words, i)
            and not is_title(word, lang)
        ):
            start, end = folded.span(match.start(), match.start() + len(word))
            found.append(Name(text[start:end], start, end))
    return found


def _looks_like_name(word: str) -> bool:
    """Whether a word has small letters after its capital, and is no abbreviation as "ATMs"."""
    if len(word) < _SHORTEST or not word[0].isupper():
        return False
    mixed = len(word) >= _SHORTEST_MIXED and word[1].islower()
    return word[1:].islower() or (mixed and not word.isupper())


def _in_headline(words: Sequence[re.Match[str]], i: int) -> bool:
    """Whether all of the longer words around, of which there are some, have a capital letter."""
    around = [word[0] for word in (*words[max(0, i - _BEFORE) : i], *words[i + 1 : i + _AHEAD])]
    longer = [word for word in around if len(word) >= _SHORTEST]
    return len(longer) > 3 and all(word[0].isupper() for word in longer)


def is_title(word: str, lang: str) -> bool:
    """Whether a word with a capital letter may be one of a title or an institution's name.

    A translator translates such a word, so that it has no counterpart by its letters.

    >>> [is_title(word, "en") for word in ("Ministry", "Federation", "Tolvar")]
    [True, True, False]
    """
    plain = normalised(word)
    return is_common(word, lang) or any(_titles(each).match(plain) for each in {lang, "en"})


@cache
def _titles(lang: str) -> re.Pattern[str]:
    begins = "|".join(read_table("titles")[lang].split())
    ends = rf"|\w*(?:{_ENGLISH_ENDINGS})\Z" if lang == "en" else ""
    return re.compile(rf"(?:{begins}){ends}")
