"""A small store: its articles, their vectors, and a real Chroma server on this machine."""

import hashlib
import socket
import subprocess
import sys
import time
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rag.embedding.encoder import Vectors, unit
from rag.reading.split import split_document
from rag.records import Document, Passage
from rag.store.generation import Manifest
from rag.store.rows import StoredDocument
from rag.store.store import Store

SPACE = "test space"
DIMENSION = 16

DOCUMENTS = [
    Document("crlf.txt", "Birinci satır.\r\nİkinci satır.\r\n\r\nÜçüncü.", "tr", "Başlık"),
    Document("nfd.txt", unicodedata.normalize("NFD", "Çağrı Şöför'ü gördü. Işık söndü."), "tr"),
    Document("dots.txt", "İSTANBUL ve ısırgan.\n\nıİiI aynı değildir.", "tr", date="2024-07-03"),
    Document("niqqud.txt", "בְּרֵאשִׁית בָּרָא.\n\nהַיֶּלֶד שָׁר \u200fשִׁיר.", "he", date="2024-07-05"),
    Document("tashkeel.txt", "كَتَبَ الْوَلَدُ دَرْسًا. قَرَأَ ٤١ كِتَابًا.", "ar", publisher="وكالة"),
    Document("emoji.txt", "Family: 👩‍👩‍👧‍👦 and 🇹🇷.\n\nDone \U0001f44d\U0001f3fd.", "en"),
    Document("pages.pdf", "Page one.\n\nPage two.", "en", page_starts=(0, 11), date="2023-12-31"),
]


def words(text: str) -> int:
    return len(text.split())


def passages_of(documents: list[Document]) -> list[Passage]:
    """Their passages of at most 30 words."""
    return [each for document in documents for each in split_document(document, words, 30)]


def vectors_of(passages: list[Passage], dimension: int = DIMENSION) -> Vectors:
    """Unit vectors that depend on the text alone."""
    digests = [hashlib.sha256(passage.text.encode()).digest()[:8] for passage in passages]
    draws = [np.random.default_rng(int.from_bytes(each, "big")) for each in digests]
    rows = [draw.normal(size=dimension) for draw in draws]
    return unit(np.array(rows, dtype=np.float32).reshape(len(rows), dimension))


def fill(store: Store, documents: list[Document], roots: tuple[str, ...] = ("/corpus",)) -> None:
    passages = passages_of(documents)
    manifest = Manifest(SPACE, DIMENSION, len(documents), len(passages), 30, roots)
    stored = [StoredDocument(document, roots, document.source) for document in documents]
    store.replace(manifest, stored, passages, vectors_of(passages))


def sources(store: Store) -> list[str]:
    return list(store.documents())


def note(text: str, source: str = "note.txt") -> list[Document]:
    return [Document(source, text, "en")]


def nearest_text(store: Store, text: str) -> str:
    """The text of the passage that is nearest to a text as a question."""
    passage = passages_of([Document("q", text)])[0]
    return store.nearest(vectors_of([passage])[0], 1)[0].passage.text


@contextmanager
def serve_chroma(folder: Path) -> Iterator[str]:
    """The URL of a real Chroma server on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/api/v2/heartbeat").close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield url
    finally:
        server.kill()
        server.wait()
