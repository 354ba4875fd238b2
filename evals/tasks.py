"""What the command line of `rag eval run` asks for, and the questions and systems it means."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from evals import answer_sets
from evals.about import file_digest, product_prompts
from evals.cases import Case, load_cases
from evals.choose import searchable, select, spread
from evals.measure import Engine, Further
from evals.recorded import place, recorded_engine
from evals.recording import Recording
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Document
from rag.settings import Settings

ARTICLES = "articles"
SYSTEMS = ("rag", "tutorial")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asked for."""

    questions: Path
    data: Path | None
    set: str
    seed: int
    limit: int | None
    kinds: tuple[str, ...]
    langs: tuple[str, ...]
    ids: tuple[str, ...]
    systems: tuple[str, ...]
    out: Path | None
    resume: bool
    beside: tuple[Path, ...]
    cache: bool
    judge: bool
    record: Path | None
    model_name: str | None
    as_json: bool
    search_only: bool


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked, of whom, and how `run.json` tells it."""

    engine: Engine
    cases: Sequence[Case]
    articles: Mapping[str, Document]
    questions: Mapping[str, Any]
    further: tuple[Further, ...] = ()
    recording: Recording | None = None
    """What replies in the place of a chat model; None asks the model of the settings."""


@contextmanager
def opened_task(engine: Engine, choice: Choice) -> Iterator[Task]:
    """The questions and articles that were chosen; raises InputError where there are none."""
    if choice.record is None:
        with _chosen_task(engine, choice) as task:
            yield task
        return
    recording = Recording(choice.record, choice.model_name or "a model without a name")
    with recorded_engine(engine, recording) as asked, _chosen_task(asked, choice) as task:
        place(task.engine, recording)
        yield replace(task, recording=recording)


@contextmanager
def _chosen_task(engine: Engine, choice: Choice) -> Iterator[Task]:
    if choice.data is not None:
        with _set_task(engine.settings, choice.data, choice) as task:
            yield task
        return
    articles = engine.documents()
    texts = {name: document.text for name, document in articles.items()}
    cases = select(load_cases(choice.questions, texts), choice.kinds, choice.langs, choice.ids)
    cases = _searched(cases) if choice.search_only else cases
    cases = cases if choice.limit is None else spread(cases, choice.limit)
    digest = file_digest(choice.questions)
    questions = {"file": choice.questions.name, "sha256": digest, "set": ARTICLES}
    yield Task(engine, cases, articles, questions)


@contextmanager
def _set_task(settings: Settings, data: Path, choice: Choice) -> Iterator[Task]:
    """A public set, with a store of its own."""
    chosen = answer_sets.load_set(data, choice.set, choice.seed)
    cases = select(chosen.cases, choice.kinds, choice.langs, choice.ids)
    cases = _searched(cases) if choice.search_only else cases
    cases = answer_sets.sample(cases, choice.limit, choice.seed)
    passages = answer_sets.to_store(chosen, cases, seed=choice.seed)
    questions = answer_sets.questions_of(data, choice.set)
    questions |= {"seed": choice.seed, "distractors": answer_sets.DISTRACTORS}
    click.echo(f"storing {len(passages)} paragraphs of {choice.set}", err=True)
    with answer_sets.opened(choice.set, passages, settings) as engine:
        yield Task(engine, cases, engine.documents(), questions, (answer_sets.contained,))


def _searched(cases: Sequence[Case]) -> list[Case]:
    found = searchable(cases)
    if not found:
        raise InputError("no question is left that a search alone can be judged by")
    return found


def opened_system(
    name: str, engine: Engine
) -> AbstractContextManager[tuple[Engine, Mapping[str, str]]]:
    """What is asked, and its prompts; raises InputError where it cannot be made."""
    if name == "rag":
        return nullcontext((engine, product_prompts()))
    if not isinstance(engine, Rag):
        raise InputError(f"--system {name} needs a store of articles")
    return _tutorial(engine)


@contextmanager
def _tutorial(engine: Rag) -> Iterator[tuple[Engine, Mapping[str, str]]]:
    from evals.tutorial import PROMPT, Tutorial

    with Tutorial(engine) as tutorial:
        yield tutorial, {"tutorial": PROMPT}
