"""Articles that are added while the program runs answer, and leave no trace when removed."""

import gzip
import json
import os
import resource
import shutil
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from held_lock import hold

import rag
from rag.engine import Rag
from rag.errors import InputError, SettingsError, StoreError, StoreLockedError
from rag.ingestion.ingest import Progress
from rag.ingestion.staging import MOST_BYTES, MOST_NAME_BYTES, Refused
from rag.ingestion.uploads import Added, uploads_folder
from rag.reading.corpus import SUFFIXES, read_corpus
from rag.records import SkippedFile
from rag.settings import Settings

pytestmark = pytest.mark.slow

BRIDGE = "The Orlen bridge opened in 1987."
FERRY = "The ferry to Miras sails at nine."
TEA = "Çay saat beşte.\r\n\r\nHer gün."


def open_rag(store: Path, corpus: Path) -> Rag:
    return rag.open(store, Settings.read(model="none", corpus=corpus))


class FailingRag(Rag):
    """Its ingest fails at the first file; `held` is what the folder of uploads then held."""

    held: set[str]

    def add_files(
        self, files: Sequence[tuple[str, Path]], progress: Progress | None = None
    ) -> Added:
        def fail(stage: str, done: int, total: int) -> None:
            here = uploads_folder(self.settings).iterdir()
            self.held = {each.name for each in here if not each.name.startswith(".")}
            raise StoreError("the disk is full")

        return super().add_files(files, fail)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `corpus` and the `store` made of it, to which one article was added."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "sent").mkdir()
    (folder / "corpus").mkdir()
    (folder / "corpus" / "bridge.txt").write_text(BRIDGE)
    with open_rag(folder / "store", folder / "corpus") as engine:
        engine.ingest()
        shutil.copytree(folder / "store", folder / "plain")
        add(engine, folder / "sent", "çay.txt", TEA)
    return folder


@pytest.fixture
def filled(template: Path) -> Iterator[Rag]:
    """The template itself; nothing that is done to it may change it."""
    with open_rag(template / "store", template / "corpus") as engine:
        before = files(engine), engine.documents()
        yield engine
        assert (files(engine), engine.documents()) == before


@pytest.fixture
def engine(template: Path, tmp_path: Path) -> Iterator[Rag]:
    """A copy of the store before anything was added."""
    shutil.copytree(template / "plain", tmp_path / "store")
    with open_rag(tmp_path / "store", template / "corpus") as engine:
        yield engine


@pytest.fixture
def failing(template: Path) -> Iterator[FailingRag]:
    settings = Settings.read(model="none", corpus=template / "corpus", store=template / "store")
    with FailingRag(settings) as engine:
        yield engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a server would put what visitors send."""
    (tmp_path / "sent").mkdir()
    return tmp_path / "sent"


def sent(folder: Path, name: str, data: bytes | str) -> tuple[str, Path]:
    """A file as it comes: its owner's name for it, and its bytes under another one."""
    path = folder / f"upload{len(list(folder.iterdir()))}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return name, path


def add(engine: Rag, folder: Path, name: str, data: bytes | str) -> Added:
    return engine.add_files([sent(folder, name, data)])


def files(engine: Rag) -> dict[str, bytes]:
    """All that lies in the uploads' folder."""
    root = uploads_folder(engine.settings)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in ("lock", "lock.holder")
    }


def quotes(engine: Rag, question: str) -> list[str]:
    return [each.quote for each in engine.ask(question).citations]


# ---- added and removed ------------------------------------------------------------------


def test_what_is_added_answers_until_it_is_removed(engine: Rag, folder: Path) -> None:
    left = uploads_folder(engine.settings) / ".incoming" / "of a killed process"
    left.mkdir(parents=True)
    (left / "0").write_text("half")
    stages: list[str] = []
    name, path = sent(folder, "ferry.txt", FERRY)
    added = engine.add_files([(name, path)], lambda stage, done, total: stages.append(stage))
    assert added == Added(("ferry.txt",))
    assert {"reading", "splitting", "embedding", "storing"} <= set(stages)
    assert path.exists()
    assert files(engine) == {"ferry.txt": FERRY.encode()}
    assert engine.uploaded() == {"ferry.txt"}
    assert quotes(engine, "When does the ferry to Miras sail?") == [FERRY]
    assert engine.remove_file("ferry.txt") == ("ferry.txt",)
    assert "ferry.txt" not in engine.documents()
    assert "ferry.txt" not in {hit.source for hit in engine.search("ferry to Miras", k=50)}
    assert FERRY not in quotes(engine, "When does the ferry to Miras sail?")
    assert files(engine) == {}


