"""The cross-encoder in PyTorch: the embedder's own network with three outputs on its last layer.

Its lower layers stay what they are for embedding: they know the languages, which a few
thousand questions would only make them forget, and they need not be shipped twice.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.embedding.e5_weights import E5File

FROZEN = 6
"""Layers that are not trained."""
OUTPUTS = ("start", "end", "answers")
_PARTS = ("q", "k", "v", "ao", "fi", "fo")


class Layer(nn.Module):  # type: ignore[misc]  # torch is not a dependency
    """One layer of the network, from the tensors of the file."""

    def __init__(self, file: E5File, number: int) -> None:
        super().__init__()
        self.heads = file.heads
        for part in _PARTS:
            width = file.inner_width if part == "fo" else file.width
            weight = torch.from_numpy(file.matrix(f"l{number}.{part}.w", width))
            linear = nn.Linear(*reversed(weight.shape))
            linear.weight.data = weight
            linear.bias.data = torch.tensor(file.vector(f"l{number}.{part}.b"))
            setattr(self, part, linear)
        for part in ("aln", "oln"):
            norm = nn.LayerNorm(file.width, file.epsilon)
            norm.weight.data = torch.tensor(file.vector(f"l{number}.{part}.w"))
            norm.bias.data = torch.tensor(file.vector(f"l{number}.{part}.b"))
            setattr(self, part, norm)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """States of shape (texts, tokens, width); `mask` is added to what attention scores."""
        texts, tokens, width = x.shape

        def heads(states: Tensor) -> Tensor:
            return states.view(texts, tokens, self.heads, -1).transpose(1, 2)

        # Twice as fast on a processor as the fused attention, whose way back is slow.
        scale = 1 / math.sqrt(width / self.heads)
        scores = (heads(self.q(x)) * scale) @ heads(self.k(x)).transpose(-1, -2) + mask
        mixed = (torch.softmax(scores, -1) @ heads(self.v(x))).transpose(1, 2)
        x = self.aln(x + self.ao(mixed.reshape(texts, tokens, width)))
        normed: Tensor = self.oln(x + self.fo(functional.gelu(self.fi(x))))
        return normed


class CrossEncoder(nn.Module):  # type: ignore[misc]
    """Token ids to start, end and answer."""

    def __init__(self, file: E5File) -> None:
        super().__init__()
        word = torch.from_numpy(file.matrix("emb.word", file.width)).half()
        self.word = nn.Embedding.from_pretrained(word, freeze=True)
        places = (
            file.vector("emb.pos").reshape(-1, file.width) + file.vector("emb.type")[: file.width]
        )
        self.register_buffer("places", torch.tensor(places))
        self.norm = nn.LayerNorm(file.width, file.epsilon)
        self.norm.weight.data = torch.tensor(file.vector("emb.ln.w"))
        self.norm.bias.data = torch.tensor(file.vector("emb.ln.b"))
        layers = [Layer(file, number) for number in range(file.layers)]
        self.lower = nn.ModuleList(layers[:FROZEN])
        self.upper = nn.ModuleList(layers[FROZEN:])
        self.outputs = nn.Linear(file.width, len(OUTPUTS))
        nn.init.normal_(self.outputs.weight, std=0.02)
        nn.init.zeros_(self.outputs.bias)
        for part in (self.word, self.norm, self.lower):
            part.requires_grad_(False)

    def forward(self, ids: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits: start and end of each token, shape (texts, tokens), and one for each text."""
        with torch.no_grad():
            places = torch.as_tensor(self.places)[: ids.shape[1]]
            x = self.norm(self.word(ids).float() + places)
            mask = torch.zeros(there.shape, device=there.device)
            mask = mask.masked_fill(~there, -1e4)[:, None, None]
            if torch.is_autocast_enabled(ids.device.type):
                mask = mask.bfloat16()
            for layer in self.lower:
                x = layer(x, mask)
        for layer in self.upper:
            x = layer(x, mask)
        logits = self.outputs(x).float()
        return logits[..., 0], logits[..., 1], logits[:, 0, 2]

    def trained(self) -> dict[str, Tensor]:
        """What training changes, by name."""
        kept = self.state_dict()
        return {name: kept[name] for name, _ in self.named_parameters() if _is_trained(name)}


def _is_trained(name: str) -> bool:
    return name.startswith(("upper.", "outputs."))


def write_weights(network: CrossEncoder, path: Path) -> None:
    """The trained part as `CrossEncoder` reads it: matrices in 8 bits, 32 to a scale."""
    arrays: dict[str, Any] = {"frozen": np.array(FROZEN)}
    for name, tensor in network.trained().items():
        values = tensor.detach().float().numpy()
        if name.startswith("outputs."):
            arrays[name] = values
            continue
        _, number, part, kind = name.split(".")
        key = f"l{int(number) + FROZEN}.{part}.{kind[0]}"
        if values.ndim == 1:
            arrays[key] = values.astype(np.float32)
        else:
            arrays[key], arrays[f"{key}.scale"] = _in_8_bits(values)
    np.savez_compressed(path, **arrays)


def _in_8_bits(values: Any) -> tuple[Any, Any]:
    blocks = values.reshape(len(values), -1, 32)
    scales = (np.abs(blocks).max(axis=-1) / 127).astype(np.float16)
    levels = np.rint(blocks / np.maximum(scales.astype(np.float32), 1e-8)[..., None])
    return np.clip(levels, -127, 127).astype(np.int8).reshape(values.shape), scales
