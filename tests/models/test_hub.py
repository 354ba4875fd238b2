"""A model is fetched from the hub once, whole and right, or one line says why not."""

import hashlib
import io
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ModelError
from rag.models import hub
from rag.models.hub import hub_model

NAME = "Owner/Repo-GGUF/Q4/model-q4.gguf"
BYTES = b"GGUF" + bytes(range(256)) * 40_000


@dataclass
class Hub:
    """A hub of one file, on this machine, and how it goes wrong."""

    content: bytes = BYTES
    sha256: str = hashlib.sha256(BYTES).hexdigest()
    size: int = len(BYTES)
    status: int = 302
    code: str = ""
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which each of the next replies breaks off."""
    ranges: bool = True
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of each request."""
    tokens: dict[str, str | None] = field(default_factory=dict)
    """The token that came with the last request to each host."""
    url: str = ""

    @property
    def ranges_asked(self) -> list[str]:
        return [part for method, path, part in self.asked if method == "GET" and "cdn" in path]


class Handler(BaseHTTPRequestHandler):
    """Answers like the hub: where the file lies is told by a redirect to another host."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._note()
        headers = {
            "X-Repo-Commit": "a" * 40,
            "X-Linked-Etag": f'"{self.hub.sha256}"',
            "X-Linked-Size": str(self.hub.size),
        }
        if self.hub.code:
            headers = {"X-Error-Code": self.hub.code}
        if self.hub.status == 302:
            headers["Location"] = f"http://localhost:{self.server.server_port}/cdn/file?signed=yes"  # type: ignore[attr-defined]
        self._head(self.hub.status, headers | {"Content-Length": "0"})

    def do_GET(self) -> None:
        if "/cdn/" not in self.path:
            self.do_HEAD()
            return
        self._note()
        begin = int(re.findall(r"\d+", self.headers["Range"])[0]) if self.hub.ranges else 0
        body = self.hub.content[begin:]
        self._head(206 if self.hub.ranges else 200, {"Content-Length": str(len(body))})
        if self.hub.cut_after:
            body = body[: self.hub.cut_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def _note(self) -> None:
        self.hub.asked.append((self.command, self.path, self.headers.get("Range", "")))
        self.hub.tokens[self.headers["Host"].partition(":")[0]] = self.headers.get("Authorization")

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"hub": made}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(hub, "_PAUSE", 0.0)
    yield made
    server.shutdown()
    server.server_close()


def refused(folder: Path, name: str = NAME) -> str:
    """The one line that says why it cannot be had."""
    with pytest.raises(ModelError) as error:
        hub_model(name, folder)
    line = str(error.value)
    assert "\n" not in line
    assert f"RAG_MODEL=hf:{name}" in line
    return line


def kept(folder: Path) -> dict[str, int]:
    """Size of each file of the model that lies in the folder, locks left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.name: path.stat().st_size for path in files}


# --- what is fetched


def test_a_file_is_fetched_whole(served: Hub, tmp_path: Path) -> None:
    path = hub_model(NAME, tmp_path)
    assert path == tmp_path / "hub" / NAME
    assert path.read_bytes() == BYTES
    assert sorted(kept(tmp_path)) == ["model-q4.gguf", "model-q4.gguf.stamp.json"]


def test_the_version_that_was_listed_is_fetched(served: Hub, tmp_path: Path) -> None:
    hub_model(NAME, tmp_path)
    places = [path for _, path, _ in served.asked]
    assert places[0] == "/Owner/Repo-GGUF/resolve/main/Q4/model-q4.gguf"
    assert places[1] == f"/Owner/Repo-GGUF/resolve/{'a' * 40}/Q4/model-q4.gguf"


def test_a_second_call_sends_nothing(served: Hub, tmp_path: Path) -> None:
    path = hub_model(NAME, tmp_path)
    served.asked.clear()
    served.status = 500
    assert hub_model(NAME, tmp_path) == path
    assert served.asked == []


def test_a_file_that_was_touched_is_read_and_not_fetched(served: Hub, tmp_path: Path) -> None:
    path = hub_model(NAME, tmp_path)
    os.utime(path, ns=(1, 1))
    served.asked.clear()
    hub_model(NAME, tmp_path)
    assert [method for method, _, _ in served.asked] == ["HEAD"]


def test_a_file_that_was_changed_is_fetched_again(served: Hub, tmp_path: Path) -> None:
    path = hub_model(NAME, tmp_path)
    path.write_bytes(BYTES[::-1])
    assert hub_model(NAME, tmp_path).read_bytes() == BYTES


