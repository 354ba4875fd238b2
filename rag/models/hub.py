"""A chat model's GGUF file from the Hugging Face Hub, fetched once and verified."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock

from rag.errors import ModelError
from rag.models.errors import shown_url
from rag.models.files import (
    Progress,
    clear_disk_errors,
    is_right,
    is_stamped,
    progress_bar,
    refuse_full_disk,
    write_stamp,
)

if TYPE_CHECKING:
    from httpx2 import Response

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


def hub_model(name: str, folder: Path) -> Path:
    """The verified file under `folder / "hub"`, fetched there at the first call.

    `name` is OWNER/REPO/FILE.gguf; FILE may lie in folders. Later calls send nothing. What was
    fetched before a cut is kept, and the next call goes on from there. The hub is that of
    `HF_ENDPOINT`, and a token is sent only where `HF_TOKEN` holds one. Raises ModelError.
    """
    wanted = _parsed(name)
    path = folder / "hub" / wanted.repo / wanted.file
    if is_stamped(path, _stamp_path(path)):
        return path
    with clear_disk_errors(path, wanted.setting), _clear_errors(wanted):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Who comes second waits here and then finds the first one's file.
        with FileLock(f"{path}.lock"):
            if not is_stamped(path, _stamp_path(path)):
                _place(wanted, path)
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


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.stamp.json")


# --- fetching


def _place(wanted: _Name, path: Path) -> None:
    """Put the verified file at `path`; what came before a cut stays beside it, a wrong file not."""
    listed = _listed(wanted)
    part = path.with_name(f"{path.name}.{listed.sha256[:12]}.part")
    for old in path.parent.glob("*.part"):
        if old != part and old.name.startswith(f"{path.name}."):
            old.unlink()  # of another version
    if not is_right(path, listed.size, listed.sha256):
        had = part.stat().st_size if part.exists() else 0
        refuse_full_disk(part.parent, listed.size - had, wanted.setting)
        with progress_bar(f"Fetching {path.name}, once", listed.size) as tell:
            _receive_all(listed, part, tell)
        _verify(wanted, part, listed)
        os.replace(part, path)
    write_stamp(path, _stamp_path(path), listed.sha256)


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
    tell(done)
    for chunk in reply.iter_bytes():
        out.write(chunk)
        done += len(chunk)
        tell(done)
        if done > listed.size:
            return  # no byte more is wanted of what is wrong already


def _end(out: BinaryIO) -> int:
    return out.seek(0, os.SEEK_END)


def _verify(wanted: _Name, part: Path, listed: _Listed) -> None:
    """Remove a file with other bytes than the hub lists, and raise."""
    if is_right(part, listed.size, listed.sha256):
        return
    part.unlink()
    raise ModelError(
        f"{wanted.setting}: what came does not have the SHA-256 {listed.sha256[:12]}... that the "
        "hub lists, and was removed; start again, or choose another file"
    )


# --- what goes wrong


@contextmanager
def _clear_errors(wanted: _Name) -> Iterator[None]:
    """Make what the hub and the network raise a ModelError of one line."""
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
