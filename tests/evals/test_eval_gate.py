"""The gate stays green for the same product and turns red for each planted fault."""

import json
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from filled_store import filled_store
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field
from run_rows import answer, call, case, failed, result, unanswerable, write_run
from scripted import ScriptedChat

import rag.prompts
from evals.cases import Case, Evidence, Quote
from evals.gate import baseline_of, failures, main, read_baseline
from evals.matching import fold
from evals.measure import Result, run
from evals.runs import read_run
from rag.engine import History, Rag, Where
from rag.errors import InputError
from rag.models.errors import NO_FORM
from rag.records import Citation, Event
from rag.resources import prompts_folder
from rag.settings import Settings

pytestmark = pytest.mark.slow

# A sentence, a question that it answers, and what a right answer holds.
FACTS = [
    ("The harbour counted 340 boats in 2021.", "How many boats did the harbour count?", "340"),
    ("The school in Brzeg has 640 pupils.", "How many pupils has the school in Brzeg?", "640"),
    ("The bridge over the Odra is 215 metres long.", "How long is the Odra bridge?", "215"),
    ("The library lent 9,800 books last year.", "How many books did the library lend?", "9,800"),
    ("The bakery on Mill Street employs 27 people.", "How many work at the bakery?", "27"),
    ("The lighthouse was built in 1874.", "When was the lighthouse built?", "1874"),
    ("Okul müdürü İbrahim Işık 52 yaşında.", "Okul müdürü İbrahim Işık kaç yaşında?", "52"),
    ("במוזיאון ביקרו 4,150 אורחים.", "כמה אורחים ביקרו במוזיאון?", "4,150"),
]
UNKNOWN = "Who wrote the song Yesterday by the Beatles?"


class Copyist(ScriptedChat):
    """Answers with the sentence that shares most words with the question.

    In JSON where the prompt asks for it, else in prose; with `misprints` each first digit
    is another one.
    """

    replies: list[str] = Field(default_factory=list)
    misprints: bool = False

    def _stream(
        self, messages: list[BaseMessage], *_: Any, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        asked = next(str(m.text) for m in reversed(messages) if "\nQuestion: " in str(m.text))
        question = set(re.findall(r"\w+", fold(asked.partition("\nQuestion: ")[2])))
        found = re.findall(r"^\[(\d+)\] (.*?)(?: \(figures: .*\))?$", asked, re.MULTILINE)
        number, text = max(found, key=lambda s: len(question & set(re.findall(r"\w+", fold(s[1])))))
        if self.misprints:
            text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), text, count=1)
        reply = f"It is this: {text}"
        if "JSON" in str(messages[0].text):
            claims = [{"ids": [int(number)], "text": text}]
            reply = json.dumps({"claims": claims}, ensure_ascii=False)
        yield ChatGenerationChunk(message=AIMessageChunk(content=reply))


class Blind(Rag):
    """A product whose retriever finds nothing."""

    def stream(
        self,
        question: str,
        history: History = (),
        language: str | None = None,
        k: int | None = None,
        where: Where | None = None,
    ) -> Generator[Event, None, None]:
        return super().stream(question, history, language, k, {"source": ["nowhere.txt"]})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store that is filled once for all tests here, an article for each fact."""
    articles = {f"{i}.txt": sentence for i, (sentence, _, _) in enumerate(FACTS)}
    return filled_store(tmp_path_factory.mktemp("gate"), articles, answers="words")


def cases() -> list[Case]:
    langs = ["en"] * 6 + ["tr", "he"]
    known = [
        case(
            f"q{i}",
            lang=langs[i],
            question=question,
            evidence=(Evidence((Quote(f"{i}.txt", 0, len(text), text),)),),
            must=((value,),),
            must_not=(),
        )
        for i, (text, question, value) in enumerate(FACTS)
    ]
    return [*known, unanswerable("unknown", question=UNKNOWN)]


Measured = Callable[[Copyist, type[Rag]], Path]


@pytest.fixture(scope="module")
def measured(store: Settings, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The run folder of a model, by the real pipeline."""

    def measured(model: Copyist, product: type[Rag]) -> Path:
        with product(store) as engine:
            engine.parts.chat_model = model
            articles = {name: each.text for name, each in engine.documents().items()}
            results = run(engine, cases(), articles)
        return write_run(tmp_path_factory.mktemp("runs") / "run", results)

    return measured


