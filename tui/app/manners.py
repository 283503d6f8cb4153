"""How the application speaks up without getting in the way, and listens to people who type fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import events

from tui.app.figures import problem_text

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.domain import LmdeckError

ERROR_SECONDS = 12.0
"""How long an error stays on the screen, and is not said again."""


class Manners:
    """What belongs to no screen: which notices there are, and whose a key is."""

    def __init__(self, app: LmdeckApp) -> None:
        self._app = app
        self._said: dict[str, float] = {}
        self._returned: events.Key | None = None

    def report(self, error: LmdeckError) -> None:
        """Say what went wrong and what to do, and keep it in the log. The same again is not said at once."""
        text, now = problem_text(error), time.monotonic()
        self._app.workbench.log.write("screen", "error", str(error))
        if now > self._said.get(text, 0.0):
            self._said[text] = now + ERROR_SECONDS
            self._app.notify(text, severity="error", timeout=ERROR_SECONDS, markup=False)

    def make_room(self) -> None:
        """What was just done stands in the place of what was done before: notices must not pile up over the text."""
        notices = self._app._notifications
        for shown in [one for one in notices if one.severity == "information"]:
            self._app._unnotify(shown, refresh=False)

    def give_back(self, event: events.Key) -> None:
        """A slow line brings several keys at once: what follows `/` or `i` is text by now, and must be no command."""
        focused = self._app.focused
        if focused is None or event is self._returned or not focused.check_consume_key(event.key, event.character):
            return
        event.prevent_default()
        self._returned = events.Key(event.key, event.character)
        focused.post_message(self._returned)
