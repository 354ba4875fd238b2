"""The network of multilingual-e5-small as an ONNX model, written without the onnx package.

Weights of 4 bits with a scale for every 32 become weights of 7 bits with a scale for
each row, so that products are sums of integers. 7 and not 8 bits: processors without
VNNI add pairs of products in 16 bits, which 8 bits overflow, and vectors are to be the
same everywhere. How exact that is: docs/decisions/encoder.md.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from rag.embedding.e5_weights import E5File, Floats

LOUD = 16
"""Inner channels of each layer that stay float. For the first and the last token one of them
is ten times larger than all others, and would set a scale too coarse for these."""
_LEVELS = 63
_TYPES = {"float32": 1, "uint8": 2, "int8": 3}
"""ONNX's numbers of the types of tensors."""
_MICROSOFT = "com.microsoft"

Value = int | float | str | bytes


def e5_graph(file: E5File) -> bytes:
    """The ONNX model, some 22 MB: `embedded` in, `states` out.

    Both are float32 of shape (texts, tokens, 384). `embedded` is the sum of word,
    position and type; the texts of one run are of one length, since nothing is masked.
    """
    graph = _Graph(file)
    x = graph.normalise("embedded", "emb.ln")
    for layer in range(file.layers):
        x = graph.attend(x, f"l{layer}.")
        x = graph.feed_forward(x, f"l{layer}.")
    return graph.finish(x)


class _Graph:
    """An ONNX graph in the making; methods add nodes and return the name of their output."""

    def __init__(self, file: E5File) -> None:
        self._file = file
        self._parts: list[bytes] = []
        self._count = 0

    # --- layers

    def attend(self, x: str, layer: str) -> str:
        """Attention and its residual."""
        steps = self._node("DynamicQuantizeLinear", x, outputs=3)
        query, key, value = (self._integer_product(steps, f"{layer}{name}") for name in "qkv")
        bias = np.concatenate([self._file.vector(f"{layer}{name}.b") for name in "qkv"])
        heads = self._node(
            "MultiHeadAttention",
            *(query, key, value, self._tensor(bias)),
            num_heads=self._file.heads,
            domain=_MICROSOFT,
        )[0]
        mixed = self._linear(heads, self._weights(f"{layer}ao"), f"{layer}ao.b")
        # SkipLayerNormalization does both in one, and takes three times as long.
        return self.normalise(self._node("Add", mixed, x)[0], f"{layer}aln")

    def feed_forward(self, x: str, layer: str) -> str:
        """The two linear layers with GELU between them, and their residual."""
        into, bias = self._weights(f"{layer}fi"), self._file.vector(f"{layer}fi.b")
        out = self._weights(f"{layer}fo", self._file.inner_width)
        # The weights that take a loud channel in are the largest.
        order = np.argsort(np.linalg.norm(out, axis=0))
        quiet, loud = np.sort(order[:-LOUD]), order[-LOUD:]
        inner = self._gelu(self._linear(x, into[quiet]), bias[quiet])
        loud_inner = self._gelu(self._float_product(x, into[loud]), bias[loud])
        back = self._linear(inner, out[:, quiet], f"{layer}fo.b")
        both = self._node("Add", back, self._float_product(loud_inner, out[:, loud]))[0]
        return self.normalise(self._node("Add", both, x)[0], f"{layer}oln")

    def normalise(self, x: str, name: str) -> str:
        """Layer normalisation over the width."""
        scale, shift = (self._tensor(self._file.vector(f"{name}.{part}")) for part in "wb")
        return self._node(
            "LayerNormalization", x, scale, shift, axis=-1, epsilon=self._file.epsilon
        )[0]

    def finish(self, x: str) -> bytes:
        """The whole model, whose output is x."""
        self._node("Identity", x, names=["states"])
        graph = b"".join(self._parts) + _field(2, "e5")
        graph += _field(11, self._port("embedded")) + _field(12, self._port("states"))
        opsets = _field(8, _field(1, "") + _field(2, 17))
        opsets += _field(8, _field(1, _MICROSOFT) + _field(2, 1))
        return _field(1, 8) + opsets + _field(7, graph)

    # --- pieces of layers

    def _weights(self, name: str, width: int | None = None) -> Floats:
        return self._file.matrix(f"{name}.w", width or self._file.width)

    def _gelu(self, x: str, bias: Floats) -> str:
        return self._node("BiasGelu", x, self._tensor(bias), domain=_MICROSOFT)[0]

    def _float_product(self, x: str, weights: Floats) -> str:
        return self._node("MatMul", x, self._tensor(weights.T))[0]

    def _integer_product(self, steps: list[str], name: str) -> str:
        x, scale, zero = steps
        weights, scales = self._quantised(self._weights(name))
        return self._node(
            "MatMulIntegerToFloat", x, weights, scale, scales, zero, domain=_MICROSOFT
        )[0]

    def _linear(self, x: str, weights: Floats, bias: str | None = None) -> str:
        """Product of activations in 8 bits, with one scale for all, and weights in 7."""
        inputs = [x, *self._quantised(weights)]
        if bias:
            inputs += ["", self._tensor(self._file.vector(bias))]
        return self._node("DynamicQuantizeMatMul", *inputs, domain=_MICROSOFT)[0]

    def _quantised(self, weights: Floats) -> tuple[str, str]:
        scales = np.maximum(np.abs(weights).max(axis=1), 1e-12) / _LEVELS
        levels = np.rint(weights / scales[:, None]).astype(np.int8)
        return self._tensor(levels.T), self._tensor(scales)

    # --- protocol buffers, by the field numbers of onnx.proto

    def _name(self) -> str:
        self._count += 1
        return f"n{self._count}"

    def _tensor(self, values: NDArray[np.float32] | NDArray[np.int8]) -> str:
        name = self._name()
        shape = b"".join(_field(1, size) for size in values.shape)
        kind = _field(2, _TYPES[values.dtype.name])
        self._parts.append(_field(5, shape + kind + _field(8, name) + _field(9, values.tobytes())))
        return name

    def _node(
        self,
        operator: str,
        *inputs: str,
        outputs: int = 1,
        names: list[str] | None = None,
        domain: str = "",
        **attributes: int | float,
    ) -> list[str]:
        names = names or [self._name() for _ in range(outputs)]
        node = b"".join(_field(1, name) for name in inputs)
        node += b"".join(_field(2, name) for name in names)
        node += _field(4, operator) + _field(7, domain)
        for key, value in attributes.items():
            field, kind = (2, 1) if isinstance(value, float) else (3, 2)
            node += _field(5, _field(1, key) + _field(field, value) + _field(20, kind))
        self._parts.append(_field(1, node))
        return names

    def _port(self, name: str) -> bytes:
        sizes = (_field(2, "texts"), _field(2, "tokens"), _field(1, self._file.width))
        shape = b"".join(_field(1, size) for size in sizes)
        tensor = _field(1, _TYPES["float32"]) + _field(2, shape)
        return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, value: Value) -> bytes:
    """One field of a protocol buffer message.

    >>> _field(1, 300).hex(), _field(2, "e5").hex()
    ('08ac02', '12026535')
    """
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value & (1 << 64) - 1)
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])
