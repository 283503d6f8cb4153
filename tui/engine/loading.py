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

from tui.domain import BadRequest, Cancelled, EngineFault, LoadConfig, ModelUnusable
from tui.engine.library import load_llama

# enum ggml_type of ggml.h
CACHE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20}
# enum llama_flash_attn_type of llama.h
_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
# enum llama_load_mode of llama.h
_LOAD_NONE, _LOAD_MMAP, _LOAD_MLOCK, _LOAD_MMAP_MLOCK = 0, 1, 2, 3

# A list of devices that ends at once (llama.h: NULL-terminated).
_NO_DEVICES = (ctypes.c_void_p * 1)(None)

LoadProgress = Callable[[float], bool | None]
"""Gets 0 to 1 while a model loads; returning False stops the load."""

DEFAULT_CONTEXT_LENGTH = 8192
"""Context length when nobody asked for one, if the model was trained for as much: room for a real
conversation, at a cost that small machines can bear."""

MAXIMUM_CONTEXT_LENGTH = 2**24
"""Tokens. llama.cpp keeps tens of bytes of its own for every cell of a context, even of one that is only laid
out, so that an absurd length would eat the machine's memory before it could be refused."""

IDLE_SEQUENCES = 12
"""Finished conversations that may stay in the context beside the running ones, so that their next turn
does not read everything again. They cost no memory in a unified cache."""

MAXIMUM_SEQUENCES = 256
"""LLAMA_MAX_SEQ of llama.cpp's llama-cparams.h."""


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
    abort_flag: ctypes.Array[ctypes.c_char]

    def close(self) -> None:
        """Free everything. Nothing may use the handles afterwards."""
        llama = load_llama()
        llama.llama_free(self.context)
        llama.llama_model_free(self.model)


def default_threads() -> int:
    """CPU threads for generation when nobody chose: one for each physical core that this process may use."""
    import psutil

    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        allowed = os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or allowed
    return max(1, min(allowed, physical))


def check_config(config: LoadConfig, trained_context_length: int = 0) -> None:
    """Raise `BadRequest`, naming the field, if the parameters are impossible or contradict each other."""
    if config.context_length is not None:
        if config.context_length < 1:
            raise BadRequest("The context length must be at least 1 token.", field="load.context_length")
        highest = min(trained_context_length or MAXIMUM_CONTEXT_LENGTH, MAXIMUM_CONTEXT_LENGTH)
        stretched = config.rope_frequency_base is not None or config.rope_frequency_scale is not None
        if config.context_length > highest and not stretched:
            raise BadRequest(
                f"A context length of {config.context_length:,} tokens was asked for, but this model was trained "
                f"for {highest:,}.",
                f"Choose {highest:,} or less, or set a RoPE frequency base or scale to stretch it.",
                field="load.context_length",
            )
        if config.context_length > MAXIMUM_CONTEXT_LENGTH:
            raise BadRequest(
                f"A context length of {config.context_length:,} tokens is more than lmdeck can manage.",
                f"Choose {MAXIMUM_CONTEXT_LENGTH:,} or less.",
                field="load.context_length",
            )
    for name, lowest, highest in (
        ("gpu_layers", 0, 100_000),
        ("parallel", 1, MAXIMUM_SEQUENCES),
        ("evaluation_batch_size", 1, 1_000_000),
        ("physical_batch_size", 1, 1_000_000),
        ("threads", 1, 512),
        ("batch_threads", 1, 512),
    ):
        value = getattr(config, name)
        if value is not None and not lowest <= value <= highest:
            raise BadRequest(
                f"{value:,} is not possible here.", f"Choose {lowest:,} to {highest:,}.", field=f"load.{name}"
            )
    for name in ("key_cache_type", "value_cache_type"):
        if getattr(config, name) not in CACHE_TYPES:
            raise BadRequest(
                f"There is no cache type {getattr(config, name)!r}.",
                f"Choose one of {', '.join(CACHE_TYPES)}.",
                field=f"load.{name}",
            )
    if config.flash_attention == "off" and config.value_cache_type not in ("f32", "f16"):
        raise BadRequest(
            f"A value cache of type {config.value_cache_type} needs flash attention, which is off.",
            "Turn flash attention on, or choose f16.",
            field="load.value_cache_type",
        )


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
    llama = load_llama()
    stopped = False

    def report(progress: float, _data: object) -> bool:
        nonlocal stopped
        stopped = on_progress is not None and on_progress(progress) is False
        return not stopped

    parameters = _model_parameters(llama, config, kernels, simulate)
    parameters.progress_callback = callback = llama.llama_progress_callback(report)
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    del callback
    if stopped:
        if model:
            llama.llama_model_free(model)
        raise Cancelled("Loading was stopped.")
    if not model:
        raise ModelUnusable(f"llama.cpp cannot load {path.name}.", "See the log for its reason.")
    try:
        trained = llama.llama_model_n_ctx_train(model)
        check_config(config, trained)
        if not llama.llama_model_has_decoder(model):
            raise ModelUnusable(f"{path.name} cannot generate text; it only encodes.", "Choose another model.")
        can_trim = not (
            llama.llama_model_is_recurrent(model)
            or llama.llama_model_is_hybrid(model)
            or llama.llama_model_n_swa(model) > 0
        )
        context_length = config.context_length or min(trained or DEFAULT_CONTEXT_LENGTH, DEFAULT_CONTEXT_LENGTH)
        # State that grows with the number of sequences makes idle ones dear where they cannot share cells.
        sequences = min(config.parallel + (IDLE_SEQUENCES if can_trim else 0), MAXIMUM_SEQUENCES)
        abort_flag = ctypes.create_string_buffer(2)
        context = llama.llama_init_from_model(
            model, _context_parameters(llama, config, context_length, sequences, abort_flag)
        )
        if not context:
            raise EngineFault(
                f"llama.cpp cannot make a context of {context_length:,} tokens for {path.name}.",
                "Choose a shorter context or other cache types; see the log for its reason.",
            )
    except BaseException:
        llama.llama_model_free(model)
        raise
    return OpenModel(
        model=model,
        context=context,
        context_length=llama.llama_n_ctx_seq(context),
        layers=llama.llama_model_n_layer(model) + 1,
        sequences=sequences,
        can_trim=can_trim,
        abort_flag=abort_flag,
    )


