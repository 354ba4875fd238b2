"""Two runs side by side: what changed, how sure that is, and which questions flipped."""

import json
from html import escape as html_escape
from pathlib import Path

import pytest
from run_rows import ABOUT, answer, case, failed, result, unanswerable, write_run

from evals.compare import change, compare, main, verdict
from evals.measure import Result
from evals.runs import Run, read_run
from rag.errors import InputError

WRONG = answer("There are 640 boats. [1]")
ABSTAINED = answer("They do not say.", abstained=True)


def run(folder: Path, *results: Result, **about: object) -> Run:
    return read_run(write_run(folder, results, **about))


def test_the_same_run_changes_nothing(tmp_path: Path) -> None:
    results = [result(case("a")), result(case("b"), WRONG), result(unanswerable("c"))]
    found = compare(run(tmp_path / "a", *results), run(tmp_path / "b", *results))
    assert found.shared == 3
    assert not found.differs
    assert not found.lost
    assert not found.won
    assert all(each.difference == 0 for each in found.changes.values())
    assert not any(each.significant for each in found.changes.values())


def test_a_loss_everywhere_is_significant_and_each_flip_is_told(tmp_path: Path) -> None:
    names = [f"q{i}" for i in range(8)]
    before = run(tmp_path / "a", *(result(case(n)) for n in names), result(unanswerable("u")))
    after = run(
        tmp_path / "b",
        *(result(case(n), WRONG) for n in names),
        result(unanswerable("u"), ABSTAINED),
    )
    found = compare(before, after)
    right = found.changes["facts_right"]
    assert (right.a, right.b, right.difference, right.n) == (1, 0, -1, 8)
    assert right.significant
    assert [flip.id for flip in found.lost] == names
    assert (found.lost[0].was, found.lost[0].now) == ("right", "wrong")
    assert (found.lost[0].a, found.lost[0].b) == (answer().text, WRONG.text)
    assert [(flip.id, flip.was) for flip in found.won] == [("u", "wrongly answered")]


def test_a_question_in_many_languages_is_one_trial() -> None:
    apart = change([(1.0, 0.0, f"g{i}") for i in range(6)] + [(0.0, 1.0, "other")])
    together = change([(1.0, 0.0, "g")] * 6 + [(0.0, 1.0, "other")])
    assert apart.difference == together.difference
    assert apart.significant
    assert not together.significant


def test_one_group_has_no_interval() -> None:
    one = change([(1.0, 0.0, "g"), (1.0, 0.0, "g")])
    assert (one.difference, one.low, one.significant) == (-1, None, False)


def test_the_interval_is_the_same_each_time_and_holds_the_mean() -> None:
    pairs = [(float(i % 3 == 0), float(i % 2 == 0), f"g{i // 2}") for i in range(40)]
    found = change(pairs)
    assert found == change(pairs)
    assert found.low is not None
    assert found.high is not None
    assert found.difference is not None
    assert found.low < found.difference < found.high


def test_only_shared_questions_are_compared_and_the_rest_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reworded = case("c", question="How many of them?")
    a = run(tmp_path / "a", *(result(case(name)) for name in "abc"))
    b = run(tmp_path / "b", result(case("b")), result(reworded), result(case("d"), WRONG))
    found = compare(a, b)
    assert (found.shared, found.only_a, found.only_b, found.reworded) == (1, 1, 1, 1)
    main([a.folder, b.folder])
    told = " ".join(capsys.readouterr().out.split())
    assert "1 question is in both runs and compared; left out: 1 only in A, 1 only in B" in told


def test_runs_without_a_shared_question_are_refused(tmp_path: Path) -> None:
    runs = run(tmp_path / "a", result(case("a"))), run(tmp_path / "b", result(case("b")))
    with pytest.raises(InputError, match="share no question"):
        compare(*runs)


