"""One writer at a time: a lock that names who holds it and goes with its process."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import StoreError, StoreLockedError


@contextmanager
def writing(folder: Path, purpose: str) -> Iterator[None]:
    """Hold the right to write a store folder.

    The operating system drops the lock when its process ends, however it ends.
    Raises StoreLockedError at once when another process or thread holds it.
    """
    holder = folder / "lock.holder"
    lock = FileLock(folder / "lock", thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreLockedError(
            f"the store {folder} is being written by {_read(holder)}; "
            "wait until it ends, or end it, and run the command again"
        ) from None
    except OSError as error:
        raise StoreError(
            f"the store folder {folder} cannot be written ({error.strerror}); "
            "make it writable, or set RAG_STORE to another folder"
        ) from error
    try:
        # The name is for people; on a full disk the lock holds without it.
        with suppress(OSError):
            holder.write_text(_myself(purpose), encoding="utf-8", errors="backslashreplace")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _myself(purpose: str) -> str:
    now = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    program = Path(sys.argv[0]).name
    return f"process {os.getpid()} on {socket.gethostname()} ({program}: {purpose}) since {now}"


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8", errors="replace") or "another process"
    except OSError:
        return "another process"
