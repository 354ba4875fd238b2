"""The store mirrors its folders, whatever happens to them, to it and to the writer."""

import json
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TypeVar

import pytest
from held_lock import hold
from hypothesis import given, settings
from hypothesis import strategies as st

import rag
from rag.engine import Rag
from rag.errors import InputError, StoreError, StoreLockedError
from rag.resources import seeds_folder
from rag.settings import Settings

pytestmark = pytest.mark.slow

T = TypeVar("T")

BRIDGE = "When did the Orlen bridge open?"
TEXTS = {
    "bridge.txt": "The Orlen bridge opened in 1987.",
    "han.txt": "Kervansaray bugün bir müzedir.\n\nGiriş ücretsizdir.",
    "harbour.txt": "הנמל נסגר בשנת 1990.",
}


def open_rag(store: Path, corpus: Path, **flags: str) -> Rag:
    return rag.open(store, Settings.read(model="none", corpus=corpus, **flags))


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def bridge(year: int) -> str:
    return f"The Orlen bridge opened in {year}."


def quoted(engine: Rag) -> str:
    return engine.ask(BRIDGE).citations[0].quote


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus", TEXTS)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `corpus` and the `store` made of it; to be copied."""
    folder = tmp_path_factory.mktemp("template")
    with open_rag(folder / "store", write(folder / "corpus", TEXTS)) as engine:
        engine.ingest()
    return folder


@pytest.fixture
def engine(template: Path, tmp_path: Path, corpus: Path) -> Iterator[Rag]:
    """An empty store that knows the vectors of TEXTS already, to save the time."""
    (tmp_path / "store").mkdir()
    shutil.copy(template / "store" / "vectors.sqlite", tmp_path / "store")
    with open_rag(tmp_path / "store", corpus) as engine:
        yield engine


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[Rag]:
    """A copy of the template, whose articles came from the template's own corpus."""
    shutil.copytree(template / "store", tmp_path / "store")
    with open_rag(tmp_path / "store", template / "corpus") as engine:
        yield engine


def contents(engine: Rag) -> object:
    """All that a store tells its readers, in an order of its own."""
    hits = engine.search("anything", k=100)
    return (
        {source: document.to_dict() for source, document in engine.documents().items()},
        sorted((h.source, h.start, h.end, h.text, h.lang, round(h.score, 4)) for h in hits),
    )


# ---- what a folder holds ----------------------------------------------------------


def test_mirrors_what_was_added_replaced_and_removed(engine: Rag, corpus: Path) -> None:
    report = engine.ingest()
    assert (report.added, report.documents) == (("bridge.txt", "han.txt", "harbour.txt"), 3)
    write(corpus, {"bridge.txt": bridge(1991), "new.txt": TEXTS["harbour.txt"]})
    (corpus / "han.txt").unlink()
    report = engine.ingest()
    assert (report.added, report.replaced, report.removed, report.unchanged) == (
        ("new.txt",),
        ("bridge.txt",),
        ("han.txt",),
        1,
    )
    assert quoted(engine) == bridge(1991)
    assert {hit.source for hit in engine.search("museum", k=50)} == {
        "bridge.txt",
        "new.txt",
        "harbour.txt",
    }


def test_writes_nothing_when_nothing_changed(made: Rag) -> None:
    pointer = made.parts.store.folder / "current.json"
    before = pointer.read_bytes()
    report = made.ingest()
    assert not report.wrote
    assert (report.unchanged, report.documents, report.passages) == (3, 3, 4)
    assert pointer.read_bytes() == before


NAMES = st.sampled_from(["a.txt", "b.md", "sub/c.txt"])
ARTICLES = st.sampled_from(["Köprü 1987'de açıldı.\r\n\r\nSonra kapandı.", "הגשר נפתח.", ""])
EDITS = st.lists(st.dictionaries(NAMES, ARTICLES, min_size=1, max_size=2), min_size=2, max_size=2)


