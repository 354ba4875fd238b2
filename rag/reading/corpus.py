"""A folder or a file -> Documents: each file is read, or named with the reason why not."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rag.errors import InputError, ReadError
from rag.reading.docx import read_docx
from rag.reading.files import MAX_TEXT_BYTES, decoded, file_bytes, one_line, printable
from rag.reading.html import read_html
from rag.reading.json_lines import read_json_lines
from rag.reading.metadata import METADATA_FILE, NO_METADATA, Metadata, read_metadata
from rag.reading.pdf import read_pdf
from rag.records import Document, SkippedFile


def read_corpus(path: Path) -> Iterator[Document | SkippedFile]:
    """The articles of a folder (with its subfolders, in sorted order) or of one file.

    Hidden files, links that leave the folder, and `articles.toml`, which
    describes its neighbours, are not articles. Every other file yields its
    Documents or a SkippedFile. Raises InputError at once when there is no such path.
    """
    try:
        path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(
            f"{path} cannot be read ({reason}); name a folder of articles or one article"
        ) from error
    return _read_folder(path) if path.is_dir() else _read_single(path)


def _read_folder(folder: Path) -> Iterator[Document | SkippedFile]:
    unread: list[SkippedFile] = []
    files = dict(_walk(folder, unread))
    known, problems = read_metadata(folder)
    yield from problems
    for name in sorted(known.keys() - files.keys()):
        yield SkippedFile(METADATA_FILE, f"describes {name}, which is not in the folder")
    yield from unread
    for source, file in sorted(files.items()):
        yield from _read_or_skip(file, source, known.get(source, NO_METADATA))


def _read_single(path: Path) -> Iterator[Document | SkippedFile]:
    known, problems = read_metadata(path.parent)
    yield from problems
    yield from _read_or_skip(path, path.name, known.get(path.name, NO_METADATA))


def _walk(folder: Path, unread: list[SkippedFile]) -> Iterator[tuple[str, Path]]:
    """Source and path of each candidate; folders that cannot be listed go to `unread`."""
    root = os.path.realpath(folder)

    def fail(error: OSError) -> None:
        place = Path(os.fspath(error.filename)).relative_to(folder).as_posix()
        unread.append(SkippedFile(printable(place), f"cannot be listed: {error.strerror}"))

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            inside = os.path.commonpath([root, os.path.realpath(path)]) == root
            if inside and not name.startswith(".") and path != folder / METADATA_FILE:
                yield path.relative_to(folder).as_posix(), path


def _read_or_skip(path: Path, source: str, metadata: Metadata) -> Iterator[Document | SkippedFile]:
    if source != printable(source):
        yield SkippedFile(printable(source), "its name is not printable UTF-8; rename it")
        return
    try:
        yield from _read(path, source, metadata)
    except ReadError as error:
        yield SkippedFile(source, str(error))


def _read(path: Path, source: str, metadata: Metadata) -> Iterable[Document | SkippedFile]:
    """`metadata` wins over what a page says about itself and yields to what a JSON line says."""
    if path.name.lower().endswith(_MANY_ARTICLES):
        return read_json_lines(path, source, metadata)
    read = _ONE_ARTICLE.get(path.suffix.lower())
    if read is None:
        raise ReadError(UNREADABLE)
    return [read(path, source, metadata)]


def _read_text(path: Path, source: str, metadata: Metadata) -> Document:
    return metadata.document(source, decoded(file_bytes(path, MAX_TEXT_BYTES)))


_ONE_ARTICLE: dict[str, Callable[[Path, str, Metadata], Document]] = {
    ".txt": _read_text,
    ".md": _read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
_MANY_ARTICLES = (".jsonl", ".jsonl.gz")

SUFFIXES = (*_ONE_ARTICLE, *_MANY_ARTICLES)
"""How the names of files end that can be read, in lower case."""

UNREADABLE = f"is not one of {', '.join(SUFFIXES)}; convert it"
