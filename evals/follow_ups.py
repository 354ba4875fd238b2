"""How often a question is taken for a follow-up, and what is found for it then.

    python -m evals.follow_ups [--strangers FILE] [--answers-only]

`rag.understanding.follow_up.LEANING` was chosen from the first table. It shows conversations of two
questions on subjects that no article is about (evals/dialogues.jsonl), and the first
questions of two such conversations, one after the other: a change of subject. The file
of strangers adds more of these: one JSON object a line, gzipped, with `question` and
`lang_question`. "Plain" are vectors without language means, as those of other embedding
models are. The second table searches the five articles, and compares `resolve` with
searching both questions as one, the question always on the subject of the one before it,
and the question alone. The third asks made-up articles of a few sentences (evals/turns.jsonl)
two questions each, the first whole and the second as a follow-up, and counts how often the
sentence that answers the second is quoted first, or at all.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

import rag
from evals.cases import Case, load_cases
from evals.choose import searchable
from evals.metrics import evidence_found
from evals.rows import rows
from rag.embedding.e5 import E5Embeddings
from rag.embedding.encoder import Vectors
from rag.engine import Rag
from rag.parts import Parts
from rag.records import Hit, Query
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import choose_evidence, to_quote
from rag.settings import Settings
from rag.understanding.exemplars import QuestionEmbedder
from rag.understanding.follow_up import LEANING, resolve, share_of_distance
from rag.understanding.question import to_query

HERE = Path(__file__).parent
VALUES = (0.2, 0.25, 1 / 3, 0.4, LEANING, 0.6, 0.7)
CUTS = (1, 5, 8)
CHANGES = 300
EVERY = 8
"""Of this many pairs of made-up questions one is asked."""

Pair = tuple[str, str]
"""A question and the one after it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question with known evidence, and the questions before it."""

    case: Case
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turns:
    """A question and its follow-up, which a sentence of one made-up article answers."""

    source: str
    before: str
    asked: str
    told: str
    """Words of that sentence."""


def made_up(path: Path = HERE / "turns.jsonl") -> tuple[dict[str, str], list[Turns]]:
    """The articles by their name, and what is asked of them.

    Each fact has a whole question, one that is a follow-up to any other fact's, and the answer.
    """
    articles: dict[str, str] = {}
    asked: list[Turns] = []
    for row in rows(path):
        source = f"{len(articles):02}.txt"
        articles[source] = row["article"]
        asked += [Turns(source, *turns) for turns in row["turns"]]
        asked += [
            Turns(source, before, then, told)
            for before, _, _ in row["facts"]
            for whole, then, told in row["facts"]
            if whole != before
        ]
    return articles, asked


def dialogues(path: Path = HERE / "dialogues.jsonl") -> dict[str, list[Pair]]:
    """The pairs of a question and its follow-up, by language."""
    found: dict[str, list[Pair]] = {}
    for row in rows(path):
        first, then = row["turns"]
        found.setdefault(row["lang"], []).append((first, then))
    return found


def changes(by_lang: dict[str, list[str]], count: int = CHANGES) -> list[Pair]:
    """Pairs of two different questions in one language, at most `count` of them."""
    pairs = [
        (one, other)
        for questions in by_lang.values()
        for one in questions
        for other in random.Random(one).sample(questions, min(10, len(questions)))
        if one != other
    ]
    return random.Random(0).sample(pairs, min(count, len(pairs)))


def conversations(cases: Sequence[Case]) -> Iterator[tuple[str, list[Conversation]]]:
    """Named sets: the follow-ups, with and without another subject first, and changes."""
    draw = random.Random(0)
    firsts = {lang: [first for first, _ in pairs] for lang, pairs in dialogues().items()}
    any_first = [first for questions in firsts.values() for first in questions]
    single, follow_ups = searchable(cases), [case for case in cases if case.history]

    def stranger(case: Case) -> str:
        return draw.choice(firsts.get(case.lang, any_first))

    def other_fact(case: Case) -> str:
        others = [other for other in single if other.group != case.group]
        same_lang = [other for other in others if other.lang == case.lang]
        return draw.choice(same_lang or others).question

    def asked(case: Case) -> tuple[str, ...]:
        return tuple(question for question, _ in case.history)

    yield "follow-ups", [Conversation(case, asked(case)) for case in follow_ups]
    yield (
        "follow-ups, another subject before them",
        [Conversation(case, (stranger(case), *asked(case))) for case in follow_ups],
    )
    yield "after another fact", [Conversation(case, (other_fact(case),)) for case in single]
    yield "after another subject", [Conversation(case, (stranger(case),)) for case in single]


def joined(query: Query, parts: Parts) -> Query:
    """Both questions, searched as if they were one."""
    return replace(query, text=f"{query.history[-1][0]} {query.question}")


def always(query: Query, parts: Parts) -> Query:
    """The question, on the subject of the one before it."""
    return replace(joined(query, parts), lead=query.history[-1][0])


def never(query: Query, parts: Parts) -> Query:
    """The question alone."""
    return query


def by_rule(query: Query, parts: Parts) -> Query:
    """What the product searches."""
    return resolve(query, parts.embedder)


RULES: dict[str, Callable[[Query, Parts], Query]] = {
    "joined": joined,
    "always": always,
    "never": never,
    "resolve": by_rule,
}


class Searcher:
    """Searches each text on each subject once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._found: dict[tuple[str, str, str], list[Hit]] = {}

    def hits(self, query: Query) -> list[Hit]:
        """The passages for a question as it is searched."""
        key = query.text, query.lead, query.question_lang
        if key not in self._found:
            self._found[key] = retrieve(query, self._parts, max(CUTS))
        return self._found[key]


