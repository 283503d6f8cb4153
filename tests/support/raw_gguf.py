"""GGUF files put together byte by byte, so that any part of them can be wrong.

The layout is that of ggml's docs/gguf.md. `small_model` is complete and loads in llama.cpp; the damaged files
are made from it by changing one thing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.support.vocabulary import CHATML_TEMPLATE, END_OF_TURN, build_vocabulary

UINT8, INT32, UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 5, 4, 6, 7, 8, 9, 10
F32 = 0
ALIGNMENT = 32
MOST_DATA = 2**20
"""Bytes of data that are written at most, so that tensors may claim any size."""


def string(text: str | bytes) -> bytes:
    """A length-prefixed string."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def text_value(text: str | bytes) -> bytes:
    """A typed string value."""
    return struct.pack("<I", STRING) + string(text)


def number_value(number: int) -> bytes:
    """A typed 32-bit unsigned value."""
    return struct.pack("<II", UINT32, number)


def real_value(number: float) -> bytes:
    """A typed 32-bit float value."""
    return struct.pack("<If", FLOAT32, number)


def array_value(element_type: int, count: int, payload: bytes) -> bytes:
    """A typed array value; the count need not be true."""
    return struct.pack("<IIQ", ARRAY, element_type, count) + payload


def texts_value(texts: Sequence[str]) -> bytes:
    """A typed array of strings."""
    return array_value(STRING, len(texts), b"".join(map(string, texts)))


@dataclass(frozen=True, slots=True)
class RawTensor:
    """One tensor info. `offset` `None` takes the next free place, as a right file does."""

    name: str | bytes
    dimensions: tuple[int, ...]
    type: int = F32
    offset: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the data when all is right: 32-bit floats."""
        size = 4
        for dimension in self.dimensions:
            size *= dimension
        return size


@dataclass(frozen=True, slots=True)
class RawFile:
    """All parts of a GGUF file, each of which may lie. Counts of `None` are the true ones."""

    keys: tuple[tuple[str | bytes, bytes], ...]
    tensors: tuple[RawTensor, ...]
    magic: bytes = b"GGUF"
    version: int = 3
    tensor_count: int | None = None
    key_count: int | None = None
    data: bytes | None = field(default=None, repr=False)

    def with_key(self, key: str, value: bytes) -> RawFile:
        """The file with one key added or replaced."""
        others = tuple(item for item in self.keys if item[0] != key)
        return replace(self, keys=(*others, (key, value)))

    def without_key(self, key: str) -> RawFile:
        """The file without a key."""
        return replace(self, keys=tuple(item for item in self.keys if item[0] != key))

    def with_tensor(self, number: int, tensor: RawTensor) -> RawFile:
        """The file with one tensor info replaced."""
        return replace(self, tensors=(*self.tensors[:number], tensor, *self.tensors[number + 1 :]))

    def start(self) -> bytes:
        """Magic, version and counts."""
        tensor_count = len(self.tensors) if self.tensor_count is None else self.tensor_count
        key_count = len(self.keys) if self.key_count is None else self.key_count
        return self.magic + struct.pack("<IQQ", self.version, tensor_count, key_count)

    def header(self) -> bytes:
        """Everything before the tensor data, without padding."""
        out = self.start() + b"".join(string(key) + value for key, value in self.keys)
        free = 0
        for tensor in self.tensors:
            offset = free if tensor.offset is None else tensor.offset
            out += string(tensor.name) + struct.pack("<I", len(tensor.dimensions))
            out += b"".join(struct.pack("<Q", size) for size in tensor.dimensions)
            out += struct.pack("<IQ", tensor.type, offset % 2**64)
            free += _padded(tensor.size)
        return out

    def encode(self) -> bytes:
        """The whole file."""
        header = self.header()
        needed = sum(_padded(tensor.size) for tensor in self.tensors)
        data = bytes(min(needed, MOST_DATA)) if self.data is None else self.data
        return header.ljust(_padded(len(header)), b"\0") + data


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def small_model() -> RawFile:
    """A complete Llama model with one layer, 32 wide, all weights 0."""
    vocabulary = build_vocabulary()
    width, tokens = 32, len(vocabulary.tokens)
    keys: list[tuple[str | bytes, bytes]] = [
        ("general.architecture", text_value("llama")),
        ("general.name", text_value("Small")),
        ("general.file_type", number_value(0)),
        ("llama.block_count", number_value(1)),
        ("llama.context_length", number_value(512)),
        ("llama.embedding_length", number_value(width)),
        ("llama.feed_forward_length", number_value(width)),
        ("llama.attention.head_count", number_value(2)),
        ("llama.attention.head_count_kv", number_value(2)),
        ("llama.attention.layer_norm_rms_epsilon", real_value(1e-5)),
        ("llama.rope.freq_base", real_value(10000.0)),
        ("tokenizer.ggml.model", text_value("gpt2")),
        ("tokenizer.ggml.pre", text_value("gpt-2")),
        ("tokenizer.ggml.tokens", texts_value(vocabulary.tokens)),
        ("tokenizer.ggml.token_type", array_value(INT32, tokens, struct.pack(f"<{tokens}i", *vocabulary.types))),
        ("tokenizer.ggml.merges", texts_value(vocabulary.merges)),
        ("tokenizer.ggml.eos_token_id", number_value(vocabulary.id(END_OF_TURN))),
        ("tokenizer.chat_template", text_value(CHATML_TEMPLATE)),
    ]
    matrices = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    tensors = [
        RawTensor("token_embd.weight", (width, tokens)),
        RawTensor("output_norm.weight", (width,)),
        RawTensor("output.weight", (width, tokens)),
        RawTensor("blk.0.attn_norm.weight", (width,)),
        RawTensor("blk.0.ffn_norm.weight", (width,)),
        *(RawTensor(f"blk.0.{name}.weight", (width, width)) for name in matrices),
    ]
    return RawFile(tuple(keys), tuple(tensors))
