"""Makes tiny mixtures of experts with random weights (tensors as llama.cpp's src/models/qwen3moe.cpp asks for)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy

from tests.support.gguf_file import write_gguf
from tests.support.vocabulary import CHATML_TEMPLATE, END_OF_TEXT, END_OF_TURN, WORDS, build_vocabulary

EXPERTS: Final = 8
EXPERTS_USED: Final = 2
_WIDTH, _HEADS, _KV_HEADS, _EXPERT_WIDTH = 128, 4, 2, 64
_HEAD = _WIDTH // _HEADS


def make_expert_model(path: Path, *, layers: int = 3, context_length: int = 4096, seed: int = 0) -> Path:
    """Write a model with eight experts in each layer and return its path."""
    vocabulary = build_vocabulary(words=WORDS)
    random = numpy.random.default_rng(seed)
    tokens = len(vocabulary.tokens)
    tensors: dict[str, Any] = {}
    for name, shape in _shapes(layers, tokens):
        plain = len(shape) == 1
        values = numpy.ones(shape) if plain else random.standard_normal(shape) * shape[-1] ** -0.5
        tensors[name] = values.astype(numpy.float32 if plain or "gate_inp" in name else numpy.float16)
    header: dict[str, Any] = {
        "general.name": "Made for tests (experts)",
        "qwen3moe.block_count": layers,
        "qwen3moe.context_length": context_length,
        "qwen3moe.embedding_length": _WIDTH,
        "qwen3moe.feed_forward_length": _EXPERT_WIDTH * EXPERTS_USED,
        "qwen3moe.expert_feed_forward_length": _EXPERT_WIDTH,
        "qwen3moe.expert_count": EXPERTS,
        "qwen3moe.expert_used_count": EXPERTS_USED,
        "qwen3moe.attention.head_count": _HEADS,
        "qwen3moe.attention.head_count_kv": _KV_HEADS,
        "qwen3moe.attention.key_length": _HEAD,
        "qwen3moe.attention.value_length": _HEAD,
        "qwen3moe.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen3moe.rope.freq_base": 10000.0,
        "qwen3moe.vocab_size": tokens,
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
    return write_gguf(path, "qwen3moe", header, tensors)


def _shapes(layers: int, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (tokens, _WIDTH)
    yield "output_norm.weight", (_WIDTH,)
    yield "output.weight", (tokens, _WIDTH)
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            yield f"{block}{name}.weight", (_WIDTH,)
        for name in ("attn_q_norm", "attn_k_norm"):
            yield f"{block}{name}.weight", (_HEAD,)
        yield block + "attn_q.weight", (_WIDTH, _WIDTH)
        yield block + "attn_k.weight", (_HEAD * _KV_HEADS, _WIDTH)
        yield block + "attn_v.weight", (_HEAD * _KV_HEADS, _WIDTH)
        yield block + "attn_output.weight", (_WIDTH, _WIDTH)
        yield block + "ffn_gate_inp.weight", (EXPERTS, _WIDTH)
        yield block + "ffn_gate_exps.weight", (EXPERTS, _EXPERT_WIDTH, _WIDTH)
        yield block + "ffn_up_exps.weight", (EXPERTS, _EXPERT_WIDTH, _WIDTH)
        yield block + "ffn_down_exps.weight", (EXPERTS, _WIDTH, _EXPERT_WIDTH)
