"""The page of a run: everything is on it, and nothing in a text of others becomes markup."""

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from run_rows import (
    ABOUT,
    PROOF,
    QUOTE,
    answer,
    call,
    case,
    failed,
    result,
    unanswerable,
    write_run,
)
from skipping import NO_CHROMIUM, skip_or_fail

from evals.browsing import chromium
from evals.cases import Evidence
from evals.measure import Result
from evals.metrics import summarise
from evals.page import MEANINGS, calibration, main, matrix, page, worst
from evals.pages.case import evidence_in, segments, stages
from evals.runs import read_run
from rag.errors import InputError
from rag.records import Citation, Hit, Statement

HEBREW = "כמה סִירוֹת יש בנמל?"
ARABIC = "عددها ٣٤٠ قاربًا [1]."
HOSTILE = (
    "</script><script>document.title='ran'</script>",
    "<img src=http://evil.test/a.png onerror=\"document.title='ran'\">",
    "![x](http://evil.test/b.png)",
    "</pre></details></style><iframe src=http://evil.test/c></iframe>",
    '" autofocus onfocus="document.title=\'ran\'" x="',
    "<link rel=stylesheet href=http://evil.test/d.css><svg onload=document.title='ran'>",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt; \u202eabc",
)


def rows() -> list[Result]:
    """One question of each outcome, in several languages."""
    hebrew = case("he-1", lang="he", kind="fact", question=HEBREW)
    abstained = answer("They do not say.", abstained=True)
    return [
        result(case("en-1")),
        result(hebrew, answer(ARABIC, language="ar")),
        result(case("tr-1", lang="tr", question="Limanda İstanbul'dan kaç tekne var?"),
               answer("640 [1]", mode="quoted")),
        result(unanswerable("en-2"), abstained),
        result(unanswerable("en-3")),
        result(case("en-4"), abstained),
        failed(case("en-5")),
    ]  # fmt: skip


def hostile_row(number: int, text: str) -> Result:
    """Other people's words wherever a run has any."""
    asked = case(
        f"{number} {text}",
        kind="follow_up",
        lang=text,
        question=text,
        history=((text, text),),
        must=((text, "340"),),
        must_not=(text,),
        evidence=(Evidence((PROOF, PROOF)),),
    )
    citation = Citation(1, text, 0, 27, text, status=text, title=text, lang=text)
    hit = Hit(text, 0, 9, text, score=0.5, lang=text)
    refused = Statement(text, (), "refused", reason=text)
    said = answer(
        text, citations=(citation,), hits=(hit,), language=text, query=text, mode=text,
        statements=(refused,),
    )  # fmt: skip
    calls = ({"prompt": [[text, text]], "reply": text, "refused": text, "cached": True},)
    row = said.to_dict()
    return replace(result(case()), case=asked, hits=tuple(row.pop("hits")), answer=row, calls=calls)


def hostile_run(folder: Path) -> str:
    text = HOSTILE[0] + HOSTILE[1]
    about = {"model": text, "system": text, "settings": {text: text}, "commit": text,
             "corpus": {"sha256": text, "documents": text}, "prompts": {text: text}}  # fmt: skip
    results = [hostile_row(i, each) for i, each in enumerate(HOSTILE)]
    return page(read_run(write_run(folder, results, **about)))


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(read_run(write_run(tmp_path_factory.mktemp("runs") / "run", rows())))


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy on loopback that answers nothing, and the addresses that it is asked for."""
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def _note(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_GET = do_CONNECT = do_POST = do_HEAD = _note  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Browse = Callable[..., tuple[str, list[str]]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Gives a page as Chromium has it after its scripts, and what it asked of evil.test."""
    program = chromium()
    if program is None:
        skip_or_fail(NO_CHROMIUM)

    def browsed(html: str, fragment: str = "") -> tuple[str, list[str]]:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        with proxy() as (address, asked):
            command = [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
                "--virtual-time-budget=3000", f"--proxy-server={address}",
                f"{path.as_uri()}#{fragment}",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, check=True, timeout=90)
        return done.stdout.decode(), [each for each in asked if "evil.test" in each]

    return browsed


def shown(dom: str) -> list[str]:
    """The questions that are not hidden, by their id."""
    cases = [attrs for tag, attrs in Tags(dom).found if attrs.get("class") == "case"]
    ids = re.findall(r'<bdi class="said">([^<]*)</bdi>', dom)
    assert len(cases) == len(ids)
    return [name for name, attrs in zip(ids, cases, strict=True) if "hidden" not in attrs]


