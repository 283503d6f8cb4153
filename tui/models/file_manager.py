"""How a folder is shown in the file manager of the desk at which the person sits."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def folder_opener(folder: Path) -> list[str] | None:
    """The command that shows a folder; `None` where nobody would see it, as over SSH."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return None
    if sys.platform == "darwin":
        return ["open", str(folder)]
    if sys.platform == "win32":
        return ["explorer", str(folder)]
    seen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open", str(folder)] if seen and shutil.which("xdg-open") else None
