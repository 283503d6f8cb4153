"""Tiny models of the architectures whose memory cannot be cut back: recurrent, hybrid, sliding windows.

Random weights in 32 bits. Tensor names and shapes are those that llama.cpp's `src/models/*.cpp` asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import gguf
import numpy

from tests.support.vocabulary import CHATML_TEMPLATE, END_OF_TEXT, END_OF_TURN, WORDS, Vocabulary, build_vocabulary

MemoryKind = Literal["recurrent", "hybrid", "window", "hybrid window"]

WINDOW: Final = 32
"""Tokens that the windows of these models reach back."""

_ARCHITECTURES: Final[dict[MemoryKind, str]] = {
    "recurrent": "mamba",
    "hybrid": "lfm2",
    "window": "cohere2",
    "hybrid window": "lfm2",
}
_LAYERS, _WIDTH, _HEADS, _KV_HEADS, _FEED_FORWARD = 4, 64, 4, 2, 128
_KV_WIDTH = _WIDTH // _HEADS * _KV_HEADS
_ATTENTION_LAYERS = (1, 3)
"""Layers of the hybrid models that attend; the others are convolutions with a running state."""
_STATE, _CONVOLUTION, _RANK = 8, 4, 4

Shape = tuple[int, ...]


def make_memory_model(path: Path, kind: MemoryKind, *, context_length: int = 4096, seed: int = 0) -> Path:
    """Write a model with this kind of memory and return its path. Control tokens have no chance in greedy answers."""
    architecture = _ARCHITECTURES[kind]
    vocabulary = build_vocabulary(words=WORDS)
    random = numpy.random.Generator(numpy.random.SFC64(seed))
    silent = [number for number, type_ in enumerate(vocabulary.types) if type_ != 1]
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in _header(architecture, kind, vocabulary, context_length).items():
        _add(writer, key, value)
    for name, shape in _tensors(architecture, len(vocabulary.tokens)):
        weights = _weights(name, shape, random)
        if name.startswith(("output.", "token_embd.")):
            weights[silent] = 0
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(name: str, shape: Shape, random: numpy.random.Generator) -> Any:
    if name.endswith("ssm_a"):  # negative, so that the state fades
        return -numpy.exp(random.random(shape, dtype=numpy.float32))
    if len(shape) == 1:
        return numpy.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype=numpy.float32)
    return (random.standard_normal(shape) * shape[-1] ** -0.5).astype(numpy.float32)


def _tensors(architecture: str, tokens: int) -> Iterator[tuple[str, Shape]]:
    yield "token_embd.weight", (tokens, _WIDTH)
    if architecture == "lfm2":
        yield "token_embd_norm.weight", (_WIDTH,)
    else:
        yield "output_norm.weight", (_WIDTH,)
    for layer in range(_LAYERS):
        for name, shape in _layer(architecture, layer):
            yield f"blk.{layer}.{name}", shape


def _layer(architecture: str, layer: int) -> Iterator[tuple[str, Shape]]:
    yield "attn_norm.weight", (_WIDTH,)
    if architecture == "mamba":
        inner = 2 * _WIDTH
        yield "ssm_in.weight", (2 * inner, _WIDTH)
        yield "ssm_conv1d.weight", (inner, _CONVOLUTION)
        yield "ssm_conv1d.bias", (inner,)
        yield "ssm_x.weight", (_RANK + 2 * _STATE, inner)
        yield "ssm_dt.weight", (inner, _RANK)
        yield "ssm_dt.bias", (inner,)
        yield "ssm_a", (inner, _STATE)
        yield "ssm_d", (inner,)
        yield "ssm_out.weight", (_WIDTH, inner)
        return
    if architecture == "lfm2" and layer not in _ATTENTION_LAYERS:
        yield "shortconv.conv.weight", (_WIDTH, _CONVOLUTION)
        yield "shortconv.in_proj.weight", (3 * _WIDTH, _WIDTH)
        yield "shortconv.out_proj.weight", (_WIDTH, _WIDTH)
    else:
        yield "attn_q.weight", (_WIDTH, _WIDTH)
        yield "attn_k.weight", (_KV_WIDTH, _WIDTH)
        yield "attn_v.weight", (_KV_WIDTH, _WIDTH)
        yield "attn_output.weight", (_WIDTH, _WIDTH)
        if architecture == "lfm2":
            yield "attn_q_norm.weight", (_WIDTH // _HEADS,)
            yield "attn_k_norm.weight", (_WIDTH // _HEADS,)
    if architecture == "lfm2":
        yield "ffn_norm.weight", (_WIDTH,)
    yield "ffn_gate.weight", (_FEED_FORWARD, _WIDTH)
    yield "ffn_up.weight", (_FEED_FORWARD, _WIDTH)
    yield "ffn_down.weight", (_WIDTH, _FEED_FORWARD)


def _header(architecture: str, kind: MemoryKind, vocabulary: Vocabulary, context_length: int) -> dict[str, Any]:
    header: dict[str, Any] = {
        "general.name": f"Made for tests ({kind})",
        "general.file_type": 0,
        f"{architecture}.block_count": _LAYERS,
        f"{architecture}.context_length": context_length,
        f"{architecture}.embedding_length": _WIDTH,
        f"{architecture}.feed_forward_length": _FEED_FORWARD,
        f"{architecture}.attention.head_count": _HEADS,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
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
    match architecture:
        case "mamba":
            header |= {
                "mamba.ssm.conv_kernel": _CONVOLUTION,
                "mamba.ssm.inner_size": 2 * _WIDTH,
                "mamba.ssm.state_size": _STATE,
                "mamba.ssm.time_step_rank": _RANK,
                "mamba.attention.head_count": 0,
            }
        case "lfm2":
            header["lfm2.shortconv.l_cache"] = _CONVOLUTION
            header["lfm2.attention.head_count_kv"] = [
                _KV_HEADS if layer in _ATTENTION_LAYERS else 0 for layer in range(_LAYERS)
            ]
        case "cohere2":
            header |= {
                "cohere2.attention.head_count_kv": _KV_HEADS,
                "cohere2.attention.layer_norm_epsilon": 1e-5,
                "cohere2.logit_scale": 1.0,
            }
    if "window" in kind:
        header[f"{architecture}.attention.sliding_window"] = WINDOW
    return header


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_string(key, value)
        case _:
            writer.add_array(key, value)
