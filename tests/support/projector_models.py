"""Makes small projector files with random weights, in the three shapes that matter to whoever uses one, and a text
model whose positions have axes.

`mlp` (LLaVA) is plain, `gemma3` must be computed without causal attention, `qwen2vl` has as many tokens as the image
is large and positions with rows and columns.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy
from numpy.typing import NDArray
from PIL import Image

from tests.support.gguf_file import write_gguf
from tests.support.vocabulary import CHATML_TEMPLATE, END_OF_TEXT, END_OF_TURN, WORDS, build_vocabulary

Kind = Literal["mlp", "gemma3", "qwen2vl"]

IMAGE_SIZE: Final = 56
PATCH_SIZE: Final = 14
_WIDTH: Final = 32
_HEADS: Final = 2
_INNER: Final = 48
_LAYERS: Final = 2


class _Weights:
    def __init__(self, seed: int) -> None:
        self._random = numpy.random.default_rng(seed)

    def matrix(self, rows: int, columns: int) -> NDArray[numpy.float32]:
        return self._random.normal(0, columns**-0.5, (rows, columns)).astype(numpy.float32)

    def vector(self, size: int) -> NDArray[numpy.float32]:
        return self._random.normal(0, 0.1, size).astype(numpy.float32)


def make_projector(path: Path, kind: Kind, *, width: int = 64, seed: int = 0, metadata: Mapping[str, Any] = {}) -> Path:
    """Write a projector whose vectors have `width` numbers, and return its path."""
    weights = _Weights(seed)
    patches = (IMAGE_SIZE // PATCH_SIZE) ** 2
    kernel = weights.matrix(_WIDTH, 3 * PATCH_SIZE**2).reshape(_WIDTH, 3, PATCH_SIZE, PATCH_SIZE)
    tensors: dict[str, NDArray[Any]] = {
        # llama.cpp's convolution wants its kernel in half precision.
        "v.patch_embd.weight": kernel.astype(numpy.float16),
        "v.post_ln.weight": numpy.ones(_WIDTH, numpy.float32),
        "v.post_ln.bias": weights.vector(_WIDTH),
    }
    if kind == "qwen2vl":
        tensors["v.patch_embd.weight.1"] = kernel[::-1].astype(numpy.float16)
        tensors |= {"mm.0.weight": weights.matrix(4 * _WIDTH, 4 * _WIDTH), "mm.0.bias": weights.vector(4 * _WIDTH)}
        tensors |= {"mm.2.weight": weights.matrix(width, 4 * _WIDTH), "mm.2.bias": weights.vector(width)}
    else:
        tensors["v.position_embd.weight"] = weights.matrix(patches, _WIDTH)
    if kind == "gemma3":
        tensors["v.patch_embd.bias"] = weights.vector(_WIDTH)
        tensors |= {"mm.input_projection.weight": weights.matrix(_WIDTH, width)}
        tensors |= {"mm.soft_emb_norm.weight": numpy.ones(_WIDTH, numpy.float32)}
    if kind == "mlp":
        tensors |= {"mm.0.weight": weights.matrix(width, _WIDTH), "mm.0.bias": weights.vector(width)}
        tensors |= {"mm.2.weight": weights.matrix(width, width), "mm.2.bias": weights.vector(width)}
    for layer in range(_LAYERS):
        block = f"v.blk.{layer}."
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            tensors[f"{block}{name}.weight"] = weights.matrix(_WIDTH, _WIDTH)
            tensors[f"{block}{name}.bias"] = weights.vector(_WIDTH)
        for name, rows, columns in (("ffn_up", _INNER, _WIDTH), ("ffn_down", _WIDTH, _INNER)):
            tensors[f"{block}{name}.weight"] = weights.matrix(rows, columns)
            tensors[f"{block}{name}.bias"] = weights.vector(rows)
        for name in ("ln1", "ln2"):
            tensors[f"{block}{name}.weight"] = numpy.ones(_WIDTH, numpy.float32)
            tensors[f"{block}{name}.bias"] = weights.vector(_WIDTH)
    header: dict[str, Any] = {
        "general.type": "mmproj",
        "general.file_type": 0,
        "clip.has_vision_encoder": True,
        "clip.projector_type": {"qwen2vl": "qwen2vl_merger"}.get(kind, kind),
        "clip.use_gelu": True,
        "clip.vision.image_size": IMAGE_SIZE,
        "clip.vision.patch_size": PATCH_SIZE,
        "clip.vision.embedding_length": _WIDTH,
        "clip.vision.feed_forward_length": _INNER,
        "clip.vision.block_count": _LAYERS,
        "clip.vision.projection_dim": width,
        "clip.vision.attention.head_count": _HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }
    if kind == "gemma3":
        header["clip.vision.projector.scale_factor"] = 2
    return write_gguf(path, "clip", {**header, **metadata}, tensors)


def make_text_model_with_axes(path: Path, *, width: int = 64, context_length: int = 2048) -> Path:
    """Write a Qwen2-VL text model with random weights, whose rotary positions are of time, height and width."""
    vocabulary = build_vocabulary(words=WORDS)
    weights = _Weights(0)
    heads, inner, layers = 4, 128, 2
    ones = numpy.ones(width, numpy.float32)
    tensors: dict[str, NDArray[Any]] = {
        "token_embd.weight": weights.matrix(len(vocabulary.tokens), width),
        "output.weight": weights.matrix(len(vocabulary.tokens), width),
        "output_norm.weight": ones,
    }
    for layer in range(layers):
        block = f"blk.{layer}."
        tensors |= {f"{block}attn_norm.weight": ones, f"{block}ffn_norm.weight": ones}
        for name in ("attn_q", "attn_k", "attn_v"):
            tensors[f"{block}{name}.weight"] = weights.matrix(width, width) * 2
            tensors[f"{block}{name}.bias"] = weights.vector(width)
        tensors[f"{block}attn_output.weight"] = weights.matrix(width, width)
        for name, rows, columns in (("gate", inner, width), ("up", inner, width), ("down", width, inner)):
            tensors[f"{block}ffn_{name}.weight"] = weights.matrix(rows, columns)
    rotated = width // heads // 2
    header: dict[str, Any] = {
        "general.file_type": 0,
        "qwen2vl.block_count": layers,
        "qwen2vl.context_length": context_length,
        "qwen2vl.embedding_length": width,
        "qwen2vl.feed_forward_length": inner,
        "qwen2vl.attention.head_count": heads,
        "qwen2vl.attention.head_count_kv": heads,
        "qwen2vl.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen2vl.rope.freq_base": 10000.0,
        "qwen2vl.rope.dimension_sections": [rotated // 4, 3 * rotated // 8, 3 * rotated // 8, 0],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
        "tokenizer.ggml.merges": vocabulary.merges,
        "tokenizer.ggml.bos_token_id": vocabulary.id(END_OF_TEXT),
        "tokenizer.ggml.eos_token_id": vocabulary.id(END_OF_TURN),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHATML_TEMPLATE,
    }
    return write_gguf(path, "qwen2vl", header, tensors)


def picture_file(width: int = 40, height: int = 30, *, seed: int = 0, kind: str = "PNG") -> bytes:
    """An image file of coloured noise."""
    pixels = numpy.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
