"""The view over the messages: which lines are seen, in which colours, and how it stays where the person looks."""

from __future__ import annotations

from time import perf_counter

from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.app.transcript.drawing import restyled, row_key, selected_text, with_bar, with_caret, with_selection
from tui.app.transcript.find import Finder
from tui.app.transcript.layout import Layout
from tui.app.transcript.palette import COMPONENT_CLASSES, palette_of
from tui.app.transcript.view import measure_some, settle, settle_end

IDLE_INTERVAL = 0.05
IDLE_SLICE = 0.006
"""Seconds: how often, and for how long, messages that nobody looks at are measured."""


class TranscriptView(ScrollView, can_focus=True, inherit_bindings=False):
    """The lines of a layout.

    While the end is in view it stays in view; scrolling up releases it, going to the end follows it again.
    """

    COMPONENT_CLASSES = COMPONENT_CLASSES
    ALLOW_SELECT = True

    class StateChanged(Message, namespace="transcript"):
        """Whether the end is followed, or the number of messages, has changed."""

        def __init__(self, transcript: TranscriptView) -> None:
            super().__init__()
            self.transcript = transcript

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._messages = Layout()
        self._finder = Finder(self._messages)
        self._cursor = 0
        self._following = True
        self._told = (True, 0)
        self._idle: Timer | None = None

    @property
    def following(self) -> bool:
        """Whether the view stays at the end while more comes."""
        return self._following

    @property
    def message_count(self) -> int:
        """How many messages there are, with the one that is coming."""
        return self._messages.count

    @property
    def _view(self) -> Size:
        return self.scrollable_content_region.size

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    def _changed(self, first: int = 0, end: int | None = None) -> None:
        """Draw the lines from `first` to `end` again, and keep the view on the end or on the text that it shows."""
        if not self._messages.width:
            self._tell()
            return
        before, height = self._top, self._view.height
        self._place(settle_end(self._messages, height) if self._following else settle(self._messages, before, height))
        top = self._top
        begin, stop = max(0, first - top), height if end is None else min(height, end - top)
        if top != before:
            self.refresh()
        elif begin < stop:
            self.refresh(Region(0, begin, self._view.width, stop - begin))
        self._resume_measuring()

    def _look_at(self, top: int) -> None:
        self._place(settle(self._messages, top, self._view.height))
        self.refresh()

    def _place(self, top: int, *, draw_bar: bool = True) -> None:
        """Put the view on a line without the layout pass that Textual makes when a size changes.

        The pane's own size never depends on the text, and a pass costs each time what it costs to draw a token.
        """
        height, view = self._messages.height, self._view
        top = max(0, min(top, height - view.height))
        self.set_reactive(Widget.virtual_size, Size(view.width, height))
        self.set_reactive(Widget.scroll_y, float(top))
        self.set_reactive(Widget.scroll_target_y, float(top))
        if draw_bar:
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = height, view.height, top
        self._following = top >= height - view.height
        self._tell()

    def _tell(self) -> None:
        state = (self._following, self._messages.count)
        if state != self._told:
            self._told = state
            self.post_message(self.StateChanged(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody scrolled with the mouse or the scrollbar."""
        super().watch_scroll_y(old_value, new_value)
        if self._messages.width:
            self._look_at(self._top)

    def on_resize(self) -> None:
        """Wrap what is in view at once, and the rest when there is time."""
        width = self._view.width
        if not width:
            return
        mark = self._messages.mark(self._top) if self._messages.width else (0, 0)
        if width != self._messages.width:
            self._messages.resize(width)
        if self._following:
            self._place(settle_end(self._messages, self._view.height))
        else:
            self._look_at(self._messages.find(mark))
        self.refresh()
        self._resume_measuring()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_attached:
            # Textual gives the component classes their styles only after this.
            self.call_later(self._take_colours)

    def _take_colours(self) -> None:
        """Take over the colours of the stylesheet, and later those of another theme."""
        if self.is_attached and (palette := palette_of(self)) != self._messages.palette:
            self._messages.recolour(palette)
            self.refresh()

    def _resume_measuring(self) -> None:
        if self._idle is None:
            self._idle = self.set_interval(IDLE_INTERVAL, self._measure_some)
        self._idle.resume()

    def _measure_some(self) -> None:
        """Measure a few messages that are out of view. An answer that is coming has the processor for itself."""
        if self._messages.live is not None:
            return
        top, done = measure_some(self._messages, self._top, perf_counter() + IDLE_SLICE)
        # Drawing the scrollbar for each slice would cost a slow line more than the text.
        self._place(top, draw_bar=done)
        if done and self._idle is not None:
            self._idle.pause()

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        found = self._messages.locate(self._top + y)
        if found is None or not self._messages.is_measured(found[0]):
            # Textual may draw a new size before it tells of it; `on_resize` measures and draws again.
            return Strip([])
        index, row = found
        lines = self._messages.lines(index)
        line, palette = lines[row], self._messages.palette
        strip = line.strip
        if (selection := self.text_selection) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            strip = with_selection(line, selection.get_span(row_key(index, row)), style)
        if index == self._cursor < self._messages.count and self.has_focus and (row or not index):
            strip = with_bar(strip, palette.cursor)
        if self._finder.text and (ranges := self._finder.ranges(index, row, lines)):
            strip = restyled(strip, ranges, palette.found)
        live = self._messages.live
        if live is not None and lines is live.lines and row == len(lines) - 1 and live.ends_in_text:
            strip = with_caret(strip, palette.live, self._view.width)
        return strip.apply_offsets(0, row_key(index, row))

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """The text between two places."""
        return selected_text(self._messages, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw what is selected now."""
        self.refresh()
