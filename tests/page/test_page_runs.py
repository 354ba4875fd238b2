"""The tab of runs: what is on disk is shown as the commands show it, and names are only names."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from run_rows import ABOUT, answer, case, failed, result, unanswerable, write_run
from starlette.testclient import TestClient

import evals.compare
import evals.table
from evals.measure import Result
from evals.metrics import summarise
from evals.page import article_langs, matrix, page
from evals.run_folder import RunFolder, runs_folder
from evals.runs import read_run
from evals.summary import summary
from rag.page.html.places import language_name
from rag.page.html.table import inside
from rag.page.html.words import LANGUAGES, words
from rag.page.runs.changes import MOST_FLIPS
from rag.page.runs.folders import ListedRun, found_runs, kept_runs, run_path
from rag.page.runs.tab import report_route, runs_tab, shown_comparison, shown_run
from rag.page.runs.views import MAIN, list_html, report_path

SAY = words("en")
WRONG = answer("There are 640 boats. [1]")
ABSTAINED = answer("They do not say.", abstained=True)
HOSTILE = (
    "</td></table><script>document.title='ran'</script>",
    "<img src=http://evil.test/a.png onerror=alert(1)>",
    "\" autofocus onfocus='alert(1)' x=\"",
    "![x](http://evil.test/b.png) ${alert(1)} {{value}} &lt;b&gt; \u202eabc \ud800",
)
DEEP = "[" * 100_000


class Parts(HTMLParser):
    """The tags of a piece of HTML, the rows of its tables as texts, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self._cell = True
        elif tag == "br" and self._cell:
            self.rows[-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data

    def row(self, heading: str) -> list[str]:
        """The cells after a heading's first line."""
        (found,) = [row[1:] for row in self.rows if row and row[0].split("\n")[0] == heading]
        return found


def kept(folder: Path, results: Sequence[Result], whole: bool = True, **about: Any) -> Path:
    """The run folder as `rag eval run` leaves it: with figures, to its end or cut short."""
    planned = len(results) + (not whole)
    run = RunFolder(folder, ABOUT | {"questions": {"planned": planned, "set": "articles"}} | about)
    for each in results:
        run.write(each)
    langs = {"hafen.txt": "de", "liman.txt": "tr"}
    run.finish(summary(results, planned, langs), whole)
    run.close()
    return folder


def mixed() -> list[Result]:
    """Right and wrong answers in several languages, an abstention, an error."""
    hebrew = case("he-1", lang="he", question="כמה סִירוֹת יש בנמל?")
    arabic = answer("عددها ٣٤٠ قاربًا [1].", language="ar")
    return [
        result(case("en-1")),
        result(case("en-2"), WRONG),
        result(hebrew, arabic),
        result(unanswerable("en-3"), ABSTAINED),
        result(unanswerable("en-4")),
        result(case("tr-1", lang="tr", question="İstanbul'da kaç tekne var?"), WRONG),
        failed(case("en-5")),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the runs, with two of them."""
    kept(tmp_path / "runs" / "first", mixed(), started="2031-02-03T04:05:06+00:00")
    better = [result(case("en-1")), result(case("en-2")), *mixed()[2:]]
    kept(tmp_path / "runs" / "second", better, model="large", started="2031-02-03T23:30:00-05:00")
    return tmp_path / "runs"


# --- the list


def test_the_list_has_the_figures_of_the_table_newest_first(folder: Path) -> None:
    shown = Parts(list_html(found_runs(folder), SAY))
    assert [row[0] for row in shown.rows[1:]] == ["second", "first"]
    columns = evals.table.read_columns([folder / "first", folder / "second"])
    table = evals.table.markdown(columns).splitlines()
    cells = {row[2:].split(" | ")[0]: row.split(" | ")[1:3] for row in table[2:]}
    for name, (first, second) in cells.items():
        if name.replace(" ", "_") in MAIN or name in MAIN:
            at = shown.rows[0].index(name)
            assert (shown.row("first")[at - 1], shown.row("second")[at - 1]) == (first, second)
    assert sum(name.replace(" ", "_") in MAIN for name in cells) > 4


def test_the_list_tells_of_each_run_what_it_was(folder: Path) -> None:
    shown = Parts(list_html(found_runs(folder), SAY))
    told = ["2031-02-04 04:30 UTC", "rag\nlarge", "articles", "7 / 7", "finished"]
    assert shown.row("second")[:5] == told


def test_every_heading_has_text_and_every_row_is_as_wide(folder: Path) -> None:
    write_run(folder / "begun", [result(case())])
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    shown = Parts(list_html(found_runs(folder), SAY))
    assert all(cell.strip() for cell in shown.rows[0])
    spans = [int(attrs["colspan"] or 0) for tag, attrs in shown.tags if "colspan" in attrs]
    widths = {row[0]: len(row) for row in shown.rows}
    assert widths.pop("broken") - 1 + spans[0] == widths["begun"]
    assert set(widths.values()) == {len(shown.rows[0])}
    scopes = [attrs.get("scope") for tag, attrs in shown.tags if tag == "th"]
    assert scopes.count("col") == len(shown.rows[0])
    assert scopes.count("row") == len(shown.rows) - 1


def test_without_runs_one_line_says_how_to_make_one(tmp_path: Path) -> None:
    for where in (tmp_path, tmp_path / "nowhere"):
        told = list_html(found_runs(where), SAY)
        assert "rag eval run" in told
        assert "make eval" in told
        assert "<table" not in told


def test_what_is_no_run_is_not_listed(folder: Path) -> None:
    (folder / "replies.sqlite").write_bytes(b"x")
    (folder / "empty").mkdir()
    (folder / "other" / "run.json").mkdir(parents=True)
    assert {run.name for run in found_runs(folder)} == {"first", "second"}


def test_an_unfinished_run_says_how_far_it_came(tmp_path: Path) -> None:
    kept(tmp_path / "cut", mixed()[:2], whole=False)
    write_run(tmp_path / "begun", mixed()[:2])
    shown = Parts(list_html(found_runs(tmp_path), SAY))
    assert shown.row("cut")[3:5] == ["2 / 3", "cut short"]
    assert shown.row("begun")[3:5] == ["– / 9", SAY("runs.begun")]
    assert shown.row("begun")[5:] == ["–"] * len(MAIN)


BROKEN: list[tuple[str, str, str]] = [
    ("run.json", "{", "not JSON|cannot be read"),
    ("run.json", "[]", "JSON objects|dictionary"),
    ("run.json", '{"system": "rag"}', "format"),
    ("run.json", '{"format": 7, "system": "rag"}', "7"),
    ("run.json", '{"format": 1, "questions": 3}', "questions"),
    ("run.json", '\ud800{"format": 1}', "cannot be read"),
    ("run.json", DEEP, "."),
    ("summary.json", "", "cannot be read"),
    ("summary.json", "{}", "figures"),
    ("summary.json", '{"figures": {"facts_right": {"mean": "<b>", "n": 1}}}', "facts_right"),
    ("summary.json", '{"figures": {}, "seconds": {"n": 1}, "asked": 1, "planned": 1}', "median"),
    ("summary.json", DEEP, "."),
]


@pytest.mark.parametrize(("name", "content", "why"), BROKEN)
def test_a_broken_run_is_one_line_and_the_others_stay(
    folder: Path, name: str, content: str, why: str
) -> None:
    broken = kept(folder / "broken", mixed())
    (broken / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    runs = {run.name: run for run in found_runs(folder)}
    assert runs["broken"].state == "broken"
    assert re.search(why, runs["broken"].reason)
    assert "\n" not in runs["broken"].reason
    assert runs["first"].state == runs["second"].state == "whole"
    (cell,) = Parts(list_html(list(runs.values()), SAY)).row("broken")
    assert runs["broken"].reason in cell


def test_no_fault_tells_where_the_runs_lie(folder: Path) -> None:
    for name in ("run.json", "summary.json", "results.jsonl"):
        run = kept(folder / name.partition(".")[0], mixed())
        (run / name).write_text("{\n")
    told = [run.reason for run in found_runs(folder)]
    told += [shown_run(run.name, folder, SAY) for run in found_runs(folder)]
    assert sum("results.jsonl, line 1" in each for each in told) == 1
    assert not any(str(folder) in each for each in told)


def test_a_date_without_a_zone_or_none_at_all_does_not_end_the_list(tmp_path: Path) -> None:
    for name, started in (("a", "2031-02-03T04:05:06"), ("b", "yesterday"), ("c", "0001-01-01")):
        kept(tmp_path / name, mixed(), started=started)
    os.utime(tmp_path / "b" / "run.json", (0, 0))
    shown = Parts(list_html(found_runs(tmp_path), SAY))
    assert [row[0] for row in shown.rows[1:]] == ["a", "b", "c"]
    assert shown.row("b")[0] == "1970-01-01 00:00 UTC"


def test_results_are_not_read_for_the_list(folder: Path) -> None:
    before = found_runs(folder)
    for name in ("first", "second"):
        (folder / name / "results.jsonl").unlink()
    assert found_runs(folder) == before


def test_a_run_that_is_written_on_is_listed_as_it_is_now(tmp_path: Path) -> None:
    begun = write_run(tmp_path / "run", mixed())
    assert [run.state for run in found_runs(tmp_path)] == ["begun"]
    kept(tmp_path / "other", mixed(), whole=False)
    for name in ("run.json", "summary.json"):
        os.replace(tmp_path / "other" / name, begun / name)
    assert [run.state for run in found_runs(tmp_path)] == ["cut"]
    (begun / "summary.json").unlink()
    assert [run.state for run in found_runs(tmp_path)] == ["begun"]


# --- one run


def test_a_run_shows_all_that_the_table_has_of_it(folder: Path) -> None:
    shown = Parts(shown_run("first", folder, SAY))
    (column,) = evals.table.read_columns([folder / "first"])
    values = {name: each for name, each in column.values.items() if name in evals.table.AIMS}
    assert len(values) > 10
    for name, (mean, n) in values.items():
        found = shown.row(name.replace("_", " "))
        assert (found[0], found[2]) == (f"{mean:.3f}", str(n))
        aim = evals.table.AIMS[name]
        assert found[4] == ("–" if aim is None else "yes" if aim.met(mean) else "no")
    known = summarise([1.0, 0.0, 1.0, 0.0], ["en-1", "en-2", "he-1", "tr-1"])
    assert shown.row("facts right")[1] == f"{known.se:.3f}"


def test_the_matrix_is_that_of_the_report_and_its_worst_cell_is_named(folder: Path) -> None:
    run = read_run(folder / "first")
    cells = matrix(run.results, article_langs(run), "facts_right")
    html = shown_run("first", folder, SAY)
    shown = Parts(html)
    for lang, row in cells.items():
        assert shown.row(language_name(lang, "en")) == [
            f"{figure.mean:.3f} ({figure.n})" for figure in row.values()
        ]
    assert set(cells) == {"en", "he", "tr"}
    assert "Lowest: question \u2068Turkish\u2069, article \u2068German\u2069" in shown.text
    (worst,) = re.findall(r'class="worst">(.*?)</strong>', html)
    assert "0.000 (1)" in worst


def test_of_cells_that_are_alike_the_one_with_most_cases_is_the_worst(tmp_path: Path) -> None:
    rows = [result(case(f"en-{i}"), WRONG) for i in range(3)]
    rows += [result(case("he-1", lang="he"), WRONG), result(case("tr-1", lang="tr"))]
    kept(tmp_path / "run", rows)
    assert "question \u2068English\u2069" in Parts(shown_run("run", tmp_path, SAY)).text


def test_a_run_without_a_summary_shows_what_it_has_so_far(tmp_path: Path) -> None:
    begun = write_run(tmp_path / "begun", mixed())
    kept(tmp_path / "whole", mixed())
    with (begun / "results.jsonl").open("a") as file:
        file.write('{"id": "ha')
    shown, whole = (Parts(shown_run(name, tmp_path, SAY)) for name in ("begun", "whole"))
    assert SAY("runs.so_far") in shown.text
    assert SAY("runs.left_out") in shown.text
    assert SAY("runs.so_far") not in whole.text
    for name in ("facts right", "wrongly answered", "unsupported"):
        assert shown.row(name) == whole.row(name)


def test_a_search_alone_is_shown_by_what_it_judged(tmp_path: Path) -> None:
    rows = []
    for each in mixed()[:3]:
        scores = type(each.scores)(evidence_found=each.scores.evidence_found)
        rows.append(result(each.case, answer=None, scores=scores, calls=()))
    kept(tmp_path / "search", rows)
    shown = Parts(shown_run("search", tmp_path, SAY))
    assert shown.row("English") == ["1.000 (2)"]
    assert "facts right" not in shown.text


def test_the_link_to_the_report_opens_apart(folder: Path) -> None:
    kept(folder / "a b&c%2F", mixed())
    links = [attrs for tag, attrs in Parts(shown_run("a b&c%2F", folder, SAY)).tags if tag == "a"]
    (link,) = links
    assert link["href"] == "/report/a%20b%26c%252F"
    assert (link["target"], link["rel"]) == ("_blank", "noopener")


# --- two runs


def test_the_comparison_is_that_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    names = [f"q{i}" for i in range(8)]
    a = [result(case(n), WRONG) for n in names]
    a += [result(unanswerable(f"u{i}"), ABSTAINED) for i in range(8)]
    b = [result(case(n), answer(mode="quoted")) for n in names]
    b += [result(unanswerable(f"u{i}"), answer(mode="quoted")) for i in range(8)]
    folders = [kept(tmp_path / "a", a), kept(tmp_path / "b", b, model="large")]
    shown = Parts(shown_comparison("a", "b", tmp_path, SAY))
    assert evals.compare.main([*map(str, folders)]) == 0
    told = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines()]
    measures = [[cell.strip() for cell in cells] for cells in told if len(cells) == 7]
    assert len(measures) == len(evals.compare.compare(*map(read_run, folders)).changes)
    for name, *cells, verdict in measures:
        found = shown.row(name)
        assert found[:-1] == [cell.replace(" to ", " … ").replace("-", "–", cell == "-")
                              for cell in cells]  # fmt: skip
        assert found[-1] == (verdict or "may be chance")
    verdicts = {row[0]: row[-1] for row in shown.rows}
    assert verdicts["facts right"] == "better"
    assert verdicts["wrongly answered"] == "worse"
    assert verdicts["generated"] == "changed"
    assert shown.row("model") == ["tiny", "large"]


def test_flips_are_told_up_to_a_number(tmp_path: Path) -> None:
    names = [f"q{i}" for i in range(MOST_FLIPS + 3)]
    kept(tmp_path / "a", [result(case(n)) for n in names])
    kept(tmp_path / "b", [result(case(n), WRONG) for n in names])
    for a, b, key in (("a", "b", "lost"), ("b", "a", "won")):
        shown = Parts(shown_comparison(a, b, tmp_path, SAY))
        assert SAY(f"runs.{key}", count=inside(len(names))) in shown.text
        assert sum(tag == "li" for tag, _ in shown.tags) == MOST_FLIPS
        assert SAY("runs.more", count=inside(3)) in shown.text
    assert "B: wrong" in Parts(shown_comparison("a", "b", tmp_path, SAY)).text


def test_a_flip_runs_as_its_own_letters_do(tmp_path: Path) -> None:
    asked = case("he-1", lang="he", question="כמה סִירוֹת יש בנמל, 340 או OPEC+?")
    kept(tmp_path / "a", [result(asked)])
    kept(tmp_path / "b", [result(asked, answer("عددها ٦٤٠ قاربًا [1].", language="ar"))])
    html = shown_comparison("a", "b", tmp_path, SAY)
    assert f'<p dir="rtl" lang="he">{asked.question}</p>' in html
    assert '<p dir="rtl">عددها ٦٤٠ قاربًا [1].</p>' in html
    assert '<p dir="ltr">There are 340 boats. [1]</p>' in html


def test_what_cannot_be_compared_is_said_in_a_line(folder: Path) -> None:
    kept(folder / "apart", [result(case("other"))])
    broken = kept(folder / "broken", mixed())
    (broken / "results.jsonl").write_text("")
    for a, b, told in (
        ("first", "apart", SAY("runs.nothing_shared")),
        ("first", None, SAY("runs.choose_two")),
        ([], "first", SAY("runs.choose_two")),
        ("first", "../first", SAY("runs.unknown")),
        ("first", {"a": 1}, SAY("runs.unknown")),
        ("broken", "first", "holds no results"),
    ):
        html = shown_comparison(a, b, folder, SAY)
        assert told in html
        assert html.count("<p") == 1


# --- names and texts of others

NAMES = (
    "", ".", "..", "../runs/first", "first/", "./first", "first/../second", "first\x00",
    "FIRST", "/etc", "first/results.jsonl", "..%2Ffirst", "fırst", "first\n",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_only_the_exact_name_of_a_run_is_one(folder: Path, name: str) -> None:
    assert run_path(name, folder) is None
    assert SAY("runs.unknown") in shown_run(name, folder, SAY)
    assert run_path("first", folder) == folder / "first"


def test_names_in_any_script_are_found_as_they_are_written(tmp_path: Path) -> None:
    for name in ("İıŞ", "e\u0301", "é", "הרצה ١٢", "עם\u202eסוף"):
        kept(tmp_path / name, mixed()[:1])
    for run in found_runs(tmp_path):
        path = run_path(run.name, tmp_path)
        assert path is not None
        assert path.name == run.name
    assert len(found_runs(tmp_path)) == 5


def plain(text: str) -> str:
    """The text as a reply can carry it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def hostile(folder: Path, text: str, name: str) -> Path:
    """A run with words of others wherever it has any; half a surrogate only fits `run.json`."""
    about = {"model": text, "system": text, "settings": {text: text}, "commit": text,
             "prompts": {text: text}, "packages": {text: text}, "started": text,
             "questions": {"set": text, "planned": text}}  # fmt: skip
    text = plain(text)
    asked = case(text, lang=text, kind=text, question=text)
    said = answer(f"340 {text}", language=text, mode=text)
    run = kept(folder / name, [result(asked, said), failed(case("other"), text)])
    file = run / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | about))
    return run


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_others_becomes_markup(tmp_path: Path, text: str) -> None:
    name = plain(text).replace("/", "")
    hostile(tmp_path, text, name)
    same = case(plain(text), lang=plain(text), kind=plain(text), question=plain(text))
    kept(tmp_path / "b", [result(same, WRONG)])
    bad = ListedRun("x", "broken", found_runs(tmp_path)[0].when, reason=text)
    html = "".join(
        [
            list_html([*found_runs(tmp_path), bad], SAY),
            shown_run(name, tmp_path, SAY),
            shown_comparison(name, "b", tmp_path, SAY),
        ]
    )
    shown = Parts(html)
    html.encode()
    assert {tag for tag, _ in shown.tags} <= {
        "p", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "br", "time",
        "small", "h2", "h3", "a", "strong", "ul", "li", "dl", "dt", "dd",
    }  # fmt: skip
    known = {"class", "role", "tabindex", "aria-label", "scope", "dir", "lang", "datetime",
             "href", "target", "rel", "colspan"}  # fmt: skip
    assert {key for _, attrs in shown.tags for key in attrs} <= known
    links = [attrs["href"] for tag, attrs in shown.tags if tag == "a"]
    assert links == [report_path(name)]
    assert shown.text.count(plain(text)) > 5


