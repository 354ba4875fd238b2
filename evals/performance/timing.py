"""What is measured with: the product on a store, and a clock."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from rag.embedding.e5 import E5Embeddings
from rag.embedding.encoder import Kind, Vectors
from rag.engine import Rag
from rag.settings import Settings

T = TypeVar("T")
Seconds = tuple[float, ...]


class Recorder(E5Embeddings):
    """The product's embedding model, which remembers the passages and sentences it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def states(self, texts: Sequence[str], kind: Kind) -> tuple[Vectors, list[Vectors]]:
        """The vectors and the tokens' states, as the model tells them."""
        found = super().states(texts, kind)
        if kind == "passage":
            self.texts += texts
        return found

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        if kind == "passage":
            self.texts += texts
        return super().vectors(texts, kind)


@contextmanager
def opened(corpus: Path, store: Path, embeddings: Recorder, model: str = "none") -> Iterator[Rag]:
    """The product on a store, with a model that may be loaded already."""
    # Built without validation, which is what reads the environment and .env.
    answers = "words" if model == "embedded" else ""
    settings = Settings.model_construct(corpus=corpus, store=store, model=model, answers=answers)
    with Rag(settings) as rag:
        rag.parts.embedder.embeddings = embeddings
        rag.parts.embedder.count_tokens = embeddings.count_tokens
        yield rag


def timed(
    work: Callable[[T], object], items: Sequence[T], before: Callable[[], None] = lambda: None
) -> Seconds:
    """Seconds that the work takes with each item; once before the clock runs, to warm up."""
    work(items[0])
    gc.collect()
    seconds = []
    for item in items:
        before()
        began = time.perf_counter()
        work(item)
        seconds.append(time.perf_counter() - began)
    return tuple(seconds)


def tell(stage: str) -> None:
    click.echo(f"{stage} ...", err=True)
