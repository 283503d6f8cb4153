"""Text without markup that comes in pieces: reasoning, and answers in plain-text mode."""

from __future__ import annotations

from rich.style import Style

from tui.app.transcript.text import TAB_SIZE, Row, clean, wrap


class GrowingPlain:
    """Rows of which only the last one is wrapped again when more comes."""

    def __init__(self, width: int, style: Style) -> None:
        self._width = width
        self._style = style
        self._return = ""  # a carriage return at the end, whose line feed may still come
        self._last = ""
        self.rows: list[Row] = []

    def feed(self, delta: str) -> int:
        """Take in more text. Returns the index of the first row that may not be as it was."""
        delta = self._return + delta
        self._return = "\r" if delta.endswith("\r") else ""
        added = clean(delta.removesuffix("\r")).replace("\t", " " * TAB_SIZE)
        if not self.rows:
            added = added.lstrip("\n")
        if not added:
            return len(self.rows)
        source = self._last + added
        del self.rows[-1:]
        first = len(self.rows)
        self.rows.extend(wrap([(source, self._style)], self._width))
        shown = "".join(text for text, _ in self.rows[-1].spans).rstrip(" ")
        self._last = source[len(source.rstrip(" ")) - len(shown) :]
        return first