class Plain:
    """Embeds questions without taking away the mean of their language."""

    def __init__(self) -> None:
        self._embeddings = E5Embeddings()

    def question(self, text: str, lang: str) -> Vectors:
        """The unit vector of a question."""
        vector: Vectors = self._embeddings.vectors([text], "query")[0]
        return vector


def show_decisions(sets: dict[str, list[Pair]], embedder: QuestionEmbedder, name: str) -> None:
    """Print the share of each set that leans, at each value."""
    click.echo(f"leaning, {name:35} " + "  ".join(f"{v:.2f}" for v in VALUES))
    for title, pairs in sets.items():
        found = [share_of_distance(one, then, f"{one} {then}", embedder) for one, then in pairs]
        shares = "  ".join(f"{sum(x < value for x in found) / len(found):.2f}" for value in VALUES)
        click.echo(f"  {title:34} n={len(pairs):<4}  {shares}")


def show_cost(pairs: Sequence[Pair], embedder: QuestionEmbedder) -> None:
    """Print the milliseconds that a question takes that has one before it."""
    spent = []
    for one, then in pairs:
        query = to_query(then, [(one, "")])
        started = time.perf_counter()
        resolve(query, embedder)
        spent.append(1000 * (time.perf_counter() - started))
    click.echo(f"resolve, one question before: median {statistics.median(spent):.0f} ms")


def show_searches(engine: Rag, cases: Sequence[Case]) -> None:
    """Print the share whose evidence is found, by rule."""
    searcher = Searcher(engine.parts)
    for name, asked in conversations(cases):
        click.echo(f"\n{name}, n={len(asked)}")
        for rule, searched in RULES.items():
            hits, led = [], 0
            for each in asked:
                history = [(question, "") for question in each.before]
                query = searched(to_query(each.case.question, history), engine.parts)
                led += query.text != query.question
                hits.append((each.case, searcher.hits(query)))
            tops = "  ".join(f"top {k} {_found(hits, k):.3f}" for k in CUTS)
            click.echo(f"  {rule:8} {tops}  led by an earlier question: {led}")


def show_answers(engine: Rag, asked: Sequence[Turns]) -> None:
    """Print how often the right sentence is quoted, by rule."""
    parts = engine.parts
    click.echo(f"\nmade-up articles, n={len(asked)}")
    for rule, searched in RULES.items():
        first, any_of, refused = 0, 0, 0
        for each in asked:
            earlier = _quotes(to_query(each.before), parts)
            query = to_query(each.asked, [(each.before, " ".join(earlier))])
            quotes = _quotes(searched(query, parts), parts)
            first += any(each.told in quote for quote in quotes[:1])
            any_of += any(each.told in quote for quote in quotes)
            refused += not quotes
        shares = (f"{count / len(asked):.3f}" for count in (first, any_of, refused))
        click.echo("  {:8} right first {}  right {}  refused {}".format(rule, *shares))


def _quotes(query: Query, parts: Parts) -> list[str]:
    evidence = choose_evidence(query, retrieve(query, parts), parts)
    return [each.sentence.text for each in to_quote(evidence)]


def _found(hits: Sequence[tuple[Case, list[Hit]]], k: int) -> float:
    return sum(evidence_found(case, found[:k]) or 0.0 for case, found in hits) / len(hits)


def _strangers(path: Path) -> dict[str, list[str]]:
    """The questions of a file, by language."""
    questions: dict[str, list[str]] = {}
    for row in rows(path):
        questions.setdefault(row["lang_question"], []).append(row["question"])
    return questions


@click.command()
@click.option("--strangers", type=click.Path(exists=True, path_type=Path))
@click.option("--answers-only", is_flag=True, help="Print the third table alone.")
def main(strangers: Path | None, answers_only: bool) -> None:
    """Print the three tables."""
    if not answers_only:
        show_leaning_and_searches(strangers)
    articles, asked = made_up()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "made-up"
        corpus.mkdir()
        for name, text in articles.items():
            (corpus / name).write_text(text, encoding="utf-8")
        settings = Settings.read(model="none", embeddings="e5", corpus=corpus)
        with rag.open(Path(folder) / "store", settings) as engine:
            engine.ingest()
            show_answers(engine, asked[::EVERY])


def show_leaning_and_searches(strangers: Path | None) -> None:
    """Print the first two tables."""
    by_lang = dialogues()
    firsts = {lang: [first for first, _ in pairs] for lang, pairs in by_lang.items()}
    sets = {
        "follow-ups": [pair for pairs in by_lang.values() for pair in pairs],
        "changes of subject": changes(firsts),
    }
    if strangers:
        sets[f"changes of subject, {strangers.name.partition('.')[0]}"] = changes(
            _strangers(strangers)
        )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(model="none", embeddings="e5", corpus=HERE.parent / "seeds")
        with rag.open(Path(folder) / "store", settings) as engine:
            show_decisions(sets, engine.parts.embedder, "below")
            show_decisions(sets, Plain(), "plain vectors, below")
            click.echo(f"the value in use is {LEANING:.2f}")
            show_cost(sets["follow-ups"], engine.parts.embedder)
            texts = {name: document.text for name, document in engine.documents().items()}
            show_searches(engine, load_cases(HERE / "questions.jsonl", texts))


if __name__ == "__main__":
    main()
