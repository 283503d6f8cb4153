"""What mtmd's own helper makes of a prompt with images, to compare with."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy
from numpy.typing import NDArray

from tui.engine.images.native import load_mtmd
from tui.engine.images.pictures import decode_image
from tui.engine.images.projector import Projector
from tui.engine.library import load_llama


def reference_logits(projector: Projector, context: Any, text: str, images: Sequence[bytes]) -> NDArray[Any]:
    """The logits after the last token of a prompt that is read into sequence 0 of an empty context."""
    llama, mtmd = load_llama(), load_mtmd()
    llama.llama_memory_clear(llama.llama_get_memory(context), True)
    with ExitStack() as cleanup:
        bitmaps = []
        for image in images:
            picture = decode_image(image)
            pixels = ctypes.cast(ctypes.c_char_p(picture.data), ctypes.POINTER(ctypes.c_uint8))
            bitmaps.append(mtmd.mtmd_bitmap_init(picture.width, picture.height, pixels))
            cleanup.callback(mtmd.mtmd_bitmap_free, bitmaps[-1])
        chunks = mtmd.mtmd_input_chunks_init()
        cleanup.callback(mtmd.mtmd_input_chunks_free, chunks)
        data = text.encode()
        prompt = mtmd.mtmd_input_text(text=data, text_len=len(data), add_special=False, parse_special=True)
        handles = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
        assert mtmd.mtmd_tokenize(projector._context, chunks, ctypes.byref(prompt), handles, len(bitmaps)) == 0
        reached = ctypes.c_int32(0)
        size = llama.llama_n_batch(context)
        code = mtmd.mtmd_helper_eval_chunks(
            projector._context, context, chunks, 0, 0, size, True, ctypes.byref(reached)
        )
        assert code == 0
    return last_logits(context)


def last_logits(context: Any) -> NDArray[Any]:
    """A copy of the last row of logits."""
    llama = load_llama()
    size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(llama.llama_get_model(context)))
    return numpy.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (size,)).copy()
