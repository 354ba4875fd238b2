"""What is stored reads back unchanged, whoever writes, reads or breaks it meanwhile."""

import dataclasses
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from chromadb.errors import NotFoundError
from numpy.typing import NDArray

import rag
from rag.errors import InputError, SettingsError, StoreError
from rag.reading.split import split_document
from rag.records import Document, Passage
from rag.settings import Settings
from rag.store.filters import parse_filter
from rag.store.store import FORMAT, Manifest, Store, StoredDocument

Vectors = NDArray[np.float32]
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


def vectors_of(passages: list[Passage], dimension: int = DIMENSION) -> Vectors:
    """Unit vectors that depend on the text alone."""
    rows = []
    for passage in passages:
        seed = int.from_bytes(hashlib.sha256(passage.text.encode()).digest()[:8], "big")
        rows.append(np.random.default_rng(seed).normal(size=dimension))
    vectors = np.array(rows, dtype=np.float32).reshape(len(rows), dimension)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def fill(store: Store, documents: list[Document], roots: tuple[str, ...] = ("/corpus",)) -> None:
    passages = [each for document in documents for each in split_document(document, words, 30)]
    manifest = Manifest(SPACE, DIMENSION, len(documents), len(passages), 30, roots)
    stored = [StoredDocument(document, roots, document.source) for document in documents]
    store.replace(manifest, stored, passages, vectors_of(passages))


def sources(store: Store) -> list[str]:
    return list(store.documents())


def note(text: str, source: str = "note.txt") -> list[Document]:
    return [Document(source, text, "en")]


def nearest_text(store: Store, text: str) -> str:
    """The text of the passage that is nearest to a text as a question."""
    passage = split_document(Document("q", text), words, 30)[0]
    return store.nearest(vectors_of([passage])[0], 1)[0].passage.text


