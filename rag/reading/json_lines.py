"""JSON Lines -> Documents: one a line, `{"id", "text", "title", "lang", "date", "publisher"}`."""

import gzip
import json
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from rag.errors import ReadError
from rag.reading.files import (
    MAX_TEXT_BYTES,
    UTF16_MARKS,
    decoded,
    one_line,
    open_file,
    printable,
)
from rag.reading.metadata import Metadata, checked
from rag.records import Document, SkippedFile

MAX_LINES_BYTES = 2_000_000_000
"""Read line by line, so only the time bounds it; unpacked size for .gz."""


def read_json_lines(
    path: Path, source: str, metadata: Metadata
) -> Iterator[Document | SkippedFile]:
    """A Document a line, a SkippedFile for each line that is none; empty lines are passed over.

    `metadata` yields to what a line says.
    """
    seen: set[str] = set()
    for number, line in _numbered_lines(path):
        try:
            document, problems = _from_line(line, source, metadata)
            if document.source in seen:
                raise ReadError(f"the id of {document.source} stands in an earlier line")
        except ReadError as error:
            yield SkippedFile(source, f"line {number}: {error}")
            continue
        seen.add(document.source)
        for problem in problems:
            yield SkippedFile(source, f"line {number}: {problem}; read without it")
        yield document


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line with something in it."""
    packed = path.name.lower().endswith(".gz")
    total, empty = 0, True
    with open_file(path) as raw:
        file: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        for number in count(1):
            try:
                line = file.readline(MAX_TEXT_BYTES + 1)
            except (OSError, EOFError, ValueError, zlib.error) as error:
                why = f"cannot be read on from line {number}: {one_line(error)}"
                raise ReadError(why) from error
            total += len(line)
            if len(line) > MAX_TEXT_BYTES or total > MAX_LINES_BYTES:
                raise ReadError(f"is too large at line {number}; split it")
            if not line:
                break
            if number == 1 and (line.startswith(UTF16_MARKS) or b"\0" in line):
                raise ReadError("is not UTF-8 text; save it as UTF-8")
            if line.strip():
                empty = False
                yield number, line
    if empty:
        raise ReadError("holds no text")


def _from_line(line: bytes, source: str, metadata: Metadata) -> tuple[Document, list[str]]:
    """The article, and what is wrong with its metadata."""
    try:
        values = json.loads(decoded(line))
    except (ValueError, RecursionError) as error:
        raise ReadError(f"is not JSON: {one_line(error)}") from error
    if not isinstance(values, dict) or not isinstance(values.get("text"), str):
        raise ReadError('is not an object with a "text"')
    key = values.get("id")
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key).strip():
        raise ReadError('has no "id"')
    if str(key) != printable(str(key)):
        raise ReadError('has an "id" with control characters')
    own, problems = checked(values)
    return own.over(metadata).document(f"{source}#{key}", values["text"]), problems
