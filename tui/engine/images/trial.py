"""Trying a projector file where it can do no harm: in a child process, as a job of `tui.engine.child_main`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from tui.domain import LoadConfig
from tui.engine.images.chunks import MediaChunk
from tui.engine.images.projector import Projector
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import Kernels, open_model
from tui.engine.vocabulary import Vocabulary

# Shapes that preprocessing treats differently: even, wide, tall, and hardly anything.
_SHAPES = ((64, 64), (320, 80), (60, 240), (1, 1))


def try_projector(model: Path, projector: Path, config: LoadConfig, kernels: Kernels) -> dict[str, Any]:
    """Load a projector beside its model, whose weights are not read, and encode a few small images.

    Returns what it needs: `tokens` of the largest of them, `non_causal`, and `bytes` of the process that came with it.
    Raises ModelUnusable, BadRequest or EngineFault; whatever else is wrong with the file ends the process.
    """
    import psutil

    process = psutil.Process()
    opened = open_model(model, config, kernels, simulate=True)
    before = process.memory_info().rss
    lifetime = Lifetime()
    vocabulary = Vocabulary(load_llama(), opened.model, lifetime)
    seer = Projector(projector, opened, config, kernels, vocabulary, lifetime)
    chunks = [
        piece
        for shape in _SHAPES
        for piece in seer.prompt_chunks(seer.marker, [_grey(*shape)])
        if isinstance(piece, MediaChunk)
    ]
    return {
        "tokens": max(chunk.token_count for chunk in chunks),
        "non_causal": any(chunk.non_causal for chunk in chunks),
        "bytes": process.memory_info().rss - before,
    }


def _grey(width: int, height: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(file, "PNG")
    return file.getvalue()
