"""The command line: what it prints, where, and its exit codes."""

import json
import os
import re
import subprocess
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import Done, rag_command

import rag
from rag.cli.options import SETTINGS, parse_where
from rag.errors import InputError, SettingsError
from rag.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "port.txt").write_text("Der Hafen zählte 2021 rund 340 Boote.", encoding="utf-8")
    (corpus / "broken.txt").write_bytes(b"\xff\x00\xfe")
    return folder


def settings_of(folder: Path) -> dict[str, str]:
    stored = {"RAG_CORPUS": str(folder / "corpus"), "RAG_STORE": str(folder / "store")}
    return {**stored, "RAG_MODEL": "none"}


def run(folder: Path, *args: str, **env: str) -> Done:
    return rag_command(*args, folder=folder, **settings_of(folder) | env)


def test_a_first_question_fills_the_store_and_prints_the_quote(folder: Path) -> None:
    done = run(folder, "ask", "How many boats were counted in the harbour?")
    assert done.returncode == 0
    assert "Der Hafen zählte 2021 rund 340 Boote." in done.stdout
    assert "port.txt [0:37]" in done.stdout


def test_a_question_that_the_articles_do_not_answer_exits_with_3(folder: Path) -> None:
    done = run(folder, "ask", "Who wrote the song Yesterday by the Beatles?")
    assert (done.returncode, done.stderr) == (3, "")


def test_json_is_the_whole_answer(folder: Path) -> None:
    done = run(folder, "ask", "--json", "How many boats were counted in the harbour?")
    answer = json.loads(done.stdout)
    assert answer["citations"][0]["quote"] == "Der Hafen zählte 2021 rund 340 Boote."


def test_an_unreadable_file_is_named_and_the_exit_code_says_so(folder: Path) -> None:
    done = run(folder, "ingest", "--rebuild")
    assert done.returncode == 2
    assert done.stderr.startswith("skipped broken.txt: ")
    assert "1 article" in done.stdout


def test_a_second_ingest_says_that_it_wrote_nothing(folder: Path) -> None:
    run(folder, "ingest")
    assert "nothing written" in run(folder, "ingest").stdout


@pytest.mark.parametrize(
    ("args", "env", "code", "named"),
    [
        (("ask", ""), {}, 2, "empty"),
        (("ask", "a" * 3000), {}, 2, "3,000"),
        (("ask", "x?", "--language", "klingon"), {}, 2, "klingon"),
        (("ask", "What boats?", "--where", "colour=red"), {}, 2, "use one of lang, date, source"),
        (("search", "boats?", "--where", "date>=soon"), {}, 2, "'soon' is not a date"),
        (("search", "boats?", "--where", '{"lang": 7}'), {}, 2, "cannot filter lang by 7"),
        (("ask", "What boats?", "--where", "nonsense"), {}, 2, "nonsense"),
        (("ask", "What boats?", "--k", "0"), {}, 2, "k=0"),
        (("ask", "What boats?", "--port", "seven"), {}, 2, "RAG_PORT"),
        (("ask", "What boats?"), {"RAG_EMBEDDINGS": "none"}, 2, "RAG_EMBEDDINGS"),
        (("ask", "What boats?"), {"RAG_MODEL": "openai:gpt-5"}, 2, "OPENAI_API_KEY"),
        (("ask", "What boats?"), {"RAG_MODEL": "hf:nobody"}, 2, "hf:OWNER/REPO/FILE.gguf"),
        (("ask", "x y", "--context", "much"), {}, 2, "RAG_CONTEXT='much'"),
        (("ask", "x y"), {"RAG_BASE_URL": "localhost"}, 2, "http://"),
        (("ask", "x y"), {"RAG_LOGIN": "ann"}, 2, "RAG_LOGIN: give user:password"),
        (("ask", "x y", "--uploads", "maybe"), {}, 2, "RAG_UPLOADS='maybe'"),
        (("ask", "x y", "--public", "maybe"), {}, 2, "RAG_PUBLIC='maybe'"),
        (("ingest", "/nowhere"), {}, 2, "/nowhere"),
        (("search", "What boats?"), {"RAG_CHROMA_URL": "http://127.0.0.1:9"}, 1, "chroma run"),
    ],
)
def test_bad_input_is_one_clear_line(
    folder: Path, args: tuple[str, ...], env: dict[str, str], code: int, named: str
) -> None:
    done = run(folder, *args, **env)
    assert done.returncode == code
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_search_explains_what_a_score_is_made_of(folder: Path) -> None:
    done = run(folder, "search", "boats", "--k", "1", "--explain")
    assert done.returncode == 0, done.stderr
    signals = r"dense -?\d\.\d{3} \(no\. 1, [+-]\d+\.\d\d\) +sentence .* +tokens .*"
    assert re.search(signals, done.stdout)