def test_json_lines_leave_as_a_whole_even_without_their_file(engine: Rag, folder: Path) -> None:
    lines = [json.dumps({"id": i, "text": f"Notice {i}.\r\n{FERRY}"}) for i in (1, 2)]
    added = add(engine, folder, "notices.jsonl", "\n".join([*lines, "{", "[]"]))
    assert added.sources == ("notices.jsonl#1", "notices.jsonl#2")
    assert engine.documents()["notices.jsonl#2"].text == f"Notice 2.\r\n{FERRY}"
    (part,) = added.refused
    assert (part.name, part.why) == ("notices.jsonl", "unread")
    assert part.reason.startswith("line 3: is not JSON")
    assert part.reason.endswith("(and 1 more like it)")
    (uploads_folder(engine.settings) / "notices.jsonl").unlink()
    assert engine.remove_file("notices.jsonl#2") == added.sources
    assert list(engine.documents()) == ["bridge.txt"]


def test_the_first_article_of_all_may_be_an_added_one(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    with open_rag(tmp_path / "store", tmp_path / "empty") as engine:
        assert add(engine, folder, "ferry.txt", FERRY).sources == ("ferry.txt",)
        engine.remove_file("ferry.txt")
        assert engine.documents() == {}
        assert engine.search("ferry") == []


@pytest.mark.parametrize(
    "source", ["bridge.txt", "../../corpus/bridge.txt", "", "çay.txt#1", "ÇAY.TXT"]
)
def test_only_what_was_added_can_be_removed(filled: Rag, template: Path, source: str) -> None:
    with pytest.raises(InputError, match="was not added here; choose"):
        filled.remove_file(source)
    assert (template / "corpus" / "bridge.txt").read_text() == BRIDGE


def test_an_ingest_keeps_what_was_added_and_a_fresh_one_its_file(engine: Rag, folder: Path) -> None:
    add(engine, folder, "ferry.txt", FERRY)
    assert not engine.ingest().wrote
    engine.ingest(fresh=True)
    assert set(engine.documents()) == {"bridge.txt"}
    assert files(engine) == {"ferry.txt": FERRY.encode()}
    with FailingRag(engine.settings) as failing, pytest.raises(StoreError, match="full"):
        add(failing, folder, "ferry.txt", "It sails at ten.")
    assert failing.held == {"ferry.txt"}
    assert files(engine) == {"ferry.txt": FERRY.encode()}
    added = engine.add_files([sent(folder, "tea.txt", TEA), sent(folder, "ferry.txt", TEA * 2)])
    assert added == Added(("ferry.txt", "tea.txt"))
    assert engine.documents()["ferry.txt"].text == TEA * 2


def test_a_store_inside_its_corpus_takes_nothing(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bridge.txt").write_text(BRIDGE)
    with open_rag(tmp_path / "corpus" / ".store", tmp_path / "corpus") as engine:
        with pytest.raises(SettingsError, match=r"RAG_STORE=.*\.store lies in .*corpus"):
            add(engine, folder, "ferry.txt", FERRY)
        assert files(engine) == {}


# ---- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../ferry.txt", "ferry.txt"),
        ("/etc/ferry.txt", "ferry.txt"),
        ("C:\\Users\\me\\ferry.txt", "ferry.txt"),
        ("fer\0ry.txt", "ferry.txt"),
        ("fer\nry\x1b[31m.txt", "fer ry[31m.txt"),
        ("ferry\u202etxt.md", "ferrytxt.md"),
        ("דו\u200fח \u2067א.txt", "דוח א.txt"),
        ("fe\udcffrry.txt", "ferry.txt"),
        (" a\u00a0b .txt ", "a b .txt"),
        (unicodedata.normalize("NFD", "çağrı İ.TXT"), "çağrı İ.TXT"),
        ("C# & <b>notes</b>.txt", "b>.txt"),
        ("$(touch x).txt", "$(touch x).txt"),
    ],
)
def test_a_name_is_only_ever_a_name(
    failing: FailingRag, folder: Path, given: str, kept: str
) -> None:
    with pytest.raises(StoreError, match="the disk is full"):
        add(failing, folder, given, FERRY)
    assert failing.held == {"çay.txt", kept}
    assert set(files(failing)) == {"çay.txt"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "name"),
        ("..", "name"),
        ("folder/", "name"),
        (".hidden", "name"),
        (".txt", "name"),
        ("\u202e.txt", "name"),
        ("a.jsonl#1.txt", "name"),
        ("a" * 296 + ".txt", "name"),
        ("ש" * (MOST_NAME_BYTES // 2) + ".txt", "name"),
        ("articles.toml", "metadata"),
        ("../Articles.TOML", "metadata"),
        ("articles\u200b.toml", "metadata"),
        ("notes", "type"),
        ("notes.exe", "type"),
        ("notes.txt.", "type"),
        ("notes.toml", "type"),
    ],
)
def test_a_name_that_cannot_be_used_is_named(
    filled: Rag, folder: Path, name: str, why: str
) -> None:
    added = add(filled, folder, name, '["bridge.txt"]\ntitle = "Mine"')
    (refused,) = added.refused
    assert (refused.why, added.sources) == (why, ())
    assert len(refused.name) <= 80
    assert "\n" not in refused.reason


