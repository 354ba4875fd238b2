"""`rag eval run` keeps a run as a folder, which can be cut short, taken up and compared."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine, lines, write

from evals.about import shown_settings
from evals.run import INTERRUPTED, main
from evals.runs import read_run
from evals.summary import claims_refused
from evals.table import main as table
from rag.errors import InputError
from rag.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four questions for the fake engine; the third is interrupted."""
    return write(tmp_path / "fake.jsonl", "right", "wrong", "stop", "fail")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


def content(out: Path, name: str) -> Any:
    return json.loads((out / name).read_text(encoding="utf-8"))


def test_the_command_prints_tables(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(file), "--ids", "right,wrong", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == 0
    printed = capsys.readouterr()
    assert "facts right" in printed.out
    assert "0.500" in printed.out
    assert "2 of 2 questions asked, 0 errors" in printed.out
    assert str(out) in printed.err


def test_a_run_is_a_folder_that_tells_what_it_was(file: Path, out: Path) -> None:
    arguments = ["--questions", str(file), "--ids", "right,fail", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == 1
    about, measured = content(out, "run.json"), content(out, "summary.json")
    assert (about["system"], about["model"]) == ("rag", "none (quotes alone)")
    assert about["questions"]["file"] == "fake.jsonl"
    assert (about["questions"]["asked"], about["questions"]["planned"]) == (2, 2)
    assert about["corpus"]["documents"] == 2
    assert about["finished"] >= about["started"]
    assert "reader.md" in about["prompts"]
    assert "numpy" in about["packages"]
    assert str(out.parent) not in json.dumps(about)
    assert measured["errors"] == 1
    assert measured["figures"]["facts_right"] == {"mean": 0.5, "n": 2, "se": 0.5}


def test_each_question_is_a_line_with_all_that_happened(file: Path, out: Path) -> None:
    main(["--questions", str(file), "--ids", "right,fail", "--out", str(out)], engine=FakeEngine())
    right, fail = lines(out)
    assert right["evidence"][0][0]["text"] == "Trade rose to 41 billion."
    assert right["answer"]["citations"][0]["quote"] == "Trade rose to 41 billion."
    assert right["hits"][0]["source"] == "a.txt"
    assert right["calls"] == [
        {"prompt": [["human", "right"]], "reply": "41 billion", "refused": "", "cached": False}
    ]
    assert "hits" not in right["answer"]
    assert right["scores"]["facts_right"] == 1.0
    assert (fail["answer"], fail["error"]) == (None, "the model is away")
    assert (fail["hits"] != [], fail["scores"]["facts_right"]) == (True, 0.0)


def test_what_is_written_is_what_reports_read(file: Path, out: Path) -> None:
    main(["--questions", str(file), "--ids", "right,fail", "--out", str(out)], engine=FakeEngine())
    run = read_run(out)
    assert [each.outcome for each in run.results] == ["right", "error"]
    assert run.about.questions["set"] == "articles"


def test_the_command_reports_errors_by_its_status(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(file), "--ids", "right,fail", "--json", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == 1


def test_an_interrupted_run_is_kept_and_taken_up(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(file), "--json", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == INTERRUPTED
    measured = json.loads(capsys.readouterr().out)
    assert (measured["asked"], measured["planned"]) == (2, 4)
    assert [line["id"] for line in lines(out)] == ["right", "wrong"]
    assert content(out, "run.json")["finished"] is None

    engine = FakeEngine()
    engine.stops = False
    assert main([*arguments, "--resume"], engine=engine) == 1
    assert engine.asked == ["stop", "fail"]
    assert [line["id"] for line in lines(out)] == ["right", "wrong", "stop", "fail"]
    measured = json.loads(capsys.readouterr().out)
    assert (measured["asked"], measured["errors"]) == (4, 1)
    assert content(out, "run.json")["finished"]


def test_a_line_that_was_cut_short_is_asked_again(file: Path, out: Path) -> None:
    arguments = ["--questions", str(file), "--ids", "right,wrong", "--out", str(out)]
    main(arguments, engine=FakeEngine())
    path = out / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 40])
    engine = FakeEngine()
    assert main([*arguments, "--resume"], engine=engine) == 0
    assert engine.asked == ["wrong"]
    assert [line["id"] for line in lines(out)] == ["right", "wrong"]


def test_a_run_that_is_whole_is_only_told_again(file: Path, out: Path) -> None:
    arguments = ["--questions", str(file), "--ids", "right", "--out", str(out)]
    main(arguments, engine=FakeEngine())
    engine = FakeEngine()
    assert main([*arguments, "--resume"], engine=engine) == 0
    assert engine.asked == []


def test_a_folder_that_is_not_empty_is_refused(file: Path, out: Path) -> None:
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    arguments = ["--questions", str(file), "--ids", "right", "--out", str(out)]
    with pytest.raises(InputError, match=r"is there already and not an empty folder; .*--resume"):
        main(arguments, engine=FakeEngine())
    with pytest.raises(InputError, match=r"has no run\.json, so there is no run"):
        main([*arguments, "--resume"], engine=FakeEngine())
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_run_is_not_taken_up_with_other_questions(file: Path, out: Path) -> None:
    arguments = ["--questions", str(file), "--out", str(out)]
    main([*arguments, "--ids", "right"], engine=FakeEngine())
    with pytest.raises(InputError, match="asked 'right', which is not asked for now"):
        main([*arguments, "--ids", "wrong", "--resume"], engine=FakeEngine())
    with pytest.raises(InputError, match=r"was begun with questions .*another --out"):
        main([*arguments, "--ids", "right,wrong", "--resume"], engine=FakeEngine())
    write(file, "right", "kept")
    with pytest.raises(InputError, match="was begun with questions"):
        main([*arguments, "--ids", "right", "--resume"], engine=FakeEngine())


def test_the_command_can_search_alone(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(file), "--retrieval-only", "--json", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == 1
    measured = json.loads(capsys.readouterr().out)
    assert measured["figures"]["evidence_found"]["mean"] == 0.25
    assert measured["figures"]["facts_right"]["n"] == 0
    assert {line["answer"] for line in lines(out)} == {None}


def test_runs_stand_side_by_side_with_what_is_aimed_at(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("right", "wrong"):
        arguments = ["--questions", str(file), "--ids", name, "--out", str(out / name)]
        main(arguments, engine=FakeEngine())
    capsys.readouterr()
    assert table([str(out / "right"), str(out / "wrong")]) == 0
    printed = capsys.readouterr().out
    (shown,) = [line for line in printed.splitlines() if "right in language" in line]
    assert [cell.strip() for cell in shown.split("│")[2:-1]] == [
        "1.000 (1) *",
        "0.000 (1)",
        "at least 0.85",
    ]
    assert table([str(out / "right"), str(out / "wrong"), "--markdown"]) == 0
    head, rule, first, *_ = capsys.readouterr().out.splitlines()
    assert rule == "| --- | --- | --- | --- |"
    assert head.endswith(" aim |")
    assert first == "| right in language | 1.000 (1) * | 0.000 (1) | at least 0.85 |"
    with pytest.raises(InputError, match=r"has no run\.json"):
        table([str(out / "none")])


def test_what_a_question_takes_stands_beside_the_measures(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--questions", str(file), "--ids", "right,wrong", "--out", str(out)]
    main(arguments, engine=FakeEngine())
    assert content(out, "summary.json")["per_question"] == {
        "calls": {"mean": 1.0, "n": 2, "se": 0.0},
        "prompt_tokens": {"mean": 10.0, "n": 2, "se": 0.0},
    }
    assert "1.00 calls of the chat model, 10 tokens of prompt" in capsys.readouterr().out
    table([str(out), "--markdown"])
    *_, calls, tokens = capsys.readouterr().out.splitlines()
    assert calls == "| calls per question | 1.000 (2) |  |"
    assert tokens == "| prompt tokens per question | 10.000 (2) |  |"


def test_a_summary_of_before_has_no_such_rows(
    file: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--questions", str(file), "--ids", "right", "--out", str(out)], engine=FakeEngine())
    measured = content(out, "summary.json")
    del measured["per_question"], measured["waiting"]
    (out / "summary.json").write_text(json.dumps(measured), encoding="utf-8")
    capsys.readouterr()
    assert table([str(out)]) == 0
    assert "per question" not in capsys.readouterr().out


def test_claims_that_are_not_shown_are_counted() -> None:
    statuses = ("checked", "refused", "unchecked", "quoted")
    figure = claims_refused((each, group) for each in statuses for group in "ab")
    assert figure.mean == pytest.approx(1 / 3)
    assert figure.n == 6
    assert claims_refused([("quoted", "a")]).n == 0


def test_another_system_needs_a_store(file: Path, out: Path) -> None:
    arguments = ["--questions", str(file), "--ids", "right", "--system", "tutorial"]
    with pytest.raises(InputError, match="--system tutorial needs a store"):
        main([*arguments, "--out", str(out)], engine=FakeEngine())


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--resume"], "--resume needs --out FOLDER"),
        (["--set", "heq"], "--set heq needs --data FOLDER"),
        (["--data", "x"], "--data needs --set, one of heq"),
        (["--data", "x", "--set", "heq"], r"x has no heq\.passages\.jsonl"),
    ],
)
def test_options_that_need_another_say_so(arguments: list[str], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        main(arguments, engine=FakeEngine())


def test_the_command_says_what_it_cannot_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--limit", "0"], engine=FakeEngine()) == 2
    assert "--limit" in capsys.readouterr().err
    assert main(["--help"]) == 0
    with pytest.raises(InputError, match=r"no article is named .* ingest the articles"):
        main([], engine=FakeEngine())


def test_a_run_tells_no_secret_and_no_folder() -> None:
    settings = Settings.read(
        base_url="http://me:pw@127.0.0.1:1/v1?key=1", openai_api_key="sk-1", store="/mine"
    )
    told = shown_settings(settings)
    assert told["base_url"] == "http://127.0.0.1:1/v1"
    assert told["max_tokens"] == settings.max_tokens
    assert not {"store", "corpus", "openai_api_key"} & told.keys()
