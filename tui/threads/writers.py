"""Who is still writing: a locked file beside the store for every process that records answers.

The system drops the lock however a process dies, at once and on its own. A process number would say less: it
is given out again, and means something else inside a container.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tui.threads.identifiers import new_id

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Writer:
    """This process's right to be believed alive, from its making until `release` or the death of the process.

    Raises OSError when the file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        while True:
            self.id = new_id()
            self._path = _lock_file(database, self.id)
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            # Another process that clears old files away may have caught this one before it was locked.
            if _try_lock(self._descriptor) and self._path.exists():
                return
            os.close(self._descriptor)

    def release(self) -> None:
        """Give up the right and remove the file."""
        os.close(self._descriptor)
        self._path.unlink(missing_ok=True)


def is_alive(database: Path, writer: str) -> bool:
    """Whether the process that calls itself `writer` still runs. When in doubt it does."""
    try:
        descriptor = os.open(_lock_file(database, writer), os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _try_lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def remove_files_of_dead_writers(database: Path) -> None:
    """Clear away what processes that were killed have left beside the store."""
    prefix = _lock_file(database, "").name
    for path in database.parent.glob(f"{prefix}*"):
        if not is_alive(database, path.name.removeprefix(prefix)):
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue


def _lock_file(database: Path, writer: str) -> Path:
    return database.with_name(f"{database.name}-writer-{writer}")
