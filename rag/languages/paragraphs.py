"""Text -> paragraphs: blank lines end them, and line ends that are not the wrap of a line."""

import re
from dataclasses import dataclass
from itertools import pairwise

from rag.languages.stops import CLOSERS, FREE_STOPS, SPACED_STOPS, WIDE
from rag.records import Record

Span = tuple[int, int]

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPH_END = re.compile(r"[\f\u2029]")
_BULLET = re.compile(r"[-–—•*·◦▪‣][ \t\xa0]|\(?(?:\d{1,3}|[^\W\d_])[.)][ \t\xa0]")
_STOPPED = re.compile(rf"[{SPACED_STOPS}{FREE_STOPS}:;؛]{CLOSERS}*$")

_WRAP_COLUMNS = (40, 120)
"""Hard-wrapped text is at least and at most this wide; a wide sign is two columns."""

_ROOM = 0.85
"""A line shorter than this part of the width, next word included, ended on purpose.
Below 1 as PDF lines are even in millimetres, not in letters."""


@dataclass(frozen=True, slots=True)
class _Line(Record):
    """A line that is not blank, without the white space around it."""

    start: int
    end: int
    columns: int
    next_word: int
    """Columns of its first word: what the line before had no room for."""
    apart: bool
    """Whether a blank line or a paragraph separator stands before it."""


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    last = 0
    for match in _LINE.finditer(text):
        line = trim(text, match.start(), match.end())
        if line is None:
            continue
        start, end = line
        gap = text[last:start]
        apart = len(_LINE_END.findall(gap)) > 1 or bool(_PARAGRAPH_END.search(gap))
        words = text[start:end].split(None, 1)
        first = 2 if WIDE.match(words[0]) else len(words[0])
        columns = end - start + len(WIDE.findall(text, start, end))
        found.append(_Line(start, end, columns, first, apart or not found))
        last = end
    return found


def trim(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def paragraphs(text: str) -> list[Span]:
    """Trimmed spans that hold all of the text but white space.

    A blank line ends a paragraph. So does each line end, unless the text is
    hard-wrapped and the line had no room for the next word.
    """
    lines = _lines(text)
    width = _wrap_width(text, lines)
    spans: list[Span] = []
    for before, line in zip([None, *lines], lines, strict=False):
        if before is not None and not line.apart and _flows(text, before, line, width):
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
    return spans


def _full(before: _Line, line: _Line, width: float) -> bool:
    return before.columns + 1 + line.next_word > _ROOM * width


def _flows(text: str, before: _Line, line: _Line, width: float) -> bool:
    """Whether a sentence may run from one line into the next; a list item begins anew."""
    if not width or not _full(before, line, width):
        return False
    return not (_BULLET.match(text, line.start) and _may_precede_item(text, before))


def _may_precede_item(text: str, line: _Line) -> bool:
    shown = text[line.start : line.end]
    return bool(_STOPPED.search(shown[-8:]) or _BULLET.match(shown))


def _wrap_width(text: str, lines: list[_Line]) -> int:
    """The width the text is hard-wrapped to, 0 when each line is a paragraph.

    Wrapped text has nearly all lines full, few that end in a stop, and many
    that begin in small letters.
    """
    columns = sorted(line.columns for line in lines)
    pairs = [(a, b) for a, b in pairwise(lines) if not b.apart and not _BULLET.match(text, b.start)]
    if not pairs:
        return 0
    width = columns[-1 - len(columns) // 20]  # a long address does not set the width
    full = sum(_full(a, b, width) for a, b in pairs)
    stopped = sum(bool(_STOPPED.search(text, max(a.start, a.end - 8), a.end)) for a, _ in pairs)
    first = [text[b.start] for _, b in pairs if text[b.start].lower() != text[b.start].upper()]
    capitals = sum(map(str.isupper, first))
    least, most = _WRAP_COLUMNS
    wrapped = (
        least <= width <= most
        and full >= 0.75 * len(pairs)
        and stopped <= 0.5 * len(pairs)
        and capitals <= 0.7 * len(first)
        and (len(pairs) > 1 or bool(first))
    )
    return width if wrapped else 0
