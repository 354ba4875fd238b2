"""How near a sentence and its translation are, and a sentence and a stranger.

    python -m evals.translation_cosines --pairs FILE

The file holds sentence pairs, one JSON object a line, gzipped: `lang_a`, `text_a`,
`lang_b`, `text_b`. The printed quantiles are what `rag.embedding.embedder.E5_TRANSLATION_FLOOR`
was chosen from.
"""

import random
from pathlib import Path

import click
import numpy as np

from evals.rows import rows
from rag.embedding.e5 import E5_NAME, E5Embeddings
from rag.embedding.embedder import E5_TRANSLATION_FLOOR
from rag.embedding.encoder import Vectors
from rag.embedding.language_means import LanguageMeans


def cosines(pairs: list[dict[str, str]]) -> tuple[Vectors, Vectors]:
    """Centred cosines of the pairs, shape (n,), and of all strangers, shape (n * (n - 1),)."""
    embeddings, means = E5Embeddings(), LanguageMeans.of(E5_NAME)
    one, other = (
        means.subtract(
            embeddings.vectors([pair[f"text_{side}"] for pair in pairs], "passage"),
            [pair[f"lang_{side}"] for pair in pairs],
            "passage",
        )
        for side in "ab"
    )
    table = one @ other.T
    return np.diag(table), table[~np.eye(len(pairs), dtype=bool)]


@click.command()
@click.option("--pairs", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--sample", default=400, show_default=True)
def main(pairs: Path, sample: int) -> None:
    """Print the quantiles and what the floor would refuse."""
    every = list(rows(pairs))
    chosen = random.Random(0).sample(every, min(sample, len(every)))
    same, strange = cosines(chosen)
    quantiles = (1, 2, 5, 50)
    click.echo(f"translations, {quantiles} %: {np.percentile(same, quantiles).round(3)}")
    click.echo(f"strangers, 99 %: {np.percentile(strange, 99):.3f}")
    floor = E5_TRANSLATION_FLOOR
    click.echo(
        f"floor {floor}: refuses {np.mean(same < floor):.3f} of translations, "
        f"{np.mean(strange < floor):.3f} of strangers"
    )


if __name__ == "__main__":
    main()