@given(EDITS)
@settings(max_examples=3, deadline=None)
def test_after_any_edits_the_store_equals_a_fresh_one(edits: list[dict[str, str]]) -> None:
    """An empty text stands for a file that is removed."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        folder = write(Path(name), {"corpus/always.txt": "This one stays."}) / "corpus"
        with open_rag(Path(name, "store"), folder) as engine:
            for edit in edits:
                write(folder, edit)
                for source in (source for source, text in edit.items() if not text):
                    (folder / source).unlink()
                engine.ingest()
            assert not engine.ingest().wrote
            with open_rag(Path(name, "fresh"), folder) as fresh:
                fresh.ingest()
                assert contents(engine) == contents(fresh)


def test_every_slice_that_is_read_back_is_the_files_own_text(tmp_path: Path) -> None:
    texts = {
        "crlf.txt": "Birinci satır.\r\nİkinci.\r\n\r\nÜçüncü satır.",
        "nfd.txt": unicodedata.normalize("NFD", "Çağrı Şöför'ü gördü. Işık söndü."),
        "dots.txt": "İSTANBUL, ISPARTA. ıİiI aynı değildir.",
        "niqqud.txt": "בְּרֵאשִׁית בָּרָא.\n\nהַיֶּלֶד שָׁר \u200fשִׁיר.",
        "tashkeel.txt": "كَتَبَ الْوَلَدُ دَرْسًا. قَرَأَ ٤١ كِتَابًا.",
        "emoji.txt": "Family: 👩‍👩‍👧‍👦 and 🇹🇷. Done 👍🏽!",
    }
    with open_rag(tmp_path / "store", write(tmp_path / "corpus", texts)) as engine:
        hits = engine.search("family", k=100)
        stored = {source: document.text for source, document in engine.documents().items()}
        answer = engine.ask("Kim gördü?")
    assert stored == texts
    assert {hit.source for hit in hits} == texts.keys()
    for hit in (*hits, *answer.hits):
        assert stored[hit.source][hit.start : hit.end] == hit.text
        assert all(stored[hit.source][s.start : s.end] == s.text for s in hit.sentences)
    for citation in answer.citations:
        assert stored[citation.source][citation.start : citation.end] == citation.quote


def test_an_empty_folder_is_bad_input_and_names_what_was_skipped(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with open_rag(tmp_path / "store", empty) as engine:
        with pytest.raises(InputError, match=f"no article to read in {empty}; put texts there"):
            engine.ask(BRIDGE)
        (empty / "table.xlsx").write_text("x")
        with pytest.raises(InputError, match=r"\(table\.xlsx: is not one of .txt"):
            engine.ingest()
        write(empty, {"bridge.txt": bridge(1987)})
        assert quoted(engine) == bridge(1987)


def test_a_folder_that_was_emptied_empties_the_store(engine: Rag, corpus: Path) -> None:
    write(corpus, {"late.txt": "Late."})
    engine.ingest()
    shutil.rmtree(corpus)
    corpus.mkdir()
    assert len(engine.ingest().removed) == 4
    assert engine.ask(BRIDGE).abstained
    assert engine.search(BRIDGE) == []
    assert not engine.ingest().wrote
    write(corpus, {"bridge.txt": bridge(1991)})
    engine.ingest()
    assert quoted(engine) == bridge(1991)


def test_a_path_that_is_not_there_is_bad_input(made: Rag) -> None:
    with pytest.raises(InputError, match="there is no folder or file /nowhere; name one"):
        made.ingest("/nowhere")


def test_a_single_file_is_a_corpus(tmp_path: Path, corpus: Path) -> None:
    with open_rag(tmp_path / "store", corpus / "bridge.txt") as engine:
        assert quoted(engine) == bridge(1987)
        assert [*engine.documents()] == ["bridge.txt"]


def calls_of(work: Callable[[], T]) -> tuple[T, int]:
    """What comes of it, and how many functions it calls: its work, whatever else runs here."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        return work(), calls
    finally:
        sys.setprofile(None)


