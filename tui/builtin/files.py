"""Which model files came with the program, and where they lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

GUIDE: Final = "lmdeck-guide"
"""The key of the model that answers where there is no other."""

EMBEDDING: Final = "all-minilm-l6-v2"
"""The key of the model that makes vectors where there is no other."""

FOLDER_VARIABLE: Final = "LMDECK_BUILTIN"
"""Names another folder for these files: for packagers who keep data apart, and for trying a new guide."""

_FILES: Final = {GUIDE: "guide.gguf", EMBEDDING: "embedding.gguf"}


class BuiltInModels:
    """The model files of this installation, and whether the person wants to see them."""

    def __init__(self, shown: Callable[[], bool]) -> None:
        self._shown = shown

    def files(self) -> dict[str, Path]:
        """The files that are there, by the key of their model."""
        folder = _folder()
        return {key: folder / name for key, name in _FILES.items() if (folder / name).is_file()}

    def shown(self) -> bool:
        """Whether they are listed, and stand in where there is no other model."""
        return self._shown()


def _folder() -> Path:
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from importlib.resources import files

    return Path(str(files("tui.builtin")))
