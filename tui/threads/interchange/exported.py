"""What comes out when a thread is written in some format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.threads.interchange.portable import PortableThread


@dataclass(frozen=True, slots=True)
class Exported:
    """A thread in a format: its document, what goes beside it, and what the format has no room for."""

    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by their path beside the document, with slashes."""
    left_out: tuple[str, ...] = ()
    """What of the thread is not in there, as people read it: `3 messages on other branches`."""


def other_branches(thread: PortableThread) -> tuple[str, ...]:
    """What a format leaves out that holds only the branch in view."""
    shown = {node.id for node in thread.branch()}
    return counted(sum(node.id not in shown for node in thread.messages), "message", "on other branches")


def counted(count: int, thing: str, where: str) -> tuple[str, ...]:
    """A line that says how many things are meant; none for no things."""
    return (f"{count:,} {thing}{'' if count == 1 else 's'} {where}",) if count else ()