def test_hostile_texts_neither_run_nor_load_in_a_real_browser(
    browse: Browse, tmp_path: Path
) -> None:
    dom, asked = browse(hostile_run(tmp_path / "run"))
    assert "<title>Evaluation: " in dom
    assert ">7 of 7 questions</output>" in dom
    assert asked == []


def test_the_browser_would_run_and_load_what_is_not_escaped(browse: Browse) -> None:
    bare = f"<!doctype html><title>bare</title><body>{HOSTILE[0]}{HOSTILE[1]}"
    dom, asked = browse(bare.replace("</script>", "", 1))
    assert "<title>ran</title>" in dom
    assert asked == ["http://evil.test/a.png"]


def test_the_policy_stops_what_an_escape_would_have_missed(browse: Browse, html: str) -> None:
    planted = html.replace("<main>", f"<main>{HOSTILE[0]}{HOSTILE[1]}{HOSTILE[3]}{HOSTILE[5]}")
    dom, asked = browse(planted)
    assert "evil.test/a.png" in dom
    assert "<title>ran</title>" not in dom
    assert asked == []


@pytest.mark.parametrize(
    ("fragment", "left"),
    [
        ("", ["en-1", "he-1", "tr-1", "en-2", "en-3", "en-4", "en-5"]),
        ("lang=he", ["he-1"]),
        ("outcome=wrong", ["tr-1"]),
        ("outcome=abstained+wrongly&lang=en", ["en-4"]),
        ("mode=refused", ["tr-1"]),
        ("kind=unanswerable&mode=generated", ["en-3"]),
        ("text=ISTANBUL", ["tr-1"]),
        ("text=340+%D9%82%D8%A7%D8%B1%D8%A8%D8%A7", ["he-1"]),
        ("text=%D7%A1%D7%99%D7%A8%D7%95%D7%AA", ["he-1"]),
        ("text=nowhere", []),
        ("lang=klingon&outcome=error", ["en-5"]),
    ],
)
def test_the_address_holds_the_filters(
    browse: Browse, html: str, fragment: str, left: list[str]
) -> None:
    dom, _ = browse(html, fragment)
    assert shown(dom) == left
    assert f">{len(left)} of 7 questions</output>" in dom


def test_texts_of_others_are_text(tmp_path: Path) -> None:
    tags = Tags(hostile_run(tmp_path / "run"))
    names = [tag for tag, _ in tags.found]
    assert names.count("script") == names.count("style") == 1
    assert not {"img", "iframe", "a", "link", "object"} & set(names)
    assert not [name for _, attrs in tags.found for name in attrs if name.startswith("on")]
    for text in HOSTILE:
        assert tags.text.count(text) >= 10


