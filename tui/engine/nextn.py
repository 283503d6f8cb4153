"""The extra heads (MTP, "nextn") that some models bring along, and the context that computes them.

Their functions are in llama.cpp's llama-ext.h, which is C++ and no part of the Python bindings. They are exported
under the names that the Itanium ABI gives them; where a compiler names them otherwise, the heads cannot be used.
"""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

from tui.domain import BadRequest
from tui.engine.library import load_llama

# enum llama_context_type of llama.h
_CONTEXT_TYPE_MTP = 1
_FLOAT = 4

_SIGNATURES: dict[str, tuple[str, Any, list[Any]]] = {
    "set_embeddings": (
        "_Z26llama_set_embeddings_nextnP13llama_contextbb",
        None,
        [ctypes.c_void_p, ctypes.c_bool, ctypes.c_bool],
    ),
    "get_embeddings": (
        "_Z26llama_get_embeddings_nextnP13llama_context",
        ctypes.POINTER(ctypes.c_float),
        [ctypes.c_void_p],
    ),
    "get_embeddings_row": (
        "_Z30llama_get_embeddings_nextn_ithP13llama_contexti",
        ctypes.POINTER(ctypes.c_float),
        [ctypes.c_void_p, ctypes.c_int32],
    ),
    "set_layer": ("_Z28llama_set_nextn_layer_offsetP13llama_contexti", None, [ctypes.c_void_p, ctypes.c_int32]),
}


def nextn_functions() -> SimpleNamespace | None:
    """`set_embeddings(context, on, masked)`, `get_embeddings(context)`, `get_embeddings_row(context, row)` and
    `set_layer(context, head)` of this build; `None` if it has not all of them."""
    found = {}
    for name, (symbol, result, arguments) in _SIGNATURES.items():
        function = getattr(load_llama()._lib, symbol, None)
        if function is None:
            return None
        function.restype, function.argtypes = result, arguments
        found[name] = function
    return SimpleNamespace(**found)


def open_nextn_context(model: Any, context: Any, parameters: Any, *, outputs: int, name: str) -> Any:
    """A context for the extra heads of a model, beside its own, which is told to hand out what the heads read.

    `parameters` are those of the own context, and are changed. `outputs` is the number of sequences that guess at
    once. Raises BadRequest, naming `load.speculation`, if the model has no such heads or llama.cpp cannot run them.
    """
    llama = load_llama()
    functions = nextn_functions()
    if functions is None:
        raise _refused("This build of llama.cpp does not offer the functions that MTP heads need.")
    heads = llama.llama_model_n_layer_nextn(model)
    if heads < 1:
        raise _refused(f"{name} has no MTP heads.")
    parameters.ctx_type = _CONTEXT_TYPE_MTP
    parameters.ctx_other = context
    parameters.n_ctx = llama.llama_n_ctx(context)
    # A chain of heads computes every guess of a sequence again for the next one.
    rows = outputs * heads
    parameters.n_batch = parameters.n_ubatch = max(llama.llama_n_ubatch(context), rows)
    parameters.n_outputs_max = max(llama.llama_n_seq_max(context), rows)
    parameters.n_rs_seq = 0
    parameters.kv_unified = True
    extra = llama.llama_init_from_model(model, parameters)
    if not extra:
        raise _refused(f"llama.cpp cannot run the MTP heads of {name}.")
    # The own context gives a row for every token, the extra one only for those whose guess is wanted.
    functions.set_embeddings(context, True, False)
    functions.set_embeddings(extra, True, True)
    return extra


def hidden_rows_size(model: Any, context: Any) -> int:
    """Bytes that the model's own context takes to hand out what the heads read, which it allocates when it computes."""
    llama = load_llama()
    width: int = llama.llama_model_n_embd_out(model)
    rows: int = llama.llama_n_batch(context)
    return _FLOAT * width * rows


def _refused(message: str) -> BadRequest:
    return BadRequest(
        message, "Choose ngram, or draft with a small model, or turn speculation off.", field="load.speculation"
    )
