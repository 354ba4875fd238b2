"""A folder of runs as a page: their figures are those of the table, their names only names."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from run_rows import ABOUT, answer, case, result, unanswerable, write_run

from evals.measure import Result
from evals.page import main
from evals.run_folder import RunFolder
from evals.run_list import MAIN, runs_page
from evals.summary import summary
from evals.table import read_columns

HOSTILE = ("</td></table><script>document.title='ran'</script>", "</style><iframe src=//evil.test>")
ROWS = [
    result(case("en-1")),
    result(unanswerable("en-2")),
    result(case("en-3"), answer("There are 640 boats. [1]")),
]


def kept(folder: Path, results: Sequence[Result], **about: object) -> Path:
    """The run folder as `rag eval run` leaves it at its end."""
    planned = len(results)
    run = RunFolder(folder, ABOUT | {"questions": {"planned": planned, "set": "articles"}} | about)
    for each in results:
        run.write(each)
    run.finish(summary(results, planned, {"hafen.txt": "de"}), whole=True)
    run.close()
    return folder


def listed(html: str) -> list[list[str]]:
    """The cells of each row of the list."""
    body = html.split("</thead>")[1]
    rows = [re.split(r"</t[hd]>", row)[:-1] for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)]
    return [[text_of(cell) for cell in row] for row in rows]


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_folder_of_runs_is_listed_newest_first_with_the_figures_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path / "first", ROWS, started="2031-02-03T04:05:06")
    kept(tmp_path / "second", ROWS[:2], started="2031-02-04T04:05:06", model="large")
    assert main([str(tmp_path)]) == 0
    path = tmp_path / "report.html"
    assert capsys.readouterr().out.strip() == str(path)
    second, first = listed(path.read_text(encoding="utf-8"))
    told = ["second", "2031-02-04 04:05", "rag large", "articles", "2 of 2"]
    assert second[:5] == told
    column = read_columns([tmp_path / "first"])[0].values
    for name, cell in zip(MAIN, first[5:], strict=True):
        assert cell.replace(" ✓", "").split() == [f"{column[name][0]:.3f}", str(column[name][1])]
    assert "✓" in second[5 + MAIN.index("citations_apt")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", "{"),
        ("run.json", "[]"),
        ("run.json", '{"system": "rag"}'),
        ("run.json", "[" * 100_000),
        ("summary.json", ""),
        ("summary.json", "{}"),
        ("summary.json", '{"figures": {"facts_right": {"mean": "<b>", "n": 1}}, "seconds": 3}'),
        ("summary.json", "[" * 100_000),
    ],
)
def test_a_broken_run_is_one_line_and_the_others_stay(
    tmp_path: Path, name: str, content: str
) -> None:
    kept(tmp_path / "whole", ROWS)
    (kept(tmp_path / "broken", ROWS) / name).write_text(content)
    write_run(tmp_path / "begun", ROWS)
    (tmp_path / "empty").mkdir()
    html = runs_page(tmp_path)
    found = {row[0]: row for row in listed(html)}
    assert set(found) == {"whole", "broken", "begun"}
    assert len(found["broken"]) == 2
    assert found["begun"][4:6] == ["begun", "–"]
    assert found["whole"][4] == "3 of 3"
    assert str(tmp_path) not in html


def test_names_of_runs_are_text(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    kept(tmp_path / name, ROWS[:1], model=HOSTILE[0], system=HOSTILE[1])
    html = runs_page(tmp_path)
    assert not re.search(r"<(img|script|iframe)", html)
    ((shown, *_),) = listed(html)
    assert shown == name
    assert all(text in unescape(html) for text in (name, *HOSTILE))
