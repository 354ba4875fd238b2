"""Articles that people add while the program runs, and take away again.

They lie in `uploads` in the store's folder, which is ingested like any other folder, so
`rag ingest` of another one leaves them. With `--fresh` they leave the store, and their files
stay: they answer again once that folder is ingested, as it is with the next file that is added.
"""

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import InputError, SettingsError, StoreError
from rag.ingestion.ingest import Progress, ingest, no_progress
from rag.ingestion.lock import writing
from rag.ingestion.staging import Refused, file_of, stage
from rag.parts import Parts
from rag.records import IngestReport, Record
from rag.settings import Settings
from rag.store.rows import StoredDocument


@dataclass(frozen=True, slots=True)
class Added(Record):
    """What became of files that were to be added."""

    sources: tuple[str, ...] = ()
    """The articles that answer from now on."""
    refused: tuple[Refused, ...] = ()
    """One for each file that was not added; JSON Lines that were read in part are in both."""


def uploads_folder(settings: Settings) -> Path:
    """Where the files of articles lie that were added here."""
    return (settings.store_folder / "uploads").resolve()


def uploaded(parts: Parts) -> set[str]:
    """The sources of the stored articles that were added here."""
    folder = str(uploads_folder(parts.settings))
    return {name for name, each in parts.store.documents().items() if folder in each.roots}


def add_files(
    files: Sequence[tuple[str, Path]], parts: Parts, progress: Progress = no_progress
) -> Added:
    """Keep files, each a name given by its owner and the path of its bytes, and ingest them.

    A file that is refused or cannot be read leaves no trace and the others alone. Whoever
    comes while this process adds or removes others waits. Raises StoreError,
    StoreLockedError while another process writes, SettingsError; nothing is added then.
    """
    folder = uploads_folder(parts.settings)
    with _alone(parts.settings) as aside:
        _check_apart(parts, folder)
        staged, refused = stage(files, aside, _files(parts))
        if not staged:
            return Added((), refused)
        places = {path: folder / name for name, path in staged.items()}
        unstored = [each for each in places.values() if each.exists()]
        moves = [(each, aside / f"left {each.name}") for each in unstored]
        with _moved([*moves, *places.items()]):
            report = ingest(folder, parts, progress=progress)
        sources = sorted(each for each in uploaded(parts) if file_of(each) in staged)
        for name in staged.keys() - set(map(file_of, sources)):
            (folder / name).unlink()
        return Added(tuple(sources), (*refused, *_unread(report, staged)))


def remove_file(source: str, parts: Parts, progress: Progress = no_progress) -> tuple[str, ...]:
    """Take the file of an article that was added here away; the sources that went with it.

    Of JSON Lines the whole file goes. Raises InputError for any other article, and what
    `add_files` does; nothing is removed then.
    """
    folder = uploads_folder(parts.settings)
    with _alone(parts.settings) as aside:
        if source not in uploaded(parts):
            raise InputError(f"{source[:80]!r} was not added here; choose an article that was")
        _check_apart(parts, folder)
        file = folder / file_of(source)
        with _moved([(file, aside / "removed")] if file.exists() else []):
            return ingest(folder, parts, progress=progress).removed


def _files(parts: Parts) -> dict[str, Path]:
    """The file of each stored article, by its name in its folder."""
    stored = parts.store.documents()
    return {file_of(source): _file(source, each) for source, each in stored.items()}


def _file(source: str, stored: StoredDocument) -> Path:
    root = Path(stored.roots[0])
    return root / file_of(source) if root.is_dir() else root


def _unread(report: IngestReport, staged: Iterable[str]) -> Iterator[Refused]:
    """One line for each file that was not read, or not wholly."""
    for name in staged:
        reasons = [each.reason for each in report.skipped if file_of(each.source) == name]
        if reasons:
            more = f" (and {len(reasons) - 1} more like it)" if len(reasons) > 1 else ""
            yield Refused(name, "unread", f"{reasons[0]}{more}")


def _check_apart(parts: Parts, folder: Path) -> None:
    """A folder of articles that holds the store would take what is added for its own."""
    manifest = parts.store.manifest()
    for root in manifest.roots if manifest else ():
        if Path(root) in folder.parents:
            raise SettingsError(
                f"RAG_STORE={parts.settings.store_folder} lies in {root}, which holds articles; "
                "to add some here, set it to a folder elsewhere"
            )


# ---- one after the other, and all or nothing --------------------------------------------

_turn = threading.Lock()


@contextmanager
def _alone(settings: Settings) -> Iterator[Path]:
    """An empty folder to work in, while no other thread or process adds or removes files.

    It is hidden in that of the uploads, whose reader passes it over, so that a file is moved
    from one to the other at once.
    """
    incoming = uploads_folder(settings) / ".incoming"
    with _turn, writing(incoming, "upload"), _disk_errors(incoming.parent):
        for left in filter(Path.is_dir, incoming.iterdir()):  # by a process that was killed
            shutil.rmtree(left)
        with TemporaryDirectory(dir=incoming) as aside:
            yield Path(aside)


@contextmanager
def _moved(moves: Iterable[tuple[Path, Path]]) -> Iterator[None]:
    """Files moved, each from a path to a path; moved back if the block fails."""
    with ExitStack() as undo:
        for here, there in moves:
            here.replace(there)
            undo.callback(there.replace, here)
        yield
        undo.pop_all()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror or error}), and holds what it held; "
            "make room on its disk, or make it writable"
        ) from error