def _model_parameters(llama: Any, config: LoadConfig, kernels: Kernels, simulate: bool) -> Any:
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = -1 if config.gpu_layers is None else config.gpu_layers
    if simulate:
        # With no_alloc a memory map aborts the process; NONE does not.
        parameters.no_alloc, parameters.load_mode = True, _LOAD_NONE
    elif config.try_mmap:
        parameters.load_mode = _LOAD_MMAP_MLOCK if config.keep_model_in_memory else _LOAD_MMAP
    else:
        parameters.load_mode = _LOAD_MLOCK if config.keep_model_in_memory else _LOAD_NONE
    parameters.use_extra_bufts = kernels.extra_buffers
    if not kernels.gpu:
        parameters.n_gpu_layers = 0
        parameters.devices = ctypes.cast(_NO_DEVICES, ctypes.c_void_p)
    return parameters


def _context_parameters(
    llama: Any, config: LoadConfig, context_length: int, sequences: int, abort_flag: ctypes.Array[ctypes.c_char]
) -> Any:
    parameters = llama.llama_context_default_params()
    threads = config.threads or default_threads()
    parameters.n_ctx = context_length
    # A step must have room for the next token of every running answer.
    parameters.n_batch = max(config.evaluation_batch_size, sequences)
    parameters.n_ubatch = min(config.physical_batch_size, config.evaluation_batch_size)
    parameters.n_seq_max = sequences
    # One row of logits for each sequence and step is all we ask for; the default, one for each token of a
    # batch, costs hundreds of megabytes with a large vocabulary.
    parameters.n_outputs_max = sequences
    parameters.n_threads = threads
    parameters.n_threads_batch = config.batch_threads or threads
    parameters.flash_attn_type = _FLASH_ATTENTION[config.flash_attention]
    parameters.type_k = CACHE_TYPES[config.key_cache_type]
    parameters.type_v = CACHE_TYPES[config.value_cache_type]
    parameters.offload_kqv = config.offload_kv_cache
    parameters.kv_unified = True
    parameters.swa_full = False
    parameters.rope_freq_base = config.rope_frequency_base or 0.0
    parameters.rope_freq_scale = config.rope_frequency_scale or 0.0
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
