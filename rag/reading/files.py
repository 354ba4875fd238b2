"""The bytes and the text of one file.

Files come from anywhere: each has its limit, and no error of a parser gets out as itself.
"""

import codecs
import logging
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rag.errors import ReadError

MAX_TEXT_BYTES = 50_000_000
"""One article of 50 MB would be ten thousand pages: a dump or a log, not an article."""

MAX_BINARY_BYTES = 200_000_000
"""PDF and DOCX carry pictures; unpacked, a DOCX of this size is a zip bomb."""

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def open_file(path: Path) -> BinaryIO:
    """The open file; a pipe or a device is refused, as reading one may never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ReadError("is not a regular file")
        return path.open("rb")
    except OSError as error:
        raise ReadError(f"cannot be opened: {error.strerror}") from error


def file_bytes(path: Path, limit: int) -> bytes:
    """All of a file; raises ReadError for one that is larger or cannot be read."""
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise ReadError(f"is larger than {limit // 1_000_000} MB; split it")
        try:
            return file.read(limit)
        except OSError as error:
            raise ReadError(f"cannot be read: {error.strerror}") from error


def decoded(data: bytes) -> str:
    """The text as it stands, newlines included, without a byte order mark.

    The mark is dropped as it is no part of the text, so offsets begin after it.
    """
    encoding = "utf-16" if data.startswith(UTF16_MARKS) else "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"is not {encoding.upper()} text: the byte at position {error.start} does not belong;"
            " save it as UTF-8"
        ) from error


def storable(text: str) -> str:
    """Extracted text with signs that are no Unicode text replaced; PDF fonts may map to them."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def why_not_storable(text: str) -> str:
    """Why the text cannot be stored, "" when it can."""
    if "\0" in text:
        return "holds NUL characters, so it is not text"
    if _HALF_PAIR.search(text):
        return "holds half a surrogate pair, so it is not Unicode text"
    return ""


def printable(name: str) -> str:
    """The name with bytes that are no UTF-8, and control characters, spelled out."""
    spelled = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)


def one_line(error: BaseException) -> str:
    """What an error says, as one line of at most 200 letters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def parser_errors(what: str, *loggers: str) -> Iterator[None]:
    """Turns every error of a parser into a ReadError, and keeps its chatter off the terminal.

    A parser that cannot be imported is a broken installation, not a broken file.
    """
    for logger in loggers:
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ReadError, ImportError):
        raise
    except Exception as error:
        raise ReadError(f"is not {what} that can be read: {one_line(error)}") from error
