"""Generations as folders, and `current.json` that names the current one.

Each is a folder of its own, because a Chroma folder whose writer was killed can crash
whoever opens it. For the same reason a new one is verified in a child process:

    python -m rag.store.folders FOLDER PREFIX EXACT_ROWS NAME MANIFEST
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.store.chroma import Collections, close_local, open_local
from rag.store.exact_index import EXACT_ROWS
from rag.store.generation import Generation, Manifest, first_line, to_manifest

_GENERATION = re.compile(r"[0-9a-f]{12}")
_INDEX = "exact"
"""The folder of the exact index in that of its generation."""


class Folders:
    """A folder for each generation, and `current.json` that names one."""

    def __init__(self, folder: Path, prefix: str, exact_rows: int = EXACT_ROWS) -> None:
        self.place = str(folder)
        self._folder = folder
        self._prefix = prefix
        self._exact_rows = exact_rows
        self._generations = folder / "generations"
        self._pointer = folder / "current.json"

    def current(self) -> tuple[str, Manifest] | None:
        pointer = self._read_pointer()
        if pointer is None:
            return None
        return pointer["generation"], to_manifest(pointer["manifest"])

    def _read_pointer(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._pointer.read_text(encoding="utf-8"))
            to_manifest(found["manifest"])
            if not _GENERATION.fullmatch(found["generation"]):
                raise ValueError(f"{found['generation']!r} names no generation")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{self._pointer} cannot be read ({first_line(error)}); "
                "make the store anew from the folder of your articles: rag ingest PATH --fresh"
            ) from error
        return found

    def _pointer_or_nothing(self) -> dict[str, Any]:
        try:
            return self._read_pointer() or {}
        except StoreError:
            return {}

    def create(self, name: str, manifest: Manifest) -> Generation:
        path = self._generations / name
        path.mkdir(parents=True)
        with ExitStack() as stack:
            client = open_local(str(path))
            stack.callback(close_local, client)
            rows = manifest.documents, manifest.passages
            searched = manifest.passages > self._exact_rows
            collections = Collections.create(client, self._prefix, name, rows, searched)
            return self._generation(name, manifest, collections, stack)

    def open(self, name: str, manifest: Manifest) -> Generation:
        path = self._generations / name
        if not path.is_dir():
            raise FileNotFoundError(f"its folder {path} is gone")
        with ExitStack() as stack:
            client = open_local(str(stack.enter_context(_writable(path))))
            stack.callback(close_local, client)
            collections = Collections.open(client, self._prefix, name)
            return self._generation(name, manifest, collections, stack)

    def _generation(
        self, name: str, manifest: Manifest, collections: Collections, stack: ExitStack
    ) -> Generation:
        index, close = self._generations / name / _INDEX, stack.pop_all().close
        return Generation(name, manifest, collections, close, index, self._exact_rows)

    def verify(self, name: str, manifest: Manifest) -> None:
        # The child finds modules where this process does, and none in the working folder.
        command = [sys.executable, "-P", "-m", "rag.store.folders"]
        command += [self.place, self._prefix, str(self._exact_rows), name, manifest.to_json()]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as child:
            assert child.stderr is not None
            lines = child.stderr.read().decode(errors="replace").strip().splitlines()
            code = child.wait()
        if code:
            said = lines[-1] if lines else f"exit code {code}"
            raise ValueError(f"it does not read back: {said}")

    def switch(self, name: str, manifest: Manifest) -> None:
        pointer = {
            "generation": name,
            "previous": self._pointer_or_nothing().get("generation"),
            "manifest": asdict(manifest),
        }
        aside = self._pointer.with_suffix(".new")
        aside.write_text(json.dumps(pointer, ensure_ascii=False, indent=1), encoding="utf-8")
        # Else a power cut could leave a pointer to files that never reached the disk.
        for path in (aside, *(self._generations / name).rglob("*")):
            _flush(path)
        aside.replace(self._pointer)
        _flush(self._folder)

    def drop(self, name: str) -> None:
        shutil.rmtree(self._generations / name, ignore_errors=True)

    def clear(self, keep_previous: bool) -> None:
        pointer = self._pointer_or_nothing()
        kept = {pointer.get("generation"), pointer.get("previous") if keep_previous else None}
        if self._generations.is_dir():
            for path in self._generations.iterdir():
                if path.name not in kept:
                    self.drop(path.name)

    def unreadable(self, error: Exception, manifest: Manifest) -> StoreError:
        return StoreError(
            f"the store {self.place} cannot be read ({first_line(error)}); "
            f"make it anew from its articles: {manifest.rebuild}"
        )

    def unwritable(self, error: Exception) -> StoreError:
        existing = next(p for p in (self._folder, *self._folder.parents) if p.exists())
        free = shutil.disk_usage(existing).free / 1e6
        return StoreError(
            f"the store {self.place} cannot be written ({first_line(error)}; {free:,.0f} MB are "
            "free there), and is what it was; make room, or set RAG_STORE to another folder"
        )

    def close(self) -> None:
        return


def _flush(path: Path) -> None:
    """Have the disk hold what was written to a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _writable(path: Path) -> Iterator[Path]:
    """The folder, or a copy of it where it may not be written.

    Chroma writes to whatever it opens, even where nothing is to change. The exact index
    is not copied: it is read where it is.
    """
    if os.access(path, os.W_OK) and os.access(path / "chroma.sqlite3", os.W_OK):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="rag-store-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, path.name)
        rest = shutil.ignore_patterns(_INDEX)
        shutil.copytree(path, copy, ignore=rest, copy_function=shutil.copyfile)
        for each in (copy, *copy.iterdir()):
            each.chmod(0o700 if each.is_dir() else 0o600)
        yield copy


def _end_with_parent() -> None:
    """End this process when its standard input does, that is when its parent has ended.

    It would else go on in a folder that the next writer removes, and leave some of it.
    """

    def wait() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _verify_in_this_process(
    folder: str, prefix: str, exact_rows: str, name: str, manifest: str
) -> None:
    home = Folders(Path(folder), prefix, int(exact_rows))
    with home.open(name, to_manifest(json.loads(manifest))) as generation:
        generation.verify()


if __name__ == "__main__":
    _end_with_parent()
    try:
        _verify_in_this_process(*sys.argv[1:])
    except Exception as error:
        sys.exit(first_line(error))
