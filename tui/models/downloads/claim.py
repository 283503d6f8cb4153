"""Claims: which process does a download, so that two of them never write one file. The system ends a claim with its
process."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


class Claim:
    """An exclusive lock on a small file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Whether it is ours now. True again and again until it is given up."""
        if self._file is not None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def give_up(self) -> None:
        """Let others have it."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Give it up for good."""
        self.give_up()
        with suppress(OSError):
            self._path.unlink()


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