def test_many_records_take_work_in_proportion(tmp_path: Path) -> None:
    """Distinct texts are few, so that what is counted is all but the embedding."""
    calls = {}
    for count in (200, 800):
        lines = (json.dumps({"id": i, "text": f"Kayıt {i % 5}."}) for i in range(count))
        file = tmp_path / f"{count}.jsonl"
        file.write_text("\n".join(lines))
        with open_rag(tmp_path / f"store-{count}", file) as engine:
            report, calls[count] = calls_of(engine.ingest)
            assert (report.documents, report.passages) == (count, count)
            assert engine.search("Kayıt 2", k=3, where={"source": f"{count}.jsonl#27"})
    assert calls[800] < 5 * calls[200]


# ---- several folders -----------------------------------------------------------------


def test_folders_are_kept_apart(made: Rag, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"more.txt": "More is known."})
    assert made.ingest(other).added == ("more.txt",)
    (other / "more.txt").unlink()
    report = made.ingest(other)
    assert (report.removed, report.documents) == (("more.txt",), 3)


def test_another_article_of_the_same_name_is_named_and_left_out(made: Rag, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"bridge.txt": bridge(2001), "more.txt": "More."})
    report = made.ingest(other)
    assert (report.added, report.replaced) == (("more.txt",), ())
    (skipped,) = report.skipped
    assert skipped.source == "bridge.txt"
    assert skipped.reason.endswith(
        "corpus brought another article of this name; rename one of them"
    )
    assert quoted(made) == bridge(1987)
    (other / "bridge.txt").rename(other / "bridge-2001.txt")
    assert made.ingest(other).added == ("bridge-2001.txt",)


def test_a_copy_in_two_folders_stays_until_it_left_both(engine: Rag, tmp_path: Path) -> None:
    engine.ingest()
    other = write(tmp_path / "other", {"bridge.txt": bridge(1987)})
    assert engine.ingest(other).replaced == ("bridge.txt",)
    (tmp_path / "corpus" / "bridge.txt").unlink()
    assert engine.ingest().removed == ()
    (other / "bridge.txt").unlink()
    assert engine.ingest(other).removed == ("bridge.txt",)


def test_an_article_of_a_folder_that_is_gone_gives_way(engine: Rag, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"bridge.txt": bridge(2001)})
    engine.ingest(other)
    shutil.rmtree(other)
    report = engine.ingest()
    assert (report.replaced, report.skipped) == (("bridge.txt",), ())
    assert quoted(engine) == bridge(1987)


def test_a_path_inside_an_ingested_folder_stands_for_the_folder(engine: Rag, corpus: Path) -> None:
    engine.ingest()
    write(corpus, {"bridge.txt": bridge(1991)})
    report = engine.ingest(corpus / "bridge.txt")
    assert (report.replaced, report.removed, report.skipped) == (("bridge.txt",), (), ())


def test_an_outer_folder_takes_over_what_lies_in_it(engine: Rag, corpus: Path) -> None:
    engine.ingest()
    report = engine.ingest(corpus.parent / "corpus" / "..")
    assert "corpus/bridge.txt" in report.added
    assert "bridge.txt" in report.removed


def test_fresh_forgets_the_other_folders(made: Rag, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"more.txt": "More is known."})
    assert made.ingest(other, fresh=True).documents == 1


# ---- stores that do not fit ------------------------------------------------------------


def change_manifest(engine: Rag, **values: object) -> None:
    path = engine.parts.store.folder / "current.json"
    pointer = json.loads(path.read_text())
    pointer["manifest"] |= values
    path.write_text(json.dumps(pointer))


@pytest.mark.parametrize(
    "values", [{"format": 0}, {"space": "another model"}, {"metric": "l2"}, {"dimension": 7}]
)
def test_what_does_not_fit_is_mended_by_the_named_command(
    made: Rag, values: dict[str, object]
) -> None:
    change_manifest(made, **values)
    with pytest.raises(StoreError) as raised:
        made.ask(BRIDGE)
    path = made.settings.corpus
    assert str(raised.value).endswith(
        f"make it anew from its articles: rag ingest {path} --rebuild"
    )
    assert made.ingest(path, rebuild=True).wrote
    assert quoted(made) == bridge(1987)


