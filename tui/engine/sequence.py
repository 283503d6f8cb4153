"""One of llama.cpp's sequences and the conversation that lies in it."""

from __future__ import annotations

import time

from tui.engine.checkpoints import Checkpoint
from tui.engine.images import MediaLayout
from tui.engine.task import GenerationTask


class Sequence:
    """A sequence, the tokens that the cache holds for it, and who uses it."""

    __slots__ = (
        "checkpoints",
        "idle_since",
        "keep",
        "last_used",
        "media",
        "number",
        "saved",
        "stops",
        "task",
        "tokens",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.media: MediaLayout | None = None
        """Where images are among the tokens and those of its task that come next; `None` for text alone."""
        self.task: GenerationTask | None = None
        self.last_used = 0
        """Counts up with every answer that ended; the lowest is the longest unused."""
        self.idle_since = time.monotonic()
        self.checkpoints: list[Checkpoint] = []
        """In order of their length."""
        self.stops: list[int] = []
        """Lengths at which the next checkpoints are wanted, in order."""
        self.keep = False
        """Whether the conversation may go to disk."""
        self.saved = 0
        """How many of the tokens are on disk already."""

    @property
    def idle(self) -> bool:
        """Whether there are tokens that nobody works on."""
        return self.task is None and bool(self.tokens)

    @property
    def reading(self) -> bool:
        """Whether its task's prompt has not been read to the end yet."""
        return self.task is not None and len(self.tokens) < self.task.prompt_tokens

    def position(self, index: int) -> int:
        """Where llama.cpp has token `index`."""
        return index if self.media is None else self.media.position(index)

    def touch(self, clock: int) -> None:
        """Note that an answer ended just now."""
        self.last_used, self.idle_since = clock, time.monotonic()

    def forget(self) -> None:
        """Note that the cache holds nothing for it any more."""
        self.tokens.clear()
        self.checkpoints.clear()
        self.stops.clear()
        self.media = None
        self.keep, self.saved = False, 0
