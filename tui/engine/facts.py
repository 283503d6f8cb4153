"""What a model file says of itself, as llama.cpp reads it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from tui.domain import ModelUnusable
from tui.engine.checks import ModelFacts
from tui.engine.library import load_llama

_LONGEST_VALUE = 256


def read_facts(path: Path) -> ModelFacts:
    """The facts from a file, without its weights; about as long as reading the vocabulary takes."""
    llama = load_llama()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ModelUnusable(f"llama.cpp cannot load {path.name}.", "See the log for its reason.")
    try:
        return facts_of(model)
    finally:
        llama.llama_model_free(model)


def facts_of(model: Any) -> ModelFacts:
    """The facts of an open model."""
    llama = load_llama()
    architecture = text_value(llama, model, "general.architecture")

    def number(name: str) -> int:
        text = text_value(llama, model, f"{architecture}.{name}")
        return int(text) if text.isdigit() else 0

    heads = number("attention.head_count")
    head_size = number("embedding_length") // heads if heads else 0
    return ModelFacts(
        architecture=architecture,
        layers=number("block_count"),
        trained_context_length=llama.llama_model_n_ctx_train(model) or number("context_length"),
        experts=number("expert_count"),
        key_head_size=number("attention.key_length") or head_size,
        value_head_size=number("attention.value_length") or head_size,
    )


def text_value(llama: Any, model: Any, key: str) -> str:
    """A value of the file's header as text; empty where there is none."""
    buffer = ctypes.create_string_buffer(_LONGEST_VALUE)
    length = llama.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return "" if length < 0 else buffer.value.decode("utf-8", "replace")
