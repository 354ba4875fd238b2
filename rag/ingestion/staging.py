"""Files of strangers -> copies under names that can be kept, or why not.

Nothing is read as an article here. What a file is called is the stranger's word, so only what
is left of it after `visible` is used, and never as a path.
"""

import filecmp
import gzip
import os
import re
import shutil
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.reading.corpus import SUFFIXES, UNREADABLE
from rag.reading.metadata import METADATA_FILE
from rag.records import Record

MOST_BYTES = 20_000_000
"""Of one file, and of a packed one unpacked: that many bytes of text take hours to embed."""

MOST_NAME_BYTES = 200
"""File systems take 255."""

_SHOWN = 80
"""Letters of a name that an error repeats."""

_LINE_OF_FILE = re.compile(r"(?<=\.jsonl)#|(?<=\.jsonl\.gz)#", re.IGNORECASE)
_PACKED = b"\x1f\x8b"

Why = Literal["name", "metadata", "type", "large", "taken", "here", "unread"]
"""The name cannot be used; the file would describe other articles; no such type is read; it is
too large; another article has its name; its bytes are here already; its reader refuses it."""


@dataclass(frozen=True, slots=True)
class Refused(Record):
    """A file that was not added, or not whole, and why."""

    name: str
    why: Why
    reason: str
    """One line with the next step."""


class _RefusalError(Exception):
    def __init__(self, why: Why, reason: str) -> None:
        super().__init__(reason)
        self.why = why


def file_of(source: str) -> str:
    """The file that an article comes from; JSON Lines hold many.

    >>> file_of("notes.txt"), file_of("news.jsonl#7"), file_of("C# notes.txt")
    ('notes.txt', 'news.jsonl', 'C# notes.txt')
    """
    return _LINE_OF_FILE.split(source, maxsplit=1)[0]


def visible(name: str) -> str:
    r"""The last part of a name in NFC, without what cannot be seen or turns what can.

    >>> visible("../a\u202etxt.html"), visible("C:\\x\\my\u00a0notes.txt"), visible("a\0.txt")
    ('atxt.html', 'my notes.txt', 'a.txt')
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = (c if c.isprintable() else " " if c.isspace() else "" for c in last)
    return unicodedata.normalize("NFC", " ".join("".join(shown).split()))


def stage(
    files: Iterable[tuple[str, Path]], aside: Path, present: Mapping[str, Path]
) -> tuple[dict[str, Path], tuple[Refused, ...]]:
    """Copies in the folder `aside` of what may be added, by their names, and the others.

    `files` are names with the paths of their bytes; `present` has the file of each article
    that there is, by its name. Raises OSError where a file cannot be copied.
    """
    staged: dict[str, Path] = {}
    refused = []
    for number, (given, path) in enumerate(files):
        try:
            name = _checked_name(given)
            copy = _copied(path, aside / str(number))
            _check_new(name, copy, {**present, **staged})
        except _RefusalError as error:
            refused.append(Refused(visible(given)[:_SHOWN], error.why, str(error)))
        else:
            staged[name] = copy
    return staged, tuple(refused)


def _checked_name(given: str) -> str:
    name = visible(given)
    size = len(name.encode())
    if name.casefold() == METADATA_FILE:
        raise _RefusalError("metadata", "says what other articles are; leave it out")
    if not name or name.startswith(".") or _LINE_OF_FILE.search(name):
        raise _RefusalError("name", "its name cannot be used; rename it, such as to notes.txt")
    if size > MOST_NAME_BYTES:
        reason = f"its name has {size} bytes, {MOST_NAME_BYTES} are the most; shorten it"
        raise _RefusalError("name", reason)
    if not name.lower().endswith(SUFFIXES):
        raise _RefusalError("type", UNREADABLE)
    return name


def _copied(path: Path, copy: Path) -> Path:
    """A copy that the disk holds, so that a power cut leaves no article without its file."""
    if path.stat().st_size > MOST_BYTES or _unpacks_to_more(path):
        raise _RefusalError("large", f"is larger than {MOST_BYTES // 1_000_000} MB; split it")
    shutil.copyfile(path, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    return copy


def _unpacks_to_more(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(len(_PACKED)) != _PACKED:
            return False
    # What is broken is the reader's to name.
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as unpacked:
        total = 0
        while part := unpacked.read(1_000_000):
            total += len(part)
            if total > MOST_BYTES:
                return True
    return False


def _check_new(name: str, copy: Path, present: Mapping[str, Path]) -> None:
    for other, path in present.items():
        if _same_bytes(copy, path):
            shown = "" if other == name else f" as {other}"
            raise _RefusalError("here", f"is here already{shown}; it need not be added")
    # Names that differ only in case, or in how an accent is spelled, are one on some machines.
    if any(_key(other) == _key(name) for other in present):
        raise _RefusalError("taken", "another article has this name; rename the file")


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)
    except OSError:  # an article's own file may be gone
        return False
