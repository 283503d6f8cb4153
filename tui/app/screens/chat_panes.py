"""The layout of the main screen: its panes between two rows, and how the focus moves among them."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui.app.actions import BY_ID
from tui.app.screens import copying
from tui.app.stylesheets import stylesheet
from tui.app.widgets.composer import Composer
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.status_line import StatusLine
from tui.app.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.app.bridge import Bridge
    from tui.app.conversation import Conversation
    from tui.app.widgets.thread_transcript import ThreadTranscript
    from tui.workbench import Workbench


class ChatPanes(Screen[None]):
    """The list of threads stands beside one or two transcripts, or lies over them where the terminal is narrow."""

    AUTO_FOCUS = "#composer"

    def __init__(self, workbench: Workbench, classes: str) -> None:
        super().__init__(classes=classes)
        self.workbench = workbench
        self.status_line = StatusLine(id="status")
        self.thread_list = ThreadList(id="threads", classes="pane")
        self.composer = Composer(id="composer", classes="pane")
        self.active = 0
        """Which of the transcripts the composer writes to."""

    @property
    def deck(self) -> LmdeckApp:
        """The application, with what it offers beyond Textual's."""
        return cast("LmdeckApp", self.app)

    @cached_property
    def bridge(self) -> Bridge:
        """All running answers. Made after the first paint, since half of our types come along with it."""
        from tui.app.bridge import INTERVAL, Bridge

        bridge = Bridge()
        bridge.use_timer(self.set_interval(INTERVAL, bridge.drain, pause=True))
        return bridge

    @cached_property
    def conversations(self) -> list[Conversation]:
        """What the transcripts show, from left to right."""
        return [self._new_conversation()]

    def _new_conversation(self) -> Conversation:
        # Made after the first paint: nothing else takes as long to import.
        from tui.app.conversation import Conversation
        from tui.app.widgets.thread_transcript import ThreadTranscript

        return Conversation(
            self.workbench, ThreadTranscript(classes="pane"), self.bridge, lambda: self.conversation_changed()
        )

    @property
    def conversation(self) -> Conversation:
        """The thread that the composer writes to."""
        return self.conversations[self.active]

    @property
    def transcript(self) -> ThreadTranscript:
        """The messages of that thread."""
        return self.transcript_of(self.active)

    def transcript_of(self, number: int) -> ThreadTranscript:
        """One of the transcripts, from left to right."""
        return cast("ThreadTranscript", self.conversations[number].transcript)

    def conversation_changed(self) -> None:
        """Something was said or shown."""

    def compose(self) -> ComposeResult:
        yield self.status_line
        yield self.thread_list
        # A bare widget would draw its own name there until the transcript comes.
        frame = Static(id="frame", classes="pane")
        frame.border_title = "New thread"
        yield frame
        yield self.composer
        yield KeyBar(id="keys")

    async def fill_frame(self) -> None:
        """Put the transcript where its empty frame was."""
        self.app.stylesheet.read(stylesheet("transcript"))
        self.transcript.show_title("")
        with self.app.batch_update():
            await self.mount(self.transcript, before="#frame")
            await self.query_one("#frame").remove()

    @property
    def split(self) -> bool:
        """Whether there are two transcripts."""
        return len(self.conversations) > 1

    async def open_beside(self) -> None:
        """Put a second transcript beside the first one, and write to it from now on."""
        added = self._new_conversation()
        await self.mount(added.transcript, after=self.transcript)
        self.conversations.append(added)
        self.add_class("-split")
        self.thread_list.remove_class("-flipped")

    async def close_other(self) -> None:
        """Take away the transcript that the composer does not write to."""
        other = self.conversations.pop(1 - self.active)
        self.active = 0
        self.bridge.watchers.remove(other)
        self.remove_class("-split")
        self.transcript.remove_class("-aside")
        await other.transcript.remove()

    def mark_active(self) -> None:
        """Show which transcript the composer writes to; a narrow screen shows only that one."""
        for number, conversation in enumerate(self.conversations):
            conversation.transcript.set_class(number != self.active, "-aside")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The composer goes with the focus from one transcript to the other."""
        for number, conversation in enumerate(self.conversations if "conversations" in self.__dict__ else []):
            if conversation.transcript is event.widget and number != self.active:
                self.begin(self.activate(number))

    async def activate(self, number: int) -> None:
        """Write to another transcript."""
        self.active = number
        self.mark_active()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside the screen. An error is shown, and nothing else stops."""
        self.run_worker(self.deck.attempt(work))

    def ask(self, work: Coroutine[Any, Any, None]) -> None:
        """The same for work that may wait for what the person answers in a dialog."""
        self.run_worker(self.deck.attempt(work), group="dialog")

    def action_go(self) -> None:
        from tui.app.screens.go import GoScreen

        self.app.push_screen(GoScreen(), self._go_to)

    async def _go_to(self, action_id: str | None) -> None:
        from tui.app.screens.place import perform

        if action_id is not None:
            await perform(self.deck, BY_ID[action_id])

    def action_toggle_threads(self) -> None:
        """Show and focus the list, or hide it when it has the focus."""
        if self.thread_list.has_focus:
            self.thread_list.toggle_class("-flipped")
            self.action_focus_composer()
            return
        if not self.thread_list.display:
            self.thread_list.toggle_class("-flipped")
        self.thread_list.focus()

    def action_leave_threads(self) -> None:
        """Go back to the composer; a list that lies over the transcript goes away."""
        if self.has_class("-narrow") or self.split:
            self.thread_list.remove_class("-flipped")
        self.action_focus_composer()

    def action_toggle_log(self) -> None:
        from tui.app.widgets.log_view import LogView

        drawer = self.query_one_optional(LogView)
        if drawer is None:
            self.add_class("-log")
            self.mount(LogView(self.workbench.log.lines, id="log", classes="pane"), before="#keys")
        else:
            self.remove_class("-log")
            drawer.remove()
            self.action_focus_composer()

    def action_focus_composer(self) -> None:
        # At once: the keys that were typed behind this one are text.
        self.set_focus(self.composer)

    def action_focus_transcript(self) -> None:
        self.transcript.focus()

    def action_fold_reasoning(self) -> None:
        if not self.transcript.toggle_reasoning():
            self.notify("There is no thinking in this message.", markup=False)

    def action_copy_selection(self) -> None:
        copying.copy_selection(self)

    def action_copy_message(self) -> None:
        copying.copy_message(self)

    def action_copy_code(self) -> None:
        copying.copy_code(self)

    def action_copy_thread(self) -> None:
        copying.copy_thread(self)
