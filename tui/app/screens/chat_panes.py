"""The layout of the main screen: four panes between two rows, and how the focus moves among them."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from tui.app.actions import BY_ID
from tui.app.screens import copying
from tui.app.transcript_messages import problem_text
from tui.app.widgets.composer import Composer
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.status_line import StatusLine
from tui.app.widgets.thread_list import ThreadList
from tui.app.widgets.thread_transcript import ThreadTranscript
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.workbench import Workbench

ERROR_SECONDS = 12.0
"""How long an error stays on the screen, and is not said again."""


class ChatPanes(Screen[None]):
    """The list of threads stands beside the transcript, or lies over it where the terminal is narrow."""

    AUTO_FOCUS = "#composer"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self.status_line = StatusLine(id="status")
        self.thread_list = ThreadList(id="threads")
        self.transcript = ThreadTranscript(id="transcript")
        self.composer = Composer(id="composer")
        self._said: dict[str, float] = {}

    @property
    def deck(self) -> LmdeckApp:
        """The application, with what it offers beyond Textual's."""
        return cast("LmdeckApp", self.app)

    def compose(self) -> ComposeResult:
        yield self.status_line
        with Horizontal(id="main"):
            yield self.thread_list
            yield self.transcript
        yield self.composer
        yield KeyBar(id="keys")

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside the screen. An error that has advice is shown, and nothing else stops."""
        self.run_worker(self._attempt(work))

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except LmdeckError as error:
            self.report(error)

    def report(self, error: LmdeckError) -> None:
        """Say what went wrong and what to do, and keep it in the log. The same again is not said at once."""
        text, now = problem_text(error), time.monotonic()
        self.workbench.log.write("screen", "error", str(error))
        if now > self._said.get(text, 0.0):
            self._said[text] = now + ERROR_SECONDS
            self.notify(text, severity="error", timeout=ERROR_SECONDS, markup=False)

    def action_go(self) -> None:
        from tui.app.screens.go import GoScreen

        self.app.push_screen(GoScreen(), self._go_to)

    async def _go_to(self, action_id: str | None) -> None:
        if action_id is not None:
            await self.deck.perform(BY_ID[action_id])

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
        if self.has_class("-narrow"):
            self.thread_list.remove_class("-flipped")
        self.action_focus_composer()

    def action_toggle_log(self) -> None:
        from tui.app.widgets.log_view import LogView

        drawer = self.query_one_optional(LogView)
        if drawer is None:
            self.mount(LogView(self.workbench.log.lines, id="log"), before="#keys")
        else:
            drawer.remove()
            self.action_focus_composer()

    def action_focus_composer(self) -> None:
        self.composer.focus()

    def action_focus_transcript(self) -> None:
        self.transcript.focus()

    def action_fold_reasoning(self) -> None:
        self.transcript.toggle_reasoning()

    def action_copy_selection(self) -> None:
        copying.copy_selection(self)

    def action_copy_message(self) -> None:
        copying.copy_message(self)

    def action_copy_code(self) -> None:
        copying.copy_code(self)
