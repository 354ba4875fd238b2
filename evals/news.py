"""Questions on news that nobody has trained on: each document in one language, asked in another.

`FOLDER/news_questions.jsonl[.gz]` holds a question in several languages on each line, with the
sentences that tell it, and `FOLDER/ntrex.passages.jsonl[.gz]` the documents, paragraph by
paragraph, in several languages. Only lines of the split "measure" are asked.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.answer_sets import NEWS, AnswerSet
from evals.cases import Case, Evidence, Quote
from evals.retrieval.sets import Passage
from evals.rows import read_rows
from rag.errors import InputError

STORED = ("he", "ar", "pl", "tr")
"""Each document is stored in one of these, drawn by the seed."""
_BETWEEN = "\n\n"


def load_news(folder: Path, seed: int = 0) -> AnswerSet:
    """The questions, each in one language, and the documents, each in another one."""
    rows = [row for _, row in read_rows(folder, "news_questions") if row["split"] == "measure"]
    paragraphs = _paragraphs(folder, {str(row["doc"]) for row in rows})
    draw = random.Random(seed)
    langs = {doc: draw.choice(STORED) for doc in sorted(paragraphs)}
    documents = {doc: _Document(doc, lang, paragraphs[doc][lang]) for doc, lang in langs.items()}
    cases, about = [], {}
    for row in rows:
        document = documents[str(row["doc"])]
        asked = draw.choice(sorted(lang for lang in row["questions"] if lang != document.lang))
        case = document.case(row, asked)
        cases.append(case)
        about[case.id] = document.passage.id
    passages = {each.passage.id: each.passage for each in documents.values()}
    return AnswerSet(NEWS, passages, tuple(cases), about)


class _Document:
    """The paragraphs of a document in one language, as one text."""

    def __init__(self, doc: str, lang: str, paragraphs: Mapping[str, Mapping[str, Any]]) -> None:
        self.lang = lang
        self._paragraphs = paragraphs
        self._starts: dict[str, int] = {}
        text = ""
        for group, row in paragraphs.items():
            text = f"{text}{_BETWEEN}{row['text']}" if text else str(row["text"])
            self._starts[group] = len(text) - len(row["text"])
        self.passage = Passage(f"{doc}:{lang}", lang, text, doc, "")

    def case(self, row: Mapping[str, Any], lang: str) -> Case:
        """A line as a question in a language."""
        answerable = row["task"] == "qa"
        golds = [self._quote(str(row["group"]), i) for i in row.get("gold_sentences", ())]
        answer = row.get("answers", {}).get(lang, "")
        return Case(
            id=f"{row['id']}-{lang}",
            lang=lang,
            kind="fact" if answerable else "unanswerable",
            group=str(row["id"]),
            question=str(row["questions"][lang]),
            history=(),
            evidence=tuple(Evidence((gold,)) for gold in golds) if answerable else (),
            must=((answer,),) if answer else (),
            must_not=(),
            distractor=None,
        )

    def _quote(self, group: str, sentence: int) -> Quote:
        start, end = self._paragraphs[group]["sentences"][sentence]
        at = self._starts[group]
        text = self.passage.text[at + start : at + end].rstrip()
        source = f"{NEWS}.jsonl#{self.passage.id}"
        return Quote(source, at + start, at + start + len(text), text)


def _paragraphs(folder: Path, docs: set[str]) -> dict[str, dict[str, dict[str, Mapping[str, Any]]]]:
    """By document and language its paragraphs in order, by group."""
    found: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for _, row in read_rows(folder, "ntrex", "passages"):
        if row.get("doc") in docs and row.get("lang") in STORED:
            found[str(row["doc"])][str(row["lang"])][str(row["group"])] = row
    if not found:
        raise InputError(f"{folder}: ntrex.passages holds no document of news_questions")
    return found
