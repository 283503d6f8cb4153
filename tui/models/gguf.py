"""Reads the header of a GGUF file: what the model is, without loading it.

The format is that of ggml's `docs/gguf.md`, versions 2 and 3, little-endian: magic, version, two counts, key-value
pairs, tensor infos, padding, tensor data. Files come from strangers, so every length is checked against the file
before it is believed, and time and memory are bounded whatever the file says.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Final

from tui.domain import ModelUnusable
from tui.models.gguf_bytes import DOWNLOAD_AGAIN, HeaderBytes, KnownTexts, damaged, printable
from tui.models.gguf_types import (
    ARRAY,
    DEFAULT_ALIGNMENT,
    FILE_TYPES,
    GUESSED_FILE_TYPE,
    MAGIC,
    SCALARS,
    STRING,
    TENSOR_TYPES,
    UINT32,
    VERSIONS,
)

MOST_KEYS: Final = 20_000
MOST_TENSORS: Final = 100_000
LONGEST_KEY: Final = 1024
LONGEST_TENSOR_NAME: Final = 128
"""Twice what llama.cpp accepts (GGML_MAX_NAME)."""
LONGEST_TEXT: Final = 2**20
"""Bytes of a chat template or name; the longest real templates have some 30,000."""
MOST_DIMENSIONS: Final = 4

_TEXT_KEYS: Final = frozenset({"general.architecture", "general.name", "general.type", "tokenizer.chat_template"})
_ALIGNMENT_KEY: Final = "general.alignment"
_SAMPLING_KEYS: Final = "general.sampling."
LOOK_ELSEWHERE: Final = "Look for a GGUF version of this model."


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies. `shape` counts elements, fastest dimension first; `offset` is from the start of the
    file and `size` in bytes; both were checked against the file.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the header of one file says. Figures are 0 and texts empty where it does not say."""

    architecture: str
    name: str
    kind: str
    """`general.type`: model, adapter, mmproj, imatrix; often empty."""
    quantization: str
    parameters: int
    """The number of weights in this file."""
    layers: int
    context_length: int
    embedding_length: int
    vocabulary_size: int
    chat_template: str
    experts: int
    """Experts of each layer of a mixture; 0 for a model that is none."""
    experts_used: int
    """How many of them are asked for each token."""
    pooling: int
    """How the vectors of an input's tokens become one (`enum llama_pooling_type` of llama.h)."""
    split_number: int
    """Which part of a split set this is, from 0."""
    split_count: int
    """How many parts the set has; 0 for a model in one file."""
    tensors: tuple[TensorInfo, ...] = field(repr=False)
    arrays: Mapping[str, tuple[int, int]] = field(repr=False)
    """The value type and length of each array."""
    sampling: Mapping[str, float] = field(default_factory=dict)
    """Numbers of `general.sampling.*`, by the last part of their key: how its makers want it to be sampled."""


@dataclass(slots=True)
class _Keys:
    """The key-value pairs of a file: wanted texts, all numbers, and type and length of all arrays."""

    texts: dict[str, bytes] = field(default_factory=dict)
    numbers: dict[str, int | float | bool] = field(default_factory=dict)
    arrays: dict[str, tuple[int, int]] = field(default_factory=dict)

    def whole(self, key: str) -> int:
        """A whole number that is not negative; 0 if there is none by this name."""
        number = self.numbers.get(key, 0)
        return number if isinstance(number, int) and number > 0 else 0

    def text(self, key: str) -> str:
        """A text as it may be shown; empty if there is none by this name."""
        return printable(self.texts.get(key, b""))


def read_header(path: Path, known: KnownTexts | None = None) -> GgufHeader:
    """Read and check the header of one file.

    With `known` vocabularies that were read before are passed over more quickly.
    Raises ModelUnusable, with the byte where it went wrong, for everything that is not a whole GGUF file.
    """
    try:
        status = os.stat(path)
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ModelUnusable("This is not a regular file.", "Put the model file itself here.")
        with open(path, "rb", buffering=0) as file:
            return _read(HeaderBytes(file, status.st_size, known))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelUnusable(f"The file cannot be read: {reason}.", "Check that it exists and may be read.") from error


