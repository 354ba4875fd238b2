"""multilingual-e5-small, run by onnxruntime.

Each text runs alone on one core, and several texts run side by side: so nothing is
padded, a text's vector never depends on its neighbours, and no thread waits in a busy loop.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.embedding.e5_onnx import e5_graph
from rag.embedding.e5_weights import E5File, dequantise
from rag.embedding.tokenizer import Unigram
from rag.errors import ModelError
from rag.resources import usable_cores

Vectors = NDArray[np.float32]
Kind = Literal["query", "passage"]

QUERY_WINDOWS = 4
"""Windows of a question that are read, so that one of any length takes no longer. They hold two
questions of 2,000 letters, a follow-up and what it leans on, unless a letter is a token."""


class Encoder:
    """Runs the network by onnxruntime. Safe to share between threads.

    Raises ModelError when the file cannot be read or the graph cannot be run.
    """

    def __init__(self, file: E5File | None = None) -> None:
        self.file = file = file or E5File()
        self._run = session(e5_graph(file))
        scores = file.scores.tolist()
        self.tokenizer = Unigram(file.pieces(), scores, file.normalisation(), file.unknown)
        self._words = file.blocks("emb.word", file.width)
        places = file.vector("emb.pos").reshape(-1, file.width)
        self._places = places + file.vector("emb.type")[: file.width]

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        return self._embed(texts, kind, lambda states: states.mean(axis=0))[0]

    def states(self, texts: Sequence[str], kind: Kind) -> tuple[Vectors, list[Vectors]]:
        """The unit vectors, and of each text what the last layer says of its tokens.

        Of each text an array (tokens, 384): its own tokens, without the kind's prefix
        and the markers. One pass makes both.
        """
        return self._embed(texts, kind, lambda states: states)

    def _embed(
        self, texts: Sequence[str], kind: Kind, keep: Callable[[Vectors], Vectors]
    ) -> tuple[Vectors, list[Vectors]]:
        """Unit vectors, and of each text what `keep` leaves of its windows' states, stacked.

        Where it leaves their means alone, memory does not grow with the texts.
        """
        windows = [self._windows(text, kind) for text in texts]
        work = [ids for group in windows for ids in group]
        kept = iter(side_by_side(lambda ids: keep(self._states(ids)), work))
        prefix = len(self.tokenizer.encode(f"{kind}:"))
        vectors = np.zeros((len(texts), self.file.width), dtype=np.float32)
        states: list[Vectors] = []
        for row, group in zip(vectors, windows, strict=True):
            parts = [np.atleast_2d(next(kept)) for _ in group]
            # A window counts by its tokens without the two markers.
            for ids, part in zip(group, parts, strict=True):
                row += (len(ids) - 2) * part.mean(axis=0)
            states.append(np.concatenate([part[1:-1] for part in parts])[prefix:])
        return unit(vectors), states

    def count_tokens(self, text: str) -> int:
        """Tokens of a passage, its prefix and two markers included."""
        return len(self.tokenizer.encode(_prefixed(text, "passage"))) + 2

    def _windows(self, text: str, kind: Kind) -> list[list[int]]:
        """Token ids in runs that the model can take, each between its markers.

        All of a passage, which the splitter keeps short; of a query the first few.
        """
        step = self.file.window - 2
        most = QUERY_WINDOWS * step if kind == "query" else None
        ids = self.tokenizer.encode(_prefixed(text, kind), most)
        return [
            [self.file.begin, *ids[start : start + step], self.file.end]
            for start in range(0, len(ids), step)
        ]

    def _states(self, ids: list[int]) -> Vectors:
        return np.asarray(self._run(self.embedded(ids)[None])[0])

    def embedded(self, ids: list[int]) -> Vectors:
        """What the network takes in: word, place and type of each token, shape (tokens, 384)."""
        return np.asarray(dequantise(self._words[ids]) + self._places[: len(ids)])


def open_encoder() -> Encoder:
    """The encoder that all corpora of this process share: it takes 200 MB.

    Raises ModelError where it cannot be had, and tries again at the next call.
    """
    with _opening:
        return _opened()


_opening = threading.Lock()
_opened = cache(Encoder)


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def session(model: bytes) -> Callable[[Vectors], Vectors]:
    """What runs the model; raises ModelError when onnxruntime is missing or does not take it."""
    try:
        import onnxruntime as ort  # type: ignore[import-untyped]
    except ImportError as error:
        raise ModelError(
            f"onnxruntime cannot be loaded ({error}); "
            "install it again: pip install --force-reinstall onnxruntime"
        ) from error

    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Higher levels fuse nodes that take longer when fused: docs/decisions/encoder.md.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4  # an error is raised, and need not be printed too
    try:
        opened = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base of their own
        line = str(error).partition("\n")[0]
        raise ModelError(f"onnxruntime {ort.__version__} cannot run the model: {line}") from error
    return lambda embedded: np.asarray(opened.run(["states"], {"embedded": embedded})[0])


def _prefixed(text: str, kind: Kind) -> str:
    return f"{kind}: {text}"


def side_by_side(work: Callable[[list[int]], Vectors], windows: list[list[int]]) -> list[Vectors]:
    """The results of the work on each window, in order; all cores are used.

    A few windows are queued at a time, since the interpreter cannot end before the queue is
    empty.
    """
    threads = min(usable_cores(), len(windows))
    if threads < 2:
        return [work(ids) for ids in windows]
    few, done = 8 * threads, list[Vectors]()
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(windows), few):
            done += pool.map(work, windows[start : start + few])
    return done