def test_what_differs_about_the_runs_is_named(tmp_path: Path) -> None:
    a = run(tmp_path / "a", result(case()))
    b = run(
        tmp_path / "b",
        result(case()),
        model="large",
        prompts={"reader.md": "12" * 32, "new.md": "34" * 32},
        settings=ABOUT["settings"] | {"max_tokens": 300},
        corpus={"sha256": "56" * 32, "documents": 1},
        started="2040-01-01",
        questions=ABOUT["questions"] | {"asked": 7},
    )
    assert compare(a, b).differs == {
        "model": ("tiny", "large"),
        "prompt new.md": ("-", "34" * 6),
        "prompt reader.md": ("ab" * 6, "12" * 6),
        "setting max_tokens": ("200", "300"),
        "corpus sha256": ("cd" * 32, "56" * 32),
    }


def test_an_error_is_a_flip_that_shows_its_message(tmp_path: Path) -> None:
    a = run(tmp_path / "a", result(case("a")), result(case("b")))
    b = run(tmp_path / "b", result(case("a")), failed(case("b")))
    found = compare(a, b)
    assert [(flip.now, flip.b) for flip in found.lost] == [
        ("error", "the model does not answer; start it")
    ]
    assert found.changes["facts_right"].n == 1


def test_the_tables_mark_what_got_better_and_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    markup = "How many [bold]boats[/bold] are [/] there?"
    names = [f"q{i}" for i in range(8)]
    a = [result(case(n, question=markup), WRONG) for n in names]
    a += [result(unanswerable(f"u{i}"), ABSTAINED) for i in range(8)]
    b = [result(case(n, question=markup)) for n in names]
    b += [result(unanswerable(f"u{i}")) for i in range(8)]
    folders = [str(write_run(tmp_path / name, part)) for name, part in (("a", a), ("b", b))]
    assert main([*folders, "--flips", "3"]) == 0
    out = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): line for line in out.splitlines() if line.count("│") > 5}
    assert "better" in lines["facts right"]
    assert "worse" in lines["wrongly answered"]
    assert "better" not in lines["pointers exact"]
    assert out.count(markup) == 3
    assert "and 5 more, see --flips" in out
    assert "Right in A, not in B: 8" in out


def test_json_holds_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = write_run(tmp_path / "a", [result(case("a")), result(case("b"))])
    b = write_run(tmp_path / "b", [result(case("a")), result(case("b"), WRONG)])
    assert main([str(a), str(b), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["changes"]["facts_right"]["difference"] == -0.5
    assert [flip["id"] for flip in found["lost"]] == ["b"]


def test_the_page_shows_both_answers_of_each_flip_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    asked = case("b", question=f"How many {hostile}?")
    names = [f"q{i}" for i in range(8)]
    a = [result(case("a")), result(asked), *(result(case(n), WRONG) for n in names)]
    b = [
        result(case("a")),
        result(asked, answer(f"640 {hostile} [1]")),
        *map(result, map(case, names)),
    ]
    folders = [str(write_run(tmp_path / "a", a)), str(write_run(tmp_path / "b", b, model=hostile))]
    assert main([*folders, "--html", str(tmp_path / "c.html")]) == 0
    html = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "<script" not in html
    lost, won = html.split("Right in A, not in B: 1")[1].split("Right in B, not in A: 8")
    for part in ("How many &lt;script", "There are 340 boats.", "640 &lt;script", "right → wrong"):
        assert part in lost
    assert lost.count('<ol class="stages">') == 2
    assert won.count('<details class="case">') == 8
    assert f"<bdi>{html_escape(hostile)}</bdi>" in html
    (row,) = [row for row in html.split("<tr>") if ">facts right<" in row]
    found = compare(*map(read_run, map(Path, folders))).changes["facts_right"]
    assert f"<td>{found.difference:+.3f}</td>" in row
    assert verdict("facts_right", found) == "better"
    assert 'data-verdict="better">better</span>' in row


def test_a_page_of_a_comparison_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = str(write_run(tmp_path / "a", [result(case())]))
    with pytest.raises(InputError, match=r"/nowhere/a\.html cannot be written"):
        main([folder, folder, "--html", "/nowhere/a.html"])


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", [result(case())])
    with pytest.raises(InputError, match=r"nowhere/run\.json is not there"):
        main([str(folder), str(tmp_path / "nowhere")])
