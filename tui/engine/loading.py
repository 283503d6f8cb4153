"""The one road from a model file and a `LoadConfig` to a llama.cpp model and context.

The probe takes it with `simulate=True`, which lays everything out and allocates nothing, so what the probe
measures is what loading will do.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.domain import Cancelled, EngineFault, LoadConfig, ModelUnusable
from tui.engine.checks import CACHE_TYPES, MAXIMUM_SEQUENCES, PLAIN_CACHE_TYPES, check_against_model
from tui.engine.devices import gpu_handles
from tui.engine.facts import facts_of
from tui.engine.library import load_llama
from tui.engine.lora import open_adapters, use_adapters
from tui.engine.model_parameters import ModelParameters
from tui.engine.nextn import open_nextn_context
from tui.engine.pooling import adjust, embeds
from tui.engine.rollback import check_versions, keep_versions

# enum llama_flash_attn_type of llama.h
_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
# enum llama_rope_scaling_type of llama.h
_ROPE_SCALING = {"auto": -1, "none": 0, "linear": 1, "yarn": 2, "longrope": 3}

# Bytes of the matrix of all attention weights of one pass that are worth its speed.
_LARGEST_ATTENTION_MATRIX = 2**28

LoadProgress = Callable[[float], bool | None]
"""Gets 0 to 1 while a model loads; returning False stops the load."""

DEFAULT_CONTEXT_LENGTH = 8192
"""Context length when nobody asked for one, if the model was trained for as much: room for a real
conversation, at a cost that small machines can bear."""

IDLE_SEQUENCES = 12
"""Finished conversations that may stay in the context beside the running ones, so that their next turn
does not read everything again. They cost no memory in a unified cache."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """What the self-test found this machine to be good for."""

    extra_buffers: bool = True
    """Whether ggml may repack weights for special instructions (AMX and the like)."""
    gpu: bool = True


@dataclass(slots=True)
class OpenModel:
    """A model and its context, both llama.cpp handles, and what shapes their use."""

    model: Any
    context: Any
    context_length: int
    layers: int
    """Layers of the model, its output layer included, as GPU offload counts them."""
    sequences: int
    """Sequences that the context can hold, running and idle ones."""
    can_trim: bool
    """Whether a sequence can be cut back to any shorter prefix; not so for recurrent and sliding-window models."""
    can_share: bool
    """Whether sequences may share cells, so that a beginning is copied for nothing."""
    embeds: bool
    """Whether it makes vectors or scores instead of text."""
    output_rows: int
    """Most rows of results that llama.cpp keeps for one step."""
    abort_flag: ctypes.Array[ctypes.c_char]
    nextn_context: Any = None
    """The context of the model's extra heads, if they shall guess."""

    def close(self) -> None:
        """Free everything. Nothing may use the handles afterwards."""
        self.close_contexts()
        load_llama().llama_model_free(self.model)

    def close_contexts(self) -> None:
        """Free everything but the model itself, for another context of it."""
        llama = load_llama()
        if self.nextn_context is not None:
            llama.llama_free(self.nextn_context)
        llama.llama_free(self.context)


def default_threads() -> int:
    """CPU threads for generation when nobody chose: one for each physical core that this process may use.

    Threads that wait for each other many times a token suffer when something else takes a core, so fewer threads
    and other ways to wait were tried. A Q8_0 model of 24 layers of 512 on two cores, in tokens per second, beside
    programs that keep one core busy for that share of the time, both cores, or both with many threads (a range):

        threads, OpenMP's way to wait      none   20 %   100 %   both   many
        2, spins 10 us, then sleeps         116     93      36     33    6 to 25
        2, spins 3 ms (its own way)         106     97      56     23    1 to 3
        2, sleeps at once (PASSIVE)          32     35      48     --   20 to 46
        2, spins for ever (ACTIVE)          109     97      55     --    --
        1                                    71     69      67     --   14 to 16

    A screen keeps a core busy for less than a fifth of the time, so leaving it a core would cost more than it gives.
    """
    import psutil

    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        allowed = os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or allowed
    return max(1, min(allowed, physical))


