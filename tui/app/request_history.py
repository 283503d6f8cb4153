"""The requests that the server view lists: those in memory as they change, and older ones from disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tui.domain import RequestJournal, RequestRecord

MOST = 500
"""Requests that are listed."""


class RequestHistory:
    """Keeps the newest requests by id, and of them those that were searched for.

    Those that have left the server's memory are kept without their texts, which `RequestJournal.find` has.
    """

    def __init__(self) -> None:
        self._records: dict[str, RequestRecord] = {}
        self._words: list[str] = []
        self._matches: dict[str, bool] = {}
        self._speeds: dict[str, tuple[float, int]] = {}

    def update(self, latest: Sequence[RequestRecord], now: float) -> None:
        """Take over those in memory. `now` is on a monotonic clock, in seconds."""
        present = {record.id for record in latest}
        for key, record in self._records.items():
            if key not in present and (record.body or record.prompt or record.output):
                self._records[key] = without_texts(record)
        self._records |= {record.id: record for record in latest}
        for record in latest:
            if record.over:
                self._speeds.pop(record.id, None)
            elif record.tokens:
                self._speeds.setdefault(record.id, (now, record.tokens))

    def add_older(self, records: Iterable[RequestRecord]) -> None:
        """Take over some from disk."""
        self._records = {record.id: record for record in records} | self._records

    def clear(self) -> None:
        """Forget those that have ended."""
        self._records = {key: record for key, record in self._records.items() if not record.over}
        self._matches.clear()

    def shown(self) -> list[RequestRecord]:
        """Those that are to be listed, the newest first."""
        newest = sorted(self._records.values(), key=lambda record: record.started, reverse=True)
        self._records = {record.id: record for record in newest[:MOST]}
        if not self._words:
            return newest[:MOST]
        return [record for record in newest[:MOST] if self._is_wanted(record)]

    def look_for(self, words: list[str], matches: dict[str, bool]) -> None:
        """List only those in which all the words occur; for the ones in `matches` that is known."""
        self._words, self._matches = words, matches

    def _is_wanted(self, record: RequestRecord) -> bool:
        if record.id in self._matches:
            return self._matches[record.id]
        found = contains(record, self._words)
        if record.over:
            self._matches[record.id] = found
        return found

    def speed(self, record: RequestRecord, now: float) -> float:
        """Tokens per second: of the whole answer when it has ended, since its first token while it runs, else 0."""
        if record.stats is not None:
            return record.stats.generation_speed
        began, tokens = self._speeds.get(record.id, (now, 0))
        return (record.tokens - tokens) / (now - began) if now > began else 0.0


def search(journal: RequestJournal, words: list[str]) -> tuple[list[RequestRecord], dict[str, bool]]:
    """Requests from disk in which the words occur, and for those in memory whether they do. Blocks."""
    found = list(journal.search(" ".join(words), MOST))
    matches = {record.id: contains(record, words) for record in journal.latest() if record.over}
    return found, matches | {record.id: True for record in found}


def contains(record: RequestRecord, words: list[str]) -> bool:
    """Whether all the words, which are in lower case, occur in a request."""
    texts = (record.path, record.model, record.client, record.token, record.error, str(record.status))
    long = (record.body, record.prompt, record.output)
    text = " ".join((*texts, *long)).casefold()
    return all(word in text for word in words)


def without_texts(record: RequestRecord) -> RequestRecord:
    """The request without what may be long."""
    return replace(record, body="", prompt="", output="", reasoning="", tool_calls=())
