"""Read: a question and a passage together -> does it answer, and with which words.

Retrieval compares vectors that were made apart. The cross-encoder sees both texts at once:
it is the embedder's own network, of which the upper layers were trained to find answers
(`python -m training.cross_encoder.train`; what it can and cannot do: CROSS_ENCODER.md here).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.embedding.e5 import E5Embeddings
from rag.embedding.e5_onnx import e5_graph
from rag.embedding.e5_weights import E5File, Floats
from rag.embedding.encoder import Encoder, Vectors, session, side_by_side
from rag.embedding.tokenizer import Unigram
from rag.errors import ModelError

WEIGHTS_FILE = Path(__file__).with_name("cross_encoder.npz")
_QUESTION_TOKENS = 64
_ANSWER_TOKENS = 32
"""Most tokens of a question that are read, and of an answer that is looked for."""

Span = tuple[int, int]
"""Code points, the end exclusive."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the cross-encoder makes of one passage."""

    answers: float
    """The log-odds that the passage answers."""
    span: Span
    """Where the likeliest answer stands in the text that was read, whether it is one or not."""
    _spans: Sequence[Span] = field(repr=False, compare=False)
    _likely: Vectors = field(repr=False, compare=False)

    def share(self, begin: int, end: int) -> float:
        """How likely it is that an answer, if there is one, stands there rather than elsewhere."""
        # The ▁ token has an empty span; count it at its position.
        spans = enumerate(self._spans)
        inside = [i for i, (a, b) in spans if a < end and max(b, a + 1) > begin]
        return float(self._likely[inside].sum())


class CrossEncoderNetwork(E5File):
    """The embedder's network with the trained layers in place of its own.

    Raises ModelError for a file that is missing or cannot be read.
    """

    def __init__(self, file: E5File, weights: Path = WEIGHTS_FILE) -> None:
        super().__init__(file.path)
        try:
            # Opened here, since np.load leaves a file open that is no archive.
            with weights.open("rb") as opened, np.load(opened) as arrays:
                self._arrays: dict[str, Any] = {name: arrays[name] for name in arrays.files}
            self.outputs: Floats = self._arrays["outputs.weight"].reshape(-1, file.width)
            self.bias: Floats = self._arrays["outputs.bias"].reshape(len(self.outputs))
        except Exception as error:  # zipfile's, zlib's and numpy's have no common base
            why = "it is not there" if isinstance(error, FileNotFoundError) else "it is damaged"
            raise ModelError(
                f"the cross-encoder's weights cannot be read from {weights.name}, {why}; "
                "install quoted-rag again to have them"
            ) from error

    def vector(self, name: str) -> Floats:
        """A bias, or a part of a normalisation: the trained one where there is one."""
        found: Floats | None = self._arrays.get(name)
        return super().vector(name) if found is None else found

    def matrix(self, name: str, width: int) -> Floats:
        """Weights by output, shape (rows, width): the trained ones where there are some."""
        if name not in self._arrays:
            return super().matrix(name, width)
        levels = self._arrays[name].astype(np.float32)
        scales = self._arrays[f"{name}.scale"].astype(np.float32)
        blocks = levels.reshape(len(levels), scales.shape[1], -1) * scales[..., None]
        return np.asarray(blocks.reshape(levels.shape), dtype=np.float32)


class CrossEncoder:
    """Reads passages for an answer. Safe to share between threads.

    Raises ModelError when its weights cannot be read or run.
    """

    def __init__(self, encoder: Encoder, weights: Path = WEIGHTS_FILE) -> None:
        self._encoder = encoder
        self._weights = weights
        network = CrossEncoderNetwork(encoder.file, weights)
        self._run = session(e5_graph(network))
        self._outputs, self._bias = network.outputs, network.bias

    @cached_property
    def version(self) -> str:
        """Changes with the weights; scores of two versions cannot be compared."""
        return hashlib.sha256(self._weights.read_bytes()).hexdigest()[:8]

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """What each of the texts says to the question; each is read by itself."""
        pairs = [pair_tokens(self._encoder, question, text) for text in texts]
        logits = side_by_side(self._logits, [ids for ids, _, _ in pairs])
        return [
            _reading(each, spans, first)
            for each, (_, spans, first) in zip(logits, pairs, strict=True)
        ]

    def _logits(self, ids: list[int]) -> Vectors:
        """Start, end and answer of each token, shape (tokens, 3)."""
        states = self._run(self._encoder.embedded(ids)[None])[0]
        return np.asarray(states @ self._outputs.T + self._bias)


def open_cross_encoder(embeddings: Embeddings) -> CrossEncoder:
    """The cross-encoder that ships, on the encoder of the embeddings where that is e5.

    Raises ModelError when it cannot be had.
    """
    own = embeddings if isinstance(embeddings, E5Embeddings) else E5Embeddings()
    return _shared(own.encoder, WEIGHTS_FILE)


_shared = cache(CrossEncoder)


def pair_tokens(encoder: Encoder, question: str, text: str) -> tuple[list[int], list[Span], int]:
    """The token ids of both, the spans of the text's tokens, and the index of the first of them.

    A question is cut after 64 tokens, a text where the network takes no more.
    """
    tokenizer: Unigram = encoder.tokenizer
    file = encoder.file
    asked = tokenizer.encode(f"query: {question}")[:_QUESTION_TOKENS]
    head = [file.begin, *asked, file.end, *tokenizer.encode("passage:")]
    ids, spans = tokenizer.encode_spans(text)
    room = file.window - len(head) - 1
    return [*head, *ids[:room], file.end], spans[:room], len(head)


def _reading(logits: Vectors, spans: Sequence[Span], first: int) -> Reading:
    starts, ends = (_softmax(logits[first:-1, column]) for column in (0, 1))
    span = (0, 0)
    if spans:
        both = np.triu(np.outer(starts, ends))
        both -= np.triu(both, _ANSWER_TOKENS)
        begin, end = divmod(int(both.argmax()), len(spans))
        span = spans[begin][0], spans[end][1]
    return Reading(float(logits[0, 2]), span, spans, np.float32(0.5) * (starts + ends))


def _softmax(logits: Vectors) -> Vectors:
    raised = np.exp(logits - logits.max(initial=-np.inf))
    return np.asarray(raised / raised.sum(), dtype=np.float32)
