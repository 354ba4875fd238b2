"""Titles of articles as they may be shown."""

import re
import unicodedata

LONGEST_TITLE = 80
"""Code points of a title that are shown."""
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian and Indic words are written."""
_MARK_OF_ANSWER = re.compile(r"\[[\d\s,;]*\]")


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
