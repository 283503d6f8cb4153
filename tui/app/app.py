"""The Textual application: themes, settings, palette and leaving. The work is in the screens."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.notifications import Notify
from textual.screen import Screen

from tui.app.action import Action
from tui.app.actions import BY_ID, bindings_for
from tui.app.manners import ERROR_SECONDS, Manners
from tui.app.screens.chat import ChatScreen
from tui.app.server_desk import ServerDesk
from tui.app.stylesheets import stylesheet
from tui.app.themes import DARK, LIGHT
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.domain import LocalServer
    from tui.workbench import Workbench

WIDE = 100
"""Columns from which on the list of threads stands beside the transcript."""

TALL = 30


class LmdeckApp(App[None]):
    """The screen over one workbench and its server, which it closes when it ends."""

    TITLE = "lmdeck"
    CSS_PATH = [stylesheet(name) for name in ("app", "chat")]
    BINDINGS = bindings_for("everywhere")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]

    def __init__(self, workbench: Workbench, make_server: Callable[[], LocalServer]) -> None:
        super().__init__()
        self.workbench = workbench
        self.desk = ServerDesk(make_server)
        self.animation_level = "full" if workbench.settings.get("animations", False) else "none"
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # Assigning the theme makes Textual read every stylesheet twice, which the usual one need not cost.
        self.set_reactive(App.theme, DARK.name)
        self.stylesheet.set_variables(self.get_css_variables())
        wanted = str(workbench.settings.get("theme", DARK.name))
        if wanted in self.available_themes:
            self.theme = wanted
        self._key_map: dict[str, str] = {}
        self._clashes: set[str] = set()
        self._manners = Manners(self)
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._leaving = False

    def get_default_screen(self) -> Screen[Any]:
        # Textual would find the classes of this size only after it had styled everything without them.
        width, height = self.size
        classes = f"{'-narrow' if width < WIDE else '-wide'} {'-short' if height < TALL else '-tall'}"
        return ChatScreen(self.workbench, classes)

    def on_mount(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        self.workbench.on_unsaved = self._report_from_thread
        if self._leaving:
            self.exit()
        self.begin_capture_print(self)
        chosen = self.workbench.settings.get("keys", {})
        if isinstance(chosen, dict):
            self._key_map = {name: key for name, key in chosen.items() if name in BY_ID and isinstance(key, str)}
            self.set_keymap(self._key_map)

    def on_print(self, event: events.Print) -> None:
        """Python code that prints would draw over the screen; the log takes it."""
        if text := event.text.rstrip():
            self.workbench.log.write("python", "info", text)

    async def on_unmount(self) -> None:
        # The answer that is still coming is kept by closing the workbench, however we came to leave.
        await asyncio.to_thread(self.desk.close)
        await asyncio.to_thread(self.workbench.close)

    def leave(self) -> None:
        """End the app from any thread or from a signal handler, without asking."""
        self._leaving = True
        if self._own_loop is not None:
            with contextlib.suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(self.exit)

    def keys_of(self, action: Action) -> list[str]:
        """The keys of an action, as the person's key map has them."""
        return [key.strip() for key in self._key_map.get(action.id, action.keys).split(",") if key.strip()]

    async def attempt(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work for a screen. An error is shown, and nothing else stops."""
        try:
            await work
        except LmdeckError as error:
            self.report(error)
        except Exception as error:
            # A defect of ours must not take the threads off the screen, and must be seen.
            for line in "".join(traceback.format_exception(error)).splitlines():
                self.workbench.log.write("screen", "error", line)
            self.report(LmdeckError(f"Something went wrong inside lmdeck: {error!r}", "ctrl+l shows where."))

    def report(self, error: LmdeckError) -> None:
        """Say what went wrong and what to do. The same again is not said at once."""
        self._manners.report(error)

    def on_key(self, event: events.Key) -> None:
        self._manners.give_back(event)

    def on_notify(self, event: Notify) -> None:
        if event.notification.severity == "information":
            self._manners.make_room()

    def _report_from_thread(self, error: LmdeckError) -> None:
        if self._own_loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the screen with it
                self._own_loop.call_soon_threadsafe(self.report, error)

    def warn(self, text: str) -> None:
        """Say something that a person should know before going on."""
        self.notify(text, severity="warning", timeout=ERROR_SECONDS, markup=False)

    def remember(self, setting: str, value: object) -> None:
        """Keep a setting, off the event loop."""
        self.run_worker(asyncio.to_thread(self.workbench.settings.set, setting, value), group="settings")

    def use_theme(self, name: str) -> None:
        """Change the theme and keep the choice."""
        self.theme = name
        self.remember("theme", name)

    def action_toggle_dark(self) -> None:
        self.use_theme(LIGHT.name if self.current_theme.dark else DARK.name)

    def action_toggle_setting(self, name: str) -> None:
        value = not self.workbench.settings.get(name, name == "mouse")
        self.remember(name, value)
        title = BY_ID["mouse" if name == "mouse" else "slow"].title.removesuffix(" on or off")
        self.notify(f"{title} {'on' if value else 'off'} from the next start.", markup=False)

    def action_command_palette(self) -> None:
        from tui.app.palette import Palette

        # What it offers is done in the chat. A place is left for it, a dialog must be answered first.
        if not self.screen.is_modal:
            self.push_screen(Palette())

    def action_toggle_server(self) -> None:
        from tui.app.screens.server_switch import switch

        switch(self)

    def action_help(self) -> None:
        from tui.app.screens.help import HelpScreen, help_entries

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
        else:
            self.push_screen(HelpScreen(help_entries(self.screen)))

    async def action_quit(self) -> None:
        chat = self.screen_stack[0]
        running = len(chat.bridge.running_threads) if isinstance(chat, ChatScreen) else 0
        if not running:
            self.exit()
            return
        from tui.app.screens.dialogs import ConfirmDialog

        if not isinstance(self.screen, ConfirmDialog):
            what = "An answer is" if running == 1 else f"{running} answers are"
            question = f"{what} still being written. What has come so far is kept."
            self.push_screen(ConfirmDialog("Quit?", question, "quit"), self._quit_if)

    def _quit_if(self, confirmed: bool | None) -> None:
        if confirmed:
            self.exit()

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:  # noqa: ARG002
        """The key map gives one key to two actions: say so once."""
        names = ", ".join(sorted(binding.id or binding.action for binding in clashed_bindings))
        if names not in self._clashes:
            self._clashes.add(names)
            self.notify(f"Your key map gives another action the key of: {names}.", severity="warning", markup=False)
