"""Whether a disk has room for what is to be downloaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tui.domain import StorageFailed

RESERVE: Final = 256 * 2**20
"""Bytes of a disk that downloads leave free, so that everything else there can go on."""


def check_room(folder: Path, needed: int, spoken_for: int) -> None:
    """Raise StorageFailed unless there is room for `needed` bytes beside those that other downloads will still take."""
    from tui.engine import readable_size

    free = free_bytes(folder)
    if needed and needed + spoken_for > free:
        also = f", beside {readable_size(spoken_for)} for other downloads" if spoken_for else ""
        raise StorageFailed(
            f"There is not enough room in {folder}: {readable_size(needed)} more are needed{also}, and "
            f"{readable_size(free)} may be taken.",
            "Delete something there, choose a smaller quantisation, or let LMDECK_MODELS name another folder.",
        )


def free_bytes(folder: Path) -> int:
    """Bytes that downloads may still write below a folder, which need not exist."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return max(0, shutil.disk_usage(folder).free - RESERVE)
    except OSError:  # it does not tell; writing will
        return 2**62
