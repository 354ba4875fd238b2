"""The tab of articles: its table, its filter, and what becomes of files that are sent to it."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from page_html import HOSTILE, Node, read_html

import rag
from rag.engine import Rag
from rag.ingestion.staging import MOST_BYTES
from rag.ingestion.uploads import uploads_folder
from rag.page.html.words import LANGUAGES, Words, words
from rag.page.server.access import uploads_allowed
from rag.page.sources.listing import (
    MOST_ROWS,
    FilterError,
    Listed,
    filter_of,
    languages_of,
    listed,
    meets,
    table_html,
)
from rag.page.sources.tab import SourcesTab
from rag.page.sources.upload_form import Outcome, Step, adding_html, named, problem_html
from rag.records import Document
from rag.settings import Settings

pytestmark = pytest.mark.slow

EN, HE = words("en"), words("he")
FERRY = "The ferry to Miras sails at nine."
ARTICLES = [
    Listed(Document("a.txt", "x" * 1234, "he", "הכתבה", "2024-07-05"), 12, False),
    Listed(Document("news.jsonl#1", "One.", "pl", date="2024-07-01"), 1, True),
    Listed(Document("news.jsonl#2", "Two.", ""), 1, True),
]


def table(
    articles: list[Listed], where: dict[str, Any], removable: bool = True, say: Words = EN
) -> Node:
    return read_html(table_html(articles, where, removable, say))


def row(shown: Node, source: str) -> Node:
    (found,) = (
        each
        for each in shown.one("tbody").all("tr")
        if any(button.attrs.get("data-source") == source for button in each.all("button"))
    )
    return found


# ---- the filter -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("langs", "since", "until", "where"),
    [
        ([], "", "", {}),
        (["he", "pl"], "", "", {"lang": ["he", "pl"]}),
        ([], " 2024-07-01\n", "", {"date": {"gte": "2024-07-01"}}),
        ([], "", "2024-02-29", {"date": {"lte": "2024-02-29"}}),
        ([], "2024-07-01", "2024-07-01", {"date": {"gte": "2024-07-01", "lte": "2024-07-01"}}),
        (["ar"], "\u200f٢٠٢٤-٠٧-٠١", "", {"lang": ["ar"], "date": {"gte": "2024-07-01"}}),
    ],
)
def test_a_filter_is_what_the_engine_takes(
    langs: list[str], since: str, until: str, where: dict[str, Any]
) -> None:
    assert filter_of(langs, since, until) == where


@pytest.mark.parametrize("date", ["2024-02-30", "July", "2024", "0000-01-01", "2024-7-1", "<b>"])
def test_what_is_no_date_is_named(date: str) -> None:
    for since, until in ((date, ""), ("", date)):
        with pytest.raises(FilterError) as error:
            filter_of([], since, until)
        assert repr(date) in str(error.value)
        assert "2024-01-31" in HE(error.value.key, **error.value.values)


def test_a_period_without_a_day_is_named() -> None:
    with pytest.raises(FilterError, match=r"^2024-07-02 is later than 2024-07-01"):
        filter_of([], "2024-07-02", "2024-07-01")


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({}, {"a.txt", "news.jsonl#1", "news.jsonl#2"}),
        (filter_of(["he", "fr"], "", ""), {"a.txt"}),
        (filter_of([], "2024-07-01", "2024-07-04"), {"news.jsonl#1"}),
        (filter_of([], "", "2030-01-01"), {"a.txt", "news.jsonl#1"}),
        (filter_of(["pl"], "2024-07-02", ""), set()),
    ],
)
def test_the_table_says_what_a_filter_leaves(where: dict[str, Any], left: set[str]) -> None:
    shown = table(ARTICLES, where)
    assert {each.document.source for each in ARTICLES if meets(each.document, where)} == left
    assert shown.one(".count").text == EN("sources.count", shown=len(left), all=3)
    for article in ARTICLES:
        source = article.document.source
        kept = source in left
        assert row(shown, source)["class"] == ("kept" if kept else "out")
        state = EN("sources.in_use" if kept else "sources.left_out")
        assert row(shown, source).all("td")[-1].text.startswith(state)
    order = [each["class"] for each in shown.one("tbody").all("tr")]
    assert order == sorted(order)  # "kept" before "out"


# ---- the table ----------------------------------------------------------------------------


def test_the_table_shows_what_is_known_of_an_article() -> None:
    cells = [each.text for each in row(table(ARTICLES, {}, say=HE), "a.txt").all("td")]
    assert cells[:4] == ["עברית", "2024-07-05", "1,234", "12"]
    (opens,) = row(table(ARTICLES, {}), "a.txt").all(".passage")
    assert (opens.text, opens["data-start"], opens["data-end"]) == ("הכתבה", "0", "0")
    assert opens.one("bdi")["dir"] == "rtl"
    unknown = [each.text for each in row(table(ARTICLES, {}), "news.jsonl#2").all("td")]
    assert unknown[:2] == ["–", "–"]


def test_only_what_was_added_here_has_a_button_that_removes_it() -> None:
    shown = table(ARTICLES, {})
    removing = [each for each in shown.all("button") if "data-remove" in each.attrs]
    assert [each["data-remove"] for each in removing] == ["news.jsonl#1", "news.jsonl#2"]
    for each in removing:
        name = "\u2068news.jsonl\u2069"
        assert each["data-confirm"] == EN("sources.confirm_all", name=name, count=2)
        assert each["aria-label"] == EN("sources.remove_file", name=name)
    marked = [each for each in shown.all("tr") if EN("sources.added_here") in each.text]
    assert len(marked) == 2
    fixed = table(ARTICLES, {}, removable=False)
    assert not [each for each in fixed.all("button") if "data-remove" in each.attrs]


@pytest.mark.parametrize("hostile", [*HOSTILE, "a\ud800b", "\u202egpj.exe"])
def test_titles_and_names_stay_text(hostile: str) -> None:
    plain = [Listed(Document("f.txt", "x", "en", "T", "2024-01-01"), 1, True)]
    attack = [Listed(Document(f"{hostile}.txt", "x", "en", hostile, "2024-01-01"), 1, True)]
    assert table(attack, {}).skeleton == table(plain, {}).skeleton
    source = f"{hostile}.txt".replace("\ud800", "\ufffd")
    shown = row(table(attack, {}), source)
    assert shown.one(".file").text == source
    assert shown.all("button")[-1]["data-remove"] == source


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [Listed(Document(f"{i}.txt", "x", "en"), 1, False) for i in range(MOST_ROWS + 1)]
    many.append(Listed(Document("he.txt", "x", "he"), 1, False))
    shown = table(many, filter_of(["he"], "", ""))
    assert len(shown.one("tbody").all("tr")) == MOST_ROWS
    assert row(shown, "he.txt")["class"] == "kept"
    assert EN("sources.first_rows", most=MOST_ROWS) in shown.one(".count").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_has_its_own_words(lang: str) -> None:
    say = words(lang)
    shown = table(ARTICLES, filter_of(["he"], "", ""), say=say)
    assert shown.one("caption").text == say("sources.articles")
    assert table([], {}, say=say).text == say("sources.none")
    assert languages_of(ARTICLES, {"lang": ["ar"]}, say) == sorted(
        languages_of(ARTICLES, {"lang": ["ar"]}, say)
    )
    assert {code for _, code in languages_of(ARTICLES, {"lang": ["ar"]}, say)} == {"he", "pl", "ar"}
    for stage in ("waiting", "reading", "splitting", "embedding", "storing"):
        assert say(f"sources.{stage}") in read_html(adding_html(True, Step(stage), say)).text


# ---- files that are added -------------------------------------------------------------------


def test_progress_is_shown_in_figures_too() -> None:
    shown = read_html(adding_html(True, Step("embedding", 120, 300), EN))
    bar = shown.one("progress")
    assert (bar["max"], bar["value"], bar["aria-label"]) == ("300", "120", "Computing vectors")
    assert "120 / 300" in shown.text
    assert shown.one("section")["aria-busy"] == shown.one("input")["aria-disabled"] == "true"
    assert "value" not in read_html(adding_html(True, Step("reading", 3), EN)).one("progress").attrs


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_and_reasons_of_files_stay_text(hostile: str) -> None:
    def shown(name: str) -> Node:
        said = named("added", (name,), EN)
        problem = problem_html(name, "unread", f"is not {name}", EN)
        return read_html(adding_html(True, Outcome(said, (problem,)), EN))

    assert shown(hostile).skeleton == shown("f.txt").skeleton
    assert hostile in shown(hostile).one(".doing").text
    assert shown(hostile).one("li").text == f"{hostile}: is not {hostile}"
    fault = read_html(adding_html(True, Outcome(fault=hostile), EN)).one(".fault")
    assert (fault.text, fault["role"]) == (hostile, "alert")


def test_many_names_are_counted() -> None:
    told = named("added", tuple(f"{i}.txt" for i in range(25)), EN)
    assert told.endswith("\u206819.txt\u2069 (+5)")


# ---- the tab over a real engine ---------------------------------------------------------------

Busy = Callable[[], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def idle() -> AsyncIterator[None]:
    """Nobody waits for an answer."""
    yield


class Page:
    """A page with nothing but the tab, and what its parts' events call.

    To be made in an event loop: outside of one Gradio opens loops that it never closes.
    """

    def __init__(self, engine: Rag, busy: Busy = idle) -> None:
        self.tab: SourcesTab
        with gr.Blocks(analytics_enabled=False) as self.blocks:
            self.tab = SourcesTab(engine, EN, busy, uploads_allowed(engine.settings))
            self.tab.build()
        self.calls: dict[str, Any] = {
            target[1]: each.fn for each in self.blocks.fns.values() for target in each.targets
        }

    def send(self, *files: object, where: dict[str, Any] | None = None) -> AsyncIterator[Any]:
        event = gr.EventData(None, {"files": list(files)})
        return self.calls["sent"](where or {}, event)  # type: ignore[no-any-return]

    def remove(self, source: object) -> AsyncIterator[Any]:
        event = gr.EventData(None, {"source": source})
        return self.calls["remove_file"]({}, event)  # type: ignore[no-any-return]


async def ended(frames: AsyncIterator[Any]) -> tuple[Node, Node]:
    """The last of them: the part that takes files, and the table."""
    adding, shown, _ = [frame async for frame in frames][-1]
    return read_html(adding), read_html(shown)


def open_rag(store: Path, corpus: Path, **flags: str) -> Rag:
    return rag.open(store, Settings.read(model="none", corpus=corpus, **flags))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "bridge.txt").write_text("The Orlen bridge opened in 1987.\n\nIt is red.")
    with open_rag(folder / "store", folder / "corpus") as engine:
        engine.ingest()
    return folder


@pytest.fixture
def engine(template: Path, tmp_path: Path) -> Iterator[Rag]:
    shutil.copytree(template / "store", tmp_path / "store")
    with open_rag(tmp_path / "store", template / "corpus") as engine:
        yield engine


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], dict[str, Any]]:
    """Puts a file where Gradio puts uploads; what the browser then says of it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def send(name: str, data: bytes) -> dict[str, Any]:
        folder = tmp_path / "gradio" / f"{len(list(tmp_path.glob('gradio/*'))):064x}"
        folder.mkdir(parents=True)
        (folder / "kept").write_bytes(data)
        return {"name": name, "size": len(data), "path": str(folder / "kept")}

    return send