def test_vectors_of_another_length_in_the_cache_are_made_again(made: Rag) -> None:
    import numpy as np

    cache, embedder = made.parts.cache, made.parts.embedder
    cache.put({cache.key(embedder.name, bridge(1987)): np.ones(7, dtype=np.float32)})
    made.ingest(rebuild=True)
    assert quoted(made) == bridge(1987)


@pytest.mark.parametrize("broken", ["generations", "current.json", "vectors.sqlite"])
def test_what_is_broken_or_gone_is_mended_by_the_named_command(made: Rag, broken: str) -> None:
    made.close()
    path = made.parts.store.folder / broken
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_bytes(b"not what it was")
    if broken != "vectors.sqlite":
        with pytest.raises(StoreError, match=r"rag ingest \S+ (--rebuild|--fresh)$") as raised:
            made.ask(BRIDGE)
        made.ingest(fresh="--fresh" in str(raised.value), rebuild="--rebuild" in str(raised.value))
    assert quoted(made) == bridge(1987)


def test_a_broken_store_of_two_folders_asks_for_both(made: Rag, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"more.txt": "More."})
    made.ingest(other)
    made.close()
    for path in (made.parts.store.folder / "generations").glob("*/chroma.sqlite3"):
        path.write_bytes(b"not what it was" * 1000)
    with pytest.raises(StoreError, match=f"corpus, {other}.*rag ingest PATH --fresh"):
        made.ingest(rebuild=True)
    assert made.ingest(fresh=True).documents == 3
    assert made.ingest(other).documents == 4


# ---- several at once --------------------------------------------------------------------


def test_a_second_writer_is_told_who_writes(made: Rag) -> None:
    with hold(made.parts.store.folder) as holder:
        with pytest.raises(StoreLockedError, match=f"being written by process {holder.pid} on"):
            made.ingest()
        assert quoted(made) == bridge(1987)
        holder.communicate("")
    assert not made.ingest().wrote


def test_two_writers_at_once_leave_what_one_of_them_wrote(template: Path, tmp_path: Path) -> None:
    folders = [write(tmp_path / f"corpus-{i}", {f"{i}.txt": f"This is {i}."}) for i in range(2)]
    commands = [command(tmp_path / "store", folder, "ingest") for folder in folders]
    writers = [subprocess.Popen(each, stderr=subprocess.PIPE, text=True) for each in commands]
    errors = [writer.communicate()[1] for writer in writers]
    codes = sorted(writer.returncode for writer in writers)
    assert codes in ([0, 1], [0, 0])
    assert ("is being written by" in "".join(errors)) == (codes == [0, 1])
    with open_rag(tmp_path / "store", folders[0]) as engine:
        assert len(engine.documents()) == codes.count(0)


def test_several_engines_and_threads_read_what_another_engine_writes(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"bridge.txt": bridge(1987)})
    engines = [open_rag(tmp_path / "store", corpus) for _ in range(3)]
    engines[0].ingest()
    seen: list[str] = []
    done = threading.Event()

    def ask(engine: Rag) -> None:
        while not done.is_set():
            seen.append(quoted(engine))

    threads = [threading.Thread(target=ask, args=(engine,)) for engine in engines[1:]]
    for thread in threads:
        thread.start()
    write(corpus, {"bridge.txt": bridge(1991)})
    engines[0].ingest()
    done.set()
    for thread in threads:
        thread.join()
    assert {bridge(1987)} <= set(seen) <= {bridge(1987), bridge(1991)}
    assert [quoted(engine) for engine in engines] == [bridge(1991)] * 3
    for engine in engines:
        engine.close()


# ---- writers that end early ---------------------------------------------------------------


def command(store: Path, corpus: Path, *arguments: str) -> list[str]:
    program = [sys.executable, "-c", "from rag.cli import main; main()"]
    return [*program, *arguments, "--store", str(store), "--corpus", str(corpus), "--model", "none"]


def strays(store: Path) -> set[str]:
    """Generation folders that the pointer does not name."""
    pointer = json.loads((store / "current.json").read_text())
    present = {path.name for path in (store / "generations").iterdir()}
    return present - {pointer["generation"], pointer["previous"]}


