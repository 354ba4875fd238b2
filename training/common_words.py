"""Make the filter of ordinary words (`rag/languages/common_words.npz`).

    python -m training.common_words FOLDER

A word that stands without a capital letter in running text is hardly a name, also where a
title gives it one. FOLDER holds the texts that `evals/README.md` describes; what is kept of a
word is a number from which it cannot be told.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from evals.rows import rows
from rag.languages import common_words
from rag.languages.folding import fold, normalised

LANGS = ("en", "tr", "pl", "ru", "kk")
_SETS = (
    "multi_flores", "multi_xwmt", "squad_en_part", "qamr_en", "policyqa_en", "clapnq_en",
    "tydiqa_goldp_en", "tydiqa_goldp_ru", "kazqad_kk", "thquad_tr", "parallel_tatoeba_x",
    "belebele_sent_x", "pairs_dyk_pl",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_LEAST = {"en": 3}
"""Times that a word must stand there; twice in languages of which there is less text."""
_LONGEST_IGNORED = 3
_FIELDS = ("context", "passage", "text_a", "text_b", "text", "question")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the filter, and say how many words of each language are in it."""
    counts: dict[str, Counter[str]] = {lang: Counter() for lang in LANGS}
    for lang, text in texts(folder):
        words = _WORD.findall(fold(text).text)
        low = (
            normalised(word) for word in words if word.islower() and len(word) > _LONGEST_IGNORED
        )
        counts[lang].update(common_words.stem(word, lang) for word in low)
    kept = {
        lang: np.unique(
            np.array(
                [common_words.code(w) for w, n in found.items() if n >= _LEAST.get(lang, 2)],
                dtype=np.uint32,
            )
        )
        for lang, found in counts.items()
    }
    np.savez_compressed(common_words.FILE, **kept)  # type: ignore[arg-type]
    size = common_words.FILE.stat().st_size
    shown = ", ".join(f"{lang} {len(codes):,}" for lang, codes in kept.items())
    click.echo(f"{shown}; {size:,} bytes")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Language and text of whatever stands in the sets."""
    for name in _SETS:
        for row in rows(folder / f"{name}.jsonl.gz"):
            yield from _texts(row)


def _texts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for lang, text in (row.get("texts") or {}).items():
        if lang in LANGS:
            yield lang, text
    for field in _FIELDS:
        lang = row.get(f"lang_{field[-1]}" if field.startswith("text_") else "lang", "")
        if isinstance(row.get(field), str) and lang in LANGS:
            yield lang, row[field]


if __name__ == "__main__":
    main()
