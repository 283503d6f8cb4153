"""Makes small GGUF models that embed and rank: a BERT with a WordPiece vocabulary, and a Qwen3 reranker.

`bert_vectors` computes the same BERT in numpy, to compare llama.cpp's answers with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from tests.support.gguf_file import write_gguf
from tests.support.vocabulary import CONTROL, END_OF_TEXT, END_OF_TURN, NORMAL, WORDS, build_vocabulary

Weights = Mapping[str, NDArray[numpy.float32]]

RERANK_TEMPLATE: Final = "Query: {query}\nDocument: {document}\nRelevant?"
WIDTH: Final = 32
HEADS: Final = 4
LAYERS: Final = 2
_INNER: Final = 64
_EPSILON: Final = 1e-5
_MARKERS: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_CHARACTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'{}[]"


def bert_weights(*, context_length: int = 128, ranks: bool = False, seed: int = 0) -> dict[str, NDArray[numpy.float32]]:
    """Random weights of a BERT; with a head for one score if it `ranks`."""
    random = numpy.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> NDArray[numpy.float32]:
        return random.normal(0, columns**-0.5, (rows, columns)).astype(numpy.float32)

    def vector(size: int, mean: float = 0.0) -> NDArray[numpy.float32]:
        return random.normal(mean, 0.1, size).astype(numpy.float32)

    weights = {
        "token_embd.weight": matrix(len(_word_pieces()[0]), WIDTH) * 6,
        "token_types.weight": matrix(2, WIDTH),
        "position_embd.weight": matrix(context_length, WIDTH) * 3,
        "token_embd_norm.weight": vector(WIDTH, 1),
        "token_embd_norm.bias": vector(WIDTH),
    }
    for layer in range(LAYERS):
        shapes = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH)}
        shapes |= {"attn_output": (WIDTH, WIDTH), "ffn_up": (_INNER, WIDTH), "ffn_down": (WIDTH, _INNER)}
        for name, (rows, columns) in shapes.items():
            weights[f"blk.{layer}.{name}.weight"] = matrix(rows, columns) * 2
            weights[f"blk.{layer}.{name}.bias"] = vector(rows)
        for name in ("attn_output_norm", "layer_output_norm"):
            weights[f"blk.{layer}.{name}.weight"] = vector(WIDTH, 1)
            weights[f"blk.{layer}.{name}.bias"] = vector(WIDTH)
    if ranks:
        weights |= {"cls.weight": matrix(WIDTH, WIDTH), "cls.bias": vector(WIDTH)}
        weights |= {"cls.output.weight": matrix(1, WIDTH), "cls.output.bias": vector(1)}
    return weights


def make_bert(path: Path, weights: Weights, *, pooling: int | None = 1, metadata: Mapping[str, Any] = {}) -> Path:
    """Write a BERT with these weights. `pooling` is llama.h's number, `None` says nothing of it."""
    tokens, types = _word_pieces()
    header: dict[str, Any] = {
        "general.file_type": 0,
        "bert.block_count": LAYERS,
        "bert.context_length": len(weights["position_embd.weight"]),
        "bert.embedding_length": WIDTH,
        "bert.feed_forward_length": _INNER,
        "bert.attention.head_count": HEADS,
        "bert.attention.layer_norm_epsilon": _EPSILON,
        "bert.attention.causal": False,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.cls_token_id": 2,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.mask_token_id": 4,
    }
    if pooling is not None:
        header["bert.pooling_type"] = pooling
    return write_gguf(path, "bert", {**header, **metadata}, weights)


