"""Every language gives up a mean: its own, or the general one."""

import numpy as np

from rag.embedding.e5 import E5_NAME, E5Embeddings
from rag.embedding.language_means import MEANS_FILE, LanguageMeans

KINDS = ("query", "passage", "sentence")
TEXTS = ["The bridge was opened in 1987.", "Bread prices rose again."]


def test_every_shipped_mean_is_finite_and_each_passage_mean_has_one_of_questions() -> None:
    with np.load(MEANS_FILE) as file:
        means = {name: file[name] for name in file.files}
    assert all(np.isfinite(mean).all() and mean.shape == (384,) for mean in means.values())
    langs = {kind: {n[len(kind) + 1 :] for n in means if n.startswith(kind)} for kind in KINDS}
    assert langs["passage"] == langs["query"]
    assert {"ar", "en", "he", "kk", "pl", "ru", "tr", "zh"} <= langs["query"]


def test_a_language_without_a_mean_gives_up_the_general_one() -> None:
    means = LanguageMeans.of(E5_NAME)
    raw = E5Embeddings().vectors(TEXTS, "passage")
    assert np.allclose(
        means.subtract(raw, ["", "xx"], "passage"), means.subtract(raw, ["yy"] * 2, "passage")
    )
    assert not np.allclose(
        means.subtract(raw, ["en"] * 2, "passage"), means.subtract(raw, [""] * 2, "passage")
    )
