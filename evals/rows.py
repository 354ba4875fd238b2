"""Rows of JSON Lines files, gzipped or not."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import InputError


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The object of each line; raises InputError that names the line and what to do."""
    return (row for _, row in placed_rows(path))


def read_rows(folder: Path, name: str, kind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of NAME.KIND.jsonl[.gz], with the words that say where it stands."""
    stem = f"{name}.{kind}" if kind else name
    paths = [folder / f"{stem}.jsonl{end}" for end in (".gz", "")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(f"{folder} has no {paths[0].name}; put it there, or choose --sets")
    yield from placed_rows(path)


def placed_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The object of each line, with the words that say where it stands."""
    for number, line in enumerate(_lines(path), start=1):
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as fault:
            raise InputError(f"{place} is no JSON ({fault}); mend or remove it") from fault
        if not isinstance(row, dict):
            raise InputError(f"{place} is no JSON object; mend or remove it")
        yield place, row


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                yield line.decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} cannot be read ({fault}); get it anew") from fault
