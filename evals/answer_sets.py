"""Public question sets: their paragraphs in a store of its own, and whether answers are right.

A set is a pair of files as `evals/README.md` describes them, of which `answers` and
`answer_start` are used. The paragraphs of the questions that are asked are stored among
others of the same set, and an answer is right where it holds an answer of the set.
Questions whose answer is not found in their paragraph are left out.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rag
from evals.about import file_digest
from evals.cases import Case, Evidence, Quote
from evals.choose import spread
from evals.matching import holds, without_marks
from evals.metrics import Scores
from evals.retrieval.sets import Passage
from evals.rows import read_rows
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Answer, Record
from rag.settings import Settings

NEWS = "news"
SETS = ("heq", "arcd", "poquad", "xquad_cross", NEWS)
PASSAGES = {"xquad_cross": "xquad"}
"""The set whose passages a set is asked about, where it has none of its own."""
STORED = {"xquad_cross": ("ar", "tr", "en")}
"""Languages of which each paragraph is stored in one; other sets have one alone."""
DISTRACTORS = 8
"""Other paragraphs for each question."""


@dataclass(frozen=True, slots=True)
class AnswerSet(Record):
    """A set as cases, and the paragraphs that they are asked about."""

    name: str
    passages: Mapping[str, Passage]
    """What may be stored, by id."""
    cases: tuple[Case, ...]
    about: Mapping[str, str]
    """The paragraph's id by the case's."""

    def source(self, passage: str) -> str:
        """What the store calls a paragraph."""
        return f"{self.name}.jsonl#{passage}"


def load_set(folder: Path, name: str, seed: int = 0) -> AnswerSet:
    """A set of the folder, always the same for a seed; raises InputError."""
    if name == NEWS:
        from evals.news import load_news

        return load_news(folder, seed)
    passages = _stored(folder, name, seed)
    golds = _golds(folder, name)
    cases, about = [], {}
    for place, row in read_rows(folder, name, "questions"):
        passage = passages.get(str(row.get("passage_id")))
        if passage is None or row.get("task") not in ("qa", "abstain"):
            continue
        case = _case(place, row, passage, golds, f"{name}.jsonl#{passage.id}")
        if case is not None:
            cases.append(case)
            about[case.id] = passage.id
    if not cases:
        raise InputError(f"{folder}: no question of {name} has the task qa or abstain")
    return AnswerSet(name, passages, tuple(cases), about)


def sample(cases: Sequence[Case], limit: int | None, seed: int = 0) -> list[Case]:
    """`limit` cases, drawn by the seed and even over kinds and languages."""
    drawn = random.Random(seed).sample(list(cases), len(cases))
    return drawn if limit is None else spread(drawn, limit)


def to_store(
    chosen: AnswerSet, cases: Sequence[Case], distractors: int = DISTRACTORS, seed: int = 0
) -> list[Passage]:
    """The paragraphs of the cases among others, drawn by the seed and shuffled."""
    needed = {chosen.about[case.id] for case in cases}
    others = sorted(chosen.passages.keys() - needed)
    draw = random.Random(seed)
    ids = [*sorted(needed), *draw.sample(others, min(len(others), distractors * len(cases)))]
    return [chosen.passages[each] for each in draw.sample(ids, len(ids))]


@contextmanager
def opened(name: str, passages: Sequence[Passage], settings: Settings) -> Iterator[Rag]:
    """The product with these paragraphs in a store that goes when it is done."""
    with TemporaryDirectory() as made:
        folder = Path(made).resolve()
        corpus = folder / "corpus"
        corpus.mkdir()
        lines = [
            json.dumps({"id": each.id, "text": each.text, "title": each.title}) for each in passages
        ]
        (corpus / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        own = settings.model_copy(update={"corpus": corpus, "chroma_url": "", "collection": "rag"})
        with rag.open(folder / "store", own) as engine:
            yield engine


def contained(case: Case, answer: Answer | None, scores: Scores) -> Scores:
    """The scores with whether the answer, or what it quotes, holds a known answer.

    Where none is known in the asker's language, no facts are judged.
    """
    if not case.answerable:
        return scores
    if not case.must:  # no answer in the asker's language is known
        return replace(scores, facts_right=None, right_in_language=None)
    if answer is None or answer.abstained:
        return replace(scores, answer_contained=0.0, quote_contained=0.0)
    said, quoted = without_marks(answer.text), [each.quote for each in answer.citations]
    return replace(
        scores,
        answer_contained=float(all(holds(said, group) for group in case.must)),
        quote_contained=float(any(holds(text, group) for text in quoted for group in case.must)),
    )


def questions_of(folder: Path, name: str) -> dict[str, Any]:
    """The set's file of questions as `run.json` tells it."""
    stem = f"{name}_questions" if name == NEWS else f"{name}.questions"
    paths = [folder / f"{stem}.jsonl{end}" for end in (".gz", "")]
    path = next((path for path in paths if path.is_file()), paths[0])
    return {"file": path.name, "sha256": file_digest(path), "set": name}