def open_model(
    path: Path,
    config: LoadConfig,
    kernels: Kernels,
    *,
    simulate: bool = False,
    on_progress: LoadProgress | None = None,
) -> OpenModel:
    """Open the model file and make a context for it. Blocks for as long as reading the weights takes.

    Raises ModelUnusable, BadRequest, EngineFault or Cancelled; the reason that llama.cpp gives is in its log,
    which callers add to the message.
    """
    model = open_weights(path, config, kernels, simulate=simulate, on_progress=on_progress)
    try:
        return open_context(path, model, config, simulate=simulate, gpu=kernels.gpu)
    except BaseException:
        load_llama().llama_model_free(model)
        raise


def open_weights(
    path: Path, config: LoadConfig, kernels: Kernels, *, simulate: bool, on_progress: LoadProgress | None = None
) -> Any:
    """The handle of the model alone. Blocks and raises as `open_model` does."""
    llama = load_llama()
    stopped = False

    def report(progress: float, _data: object) -> bool:
        nonlocal stopped
        stopped = on_progress is not None and on_progress(progress) is False
        return not stopped

    prepared = ModelParameters(path, config, extra_buffers=kernels.extra_buffers, gpu=kernels.gpu, simulate=simulate)
    parameters = prepared.native
    parameters.progress_callback = callback = llama.llama_progress_callback(report)
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    del callback
    if stopped:
        if model:
            llama.llama_model_free(model)
        raise Cancelled("Loading was stopped.")
    if not model:
        raise ModelUnusable(f"llama.cpp cannot load {path.name}.", "See the log for its reason.")
    return model


def open_context(path: Path, model: Any, config: LoadConfig, *, simulate: bool, gpu: bool) -> OpenModel:
    """A context for a model, and what shapes the use of both. Raises as `open_model` does."""
    llama = load_llama()
    check_against_model(config, facts_of(model))
    for_embeddings = embeds(llama, model, config)
    if not for_embeddings:
        _check_generates(llama, model, path.name)
    # A simulated model has no tensors that an adapter could be compared with.
    adapters = [] if simulate else open_adapters(model, config.lora)
    can_trim = not (
        llama.llama_model_is_recurrent(model)
        or llama.llama_model_is_hybrid(model)
        or (llama.llama_model_n_swa(model) > 0 and not config.full_sliding_window_cache)
    )
    trained = llama.llama_model_n_ctx_train(model)
    context_length = config.context_length or min(trained or DEFAULT_CONTEXT_LENGTH, DEFAULT_CONTEXT_LENGTH)
    # State that grows with the number of sequences makes idle ones dear where they cannot share cells.
    idle = IDLE_SEQUENCES if can_trim and config.unified_kv_cache else 0
    sequences = min(config.parallel + idle, MAXIMUM_SEQUENCES)
    abort_flag = ctypes.create_string_buffer(2)
    parameters = _context_parameters(llama, config, context_length, sequences, abort_flag)
    if config.flash_attention == "auto" and _plain_attention_is_better(llama, model, config, parameters, gpu=gpu):
        parameters.flash_attn_type = _FLASH_ATTENTION["off"]
    if for_embeddings:
        adjust(llama, parameters, model, config)
    else:
        keep_versions(parameters, model, config)
    context = llama.llama_init_from_model(model, parameters)
    if not context:
        raise EngineFault(
            f"llama.cpp cannot make a context of {context_length:,} tokens for {path.name}.",
            "Choose a shorter context or other cache types; see the log for its reason.",
        )
    nextn_context = None
    try:
        use_adapters(context, adapters)
        if not for_embeddings:
            check_versions(context, model, config, path.name)
            if config.speculation == "mtp":
                nextn_context = open_nextn_context(model, context, parameters, outputs=config.parallel, name=path.name)
    except BaseException:
        llama.llama_free(context)
        raise
    return OpenModel(
        model=model,
        context=context,
        # llama.cpp rounds up, and positions beyond those that were learnt end the process.
        context_length=min(llama.llama_n_ctx_seq(context), context_length),
        layers=llama.llama_model_n_layer(model) + 1,
        sequences=llama.llama_n_seq_max(context),
        can_trim=can_trim,
        can_share=config.unified_kv_cache,
        embeds=for_embeddings,
        output_rows=parameters.n_outputs_max or parameters.n_batch,
        abort_flag=abort_flag,
        nextn_context=nextn_context,
    )