@pytest.fixture(scope="module")
def baseline(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the product without a fault makes."""
    path = tmp_path_factory.mktemp("gate") / "baseline.json"
    assert main([str(measured(Copyist(), Rag)), "--baseline", str(path), "--update"]) == 0
    return path


def gate(folder: Path, baseline: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    status = main([str(folder), "--baseline", str(baseline)])
    return status, capsys.readouterr().out


def test_the_product_without_a_fault_answers_well(baseline: Path) -> None:
    kept = read_baseline(baseline).questions
    scores = [each.scores for name, each in kept.items() if name != "unknown"]
    assert sum(each.get("generated") or 0 for each in scores) >= 6
    assert sum(each.get("facts_right") or 0 for each in scores) >= 7


def test_the_same_product_is_green(
    measured: Measured, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = gate(measured(Copyist(), Rag), baseline, capsys)
    assert (status, told) == (0, "not worse over 9 questions\n")


def test_a_retriever_that_finds_nothing_is_red(
    measured: Measured, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = gate(measured(Copyist(), Blind), baseline, capsys)
    assert status == 1
    for name in ("facts right", "evidence found", "evidence cited", "wrongly abstained"):
        assert f"worse: {name}: " in told


def test_a_model_that_changes_a_digit_is_red(
    measured: Measured, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = measured(Copyist(misprints=True), Rag)
    refused = [call.refused for row in read_run(folder).results for call in row.calls]
    assert any("does not stand in the sentences" in each for each in refused)
    status, told = gate(folder, baseline, capsys)
    assert status == 1
    assert "worse: generated: no answer is in the model's words" in told
    assert "not json" not in told


@pytest.fixture
def without_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The product's prompts, of which the first lost the form that a reply must have."""
    folder = tmp_path / "prompts"
    shutil.copytree(prompts_folder(), folder)
    path = folder / "reader.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("Reply with JSON")], encoding="utf-8")
    monkeypatch.setattr(rag.prompts, "prompts_folder", lambda: folder)
    rag.prompts._template.cache_clear()
    yield
    rag.prompts._template.cache_clear()


@pytest.mark.usefixtures("without_schema")
def test_a_prompt_without_its_schema_is_red(
    measured: Measured, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = measured(Copyist(), Rag)
    calls = [call for row in read_run(folder).results for call in row.calls]
    assert calls
    assert all(call.refused == NO_FORM for call in calls)
    status, told = gate(folder, baseline, capsys)
    assert status == 1
    assert "worse: not json: 1.000, and 0.000 in the baseline" in told
    assert "worse: generated: no answer is in the model's words" in told


# The rules, on results that the tests word themselves

NAMES = [f"q{i}" for i in range(12)]


def held(folder: Path, before: Sequence[Result], after: Sequence[Result]) -> list[str]:
    """What the gate says of `after` with `before` as its baseline."""
    old, new = (
        read_run(write_run(folder / name, part))
        for name, part in (("before", before), ("after", after))
    )
    return failures(new, baseline_of(old))


def right(names: Sequence[str] = NAMES) -> list[Result]:
    return [result(case(name)) for name in names]


def test_one_loss_among_many_is_chance(tmp_path: Path) -> None:
    wrong = result(case("q0"), answer("Many boats. [1]"))
    assert held(tmp_path, right(), [wrong, *right(NAMES[1:])]) == []


def test_a_loss_in_most_questions_is_told_with_its_figures(tmp_path: Path) -> None:
    wrong = [result(case(name), answer("Many boats. [1]")) for name in NAMES[:6]]
    (line,) = [s for s in held(tmp_path, right(), [*wrong, *right(NAMES[6:])]) if "facts" in s]
    assert line.startswith(
        "facts right: 0.500, and 1.000 in the baseline; the change of -0.500 over 12 questions "
        "is between -"
    )


def test_a_gain_is_green(tmp_path: Path) -> None:
    wrong = [result(case(name), answer("Many boats. [1]")) for name in NAMES]
    assert held(tmp_path, wrong, right()) == []


def test_one_pointer_that_is_not_exact_is_red(tmp_path: Path) -> None:
    moved = Citation(1, "hafen.txt", 1, 28, "Der Hafen zählte 340 Boote.", lang="de")
    after = [*right(NAMES[1:]), result(case("q0"), answer(citations=(moved,)))]
    assert held(tmp_path, right(), after) == [
        "pointers exact: 1 answer with a quote that is not the article's: q0"
    ]


def test_one_error_is_red(tmp_path: Path) -> None:
    told = held(tmp_path, right(), [*right(NAMES[1:]), failed(case("q0"))])
    assert "1 question ended in an error: q0" in told


def test_one_more_unsupported_particular_is_red(tmp_path: Path) -> None:
    invented = answer("There are 340 boats and 77 jets. [1]")
    told = held(tmp_path, right(), [*right(NAMES[1:]), result(case("q0"), invented)])
    assert [line.partition(":")[0] for line in told] == ["unsupported"]


def test_a_particular_that_was_unsupported_before_is_green(tmp_path: Path) -> None:
    invented = result(case("q0"), answer("There are 340 boats and 77 jets. [1]"))
    assert held(tmp_path, [invented, *right(NAMES[1:])], [invented, *right(NAMES[1:])]) == []


def test_a_missing_question_is_red_and_named(tmp_path: Path) -> None:
    assert held(tmp_path, right(), right(NAMES[1:])) == ["1 of 12 questions were not asked: q0"]


def test_a_question_of_other_words_is_not_the_same(tmp_path: Path) -> None:
    reworded = result(case("q0", must=(("three hundred",),)), answer("three hundred [1]"))
    (line,) = held(tmp_path, right(), [reworded, *right(NAMES[1:])])
    assert "ask or expect something else" in line
    assert line.endswith(": q0")


def test_questions_that_the_baseline_does_not_have_are_no_matter(tmp_path: Path) -> None:
    new = result(case("new"), answer("Many boats. [1]"))
    assert held(tmp_path, right(), [*right(), new]) == []


def test_fewer_answers_in_the_models_words_are_red(tmp_path: Path) -> None:
    quoted = [result(case(name), answer(mode="quoted"), calls=(call("{}"),)) for name in NAMES[:6]]
    (line,) = held(tmp_path, right(), [*quoted, *right(NAMES[6:])])
    assert line.startswith("generated: 0.500, and 1.000 in the baseline")


def test_more_replies_that_are_no_json_are_red_even_if_answers_stay(tmp_path: Path) -> None:
    again = (call("Sure!", refused=True), call("{}"))
    after = [result(case(name), calls=again) for name in NAMES]
    (line,) = held(tmp_path, right(), after)
    assert line.startswith("not json: 0.500, and 0.000 in the baseline")


def test_a_baseline_of_quotes_alone_asks_for_no_words(tmp_path: Path) -> None:
    quoted = [result(case(name), answer(mode="quoted"), calls=()) for name in NAMES]
    assert held(tmp_path, quoted, quoted) == []


def test_answers_that_cite_nothing_any_more_are_red(tmp_path: Path) -> None:
    bare = [result(case(name), answer("There are boats.", citations=())) for name in NAMES]
    assert "citations apt: judged for no question any more" in held(tmp_path, right(), bare)


# The file


def test_the_baseline_can_be_read_again_with_one_question_a_line(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [*right(), failed(case('"q"\n'))])
    path = tmp_path / "baseline.json"
    assert main([str(folder), "--baseline", str(path), "--update"]) == 0
    assert read_baseline(path) == baseline_of(read_run(folder))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum('"digest"' in line for line in lines) == 13
    assert read_baseline(path).run["model"] == "tiny"


def test_another_model_or_corpus_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.json"
    main([str(write_run(tmp_path / "a", right())), "--baseline", str(path), "--update"])
    other = write_run(tmp_path / "b", right(), model="large", corpus={"sha256": "9"})
    status, told = gate(other, path, capsys)
    assert status == 0
    assert "note: model: large, and tiny in the baseline" in told
    assert "note: corpus: 9, and " in told


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "is not there; --update makes it"),
        ("{", "is no baseline: Invalid JSON"),
        ('{"format": 1}', "is no baseline: command: Field required"),
        ('{"format": 7, "command": "", "run": {}, "questions": {}}', "the format is 7"),
        ('{"format": 1, "command": "", "run": {}, "questions": {}}', "holds no questions"),
    ],
)
def test_what_is_no_baseline_is_one_line(tmp_path: Path, text: str | None, complaint: str) -> None:
    folder, path = write_run(tmp_path / "run", right()), tmp_path / "baseline.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint) as fault:
        main([str(folder), "--baseline", str(path)])
    assert len(str(fault.value).splitlines()) == 1


def test_a_baseline_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write_run(tmp_path / "run", right()))]) == 2
    assert "--baseline" in capsys.readouterr().err
