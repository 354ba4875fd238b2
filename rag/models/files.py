"""A model's file on disk: whether it is the right one, room for it, and a bar while it comes."""

import errno
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import ModelError

Progress = Callable[[int], None]
"""Is told how many bytes have been done so far."""

_ROOM = "free space there, or point XDG_CACHE_HOME at another disk or folder"


# --- trust


def is_right(path: Path, size: int, sha256: str) -> bool:
    """Whether the file has these bytes; reads all of them."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def is_stamped(path: Path, stamp: Path, sha256: str = "") -> bool:
    """Whether the file is unchanged since it was found right, with that checksum if any."""
    try:
        told = json.loads(stamp.read_text("utf-8"))
        return bool(told == _stamp_of(path, sha256 or told["sha256"]))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def write_stamp(path: Path, stamp: Path, sha256: str) -> None:
    """Note that the file is right, so that it need not be read again."""
    stamp.write_text(json.dumps(_stamp_of(path, sha256)), "utf-8")


def _stamp_of(path: Path, sha256: str) -> dict[str, int | str]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}


# --- room


def refuse_full_disk(folder: Path, missing: int, what: str) -> None:
    """Raise ModelError before gigabytes are written in vain."""
    free = shutil.disk_usage(folder).free
    if free < missing:
        raise ModelError(
            f"{what} needs {missing:,} bytes more in {folder}, and {free:,} are free; {_ROOM}"
        )


@contextmanager
def clear_disk_errors(path: Path, what: str) -> Iterator[None]:
    """Make what the disk raises a ModelError of one line."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or error
        raise ModelError(f"cannot write {path} ({what}): {reason}; {_ROOM}") from error


# --- what people see


@contextmanager
def progress_bar(title: str, size: int) -> Iterator[Progress]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=size)
        yield lambda done: bars.update(task, completed=done)
