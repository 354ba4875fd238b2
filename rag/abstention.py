"""That the articles do not say, what the nearest ones are about, and what they do not name."""

import re
import unicodedata
from collections.abc import Sequence

from rag.particulars import Particular, unnamed
from rag.prompts import Source, abstention, missing_frame, nearest_frame, territory_name
from rag.records import Hit, Query

MOST_ARTICLES = 2
MOST_UNNAMED = 5
LONGEST_TITLE = 80
"""Code points of a title that are shown."""
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian and Indic words are written."""
_MARK_OF_ANSWER = re.compile(r"\[[\d\s,;]*\]")


def explain(query: Query, hits: Sequence[Hit]) -> str:
    """An abstention in at most three sentences, in the asker's language.

    The plain one; the titles of up to two articles that the best hits are of, with language and
    date; and what the question names and none of the hits does. Without hits only the first.
    """
    lang = query.answer_lang
    sentences = [abstention(lang)]
    sources = _sources(hits)
    if sources:
        sentences.append(nearest_frame(sources, lang))
        # As `rag.rerank` looks for them.
        texts = [(f"{hit.in_context}\n{hit.date}", hit.lang) for hit in hits]
        missing = unnamed(query.text, query.question_lang, texts)[:MOST_UNNAMED]
        if missing:
            names = dict.fromkeys(_name(each, lang) for each in missing)
            sentences.append(missing_frame(list(names), lang))
    # Chinese and Japanese set no space after a stop.
    return ("" if sentences[0].endswith("。") else " ").join(sentences)


def shown_title(title: str, most: int = LONGEST_TITLE) -> str:
    r"""A title of somebody's article as plain words on one line, cut after a whole word.

    Signs that are not shown go, those of direction among them, and so do figures in brackets,
    which would look like an answer's marks.

    >>> shown_title("Trade\u202e  grew [1]\r\nagain")
    'Trade grew again'
    """
    kept = "".join(
        char
        for char in unicodedata.normalize("NFC", _MARK_OF_ANSWER.sub(" ", title))
        if char in _JOINERS or char.isspace() or unicodedata.category(char)[0] != "C"
    )
    text = " ".join(kept.split())
    if len(text) <= most:
        return text
    end = most - 1
    while end and unicodedata.category(text[end])[0] == "M":
        end -= 1
    space = text.rfind(" ", most // 2, end + 1)
    return text[: space if space > 0 else end].rstrip(" ,;:-–—") + "…"


def _sources(hits: Sequence[Hit]) -> list[Source]:
    """The articles of the best hits; one that was stored twice under a title counts once."""
    found: dict[str, Source] = {}
    for hit in hits:
        title = shown_title(hit.title) or shown_title(hit.source)
        if title and all(hit.source != each.name for each in found.values()):
            found.setdefault(title, Source(title, hit.lang, hit.date, hit.source))
    return list(found.values())[:MOST_ARTICLES]


def _name(particular: Particular, lang: str) -> str:
    """A country as the asker's language has it in a list, a figure as it was written."""
    name = territory_name(particular.country, lang) if particular.country else ""
    return name or " ".join(particular.text.split())
