"""An embedding model behind OpenAI's protocol; what its server sends is checked before use."""

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np
import openai
from langchain_core.embeddings import Embeddings

from rag.embedding.cache import is_sound
from rag.embedding.encoder import Vectors
from rag.errors import SettingsError
from rag.models.errors import BadVectorsError, OddReplyError, shown_url
from rag.models.options import (
    known_batch,
    possible_places,
    remember_batch,
    remember_place,
    retry_wait,
)
from rag.settings import Settings

_BATCH = 32
_NO_ADDRESS = (404, 405)
_TOO_MANY = (400, 413, 422)
"""How servers refuse a batch that is too large, and much else."""


class ServerEmbeddings(Embeddings):
    """Vectors from a server, one of finite numbers for each text; else BadVectorsError."""

    def __init__(self, client: openai.OpenAI, model: str, timeout: float) -> None:
        self._client = client
        self._model = model
        self._timeout = timeout
        self._url = str(client.base_url).rstrip("/")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector for each text, all of one length."""
        vectors: list[Vectors] = []
        while len(vectors) < len(texts):
            vectors += self._next(texts[len(vectors) :])
        lengths = sorted({len(vector) for vector in vectors})
        if len(lengths) > 1:
            raise BadVectorsError(f"vectors of {lengths[0]} and of {lengths[-1]} numbers")
        return [vector.tolist() for vector in vectors]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return self.embed_documents([text])[0]

    def _next(self, texts: Sequence[str]) -> list[Vectors]:
        """Vectors of the first texts: of half as many after each refusal of a batch."""
        size = most = min(len(texts), known_batch(self._url, self._model) or _BATCH)
        while True:
            try:
                vectors = self._at_some_place(texts[:size])
            except openai.APIStatusError as error:
                if error.status_code not in _TOO_MANY or size == 1:
                    raise
                size //= 2
            else:
                if size < most:
                    remember_batch(self._url, self._model, size)
                return vectors

    def _at_some_place(self, texts: Sequence[str]) -> list[Vectors]:
        failures: list[Exception] = []
        for place in possible_places(self._url):
            try:
                vectors = read_vectors(self._asked(place, texts), len(texts))
            except (openai.APIStatusError, OddReplyError) as error:
                if getattr(error, "status_code", _NO_ADDRESS[0]) not in _NO_ADDRESS:
                    raise
                failures.append(error)
            else:
                if place != self._url:
                    remember_place(self._url, place)
                return vectors
        raise failures[0]

    def _asked(self, place: str, texts: Sequence[str]) -> object:
        """What the server sends; one that is busy is asked again while there is time."""
        client = self._client.with_options(base_url=place, max_retries=0)
        body = {"model": self._model, "input": list(texts)}
        deadline = time.monotonic() + self._timeout
        for tried in count():
            try:
                return client.post("/embeddings", cast_to=object, body=body)
            except openai.APIError as error:
                wait = retry_wait(error, tried)
                if wait is None or time.monotonic() + wait > deadline:
                    raise
                time.sleep(wait)
            except ValueError as error:
                raise OddReplyError("no JSON") from error
        raise AssertionError


def read_vectors(found: object, wanted: int) -> list[Vectors]:
    """The vectors in a server's reply, in the order of the texts.

    Raises OddReplyError where there are none, BadVectorsError for vectors of no use.

    >>> rows = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    >>> [vector.tolist() for vector in read_vectors({"data": rows}, 2)]
    [[1.0], [2.0]]
    """
    rows = found.get("data") if isinstance(found, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        told = found.get("error") if isinstance(found, Mapping) else None
        raise OddReplyError(f"an error: {told}" if told else "no list of vectors")
    if len(rows) != wanted:
        raise BadVectorsError(f"{len(rows)} vectors for {wanted} texts")
    return [_vector(row.get("embedding")) for row in _in_order(rows)]


def _in_order(rows: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The rows by their index; as they came where the server does not number them."""
    by_index = {row.get("index"): row for row in rows}
    numbered = all(type(index) is int for index in by_index) and len(by_index) == len(rows)
    return [by_index[index] for index in sorted(by_index)] if numbered else rows  # type: ignore[type-var]


def _vector(found: object) -> Vectors:
    try:
        if isinstance(found, str):
            vector = np.frombuffer(base64.b64decode(found), dtype="<f4").astype(np.float32)
        else:
            with np.errstate(over="ignore"):
                vector = np.array(found, dtype=np.float32)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise BadVectorsError("a vector that is none") from error
    if vector.ndim != 1 or not len(vector):
        raise BadVectorsError("a vector that is none")
    if not is_sound(vector):
        fault = "zero" if np.isfinite(vector).all() else "not finite"
        raise BadVectorsError(f"a vector that is {fault}")
    return vector


def server_embeddings(settings: Settings, model: str) -> tuple[ServerEmbeddings, str]:
    """The embedding model of OpenAI or of a server, and its name with the server's URL.

    Sends nothing. Raises SettingsError for a missing key.
    """
    base_url = settings.embeddings_base_url or settings.base_url
    key = settings.openai_api_key
    if not base_url and key is None:
        raise SettingsError(
            f"RAG_EMBEDDINGS={settings.embeddings!r} needs OPENAI_API_KEY, "
            "or RAG_EMBEDDINGS_BASE_URL for a server of your own"
        )
    client = openai.OpenAI(
        base_url=base_url or None,
        # A server of one's own may need no key, but the client insists on one.
        api_key=key.get_secret_value() if key else "none",
        timeout=settings.timeout,
    )
    name = f"openai:{model}" + (f"@{shown_url(base_url)}" if base_url else "")
    return ServerEmbeddings(client, model, settings.timeout), name
