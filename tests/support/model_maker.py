"""Makes small GGUF models: random ones that compute like real ones, and scripted ones that say a fixed text.

Both have a complete byte-level BPE vocabulary, so any prompt can be tokenised. They are real files for the
real llama.cpp; nothing here knows the program under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy

from tests.support.scripts import cut_script
from tests.support.vocabulary import (
    CHATML_TEMPLATE,
    END_OF_TEXT,
    END_OF_TURN,
    START_OF_TURN,
    THINK_TOKENS,
    WORDS,
    Vocabulary,
    build_vocabulary,
    spell,
)
from tests.support.weights import (
    FILE_TYPES,
    TENSOR_TYPES,
    Array,
    Quantization,
    byte_size,
    exact_weights,
    random_weights,
)

Architecture = Literal["llama", "qwen2", "qwen3"]
Fill = Callable[[str, tuple[int, ...]], Array]
"""Makes the data of one tensor from its name and shape (rows first)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The hyperparameters of a model."""

    architecture: Architecture
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    feed_forward: int
    context_length: int
    tie_embeddings: bool = False

    @property
    def head_size(self) -> int:
        """Elements in one attention head."""
        return self.embedding // self.heads


def make_tiny_model(
    path: Path,
    *,
    layers: int = 2,
    embedding: int = 64,
    heads: int = 4,
    kv_heads: int = 2,
    feed_forward: int = 128,
    context_length: int = 2048,
    chat_template: str | None = CHATML_TEMPLATE,
    extra_tokens: int = 0,
    quantization: Quantization = "f16",
    seed: int = 0,
    tie_embeddings: bool = False,
    architecture: Architecture = "llama",
    special: tuple[str, ...] = THINK_TOKENS,
    control: tuple[str, ...] = (),
    metadata: Mapping[str, Any] = {},
) -> Path:
    """Write a model with random weights and return its path.

    Control, `special` (user-defined) and `control` tokens have no chance: with top_k below the vocabulary size an
    answer ends only at its token limit. `extra_tokens` adds filler words; `metadata` adds or replaces header values.
    A quantised KV cache needs `embedding / heads` to be a multiple of 32.
    """
    vocabulary = build_vocabulary(words=WORDS, special=special, control=control, fillers=extra_tokens)
    shape = Shape(architecture, layers, embedding, heads, kv_heads, feed_forward, context_length, tie_embeddings)
    random = numpy.random.Generator(numpy.random.SFC64(seed))
    silent = [n for n, kind in enumerate(vocabulary.types) if kind != 1]

    def fill(name: str, dimensions: tuple[int, ...]) -> Array:
        if len(dimensions) == 1:
            return numpy.full(dimensions, 0.0 if name.endswith("bias") else 1.0, dtype=numpy.float32)
        rows, columns = dimensions
        weights = random_weights(random, (rows, columns), quantization, columns**-0.5)
        if name.startswith(("output.", "token_embd.")):
            weights.reshape(rows, -1)[silent] = 0
        return weights

    return _write_model(path, shape, vocabulary, quantization, chat_template, metadata, fill)


def make_scripted_model(
    path: Path,
    script: str | bytes,
    *,
    chat_template: str | None = CHATML_TEMPLATE,
    context_length: int = 2048,
    loop: bool = False,
    cut_utf8: bool = False,
    special: tuple[str, ...] = THINK_TOKENS,
    control: tuple[str, ...] = (),
    later: tuple[str, str] | None = None,
    layers: int = 2,
    feed_forward: int = 128,
    extra_tokens: int = 0,
    quantization: Quantization = "f16",
    architecture: Architecture = "llama",
    metadata: Mapping[str, Any] = {},
) -> Path:
    """Write a model that answers every prompt with `script` and an end of turn; return its path.

    Attention and feed-forward add nothing, each script token has an embedding of random signs, and the output
    matrix maps it to its successor by a margin that no usual sampling overcomes. All other tokens lead to the
    beginning of the script. With `loop` the script starts again for ever. `cut_utf8` puts token borders inside
    multi-byte characters. The first occurrence of each `special` text is one user-defined token, that of each
    `control` text one control token. `later` is one of those texts and another script, for prompts that end with it.
    """
    texts = [script.encode() if isinstance(script, str) else script]
    if later is not None:
        texts.append(later[1].encode())
    waiting = [*special, *control]
    fixed = frozenset(token.encode() for token in (END_OF_TEXT, START_OF_TURN, END_OF_TURN, *waiting))
    scripts: list[list[bytes]] = []
    for text in texts:
        taken = fixed.union(*scripts)
        scripts.append(cut_script(text, taken=taken, special=tuple(waiting), cut_utf8=cut_utf8))
        waiting = [token for token in waiting if token.encode() not in scripts[-1]]
    plain = tuple(piece for pieces in scripts for piece in pieces if piece not in fixed)
    vocabulary = build_vocabulary(pieces=plain, special=special, control=control, fillers=extra_tokens)
    numbers = {token: number for number, token in enumerate(vocabulary.tokens)}
    chains = [[numbers[piece.decode() if piece in fixed else spell(piece)] for piece in pieces] for pieces in scripts]
    said = [token for chain in chains for token in chain]

    # Wide enough that the embeddings of any two script tokens are far from parallel.
    embedding = 128 if len(said) < 256 else 256 if len(said) < 2048 else 512
    random = numpy.random.Generator(numpy.random.SFC64(0))
    signs = random.integers(0, 2, (len(said) + len(chains), embedding), dtype=numpy.int8) * 2 - 1
    embeddings = numpy.broadcast_to(signs[-1], (len(vocabulary.tokens), embedding)).copy()
    if later is not None:
        embeddings[numbers[later[0]]] = signs[-2]
    embeddings[said] = signs[: len(said)]
    outputs = numpy.zeros((len(vocabulary.tokens), embedding), dtype=numpy.int8)
    for number, chain in enumerate(chains):
        way = [*chain, chain[0] if loop else numbers[END_OF_TURN]]
        outputs[way[0]] += signs[-1 - number]
        for token, successor in pairwise(way):
            outputs[successor] += embeddings[token]

    def fill(name: str, dimensions: tuple[int, ...]) -> Array:
        if name == "output_norm.weight":
            return numpy.full(dimensions, 4.0, dtype=numpy.float32)
        if len(dimensions) == 1:
            return numpy.full(dimensions, 0.0 if name.endswith("bias") else 1.0, dtype=numpy.float32)
        known = {"token_embd.weight": embeddings, "output.weight": outputs}
        return exact_weights(known.get(name, numpy.zeros(dimensions, dtype=numpy.int8)), quantization)

    shape = Shape(architecture, layers, embedding, embedding // 64, 1, feed_forward, context_length)
    return _write_model(path, shape, vocabulary, quantization, chat_template, metadata, fill)


def _tensor_shapes(shape: Shape, vocabulary_size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every tensor that llama.cpp wants, with rows first (the file has them the other way round)."""
    width, heads, key_values = shape.embedding, shape.embedding, shape.head_size * shape.kv_heads
    yield "token_embd.weight", (vocabulary_size, width)
    yield "output_norm.weight", (width,)
    if not shape.tie_embeddings:
        yield "output.weight", (vocabulary_size, width)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (width,)
        for name, rows in (("q", heads), ("k", key_values), ("v", key_values)):
            yield f"{block}attn_{name}.weight", (rows, width)
            if shape.architecture == "qwen2":
                yield f"{block}attn_{name}.bias", (rows,)
        if shape.architecture == "qwen3":
            yield block + "attn_q_norm.weight", (shape.head_size,)
            yield block + "attn_k_norm.weight", (shape.head_size,)
        yield block + "attn_output.weight", (width, heads)
        yield block + "ffn_norm.weight", (width,)
        yield block + "ffn_gate.weight", (shape.feed_forward, width)
        yield block + "ffn_up.weight", (shape.feed_forward, width)
        yield block + "ffn_down.weight", (width, shape.feed_forward)


