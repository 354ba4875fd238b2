"""What is stored reads back unchanged, whoever writes or reads it meanwhile."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from small_store import (
    DIMENSION,
    DOCUMENTS,
    SPACE,
    fill,
    nearest_text,
    note,
    passages_of,
    sources,
    vectors_of,
)

from rag.embedding.encoder import unit
from rag.errors import InputError, SettingsError, StoreError
from rag.records import Document
from rag.store.generation import FORMAT, Manifest
from rag.store.rows import StoredDocument
from rag.store.store import Store

pytestmark = pytest.mark.slow


def test_reads_every_document_back_unchanged(filled: Store) -> None:
    read = [stored.document for stored in filled.documents().values()]
    assert read == sorted(DOCUMENTS, key=lambda document: document.source)


def test_reads_every_passage_back_as_a_slice_of_its_document(filled: Store) -> None:
    texts = {document.source: document.text for document in DOCUMENTS}
    found = filled.nearest(np.ones(DIMENSION, dtype=np.float32), 100)
    written = passages_of(DOCUMENTS)
    assert sorted(each.passage.to_json() for each in found) == sorted(
        passage.to_json() for passage in written
    )
    for passage in (each.passage for each in found):
        text = texts[passage.source]
        assert text[passage.start : passage.end] == passage.text
        assert all(text[s.start : s.end] == s.text for s in passage.sentences)


def test_counts_the_passages_of_each_document(filled: Store) -> None:
    expected = {each.source: len(passages_of([each])) for each in DOCUMENTS}
    assert max(expected.values()) > 1
    assert filled.passages_by_source() == expected


def test_counts_the_passages_of_the_store_that_is_current(store: Store) -> None:
    assert store.passages_by_source() == {}
    fill(store, note("One.\n\nTwo.", "a:1.jsonl#2:3"))
    assert store.passages_by_source() == {"a:1.jsonl#2:3": 2}
    fill(store, [])
    assert store.passages_by_source() == {}


def test_finds_the_nearest_first(filled: Store) -> None:
    passages = passages_of(DOCUMENTS)
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


def test_refuses_a_filter_before_it_looks_for_a_store(folder_store: Store) -> None:
    with pytest.raises(InputError, match="'autor'"):
        folder_store.nearest(np.ones(DIMENSION, np.float32), 1, {"autor": "x"})


def test_finds_all_of_the_nearest_among_many_or_nearly_all(tmp_path: Path) -> None:
    count = 1500
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(count, 64)).astype(np.float32))
    documents = [Document(str(i), "x") for i in range(count)]
    passages = passages_of(documents)
    stored = [StoredDocument(document, ("/c",), "") for document in documents]
    exact, approximate = Store(tmp_path), Store(tmp_path, exact_rows=count - 1)
    approximate.replace(Manifest(SPACE, 64, count, count, 9), stored, passages, vectors)
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
    passages = passages_of(note("The second one."))
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


# ---- readers and writers at once ---


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
