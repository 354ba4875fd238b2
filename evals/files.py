"""Files that are written whole."""

import os
from pathlib import Path

from rag.errors import InputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Put the file there whole, or leave the one before; raises InputError."""
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.replace(draft, path)
    except OSError as fault:
        raise InputError(f"{path} cannot be written: {fault.strerror}") from fault
