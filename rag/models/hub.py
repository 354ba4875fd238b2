"""A chat model's GGUF file from the Hugging Face Hub, fetched once and verified."""

import errno
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock

from rag.errors import ModelError
from rag.models.errors import shown_url

if TYPE_CHECKING:
    from httpx2 import Response

Progress = Callable[[int, int], None]
"""Is told how many bytes are there, and how many there will be."""

_TIMEOUT = 30.0
_TRIES = 4
"""How often in a row a connection may break without bringing a byte."""
_PAUSE = 1.0
_HOME = "https://huggingface.co"
_OTHERWISE = "or give a file of your own: RAG_MODEL=gguf:/path"


@dataclass(frozen=True, slots=True)
class _Name:
    """Which file of which repository is meant."""

    repo: str
    file: str

    @property
    def setting(self) -> str:
        """The setting that names it."""
        return f"RAG_MODEL=hf:{self.repo}/{self.file}"


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the hub says of a file."""

    url: str
    """Of this version of it, whatever is published later."""
    size: int
    sha256: str


def hub_model(name: str, folder: Path, progress: Progress | None = None) -> Path:
    """The verified file under `folder / "hub"`, fetched there at the first call.

    `name` is OWNER/REPO/FILE.gguf; FILE may lie in folders. Later calls send nothing. What was
    fetched before a cut is kept, and the next call goes on from there. The hub is that of
    `HF_ENDPOINT`, and a token is sent only where `HF_TOKEN` holds one. `progress` takes the
    place of the bar that people see on a terminal. Raises ModelError.
    """
    wanted = _parsed(name)
    path = folder / "hub" / wanted.repo / wanted.file
    if _is_stamped(path):
        return path
    with _clear_errors(wanted, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Who comes second waits here and then finds the first one's file.
        with FileLock(f"{path}.lock"):
            if not _is_stamped(path):
                _place(wanted, path, progress)
    return path


def _parsed(name: str) -> _Name:
    """The repository and the file that a name means; raises ModelError."""
    owner, _, rest = name.partition("/")
    repo, _, file = rest.partition("/")
    known = all(re.fullmatch(r"\w[\w.-]*", part, re.ASCII) for part in (owner, repo))
    # No part may lead out of the folder, on whatever system.
    safe = all(re.fullmatch(r"[^.\s\\:][^\\:\x00-\x1f]*", part) for part in file.split("/"))
    if not (known and safe and file.lower().endswith(".gguf")):
        shown = f"RAG_MODEL={f'hf:{name[:200]}'!r}"
        raise ModelError(f"{shown} is not hf:OWNER/REPO/FILE.gguf; give that, {_OTHERWISE}")
    wanted = _Name(f"{owner}/{repo}", file)
    if re.search(r"-\d{5}-of-\d{5}\.gguf$", file, re.IGNORECASE):
        raise ModelError(f"{wanted.setting} is one part of a model; name one that is a whole file")
    return wanted


# --- trust


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.stamp.json")


def _stamp_of(path: Path, sha256: str) -> dict[str, int | str]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}


def _is_stamped(path: Path) -> bool:
    """Whether the file is unchanged since it was verified."""
    try:
        stamp = json.loads(_stamp_path(path).read_text("utf-8"))
        return bool(stamp == _stamp_of(path, stamp["sha256"]))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _is_right(path: Path, listed: _Listed) -> bool:
    """Whether the file's bytes are those that the hub lists."""
    if not path.is_file() or path.stat().st_size != listed.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == listed.sha256


# --- fetching


def _place(wanted: _Name, path: Path, progress: Progress | None) -> None:
    """Put the verified file at `path`; what came before a cut stays beside it, a wrong file not."""
    listed = _listed(wanted)
    part = path.with_name(f"{path.name}.{listed.sha256[:12]}.part")
    for old in path.parent.glob("*.part"):
        if old != part and old.name.startswith(f"{path.name}."):
            old.unlink()  # of another version
    if not _is_right(path, listed):
        _refuse_full_disk(wanted, part, listed)
        with _shown(wanted, listed, progress) as tell:
            _receive_all(listed, part, tell)
        _verify(wanted, part, listed)
        os.replace(part, path)
    _stamp_path(path).write_text(json.dumps(_stamp_of(path, listed.sha256)), "utf-8")


def _listed(wanted: _Name) -> _Listed:
    """What the hub lists for the file now."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT") or None
    url = hf_hub_url(wanted.repo, wanted.file, endpoint=endpoint)
    found = get_hf_file_metadata(url, token=_token(), timeout=_TIMEOUT, endpoint=endpoint)
    if found.size is None or not re.fullmatch("[0-9a-f]{64}", found.etag or ""):
        raise ModelError(f"{wanted.setting}: the hub lists no SHA-256 for it; choose another file")
    at = hf_hub_url(wanted.repo, wanted.file, revision=found.commit_hash, endpoint=endpoint)
    return _Listed(at, found.size, str(found.etag))


def _token() -> str | bool:
    """The token of the environment, and no other that the hub's own programs have kept."""
    return os.environ.get("HF_TOKEN") or False


