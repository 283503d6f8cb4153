"""Tiny models that bring extra heads (MTP) along.

One keeps sliding windows and has one head or a chain of them, and can follow a script; the other is a hybrid with
one head, in random weights. Tensor names and shapes are those that llama.cpp's `src/models/step35.cpp` and
`qwen35.cpp` ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from tests.support.gguf_file import write_gguf
from tests.support.scripts import cut_script
from tests.support.vocabulary import (
    CHATML_TEMPLATE,
    END_OF_TEXT,
    END_OF_TURN,
    START_OF_TURN,
    WORDS,
    Vocabulary,
    build_vocabulary,
    spell,
)

WINDOW: Final = 32
"""Tokens that the window layers of `make_window_mtp_model` reach back."""

_WIDTH, _HEADS, _KV_HEADS, _FEED_FORWARD, _LAYERS = 128, 4, 2, 64, 4
_HEAD_SIZE = _WIDTH // _HEADS
_STATE, _CONVOLUTION = 32, 4

Array = NDArray[Any]
Shape = tuple[int, ...]


def make_scripted_mtp_model(path: Path, script: str, *, heads: int = 1, declared: int | None = None) -> Path:
    """Write a model with sliding windows that says the script again and again, and whose heads know it.

    A single head goes by the token that it reads. The heads of a chain go by the hidden row that comes with it, and
    each knows only the token that is its turn, so that they are right only if they get the right rows in order.
    `declared` is the number of heads that the header claims.
    """
    pieces = cut_script(script.encode(), taken=frozenset(t.encode() for t in (END_OF_TEXT, START_OF_TURN, END_OF_TURN)))
    vocabulary = build_vocabulary(pieces=tuple(pieces))
    chain = [vocabulary.id(spell(piece)) for piece in pieces]
    random = numpy.random.Generator(numpy.random.SFC64(0))
    signs = (random.integers(0, 2, (len(chain) + 1, _WIDTH)) * 2 - 1).astype(numpy.float32)
    embeddings = numpy.broadcast_to(signs[-1], (len(vocabulary.tokens), _WIDTH)).copy()
    embeddings[chain] = signs[:-1]

    def successors(steps: int) -> Array:
        """Maps what stands for a token to the token that comes so many steps later."""
        outputs = numpy.zeros((len(vocabulary.tokens), _WIDTH), numpy.float32)
        for place in range(len(chain)):
            outputs[chain[(place + steps) % len(chain)]] += signs[place]
        outputs[chain[(steps - 1) % len(chain)]] += signs[-1]
        return outputs

    known = {"token_embd.weight": embeddings, "output.weight": successors(1)}
    half = numpy.hstack([numpy.eye(_WIDTH), numpy.zeros((_WIDTH, _WIDTH))]).astype(numpy.float32)
    for head in range(heads):
        block = f"blk.{_LAYERS + head}.nextn."
        known[block + "eh_proj.weight"] = half if heads == 1 else numpy.roll(half, _WIDTH, axis=1)
        known[block + "shared_head_head.weight"] = successors(1 if heads == 1 else head + 2)

    def weights(name: str, shape: Shape) -> Array:
        if len(shape) == 1:
            return numpy.full(shape, 4.0 if name.endswith(("output_norm.weight", "head_norm.weight")) else 1.0, "f4")
        return known.get(name, numpy.zeros(shape, numpy.float32))

    tensors = {name: weights(name, shape) for name, shape in _window_tensors(len(vocabulary.tokens), heads)}
    return write_gguf(path, "step35", _window_header(vocabulary, heads if declared is None else declared), tensors)


def make_window_mtp_model(path: Path, *, heads: int = 1, seed: int = 0) -> Path:
    """Write a model with sliding windows and random weights. Control tokens have no chance in greedy answers."""
    vocabulary = build_vocabulary(words=WORDS)
    shapes = _window_tensors(len(vocabulary.tokens), heads)
    return write_gguf(path, "step35", _window_header(vocabulary, heads), _random(shapes, vocabulary, seed))


def make_hybrid_mtp_model(path: Path, *, seed: int = 0) -> Path:
    """Write a model with running states, attention and one head, all in random weights."""
    vocabulary = build_vocabulary(words=WORDS)
    shapes = _hybrid_tensors(len(vocabulary.tokens))
    return write_gguf(path, "qwen35", _hybrid_header(vocabulary), _random(shapes, vocabulary, seed))


def _random(shapes: Iterator[tuple[str, Shape]], vocabulary: Vocabulary, seed: int) -> dict[str, Array]:
    random = numpy.random.Generator(numpy.random.SFC64(seed))
    silent = [number for number, type_ in enumerate(vocabulary.types) if type_ != 1]
    tensors = {}
    for name, shape in shapes:
        if name.endswith("ssm_a"):  # negative, so that the state fades
            array = -numpy.exp(random.random(shape, dtype=numpy.float32))
        elif len(shape) == 1:
            array = numpy.full(shape, 0.0 if name.endswith("bias") else 1.0, numpy.float32)
        else:
            array = (random.standard_normal(shape) * shape[-1] ** -0.5).astype(numpy.float32)
        if name.startswith(("output.", "token_embd.")):
            array[silent] = 0
        tensors[name] = array
    return tensors


def _window_tensors(tokens: int, heads: int) -> Iterator[tuple[str, Shape]]:
    yield "token_embd.weight", (tokens, _WIDTH)
    yield "output_norm.weight", (_WIDTH,)
    yield "output.weight", (tokens, _WIDTH)
    for layer in range(_LAYERS + heads):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (_WIDTH,)
        yield block + "attn_q.weight", (_WIDTH, _WIDTH)
        yield block + "attn_k.weight", (_HEAD_SIZE * _KV_HEADS, _WIDTH)
        yield block + "attn_v.weight", (_HEAD_SIZE * _KV_HEADS, _WIDTH)
        yield block + "attn_output.weight", (_WIDTH, _WIDTH)
        yield block + "ffn_norm.weight", (_WIDTH,)
        yield from _feed_forward(block)
        if layer >= _LAYERS:
            yield from _extra(block)
            yield block + "nextn.shared_head_head.weight", (tokens, _WIDTH)


def _hybrid_tensors(tokens: int) -> Iterator[tuple[str, Shape]]:
    yield "token_embd.weight", (tokens, _WIDTH)
    yield "output_norm.weight", (_WIDTH,)
    for layer in range(_LAYERS + 1):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (_WIDTH,)
        yield block + "post_attention_norm.weight", (_WIDTH,)
        if layer < _LAYERS and layer % 2 == 0:
            yield block + "attn_qkv.weight", (3 * _HEADS * _STATE, _WIDTH)
            yield block + "attn_gate.weight", (_HEADS * _STATE, _WIDTH)
            yield block + "ssm_conv1d.weight", (3 * _HEADS * _STATE, _CONVOLUTION)
            yield block + "ssm_dt.bias", (_HEADS,)
            yield block + "ssm_a", (_HEADS,)
            yield block + "ssm_beta.weight", (_HEADS, _WIDTH)
            yield block + "ssm_alpha.weight", (_HEADS, _WIDTH)
            yield block + "ssm_norm.weight", (_STATE,)
            yield block + "ssm_out.weight", (_WIDTH, _HEADS * _STATE)
        else:
            yield block + "attn_q.weight", (2 * _WIDTH, _WIDTH)  # and a gate for each
            yield block + "attn_k.weight", (_HEAD_SIZE * _KV_HEADS, _WIDTH)
            yield block + "attn_v.weight", (_HEAD_SIZE * _KV_HEADS, _WIDTH)
            yield block + "attn_output.weight", (_WIDTH, _WIDTH)
            yield block + "attn_q_norm.weight", (_HEAD_SIZE,)
            yield block + "attn_k_norm.weight", (_HEAD_SIZE,)
        yield from _feed_forward(block)
    yield from _extra(f"blk.{_LAYERS}.")


def _feed_forward(block: str) -> Iterator[tuple[str, Shape]]:
    yield block + "ffn_gate.weight", (_FEED_FORWARD, _WIDTH)
    yield block + "ffn_up.weight", (_FEED_FORWARD, _WIDTH)
    yield block + "ffn_down.weight", (_WIDTH, _FEED_FORWARD)


def _extra(block: str) -> Iterator[tuple[str, Shape]]:
    """What makes a layer a head; the token's embedding comes first in what it projects."""
    yield block + "nextn.eh_proj.weight", (_WIDTH, 2 * _WIDTH)
    yield block + "nextn.enorm.weight", (_WIDTH,)
    yield block + "nextn.hnorm.weight", (_WIDTH,)
    yield block + "nextn.shared_head_norm.weight", (_WIDTH,)