def _read(source: HeaderBytes) -> GgufHeader:
    tensor_count, key_count = _read_start(source)
    keys = _read_keys(source, key_count)
    tensors = _read_tensors(source, tensor_count, keys.whole(_ALIGNMENT_KEY) or DEFAULT_ALIGNMENT)
    architecture = keys.text("general.architecture")
    # Only the first part of a split set describes the model.
    if not architecture and not keys.whole("split.no"):
        raise ModelUnusable("The file does not say which architecture it has (general.architecture).", LOOK_ELSEWHERE)
    return GgufHeader(
        architecture=architecture,
        name=keys.text("general.name"),
        kind=keys.text("general.type"),
        quantization=_quantization(keys, tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        layers=keys.whole(f"{architecture}.block_count"),
        context_length=keys.whole(f"{architecture}.context_length"),
        embedding_length=keys.whole(f"{architecture}.embedding_length"),
        vocabulary_size=keys.arrays.get("tokenizer.ggml.tokens", (STRING, 0))[1],
        chat_template=keys.texts.get("tokenizer.chat_template", b"").decode("utf-8", errors="replace"),
        experts=keys.whole(f"{architecture}.expert_count"),
        experts_used=keys.whole(f"{architecture}.expert_used_count"),
        pooling=keys.whole(f"{architecture}.pooling_type"),
        split_number=keys.whole("split.no"),
        split_count=keys.whole("split.count"),
        tensors=tensors,
        arrays=keys.arrays,
        sampling={
            key.removeprefix(_SAMPLING_KEYS): float(number)
            for key, number in keys.numbers.items()
            if key.startswith(_SAMPLING_KEYS)
        },
    )


def _read_start(source: HeaderBytes) -> tuple[int, int]:
    """Check magic and version, and return the counts of tensors and keys."""
    if not source.left:
        raise ModelUnusable("The file is empty.", DOWNLOAD_AGAIN)
    if source.take(min(len(MAGIC), source.left), "the magic number") != MAGIC:
        raise damaged("This is not a GGUF file: it does not begin with the letters GGUF", 0, LOOK_ELSEWHERE)
    version = source.number32("the version")
    if version not in VERSIONS:
        if int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS:
            raise damaged("The file is made for big-endian machines", 4, "Download the little-endian version.")
        raise damaged(
            f"The file has GGUF version {version:,}, but only versions 2 and 3 can be read",
            4,
            "Look for a newer conversion of this model." if version == 1 else "Update lmdeck, or download it again.",
        )
    tensor_count = source.number64("the number of tensors")
    key_count = source.number64("the number of keys")
    if tensor_count > MOST_TENSORS:
        raise damaged(f"The file is damaged: it claims to have {tensor_count:,} tensors", 8)
    if key_count > MOST_KEYS:
        raise damaged(f"The file is damaged: it claims to have {key_count:,} keys", 16)
    return tensor_count, key_count


def _read_keys(source: HeaderBytes, count: int) -> _Keys:
    keys = _Keys()
    seen: set[str] = set()
    for index in range(count):
        position = source.position
        key = source.string(f"the name of key {index + 1}", LONGEST_KEY).decode("utf-8", errors="replace")
        if not key or key in seen:
            fault = f"key {printable(key, 60)!r} comes twice" if key else f"key {index + 1} has no name"
            raise damaged(f"The file is damaged: {fault}", position)
        seen.add(key)
        what = f"the value of {printable(key, 60)!r}"
        position = source.position
        kind = source.number32(what)
        if kind in SCALARS:
            keys.numbers[key] = source.scalar(SCALARS[kind], what)
        elif kind == STRING and key in _TEXT_KEYS:
            keys.texts[key] = source.string(what, LONGEST_TEXT)
        elif kind == STRING:
            source.skip(source.number64(what), what)
        elif kind == ARRAY:
            keys.arrays[key] = _skip_array(source, what)
        else:
            raise damaged(f"The file is damaged: {what} has the unknown type {kind}", position)
        if key == _ALIGNMENT_KEY and (kind != UINT32 or keys.whole(key).bit_count() != 1):
            raise damaged("The file is damaged: its alignment is not a power of two", position)
    return keys


def _skip_array(source: HeaderBytes, what: str) -> tuple[int, int]:
    """Pass over an array and return the type of its elements and its length."""
    position = source.position
    kind, length = source.number32(what), source.number64(what)
    if kind == STRING:
        source.skip_strings(length, what)
    elif kind in SCALARS:
        source.skip(length * SCALARS[kind].size, what)
    else:
        # Arrays of arrays are legal, but llama.cpp does not read them and no model has any.
        raise damaged(f"The file is damaged: {what} is an array of the unknown type {kind}", position)
    return kind, length


def _read_tensors(source: HeaderBytes, count: int, alignment: int) -> tuple[TensorInfo, ...]:
    found: dict[str, TensorInfo] = {}
    for index in range(count):
        position = source.position
        tensor = _read_tensor(source, f"the description of tensor {index + 1}", alignment)
        if tensor.name in found:
            raise damaged(f"The file is damaged: tensor {printable(tensor.name, 60)!r} comes twice", position)
        found[tensor.name] = tensor
    data_start = -(-source.position // alignment) * alignment
    data_size = source.left + source.position - data_start
    tensors = sorted(found.values(), key=lambda tensor: tensor.offset)
    free = 0
    for tensor in tensors:
        if tensor.offset < free:
            raise damaged(
                f"The file is damaged: tensor {printable(tensor.name, 60)!r} overlaps another one",
                data_start + tensor.offset,
            )
        free = tensor.offset + tensor.size
    if tensors and free > data_size:
        raise damaged(
            f"The file is cut off or damaged: tensor {printable(tensors[-1].name, 60)!r} ends "
            f"{free - data_size:,} bytes after the end of the file",
            data_start + tensors[-1].offset,
        )
    return tuple(replace(tensor, offset=data_start + tensor.offset) for tensor in found.values())


def _read_tensor(source: HeaderBytes, what: str, alignment: int) -> TensorInfo:
    """The next tensor info, with its offset still counted from the start of the data."""
    position = source.position
    name = source.string(what, LONGEST_TENSOR_NAME).decode("utf-8", errors="replace")
    dimensions = source.number32(what)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise damaged(f"The file is damaged: {what} has {dimensions:,} dimensions", position)
    shape = tuple(source.number64(what) for _ in range(dimensions))
    kind = source.number32(what)
    offset = source.number64(what)
    if kind not in TENSOR_TYPES:
        raise damaged(
            f"{what.capitalize()} has the unknown type {kind}", position, "Update lmdeck, or download it again."
        )
    layout = TENSOR_TYPES[kind]
    elements = prod(shape)
    if not elements or shape[0] % layout.block:
        raise damaged(f"The file is damaged: {what} has the impossible shape {shape} for {layout.name}", position)
    if offset % alignment:
        raise damaged(f"The file is damaged: {what} has an offset that is not a multiple of {alignment}", position)
    return TensorInfo(name, layout.name, shape, offset, elements // layout.block * layout.size)


def _quantization(keys: _Keys, tensors: tuple[TensorInfo, ...]) -> str:
    """The quantisation that the file names, or else the type that most of its weights have."""
    if "general.file_type" in keys.numbers:
        named = FILE_TYPES.get(keys.whole("general.file_type") & ~GUESSED_FILE_TYPE)
        if named:
            return named
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.type] += tensor.elements
    return max(weights, key=weights.__getitem__, default="")
