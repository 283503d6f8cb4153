"""Which processes of this installation serve, and where: a small file for each, that only its owner may read.

The command line finds servers by it that another `lmdeck` has started, with a screen or without.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Holder = Literal["screen", "serve"]
"""Whether somebody sits before the server, or it runs without a screen."""

# Seconds by which the system's and our idea of when a process began may differ.
_CLOCK_ERROR = 2.0


@dataclass(frozen=True, slots=True)
class Presence:
    """One running server."""

    pid: int
    born: float
    """When its process began, in seconds since 1970: the system gives process ids out again."""
    holder: Holder
    address: str
    bind: str
    version: str
    since: float
    """When it began to listen, in seconds since 1970."""
    key: str
    """An API token with every permission that is good for as long as the process lives."""


def announce(folder: Path, *, holder: Holder, address: str, bind: str, version: str, since: float, key: str) -> None:
    """Let others know that this process serves. Raises OSError."""
    presence = Presence(os.getpid(), _born(os.getpid()), holder, address, bind, version, since, key)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{presence.pid}.tmp"
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(presence), file)
    temporary.replace(_file(folder, presence.pid))


def withdraw(folder: Path) -> None:
    """Let others know that this process serves no more."""
    with suppress(OSError):
        _file(folder, os.getpid()).unlink()


def present_servers(folder: Path) -> list[Presence]:
    """The servers that are running now, the oldest first. What dead processes left behind is removed."""
    found = []
    for path in folder.glob("*.json"):
        try:
            presence = Presence(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if is_alive(presence):
            found.append(presence)
        else:
            with suppress(OSError):
                path.unlink()
    return sorted(found, key=lambda presence: presence.since)


def is_alive(presence: Presence) -> bool:
    """Whether the process is still there, and is not another one with its number."""
    return abs(_born(presence.pid) - presence.born) < _CLOCK_ERROR


def _born(pid: int) -> float:
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return 0.0


def _file(folder: Path, pid: int) -> Path:
    return folder / f"{pid}.json"