def make_reranker(path: Path, *, context_length: int = 2048, template: str = RERANK_TEMPLATE) -> Path:
    """Write a Qwen3 with random weights and a head that says yes or no, as conversions of Qwen3-Reranker have it."""
    vocabulary = build_vocabulary(words=WORDS)
    random = numpy.random.default_rng(0)
    head = WIDTH // HEADS

    def matrix(rows: int, columns: int) -> NDArray[numpy.float32]:
        return random.normal(0, columns**-0.5, (rows, columns)).astype(numpy.float32)

    ones = numpy.ones(WIDTH, numpy.float32)
    tensors = {
        "token_embd.weight": matrix(len(vocabulary.tokens), WIDTH),
        "output_norm.weight": ones,
        "cls.output.weight": matrix(2, WIDTH),
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"{block}{name}.weight"] = ones
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}{name}.weight"] = matrix(WIDTH, WIDTH) * 2
        for name in ("attn_q_norm", "attn_k_norm"):
            tensors[f"{block}{name}.weight"] = numpy.ones(head, numpy.float32)
        for name, rows, columns in (("gate", _INNER, WIDTH), ("up", _INNER, WIDTH), ("down", WIDTH, _INNER)):
            tensors[f"{block}ffn_{name}.weight"] = matrix(rows, columns)
    header: dict[str, Any] = {
        "general.file_type": 0,
        "qwen3.block_count": LAYERS,
        "qwen3.context_length": context_length,
        "qwen3.embedding_length": WIDTH,
        "qwen3.feed_forward_length": _INNER,
        "qwen3.attention.head_count": HEADS,
        "qwen3.attention.head_count_kv": HEADS,
        "qwen3.attention.key_length": head,
        "qwen3.attention.value_length": head,
        "qwen3.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen3.rope.freq_base": 10000.0,
        "qwen3.pooling_type": 4,
        "qwen3.classifier.output_labels": ["yes", "no"],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
        "tokenizer.ggml.merges": vocabulary.merges,
        "tokenizer.ggml.bos_token_id": vocabulary.id(END_OF_TEXT),
        "tokenizer.ggml.eos_token_id": vocabulary.id(END_OF_TURN),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template.rerank": template,
    }
    return write_gguf(path, "qwen3", header, tensors)


def bert_vectors(weights: Weights, tokens: Sequence[int]) -> NDArray[numpy.float32]:
    """The vector of each token, before any pooling."""
    states = weights["token_embd.weight"][list(tokens)] + weights["token_types.weight"][0]
    states = _norm(states + weights["position_embd.weight"][: len(tokens)], weights, "token_embd_norm")
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        queries, keys, values = (_linear(states, weights, f"{block}attn_{name}") for name in "qkv")
        states = _norm(
            states + _linear(_attention(queries, keys, values), weights, f"{block}attn_output"),
            weights,
            f"{block}attn_output_norm",
        )
        inner = _gelu(_linear(states, weights, f"{block}ffn_up"))
        states = _norm(states + _linear(inner, weights, f"{block}ffn_down"), weights, f"{block}layer_output_norm")
    return states


def bert_score(weights: Weights, tokens: Sequence[int]) -> float:
    """What the ranking head makes of the first token's vector."""
    pooled = numpy.tanh(_linear(bert_vectors(weights, tokens)[:1], weights, "cls"))
    return float(_linear(pooled, weights, "cls.output")[0, 0])


def _linear(states: Any, weights: Weights, name: str) -> Any:
    return states @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _norm(states: Any, weights: Weights, name: str) -> Any:
    centred = states - states.mean(axis=-1, keepdims=True)
    scaled = centred / numpy.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _attention(queries: Any, keys: Any, values: Any) -> Any:
    size = WIDTH // HEADS
    heads = []
    for start in range(0, WIDTH, size):
        part = slice(start, start + size)
        scores = queries[:, part] @ keys[:, part].T / size**0.5
        likely = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        heads.append(likely / likely.sum(axis=-1, keepdims=True) @ values[:, part])
    return numpy.concatenate(heads, axis=-1)


def _gelu(values: Any) -> Any:
    return 0.5 * values * (1 + numpy.tanh(0.7978845608 * values * (1 + 0.044715 * values**2)))


def _word_pieces() -> tuple[list[str], list[int]]:
    """Tokens and their types: the markers, then characters and words at the beginning of a word and within one."""
    plain = [*_CHARACTERS, *WORDS]
    tokens = [*_MARKERS, *(f"\u2581{piece}" for piece in plain), *plain]
    return tokens, [CONTROL] * len(_MARKERS) + [NORMAL] * (2 * len(plain))
