"""Sets of questions with the passage that answers each, drawn to pools that are searched.

In a parallel set every passage exists in several languages; a pool stores it in one of
them, so that most questions are in another language than what answers them. What the
public sets tell only in part:

- xquad: the questions were written with the paragraph in view; some do not name their
  subject. Several paragraphs come from one article; none repeats another.
- ntrex: the question is a sentence of the passage in another language, never in the
  passage's own, where it stands word for word; so no asker's own language is ever right.
  The 273 passages are stretches of 61 reports and have near neighbours; one of the
  sentences stands in two passages.
- arcd: 93 of 228 passages nearly repeat another, and 285 of 693 questions are about
  these: which of two comes first is chance, and bounds R@1. heq and poquad: a pair each.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from evals.rows import read_rows
from rag.errors import InputError

SETS = ("xquad", "ntrex", "heq", "arcd", "poquad")
STORED = {"xquad": ("ar", "tr", "ru", "de", "es", "zh"), "ntrex": ("he", "ar", "pl", "tr", "en")}
"""Languages that a set's passages are stored in; of other sets, all there are."""
ASKED = {"xquad": ("en", "ar", "tr", "de", "ru", "zh")}
"""Languages that a set is asked in; of other sets, all there are."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that can be found; those of one group say the same in different languages."""

    id: str
    lang: str
    text: str
    group: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the one stored passage that answers it."""

    question: str
    lang: str
    group: str
    """Questions of one group ask the same thing in different languages."""
    passage: str
    """Id of the passage; for the articles, whose evidence may lie in several, the group."""
    passage_lang: str
    """"" for the articles."""
    answer: tuple[int, int] | None = None
    """Code points of the passage, where the set tells."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What is stored of a set, and what is asked of it."""

    name: str
    passages: Sequence[Passage]
    questions: Sequence[Question]


def load_pool(
    folder: Path,
    name: str,
    seed: int = 0,
    limit: int | None = None,
    about: Callable[[str], bool] = lambda title: True,
) -> Pool:
    """The pool of one set in a folder, the same one each time for a seed.

    `limit` keeps that many questions, even over languages, `about` those on articles of
    which it approves. Raises InputError that names the file, the line and what to do.
    """
    passages = _passages(folder, name)
    stored = _store_once(name, passages, seed)
    questions = [
        question
        for question in _questions(folder, name, passages, stored)
        if about(passages[question.passage].title)
    ]
    if not questions:
        raise InputError(f"{folder}: no question of {name} has the task qa or retrieval")
    return Pool(name, list(stored.values()), _sample(questions, limit, seed))


def _passages(folder: Path, name: str) -> dict[str, Passage]:
    passages: dict[str, Passage] = {}
    seen = set()
    for place, row in read_rows(folder, name, "passages"):
        given, lang, text = (_text(place, row, field) for field in ("id", "lang", "text"))
        group, title = str(row.get("group", given)), str(row.get("title", ""))
        passage = Passage(given, lang, text, group, title)
        if given in passages or (passage.group, lang) in seen:
            raise InputError(f"{place}: the passage {given!r} stands there twice; leave one")
        seen.add((passage.group, lang))
        passages[given] = passage
    return passages


def _store_once(name: str, passages: Mapping[str, Passage], seed: int) -> dict[str, Passage]:
    """One passage of each group: groups are shuffled, and languages dealt to them in turn."""
    groups: dict[str, dict[str, Passage]] = defaultdict(dict)
    for passage in passages.values():
        groups[passage.group][passage.lang] = passage
    langs = STORED.get(name) or sorted({passage.lang for passage in passages.values()})
    stored = {}
    for i, group in enumerate(random.Random(seed).sample(sorted(groups), len(groups))):
        choices = [groups[group][lang] for lang in langs if lang in groups[group]]
        if choices:
            stored[group] = choices[i % len(choices)]
    return stored


def _questions(
    folder: Path, name: str, passages: Mapping[str, Passage], stored: Mapping[str, Passage]
) -> list[Question]:
    """Each question once in each language, whatever language its passage is stored in."""
    asked: dict[tuple[str, str], Question] = {}
    answers: dict[tuple[str, str], tuple[int, int]] = {}
    for place, row in read_rows(folder, name, "questions"):
        fields = ("id", "task", "lang_question", "question", "passage_id")
        given, task, lang, text, passage = (_text(place, row, field) for field in fields)
        if passage not in passages:
            raise InputError(f"{place}: no passage has the id {passage!r}; add it, or remove this")
        right = stored.get(passages[passage].group)
        if right is None or lang not in ASKED.get(name, (lang,)):
            continue
        if task == "qa" or (task == "retrieval" and lang != right.lang):
            group = str(row.get("group", given))
            asked.setdefault((group, lang), Question(text, lang, group, right.id, right.lang))
            start = next(iter(row.get("answer_start", ())), -1)
            if start >= 0:
                answers[group, passage] = start, start + len(row["answers"][0])
    return [replace(q, answer=answers.get((q.group, q.passage))) for q in asked.values()]


def _sample(questions: list[Question], limit: int | None, seed: int) -> list[Question]:
    """Whole groups, in turn from each language that is stored, until there are enough."""
    if limit is None:
        return questions
    langs: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
    for question in questions:
        langs[question.passage_lang][question.group].append(question)
    draw = random.Random(seed)
    shuffled = [draw.sample(list(groups.values()), len(groups)) for groups in langs.values()]
    turns = (group for turn in zip_longest(*shuffled, fillvalue=[]) for group in turn)
    return [question for group in turns for question in group][:limit]


def _text(place: str, row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{place}: {field} must be text, not {value!r}; mend or remove the line")
    return value
