"""How fast files become a store."""

import gc
import json
import random
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from evals.performance.page import Row, Table, fine, middle, whole
from evals.performance.timing import Recorder, opened, tell
from rag.reading.metadata import METADATA_FILE
from rag.resources import seeds_folder


@dataclass(frozen=True, slots=True)
class Ingest:
    """One corpus made into one store."""

    texts: int
    """Passages and sentences that were embedded; what occurs twice counts once."""
    tokens: int
    seconds: float
    cpu_seconds: float


def ingests(
    folder: Path, embeddings: Recorder, tokens: int, repeats: int
) -> dict[str, list[Ingest]]:
    """Ingests of the articles and of a larger text by what was ingested.

    The articles are in the store `folder / "store"` afterwards.
    """
    tell("loading the embedding model, Chroma and the rest")
    corpora = folder / "corpora"
    ingest(write_texts(corpora / "warm", {"warm.txt": "Warm up."}), folder / "warm", embeddings)
    seeds, found = seeds_folder(), []
    for number in range(repeats):
        tell(f"ingesting the articles, {number + 1} of {repeats}")
        store = folder / ("store" if number == 0 else f"store{number}")
        found.append(ingest(seeds, store, embeddings))
    copies = max(1, round(tokens / found[0].tokens))
    tell(f"ingesting the articles {copies} times over, shuffled")
    larger = ingest(
        write_texts(corpora / "larger", texts_of(copies)), folder / "larger", embeddings
    )
    return {"the articles": found, f"the articles {copies} times, shuffled": [larger]}


def texts_of(copies: int) -> dict[str, str]:
    """Copies of the articles by their file names, each shuffled in another way.

    They have the titles and languages of their models.
    """
    about = tomllib.loads((seeds_folder() / METADATA_FILE).read_text("utf-8"))
    texts = {METADATA_FILE: ""}
    for copy, path in product(range(copies), sorted(seeds_folder().glob("*.txt"))):
        name = f"{copy}-{path.name}"
        texts[name] = shuffled(path.read_text("utf-8"), copy)
        lines = [f"{key} = {json.dumps(value)}" for key, value in about[path.name].items()]
        texts[METADATA_FILE] += "\n".join([f'["{name}"]', *lines, ""])
    return texts


def ingest(corpus: Path, store: Path, embeddings: Recorder) -> Ingest:
    """Make a new store of a corpus."""
    with opened(corpus, store, embeddings) as rag:
        embeddings.texts.clear()
        gc.collect()
        began, cpu_began = time.perf_counter(), time.process_time()
        rag.ingest()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    tokens = sum(map(embeddings.count_tokens, embeddings.texts))
    return Ingest(len(embeddings.texts), tokens, seconds, cpu_seconds)


def shuffled(text: str, seed: int) -> str:
    """The text with the words of each line in another order.

    So no passage and no sentence of it need be one that was embedded before, and all are
    as long as real ones.
    """
    draw = random.Random(seed)
    lines = [line.split() for line in text.splitlines()]
    return "\n".join(" ".join(draw.sample(words, len(words))) for words in lines)


def write_texts(folder: Path, texts: Mapping[str, str]) -> Path:
    """The folder, with each text in a file of its name."""
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def ingest_table(by_corpus: Mapping[str, Sequence[Ingest]]) -> Table:
    """Speed of ingest, in all and by processor time."""
    headings = (
        "what", "ingests", "texts", "tokens", "wall s", "CPU s", "tokens/s", "tokens/CPU-s",
        "command",
    )  # fmt: skip
    rows: list[Row] = [headings]
    for what, done in by_corpus.items():
        counts = [len(done), done[0].texts, done[0].tokens]
        wall = middle([each.seconds for each in done])
        cpu = middle([each.cpu_seconds for each in done])
        speeds = [seconds and done[0].tokens / seconds for seconds in (wall, cpu)]
        shown = (*map(whole, counts), *map(fine, (wall, cpu)), *map(whole, speeds))
        rows.append((what, *shown, "`rag ingest`"))
    return Table(
        "Ingest",
        "From files to a store that can be searched: read, split, embed, store. Libraries and "
        "the embedding model are loaded before. Texts are the passages, led by their article's "
        "title, and the sentences, each of which is embedded once; tokens are theirs, counted "
        "by the embedder with prefix and markers. The larger text is the articles over and "
        "over with the words of each paragraph shuffled. Times are the median of the ingests.",
        tuple(rows),
    )
