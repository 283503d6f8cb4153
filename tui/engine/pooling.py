"""Which models make vectors or scores instead of text, and the context parameters that such a model needs.

Many of these things llama.cpp takes for granted and ends the process over (a batch that is larger than one pass
of a model without causal attention, a pooling type that does not exist), so they are settled here.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any

from tui.domain import BadRequest, LoadConfig, ModelUnusable


class PoolingType(IntEnum):
    """How the vectors of an input's tokens become one; `enum llama_pooling_type` of llama.h."""

    NONE = 0
    MEAN = 1
    CLS = 2
    LAST = 3
    RANK = 4


DEFAULT_INPUT_LENGTH = 2048
"""Tokens of the longest input when nobody asked for more and the model must see an input whole: it computes every
token against every other at once, so that memory grows with the square of this."""

OUTPUT_BYTES = 2**30
"""llama.cpp keeps a row of logits for every token of an embedding batch, though nobody reads them. The default input
length keeps them under this, which matters for vocabularies of hundreds of thousands of tokens."""

CAUSAL_INPUT_LENGTH = 8192
"""The same for models that read an input in pieces."""

SEQUENCES = 64
"""Inputs that can share one batch."""

# Architectures that read a whole input in both directions (llama-model.cpp: those without a KV cache, and the three
# below them whose graph has no causal form).
_ENCODERS = frozenset(
    (
        "bert",
        "eurobert",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "gemma-embedding",
        "llama-embed",
        "t5encoder",
    )
)
# Those that make nothing of text: a decoder of sound.
_NOT_FOR_TEXT = frozenset(("wavtokenizer-dec", "clip"))
# llama_model_rope_type: no rotation, positions are learnt or relative.
_ROPE_NONE = -1
_UNSPECIFIED_ATTENTION, _NON_CAUSAL_ATTENTION = -1, 1


def embeds(llama: Any, model: Any, config: LoadConfig) -> bool:
    """Whether the model is to be loaded for embeddings or ranking instead of answers."""
    return (
        config.embedding
        or _architecture(llama, model) in _ENCODERS
        or _metadata(llama, model, "pooling_type") not in ("", "0")
        or _ranks(llama, model)
    )


def adjust(llama: Any, parameters: Any, model: Any, config: LoadConfig) -> None:
    """Change `llama_context_params` in place for a model that `embeds`.

    Raises BadRequest for a choice that the model cannot follow, ModelUnusable for a file that contradicts itself.
    """
    architecture = _architecture(llama, model)
    if architecture in _NOT_FOR_TEXT or (llama.llama_model_has_encoder(model) and llama.llama_model_has_decoder(model)):
        raise BadRequest(
            f"A model of the kind {architecture} makes no embeddings of text.",
            "Turn embedding off, or choose another model.",
            field="load.embedding",
        )
    pooling = _pooling(llama, model, config)
    pieces = reads_in_pieces(llama, model, pooling)
    length = _input_length(llama, model, config, pieces)
    batch = min(length, config.physical_batch_size) if pieces else length
    recurrent = llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model)
    parameters.embeddings = True
    parameters.pooling_type = int(pooling)
    parameters.attention_type = _UNSPECIFIED_ATTENTION if _is_causal(llama, model) else _NON_CAUSAL_ATTENTION
    parameters.n_ctx = length
    # One call is one pass: pooling looks at one pass only, and without causal attention there may be no second.
    parameters.n_batch = parameters.n_ubatch = batch
    # State that does not share cells is dear for every sequence.
    parameters.n_seq_max = min(config.parallel if recurrent else SEQUENCES, batch)
    parameters.n_outputs_max = 0  # every token is an output
    parameters.kv_unified = True


def reads_in_pieces(llama: Any, model: Any, pooling: PoolingType) -> bool:
    """Whether an input may be handed over piece by piece, because only what came before a token shapes its vector
    and only the last one or each for itself is asked for."""
    if _architecture(llama, model) in _ENCODERS or not _is_causal(llama, model):
        return False
    if pooling == PoolingType.RANK:  # judged by the last token, unless the file wants the average
        return _metadata(llama, model, "classifier.pooling_type") != str(int(PoolingType.MEAN))
    return pooling in (PoolingType.NONE, PoolingType.LAST)


