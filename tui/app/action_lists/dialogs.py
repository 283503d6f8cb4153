"""Dialogs, and what works wherever one is."""

from __future__ import annotations

from tui.app.action import Action

DIALOGS: tuple[Action, ...] = (
    Action("pick.up", "Up", "One row up", "picking", "move(-1)", "up", palette=False),
    Action("pick.down", "Down", "One row down", "picking", "move(1)", "down", palette=False),
    Action("pick.page_up", "Page up", "One page up", "picking", "page(-1)", "pageup", palette=False),
    Action("pick.page_down", "Page down", "One page down", "picking", "page(1)", "pagedown", palette=False),
    Action("writing.keep", "Keep", "Keeps what is written", "writing", "keep", "ctrl+s,f2", palette=False, first=True),
    Action("writing.second", "Keep the other way", "As the lower border says", "writing", "keep_second", "ctrl+r",
           palette=False, first=True),
    Action("writing.editor", "Write in your editor", "Hands the text to $EDITOR", "writing", "editor", "f5",
           palette=False, first=True),
    Action("reading.copy", "Copy", "Copies all of the text", "reading", "copy", "y", palette=False),
    Action("dialog.close", "Close", "Closes what is open; stops a load that is running", "dialogs",
           "screen.close", "escape", "close", 2, palette=False),
    Action("server.toggle", "Server on or off", "Clients find it at localhost:1234 or the port you chose", "everywhere",
           "app.toggle_server", "f9", go="o"),
    Action("theme", "Dark or light", "Switches between the dark and the light theme", "everywhere",
           "app.toggle_dark", go="d"),
    Action("mouse", "Mouse on or off", "Off leaves selecting to the terminal; from the next start", "everywhere",
           "app.toggle_setting('mouse')"),
    Action("slow", "Low bandwidth on or off", "15 frames a second, no animation; from the next start", "everywhere",
           "app.toggle_setting('low_bandwidth')"),
    Action("palette", "Command palette", "Every command by name", "everywhere",
           "app.command_palette", "ctrl+p,colon", "palette", 2, first=True, palette=False, go="p"),
    Action("help", "Help", "The keys that work where you are", "everywhere",
           "app.help", "f1,question_mark", "help", 1, first=True, go="h"),
    Action("quit", "Quit", "Asks first when an answer is running", "everywhere", "app.quit", "ctrl+q", "quit", 13,
           first=True, go="q"),
)  # fmt: skip