def test_it_names_no_address_and_its_policy_begins_with_none(html: str) -> None:
    assert "http://" not in html.replace("http-equiv", "")
    assert "https://" not in html
    tags = [attrs for tag, attrs in Tags(html).found if tag == "meta"]
    (policy,) = (each["content"] for each in tags if "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in Tags(html).found if "style" in attrs]


def test_every_text_has_its_direction_and_language(html: str) -> None:
    assert f'dir="auto" lang="he">{HEBREW}</span>' in html
    assert 'lang="ar">عددها ٣٤٠ قاربًا <bdi class="mark">[1]</bdi>.</p>' in html
    assert f'<blockquote class="text " dir="auto" lang="de">{QUOTE}</blockquote>' in html
    free = [attrs for tag, attrs in Tags(html).found if tag in ("pre", "blockquote")]
    assert free
    assert all(attrs.get("dir") == "auto" for attrs in free)


def test_a_case_shows_all_that_was_asked_found_and_said(tmp_path: Path) -> None:
    calls = (call("Well,\n boats.", True, "\n\nPROMPT"), {**call("{}"), "cached": True})
    one = result(case("one", history=(("Before?", "Earlier."),), kind="follow_up"), calls=calls)
    text = Tags(page(read_run(write_run(tmp_path / "run", [one])))).text
    for part in (
        "Before?", "Earlier.", "There are 340 boats. [1]", "hafen.txt [0:27] de", QUOTE, "640",
        "0.830", "holds fact 1", "\n\nPROMPT", "Well,\n boats.", "it is not the JSON", "cached",
        "facts right", "1.50 s", "tiny", "reader.md", "ab" * 32, "0123456789ab-dirty", "rag",
        "2031-02-03T04:05:06", "cdcdcdcdcdcd", "gguf:tiny",
    ):  # fmt: skip
        assert part in text, part


def test_each_claim_shows_how_it_was_checked(tmp_path: Path) -> None:
    statements = (
        Statement("There are 340 boats.", (1,), "checked", 0, 20),
        Statement("They are many.", (1,), "unchecked", 25, 39),
        Statement("There are 640 boats.", (), "refused", reason="640 is not in the sentence"),
    )
    said = answer("There are 340 boats. [1] They are many. [1]", statements=statements)
    quoted = answer(mode="quoted", statements=(Statement(QUOTE, (1,), "quoted", 0, 27),))
    folder = write_run(tmp_path / "run", [result(case("a"), said), result(case("b"), quoted)])
    html = page(read_run(folder))
    text = " ".join(Tags(html).text.split())
    assert "particulars checked There are 340 boats." in text
    assert "nothing to check in it They are many." in text
    assert "refused There are 640 boats. 640 is not in the sentence" in text
    assert html.count('<ul class="claims">') == 1
    assert f'<th scope="row">claims refused</th><td>{1 / 3:.3f}</td>' in html
    assert 'data-mode="generated refused unchecked"' in html


def test_a_model_that_failed_is_told_of(tmp_path: Path) -> None:
    said = answer(mode="quoted", notice="the model at <i>x</i> does not answer")
    html = page(read_run(write_run(tmp_path / "run", [result(case(), said, calls=())])))
    assert "the model failed</span> <bdi>the model at &lt;i&gt;x&lt;/i&gt; does not ans" in html


def test_replies_that_were_recorded_are_told_of(tmp_path: Path) -> None:
    about = {"model": "big 5, replies recorded by hand",
             "replies": {"sha256": "12" * 32, "recorded": 77}}  # fmt: skip
    text = Tags(page(read_run(write_run(tmp_path / "run", rows(), **about)))).text
    assert "big 5, replies recorded by hand" in text
    assert "Replies recorded by hand77, 121212121212\n" in text


def test_figures_are_those_of_the_rows(html: str) -> None:
    right = summarise([each.scores.facts_right for each in rows()])
    assert (right.mean, right.n) == (0.5, 4)
    cells = f"<td>{right.mean:.3f}</td><td>± {right.se:.3f}</td><td>{right.n}</td>"
    assert f'<th scope="row">facts right</th>{cells}' in html


def test_the_matrix_counts_a_question_for_each_language_of_its_articles(tmp_path: Path) -> None:
    other = PROOF.__class__("namal.txt", 0, 4, "word")
    both = case("b", lang="he", evidence=(Evidence((PROOF,)), Evidence((other,))))
    run = read_run(write_run(tmp_path / "run", [result(case("a", lang="he")), result(both)]))
    found = matrix(run.results, {"hafen.txt": "de", "namal.txt": "he"}, "facts_right")
    assert {lang: figure.n for lang, figure in found["he"].items()} == {"de": 2, "he": 1}


def test_calibration_holds_scores_against_proofs(tmp_path: Path) -> None:
    far = Hit("hafen.txt", 28, 55, "Die Schule hat 640 Schüler.", score=0.81, lang="de")
    results = [result(case("a")), result(case("b"), answer(hits=(far,))), result(unanswerable("c"))]
    (tenth,) = calibration(read_run(write_run(tmp_path / "run", results)).results)
    assert tenth.n == 3
    assert tenth.held == pytest.approx(1 / 3)
    assert tenth.promised == pytest.approx((0.83 + 0.81 + 0.83) / 3)


def test_scores_beyond_one_are_no_probabilities(tmp_path: Path) -> None:
    far = Hit("hafen.txt", 0, 27, QUOTE, score=7.5, lang="de")
    (row,) = read_run(write_run(tmp_path / "run", [result(case(), answer(hits=(far,)))])).results
    assert calibration([row]) == []
    assert evidence_in(row, row.hits[0]) == [1]


def test_only_marks_of_citations_are_marks() -> None:
    assert segments("[1] [7]", [1]) == [("[1]", True), (" ", False), ("[7]", False)]


def test_the_command_writes_the_page_into_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "run", rows())
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert main([str(folder), "--out", str(tmp_path / "other.html")]) == 0
    pages = [(folder / "report.html").read_bytes(), (tmp_path / "other.html").read_bytes()]
    assert pages[0] == pages[1]


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", rows())
    with pytest.raises(InputError, match=r"/nowhere/a\.html cannot be written"):
        main([str(folder), "--out", "/nowhere/a.html"])


