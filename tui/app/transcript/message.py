"""What the transcript is given to show."""

from __future__ import annotations

from dataclasses import dataclass

from tui.app.transcript.attachments import Attachment
from tui.domain import Role


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """One message, with what stands in its header and below it."""

    id: str
    role: Role
    text: str
    """Markdown."""
    reasoning: str = ""
    author: str = ""
    """A model's name, or "you"."""
    note: str = ""
    """Figures beside the author, such as "412 tok · 41.8 tok/s"."""
    problem: str = ""
    """What went wrong, shown below the text."""
    time: float = 0.0
    """Seconds since the epoch; 0 shows no time."""
    reasoning_note: str = ""
    """How much reasoning there was, such as "128 tokens"; empty counts its words."""
    version: int = 1
    """Which of the messages in this place it is, from 1."""
    versions: int = 1
    """How many messages there are in this place."""
    attachments: tuple[Attachment, ...] = ()
    """Shown above the text."""
