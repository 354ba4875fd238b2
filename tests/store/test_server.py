"""A corpus on a Chroma server, and what is said where none answers."""

import dataclasses
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from chromadb.errors import NotFoundError
from small_store import DIMENSION, SPACE, fill, nearest_text, note, serve_chroma

import rag
from rag.errors import StoreError
from rag.records import Document
from rag.settings import Settings
from rag.store.generation import Manifest
from rag.store.rows import StoredDocument
from rag.store.store import Store

pytestmark = pytest.mark.slow


@contextmanager
def serve(status: int, body: bytes) -> Iterator[str]:
    """The URL of a server that gives one answer to everything."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>hi"), (200, b'{"a": 1}'), (404, b""), (503, b"busy")]
)
def test_another_server_is_not_taken_for_chroma(tmp_path: Path, status: int, body: bytes) -> None:
    with serve(status, body) as url, pytest.raises(StoreError, match=f"RAG_CHROMA_URL={url}"):
        Store(tmp_path, "rag", url).manifest()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"RAG_CHROMA_URL=http://127\.0\.0\.1:9 .*chroma run"):
        Store(tmp_path, "rag", "http://me:secret@127.0.0.1:9").manifest()


def test_a_server_that_goes_away_is_named_and_found_again(tmp_path: Path) -> None:
    with serve_chroma(tmp_path / "data") as url:
        store = Store(tmp_path, "rag", url)
        fill(store, note("On the server."))
        assert nearest_text(store, "x") == "On the server."
    with pytest.raises(StoreError, match=f"no Chroma server answers at RAG_CHROMA_URL={url}"):
        nearest_text(store, "x")
    store.close()


def test_names_that_begin_alike_share_nothing(tmp_path: Path, chroma_url: str) -> None:
    plain = Store(tmp_path, "alike", chroma_url)
    other = Store(tmp_path, "alike-passages", chroma_url)
    fill(other, note("Mine."))
    fill(plain, note("One."))
    fill(plain, note("Two."))
    assert nearest_text(other, "x") == "Mine."
    plain.close()
    other.close()


def test_large_articles_reach_the_server_in_several_requests(
    tmp_path: Path, chroma_url: str
) -> None:
    store = Store(tmp_path, "large", chroma_url)
    documents = [Document(f"{i}.txt", "word " * 2_900_000) for i in range(3)]
    stored = [StoredDocument(document, ("/c",), "") for document in documents]
    empty = np.zeros((0, DIMENSION), np.float32)
    store.replace(Manifest(SPACE, DIMENSION, 3, 0, 30), stored, [], empty)
    assert [len(each.document.text) for each in store.documents().values()] == [14_500_000] * 3
    fill(store, [])
    store.close()


def test_answers_from_a_chroma_server(tmp_path: Path, chroma_url: str) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "kopru.txt").write_text("Orlen köprüsü 1987 yılında açıldı.")
    (corpus / "han.txt").write_text("Han bugün bir müzedir.")
    settings = Settings.read(
        model="none", corpus=corpus, chroma_url=chroma_url, collection="answers"
    )
    with rag.open(tmp_path / "store", settings) as engine:
        answer = engine.ask("When was the Orlen bridge opened?")
        assert answer.citations[0].quote == "Orlen köprüsü 1987 yılında açıldı."
        (corpus / "kopru.txt").write_text("Orlen köprüsü 1991 yılında açıldı.")
        assert engine.ingest().replaced == ("kopru.txt",)
        answer = engine.ask("When was the Orlen bridge opened?")
        assert answer.citations[0].quote == "Orlen köprüsü 1991 yılında açıldı."
        assert not engine.ingest().wrote
    with rag.open(tmp_path / "elsewhere", settings) as engine:
        assert dataclasses.asdict(engine.documents()["han.txt"])["lang"] == "tr"


def test_tidies_what_a_dead_writer_left_on_the_server(tmp_path: Path, chroma_url: str) -> None:
    store = Store(tmp_path, "tidied", chroma_url)
    fill(store, note("Kept."))
    unfinished = store._home.create("0123456789ab", Manifest(SPACE, DIMENSION, 9, 9, 30))
    store.tidy()
    with pytest.raises(NotFoundError):
        unfinished.collections.passages.count()
    assert nearest_text(store, "x") == "Kept."
    store.close()
