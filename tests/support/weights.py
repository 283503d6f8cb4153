"""Arrays of weights in the tensor types that the model maker offers.

Block layouts are those of ggml (ggml-common.h): `q8_0` is an f16 scale and 32 signed bytes, `q4_0` an f16
scale and 32 nibbles that count from -8.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy
from gguf import GGMLQuantizationType
from numpy.typing import NDArray

Quantization = Literal["f32", "f16", "q8_0", "q4_0"]
Array = NDArray[Any]

TENSOR_TYPES: Final[dict[str, GGMLQuantizationType]] = {
    "f32": GGMLQuantizationType.F32,
    "f16": GGMLQuantizationType.F16,
    "q8_0": GGMLQuantizationType.Q8_0,
    "q4_0": GGMLQuantizationType.Q4_0,
}
FILE_TYPES: Final[dict[str, int]] = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7}
"""Values of `general.file_type`."""

BLOCK: Final = 32
_BLOCK_BYTES: Final[dict[str, int]] = {"f32": 4 * BLOCK, "f16": 2 * BLOCK, "q8_0": 2 + BLOCK, "q4_0": 2 + BLOCK // 2}
_ROWS_AT_ONCE: Final = 4096


def byte_size(shape: tuple[int, ...], quantization: Quantization) -> int:
    """Bytes that a tensor of this shape takes; a quantised row is a multiple of 32 elements long."""
    elements = int(numpy.prod(shape))
    if quantization in ("q8_0", "q4_0") and shape[-1] % BLOCK:
        raise ValueError(f"rows of {shape[-1]} elements cannot be {quantization}: not a multiple of {BLOCK}")
    return elements * _BLOCK_BYTES[quantization] // BLOCK


def random_weights(
    random: numpy.random.Generator, shape: tuple[int, int], quantization: Quantization, deviation: float
) -> Array:
    """Weights with mean near 0 and about this standard deviation; quantised blocks are drawn directly, for speed."""
    if quantization in ("q8_0", "q4_0"):
        levels = 74.0 if quantization == "q8_0" else 4.6
        size = byte_size(shape, quantization)
        blocks = numpy.frombuffer(bytearray(random.bytes(size)), dtype=numpy.uint8)
        blocks = blocks.reshape(-1, _BLOCK_BYTES[quantization])
        blocks[:, :2] = numpy.array([deviation / levels], dtype="<f2").view(numpy.uint8)
        return blocks
    weights = numpy.empty(shape, dtype=_float_type(quantization))
    width = deviation * 12**0.5
    for start in range(0, shape[0], _ROWS_AT_ONCE):
        rows = weights[start : start + _ROWS_AT_ONCE]
        rows[:] = (random.random(rows.shape, dtype=numpy.float32) - 0.5) * width
    return weights


def exact_weights(values: Array, quantization: Quantization) -> Array:
    """Small whole numbers (-8 to 7) without any rounding, whatever the quantisation."""
    if quantization in ("f32", "f16"):
        return values.astype(_float_type(quantization))
    blocks = values.astype(numpy.int8).reshape(-1, BLOCK)
    scale = numpy.broadcast_to(numpy.array([1.0], dtype="<f2").view(numpy.uint8), (len(blocks), 2))
    if quantization == "q8_0":
        return numpy.concatenate([scale, blocks.view(numpy.uint8)], axis=1)
    nibbles = (blocks + 8).astype(numpy.uint8)
    half = BLOCK // 2
    return numpy.concatenate([scale, nibbles[:, :half] | nibbles[:, half:] << 4], axis=1)


def _float_type(quantization: Quantization) -> numpy.dtype[Any]:
    return numpy.dtype("<f4" if quantization == "f32" else "<f2")
