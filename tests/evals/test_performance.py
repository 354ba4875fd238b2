"""The page of times says what was measured, where, and by which command."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from evals.cases import Case
from evals.performance.command import main
from evals.performance.ingest import Ingest, ingest_table, shuffled, texts_of
from evals.performance.machine import Machine
from evals.performance.page import LEAST, Table, page
from evals.performance.phrased import phrase, phrased_tables
from evals.performance.questions import Times, question_table
from evals.performance.startup import Process, start, start_table
from rag.errors import ModelError
from rag.reading.metadata import METADATA_FILE
from rag.records import Answer, AnswerEvent, Document, Event, Hit, Mode, Usage
from rag.resources import seeds_folder
from rag.settings import Settings

QUICK = [
    *("--questions", "5", "--passages", "2", "--tokens", "1", "--repeats", "1"),
    *("--skip-model", "--skip-startup"),
]
IDLE = Machine("2026-11-22", 2, "AMD EPYC", "3.11.7", "1.31.1", 0.02)


def rows_of(text: str, title: str) -> list[dict[str, str]]:
    """The rows of a table of the page, by heading."""
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    headings, rule, *rows = lines
    assert set(rule) == {"---"}
    assert {len(row) for row in rows} == {len(headings)}
    return [dict(zip(headings, row, strict=True)) for row in rows]


def number(shown: str) -> float:
    return float(shown.replace(",", ""))


@pytest.mark.slow
def test_measures_the_cheap_parts_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_CHROMA_URL", "http://10.0.0.1")
    monkeypatch.setenv("RAG_STORE", str(tmp_path / "mine"))
    out = tmp_path / "pages" / "performance.md"
    done = CliRunner().invoke(main, [*QUICK, "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    text = out.read_text(encoding="utf-8")
    again = re.search(r"Made by `python -m evals\.performance (.*?)`", text)
    assert again is not None
    assert sorted(again[1].split()) == sorted(QUICK)
    assert "ingesting the articles" in done.stderr
    assert str(tmp_path) not in text
    assert not (tmp_path / "mine").exists()
    assert not (tmp_path / "data").exists()

    for row in rows_of(text, "Ingest"):
        names = ("texts", "tokens", "wall s", "CPU s", "tokens/s", "tokens/CPU-s")
        assert all(number(row[name]) > 0 for name in names)
    questions = {row["what"]: row for row in rows_of(text, "One question")}
    assert list(questions) == [
        "query vector", "2 passages read", "question to hits", "quoted answer"
    ]  # fmt: skip
    read = questions.pop("2 passages read")
    assert "not measured" in read["call"] or number(read["median ms"]) > 0
    for row in questions.values():
        assert row["n"] == "5"
        assert number(row["median ms"]) > 0
        assert row["p95 ms"] == "–"


def test_the_page_says_which_command_made_it(tmp_path: Path) -> None:
    out = tmp_path / "a.md"
    assert CliRunner().invoke(main, ["--repeats", "0", "--out", str(out)]).exit_code == 2
    assert not out.exists()
    text = page("python -m evals.performance --limit 3", IDLE, [])
    assert "Made by `python -m evals.performance --limit 3` on 2026-11-22: 2 cores" in text
    assert "Warning" not in text


def test_a_busy_machine_is_warned_of() -> None:
    busy = Machine("2026-11-22", 2, "AMD EPYC", "3.11.7", "1.31.1", 1.9)
    assert "**Warning: the machine was busy (1.90 cores" in page("command", busy, [])


def test_speed_is_tokens_by_the_median_second() -> None:
    quick, slow = Ingest(10, 600, 1.0, 2.0), Ingest(10, 600, 3.0, 4.0)
    table = ingest_table({"five": [quick, slow, slow, slow, quick], "two": [quick, slow]})
    five, two = rows_of(page("", IDLE, [table]), "Ingest")
    assert (five["wall s"], five["CPU s"]) == ("3.00", "4.00")
    assert (five["tokens/s"], five["tokens/CPU-s"]) == ("200", "150")
    assert (two["ingests"], two["wall s"], two["tokens/s"]) == ("2", "–", "–")


def test_p95_is_shown_of_many_values_alone() -> None:
    many = tuple(float(i) / 1000 for i in range(1, 101))
    times = [Times("many", "a", many), Times("few", "b", many[:3]), Times("none", "c", (), "gone")]
    rows = rows_of(page("", IDLE, [question_table(times)]), "One question")
    assert [(r["n"], r["median ms"], r["p95 ms"]) for r in rows] == [
        ("100", "50.0", "95.0"), ("3", "–", "–"), ("0", "–", "–")
    ]  # fmt: skip
    assert rows[2]["call"] == "c (gone)"


def test_a_shuffled_article_is_new_in_every_paragraph_and_as_long() -> None:
    text = max((p.read_text("utf-8") for p in seeds_folder().glob("*.txt")), key=len)
    other = shuffled(text, 1)
    assert other == shuffled(text, 1) != shuffled(text, 2)
    assert Counter(other.split()) == Counter(text.split())
    pairs = zip(other.splitlines(), text.splitlines(), strict=True)
    assert all(one != two for one, two in pairs if len(two.split()) > 5)


def test_copies_of_the_articles_keep_title_and_language() -> None:
    texts = texts_of(2)
    assert len(texts) == 2 * len(list(seeds_folder().glob("*.txt"))) + 1
    assert len(set(texts.values())) == len(texts)
    named = re.findall(r'^\["(.+)"\]$', texts[METADATA_FILE], re.MULTILINE)
    assert named == [name for name in texts if name != METADATA_FILE]


def test_a_fresh_process_is_timed_and_weighed(tmp_path: Path) -> None:
    ran = start(["-c", "import os; print(os.environ['RAG_MODEL'])"], tmp_path, RAG_MODEL="none")
    assert ran.output.strip() == "none"
    assert ran.seconds > 0
    assert 1 < ran.megabytes < 100
    row = start_table({("thing", "do it"): [ran, Process(60.0, 5000.0, ""), ran]}).rows[1]
    assert row[:2] == ("thing", "3")
    assert number(row[2]) < 60
    assert row[4] == "`do it`"


def test_a_process_that_fails_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="no such thing"):
        start(["-c", "raise SystemExit('no such thing')"], tmp_path)


class Scripted:
    """Answers in turn in these ways; "" is a model that is away."""

    def __init__(self, *modes: Mode | str) -> None:
        self.modes = list(modes)

    settings = Settings.model_construct()

    def stream(
        self,
        question: str,
        history: Sequence[tuple[str, str]] = (),
    ) -> Iterator[Event]:
        mode = self.modes.pop(0)
        if mode not in ("generated", "quoted", "abstained"):
            raise ModelError("the model is away")
        used = Usage(calls=1, prompt_tokens=1000, cached_tokens=600, completion_tokens=50)
        yield AnswerEvent(
            Answer(question, (), mode == "abstained", "en", (), used, mode=mode)  # type: ignore[arg-type]
        )

    def search(self, question: str, k: int = 8) -> Sequence[Hit]:
        return ()

    def documents(self) -> Mapping[str, Document]:
        return {}


def phrased(*modes: str) -> list[Table]:
    cases = [
        Case(str(i), "en", "unanswerable", str(i), "Who?", (), (), (), (), None)
        for i in range(len(modes))
    ]
    return phrased_tables(phrase(Scripted(*modes), cases, {}))


def test_shares_and_tokens_are_of_the_later_answers() -> None:
    text = page(
        "", IDLE, phrased("abstained", "quoted", "quoted", "generated", "", *["quoted"] * 3)
    )
    first, later = rows_of(text, "Phrased answer")
    assert (first["n"], later["n"], later["p95 s"]) == ("1", "6", "–")
    (came,) = rows_of(text, "What came of the later answers")
    assert (came["n"], came["errors"]) == ("6", "1")
    assert (came["generated"], came["quoted"], came["abstained"]) == ("0.167", "0.833", "0.000")
    assert number(came["prompt tokens"]) == 1000
    assert number(came["of them cached"]) == 600


def test_few_answers_make_no_share() -> None:
    (came,) = rows_of(
        page("", IDLE, phrased(*["quoted"] * LEAST)), "What came of the later answers"
    )
    assert (came["n"], came["quoted"], came["prompt tokens"]) == (str(LEAST - 1), "–", "–")


def test_a_model_that_cannot_be_used_is_an_error_at_once() -> None:
    with pytest.raises(ModelError, match="away"):
        phrased("", "quoted")
