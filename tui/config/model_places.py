"""Which folders are searched for models beside our own one, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui.config.settings import Settings

FOLDERS: Final = "model_folders"
OTHER_PROGRAMS: Final = "models_of_other_programs"

BUILT_IN_SETTING = "builtin_models"
"""The setting that says whether the models that came with the program are listed."""


def model_folders(settings: Settings) -> list[Path]:
    """The folders that the person added (`model_folders`, a list of paths). They are only read."""
    value = settings.get(FOLDERS, [])
    listed = value if isinstance(value, list) else []
    return [Path(text).expanduser() for text in listed if isinstance(text, str) and text.strip() and "\0" not in text]


def other_programs(settings: Settings) -> bool:
    """Whether the stores of LM Studio, Hugging Face, llama.cpp and Ollama are searched
    (`models_of_other_programs`)."""
    return settings.get(OTHER_PROGRAMS, True) is not False
