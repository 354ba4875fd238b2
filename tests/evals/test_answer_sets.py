"""Public sets are sampled, stored and judged by the answers that they hold."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine

from evals.answer_sets import contained, load_set, sample, to_store
from evals.metrics import Scores
from evals.run import main
from rag.errors import InputError
from rag.records import Answer, Citation

PLACES = ["Lindau", "Brzeg", "Konya", "Akko", "Gent", "Turku", "Porto", "Vaduz"]


def paragraph(place: str, number: int) -> str:
    return f"{place} liegt am Wasser. Im Hafen von {place} lagen {number} Boote im Sommer."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set `heq` of eight paragraphs, each with a question that it answers and one not."""
    passages, questions = [], []
    for number, place in enumerate(PLACES, 300):
        text = paragraph(place, number)
        passages.append({"id": place, "lang": "de", "title": place, "text": text})
        asked = {"lang_question": "de", "passage_id": place}
        answer = {"answers": [str(number)], "answer_start": [text.index(str(number))]}
        questions += [
            {"id": f"{place}-qa", "task": "qa", "question": f"Wie viele Boote lagen in {place}?"}
            | asked
            | answer,
            {"id": f"{place}-no", "task": "abstain", "question": f"Wer leitet {place}?"}
            | asked
            | {"answers": []},
        ]
    lost = {"id": "lost", "task": "qa", "question": "?", "lang_question": "de"}
    questions.append(lost | {"passage_id": "Gent", "answers": ["nirgends"], "answer_start": [-1]})
    write(tmp_path, "heq", passages, questions)
    return tmp_path


def write(folder: Path, name: str, passages: list[Any], questions: list[Any]) -> None:
    for kind, rows in (("passages", passages), ("questions", questions)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.{kind}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


def test_a_question_becomes_a_case_with_its_answer_as_evidence(folder: Path) -> None:
    chosen = load_set(folder, "heq")
    cases = {case.id: case for case in chosen.cases}
    assert len(cases) == 16
    (evidence,) = cases["Konya-qa"].evidence
    (quote,) = evidence.quotes
    assert (quote.source, quote.text) == ("heq.jsonl#Konya", "302")
    assert paragraph("Konya", 302)[quote.start : quote.end] == "302"
    assert cases["Konya-qa"].must == (("302",),)
    assert (cases["Konya-no"].kind, cases["Konya-no"].evidence) == ("unanswerable", ())


def test_a_sample_is_even_and_always_the_same(folder: Path) -> None:
    chosen = load_set(folder, "heq")
    cases = sample(chosen.cases, 6, seed=3)
    assert sum(case.answerable for case in cases) == 3
    assert cases == sample(chosen.cases, 6, seed=3)
    assert cases != sample(chosen.cases, 6, seed=4)


def test_what_is_asked_about_is_stored_among_others(folder: Path) -> None:
    chosen = load_set(folder, "heq")
    cases = [case for case in chosen.cases if case.id in ("Konya-qa", "Konya-no", "Turku-no")]
    stored = to_store(chosen, cases, distractors=1)
    names = {each.id for each in stored}
    assert {"Konya", "Turku"} < names
    assert len(names) == len(stored) == 5
    assert stored == to_store(chosen, cases, distractors=1)
    assert len(to_store(chosen, cases)) == len(PLACES)


def test_a_paragraph_in_several_languages_is_stored_once_and_asked_in_others(
    tmp_path: Path,
) -> None:
    texts = {
        "en": "Six boats lay there.",
        "ar": "كانت هناك ستة قوارب.",
        "tr": "Orada altı tekne vardı.",
    }
    answers = {"en": "Six", "ar": "ستة", "tr": "altı"}
    passages = [
        {"id": f"{n}:{lang}", "lang": lang, "text": text, "group": str(n)}
        for n in range(9)
        for lang, text in texts.items()
    ]

    def question(n: int, asker: str, lang: str) -> dict[str, Any]:
        return {
            "id": f"{n}:{asker}>{lang}", "task": "qa", "lang_question": asker,
            "lang_passage": lang, "question": f"{asker}?", "passage_id": f"{n}:{lang}",
            "answers": [answers[lang]], "answer_start": [texts[lang].index(answers[lang])],
            "group": f"g{n}",
        }  # fmt: skip

    same = [question(n, lang, lang) for n in range(9) for lang in texts]
    cross = [question(n, a, b) for n in range(9) for a in texts for b in texts if a != b]
    write(tmp_path, "xquad", passages, same)
    write(tmp_path, "xquad_cross", [], cross)
    chosen = load_set(tmp_path, "xquad_cross")
    assert len({each.group for each in chosen.passages.values()}) == len(chosen.passages) == 9
    assert len({each.lang for each in chosen.passages.values()}) > 1
    assert len(chosen.cases) == 18
    for case in chosen.cases:
        stored = chosen.passages[chosen.about[case.id]].lang
        assert case.must == ((answers[stored], answers[case.lang]),)


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("302 Boote [1].", "lagen 302 Boote", (1.0, 1.0)),
        ("Viele [1].", "lagen 302 Boote", (0.0, 1.0)),
        ("302 Boote [1].", "Konya liegt", (1.0, 0.0)),
        ("1302 Boote [302].", "lagen 3020 Boote", (0.0, 0.0)),
    ],
)
def test_an_answer_is_right_where_it_or_its_quote_holds_a_known_one(
    folder: Path, text: str, quote: str, expected: tuple[float, float]
) -> None:
    cases = {case.id: case for case in load_set(folder, "heq").cases}
    given = Answer(text, (Citation(1, "a", 0, 1, quote),), False, "de", ())
    scores = contained(cases["Konya-qa"], given, Scores())
    assert (scores.answer_contained, scores.quote_contained) == expected
    assert contained(cases["Konya-no"], given, Scores()) == Scores()
    assert contained(cases["Konya-qa"], None, Scores()).answer_contained == 0.0


@pytest.mark.slow
def test_the_command_stores_a_set_and_asks_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["--data", str(folder), "--set", "heq", "--limit", "4", "--out", str(out)]
    assert main(arguments, engine=FakeEngine()) == 0
    about = json.loads((out / "run.json").read_text("utf-8"))
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text("utf-8").splitlines()]
    assert (about["questions"]["set"], about["questions"]["asked"]) == ("heq", 4)
    assert about["questions"]["file"] == "heq.questions.jsonl.gz"
    assert about["corpus"]["documents"] == len(PLACES)
    right = [row for row in rows if row["kind"] == "fact"]
    assert len(right) == 2
    for row in right:
        assert row["scores"]["pointers_exact"] == 1.0
        assert row["scores"]["quote_contained"] == 1.0
        assert row["hits"][0]["source"].startswith("heq.jsonl#")


def test_a_set_without_questions_is_named(tmp_path: Path) -> None:
    write(tmp_path, "arcd", [{"id": "a", "lang": "ar", "text": "نص"}], [{"id": "q", "task": "x"}])
    with pytest.raises(InputError, match="no question of arcd has the task qa or abstain"):
        load_set(tmp_path, "arcd")
