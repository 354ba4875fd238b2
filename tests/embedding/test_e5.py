"""The built-in model behind the LangChain interface gives the encoder's vectors."""

import numpy as np

from rag.embedding.e5 import E5Embeddings

TEXTS = ["The bridge was opened in 1987.", "Ekmek fiyatları yine arttı.", "הקבוצה הפסידה במשחק."]


def test_the_language_chain_interface_gives_the_same_vectors() -> None:
    model = E5Embeddings()
    assert model.embed_documents(TEXTS[:1]) == model.vectors(TEXTS[:1], "passage").tolist()
    assert model.embed_query("When?") == model.vectors(["When?"], "query")[0].tolist()


def test_batches_and_single_texts_give_the_same_vectors() -> None:
    model = E5Embeddings()
    single = np.stack([model.vectors([text], "passage")[0] for text in TEXTS])
    assert (single * model.vectors(TEXTS, "passage")).sum(axis=1).min() > 0.999