def _stored(folder: Path, name: str, seed: int) -> dict[str, Passage]:
    """The passages that may be stored; of a paragraph in several languages only one."""
    passages = _passages(folder, PASSAGES.get(name, name))
    if name not in STORED:
        return passages
    groups: dict[str, list[Passage]] = defaultdict(list)
    for each in passages.values():
        if each.lang in STORED[name]:
            groups[each.group].append(each)
    draw = random.Random(seed)
    chosen = (draw.choice(groups[group]) for group in sorted(groups))
    return {each.id: each for each in chosen}


def _passages(folder: Path, name: str) -> dict[str, Passage]:
    passages = {}
    for place, row in read_rows(folder, name, "passages"):
        given, lang, text = (row.get(field) for field in ("id", "lang", "text"))
        if not (isinstance(given, str) and isinstance(lang, str) and isinstance(text, str)):
            raise InputError(f"{place}: id, lang and text must be texts; mend the line")
        group, title = str(row.get("group", given)), str(row.get("title", ""))
        passages[given] = Passage(given, lang, text, group, title)
    return passages


def _golds(folder: Path, name: str) -> dict[tuple[str, str], list[str]]:
    """Answers by group and language, of a set whose passages are in another language."""
    golds: dict[tuple[str, str], list[str]] = defaultdict(list)
    if name in PASSAGES:
        for _, row in read_rows(folder, PASSAGES[name], "questions"):
            if row.get("lang_question") == row.get("lang_passage"):
                golds[str(row.get("group")), str(row.get("lang_question"))] += _answers(row)
    return golds


def _case(
    place: str,
    row: Mapping[str, Any],
    passage: Passage,
    golds: Mapping[tuple[str, str], list[str]],
    source: str,
) -> Case | None:
    """The question as a case; None where its answer does not stand in its paragraph."""
    given, lang, question = (row.get(name) for name in ("id", "lang_question", "question"))
    if not (isinstance(given, str) and isinstance(lang, str) and isinstance(question, str)):
        raise InputError(f"{place}: id, lang_question and question must be texts; mend the line")
    group = str(row.get("group", given))
    answers, answerable = _answers(row), row["task"] == "qa"
    proof = _span(passage.text, answers, row.get("answer_start"), source) if answerable else None
    if answerable and proof is None:
        return None
    known = dict.fromkeys([*answers, *golds.get((group, lang), [])])
    return Case(
        id=given,
        lang=lang,
        kind="fact" if answerable else "unanswerable",
        group=group,
        question=question,
        history=(),
        evidence=(Evidence((proof,)),) if proof else (),
        must=(tuple(known),) if answerable else (),
        must_not=(),
        distractor=None,
    )


def _answers(row: Mapping[str, Any]) -> list[str]:
    answers = row.get("answers")
    found = answers if isinstance(answers, list) else []
    return [each for each in found if isinstance(each, str) and each.strip()]


def _span(text: str, answers: Sequence[str], starts: Any, source: str) -> Quote | None:
    for place, answer in enumerate(answers):
        told = starts[place] if isinstance(starts, list) and place < len(starts) else -1
        start = told if isinstance(told, int) and told >= 0 else text.find(answer)
        if start >= 0 and text[start : start + len(answer)] == answer:
            return Quote(source, start, start + len(answer), answer)
    return None
