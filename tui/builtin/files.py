"""Which model files came with the program, and where they lie."""

from __future__ import annotations

import os
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
    """The model files of this installation."""

    @property
    def folder(self) -> Path:
        """Where they lie."""
        chosen = os.environ.get(FOLDER_VARIABLE)
        if chosen:
            return Path(chosen).expanduser()
        from importlib.resources import files

        return Path(str(files("tui.builtin")))

    def files(self) -> dict[str, Path]:
        """The files that are there, by the key of their model."""
        folder = self.folder
        return {key: folder / name for key, name in _FILES.items() if (folder / name).is_file()}