def kept_vectors(store: Path) -> int:
    """How many texts the cache holds the vector of; a running ingest adds to it in batches."""
    with closing(sqlite3.connect(f"file:{store / 'vectors.sqlite'}?mode=ro", uri=True)) as cache:
        return int(cache.execute("SELECT count(*) FROM vectors").fetchone()[0])


def test_kill_9_at_any_moment_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"bridge.txt": bridge(1987)})
    store = tmp_path / "store"
    started = time.monotonic()
    subprocess.run(command(store, corpus, "ingest"), check=True, capture_output=True)
    whole = time.monotonic() - started
    chance = random.Random(20)
    with open_rag(store, corpus) as engine:
        for year in range(2000, 2020):
            old = quoted(engine)
            write(corpus, {"bridge.txt": bridge(year)})
            writer = subprocess.Popen(command(store, corpus, "ingest"), stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, whole))
            writer.kill()
            writer.wait()
            assert quoted(engine) in (old, bridge(year))
            engine.ingest()
            assert quoted(engine) == bridge(year)
            assert strays(store) == set()


def test_ctrl_c_leaves_the_store_as_it_was_and_says_one_word(made: Rag, tmp_path: Path) -> None:
    store = made.parts.store.folder
    texts = {f"{i}.txt": "\n\n".join(f"Text {i} {j}." for j in range(300)) for i in range(9)}
    corpus = write(tmp_path / "corpus", texts)
    before = kept_vectors(store)
    writer = subprocess.Popen(command(store, corpus, "ingest"), stderr=subprocess.PIPE, text=True)
    holder = store / "lock.holder"
    while kept_vectors(store) == before:  # until it is in the middle of its work
        assert writer.poll() is None
        time.sleep(0.02)
    assert holder.exists()
    writer.send_signal(signal.SIGINT)
    assert writer.communicate()[1].strip() == "stopped"
    assert writer.returncode == 130
    assert len(made.documents()) == 3
    assert not holder.exists()


@pytest.mark.parametrize("limit", [100, 20_000, 150_000])
def test_a_full_disk_leaves_the_store_as_it_was(made: Rag, tmp_path: Path, limit: int) -> None:
    """A limit on the size of a file stands in for the disk: it is hit in the same calls."""
    corpus = write(tmp_path / "corpus", {"bridge.txt": bridge(1991), "a.txt": "A. " * 30})

    def shrink() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = subprocess.run(
        command(made.parts.store.folder, corpus, "ingest", "--fresh"),
        preexec_fn=shrink,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "make room" in run.stderr
    assert quoted(made) == bridge(1987)
    assert strays(made.parts.store.folder) == set()


# ---- the seeds ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    """The two articles that carry a date, a Hebrew and an Arabic one."""
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "corpus").mkdir()
    for pattern in ("001_*", "002_*", "articles.toml"):
        for path in seeds_folder().glob(pattern):
            shutil.copy(path, folder / "corpus")
    with open_rag(folder / "store", folder / "corpus") as engine:
        engine.ingest()
        yield engine


def test_the_articles_are_stored_unchanged(seeds: Rag) -> None:
    documents = seeds.documents()
    assert len(documents) == 2
    for source, document in documents.items():
        assert (seeds_folder() / source).read_bytes().decode() == document.text


def test_filters_narrow_the_articles(seeds: Rag) -> None:
    def langs(where: dict[str, object] | None) -> set[str]:
        return {hit.lang for hit in seeds.search("Kazakhstan", 50, where)}

    assert langs(None) == {"he", "ar"}
    assert langs({"lang": ["pl", "he"]}) == {"he"}
    assert langs({"date": {"gte": "2024-07-05"}}) == {"he"}
    assert langs({"date": {"lt": "2024-07-05"}}) == {"ar"}
    assert langs({"publisher": "Xinhua"}) == {"ar"}
    with pytest.raises(InputError, match="cannot filter by 'city'"):
        seeds.search("Kazakhstan", 5, {"city": "Astana"})


def test_a_question_finds_an_article_in_another_language(seeds: Rag) -> None:
    hit = seeds.search("How large was trade between China and Kazakhstan in 2023?", 1)[0]
    assert hit.source == "001_b9df2e1b7dc3a547.txt"
