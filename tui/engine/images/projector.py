"""A projector file (mmproj) in memory: turns images into what its model reads."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest, Cancelled, EngineFault, LoadConfig, ModelUnusable
from tui.engine.images.chunks import MediaChunk, identity_of
from tui.engine.images.memo import Memo
from tui.engine.images.native import load_mtmd
from tui.engine.images.pictures import decode_image
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import Kernels, OpenModel, default_threads
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy import float32, int32
    from numpy.typing import NDArray

# enum llama_flash_attn_type of llama.h
_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
# enum mtmd_input_chunk_type of mtmd.h
_TEXT, _IMAGE = 0, 1


def context_parameters(config: LoadConfig, kernels: Kernels) -> Any:
    """`mtmd_context_params` as the load parameters want them."""
    parameters = load_mtmd().mtmd_context_params_default()
    parameters.use_gpu = kernels.gpu
    parameters.print_timings = False
    parameters.n_threads = config.batch_threads or config.threads or default_threads()
    parameters.flash_attn_type = _FLASH_ATTENTION[config.flash_attention]
    parameters.warmup = False
    return parameters


class Projector:
    """Safe to use from any thread; one prompt's images are encoded at a time, on the caller's thread.

    The file must have been tried in a child process before (`try_projector`): mtmd ends the process over many
    defects. It uses the model's vocabulary, so it works only within the model's lifetime.
    """

    def __init__(
        self,
        path: Path,
        opened: OpenModel,
        config: LoadConfig,
        kernels: Kernels,
        vocabulary: Vocabulary,
        lifetime: Lifetime,
    ) -> None:
        """Raises ModelUnusable if the file is no projector for images, or not one for this model."""
        self._llama, self._mtmd = load_llama(), load_mtmd()
        self._vocabulary = vocabulary
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._memo = Memo()
        # Nobody can guess it, so no text has it by chance or on purpose.
        self.marker = f"<__image_{secrets.token_hex(8)}__>"
        """What stands in a rendered prompt for each image, in their order."""
        self.path = path
        self.width: int = self._llama.llama_model_n_embd_inp(opened.model)
        """Numbers in the vector of one token."""
        self._pass_size: int = self._llama.llama_n_ubatch(opened.context)
        self._content = f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}"
        parameters = context_parameters(config, kernels)
        parameters.media_marker = self.marker.encode()
        self._context = self._mtmd.mtmd_init_from_file(os.fsencode(path), opened.model, parameters)
        if not self._context:
            raise ModelUnusable(
                f"{path.name} cannot be used as the projector of this model.",
                "Choose the one that was made for it (mmproj), or none; see the log for llama.cpp's reason.",
            )
        if not self._mtmd.mtmd_support_vision(self._context):
            self.close()
            raise ModelUnusable(f"{path.name} is not a projector for images.", "Choose another one, or none.")
        self.axes = 4 if self._mtmd.mtmd_decode_use_mrope(self._context) else 1
        """Numbers in a position of one of its vectors."""

    def close(self) -> None:
        """Free its memory, once nobody is inside."""
        with self._lock:
            if self._context:
                self._mtmd.mtmd_free(self._context)
                self._context = None

    def prompt_chunks(
        self,
        text: str,
        images: Sequence[bytes],
        *,
        largest_side: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[list[int] | MediaChunk]:
        """The tokens and image chunks of a rendered prompt that has `marker` in the place of each image file.

        Blocks for seconds for each image that was not seen before. Raises BadRequest naming `images[n]`,
        EngineFault, and Cancelled if `should_stop` says so between two chunks.
        """
        if text.count(self.marker) != len(images):
            raise BadRequest(
                f"The chat template made room for {text.count(self.marker)} of {len(images)} images.",
                "Use a model whose template takes images.",
                field="images",
            )
        names = [_name(image, largest_side) for image in images]
        with self._lifetime.use(), self._lock:
            if not self._context:
                raise EngineFault("The model was unloaded.", "Load it again.")
            # What was encoded before needs no pixels, only its size. Should its vectors be gone after all, once more.
            for fresh in (False, True):
                sizes = [None if fresh else self._memo.size(name) for name in names]
                pieces = self._pieces(text, images, names, sizes, largest_side, should_stop)
                if pieces is not None:
                    return self._with_beginning(pieces)
        raise EngineFault("The images could not be encoded.", "See the log for llama.cpp's reason.")

    def _pieces(
        self,
        text: str,
        images: Sequence[bytes],
        names: list[str],
        sizes: list[tuple[int, int] | None],
        largest_side: int | None,
        should_stop: Callable[[], bool],
    ) -> list[list[int] | MediaChunk] | None:
        """`None` if vectors were missing for an image of which only the size was given."""
        seen: Counter[int] = Counter()
        pieces: list[list[int] | MediaChunk] = []
        with ExitStack() as cleanup:
            bitmaps = []
            for index, image in enumerate(images):
                size, data = sizes[index], None
                if size is None:
                    picture = decode_image(image, largest_side=largest_side, field=f"images[{index}]")
                    size, data = (picture.width, picture.height), picture.data
                    self._memo.remember_size(names[index], size)
                bitmaps.append(self._bitmap(cleanup, index, size, data))
            for native in cleanup.enter_context(self._tokenized(text, bitmaps)):
                if self._mtmd.mtmd_input_chunk_get_type(native) == _TEXT:
                    pieces.append(self._text_tokens(native))
                    continue
                if should_stop():
                    raise Cancelled("Reading the images was stopped.")
                index = int(self._mtmd.mtmd_input_chunk_get_id(native))
                chunk = self._chunk(native, f"{names[index]}:{seen[index]}", encode=sizes[index] is None, index=index)
                if chunk is None:
                    return None
                seen[index] += 1
                pieces.append(chunk)
        return pieces

    def _bitmap(self, cleanup: ExitStack, index: int, size: tuple[int, int], data: bytes | None) -> Any:
        """Pixels for mtmd, or only their size; its name says which image of the prompt a chunk belongs to."""
        pixels = None if data is None else ctypes.cast(ctypes.c_char_p(data), ctypes.POINTER(ctypes.c_uint8))
        bitmap = self._mtmd.mtmd_bitmap_init(*size, pixels)
        cleanup.callback(self._mtmd.mtmd_bitmap_free, bitmap)
        self._mtmd.mtmd_bitmap_set_id(bitmap, str(index).encode())
        return bitmap

    @contextmanager
    def _tokenized(self, text: str, bitmaps: list[Any]) -> Iterator[Iterator[Any]]:
        """mtmd's own chunks of a prompt, which live within the `with` block."""
        data = text.encode("utf-8", "surrogatepass")
        prompt = self._mtmd.mtmd_input_text(text=data, text_len=len(data), add_special=False, parse_special=True)
        chunks = self._mtmd.mtmd_input_chunks_init()
        try:
            handles = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
            code = self._mtmd.mtmd_tokenize(self._context, chunks, ctypes.byref(prompt), handles, len(bitmaps))
            if code != 0:
                raise BadRequest(
                    "An image could not be prepared for the model.", "See the log for the reason.", field="images"
                )
            count = self._mtmd.mtmd_input_chunks_size(chunks)
            yield (self._mtmd.mtmd_input_chunks_get(chunks, number) for number in range(count))
        finally:
            self._mtmd.mtmd_input_chunks_free(chunks)

    def _text_tokens(self, native: Any) -> list[int]:
        count = ctypes.c_size_t(0)
        tokens = self._mtmd.mtmd_input_chunk_get_tokens_text(native, ctypes.byref(count))
        return list(tokens[: count.value])

    def _chunk(self, native: Any, name: str, *, encode: bool, index: int) -> MediaChunk | None:
        count = self._mtmd.mtmd_input_chunk_get_n_tokens(native)
        non_causal = bool(self._mtmd.mtmd_decode_use_non_causal(self._context, native))
        if self._mtmd.mtmd_input_chunk_get_type(native) != _IMAGE or not count:
            raise EngineFault(f"images[{index}] became nothing that the model can see.", "See the log.")
        if non_causal and count > self._pass_size:
            raise BadRequest(
                f"images[{index}] takes {count:,} tokens that have to be computed in one pass, which holds "
                f"{self._pass_size:,}.",
                f"Load the model with a physical batch size of {count:,} or more.",
                field="load.physical_batch_size",
            )
        # How many tokens it has may depend on what comes before it.
        name = f"{name}:{count}"
        embeddings = self._memo.get(name)
        if embeddings is None:
            if not encode:
                return None
            embeddings = self._encode(native, count, index)
            self._memo.put(name, embeddings)
        starts, moves = self._positions(native, count)
        return MediaChunk(
            identity=identity_of(f"{self._content}:{name}", count),
            embeddings=embeddings,
            starts=starts,
            moves=moves,
            position_count=self._mtmd.mtmd_input_chunk_get_n_pos(native),
            non_causal=non_causal,
        )

    def _encode(self, native: Any, count: int, index: int) -> NDArray[float32]:
        import numpy

        if self._mtmd.mtmd_encode_chunk(self._context, native) != 0:
            raise EngineFault(f"images[{index}] could not be encoded.", "See the log for llama.cpp's reason.")
        output = self._mtmd.mtmd_get_output_embd(self._context)
        embeddings = numpy.ctypeslib.as_array(output, (count, self.width)).copy()
        if not numpy.isfinite(embeddings).all():
            raise EngineFault(f"The projector made no numbers of images[{index}].", "Try another projector file.")
        return embeddings

    def _positions(self, native: Any, count: int) -> tuple[NDArray[int32], NDArray[int32]]:
        """Where its tokens lie if it begins at 0, and which of these numbers move along with its beginning."""
        import numpy

        if self.axes == 1:
            return numpy.arange(count, dtype=numpy.int32)[None], numpy.ones((1, count), numpy.int32)
        image = self._mtmd.mtmd_input_chunk_get_tokens_image(native)
        at = []
        for base in (0, 1):
            places = (self._mtmd.mtmd_decoder_pos * count)()
            self._mtmd.mtmd_helper_image_get_decoder_pos(image, base, places)
            table = numpy.ctypeslib.as_array(ctypes.cast(places, ctypes.POINTER(ctypes.c_uint32)), (count, 4))
            # time, row, column, nothing: the order of mtmd's own decode_embd_batch, not that of its structure
            at.append(table[:, [0, 2, 1, 3]].T.astype(numpy.int32))
        return at[0], at[1] - at[0]

    def _with_beginning(self, pieces: list[list[int] | MediaChunk]) -> list[list[int] | MediaChunk]:
        beginning = self._vocabulary.beginning
        if not self._vocabulary.adds_beginning or beginning < 0:
            return pieces
        if pieces and isinstance(pieces[0], list) and pieces[0][:1] == [beginning]:
            return pieces
        return [[beginning], *pieces]


def _name(image: bytes, largest_side: int | None) -> str:
    return f"{hashlib.sha256(image).hexdigest()}:{largest_side or 0}"
