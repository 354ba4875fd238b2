"""The page's server on loopback: it listens, streams, takes files, and ends."""

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_page import SmallPage, SmallRag, serving, small_settings, upload, wait_until

from evals.browsing import free_port
from rag.errors import SettingsError, StoreError
from rag.ingestion.staging import MOST_BYTES
from rag.page.server.serve import announcement, listen, serve
from rag.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return small_settings(tmp_path, port=free_port())


def join(url: str, question: str, name: str = "a") -> None:
    """Ask as a browser's tab does, whose session is `name`."""
    config = httpx.get(f"{url}/config").json()
    (function,) = (each["id"] for each in config["dependencies"] if each["api_name"] == "say")
    body = {"data": [question], "fn_index": function, "session_hash": name}
    httpx.post(f"{url}/gradio_api/queue/join", json=body).raise_for_status()


@contextmanager
def messages(url: str, name: str = "a") -> Iterator[Iterator[dict[str, Any]]]:
    """What the server streams to a tab, one message after the other."""
    stream = httpx.stream(
        "GET", f"{url}/gradio_api/queue/data", params={"session_hash": name}, timeout=20
    )
    with stream as reply:
        lines = (line.removeprefix("data: ") for line in reply.iter_lines() if line.strip())
        yield (json.loads(line) for line in lines)


@pytest.mark.parametrize("flags", [{}, {"host": "0.0.0.0", "public": "on"}])
def test_a_stream_comes_as_it_is_written(tmp_path: Path, flags: dict[str, str]) -> None:
    page = SmallPage()
    with serving(SmallRag(small_settings(tmp_path, **flags)), page) as url:
        join(url, "wait more")
        with messages(url) as told:
            first = next(each for each in told if each["msg"] == "process_generating")
            assert first["output"]["data"] == ["wait "]
            page.go.set()
            last = next(each for each in told if each["msg"] == "process_completed")
    assert last["output"]["data"] == ["wait more "]


def test_page_fetches_nothing_from_elsewhere(settings: Settings) -> None:
    with serving(SmallRag(settings)) as url:
        html = httpx.get(url).text
        css = httpx.get(f"{url}/theme.css").text
        config = httpx.get(f"{url}/config").json()
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']([^\"']*)", html)
    assert fetched
    assert not [address for address in fetched if "//" in address]
    assert not re.findall(r"@import|url\((?!['\"]?data:)", css)
    assert config["stylesheets"] == []
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == ["api"]


def test_engine_is_warm_before_the_first_question(settings: Settings) -> None:
    engine = SmallRag(settings)
    with serving(engine) as url:
        assert httpx.get(url).status_code == 200
        assert engine.warm.wait(20)


def test_warming_up_that_fails_is_one_line(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SmallRag(settings, StoreError("the store is broken; run rag ingest"))
    with caplog.at_level(logging.WARNING, "rag"), serving(engine) as url:
        wait_until(lambda: bool(caplog.messages))
        assert httpx.get(url).status_code == 200
    assert caplog.messages == ["the store is broken; run rag ingest"]
    assert caplog.records[0].exc_info is None


def test_taken_port_is_one_line_that_names_it(settings: Settings) -> None:
    with listen("127.0.0.1", settings.port), pytest.raises(SettingsError) as refusal:
        serve(SmallRag(settings))
    assert re.search(rf"port {settings.port} of 127\.0\.0\.1 .* RAG_PORT$", str(refusal.value))


@pytest.mark.parametrize("host", ["127.0.0.1%nowhere", "a" * 64 + ".example"])
def test_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=rf"^cannot listen on RAG_HOST='{re.escape(host)}'"):
        listen(host, free_port())


def test_listening_beyond_this_machine_needs_a_word(tmp_path: Path) -> None:
    settings = small_settings(tmp_path, host="0.0.0.0", port=free_port())
    with (
        listen("127.0.0.1", settings.port),  # before it would find out that the port is taken
        pytest.raises(SettingsError, match=r"RAG_HOST='0\.0\.0\.0'.*RAG_LOGIN.*RAG_PUBLIC=on"),
    ):
        serve(SmallRag(settings))


