"""Vectors without what they owe to their language.

A multilingual embedder puts what is written in one language close together, so
a question finds its own language first. Taking away each language's mean
vector removes most of that (docs/decisions/language-means.md).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np

from rag.embedding.e5 import E5_NAME
from rag.embedding.encoder import Vectors, unit

Text = Literal["query", "passage", "sentence"]
"""What a text is; each has means of its own. A sentence is embedded as a passage is."""
MEANS_FILE = Path(__file__).with_name("language_means.npz")


class LanguageMeans:
    """The mean vector of each language, for one embedding model; maybe of none.

    Made by `python -m training.language_means` from public text that has nothing to
    do with any corpus, so that it holds for one article as for a million.
    """

    def __init__(self, means: dict[Text, dict[str, Vectors]], version: str) -> None:
        self.version = version
        self._means = means
        self._general = {
            kind: np.mean(list(by_lang.values()), axis=0) for kind, by_lang in means.items()
        }

    @classmethod
    def of(cls, model: str) -> "LanguageMeans":
        """The means shipped for a model; for any other model none, which changes nothing."""
        if model != E5_NAME:
            return cls({}, "none")
        means: dict[Text, dict[str, Vectors]] = {"query": {}, "passage": {}, "sentence": {}}
        with np.load(MEANS_FILE) as file:
            for key in file.files:
                text, _, lang = key.partition("/")
                means[cast(Text, text)][lang] = file[key].astype(np.float32)
        # Where no sentences were to be had, passages are the next best.
        means["sentence"] = {**means["passage"], **means["sentence"]}
        return cls(means, "2")

    def subtract(self, vectors: Vectors, langs: Sequence[str], text: Text) -> Vectors:
        """Unit vectors with the mean of each row's language taken away.

        A language without a mean gives up the mean of all languages instead.
        """
        if text not in self._means or not len(vectors):
            return vectors
        by_lang, general = self._means[text], self._general[text]
        mean: Vectors = np.stack([by_lang.get(lang, general) for lang in langs])
        return unit(vectors - mean)
