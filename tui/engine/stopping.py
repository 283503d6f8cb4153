"""Finding stop texts in a stream of token bytes without letting their beginning out."""

from __future__ import annotations

from collections.abc import Sequence


class StopMatcher:
    """Holds back only what may still become a stop text. Works on bytes, so tokens may cut characters in two."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(text.encode("utf-8", "surrogatepass") for text in stops)
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What may go out now, and whether a stop text was found. After it was found, nothing more may come."""
        if not self._stops:
            return data, False
        text = self._held + data
        found = min((at for stop in self._stops if (at := text.find(stop)) >= 0), default=-1)
        if found >= 0:
            self._held = b""
            return text[:found], True
        keep = max(_overlap(text, stop) for stop in self._stops)
        cut = len(text) - keep
        self._held = text[cut:]
        return text[:cut], False

    def rest(self) -> bytes:
        """What was held back, once it is sure that no stop text comes."""
        held, self._held = self._held, b""
        return held


def _overlap(text: bytes, stop: bytes) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