@pytest.mark.parametrize(
    ("host", "login", "lines"),
    [
        ("127.0.0.1", False, ["chat at http://127.0.0.1:7860"]),
        ("127.0.0.1", True, ["chat at http://127.0.0.1:7860"]),
        ("::1", False, ["chat at http://[::1]:7860"]),
        ("0.0.0.0", False, ["chat at http://127.0.0.1:7860", "anyone who reaches port 7860 of"]),
        ("::", False, ["chat at http://[::1]:7860", "anyone who reaches port 7860 of :: can ask"]),
        ("192.0.2.1", True, ["chat at http://192.0.2.1:7860", "who reaches port 7860 of 192.0.2"]),
    ],
)
def test_address_is_told_and_who_reaches_it(host: str, login: bool, lines: list[str]) -> None:
    told = announcement(host, 7860, login).splitlines()
    assert len(told) == len(lines)
    assert all(line.startswith(begin) for line, begin in zip(told, lines, strict=True))


def test_serves_again_on_the_port_of_a_server_that_ended(settings: Settings) -> None:
    for _ in range(2):
        with serving(SmallRag(settings), port=settings.port) as url, httpx.Client() as kept:
            assert kept.get(url).status_code == 200


def test_upload_has_a_limit(settings: Settings) -> None:
    with serving(SmallRag(settings)) as url:
        assert upload(url, "a.txt", b"a" * 1000).status_code == 200
        assert upload(url, "a.txt", b"a" * (MOST_BYTES + 1)).status_code == 413


def test_uploaded_page_never_runs(settings: Settings) -> None:
    with serving(SmallRag(settings)) as url:
        (path,) = upload(url, "a.html", b"<script>alert(1)</script>").json()
        reply = httpx.get(f"{url}/gradio_api/file={path}")
    assert reply.text == "<script>alert(1)</script>"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; sandbox;")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("flags", [{"uploads": "off"}, {"host": "0.0.0.0", "public": "on"}])
def test_no_upload_where_there_is_none(tmp_path: Path, flags: dict[str, str]) -> None:
    with serving(SmallRag(small_settings(tmp_path, **flags))) as url:
        assert upload(url, "a.txt", b"").status_code == 403
        assert upload(url, "a.txt", b"a").status_code == 403


TESTS = Path(__file__).parents[1]
# The real `serve`; `rag.page.server.layout` gives the blocks of a page of the tests' own.
_SCRIPT = f"""
import sys, time, types
from pathlib import Path
sys.path.append({str(TESTS)!r})
from small_page import SmallPage, SmallRag, small_settings

class SlowRag(SmallRag):
    def warm_up(self, stop):
        time.sleep(float(sys.argv[3]))
        raise ZeroDivisionError("a store that was closed meanwhile")

layout = types.SimpleNamespace(page=lambda engine: SmallPage().blocks())
sys.modules["rag.page.server.layout"] = layout
from rag.page.server.serve import serve
with SlowRag(small_settings(Path(sys.argv[1]), port=int(sys.argv[2]))) as engine:
    serve(engine)
"""


@contextmanager
def running(settings: Settings, warming: float) -> Iterator["subprocess.Popen[str]"]:
    """A process that serves, once it has said where; its warming up takes that long, in seconds."""
    command = [sys.executable, "-c", _SCRIPT, str(settings.corpus), str(settings.port)]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, str(warming)], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            assert told == f"chat at http://127.0.0.1:{settings.port}\n"
            yield process
        finally:
            process.kill()


def test_ctrl_c_ends_it_while_a_tab_is_open_and_the_engine_warms_up(settings: Settings) -> None:
    url = f"http://127.0.0.1:{settings.port}"
    with running(settings, warming=60) as process:
        (path,) = upload(url, "a.txt", b"what was uploaded").json()
        assert Path(path).parents[1].stat().st_mode & 0o077 == 0
        join(url, "wait more")
        with (
            httpx.stream("GET", f"{url}/gradio_api/heartbeat/a", timeout=20) as tab,
            messages(url) as told,
        ):
            assert next(tab.iter_lines()) == "data: ALIVE"
            assert next(each for each in told if each["msg"] == "process_generating")
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")
    assert not Path(path).parents[1].exists()


def test_fault_of_warming_up_is_told_and_the_page_stays(settings: Settings) -> None:
    url = f"http://127.0.0.1:{settings.port}"
    with running(settings, warming=0) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "the first question will be slow\n"
        told = next(line for line in process.stderr if not line.startswith(("Traceback", " ")))
        assert told == "ZeroDivisionError: a store that was closed meanwhile\n"
        assert httpx.get(url).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
