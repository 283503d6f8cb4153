"""LM Studio's folders: its models, and the `model.yaml` files that it fetched from its own hub.

Its home is what `~/.lmstudio-home-pointer` names, else `~/.cache/lm-studio` where that exists, else `~/.lmstudio`
(lmstudio-js, findLMStudioHome.ts). `settings.json` may name another folder for the models (`downloadsFolder`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

_LONGEST_SETTINGS: Final = 2**22


def lm_studio_home(home: Path) -> Path:
    """The folder in which LM Studio keeps everything, whether it is there or not."""
    pointer = home / ".lmstudio-home-pointer"
    try:
        with open(pointer, encoding="utf-8", errors="replace") as file:
            named = file.read(4096).strip()
        if named and "\0" not in named:
            return Path(named).expanduser()
    except (OSError, RuntimeError):
        pass
    older = home / ".cache" / "lm-studio"
    return older if older.is_dir() else home / ".lmstudio"


def lm_studio_folders(home: Path) -> list[Path]:
    """Where LM Studio's models are, and where its virtual models are described."""
    root = lm_studio_home(home)
    return [_downloads(root) or root / "models", root / "hub" / "models"]


def _downloads(root: Path) -> Path | None:
    try:
        with open(root / "settings.json", "rb") as file:
            settings = json.loads(file.read(_LONGEST_SETTINGS))
        named = settings.get("downloadsFolder")
        return Path(named).expanduser() if isinstance(named, str) and named.strip() and "\0" not in named else None
    except (OSError, ValueError, AttributeError, RecursionError, RuntimeError):
        return None
