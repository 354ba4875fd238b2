"""What a request may bring along: not too much, and no file that is merely named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_page import SmallPage, SmallRag, serving, small_settings, upload

from rag.page.server.request_body import MOST_BYTES
from rag.page.server.serve import server

JOIN = "/gradio_api/queue/join"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(SmallRag(small_settings(tmp_path_factory.mktemp("bodies")))) as url:
        yield url


def named(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "data",
    [
        [named("/etc/hostname")],
        [named("http://127.0.0.1:1/a")],
        [{"deep": [[{"er": named("/etc/hostname")}]]}],
        [named("/etc/hostname") | {"meta": {"_type": "gradio.ListFileData"}}],
    ],
)
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/say", "/gradio_api/call/say"])
def test_file_that_is_merely_named_is_refused(url: str, path: str, data: list[Any]) -> None:
    reply = httpx.post(url + path, json={"data": data, "fn_index": 0, "session_hash": "a"})
    assert (reply.status_code, "upload it" in reply.text) == (403, True)


def test_name_that_is_spelt_in_escapes_is_refused(url: str) -> None:
    body = json.dumps({"data": [named("/etc/hostname")]}).replace("gradio.F", "gr\\u0061dio.F")
    for encoding in ("utf-8", "utf-16", "utf-32"):
        reply = httpx.post(url + JOIN, content=body.encode(encoding))
        assert reply.status_code == 403


def test_form_with_a_file_is_refused(url: str) -> None:
    reply = httpx.post(f"{url}/gradio_api/component_server", files={"file": ("a.txt", b"a")})
    assert reply.status_code == 403


def test_too_nested_body_is_refused(url: str) -> None:
    assert httpx.post(url + JOIN, content=b"[" * 200_000).status_code == 403


def test_too_long_body_is_refused(url: str) -> None:
    reply = httpx.post(url + JOIN, content=b" " * (MOST_BYTES + 1))
    assert (reply.status_code, f"{MOST_BYTES:,}" in reply.text) == (413, True)


def test_words_about_files_pass(url: str) -> None:
    told = json.dumps(named("/etc/hostname"))
    body = {"data": [told], "fn_index": 0, "session_hash": "a"}
    assert httpx.post(url + JOIN, json=body).status_code == 200


def test_upload_passes(url: str) -> None:
    assert upload(url, "a.txt", b"a" * 100).status_code == 200


async def test_gradio_itself_asks_whose_file_it_is(tmp_path: Path) -> None:
    # What it does about files that are not uploaded hangs on this attribute of its own.
    blocks = SmallPage().blocks()
    server(SmallRag(small_settings(tmp_path)), blocks)
    assert blocks.has_launched