def _receive_all(listed: _Listed, part: Path, tell: Progress) -> None:
    """Fetch what the part lacks, going on where a connection breaks."""
    from httpx2 import TransportError

    tries = _TRIES
    with part.open("ab") as out:
        while (had := _end(out)) < listed.size:
            try:
                _receive(listed, out, tell)
            except TransportError:
                tries = _TRIES if _end(out) > had else tries - 1
                if not tries:
                    raise
                time.sleep(_PAUSE)
        out.flush()
        # Else a power cut could leave a renamed file that is not yet written.
        os.fsync(out.fileno())


def _receive(listed: _Listed, out: BinaryIO, tell: Progress) -> None:
    """Append what one connection brings; raises TransportError where that is not all."""
    from httpx2 import HTTPStatusError, RemoteProtocolError
    from huggingface_hub import get_session

    headers = {"Accept-Encoding": "identity", "Range": f"bytes={_end(out)}-"}
    if token := _token():  # the client drops it where the hub sends it to another host
        headers["Authorization"] = f"Bearer {token}"
    with get_session().stream(
        "GET", listed.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
    ) as reply:
        if reply.status_code == 200:  # all of it from the beginning
            out.truncate(0)
        elif reply.status_code != 206:
            answer = f"it answers {reply.status_code}"
            raise HTTPStatusError(answer, request=reply.request, response=reply)
        _append(reply, out, listed, tell)
    if _end(out) < listed.size:
        raise RemoteProtocolError("the connection was closed early")


def _append(reply: "Response", out: BinaryIO, listed: _Listed, tell: Progress) -> None:
    done = _end(out)
    tell(done, listed.size)
    for chunk in reply.iter_bytes():
        out.write(chunk)
        done += len(chunk)
        tell(done, listed.size)
        if done > listed.size:
            return  # no byte more is wanted of what is wrong already


def _end(out: BinaryIO) -> int:
    return out.seek(0, os.SEEK_END)


def _verify(wanted: _Name, part: Path, listed: _Listed) -> None:
    """Remove a file with other bytes than the hub lists, and raise."""
    if _is_right(part, listed):
        return
    part.unlink()
    raise ModelError(
        f"{wanted.setting}: what came does not have the SHA-256 {listed.sha256[:12]}... that the "
        "hub lists, and was removed; start again, or choose another file"
    )


# --- what goes wrong


def _refuse_full_disk(wanted: _Name, part: Path, listed: _Listed) -> None:
    """Raise before gigabytes are fetched in vain."""
    missing = listed.size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if free < missing:
        raise ModelError(
            f"{wanted.setting} needs {missing:,} bytes more in {part.parent}, and {free:,} are "
            f"free; {_ROOM}"
        )


_ROOM = "free space there, or point XDG_CACHE_HOME at another disk"


@contextmanager
def _clear_errors(wanted: _Name, path: Path) -> Iterator[None]:
    """Make what the hub, the network and the disk raise a ModelError of one line."""
    from httpx2 import HTTPError, InvalidURL
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        raise ModelError(f"{wanted.setting}: {_refusal(error, wanted)}") from error
    except HFValidationError as error:
        line = f"{wanted.setting} names no repository ({_line(error)}); look it up at {_hub()}"
        raise ModelError(line) from error
    except OfflineModeIsEnabled as error:
        line = f"{wanted.setting} is not here yet, and HF_HUB_OFFLINE forbids to fetch it; unset it"
        raise ModelError(f"{line}, {_OTHERWISE}") from error
    # The last two are what a proxy's address raises that is none, or needs a package.
    except (HTTPError, InvalidURL, ValueError, ImportError) as error:
        line = f"{wanted.setting} cannot be fetched from {_hub()} ({_line(error)})"
        step = "what came is kept; try again when the network works"
        raise ModelError(f"{line}; {step}, {_OTHERWISE}") from error
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or error
        raise ModelError(f"{wanted.setting}: cannot write {path}: {reason}; {_ROOM}") from error


def _refusal(error: Exception, wanted: _Name) -> str:
    """What the hub's refusal means, and the next step."""
    from huggingface_hub.errors import GatedRepoError, RemoteEntryNotFoundError

    status = getattr(getattr(error, "response", None), "status_code", 0)
    at = f"{_hub()}/{wanted.repo}"
    token = "the HF_TOKEN that is set" if os.environ.get("HF_TOKEN") else "no HF_TOKEN is set"
    if isinstance(error, GatedRepoError):
        return f"its owner asks who uses it; agree at {at} and set HF_TOKEN ({token})"
    if isinstance(error, RemoteEntryNotFoundError):
        return f"the repository has no such file; choose one at {at}/tree/main"
    if status in (401, 403, 404):
        return (
            f"there is no such repository or file, or it is private ({token}); look it up at {at}"
        )
    return f"the hub answers {status} ({_line(error)}); try again later, {_OTHERWISE}"


def _hub() -> str:
    """The hub's address, without a password that it may carry."""
    hub = os.environ.get("HF_ENDPOINT") or _HOME
    return shown_url(hub) if "://" in hub else hub


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


# --- what people see


@contextmanager
def _shown(wanted: _Name, listed: _Listed, progress: Progress | None) -> Iterator[Progress]:
    """A bar on a terminal, the caller's own way to show it, or nothing."""
    if progress is not None or not sys.stderr.isatty():
        yield progress or (lambda done, size: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        file = wanted.file.rpartition("/")[2]
        task = bars.add_task(f"Fetching {file}, once", total=listed.size)
        yield lambda done, size: bars.update(task, completed=done)
