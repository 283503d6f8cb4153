"""Names for threads, messages and writers."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """A name that no other process will make, and that sorts by the time of its making."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """Several such names, in order, as if they were made a microsecond apart."""
    now = time.time_ns() // 1000
    return [f"{now + number:014x}{secrets.token_hex(6)}" for number in range(count)]
