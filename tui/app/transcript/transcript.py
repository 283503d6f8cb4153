"""The widget: one scrolling view over all messages, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import events

from tui.app.actions import bindings_for
from tui.app.transcript.attachments import Attachment
from tui.app.transcript.blocks import code_blocks, parse
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.scrolling import TranscriptView
from tui.app.transcript.text import clean
from tui.app.transcript.view import into_view, move_cursor

HEADER_ROWS = 4
"""Most rows that a header takes, with the blank one before it."""


class Transcript(TranscriptView):
    """The messages of a thread, and the answer that is coming."""

    BINDINGS = bindings_for("lists")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._found = (0, -1)

    def show(self, messages: Sequence[TranscriptMessage]) -> None:
        """Replace everything, and look at the end."""
        self._messages.show(messages)
        self._finder.look_again()
        self._cursor = max(0, len(messages) - 1)
        self._following = True
        self._changed()

    def show_again(self, messages: Sequence[TranscriptMessage], cursor_id: str = "") -> None:
        """Replace everything, and look at the message that was in view, or at the one that is named.

        The message cursor goes there too; where the message is gone it stays about where it was.
        """
        seen = self._messages.locate(self._top) or (0, 0)
        seen_id = self._messages.message(seen[0]).id if seen[0] < self._messages.count else ""
        at_cursor = self.cursor_message()
        following = self._following
        self._messages.show(messages)
        self._finder.look_again()
        place = self._messages.index_of(cursor_id or (at_cursor.id if at_cursor else ""))
        self._cursor = max(0, min(self._cursor, len(messages) - 1)) if place is None else place
        self._following = following and not cursor_id
        first = self._messages.index_of(seen_id)
        if self._following or not self._messages.width:
            self._changed()
        elif cursor_id or first is None:
            self._show_line(self._cursor, 0)
        else:
            self._look_at(self._messages.top(first) + seen[1])

    def change(self, message: TranscriptMessage) -> None:
        """Put another state of a complete message in its place."""
        index = self._messages.index_of(message.id)
        if index is None or not self._messages.width:
            return
        seen, top, height = self._messages.locate(self._top), self._top, self._messages.height
        self._messages.replace(index, message)
        if seen is not None and index < seen[0] and not self._following:
            self._look_at(top + self._messages.height - height)
        else:
            self._changed()

    def attach(self, message_id: str, attachments: tuple[Attachment, ...]) -> None:
        """Show what goes along with a message, now that its pictures are drawn."""
        index = self._messages.index_of(message_id)
        if index is not None:
            self.change(replace(self._messages.message(index), attachments=attachments))

    def show_plain(self, plain: bool) -> None:
        """Show texts as they were written, or with their markup drawn."""
        index = (self._messages.locate(self._top) or (0, 0))[0]
        following = self._following
        self._messages.draw_plain(plain)
        if following or not self._messages.width:
            self._changed()
        else:
            self._look_at(self._messages.top(index))

    @property
    def plain(self) -> bool:
        """Whether texts are shown as they were written."""
        return self._messages.plain

    def append(self, message: TranscriptMessage) -> None:
        """Add a message that is complete."""
        self._grow()
        self._messages.append(message)
        self._changed()

    def start_answer(self, message: TranscriptMessage) -> None:
        """Add a message that is still coming, with what has come of it."""
        self._grow()
        self._messages.begin(message)
        self._changed()

    def stream(self, text_delta: str, reasoning_delta: str = "") -> None:
        """Add what came of the answer since the last call. Without an answer it is ignored."""
        if self._messages.live is None:
            return
        if text_delta or reasoning_delta:
            self._messages.wait("")
        self._changed(self._messages.feed(text_delta, reasoning_delta))

    def end_answer(self, message: TranscriptMessage) -> None:
        """Put the complete message in the place of the one that was coming."""
        index = self._messages.index_of(message.id)
        if index is None:
            self.append(message)
        else:
            self._messages.wait("")
            self._messages.replace(index, message)
            self._changed()

    def set_note(self, message_id: str, note: str) -> None:
        """Change the figures in the header of a message."""
        index = self._messages.index_of(message_id)
        if index is not None:
            height = self._messages.height
            self._messages.set_note(index, note)
            top = self._messages.top(index)
            self._changed(top, top + HEADER_ROWS if self._messages.height == height else None)

    def waiting(self, text: str) -> None:
        """Say below the last message what the next answer waits for; an empty text takes it away."""
        self._messages.wait(text)
        self._changed(self._messages.top(self._messages.count))

    def cursor_message(self) -> TranscriptMessage | None:
        """The message under the cursor."""
        return self._messages.message(self._cursor) if self._messages.count else None

    def go_to(self, message_id: str) -> None:
        """Put the cursor on a message, and show its beginning."""
        index = self._messages.index_of(message_id)
        if index is not None:
            self._show_line(index, 0)

    def look_for(self, text: str, *, words: bool = False) -> int:
        """Mark a text or all its words wherever they stand, and show the next place from the cursor on.

        Returns how many messages have it. An empty text marks nothing and stays where it is.
        """
        self._finder.look_for(text, words=words)
        if self._finder.messages:
            self._show_found(self._finder.next_from(self._cursor, -1, 1))
        self.refresh()
        return len(self._finder.messages)

    def find_next(self, step: int) -> tuple[int, int]:
        """Show the next place of the text that is looked for, or the previous one.

        Returns which of the messages that have it this one is, from 1, and how many those are.
        """
        self._finder.look_again()
        index, row = self._found if self._found[0] == self._cursor else (self._cursor, -1 if step > 0 else 1 << 20)
        self._show_found(self._finder.next_from(index, row, step))
        return self.found_place

    @property
    def found_place(self) -> tuple[int, int]:
        """Which of the messages that have the text that is looked for is under the cursor; 0 if none of them is."""
        messages = self._finder.messages
        return messages.index(self._cursor) + 1 if self._cursor in messages else 0, len(messages)

    def _show_found(self, place: tuple[int, int] | None) -> None:
        if place is not None:
            self._found = place
            self._show_line(*place)

    def _show_line(self, index: int, row: int) -> None:
        """Put the cursor on a message, and one of its lines where it can be seen."""
        self._cursor = index
        if not self._messages.width:
            return
        self._messages.measure(index)
        line, height = self._messages.top(index) + row, self._view.height
        if row == 0 or not self._top <= line < self._top + height:
            self._look_at(line - (height // 3 if row else 0))
        else:
            self.refresh()

    def move_cursor(self, step: int) -> None:
        """Go to another message, after what is hidden of this one was scrolled into view."""
        if self._messages.count:
            self._cursor, top = move_cursor(self._messages, self._cursor, self._top, self._view.height, step)
            self._look_at(top)

    def shown_messages(self) -> list[TranscriptMessage]:
        """All messages, with what came so far of the last one."""
        return [self._messages.message(index) for index in range(self._messages.count)]

    def toggle_reasoning(self) -> bool:
        """Fold or unfold the reasoning of the message under the cursor. Returns whether it has any."""
        has_any = self._messages.count > 0 and self._messages.toggle(self._cursor)
        if has_any:
            self._look_at(min(self._top, self._messages.top(self._cursor)))
        return has_any

    def code_blocks(self, message_id: str) -> list[str]:
        """The code of a message's blocks, in the order of their numbers."""
        return [block.text for block in code_blocks(parse(clean(self.message_source(message_id))))]

    def message_source(self, message_id: str) -> str:
        """A message as it was written."""
        index = self._messages.index_of(message_id)
        return self._messages.message(index).text if index is not None else ""

    def selected_text(self) -> str:
        """What was selected with the mouse, without margins, bars and rules."""
        selection = self.text_selection if self.is_attached else None
        return self.get_selection(selection)[0] if selection is not None else ""

    def action_move(self, step: int) -> None:
        """See `move_cursor`."""
        self.move_cursor(step)

    def action_page(self, pages: float) -> None:
        """Scroll by so many views; the cursor comes along."""
        rows = max(1, round(self._view.height * abs(pages)) - 1)
        self._look_at(self._top + (rows if pages > 0 else -rows))
        self._cursor = into_view(self._messages, self._cursor, self._top, self._view.height)

    def action_first(self) -> None:
        """Go to the first message."""
        self._cursor = 0
        self._look_at(0)

    def action_last(self) -> None:
        """Go to the last message, and follow it."""
        self._cursor = max(0, self._messages.count - 1)
        self._following = True
        self._changed()

    def _grow(self) -> None:
        """The cursor goes with the end if it is there."""
        if self._following and self._cursor >= self._messages.count - 1:
            self._cursor = self._messages.count

    def on_click(self, event: events.Click) -> None:
        """Put the message cursor where the mouse is."""
        found = self._messages.locate(self._top + event.get_content_offset_capture(self).y)
        if found is not None and found[0] < self._messages.count:
            self._cursor = found[0]
            self.refresh()