def test_each_case_tells_its_stages(tmp_path: Path) -> None:
    calls = (call("Well,", True), call("{}"))
    folder = write_run(
        tmp_path / "run", [result(case("a"), calls=calls), result(unanswerable("b"))]
    )
    first, second = (dict(stages(row)) for row in read_run(folder).results)
    assert first == {
        "found": "1 passage, first proof at 1",
        "read": "2 calls, 1 refused",
        "cited": "1 of 1 needed facts",
        "took": "1.50 s",
    }
    assert second["found"] == "1 passage"
    assert "cited" not in second


def test_figures_stand_beside_their_aims_and_what_they_are(html: str) -> None:
    row = html.split('<th scope="row">pointers exact</th>')[1].split("</tr>")[0]
    assert row.endswith("<td>≥ 1.0 ✓</td>")
    assert "≤ 0.05</td>" in html.split('<th scope="row">wrongly answered</th>')[1]
    assert "<td>says all that it must, nothing that it must not</td>" in html
    shown = html.split("<h3>All questions</h3>")[1].split("</table>")[0]
    measured = {name.replace(" ", "_") for name in re.findall(r'scope="row">([^<]*)<', shown)}
    assert measured - set(MEANINGS) <= {"crag", "claims_refused"}


def test_the_lowest_cell_is_framed_and_of_those_alike_that_with_most_cases(tmp_path: Path) -> None:
    wrong = answer("There are 640 boats. [1]")
    asked = [result(case(f"en-{i}"), wrong) for i in range(3)]
    asked += [result(case("he-1", lang="he"), wrong), result(case("tr-1", lang="tr"))]
    run = read_run(write_run(tmp_path / "run", asked))
    assert worst(matrix(run.results, {"hafen.txt": "de"}, "facts_right")) == ("en", "de")
    (framed,) = re.findall(r'<td class="h0 worst">(.*?)</td>', page(run))
    assert framed == "0.00 <small>3</small>"
    assert worst({}) is None


# Reading a run folder


def test_a_last_line_that_was_cut_short_is_dropped_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "run", rows())
    whole = (folder / "results.jsonl").read_bytes()
    cut = whole.index(HEBREW.encode()) + 1
    (folder / "results.jsonl").write_bytes(whole[:cut])
    run = read_run(folder)
    assert (run.cut, [row.id for row in run.results]) == (True, ["en-1"])
    main([str(folder)])
    assert "was cut short and is left out" in capsys.readouterr().err


def test_a_whole_last_line_needs_no_end(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", rows())
    path = folder / "results.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert not read_run(folder).cut
    assert len(read_run(folder).results) == 7


def spoilt(lines: Sequence[str]) -> dict[str, str]:
    """Results that no run has written, by what their complaint must say."""
    row = json.loads(lines[0])
    return {
        "line 1: Invalid JSON": "{\n" + lines[1] + "\n",
        "line 1: scores.facts_right": json.dumps({**row, "scores": {"facts_right": "x"}}) + "\n",
        "line 1: question": json.dumps({**row, "question": None}) + "\n",
        "line 2: Invalid JSON": lines[0] + "\n[[\n" + lines[1] + "\n",
        "the question 'en-1' stands twice": lines[0] + "\n" + lines[0] + "\n",
        "holds no results": "\n",
    }


@pytest.mark.parametrize("complaint", spoilt(["{}", "{}"]))
def test_damage_is_one_line_that_names_the_place(tmp_path: Path, complaint: str) -> None:
    folder = write_run(tmp_path / "run", rows())
    path = folder / "results.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text(spoilt(lines)[complaint], encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(complaint)) as fault:
        read_run(folder)
    assert len(str(fault.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "is not there; name a folder"),
        ("{", "is not JSON"),
        ("[]", "the format is None"),
        (json.dumps({**ABOUT, "format": 2}), "the format is 2, this version reads 1"),
        (json.dumps({**ABOUT, "prompts": 3}), "prompts: "),
    ],
)
def test_a_folder_that_is_no_run_is_named(tmp_path: Path, text: str | None, complaint: str) -> None:
    folder = write_run(tmp_path / "run", rows())
    (folder / "run.json").unlink()
    if text is not None:
        (folder / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint) as fault:
        read_run(folder)
    assert len(str(fault.value).splitlines()) == 1