async def test_files_are_added_and_removed(
    engine: Rag, sent: Callable[[str, bytes], dict[str, Any]]
) -> None:
    page = Page(engine)
    good, bad = sent("../ferry.txt", FERRY.encode()), sent("broken.pdf", b"not a PDF")
    large = {"name": "large.txt", "size": MOST_BYTES + 1, "path": ""}
    frames = [frame async for frame in page.send(good, bad, large)]
    for adding, *others in frames[:-1]:
        assert read_html(adding).one("section")["aria-busy"] == "true"
        assert others == [gr.skip(), gr.skip()]
    assert any(EN("sources.reading") in adding for adding, *_ in frames)
    adding, shown = read_html(frames[-1][0]), read_html(frames[-1][1])
    assert adding.one(".doing").text == EN("sources.added", names="\u2068ferry.txt\u2069")
    lines = [each.text for each in adding.all("li")]
    assert lines[0] == f"large.txt: {EN('sources.large')}"
    assert lines[1].startswith("broken.pdf: is not a PDF that can be read")
    assert row(shown, "ferry.txt").all("td")[3].text == "1"
    assert row(shown, "bridge.txt").all("td")[3].text == "2"
    assert not Path(good["path"]).exists()
    assert not Path(bad["path"]).exists()
    assert engine.uploaded() == {"ferry.txt"}

    adding, shown = await ended(page.remove("ferry.txt"))
    assert adding.one(".doing").text == EN("sources.removed", names="\u2068ferry.txt\u2069")
    assert len(shown.one("tbody").all("tr")) == 1
    assert {each.document.source for each in listed(engine)} == {"bridge.txt"}


