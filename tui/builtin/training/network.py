"""The guide's network: Qwen3's architecture, small, as plain functions of named tensors.

The names are those of GGUF, so that converting is writing them down. Root mean square norms, rotary positions, norms of
queries and keys, gated feed-forward, one matrix for embeddings and output.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Weights = dict[str, Tensor]
_EPSILON = 1e-6
ROPE_BASE = 1_000_000.0
"""So high that half of a head's width hardly turns within a conversation: that half finds the same word again at any
distance."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The hyperparameters. Widths are multiples of 32, the block of Q8_0."""

    vocabulary: int
    layers: int = 6
    width: int = 192
    heads: int = 4
    kv_heads: int = 4
    head_width: int = 64
    feed_forward: int = 576
    context_length: int = 2048

    def record(self) -> dict[str, Any]:
        """For a checkpoint."""
        return asdict(self)


def new_weights(shape: Shape, generator: torch.Generator) -> Weights:
    """Weights to begin with: outputs of blocks are zero, so that each block begins by doing nothing."""

    def matrix(rows: int, columns: int, scale: float = 1.0) -> Tensor:
        return torch.randn(rows, columns, generator=generator) * scale * columns**-0.5

    width, queries, keys = shape.width, shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    weights: Weights = {"token_embd.weight": torch.randn(shape.vocabulary, width, generator=generator) * 0.03}
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        weights |= {
            block + "attn_norm.weight": torch.ones(width),
            block + "attn_q.weight": matrix(queries, width),
            block + "attn_k.weight": matrix(keys, width),
            block + "attn_v.weight": matrix(keys, width),
            block + "attn_q_norm.weight": torch.ones(shape.head_width),
            block + "attn_k_norm.weight": torch.ones(shape.head_width),
            block + "attn_output.weight": torch.zeros(width, queries),
            block + "ffn_norm.weight": torch.ones(width),
            block + "ffn_gate.weight": matrix(shape.feed_forward, width),
            block + "ffn_up.weight": matrix(shape.feed_forward, width),
            block + "ffn_down.weight": torch.zeros(width, shape.feed_forward),
        }
    weights["output_norm.weight"] = torch.ones(width)
    return weights


def grown_shape(base: Shape, own: Shape) -> Shape:
    """The shape of a guide to begin with, grown to the layers and the feed-forward that guides have now.

    One that has more keeps it.
    """
    return replace(base, layers=max(base.layers, own.layers), feed_forward=max(base.feed_forward, own.feed_forward))


def grown(weights: Weights, shape: Shape, generator: torch.Generator) -> Weights:
    """The same function as that of these weights in a network with more layers or a wider feed-forward.

    What is added has outputs of zero, as at the beginning of a training (after Chen, Goodfellow and Shlens, 2016).
    """
    made = new_weights(shape, generator)
    for name, weight in weights.items():
        made[name][tuple(slice(size) for size in weight.shape)] = weight
    return made


def hidden_states(weights: Weights, shape: Shape, tokens: Tensor) -> Tensor:
    """What the last layer makes of sequences of tokens (batch, length), normed."""
    states = functional.embedding(tokens, weights["token_embd.weight"])
    cosines, sines = _rotations(tokens.shape[1], shape.head_width)
    for layer in range(shape.layers):
        block = {name: weights[f"blk.{layer}.{name}.weight"] for name in _BLOCK}
        states = states + _attention(block, shape, _norm(states, block["attn_norm"]), cosines, sines)
        inner = _norm(states, block["ffn_norm"])
        gate, up = functional.linear(inner, torch.cat((block["ffn_gate"], block["ffn_up"]))).chunk(2, -1)
        states = states + functional.linear(functional.silu(gate) * up, block["ffn_down"])
    return _norm(states, weights["output_norm.weight"])


def loss_of(weights: Weights, shape: Shape, tokens: Tensor, learned: Tensor) -> Tensor:
    """The summed cross-entropy of the tokens that are learned; `learned` says it of each, the first is never."""
    states = hidden_states(weights, shape, tokens[:, :-1])
    places = learned[:, 1:]
    logits = functional.linear(states[places], weights["token_embd.weight"])
    return functional.cross_entropy(logits, tokens[:, 1:][places], reduction="sum")


_BLOCK = (
    "attn_norm", "attn_q", "attn_k", "attn_v", "attn_q_norm", "attn_k_norm", "attn_output", "ffn_norm", "ffn_gate",
    "ffn_up", "ffn_down",
)  # fmt: skip


def _norm(states: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(states, (states.shape[-1],), weight, _EPSILON)


def _attention(block: Weights, shape: Shape, states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    batch, length, _ = states.shape
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    joined = functional.linear(states, torch.cat((block["attn_q"], block["attn_k"], block["attn_v"])))
    q, k, v = joined.split((queries, keys, keys), -1)
    q = q.view(batch, length, shape.heads, shape.head_width)
    k = k.view(batch, length, shape.kv_heads, shape.head_width)
    v = v.view(batch, length, shape.kv_heads, shape.head_width).transpose(1, 2)
    q = _rotate(_norm(q, block["attn_q_norm"]), cosines, sines).transpose(1, 2)
    k = _rotate(_norm(k, block["attn_k_norm"]), cosines, sines).transpose(1, 2)
    shared = shape.heads // shape.kv_heads
    k, v = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
    read = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return functional.linear(read.transpose(1, 2).reshape(batch, length, queries), block["attn_output"])


def _rotations(length: int, width: int) -> tuple[Tensor, Tensor]:
    frequencies = ROPE_BASE ** (-torch.arange(0, width, 2) / width)
    angles = torch.outer(torch.arange(length), frequencies)[:, None, :]
    return angles.cos(), angles.sin()


def _rotate(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotary positions in halves, as llama.cpp's NEOX kind has them."""
    first, second = heads.chunk(2, -1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), -1)
