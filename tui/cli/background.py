"""Servers in processes of their own: starting one, waiting for it, asking it, ending it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.domain import Busy, EngineFault
from tui.paths import Paths
from tui.presence import Presence, is_alive, present_servers

STARTING_PATIENCE = 30.0
STOPPING_PATIENCE = 20.0
_LOOK_EVERY = 0.05
_ASKING_PATIENCE = 2.0
_MOST_SAID = 2000


def start_in_background(paths: Paths, words: list[str]) -> tuple[Presence, str]:
    """Start `lmdeck serve` with these options, and wait until it answers; also what it said meanwhile.

    Raises EngineFault with its words if it ends, or does not come up in time.
    """
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "server.log"
    command = [sys.executable, "-m", "tui", "serve", "--quiet", *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output, start_new_session=True
        )
    end = time.monotonic() + STARTING_PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise EngineFault("The server did not start.", _said(log) or f"It ended with code {process.returncode}.")
        present = [presence for presence in present_servers(paths.servers) if presence.pid == process.pid]
        if present and ask_health(present[0]):
            return present[0], _said(log)
        time.sleep(_LOOK_EVERY)
    process.terminate()
    raise EngineFault(f"The server did not answer within {STARTING_PATIENCE:.0f} seconds.", f"See {log}.")


def stop_process(presence: Presence) -> None:
    """End the process of a server and wait until it is gone. Raises Busy if it does not go."""
    with suppress(ProcessLookupError):
        os.kill(presence.pid, signal.SIGTERM)
    end = time.monotonic() + STOPPING_PATIENCE
    while is_alive(presence):
        if time.monotonic() > end:
            raise Busy(f"The server does not end (process {presence.pid}).", "Try again, or kill the process.")
        time.sleep(_LOOK_EVERY)


def ask_health(presence: Presence) -> dict[str, Any]:
    """What a server says of itself; empty if it does not answer."""
    connection = http.client.HTTPConnection(urlsplit(presence.address).netloc, timeout=_ASKING_PATIENCE)
    try:
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {presence.key}"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "lmdeck" in answer else {}


def _said(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")[-_MOST_SAID:].strip().removeprefix("lmdeck: ")
    return ""