# --- the report over HTTP


@pytest.fixture
def served(folder: Path) -> Iterator[TestClient]:
    app = FastAPI(openapi_url=None)
    report_route(app, lambda request: request.headers.get("x-key") == "right", folder)
    with TestClient(app, headers={"x-key": "right"}, raise_server_exceptions=True) as client:
        yield client


def test_the_report_is_that_of_the_command_with_its_policy_as_a_header(
    served: TestClient, folder: Path
) -> None:
    reply = served.get("/report/first")
    assert reply.status_code == 200
    assert reply.text == page(read_run(folder / "first"))
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    stated = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', reply.text)
    policy = reply.headers["content-security-policy"]
    assert policy == f"{stated[0]}; frame-ancestors 'none'"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_report_is_closed_to_whom_it_is_not_for(served: TestClient) -> None:
    for name in ("first", "nothing"):
        reply = served.get(f"/report/{name}", headers={"x-key": "wrong"})
        assert (reply.status_code, reply.text) == (403, SAY("runs.refused") + "\n")


@pytest.mark.parametrize(
    "name",
    [
        "nothing", "", "..", "%2e%2e", "..%2Fruns%2Ffirst", "first%2F..%2Fsecond", "first%00",
        "%2Fetc%2Fpasswd", "first/run.json", "first%2Frun.json", "..%5Cfirst", "FIRST",
        "%ff%fe", "<script>alert(1)</script>",
    ],
)  # fmt: skip
def test_an_unknown_name_is_a_plain_line(served: TestClient, name: str) -> None:
    reply = served.get(f"/report/{name}")
    assert reply.status_code == 404
    if "report" in str(reply.request.url):
        assert reply.text == SAY("runs.unknown") + "\n"
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_the_line_is_in_the_language_of_the_browser(served: TestClient) -> None:
    reply = served.get("/report/nothing", headers={"accept-language": "he-IL, en;q=0.5"})
    assert reply.text == words("he")("runs.unknown") + "\n"