def _window_header(vocabulary: Vocabulary, heads: int) -> dict[str, Any]:
    return _header("step35", vocabulary, _LAYERS + heads, heads) | {
        "step35.expert_feed_forward_length": _FEED_FORWARD,
        "step35.attention.sliding_window": WINDOW,
        "step35.attention.sliding_window_pattern": [layer % 2 == 0 for layer in range(_LAYERS + heads)],
    }


def _hybrid_header(vocabulary: Vocabulary) -> dict[str, Any]:
    return _header("qwen35", vocabulary, _LAYERS + 1, 1) | {
        "qwen35.full_attention_interval": 2,
        "qwen35.rope.dimension_sections": [4, 6, 6, 0],
        "qwen35.ssm.conv_kernel": _CONVOLUTION,
        "qwen35.ssm.inner_size": _HEADS * _STATE,
        "qwen35.ssm.state_size": _STATE,
        "qwen35.ssm.time_step_rank": _HEADS,
        "qwen35.ssm.group_count": _HEADS,
    }


def _header(architecture: str, vocabulary: Vocabulary, layers: int, heads: int) -> dict[str, Any]:
    return {
        "general.name": "Made for tests (extra heads)",
        "general.file_type": 0,
        f"{architecture}.block_count": layers,
        f"{architecture}.nextn_predict_layers": heads,
        f"{architecture}.context_length": 4096,
        f"{architecture}.embedding_length": _WIDTH,
        f"{architecture}.feed_forward_length": _FEED_FORWARD,
        f"{architecture}.attention.head_count": _HEADS,
        f"{architecture}.attention.head_count_kv": _KV_HEADS,
        f"{architecture}.attention.key_length": _HEAD_SIZE,
        f"{architecture}.attention.value_length": _HEAD_SIZE,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.dimension_count": _HEAD_SIZE,
        f"{architecture}.rope.freq_base": 10000.0,
        f"{architecture}.vocab_size": len(vocabulary.tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
        "tokenizer.ggml.merges": vocabulary.merges,
        "tokenizer.ggml.bos_token_id": vocabulary.id(END_OF_TEXT),
        "tokenizer.ggml.eos_token_id": vocabulary.id(END_OF_TURN),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHATML_TEMPLATE,
    }
