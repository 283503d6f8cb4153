"""Threads full of made-up words that are as unevenly common as words of a language are."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

from tui.domain import text_message
from tui.threads import NewMessage, NewThread, ThreadStore

WORDS = 30_000
LONGEST_MESSAGE = 120
"""Words."""


class Writer:
    """Writes messages of made-up words; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.words = ["".join(self._chance.choices(letters, k=self._chance.randint(2, 9))) for _ in range(WORDS)]
        # Zipf's law: the n-th word of a language is about 1/n as common as the first.
        self._weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(WORDS)))

    def text(self, words: int) -> str:
        return " ".join(self._chance.choices(self.words, cum_weights=self._weights, k=words))

    def thread(self, messages: int) -> NewThread:
        return NewThread(
            self.text(5),
            tuple(
                NewMessage(
                    text_message(
                        "assistant" if number % 2 else "user", self.text(self._chance.randint(5, LONGEST_MESSAGE))
                    ),
                    number - 1 if number else None,
                )
                for number in range(messages)
            ),
        )


def filled_store(path: Path, writer: Writer, messages: int, *, per_thread: int = 100) -> ThreadStore:
    """A store with so many messages."""
    store = ThreadStore(path)
    for _ in range(messages // per_thread):
        store.put_thread(writer.thread(per_thread))
    return store