def _check_generates(llama: Any, model: Any, name: str) -> None:
    """Raise ModelUnusable for models that llama.cpp would end the process over if they were asked for text."""
    if not llama.llama_model_has_decoder(model):
        raise ModelUnusable(f"{name} cannot generate text; it only encodes.", "Choose another model.")
    if llama.llama_model_has_encoder(model) or llama.llama_model_is_diffusion(model):
        raise ModelUnusable(
            f"{name} does not generate word by word (encoder-decoder and diffusion models are not supported).",
            "Choose another model.",
        )


def _plain_attention_is_better(llama: Any, model: Any, config: LoadConfig, parameters: Any, *, gpu: bool) -> bool:
    """Whether attention without the flash kernel is the better choice where nobody chose.

    ggml's flash kernel for CPUs is slow below 64 rows: on two cores, a model of 24 layers with 4,000 tokens in the
    cache took 51 against 34 ms for one token, 187 against 78 for eight, 300 against 125 for sixteen; at 512 rows
    they are even, and at 512 rows and 2,000 tokens flash is ahead, 1,415 against 2,300 ms. Next words and short
    questions matter more than long documents. The matrix that plain attention makes is kept small.
    """
    on_gpu = gpu and config.gpu_layers != 0 and config.gpu_offload_ratio != 0 and bool(gpu_handles())
    matrix = 4 * llama.llama_model_n_head(model) * parameters.n_ubatch * parameters.n_ctx
    return not on_gpu and config.value_cache_type in PLAIN_CACHE_TYPES and matrix <= _LARGEST_ATTENTION_MATRIX


def _context_parameters(
    llama: Any, config: LoadConfig, context_length: int, sequences: int, abort_flag: ctypes.Array[ctypes.c_char]
) -> Any:
    parameters = llama.llama_context_default_params()
    threads = config.threads or default_threads()
    parameters.n_ctx = context_length
    # A step must have room for the next token of every running answer, and for what is guessed behind it.
    guesses = config.draft_max_tokens if config.speculation != "off" else 0
    rows = max(sequences, config.parallel * (1 + guesses))
    parameters.n_batch = max(config.evaluation_batch_size, rows)
    parameters.n_ubatch = min(config.physical_batch_size, config.evaluation_batch_size)
    parameters.n_seq_max = sequences
    # One row of logits for each sequence and guess is all we ask for; the default, one for each token of a
    # batch, costs hundreds of megabytes with a large vocabulary.
    parameters.n_outputs_max = rows
    parameters.n_threads = threads
    parameters.n_threads_batch = config.batch_threads or threads
    parameters.flash_attn_type = _FLASH_ATTENTION[config.flash_attention]
    parameters.type_k = CACHE_TYPES[config.key_cache_type]
    parameters.type_v = CACHE_TYPES[config.value_cache_type]
    parameters.offload_kqv = config.offload_kv_cache
    parameters.kv_unified = config.unified_kv_cache
    parameters.swa_full = config.full_sliding_window_cache
    parameters.rope_freq_base = config.rope_frequency_base or 0.0
    parameters.rope_freq_scale = config.rope_frequency_scale or 0.0
    parameters.rope_scaling_type = _ROPE_SCALING[config.rope_scaling]
    for name, value in (
        ("yarn_ext_factor", config.yarn_extrapolation_factor),
        ("yarn_attn_factor", config.yarn_attention_factor),
        ("yarn_beta_fast", config.yarn_beta_fast),
        ("yarn_beta_slow", config.yarn_beta_slow),
        ("yarn_orig_ctx", config.yarn_original_context),
    ):
        if value is not None:
            setattr(parameters, name, value)
    parameters.no_perf = True
    parameters.abort_callback = _flag_reader(llama)
    parameters.abort_callback_data = ctypes.cast(abort_flag, ctypes.c_void_p)
    return parameters


def _flag_reader(llama: Any) -> Any:
    """A native `bool (*)(void *)` that tells whether the flag at the address is raised.

    ggml asks it before every operation of a graph. A Python callback would take the interpreter lock
    thousands of times a second from whoever draws the screen. libc's `strlen` on a two-byte buffer does the
    same without Python: 0 for an empty text, 1 for a text of one character.
    """
    libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
    return ctypes.cast(libc.strlen, llama.ggml_abort_callback)
