"""Writes the model as a GGUF file, with the names that llama.cpp's BERT has (llama-arch.cpp, models/bert.cpp)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tui.builtin.embedding_model.source import Source

Kind = Literal["q8_0", "f16"]
"""What the matrices are kept as; the table of tokens, half of the model, is Q8_0 in both."""

_WORD_START = "\u2581"
_CONTROL, _NORMAL = 3, 1  # llama_token_type of llama.h
_FILE_TYPES = {"f16": 1, "q8_0": 7}  # llama_ftype of llama.h
_MEAN = 1  # llama_pooling_type of llama.h
_TABLE = "token_embd.weight"
_OUTSIDE = {
    "embeddings.word_embeddings.weight": _TABLE,
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_IN_LAYERS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
# Read by row or added as they are: llama.cpp keeps them as 32-bit floats.
_EXACT = ("token_types.weight", "position_embd.weight")
_SPECIAL = {"unknown": "[UNK]", "seperator": "[SEP]", "padding": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
"""Roles as GGUF spells them, one of them wrongly."""


def write_model(source: Source, path: Path, kind: Kind) -> str:
    """Write the file and return its SHA-256. The same source makes the same file."""
    import gguf

    writer = gguf.GGUFWriter(path, "bert")
    for key, value in _header(source, kind).items():
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
    small, wanted = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType[kind.upper()]
    for name, tensor in tensor_names(source).items():
        weights = source.weights[name]
        if weights.ndim == 1 or tensor in _EXACT:
            writer.add_tensor(tensor, weights)
        else:
            stored = small if tensor == _TABLE else wanted
            writer.add_tensor(tensor, gguf.quants.quantize(weights, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tensor_names(source: Source) -> dict[str, str]:
    """The name of each tensor here by its name there. The pooler is left out: nothing reads it for the mean."""
    names = dict(_OUTSIDE)
    for layer in range(source.config["num_hidden_layers"]):
        for there, here in _IN_LAYERS.items():
            for part in ("weight", "bias"):
                names[f"encoder.layer.{layer}.{there}.{part}"] = f"blk.{layer}.{here}.{part}"
    return names


def _header(source: Source, kind: Kind) -> dict[str, Any]:
    config, vocabulary = source.config, source.vocabulary
    special = {role: vocabulary.index(token) for role, token in _SPECIAL.items()}
    control = set(special.values())
    return {
        "general.name": "all-MiniLM-L6-v2",
        "general.author": "sentence-transformers",
        "general.license": "apache-2.0",
        "general.source.huggingface.repository": "sentence-transformers/all-MiniLM-L6-v2",
        "general.file_type": _FILE_TYPES[kind],
        "general.quantization_version": 2,
        "bert.block_count": config["num_hidden_layers"],
        "bert.context_length": config["max_position_embeddings"],
        "bert.embedding_length": config["hidden_size"],
        "bert.feed_forward_length": config["intermediate_size"],
        "bert.attention.head_count": config["num_attention_heads"],
        "bert.attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "bert.attention.causal": False,
        "bert.pooling_type": _MEAN,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": [
            token if number in control else _spelled(token) for number, token in enumerate(vocabulary)
        ],
        "tokenizer.ggml.token_type": [_CONTROL if number in control else _NORMAL for number in range(len(vocabulary))],
        "tokenizer.ggml.token_type_count": config["type_vocab_size"],
        "tokenizer.ggml.bos_token_id": special["cls"],
        **{f"tokenizer.ggml.{role}_token_id": number for role, number in special.items()},
    }


def _spelled(token: str) -> str:
    """llama.cpp marks the pieces that begin a word, WordPiece those that do not."""
    return token[2:] if token.startswith("##") else _WORD_START + token
