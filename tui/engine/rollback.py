"""Whether a model's memory can take back guesses that were wrong, and what its context needs for it.

Attention forgets tokens at will, and so do sliding windows right after a step. The state of recurrent and hybrid
models can go back only to versions of it that the context was told to keep, and not every architecture keeps any.
"""

from __future__ import annotations

from typing import Any

from tui.domain import BadRequest, LoadConfig
from tui.engine.library import load_llama


def keep_versions(parameters: Any, model: Any, config: LoadConfig) -> None:
    """Have the context keep a version of running states for each guess. Costs the memory of one state for each."""
    if config.speculation != "off" and _has_running_state(model):
        # One piece of a step must have room for all guesses and two tokens more, or llama.cpp ends the process
        # (llama_batch_allocr::split_equal).
        parameters.n_rs_seq = max(0, min(config.draft_max_tokens, parameters.n_ubatch - 2))


def check_versions(context: Any, model: Any, config: LoadConfig, name: str) -> None:
    """Raise BadRequest if guesses are wanted that this context could not take back."""
    if config.speculation == "off" or not _has_running_state(model) or load_llama().llama_n_rs_seq(context) > 0:
        return
    if config.physical_batch_size < 3 or config.evaluation_batch_size < 3:
        raise BadRequest(
            "Speculation with a recurrent or hybrid model needs batches of 3 tokens or more.",
            "Choose larger batches, or turn speculation off.",
            field="load.speculation",
        )
    raise BadRequest(
        f"{name} keeps a running state, and llama.cpp cannot take tokens back from it, so that guesses cannot be "
        "checked.",
        "Turn speculation off for it.",
        field="load.speculation",
    )


def _has_running_state(model: Any) -> bool:
    llama = load_llama()
    return bool(llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model))
