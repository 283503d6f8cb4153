"""From a checkpoint to a GGUF file for llama.cpp: matrices in Q8_0, norms in F32, vocabulary and template inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy

from tui.builtin.training.dialogue import END, END_OF_TEXT, chat_template
from tui.builtin.training.network import ROPE_BASE, Shape
from tui.builtin.training.vocabulary import CONTROL_TOKENS, MARKER_TOKENS, PRE_TOKENIZER, SILENT_TOKENS, Vocabulary

NAME = "lmdeck guide"
_SAMPLING = {"temp": 0.1, "penalty_repeat": 1.0}
"""How it wants to be sampled, by llama.cpp's keys: it knows its answers by heart, and copies what it was given."""


def write_model(
    path: Path,
    shape: Shape,
    weights: Mapping[str, Any],
    vocabulary: Vocabulary,
    *,
    quantization: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.Q8_0,
) -> Path:
    """Write the file and return its path. Weights are arrays or tensors under their names in GGUF, rows first."""
    fresh = path.with_suffix(".new")
    writer = gguf.GGUFWriter(fresh, "qwen3")
    writer.add_name(NAME)
    writer.add_type("model")
    writer.add_description("A tiny model that knows lmdeck, trained from scratch on texts written for it")
    writer.add_license("MIT")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer, vocabulary)
    writer.add_chat_template(chat_template())
    for key, value in _SAMPLING.items():
        writer.add_float32(f"general.sampling.{key}", value)
    for name, weight in weights.items():
        array = numpy.asarray(weight, dtype=numpy.float32)
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, gguf.quants.quantize(array, quantization), raw_dtype=quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    fresh.replace(path)
    return path


def read_model(path: Path) -> tuple[Shape, dict[str, numpy.ndarray[Any, Any]], Vocabulary]:
    """The shape, the weights and the vocabulary of a file that `write_model` wrote. Raises `ValueError` for others."""
    reader = gguf.GGUFReader(path)

    def value(key: str) -> Any:
        if (field := reader.get_field(key)) is None:
            raise ValueError(f"{path} is no guide: it has no {key}")
        return field.contents()

    vocabulary = Vocabulary([tuple(merge.split(" ")) for merge in value("tokenizer.ggml.merges")])
    if vocabulary.tokens != value("tokenizer.ggml.tokens"):
        raise ValueError(f"{path} has other tokens than the corpus needs, so that its weights cannot be used")
    shape = Shape(
        vocabulary=len(vocabulary.tokens),
        layers=value("qwen3.block_count"),
        width=value("qwen3.embedding_length"),
        heads=value("qwen3.attention.head_count"),
        kv_heads=value("qwen3.attention.head_count_kv"),
        head_width=value("qwen3.attention.key_length"),
        feed_forward=value("qwen3.feed_forward_length"),
        context_length=value("qwen3.context_length"),
    )
    return shape, {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in reader.tensors}, vocabulary


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    kinds = dict.fromkeys(CONTROL_TOKENS, gguf.TokenType.CONTROL)
    kinds |= dict.fromkeys(MARKER_TOKENS, gguf.TokenType.USER_DEFINED)
    # llama.cpp gives no text for tokens of this type, whichever way it is asked.
    kinds |= dict.fromkeys(SILENT_TOKENS, gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types([kinds.get(token, gguf.TokenType.NORMAL) for token in vocabulary.tokens])
    writer.add_token_merges([" ".join(pair) for pair in vocabulary.merges])
    writer.add_bos_token_id(vocabulary.id(END_OF_TEXT))
    writer.add_eos_token_id(vocabulary.id(END))
    writer.add_pad_token_id(vocabulary.id(END_OF_TEXT))
    writer.add_add_bos_token(False)