def test_search_lists_places_and_scores(folder: Path) -> None:
    done = run(folder, "search", "boats", "--k", "1", "--json")
    (hit,) = json.loads(done.stdout)
    assert (hit["source"], hit["start"], hit["end"]) == ("port.txt", 0, 37)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, rag.cli; print([m for m in sys.modules if m.split('.')[0] in "
        "('numpy', 'chromadb', 'langchain_core', 'pydantic', 'gradio', 'rich', 'openai')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_that_fails_is_one_line_beside_the_quotes(folder: Path) -> None:
    done = run(folder, "ask", "How many boats are there?", RAG_MODEL="gguf:/nowhere.gguf")
    assert (done.returncode, "(quoted" in done.stdout) == (0, True)
    assert done.stderr.startswith("rag: the model failed: ")
    assert "/nowhere.gguf" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_version_is_that_of_the_package(folder: Path) -> None:
    assert run(folder, "--version").stdout.strip() == rag.__version__ == version("quoted-rag")


def test_every_setting_is_a_flag() -> None:
    fields = {name.replace("_", "-") for name in Settings.model_fields} - {
        "openai-api-key",
        "login",
    }
    assert fields == set(SETTINGS)


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_PORT", "1234")
    assert (Settings.read().port, Settings.read(port="99").port) == (1234, 99)


def test_a_key_never_stands_in_a_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert "sk-secret" not in repr(Settings.read())


@pytest.mark.parametrize("login", ["s3cret", ":s3cret", " :s3cret", "s3cret:"])
def test_a_login_is_never_told(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.setenv("RAG_LOGIN", login)
    with pytest.raises(SettingsError, match="RAG_LOGIN: give user:password") as refusal:
        Settings.read()
    told = "".join(traceback.format_exception(refusal.value))
    assert "s3cret" not in told
    monkeypatch.setenv("RAG_LOGIN", "ann:s3cret:with:colons")
    settings = Settings.read()
    assert settings.login is not None
    assert settings.login.get_secret_value() == "ann:s3cret:with:colons"
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_bad_setting_names_itself_and_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match="RAG_TIMEOUT='soon'"):
        Settings.read()


def test_two_corpora_have_two_stores(tmp_path: Path) -> None:
    one, other = (Settings.read(corpus=tmp_path / name).store_folder for name in "ab")
    assert one != other


@pytest.mark.parametrize(
    ("conditions", "where"),
    [
        ((), None),
        (("lang=he",), {"lang": ["he"]}),
        (("source=a.txt, b.txt",), {"source": ["a.txt", "b.txt"]}),
        (("date>=2024-01-01", "date<2025"), {"date": {"gte": "2024-01-01", "lt": "2025"}}),
        (("date <= 2024-07-04",), {"date": {"lte": "2024-07-04"}}),
        (("lang=he", "lang=ar,pl"), {"lang": ["he", "ar", "pl"]}),
        (('{"source": ["a, b.txt"]}', "source=c.txt"), {"source": ["a, b.txt", "c.txt"]}),
        (
            ('{"lang": "he", "date": {"gt": "2024-01-01"}}', "date<2025-01-01"),
            {"lang": ["he"], "date": {"gt": "2024-01-01", "lt": "2025-01-01"}},
        ),
        (("title=a=b",), {"title": ["a=b"]}),
    ],
)
def test_where_options_are_a_filter(
    conditions: tuple[str, ...], where: dict[str, object] | None
) -> None:
    assert parse_where(conditions) == where


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        (("lang",), "the fields are lang, date, source"),
        (("lang=",), "the fields are lang"),
        (("lang=,",), "the fields are lang"),
        (("=he",), "the fields are lang"),
        (('{"lang": ',), "is not JSON"),
        (("date=2024-07-05", "date>=2024-01-01"), "earlier --where date"),
    ],
)
def test_a_where_option_that_means_nothing_is_named(
    conditions: tuple[str, ...], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        parse_where(conditions)


def test_where_narrows_and_may_leave_nothing(folder: Path) -> None:
    found = run(
        folder, "search", "boats", "--where", '{"source": ["port.txt"]}', "--where", "lang=de"
    )
    assert "port.txt [0:37]" in found.stdout
    nothing = run(folder, "search", "boats", "--where", "lang=kk")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no passage was found\n")
    asked = run(folder, "ask", "How many boats were counted?", "--where", "date>=2024-01-01")
    assert asked.returncode == 3


@pytest.mark.slow
def test_a_process_of_its_own_answers_and_exits_alike(folder: Path) -> None:
    told = []
    for question in (
        "How many boats were counted in the harbour?",
        "Who wrote the song Yesterday by the Beatles?",
    ):
        started = subprocess.run(
            [sys.executable, "-c", "from rag.cli import main; main()", "ask", question],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | settings_of(folder),
        )
        told.append(Done(started.returncode, started.stdout, started.stderr))
    assert [each.returncode for each in told] == [0, 3]
    assert "Der Hafen zählte 2021 rund 340 Boote." in told[0].stdout
    assert told[1].stderr == ""
