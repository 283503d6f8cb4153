"""Which line of which message stands where, without drawing messages that nobody has looked at.

A message that was not drawn yet has a guessed height; `measure` makes it a fact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from tui.app.transcript.header import COLUMN, Line, to_lines
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import BLANK
from tui.app.transcript.section import BODY_MARGIN, LiveSection, Section
from tui.app.transcript.text import clean, wrap

CACHED_SECTIONS = 100
"""Messages whose lines are kept; about 20 KB each."""

Mark = tuple[int, int]
"""A place that survives wrapping: a message, and how many characters of it come before."""


class Layout:
    """The lines of all messages. After the last one come the lines that tell what an answer waits for."""

    def __init__(self) -> None:
        self.width = 0
        self.palette = Palette()
        self.plain = False
        """Whether texts are shown as they were written, see `draw_plain`."""
        self.live: LiveSection | None = None
        self._sections: list[Section | LiveSection] = []
        self._live_index = 0
        self._waiting = ""
        self._waiting_lines: list[Line] = []
        self._heights: list[int] = []
        self._measured: list[bool] = []
        self._tops: list[int] = [0]  # where each message begins; valid as far as it goes
        self._cache: OrderedDict[int, list[Line]] = OrderedDict()

    @property
    def count(self) -> int:
        """How many messages there are."""
        return len(self._sections)

    def index_of(self, message_id: str) -> int | None:
        """Where a message is, looking from the end."""
        for index in range(self.count - 1, -1, -1):
            if self._sections[index].message.id == message_id:
                return index
        return None

    def message(self, index: int) -> TranscriptMessage:
        """A message with everything that came so far."""
        section = self._sections[index]
        if isinstance(section, LiveSection):
            text, reasoning = section.received
            return replace(section.message, text=text, reasoning=reasoning)
        return section.message

    def show(self, messages: Iterable[TranscriptMessage]) -> None:
        """Replace all messages. One that was there before stays unfolded if it was."""
        unfolded = {section.message.id for section in self._sections if section.unfolded}
        self._sections = [Section(message, unfolded=message.id in unfolded) for message in messages]
        self.live = None
        self._waiting, self._waiting_lines = "", []
        self._forget()

    def append(self, message: TranscriptMessage) -> None:
        """Add a complete message."""
        self._add(Section(message))

    def begin(self, message: TranscriptMessage) -> None:
        """Add a message that is still coming."""
        self._add(self._new_live(message, self.count, unfolded=False))

    def feed(self, text: str, reasoning: str) -> int:
        """Add to the message that is still coming. Returns the first line of all that may not be as it was."""
        assert self.live is not None
        index = self._live_index
        first = self.live.feed(text, reasoning)
        self._set_height(index, len(self.live.lines))
        return self.top(index) + first

    def replace(self, index: int, message: TranscriptMessage) -> None:
        """Put a complete message in the place of another one."""
        old = self._sections[index]
        if old is self.live:
            self.live = None
        self._change(index, Section(message, unfolded=old.unfolded))

    def set_note(self, index: int, note: str) -> None:
        """Change what stands in the header of a message."""
        section = self._sections[index]
        if isinstance(section, LiveSection):
            section.set_note(note)
            self._set_height(index, len(section.lines))
        else:
            self._change(index, Section(replace(section.message, note=note), unfolded=section.unfolded))

    def toggle(self, index: int) -> bool:
        """Fold or unfold the reasoning of a message. Returns whether it has any."""
        section = self._sections[index]
        if not self.message(index).reasoning.strip():
            return False
        if isinstance(section, LiveSection):
            self._change(index, self._new_live(self.message(index), index, unfolded=not section.unfolded))
        else:
            self._change(index, Section(section.message, unfolded=not section.unfolded))
        return True

    def wait(self, text: str) -> None:
        """Say what the next answer waits for; an empty text says nothing."""
        self._waiting = text
        self._renew_waiting()

    def resize(self, width: int) -> None:
        """Wrap everything to another width."""
        self.width = width
        self._renew()
        self._forget()

    def recolour(self, palette: Palette) -> None:
        """Draw everything in other colours. Heights stay."""
        self.palette = palette
        self._renew()
        self._cache.clear()

    def draw_plain(self, plain: bool) -> None:
        """Show texts as they were written, or with their markup drawn."""
        self.plain = plain
        self._renew()
        self._forget()

    @property
    def height(self) -> int:
        """How many lines there are, guessed where nobody looked."""
        return self.top(self.count) + len(self._waiting_lines)

    def top(self, index: int) -> int:
        """The first line of a message, which is the blank one before it."""
        while len(self._tops) <= index:
            self._tops.append(self._tops[-1] + self._heights[len(self._tops) - 1])
        return self._tops[index]

    def height_of(self, index: int) -> int:
        """How many lines a message has."""
        return self._heights[index]

    def is_measured(self, index: int) -> bool:
        """Whether the height of a message is a fact."""
        return index >= self.count or self._measured[index]

    def locate(self, line: int) -> tuple[int, int] | None:
        """The message that a line belongs to, and the line's number in it."""
        if not 0 <= line < self.height:
            return None
        index = min(bisect_right(self._tops, line, hi=self.count + 1) - 1, self.count)
        return index, line - self._tops[index]

    def measure(self, index: int) -> int:
        """Find out the height of a message. Returns by how much the guess was short."""
        if self.is_measured(index):
            return 0
        guess = self._heights[index]
        self._set_height(index, len(self.lines(index)))
        return self._heights[index] - guess

    def unmeasured(self, near: int) -> int | None:
        """A message whose height is a guess: above `near` and close to it rather than below."""
        for index in range(min(near, self.count - 1), -1, -1):
            if not self._measured[index]:
                return index
        return next((index for index in range(self.count) if not self._measured[index]), None)

    def lines(self, index: int) -> list[Line]:
        """The lines of a message, or with `count` those that tell what an answer waits for."""
        if index == self.count:
            return self._waiting_lines
        section = self._sections[index]
        if isinstance(section, LiveSection):
            return section.lines
        lines = self._cache.get(index)
        if lines is None:
            lines = self._cache[index] = [
                *self._before(index),
                *section.render(self.width, self.palette, plain=self.plain),
            ]
            if len(self._cache) > CACHED_SECTIONS:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(index)
        return lines

    def mark(self, line: int) -> Mark:
        """The place of a line in the text."""
        found = self.locate(line)
        if found is None:
            return self.count, 0
        index, row = found
        return index, sum(map(_weight, self.lines(index)[:row]))

    def find(self, mark: Mark) -> int:
        """The line where the text of a place is now."""
        index, before = mark
        if index >= self.count:
            return self.height
        self.measure(index)
        row = 0
        for number, line in enumerate(self.lines(index)):
            if before < 0:
                break
            row = number
            before -= _weight(line)
        return self.top(index) + row

    def _before(self, index: int) -> list[Line]:
        return to_lines([BLANK], 1, self.palette) if index else []

    def _new_live(self, message: TranscriptMessage, index: int, *, unfolded: bool) -> LiveSection:
        before = self._before(index)
        self.live = LiveSection(message, self.width, self.palette, before=before, unfolded=unfolded, plain=self.plain)
        self._live_index = index
        return self.live

    def _add(self, section: Section | LiveSection) -> None:
        self._sections.append(section)
        self._heights.append(self._guess(section))
        self._measured.append(False)
        self.measure(self.count - 1)
        self._renew_waiting()

    def _change(self, index: int, section: Section | LiveSection) -> None:
        self._sections[index] = section
        self._cache.pop(index, None)
        self._set_height(index, len(self.lines(index)))
        self._renew_waiting()

    def _renew(self) -> None:
        if self.live is not None:
            index = self._live_index
            self._change(index, self._new_live(self.message(index), index, unfolded=self.live.unfolded))
        self._renew_waiting()

    def _renew_waiting(self) -> None:
        if not self._waiting:
            self._waiting_lines = []
            return
        spans = [("… ", self.palette.live), (clean(self._waiting), self.palette.dim)]
        rows = wrap(spans, max(8, min(self.width, COLUMN) - BODY_MARGIN - 1))
        below_header = self.live is not None and self.live.is_blank
        before = [] if below_header else self._before(self.count)
        self._waiting_lines = [*before, *to_lines(rows, BODY_MARGIN, self.palette)]

    def _forget(self) -> None:
        self._cache.clear()
        self._heights = [self._guess(section) for section in self._sections]
        self._measured = [False] * self.count
        self._tops = [0]
        if self.live is not None:
            self.measure(self._live_index)

    def _set_height(self, index: int, height: int) -> None:
        self._measured[index] = True
        if height != self._heights[index]:
            self._heights[index] = height
            del self._tops[index + 1 :]

    def _guess(self, section: Section | LiveSection) -> int:
        text = section.message.text
        return 2 + text.count("\n") + len(text) // max(8, min(self.width, COLUMN) - BODY_MARGIN)


def _weight(line: Line) -> int:
    text = line.text
    return len(text) - text.count(" ")