def input_limit(llama: Any, model: Any, context: Any) -> int:
    """Most tokens that an input may have in a context that was made with these parameters."""
    memory = llama.llama_get_memory(context)
    pieces = memory is not None and reads_in_pieces(llama, model, PoolingType(llama.llama_pooling_type(context)))
    limit = llama.llama_n_ctx(context) if pieces else llama.llama_n_batch(context)
    # llama.cpp rounds the context length up, and reads a position that was never learnt outside its tensor.
    trained = llama.llama_model_n_ctx_train(model)
    return int(min(limit, trained) if trained and _learnt_positions(llama, model) else limit)


def output_bytes(llama: Any, model: Any, tokens: int, *, with_vectors: bool = True) -> int:
    """What llama.cpp allocates for the results of a batch of so many tokens, beside its compute buffers.

    A model that makes vectors gets room for logits all the same (`output_reserve` in llama-context.cpp).
    """
    vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    return int(4 * tokens * (vocabulary + (llama.llama_model_n_embd_out(model) if with_vectors else 0)))


def _pooling(llama: Any, model: Any, config: LoadConfig) -> PoolingType:
    if config.pooling == "rank" and not _ranks(llama, model):
        raise BadRequest(
            "This model has no head that ranks documents.",
            "Choose another pooling type, or load a reranker.",
            field="load.pooling",
        )
    if config.pooling != "auto":
        pooling = PoolingType[config.pooling.upper()]
    elif text := _metadata(llama, model, "pooling_type"):
        try:
            pooling = PoolingType(int(text))
        except ValueError:
            raise ModelUnusable(
                f"The model file names a pooling type {text} that does not exist.", "Choose a pooling type yourself."
            ) from None
    elif _ranks(llama, model):
        pooling = PoolingType.RANK
    else:
        # Only the last token of a causal model has seen the whole input; otherwise every token has.
        causal = _is_causal(llama, model) and _architecture(llama, model) not in _ENCODERS
        pooling = PoolingType.LAST if causal else PoolingType.MEAN
    if pooling == PoolingType.RANK:
        _check_scores(llama, model)
    return pooling


def _check_scores(llama: Any, model: Any) -> None:
    """llama.cpp reads as many scores as the file has labels, whatever the width of what was computed."""
    scores = llama.llama_model_n_cls_out(model)
    # jina-bert-v2.cpp gives its classifier one output.
    width = 1 if _architecture(llama, model) == "jina-bert-v2" else llama.llama_model_n_embd(model)
    if not 0 < scores <= width:
        raise ModelUnusable(
            f"The model file names {scores:,} labels for scores, but its head makes {width:,} values.",
            "Download it again, or choose another file.",
        )


def _input_length(llama: Any, model: Any, config: LoadConfig, pieces: bool) -> int:
    trained = llama.llama_model_n_ctx_train(model)
    default = CAUSAL_INPUT_LENGTH
    if not pieces:
        default = min(DEFAULT_INPUT_LENGTH, max(256, OUTPUT_BYTES // output_bytes(llama, model, 1)))
    length = config.context_length or min(trained or default, default)
    stretched = config.rope_frequency_base is not None or config.rope_frequency_scale is not None
    if trained and (not stretched or _learnt_positions(llama, model)):
        length = min(length, trained)
    return int(length)


def _learnt_positions(llama: Any, model: Any) -> bool:
    return llama.llama_model_rope_type(model) == _ROPE_NONE or _architecture(llama, model) == "bert"


def _ranks(llama: Any, model: Any) -> bool:
    pooling = _metadata(llama, model, "pooling_type")
    return pooling == str(int(PoolingType.RANK)) or bool(llama.llama_model_cls_label(model, 0))


def _is_causal(llama: Any, model: Any) -> bool:
    return (
        _metadata(llama, model, "attention.causal") != "false"
        and _architecture(llama, model) != "gemma-embedding"
        and not llama.llama_model_is_diffusion(model)
    )


def _architecture(llama: Any, model: Any) -> str:
    return _text(llama, model, "general.architecture")


def _metadata(llama: Any, model: Any, name: str) -> str:
    """A value of the file below its architecture's name, as text; empty where there is none."""
    return _text(llama, model, f"{_architecture(llama, model)}.{name}")


def _text(llama: Any, model: Any, key: str) -> str:
    buffer = ctypes.create_string_buffer(128)
    length = llama.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return "" if length < 0 else buffer.value.decode("utf-8", "replace")
