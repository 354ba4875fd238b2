"""What a model thinks aloud before it replies, told apart from the reply."""

import re
from typing import Final

_PAIRS: Final = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""What begins and what ends a thought, as models of several makers write it."""

_CLOSING = re.compile("|".join(re.escape(closing) for _, closing in _PAIRS), re.IGNORECASE)
_JSON = ("{", "[{", "[ ", "[\n", "```")


def without_thoughts(text: str, ended: bool = True) -> str:
    """The reply without the thoughts that it begins with; "" while the model still thinks.

    >>> without_thoughts('<think>Is it {"claims": []}?</think> {"claims": [1]}')
    '{"claims": [1]}'
    >>> without_thoughts("So it is 7.</think>7"), without_thoughts("<thi", ended=False)
    ('7', '')
    """
    rest = text.lstrip()
    while closing := _closing_of(rest):
        end = re.search(re.escape(closing), rest, re.IGNORECASE)
        if end is None:
            return ""
        text = rest = rest[end.end() :].lstrip()
    if not ended and _may_open(rest):
        return ""
    return _after_lone_end(text)


def _closing_of(text: str) -> str:
    """What ends the thought that the text begins with; "" where it begins with none."""
    start = text[:40].lower()
    return next((end for begin, end in _PAIRS if start.startswith(begin.lower())), "")


def _may_open(text: str) -> bool:
    return any(opening.lower().startswith(text.lower()) for opening, _ in _PAIRS)


def _after_lone_end(text: str) -> str:
    """The text after the end of a thought whose beginning the server kept for itself.

    A reply in JSON may quote such a mark.
    """
    found = _CLOSING.search(text)
    if found is None or text.lstrip().startswith(_JSON):
        return text
    return text[found.end() :].lstrip()