async def test_only_files_that_were_uploaded_are_taken(
    engine: Rag, sent: Callable[[str, bytes], dict[str, Any]], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(FERRY)
    kept = Path(sent("a.txt", b"x")["path"])
    (kept.parent / "link.txt").symlink_to(secret)
    (tmp_path / "gradio" / "loose.txt").write_text(FERRY)
    paths = [
        secret,
        kept.parent / "link.txt",
        kept.parent / ".." / ".." / "secret.txt",
        tmp_path / "gradio" / "loose.txt",
        kept.parent,
        "",
        "a\0b",
        "http://127.0.0.1:1/a.txt",
        7,
        None,
        {"path": str(secret)},
    ]
    told = [{"name": f"{i}.txt", "path": path} for i, path in enumerate(map(str, paths))]
    adding, _ = await ended(Page(engine).send(*told, "a.txt", None))
    assert [each.text for each in adding.all("li")] == [
        f"{i}.txt: {EN('sources.lost')}" for i in range(len(paths))
    ]
    assert secret.exists()
    assert engine.uploaded() == set()


@pytest.mark.parametrize("data", [None, [], "x", {"files": "x"}, {"files": {"a": 1}}, {}])
async def test_an_event_that_says_nothing_changes_nothing(engine: Rag, data: object) -> None:
    calls, event = Page(engine).calls, gr.EventData(None, data)
    adding, _ = await ended(calls["sent"]({}, event))
    assert adding.one(".doing").text == EN("sources.nothing")
    adding, _ = await ended(calls["remove_file"]({}, event))
    assert "was not added here" in adding.one(".fault").text


@pytest.mark.parametrize("flags", [{"uploads": "off"}, {"host": "0.0.0.0", "public": "on"}])
async def test_without_uploads_nothing_is_taken_by_hand_either(
    template: Path, flags: dict[str, str], sent: Callable[[str, bytes], dict[str, Any]]
) -> None:
    with open_rag(template / "store", template / "corpus", **flags) as engine:
        page = Page(engine)
        (part,) = (each for each in page.blocks.blocks.values() if each.elem_id == "sources-add")
        assert isinstance(part, gr.HTML)
        at_rest = read_html(part.value)
        assert EN("sources.off") in at_rest.text
        assert at_rest.all("input") == []
        file = sent("ferry.txt", FERRY.encode())
        for frames in (page.send(file), page.remove("bridge.txt")):
            adding, shown = await ended(frames)
            assert adding.one(".fault").text == EN("sources.off")
            assert not [each for each in shown.all("button") if "data-remove" in each.attrs]
        assert engine.uploaded() == set()
        assert not uploads_folder(engine.settings).exists()


async def test_waits_for_an_answer_and_goes_on_when_its_visitor_leaves(
    engine: Rag, sent: Callable[[str, bytes], dict[str, Any]]
) -> None:
    answering = asyncio.Lock()

    @asynccontextmanager
    async def busy() -> AsyncIterator[None]:
        async with answering:
            yield

    file = sent("notes.exe", b"x")
    await answering.acquire()
    frames = Page(engine, busy).send(file)
    first, *_ = await anext(frames)
    assert EN("sources.waiting") in first
    await frames.aclose()  # type: ignore[attr-defined]
    assert Path(file["path"]).exists()
    answering.release()
    async with asyncio.timeout(30):
        while Path(file["path"]).exists():
            await asyncio.sleep(0.01)


async def test_a_fault_is_one_line_and_the_log_has_the_rest(
    engine: Rag, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise ZeroDivisionError("secret <b>details</b>")
        yield

    with caplog.at_level(logging.ERROR, "rag"):
        adding, _ = await ended(Page(engine, broken).send())
    assert adding.one(".fault").text == EN("chat.fault")
    assert "secret" in caplog.text


async def test_the_filter_is_kept_until_another_one_can_be_used(engine: Rag) -> None:
    page = Page(engine)
    apply = page.calls["input"]
    where, problem, shown = await apply(["en"], "", "", {})
    assert (where, problem) == ({"lang": ["en"]}, "")
    assert row(read_html(shown), "bridge.txt")["class"] == "kept"
    where, problem, _ = await apply(["en"], "someday", "", where)
    assert where == gr.skip()
    assert "'someday'" in read_html(problem).text
    where, _, shown = await apply(["tr"], None, None, {"lang": ["en"]})
    assert where == {"lang": ["tr"]}
    assert row(read_html(shown), "bridge.txt")["class"] == "out"
    none, langs, *_, shown = await page.tab.unfilter()
    assert (none, langs) == ({}, [])
    assert row(read_html(shown), "bridge.txt")["class"] == "kept"
    shown, choices = page.tab.refresh()
    assert choices["choices"] == [("English", "en")]


async def test_a_store_that_cannot_be_read_is_one_line(engine: Rag) -> None:
    page = Page(engine)
    (engine.settings.store_folder / "current.json").write_text("{")
    shown, choices = page.tab.refresh()
    assert "current.json cannot be read" in read_html(shown).one(".fault").text
    assert choices == gr.skip()


async def test_its_events_are_no_part_of_the_api(engine: Rag) -> None:
    visible = {each.api_visibility for each in Page(engine).blocks.fns.values()}
    assert visible == {"private"}