def _header(shape: Shape, vocabulary: Vocabulary, quantization: str, chat_template: str | None) -> dict[str, Any]:
    prefix = shape.architecture
    header: dict[str, Any] = {
        "general.name": "Made for tests",
        "general.file_type": FILE_TYPES[quantization],
        f"{prefix}.block_count": shape.layers,
        f"{prefix}.context_length": shape.context_length,
        f"{prefix}.embedding_length": shape.embedding,
        f"{prefix}.feed_forward_length": shape.feed_forward,
        f"{prefix}.attention.head_count": shape.heads,
        f"{prefix}.attention.head_count_kv": shape.kv_heads,
        f"{prefix}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{prefix}.rope.dimension_count": shape.head_size,
        f"{prefix}.rope.freq_base": 10000.0,
        f"{prefix}.vocab_size": len(vocabulary.tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
        "tokenizer.ggml.merges": vocabulary.merges,
        "tokenizer.ggml.bos_token_id": vocabulary.id(END_OF_TEXT),
        "tokenizer.ggml.eos_token_id": vocabulary.id(END_OF_TURN),
        "tokenizer.ggml.add_bos_token": False,
    }
    if chat_template is not None:
        header["tokenizer.chat_template"] = chat_template
    return header


def _write_model(
    path: Path,
    shape: Shape,
    vocabulary: Vocabulary,
    quantization: Quantization,
    chat_template: str | None,
    metadata: Mapping[str, Any],
    fill: Fill,
) -> Path:
    """Write the file tensor by tensor, so that only one tensor is in memory at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, shape.architecture)
    for key, value in {**_header(shape, vocabulary, quantization, chat_template), **metadata}.items():
        _add_value(writer, key, value)
    tensors = dict(_tensor_shapes(shape, len(vocabulary.tokens)))
    types: dict[str, Quantization] = {name: "f32" if len(size) == 1 else quantization for name, size in tensors.items()}
    for name, size in tensors.items():
        kind = types[name]
        # The name of the element type is only needed for tensors that are not described by a ggml type.
        writer.add_tensor_info(name, size, numpy.dtype("f4"), byte_size(size, kind), raw_dtype=TENSOR_TYPES[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, size in tensors.items():
        writer.write_tensor_data(fill(name, size))
    writer.close()
    return path


def _add_value(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
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
