"""How fast passages are stored and the nearest found: by exact search, and by Chroma's index.

    python -m evals.search_speed --passages 100000

The corpus is made up: unit vectors without any order, the hardest case for an
approximate index, and articles of ten passages in four languages over ten years. It is
stored twice by `Store.replace`, as every corpus is: to be searched exactly, and as a
corpus that is too large for that.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np

from rag.embedding.encoder import Vectors, unit
from rag.records import Document, Passage, Sentence
from rag.store.folders import Folders
from rag.store.generation import Generation, Manifest
from rag.store.rows import StoredDocument
from rag.store.store import Store

K = 64
LANGS = ("ar", "en", "he", "tr")
FILTERS: dict[str, Mapping[str, Any]] = {
    "no filter": {},
    "one language of four": {"lang": "he"},
    "one year of ten": {"date": {"gte": "2020-01-01", "lt": "2021-01-01"}},
    "twenty articles": {"source": [f"article-{i}.txt" for i in range(0, 200, 10)]},
}
_PASSAGES_AN_ARTICLE = 10
_WORDS = 80


def unit_vectors(count: int, dimension: int, seed: int) -> Vectors:
    """Vectors of length 1 in every direction alike, (count, dimension)."""
    vectors = np.random.default_rng(seed).standard_normal((count, dimension), dtype=np.float32)
    return unit(vectors)


def made_up_passages(count: int, seed: int) -> list[Passage]:
    """Passages of some 500 characters, with the language and the day of their article."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{i}" for i in range(5000)])
    passages: list[Passage] = []
    while len(passages) < count:
        source, lang = f"article-{len(passages) // _PASSAGES_AN_ARTICLE}.txt", rng.choice(LANGS)
        day = date(2015, 1, 1) + timedelta(days=int(rng.integers(3650)))
        for i in range(min(_PASSAGES_AN_ARTICLE, count - len(passages))):
            text, start = " ".join(rng.choice(words, _WORDS)), 1000 * i
            end = start + len(text)
            sentences = (Sentence(start, end, text),)
            passages.append(
                Passage(source, start, end, text, sentences, str(lang), source, day.isoformat())
            )
    return passages


def fill(store: Store, passages: list[Passage], vectors: Vectors) -> None:
    """Store passages with their vectors, and articles of their names."""
    sources = dict.fromkeys(passage.source for passage in passages)
    documents = [StoredDocument(Document(source, ""), ("/made/up",), "") for source in sources]
    rows, dimension = vectors.shape
    store.replace(
        Manifest("made up", dimension, len(documents), rows, budget=_WORDS),
        documents,
        passages,
        vectors,
    )


def milliseconds(work: Callable[[Vectors], object], questions: Vectors) -> str:
    """Median and 95th percentile of the time that one question takes."""
    times = []
    for question in questions:
        start = time.perf_counter()
        work(question)
        times.append(1000 * (time.perf_counter() - start))
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{statistics.median(times):7.1f} ms, p95 {p95:7.1f} ms"


def share_found(exact: Store, approximate: Store, questions: Vectors, where: Any) -> float:
    """The share of the exact nearest passages that the approximate search finds too."""
    shares = []
    for question in questions:
        wanted, found = (
            {
                (each.passage.source, each.passage.start)
                for each in store.nearest(question, K, where)
            }
            for store in (exact, approximate)
        )
        shares.append(len(wanted & found) / len(wanted))
    return statistics.mean(shares)


def megabytes(path: Path) -> float:
    """What the files of a folder take."""
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e6


def open_generation(folder: Path) -> Generation:
    """The current generation, without the store around it."""
    home = Folders(folder, "rag")
    current = home.current()
    assert current is not None
    return home.open(*current)


def report_parts(folder: Path, questions: Vectors) -> None:
    """Print what opening, searching and fetching take by themselves, and the room on disk."""
    start = time.perf_counter()
    with open_generation(folder) as generation:
        opened = time.perf_counter()
        index = generation.index
        assert index is not None
        mapped = time.perf_counter()
        click.echo(
            f"opening: Chroma {1000 * (opened - start):.0f} ms, "
            f"exact index {1000 * (mapped - opened):.0f} ms"
        )
        rows = index.rows(())
        searching = milliseconds(lambda question: index.nearest(question, K, rows), questions)
        click.echo(f"{'vectors and order':22} {searching}")
        found = [index.nearest(question, K, rows) for question in questions]
        ids = iter([list(map(index.id, each)) for each in found])
        read = generation.collections.read_passages
        reading = milliseconds(lambda _: read(next(ids)), questions)
        click.echo(f"{f'reading {K} by id':22} {reading}")
        assert generation.index_folder is not None
        exact = megabytes(generation.index_folder)
        whole = megabytes(generation.index_folder.parent)
        click.echo(f"on disk: exact index {exact:.0f} MB, Chroma {whole - exact:.0f} MB")


@click.command()
@click.option("--passages", default=100_000, show_default=True)
@click.option("--dimension", default=384, show_default=True)
@click.option("--questions", default=50, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(passages: int, dimension: int, questions: int, seed: int) -> None:
    """Print the time of both searches with and without filters, and how far they agree."""
    asked = unit_vectors(questions, dimension, seed + 1)
    with tempfile.TemporaryDirectory() as name:
        exact = Store(Path(name, "exact"), exact_rows=passages)
        approximate = Store(Path(name, "approximate"), exact_rows=0)
        corpus = made_up_passages(passages, seed), unit_vectors(passages, dimension, seed)
        for engine, store in (("exact", exact), ("Chroma", approximate)):
            wall, processor = time.perf_counter(), time.process_time()
            fill(store, *corpus)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            click.echo(
                f"{passages} passages stored for {engine} search: "
                f"{wall:.0f} s, {processor:.0f} s of processor time"
            )
        report_parts(exact.folder, asked)
        for label, where in FILTERS.items():
            for engine, store in (("exact", exact), ("Chroma", approximate)):
                store.nearest(asked[0], K, where)
                times = milliseconds(lambda q: store.nearest(q, K, where), asked)  # noqa: B023
                click.echo(f"{label:22} {engine:7}{times}")
            share = share_found(exact, approximate, asked, where)
            click.echo(f"{label:22} Chroma finds {100 * share:.1f}% of the exact {K}")
        exact.close()
        approximate.close()


if __name__ == "__main__":
    main()
