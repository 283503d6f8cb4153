"""What lies beside a model file for people to read: its README, and the texts of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.domain import ModelInfo, ModelUnusable
from tui.models.metadata import MetadataItem, read_metadata, tensor_summary
from tui.models.stores.ollama import layer_text, layers_of

_NAMES: Final = ("README.md", "readme.md", "README.txt", "README")
_LONGEST: Final = 2**19
_LAYERS: Final = {"system": "System prompt", "params": "Parameters", "template": "Template (Ollama's own form)",
                  "license": "Licence"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """All that its files say about one model."""

    metadata: tuple[MetadataItem, ...] = ()
    tensors: str = ""
    """How many tensors of which type the first file has."""
    problem: str = ""
    """Why there is no metadata; empty where there is."""
    readme: str = ""
    """Markdown; empty where there is none."""


def read_details(model: ModelInfo) -> ModelDetails:
    """Read everything about a model of this machine. Blocks for some tenths of a second; never raises for a file."""
    readme = _readme(model)
    try:
        return ModelDetails(read_metadata(model.path), tensor_summary(model.path), readme=readme)
    except ModelUnusable as error:
        return ModelDetails(problem=str(error), readme=readme)


def _readme(model: ModelInfo) -> str:
    if model.source == "Ollama" and model.store_name:
        return _texts_of_store(model)
    folders = [model.recipe.parent] if model.recipe is not None else []
    folders.append(model.path.parent)
    if model.publisher:
        # Large models lie in folders of their own below their repository.
        folders.append(model.path.parent.parent)
    for folder in folders:
        for name in _NAMES:
            text = _read(folder / name)
            if text:
                return text
    return ""


def _texts_of_store(model: ModelInfo) -> str:
    folder = model.path.parent.parent
    layers = layers_of(folder, model.store_name)
    parts = []
    for kind, title in _LAYERS.items():
        texts = [layer_text(folder, digest).strip() for digest in layers.get(kind, ())]
        parts += [f"## {title}\n\n```\n{text}\n```\n" for text in texts if text]
    return "\n".join(parts)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with open(path, "rb") as file:
            return file.read(_LONGEST).decode("utf-8", errors="replace")
    except OSError:
        return ""
