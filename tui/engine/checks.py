"""What load parameters may be: each by itself, against each other, and against the model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tui.domain import (
    BadRequest,
    FlashAttention,
    LoadConfig,
    Pooling,
    RopeScaling,
    Speculation,
    SplitMode,
)
from tui.engine.tensor_patterns import pattern_problem

# enum ggml_type of ggml.h
CACHE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20}
# Elements of a block, of every quantised cache type.
_CACHE_BLOCK = 32
PLAIN_CACHE_TYPES = ("f32", "f16")

MAXIMUM_CONTEXT_LENGTH = 2**24
"""Tokens. llama.cpp keeps tens of bytes of its own for every cell of a context, even of one that is only laid
out, so that an absurd length would eat the machine's memory before it could be refused."""

MAXIMUM_SEQUENCES = 256
"""LLAMA_MAX_SEQ of llama.cpp's llama-cparams.h."""

_INTEGERS: tuple[tuple[str, int, int], ...] = (
    ("fit_minimum_context", 1, MAXIMUM_CONTEXT_LENGTH),
    ("gpu_layers", 0, 100_000),
    ("largest_image_side", 28, 16384),
    ("experts_used", 1, 100_000),
    ("main_gpu", 0, 255),
    ("parallel", 1, MAXIMUM_SEQUENCES),
    ("evaluation_batch_size", 1, 1_000_000),
    ("physical_batch_size", 1, 1_000_000),
    ("threads", 1, 512),
    ("batch_threads", 1, 512),
    ("context_checkpoints", 0, 10_000),
    ("yarn_original_context", 1, MAXIMUM_CONTEXT_LENGTH),
    ("seed", 0, 2**32 - 1),
    ("draft_max_tokens", 1, 64),
    ("draft_min_tokens", 0, 64),
)
_NUMBERS: tuple[tuple[str, float, float], ...] = (
    ("gpu_offload_ratio", 0.0, 1.0),
    ("cpu_expert_layers_ratio", 0.0, 1.0),
    ("rope_frequency_base", 0.0, 1e12),
    ("rope_frequency_scale", 0.0, 1e6),
    ("yarn_extrapolation_factor", -1.0, 1e6),
    ("yarn_attention_factor", -1.0, 1e6),
    ("yarn_beta_fast", -1.0, 1e6),
    ("yarn_beta_slow", -1.0, 1e6),
    ("draft_min_probability", 0.0, 1.0),
)
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("split_mode", get_args(SplitMode)),
    ("flash_attention", get_args(FlashAttention)),
    ("key_cache_type", tuple(CACHE_TYPES)),
    ("value_cache_type", tuple(CACHE_TYPES)),
    ("rope_scaling", get_args(RopeScaling)),
    ("speculation", get_args(Speculation)),
    ("pooling", get_args(Pooling)),
)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a file says that bears on load parameters. 0 where it says nothing."""

    architecture: str = ""
    layers: int = 0
    trained_context_length: int = 0
    experts: int = 0
    key_head_size: int = 0
    value_head_size: int = 0


def check_config(config: LoadConfig, trained_context_length: int = 0) -> None:
    """Raise `BadRequest`, naming the field, if the parameters are impossible or contradict each other."""
    for name, lowest, highest in _INTEGERS:
        _check_integer(name, getattr(config, name), lowest, highest)
    for name, low, high in _NUMBERS:
        _check_number(name, getattr(config, name), low, high)
    for name, choices in _CHOICES:
        if getattr(config, name) not in choices:
            raise _refused(name, getattr(config, name), f"Choose one of {', '.join(choices)}.")
    _check_context(config, trained_context_length)
    _check_devices(config)
    _check_lists(config)
    _check_drafts(config)
    if config.flash_attention == "off" and config.value_cache_type not in PLAIN_CACHE_TYPES:
        raise BadRequest(
            f"A value cache of type {config.value_cache_type} needs flash attention, which is off.",
            "Turn flash attention on, or choose f16.",
            field="load.value_cache_type",
        )


def check_against_model(config: LoadConfig, facts: ModelFacts) -> None:
    """Raise `BadRequest`, naming the field, if the model cannot be loaded like this."""
    check_config(config, facts.trained_context_length)
    if config.experts_used is not None and config.experts_used > facts.experts:
        possible = f"Choose 1 to {facts.experts}." if facts.experts else "Leave it open: this model has no experts."
        raise _refused("experts_used", config.experts_used, possible)
    for name, size in (("key_cache_type", facts.key_head_size), ("value_cache_type", facts.value_head_size)):
        kind = getattr(config, name)
        if kind not in PLAIN_CACHE_TYPES and size % _CACHE_BLOCK:
            raise BadRequest(
                f"A cache of type {kind} needs attention heads of a multiple of {_CACHE_BLOCK} values; "
                f"this model's have {size}.",
                "Choose f16 or f32.",
                field=f"load.{name}",
            )


def _check_context(config: LoadConfig, trained: int) -> None:
    length = config.context_length
    if length is None:
        return
    stretched = (
        config.rope_frequency_base is not None
        or config.rope_frequency_scale is not None
        or config.rope_scaling not in ("auto", "none")
    )
    highest = MAXIMUM_CONTEXT_LENGTH if stretched or not trained else min(trained, MAXIMUM_CONTEXT_LENGTH)
    if not isinstance(length, int) or length < 1 or (length > highest and highest != trained):
        raise _refused("context_length", length, f"Choose a whole number from 1 to {highest:,}.")
    if length > highest:
        raise BadRequest(
            f"A context length of {length:,} tokens was asked for, but this model was trained for {trained:,}.",
            f"Choose {trained:,} or less, or stretch it with RoPE scaling or a RoPE frequency base or scale.",
            field="load.context_length",
        )
    if not config.unified_kv_cache and length // config.parallel < 1:
        raise BadRequest(
            f"{length:,} tokens cannot be divided among {config.parallel} conversations.",
            "Choose a longer context, fewer parallel answers, or a unified cache.",
            field="load.context_length",
        )


def _check_devices(config: LoadConfig) -> None:
    if config.gpu_layers is not None and config.gpu_offload_ratio is not None:
        raise BadRequest(
            "GPU offload was given both as layers and as a ratio.", "Give one of them.", field="load.gpu_offload_ratio"
        )
    for share in config.tensor_split:
        _check_number("tensor_split", share, 0.0, 1e9)
    if config.tensor_split and not any(config.tensor_split):
        raise _refused("tensor_split", config.tensor_split, "At least one GPU needs a share above 0.")
    for number in config.disabled_gpus:
        _check_integer("disabled_gpus", number, 0, 255)


def _check_lists(config: LoadConfig) -> None:
    for file, scale in _pairs("lora", config.lora):
        _check_number("lora", scale, -1e6, 1e6)
        _check_file("lora", str(file))
    for pattern, buffer in _pairs("tensor_overrides", config.tensor_overrides):
        if not pattern or not buffer or "\0" in str(pattern):
            raise _refused("tensor_overrides", (pattern, buffer), "Each needs an expression and a buffer type.")
        if problem := pattern_problem(str(pattern)):
            raise BadRequest(
                f"The tensor expression {str(pattern)[:80]!r} cannot be used: {problem}.",
                "Write it as a regular expression on tensor names, such as ffn_.*_exps.",
                field="load.tensor_overrides",
            )
    for server in config.rpc_servers:
        host, colon, port = str(server).rpartition(":")
        if not host or not colon or not port.isdigit() or not 0 < int(port) < 65536:
            raise _refused("rpc_servers", server, "Write each as host:port, such as 192.168.0.7:50052.")
    if config.projector not in ("", "off"):
        _check_file("projector", config.projector)


def _check_drafts(config: LoadConfig) -> None:
    if config.draft_min_tokens > config.draft_max_tokens:
        raise BadRequest(
            f"At least {config.draft_min_tokens} and at most {config.draft_max_tokens} draft tokens contradict each "
            "other.",
            "Make the least number the smaller one.",
            field="load.draft_min_tokens",
        )
    if config.speculation == "draft" and not config.draft_model:
        raise BadRequest(
            "Speculation with a draft model was asked for, but no draft model was named.",
            "Name a small model with the same vocabulary.",
            field="load.draft_model",
        )
    if config.draft_model and config.speculation != "draft":
        raise BadRequest(
            f"The draft model {config.draft_model} would not be used, because speculation is {config.speculation}.",
            "Set speculation to draft, or name no draft model.",
            field="load.draft_model",
        )


def _check_integer(name: str, value: Any, lowest: int, highest: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise _refused(name, value, f"Choose a whole number from {lowest:,} to {highest:,}.")


def _check_number(name: str, value: Any, lowest: float, highest: float) -> None:
    if value is None:
        return
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not lowest <= value <= highest:
        raise _refused(name, value, f"Choose a number from {lowest:g} to {highest:g}.")


def _check_file(name: str, file: str) -> None:
    try:
        with open(Path(file).expanduser(), "rb") as opened:
            is_gguf = opened.read(4) == b"GGUF"
    except (OSError, ValueError) as problem:
        raise BadRequest(f"{file} cannot be read: {problem}.", "Check the path.", field=f"load.{name}") from problem
    if not is_gguf:
        raise BadRequest(f"{file} is not a GGUF file.", "Choose a file in GGUF format.", field=f"load.{name}")


def _pairs(name: str, values: Iterable[Any]) -> list[tuple[Any, Any]]:
    try:
        return [(first, second) for first, second in values]
    except (TypeError, ValueError):
        raise _refused(name, values, "It takes pairs.") from None


def _refused(name: str, value: Any, advice: str) -> BadRequest:
    shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)
    return BadRequest(f"{shown} is not possible here.", advice, field=f"load.{name}")