@contextmanager
def serve_chroma(folder: Path) -> Iterator[str]:
    """The URL of a real Chroma server on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    command = [
        str(chroma),
        "run",
        "--path",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
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


@pytest.fixture(scope="module")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_chroma(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(params=["folder", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path, chroma_url: str) -> Iterator[Store]:
    """An empty store of either kind."""
    server = request.param == "server"
    prefix = f"t{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    store = Store(tmp_path / "store", prefix, chroma_url if server else "")
    yield store
    store.close()


@pytest.fixture
def folder_store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture(scope="module", params=["folder", "folder, approximate", "server"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chroma_url: str
) -> Iterator[Store]:
    """A store of each kind that holds DOCUMENTS; only to be read."""
    url = chroma_url if request.param == "server" else ""
    exact_rows = 1000 if request.param == "folder" else 0
    store = Store(tmp_path_factory.mktemp("filled"), "filled", url, exact_rows)
    fill(store, DOCUMENTS)
    yield store
    store.close()


# ---- what is stored ----------------------------------------------------------------


def test_reads_every_document_back_unchanged(filled: Store) -> None:
    read = [stored.document for stored in filled.documents().values()]
    assert read == sorted(DOCUMENTS, key=lambda document: document.source)


def test_reads_every_passage_back_as_a_slice_of_its_document(filled: Store) -> None:
    texts = {document.source: document.text for document in DOCUMENTS}
    found = filled.nearest(np.ones(DIMENSION, dtype=np.float32), 100)
    written = [each for document in DOCUMENTS for each in split_document(document, words, 30)]
    assert sorted(each.passage.to_json() for each in found) == sorted(
        passage.to_json() for passage in written
    )
    for passage in (each.passage for each in found):
        text = texts[passage.source]
        assert text[passage.start : passage.end] == passage.text
        assert all(text[s.start : s.end] == s.text for s in passage.sentences)


def test_counts_the_passages_of_each_document(filled: Store) -> None:
    expected = {each.source: len(split_document(each, words, 30)) for each in DOCUMENTS}
    assert max(expected.values()) > 1
    assert filled.passages_by_source() == expected


def test_counts_the_passages_of_the_store_that_is_current(store: Store) -> None:
    assert store.passages_by_source() == {}
    fill(store, note("One.\n\nTwo.", "a:1.jsonl#2:3"))
    assert store.passages_by_source() == {"a:1.jsonl#2:3": 2}
    fill(store, [])
    assert store.passages_by_source() == {}


def test_finds_the_nearest_first(filled: Store) -> None:
    passages = [each for document in DOCUMENTS for each in split_document(document, words, 30)]
    question = vectors_of(passages)[3] + vectors_of(passages)[5]
    question /= np.linalg.norm(question)
    cosines = vectors_of(passages) @ question
    found = filled.nearest(question, 4)
    assert [each.passage for each in found] == [passages[i] for i in np.argsort(-cosines)[:4]]
    assert [each.cosine for each in found] == pytest.approx(sorted(cosines)[:-5:-1], abs=1e-5)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"lang": "he"}, {"niqqud.txt"}),
        ({"lang": ["he", "ar"]}, {"niqqud.txt", "tashkeel.txt"}),
        ({"source": ["emoji.txt", "crlf.txt", "nowhere"]}, {"emoji.txt", "crlf.txt"}),
        ({"date": {"gte": "2024-07-03"}}, {"dots.txt", "niqqud.txt"}),
        ({"date": {"gt": "2024-07-03"}}, {"niqqud.txt"}),
        ({"date": {"lt": "2024-07-03"}}, {"pages.pdf"}),
        ({"date": {"gte": "2024-01-01", "lte": "2024-07-04"}}, {"dots.txt"}),
        ({"date": "2024-07-05"}, {"niqqud.txt"}),
        ({"publisher": "وكالة"}, {"tashkeel.txt"}),
        ({"title": "Başlık", "lang": "tr"}, {"crlf.txt"}),
        (
            {"publisher": ["وكالة", ""], "lang": ("ar", "tr")},
            {"tashkeel.txt", "crlf.txt", "nfd.txt", "dots.txt"},
        ),
        ({"title": ["Başlık", "No such"]}, {"crlf.txt"}),
        ({"source": "crlf"}, set()),
        ({"date": ["2024-07-05", "2023-12-31"]}, {"niqqud.txt", "pages.pdf"}),
        ({"date": {"lte": "2024-07-03", "gt": "2024-07-03"}}, set()),
        ({"lang": "fi"}, set()),
    ],
)
def test_filters(filled: Store, where: dict[str, object], expected: set[str]) -> None:
    found = filled.nearest(np.ones(DIMENSION, np.float32), 100, where)
    assert {each.passage.source for each in found} == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"autor": "x"}, "'autor'; use one of lang, date, source, publisher, title"),
        ({"lang": []}, r"cannot filter lang by \[\]"),
        ({"lang": {"gte": "a"}}, "cannot filter lang by"),
        ({"date": {"since": "2024-01-01"}}, "'since'; use gte, gt, lte, lt"),
        ({"date": {"gte": "July 2024"}}, "'July 2024' is not a date; write it as 2024-01-31"),
        ({"date": "yesterday"}, "'yesterday' is not a date"),
    ],
)
def test_refuses_a_filter_that_means_nothing(where: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_filter(where)


def test_refuses_a_filter_before_it_looks_for_a_store(folder_store: Store) -> None:
    with pytest.raises(InputError, match="'autor'"):
        folder_store.nearest(np.ones(DIMENSION, np.float32), 1, {"autor": "x"})


def test_finds_all_of_the_nearest_among_many_or_nearly_all(tmp_path: Path) -> None:
    count = 1500
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    documents = [Document(str(i), "x") for i in range(count)]
    passages = [each for document in documents for each in split_document(document, words, 9)]
    stored = [StoredDocument(document, ("/c",), "") for document in documents]
    exact, approximate = Store(tmp_path), Store(tmp_path, exact_rows=count - 1)
    exact.replace(Manifest(SPACE, 64, count, count, 9), stored, passages, vectors)
    question = vectors[:20].mean(axis=0)
    nearest = set(np.argsort(vectors @ -question)[:200].tolist())
    found = [
        {int(each.passage.source) for each in store.nearest(question, 200)}
        for store in (exact, approximate)
    ]
    assert found[0] == nearest
    assert len(found[1] & nearest) >= 196
    exact.close()
    approximate.close()


# ---- one generation takes the place of another --------------------------------------


def test_what_is_replaced_is_gone(store: Store) -> None:
    fill(store, DOCUMENTS)
    fill(store, note("Only this is left."))
    assert sources(store) == ["note.txt"]
    assert [each.passage.text for each in store.nearest(np.ones(DIMENSION, np.float32), 9)] == [
        "Only this is left."
    ]


def test_an_empty_store_says_how_to_fill_it(store: Store) -> None:
    assert store.manifest() is None
    assert store.documents() == {}
    with pytest.raises(StoreError, match="is empty; fill it: rag ingest PATH"):
        store.nearest(np.ones(DIMENSION, np.float32), 1)


def test_a_store_without_passages_finds_nothing(store: Store) -> None:
    fill(store, [])
    assert store.documents() == {}
    assert store.nearest(np.ones(DIMENSION, np.float32), 3) == []


def test_a_store_without_passages_needs_no_dimension(store: Store) -> None:
    nothing = np.zeros((0,), np.float32)
    store.replace(Manifest(SPACE, DIMENSION, 0, 0, 30), [], [], nothing)
    assert store.nearest(np.ones(DIMENSION, np.float32), 3, {"lang": "he"}) == []
    store.verify()


def test_what_does_not_verify_never_becomes_current(store: Store) -> None:
    fill(store, note("The first one."))
    passages = split_document(note("The second one.")[0], words, 30)
    wrong = Manifest(SPACE, DIMENSION, 0, 2, 30)
    with pytest.raises(StoreError, match=r"1 passages are there, .*2 were written"):
        store.replace(wrong, [], passages, vectors_of(passages))
    assert nearest_text(store, "x") == "The first one."


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("format", FORMAT - 1, "has format 1, this program uses 2"),
        ("metric", "l2", "has metric 'l2'"),
        ("space", "another model", "has embedding model 'another model'"),
    ],
)
def test_names_what_does_not_fit_and_the_mend(
    tmp_path: Path, name: str, value: object, told: str
) -> None:
    store = Store(tmp_path)
    fill(store, note("One."), roots=("/my articles",))
    assert store.check(SPACE).passages == 1
    pointer = json.loads((tmp_path / "current.json").read_text())
    pointer["manifest"][name] = value
    (tmp_path / "current.json").write_text(json.dumps(pointer))
    with pytest.raises(StoreError, match=told) as raised:
        store.check(SPACE)
    assert str(raised.value).endswith("rag ingest '/my articles' --rebuild")
    store.close()


def test_refuses_a_vector_of_another_length(filled: Store) -> None:
    with pytest.raises(StoreError, match=r"of 16 dimensions, .* makes 3; .*--rebuild"):
        filled.nearest(np.ones(3, np.float32), 1)


def test_a_collection_name_must_be_one_for_chroma(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="RAG_COLLECTION='şehir'"):
        Store(tmp_path, "şehir")


# ---- readers and writers at once ------------------------------------------------------


def test_threads_read_on_while_another_object_replaces_the_store(tmp_path: Path) -> None:
    writer, reader = Store(tmp_path), Store(tmp_path)
    fill(writer, note("State 0 holds."))
    done, seen = threading.Event(), set[str]()
    failures: list[BaseException] = []

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(nearest_text(reader, "x"))
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for state in range(1, 3):
        fill(writer, note(f"State {state} holds."))
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert seen >= {"State 0 holds.", "State 1 holds."}
    assert nearest_text(reader, "x") == "State 2 holds."
    reader.close()
    writer.close()


def test_a_generation_in_use_is_closed_by_its_last_reader(folder_store: Store) -> None:
    fill(folder_store, note("Old."))
    current = folder_store._current()
    with folder_store._reading(*current) as old:
        fill(folder_store, note("New."))
        assert nearest_text(folder_store, "x") == "New."
        folder_store.close()
        assert old.collections.passages.count() == 1
    with pytest.raises(AttributeError):  # Chroma's own way to say that it is closed
        old.collections.passages.count()


def test_a_reader_survives_two_ingests_that_drop_what_it_has_open(tmp_path: Path) -> None:
    writer, reader = Store(tmp_path), Store(tmp_path)
    fill(writer, note("First."))
    assert nearest_text(reader, "x") == "First."
    fill(writer, note("Second."))
    fill(writer, note("Third."))
    assert nearest_text(reader, "x") == "Third."
    assert sources(reader) == ["note.txt"]
    reader.close()
    writer.close()


def test_closing_one_object_leaves_another_on_the_same_folder_open(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    fill(first, note("Shared."))
    assert nearest_text(first, "x") == nearest_text(second, "x")
    first.close()
    assert nearest_text(second, "x") == "Shared."
    assert nearest_text(first, "x") == "Shared."
    first.close()
    second.close()


def test_reading_changes_no_file_of_the_index(folder_store: Store) -> None:
    fill(folder_store, [*DOCUMENTS, *note("More.")])

    def index() -> dict[str, str]:
        files = (folder_store.folder / "generations").rglob("*.*")
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name != "chroma.sqlite3"
        }

    before = index()
    assert any(name.endswith("index_metadata.pickle") for name in before)
    assert nearest_text(folder_store, "x")
    folder_store.close()
    assert index() == before


def test_keeps_the_generation_before_and_tidies_what_a_dead_writer_left(
    folder_store: Store,
) -> None:
    fill(folder_store, note("One."))
    fill(folder_store, note("Two."))
    generations = folder_store.folder / "generations"
    (generations / "0123456789ab").mkdir()
    folder_store.tidy()
    assert len(list(generations.iterdir())) == 2
    assert nearest_text(folder_store, "x") == "Two."


def test_the_child_that_verifies_takes_nothing_from_the_working_folder(
    folder_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromadb.py").write_text("raise SystemExit('the wrong chromadb')")
    (tmp_path / "rag").mkdir()
    monkeypatch.chdir(tmp_path)
    fill(folder_store, note("Verified."))
    assert nearest_text(folder_store, "x") == "Verified."


# ---- broken stores -----------------------------------------------------------------


@pytest.mark.parametrize(
    "pointer",
    ["", "{", "null", "[]", "{}", '{"generation": "../..", "manifest": {}}', b"\xff\xfe\x00"],
)
def test_a_broken_pointer_is_named_with_its_mend(tmp_path: Path, pointer: str | bytes) -> None:
    data = pointer if isinstance(pointer, bytes) else pointer.encode()
    (tmp_path / "current.json").write_bytes(data)
    with pytest.raises(StoreError, match=r"current\.json cannot be read .*rag ingest PATH --fresh"):
        Store(tmp_path).manifest()


def generation_of(store: Store) -> Path:
    (path,) = (store.folder / "generations").iterdir()
    return path


def damage_nothing_left(path: Path) -> None:
    shutil.rmtree(path)


def damage_database(path: Path) -> None:
    with (path / "chroma.sqlite3").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(400_000))


def damage_database_cut(path: Path) -> None:
    os.truncate(path / "chroma.sqlite3", 5000)


def damage_no_database(path: Path) -> None:
    (path / "chroma.sqlite3").unlink()


def damage_index(path: Path) -> None:
    for file in path.glob("*/data_level0.bin"):
        os.truncate(file, 100)


def damage_index_gone(path: Path) -> None:
    for folder in filter(Path.is_dir, path.iterdir()):
        shutil.rmtree(folder)


def damage_vectors_gone(path: Path) -> None:
    (path / "exact" / "vectors.npy").unlink()


def damage_vectors_cut(path: Path) -> None:
    os.truncate(path / "exact" / "vectors.npy", 200)


def damage_vectors(path: Path) -> None:
    file = path / "exact" / "vectors.npy"
    np.save(file, -np.load(file))


def damage_vectors_fewer(path: Path) -> None:
    for file in (path / "exact").glob("*.npy"):
        rows = np.load(file)
        np.save(file, rows[:-1] if file.stem == "vectors" else rows[:, :-1])


def damage_columns(path: Path) -> None:
    file = path / "exact" / "columns.npy"
    np.save(file, np.load(file)[:, :-1])


def damage_values(path: Path) -> None:
    file = path / "exact" / "values.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"tr"', '"fi"'), encoding="utf-8")


DAMAGES = [
    damage_nothing_left,
    damage_database,
    damage_database_cut,
    damage_no_database,
    damage_index,
    damage_index_gone,
    damage_vectors_gone,
    damage_vectors_cut,
    damage_vectors,
    damage_vectors_fewer,
    damage_columns,
    damage_values,
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that nothing is wrong with; to be copied."""
    store = Store(tmp_path_factory.mktemp("sound"))
    fill(store, DOCUMENTS)
    store.close()
    return store.folder


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_broken_generation_is_told_with_its_mend(
    sound: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    damage(generation_of(store))
    told = r"cannot be read \(.*\); make it anew from its articles: rag ingest /corpus --rebuild"
    with pytest.raises(StoreError, match=told) as raised:
        store.verify()
    assert "\n" not in str(raised.value)


def test_a_broken_generation_can_be_replaced(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    damage_database(generation_of(store))
    fill(store, note("Made anew."))
    assert nearest_text(store, "x") == "Made anew."
    store.close()


def test_documents_can_be_read_without_the_exact_index(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    shutil.rmtree(generation_of(store) / "exact")
    assert sources(store) == sorted(document.source for document in DOCUMENTS)
    with pytest.raises(StoreError, match=r"vectors\.npy.*; make it anew .* /corpus --rebuild"):
        nearest_text(store, "x")
    store.close()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody can write the folder; as root that takes a mount."""
    if os.geteuid():
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        return
    if subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode:
        pytest.skip("root without the right to mount writes everywhere")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_store_can_be_read_but_not_written(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    with read_only(store.folder):
        assert nearest_text(store, "x")
        assert sources(store) == sorted(document.source for document in DOCUMENTS)
        with pytest.raises(StoreError, match=r"cannot be written .*RAG_STORE"):
            fill(store, note("No."))
        store.close()


def test_the_exact_index_of_a_read_only_store_is_not_copied(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    with read_only(store.folder):
        assert nearest_text(store, "x")
        copied = {path.name for path in (tmp_path / "temporary").rglob("*")}
        store.close()
    assert "chroma.sqlite3" in copied
    assert not {"exact", "vectors.npy"} & copied


# ---- the server ------------------------------------------------------------------------


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