def test_nothing_is_printed_but_on_a_terminal(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub_model(NAME, tmp_path / "quiet")
    assert capsys.readouterr() == ("", "")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    hub_model(NAME, tmp_path / "shown")
    assert "Fetching model-q4.gguf, once" in terminal.getvalue()


# --- what is cut


def test_a_broken_connection_is_taken_up_where_it_broke(served: Hub, tmp_path: Path) -> None:
    served.cut_after = [3_000_000, 0, 0, 2_000_000]
    assert hub_model(NAME, tmp_path).read_bytes() == BYTES
    begins = [int(part.removeprefix("bytes=").removesuffix("-")) for part in served.ranges_asked]
    assert begins == [0, 3_000_000, 3_000_000, 3_000_000, 5_000_000]


def test_a_later_call_goes_on_where_an_earlier_one_ended(served: Hub, tmp_path: Path) -> None:
    served.cut_after = [4_000_000, *[0] * 20]
    line = refused(tmp_path)
    assert "closed" in line or "peer" in line
    assert "what came is kept; try again" in line
    assert list(kept(tmp_path).values()) == [4_000_000]
    served.cut_after, served.asked = [], []
    assert hub_model(NAME, tmp_path).read_bytes() == BYTES
    assert served.ranges_asked == ["bytes=4000000-"]


def test_a_hub_that_knows_no_ranges_is_asked_for_all(served: Hub, tmp_path: Path) -> None:
    served.ranges, served.cut_after = False, [1_000_000]
    assert hub_model(NAME, tmp_path).read_bytes() == BYTES


def test_what_is_left_of_another_version_is_not_gone_on_with(served: Hub, tmp_path: Path) -> None:
    served.cut_after = [4_000_000, *[0] * 20]
    refused(tmp_path)
    served.content = BYTES[:-4] + b"next"
    served.sha256, served.cut_after = hashlib.sha256(served.content).hexdigest(), []
    assert hub_model(NAME, tmp_path).read_bytes() == served.content
    assert not list(tmp_path.rglob("*.part"))


# --- what is refused


@pytest.mark.parametrize("content", [BYTES[:-1] + b"?", BYTES + b"more"], ids=["other", "longer"])
def test_other_bytes_than_the_hub_lists_are_removed(
    served: Hub, tmp_path: Path, content: bytes
) -> None:
    served.content = content
    assert "does not have the SHA-256" in refused(tmp_path)
    assert kept(tmp_path) == {}


def test_a_file_without_a_checksum_is_refused(served: Hub, tmp_path: Path) -> None:
    served.sha256 = "0" * 40  # as the hub lists small files
    assert "lists no SHA-256" in refused(tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (404, "EntryNotFound", "has no such file; choose one at {url}/Owner/Repo-GGUF/tree/main"),
        (404, "RepoNotFound", "there is no such repository"),
        (404, "", "there is no such repository or file"),
        (401, "RepoNotFound", "or it is private (no HF_TOKEN is set)"),
        (403, "GatedRepo", "agree at {url}/Owner/Repo-GGUF and set HF_TOKEN"),
        (503, "", "the hub answers 503"),
    ],
)
def test_the_hubs_refusal_is_told(
    served: Hub, tmp_path: Path, status: int, code: str, told: str
) -> None:
    served.status, served.code = status, code
    assert told.format(url=served.url) in refused(tmp_path)
    assert kept(tmp_path) == {}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "no address"])
def test_no_network_is_told(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    line = refused(tmp_path)
    assert f"cannot be fetched from {endpoint}" in line
    assert "RAG_MODEL=gguf:/path" in line


def test_offline_mode_is_told(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids" in refused(tmp_path)
    assert served.asked == []


def test_a_full_disk_is_told_before_anything_is_fetched(served: Hub, tmp_path: Path) -> None:
    served.size = 10**18
    assert "needs 1,000,000,000,000,000,000 bytes more" in refused(tmp_path)
    assert served.ranges_asked == []


def test_a_folder_that_cannot_be_written_is_told(served: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("a file is in the way")
    assert "cannot write" in refused(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "model.gguf",
        "Owner/model.gguf",
        "Owner/Repo/model.bin",
        "Owner/Repo/",
        "Owner/../model.gguf",
        "../Repo/model.gguf",
        "Owner/Repo/../../model.gguf",
        "Owner/Repo//model.gguf",
        "Owner/Repo/.hidden/model.gguf",
        "Owner/Repo/a\\..\\model.gguf",
        "Owner/Repo/C:/model.gguf",
        "https://huggingface.co/Owner/Repo/model.gguf",
        "Owner/Repo/a\nb.gguf",
        "",
    ],
)
def test_only_names_of_files_in_repositories_are_taken(
    served: Hub, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ModelError, match=r"^RAG_MODEL=.* is not hf:OWNER/REPO/FILE\.gguf") as error:
        hub_model(name, tmp_path)
    assert "\n" not in str(error.value)
    assert served.asked == []


def test_a_part_of_a_model_is_refused(served: Hub, tmp_path: Path) -> None:
    assert "one part of a model" in refused(tmp_path, "Owner/Repo/m-00001-of-00003.gguf")


# --- who is told


def test_no_token_is_sent_unless_the_environment_has_one(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    (tmp_path / "token").write_text("hf_of_another_program")
    hub_model(NAME, tmp_path)
    assert served.tokens == {"127.0.0.1": None, "localhost": None}


def test_a_token_goes_to_the_hub_alone(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    hub_model(NAME, tmp_path)
    assert served.tokens == {"127.0.0.1": "Bearer hf_mine", "localhost": None}


def test_two_at_once_fetch_it_once(served: Hub, tmp_path: Path) -> None:
    work: Callable[[], Path] = lambda: hub_model(NAME, tmp_path)  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served.ranges_asked == ["bytes=0-"]
    stamp = json.loads((tmp_path / "hub" / f"{NAME}.stamp.json").read_text())
    assert stamp["sha256"] == served.sha256
