"""Names for threads, messages and writers."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """A name that no other process will make, and that sorts by the time of its making."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(6)}"
