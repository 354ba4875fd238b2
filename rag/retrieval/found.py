"""What was found, with its vectors, so that no later stage fetches them again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors
from rag.embedding.late_interaction import Tokens
from rag.records import Hit, Passage
from rag.store.rows import Neighbour

Place = tuple[str, int]
"""The article of a passage or sentence, and where in it that begins."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage near to a question, with what the signals look at."""

    passage: Passage
    vector: Vectors
    """As it is stored: without the means of its language and of the corpus."""
    sentences: Vectors
    """Without the means of their language, shape (sentences, dimension)."""
    tokens: Tokens | None
    """None for an embedding model that does not tell of its tokens."""

    @property
    def place(self) -> Place:
        """What tells the passage from every other one."""
        return self.passage.source, self.passage.start


def candidates(near: Sequence[Neighbour], embedder: Embedder) -> list[Candidate]:
    """The neighbours with the vectors of their sentences and their tokens."""
    passages = [each.passage for each in near]
    texts, langs = [p.in_context for p in passages], [p.lang for p in passages]
    tokens = embedder.tokens(texts, langs)
    ends = np.cumsum([len(p.sentences) for p in passages])
    sentences = np.split(sentence_vectors(passages, embedder), ends[:-1])
    return [
        Candidate(each.passage, each.vector, sentences[i], tokens[i] if tokens else None)
        for i, each in enumerate(near)
    ]


class Found(list[Hit]):
    """Hits, best first, and the vector of each of their sentences by its place."""

    def __init__(self, hits: Iterable[Hit], vectors: Mapping[Place, Vectors]) -> None:
        super().__init__(hits)
        self.vectors = vectors

    def sentence_vectors(self) -> Vectors:
        """Those of all sentences in the order of the hits, shape (sentences, dimension)."""
        return np.stack([self.vectors[h.source, s.start] for h in self for s in h.sentences])


def with_vectors(hits: Sequence[Hit], embedder: Embedder) -> Found:
    """The hits, with vectors that are fetched where `retrieve` did not hand them on."""
    if isinstance(hits, Found):
        return hits
    places = [(hit.source, s.start) for hit in hits for s in hit.sentences]
    return Found(hits, dict(zip(places, sentence_vectors(hits, embedder), strict=True)))


def sentence_vectors(passages: Sequence[Passage], embedder: Embedder) -> Vectors:
    """The vectors of the passages' sentences, without the means of their languages."""
    texts = [sentence.text for passage in passages for sentence in passage.sentences]
    langs = [passage.lang for passage in passages for _ in passage.sentences]
    return embedder.sentences(texts, langs)
