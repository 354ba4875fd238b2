"""A conversation in the form that a program keeps it, made the turns that a question leans on.

Whatever its size, the time that it takes is that of a few short texts: only the last entries
are looked at, and each text is sliced before anything else is done with it.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeGuard

from rag.errors import InputError
from rag.records import Answer

Turns = tuple[tuple[str, str], ...]
Role = Literal["user", "assistant", ""]
"""Who says it; "" for what is no part of the conversation, such as a system message."""

MAX_QUESTION = 2_000
"""Code points; the embedder reads 512 tokens, and a question is not a document."""
KEPT_TURNS = 4
_ENTRIES = 64
"""How many entries are looked at: four turns have few system and tool messages among them."""
_PARTS = 32
"""How many parts of one message are looked at."""
_SLICE = 2 * MAX_QUESTION
"""Code points of one text that are looked at, so that room is left for what is removed."""

_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them are a flag."""
_VIRAMA = 9
"""Combining class of the signs that join two consonants of Indic scripts."""

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "HumanMessageChunk": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "model": "assistant",
    "system": "",
    "developer": "",
    "tool": "",
    "function": "",
}
_USER_PAIRS = ("user", "human")
_FORM = 'give (question, answer) pairs, {"role", "content"} dicts or LangChain messages'


@dataclass(frozen=True, slots=True)
class _Said:
    """What one of the two said; `text` is cut and clean."""

    role: Role
    text: str


def read_history(history: object) -> Turns:
    """The last `KEPT_TURNS` turns, (question, answer), oldest first; raises InputError.

    `history` is a list of (question, answer) pairs, of dicts with `role` and `content` as OpenAI
    and Gradio write them, of ("human", text) pairs or messages of LangChain, or of all of them.
    Content is a text or a list of parts with `text`. System and tool messages are passed over; a
    question without an answer has "". A pair that begins with "ai", "system" or the like is a
    question in that word, unless a ("user", text) pair, a dict or a message stands beside it.

    Each text is cut to `MAX_QUESTION` code points, at a word where there is one, and loses
    control characters and halves of surrogate pairs.

    >>> read_history([("Who came?", "Ada did. [1]"), {"role": "user", "content": "And when?"}])
    (('Who came?', 'Ada did. [1]'), ('And when?', ''))
    """
    if history is None:
        return ()
    if not isinstance(history, Sequence) or isinstance(history, str | bytes | bytearray):
        raise InputError(f"history is {_shown(history)}, not a list; {_FORM}")
    entries = list(islice(reversed(history), _ENTRIES))[::-1]
    by_role = any(not _is_pair(each) or each[0] in _USER_PAIRS for each in entries)
    return _turns(said for each in entries for said in _said(each, by_role))


def cut(text: str) -> str:
    """The text without control characters, at most `MAX_QUESTION` code points of it.

    It ends at a word where there is one in its second half, and never within a character
    that is written with several code points.

    >>> len(cut("word " * 1_000_000)), cut(f"a{chr(0)}b{chr(0xD800)}c")
    (1999, 'abc')
    """
    clean = "".join(char for char in text[:_SLICE] if not _is_noise(char)).strip()
    if len(clean) <= MAX_QUESTION and len(text) <= _SLICE:
        return clean
    end = min(len(clean), MAX_QUESTION)
    words = max(clean.rfind(space, MAX_QUESTION // 2, end + 1) for space in " \n\t\u3000")
    return clean[: words if words > 0 else _boundary(clean, end)].rstrip()


# --- entries


def _said(entry: object, by_role: bool) -> Iterator[_Said]:
    """What an entry says, in order: both of a pair, or one message."""
    if not _is_pair(entry):
        yield _message(entry)
        return
    first, second = entry
    if by_role and isinstance(first, str) and first in _ROLES:
        yield _Said(_ROLES[first], _text(second) if _ROLES[first] else "")
        return
    if first is not None:  # as Gradio writes what it says unasked
        yield _Said("user", _text(first))
    yield _Said("assistant", _text(second))


def _message(entry: object) -> _Said:
    """A dict or an object with a role and content; raises InputError for anything else."""
    if isinstance(entry, Mapping):
        role, content = entry.get("role", entry.get("type")), entry.get("content")
        known = "content" in entry
    else:
        role = getattr(entry, "role", None) or getattr(entry, "type", None)
        content, known = getattr(entry, "content", None), hasattr(entry, "content")
    if not known or role is None:
        raise InputError(f"history holds {_shown(entry)}; {_FORM}")
    if not isinstance(role, str) or role not in _ROLES:
        raise InputError(f"history holds a message of the role {_shown(role)}; {_FORM}")
    return _Said(_ROLES[role], _text(content) if _ROLES[role] else "")


def _text(content: object) -> str:
    """The text of a message, cut; "" of one without; raises InputError for another kind."""
    if content is None:
        return ""
    if isinstance(content, Answer):
        content = content.text
    if isinstance(content, str):
        return cut(content)
    if isinstance(content, Mapping) and "role" not in content:
        return cut(_part(content))
    if isinstance(content, Sequence) and not isinstance(content, bytes | bytearray):
        return cut("\n".join(filter(None, map(_part, islice(content, _PARTS)))))
    raise InputError(f"history holds {_shown(content)} where a text belongs; {_FORM}")


def _part(part: object) -> str:
    """The text of one part of a message; "" for an image, a file or a call of a tool."""
    text = part.get("text") if isinstance(part, Mapping) else part
    return text[:_SLICE] if isinstance(text, str) else ""


def _is_pair(entry: object) -> TypeGuard[Sequence[object]]:
    return isinstance(entry, tuple | list) and len(entry) == 2


def _turns(said: Iterable[_Said]) -> Turns:
    """Each question with all that was said before the next one; what came before any is dropped."""
    turns: list[tuple[str, str]] = []
    for each in said:
        if each.role == "user":
            turns.append((each.text, ""))
        elif each.role and each.text and turns:
            question, answer = turns[-1]
            turns[-1] = question, cut(f"{answer}\n{each.text}" if answer else each.text)
    return tuple(turns[-KEPT_TURNS:])


# --- texts


def _is_noise(char: str) -> bool:
    return char not in "\n\r\t" and unicodedata.category(char) in ("Cc", "Cs")


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` at which no character is torn; what follows a text is unknown."""
    while end and (end == len(text) or _goes_on(text[end - 1], text[end])):
        end -= 1
    flags = len(text[:end]) - len(text[:end].rstrip(_FLAG_LETTERS))
    return end - flags % 2 if text[end : end + 1] in _FLAG_LETTERS else end


def _goes_on(before: str, char: str) -> bool:
    """Whether a character is written on: accents, emoji and consonants joined, Korean vowels."""
    return (
        unicodedata.category(char)[0] == "M"
        or before == "\u200d"
        or char in "\u200c\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or (unicodedata.combining(before) == _VIRAMA and char.isalpha())
        or ("\u1100" <= before <= "\u11ff" and "\u1160" <= char <= "\u11ff")
    )


def _shown(value: object) -> str:
    """What was given, in a few words, however large it is."""
    if isinstance(value, str):
        return f"the text {value[:40]!r}" if len(value) <= 40 else f"the text {value[:40]!r}…"
    return f"a {type(value).__name__}"