def test_a_run_that_cannot_be_read_has_no_report(served: TestClient, folder: Path) -> None:
    (folder / "first" / "results.jsonl").write_text("{\n")
    reply = served.get("/report/first")
    assert reply.status_code == 404
    assert "first/results.jsonl, line 1" in reply.text
    assert str(folder) not in reply.text


@pytest.mark.parametrize("text", HOSTILE)
def test_each_link_leads_to_its_report(served: TestClient, folder: Path, text: str) -> None:
    name = plain(text).replace("/", "")
    hostile(folder, text, name)
    reply = served.get(report_path(name))
    assert reply.status_code == 200
    assert "<h1>Evaluation of" in reply.text


# --- the tab


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_tab_is_built_and_refreshed_in_every_language(folder: Path, lang: str) -> None:
    say = words(lang)
    with gr.Blocks(analytics_enabled=False) as blocks, gr.Tab(say("runs.tab")):
        tab = runs_tab(None, say, folder)  # type: ignore[arg-type]
    values = tab.refresh()
    assert len(values) == len(tab.refreshed)
    assert values[0] == list_html(found_runs(folder), say)
    assert values[1]["visible"] is True
    assert [each["choices"] for each in values[2:]] == [["second", "first"]] * 3
    events = blocks.get_config_file()["dependencies"]
    assert len(events) == 2
    assert {each["api_visibility"] for each in events} == {"private"}
    kept(folder / "third", mixed())
    assert len(tab.refresh()[2]["choices"]) == 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_can_be_said_in_every_language(folder: Path, lang: str) -> None:
    say = words(lang)
    kept(folder / "cut", mixed(), whole=False)
    write_run(folder / "begun", mixed())
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    html = list_html(found_runs(folder), say) + list_html([], say)
    for run in found_runs(folder):
        html += shown_run(run.name, folder, say)
        html += shown_comparison("first", run.name, folder, say)
    english = Parts(shown_run("first", folder, SAY)).text
    assert (Parts(shown_run("first", folder, say)).text == english) == (lang == "en")
    for measure in evals.table.AIMS:
        assert say(f"runs.what_{measure.replace(' ', '_')}")
    for outcome in evals.runs.Outcome.__args__:  # type: ignore[attr-defined]
        assert say(f"runs.is_{outcome.replace(' ', '_')}")
    assert "$" not in Parts(html).text


def test_the_columns_of_the_list_are_measures_of_the_table() -> None:
    assert set(MAIN) <= set(evals.table.AIMS)


def test_runs_are_sought_where_the_command_keeps_them() -> None:
    assert kept_runs() == runs_folder()


def test_the_evaluation_is_loaded_only_for_those_who_look() -> None:
    program = (
        "import sys, rag, rag.page.runs.tab; assert not [m for m in sys.modules if 'evals' in m]; "
        "from rag.resources import evals_module as m; place = list(sys.path); "
        "assert m('evals.runs').FORMAT and m('evals.table').AIMS; "
        "assert len(sys.path) <= len(place) + 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
