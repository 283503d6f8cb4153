"""Repositories with real model files for the fake Hub."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tests.models.fake_hub import FakeHub
from tests.support.model_maker import make_tiny_model

README = """---
license: apache-2.0
base_model: maker/tiny
---
# Tiny

A **tiny** model for tests. See [the paper](https://example.org/paper).

- says nothing sensible
"""


def publish_tiny(hub: FakeHub, folder: Path, name: str = "maker/tiny-GGUF", **shape: Any) -> dict[str, Path]:
    """Publish a tiny model in three quantisations with a read-me; the files by their names there."""
    files: dict[str, Path] = {}
    for quantization in ("f16", "q8_0", "q4_0"):
        path = folder / f"tiny-{quantization.upper()}.gguf"
        files[path.name] = make_tiny_model(path, quantization=quantization, embedding=64, **shape)  # type: ignore[arg-type]
    hub.add(
        name,
        {**files, "README.md": README.encode()},
        likes=12,
        downloads=3400,
        gguf={"total": 1_200_000, "architecture": "llama", "context_length": 2048},
        card={"base_model": "maker/tiny", "language": ["en"]},
    )
    return files


def noise(seed: str, size: int) -> bytes:
    """Bytes that differ from those of every other seed."""
    return hashlib.shake_128(seed.encode()).digest(size)