def test_the_types_are_those_of_the_reader(tmp_path: Path) -> None:
    (tmp_path / "notes.exe").write_text(FERRY)
    (skipped,) = read_corpus(tmp_path)
    assert isinstance(skipped, SkippedFile)
    assert skipped.reason == f"is not one of {', '.join(SUFFIXES)}; convert it"


# ---- what is refused -----------------------------------------------------------------------


def test_a_taken_name_is_refused_and_overwrites_nothing(filled: Rag, folder: Path) -> None:
    again = [
        sent(folder, "çay.txt", "Other words."),
        sent(folder, unicodedata.normalize("NFD", "Çay.txt"), "Other words too."),
        sent(folder, "bridge.txt", "A bridge of another kind."),
    ]
    assert [each.why for each in filled.add_files(again).refused] == ["taken"] * 3


def test_the_same_bytes_are_here_already(filled: Rag, folder: Path) -> None:
    again = [
        sent(folder, "çay.txt", TEA),
        sent(folder, "copy.txt", TEA),
        sent(folder, "bridge.txt", BRIDGE),
        sent(folder, "copy.md", BRIDGE),
    ]
    added = filled.add_files(again)
    assert [each.why for each in added.refused] == ["here"] * 4
    assert added.refused[1].reason.startswith("is here already as çay.txt")


def test_a_file_that_cannot_be_added_leaves_the_others(engine: Rag, folder: Path) -> None:
    some = [
        sent(folder, "broken.pdf", "not a PDF"),
        sent(folder, "ferry.txt", FERRY),
        sent(folder, "bytes.txt", b"\xff\x00"),
        sent(folder, "empty.md", " \n"),
        sent(folder, "broken.jsonl.gz", b"\x1f\x8b broken"),
        sent(folder, "again.txt", FERRY),
        sent(folder, "FERRY.txt", TEA),
    ]
    added = engine.add_files(some)
    assert added.sources == ("ferry.txt",)
    assert {each.name: each.why for each in added.refused} == {
        "broken.pdf": "unread",
        "bytes.txt": "unread",
        "empty.md": "unread",
        "broken.jsonl.gz": "unread",
        "again.txt": "here",
        "FERRY.txt": "taken",
    }
    assert Refused("empty.md", "unread", "holds no text") in added.refused
    assert files(engine) == {"ferry.txt": FERRY.encode()}


def test_what_is_too_large_is_refused_packed_or_not(filled: Rag, folder: Path) -> None:
    name, path = sent(folder, "large.txt", "")
    os.truncate(path, MOST_BYTES + 1)
    bomb = gzip.compress(b"a" * (MOST_BYTES + 1))
    added = filled.add_files([(name, path), sent(folder, "bomb.jsonl.gz", bomb)])
    assert [each.why for each in added.refused] == ["large", "large"]


# ---- all or nothing -------------------------------------------------------------------------


def test_another_writer_is_told_and_nothing_changes(filled: Rag, folder: Path) -> None:
    with hold(filled.settings.store_folder) as holder:
        with pytest.raises(StoreLockedError, match=rf"written by process {holder.pid} "):
            add(filled, folder, "new.txt", FERRY)
        with pytest.raises(StoreLockedError):
            filled.remove_file("çay.txt")
        holder.communicate("")


def test_another_process_that_adds_is_told(filled: Rag, folder: Path) -> None:
    with hold(uploads_folder(filled.settings) / ".incoming") as holder:
        with pytest.raises(StoreLockedError, match=rf"written by process {holder.pid} "):
            add(filled, folder, "new.txt", FERRY)
        holder.communicate("")


def test_a_full_disk_is_one_line(filled: Rag, folder: Path) -> None:
    file = sent(folder, "large.txt", FERRY * 1000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(FERRY), limits[1]))
    try:
        with pytest.raises(StoreError, match=r"uploads cannot be written \(File too large\)"):
            filled.add_files([file])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_threads_wait_for_each_other(engine: Rag, folder: Path) -> None:
    some = [sent(folder, f"{i}.txt", f"Notice {i}. {FERRY}") for i in range(2)]
    added: list[Added] = []
    threads = [
        threading.Thread(target=lambda one=one: added.append(engine.add_files([one])))
        for one in some
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.sources for each in added) == [("0.txt",), ("1.txt",)]
    assert engine.uploaded() == {"0.txt", "1.txt"}


def test_ingest_without_a_path_takes_the_folder_that_the_store_was_made_from(
    template: Path, tmp_path: Path
) -> None:
    shutil.copytree(template / "plain", tmp_path / "store")
    (tmp_path / "sent").mkdir()
    settings = Settings.read(model="none", store=tmp_path / "store")
    assert "corpus" not in settings.model_fields_set
    with Rag(settings) as engine:
        (added,) = add(engine, tmp_path / "sent", "tea.txt", TEA).sources
        report = engine.ingest()
        assert (report.unchanged, report.documents, report.wrote) == (2, 2, False)
        assert set(engine.documents()) == {"bridge.txt", added}
