"""The one registry of what a person can do: bindings, footer, palette, help, go overlay and key map come from it.

Keys follow what arrives over SSH and in tmux without settings; see `Action.keys`. Nothing else in the app
declares a key, except the text fields of Textual with their editing keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal[
    "everywhere", "chat", "composer", "transcript", "threads", "lists", "log", "models", "load", "dialogs",
    "server", "options", "tokens", "requests", "request", "discover", "repositories", "choices", "downloads",
]  # fmt: skip
"""The focused pane or open dialog in which an action applies."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do."""

    id: str
    """Stable: the user's key map in the settings names it."""
    title: str
    help: str
    where: Where
    command: str
    """Textual's action string."""
    keys: str = ""
    """Keys, separated by commas. At least one of them must arrive in a legacy terminal: no ctrl+enter, ctrl+shift,
    alt+digit, ctrl+h, ctrl+i, ctrl+m as the only one."""
    footer: str = ""
    """The word in the footer; empty keeps it out."""
    priority: int = 0
    """Which footer entries stay when room gets short: the lower the longer."""
    first: bool = False
    """Whether its key comes before what the focused widget would do with it."""
    go: str = ""
    """Its letter in the go overlay."""
    palette: bool = True
    """Whether the palette offers it on the main screen."""


ACTIONS: tuple[Action, ...] = (
    Action("go", "Go to…", "One letter after it takes you anywhere", "chat", "go", "ctrl+g", "go", 3, palette=False),
    Action("send", "Send the message", "Saves the message, then lets the model answer", "composer",
           "send", "enter", "send", 4, palette=False),
    Action("newline", "New line in the message", "shift+enter too, where the terminal knows it", "composer",
           "newline", "ctrl+j,shift+enter", palette=False),
    Action("leave", "Leave the composer", "To the transcript, where letters are commands", "composer",
           "screen.focus_transcript", "escape", "read", 12, palette=False),
    Action("stop", "Stop the answer", "What has come so far is kept", "chat", "stop", "ctrl+c", "stop", 0, first=True),
    Action("copy.selection", "Copy the selection", "Copies what is selected in the focused pane", "chat",
           "copy_selection", "ctrl+c", first=True),
    Action("thread.new", "New thread", "An empty thread; it is saved with its first message", "chat",
           "new_thread", "ctrl+n", "new thread", 7, go="n"),
    Action("threads", "Threads", "Shows, focuses or hides the list of threads", "chat",
           "toggle_threads", "ctrl+t", "threads", 6, go="t"),
    Action("model", "Choose or load a model", "On disk and on remote engines: use, load, unload", "chat",
           "choose_model", "ctrl+o", "model", 5, go="m"),
    Action("again", "Answer again", "Lets the model answer your last message once more", "chat",
           "answer_again", "ctrl+r", "again", 10, go="r"),
    Action("log", "Log", "Shows or hides what the engine and the libraries say", "chat",
           "toggle_log", "ctrl+l", "log", 11, go="l"),
    Action("server", "Server", "Its options, API tokens, and every request that came in", "chat",
           "show_server", "ctrl+s", "server", 8, go="s"),
    Action("discover", "Find models", "Searches Hugging Face, says what fits this machine, and downloads it", "chat",
           "discover", "f3", "find", 12, go="f"),
    Action("downloads", "Downloads", "What is being downloaded: pause, go on, cancel, load", "chat",
           "show_downloads", "f4", go="w"),
    Action("message.copy", "Copy the message", "The message under the cursor, as Markdown", "transcript",
           "screen.copy_message", "y", "copy", 4),
    Action("code.copy", "Copy a code block", "Asks for its number when there are several", "transcript",
           "screen.copy_code", "c", "copy code", 4),
    Action("fold", "Fold or unfold the thinking", "For the message under the cursor", "transcript",
           "screen.fold_reasoning", "space", "fold", 4),
    Action("compose", "Write a message", "Puts the cursor into the composer", "transcript",
           "screen.focus_composer", "i,enter", "write", 4, go="c"),
    Action("read", "Read the transcript", "Puts the focus on the messages", "chat",
           "screen.focus_transcript", go="v"),
    Action("thread.open", "Open", "Shows the thread under the cursor", "threads",
           "open", "enter", "open", 4, palette=False),
    Action("thread.rename", "Rename the thread", "Its title is taken from its first message until you do", "threads",
           "screen.rename_thread", "r", "rename", 4, go="e"),
    Action("thread.delete", "Delete the thread", "It goes to the trash; u brings it back", "threads",
           "screen.delete_thread", "d", "delete", 4, go="x"),
    Action("thread.undo", "Bring back the deleted thread", "Undoes the last delete", "threads",
           "screen.undo_delete", "u", "undo delete", 2, go="u"),
    Action("threads.filter", "Filter", "Type a part of the title; esc shows all again", "threads",
           "filter", "slash", "filter", 4, palette=False),
    Action("threads.leave", "Back to the composer", "Leaves the list of threads", "threads",
           "screen.leave_threads", "escape", palette=False),
    Action("lists.up", "Up", "One row up", "lists", "move(-1)", "up,k", palette=False),
    Action("lists.down", "Down", "One row down", "lists", "move(1)", "down,j", palette=False),
    Action("lists.page_up", "Page up", "One page up", "lists", "page(-1)", "pageup,ctrl+u,b", palette=False),
    Action("lists.page_down", "Page down", "One page down", "lists", "page(1)", "pagedown,ctrl+d", palette=False),
    Action("lists.first", "First", "To the first row", "lists", "first", "home,g", palette=False),
    Action("lists.last", "Last", "To the last row", "lists", "last", "end,G", palette=False),
    Action("log.close", "Close the log", "Back to the composer", "log", "screen.toggle_log", "escape", "close", 5,
           palette=False),
    Action("models.load", "Use or load", "Uses a loaded model, or asks how to load it", "models",
           "open", "enter", "use or load", 1, palette=False),
    Action("models.reload", "Load with other parameters", "Opens the load parameters of a loaded model", "models",
           "screen.reload", "e", "parameters", 3, palette=False),
    Action("models.unload", "Unload", "Frees the memory of the model", "models",
           "screen.unload", "U", "unload", 4, palette=False),
    Action("models.add_remote", "Add a remote engine", "A server elsewhere, by its address and key", "models",
           "screen.add_remote", "a", "add remote", 6, palette=False),
    Action("models.remove_remote", "Remove the remote engine", "Forgets its address and its key; asks first", "models",
           "screen.remove_remote", "D", "remove", 7, palette=False),
    Action("models.discover", "Find and download models", "Searches Hugging Face", "models",
           "screen.discover", "f", "find more", 5, palette=False),
    Action("models.filter", "Filter", "Type a part of the name; esc shows all again", "models",
           "filter", "slash", "filter", 5, palette=False),
    Action("load.start", "Load", "Loads the model with these parameters", "load",
           "confirm", "enter", "load", 1, palette=False),
    Action("load.less", "Less", "The next smaller value, or the previous choice", "load",
           "step(-1)", "left,h", palette=False),
    Action("load.greater", "More", "The next larger value, or the next choice", "load",
           "step(1)", "right,l,space", palette=False),
    Action("load.reset", "Reset the value", "Back to the default", "load", "reset", "r,delete", "reset", 4,
           palette=False),
    Action("load.fit", "Fit to memory", "Chooses context length and GPU layers for the memory that is free", "load",
           "screen.fit", "f", "fit", 3, palette=False),
    Action("load.anyway", "Load anyway", "Loads although the guardrail refuses", "load",
           "screen.load_anyway", "a", "load anyway", 1, palette=False),
    Action("load.find", "Find a parameter", "Type a part of its name or of what it does; esc shows all again", "load",
           "filter", "slash", "find", 5, palette=False),
    Action("load.more", "More parameters", "Shows or hides the less common parameters", "load",
           "more", "m", "more", 3, palette=False),
    Action("server.switch", "Server on or off", "Listens for clients, or stops; asks first while it answers", "server",
           "app.toggle_server", "s", "on/off", 1, palette=False),
    Action("server.options", "Options", "Port, who may reach it, tokens, loading by requests", "server",
           "focus_pane('OptionList')", "o", "options", 4, palette=False),
    Action("server.tokens", "API tokens", "Make and revoke them", "server",
           "focus_pane('TokenList')", "t", "tokens", 8, palette=False),
    Action("server.address", "Copy the address", "The base URL that clients of OpenAI want", "server",
           "copy_address", "a", "copy address", 10, palette=False),
    Action("server.next", "Next pane", "Requests, details, options, tokens", "server",
           "next_pane(1)", "tab", "pane", 9, palette=False),
    Action("server.previous", "Previous pane", "The other way round", "server",
           "next_pane(-1)", "shift+tab", palette=False),
    Action("server.back", "Back", "To the list of requests, and from there to the chat", "server",
           "back", "escape", "back", 2, palette=False),
    Action("options.change", "Change", "Switches the option, or asks for its value", "options",
           "open", "enter,space", "change", 3, palette=False),
    Action("tokens.create", "New API token", "Asks for its name and what it may do", "tokens",
           "screen.create_token", "n", "new token", 3, palette=False),
    Action("tokens.revoke", "Revoke the token", "Asks first; clients that use it are refused at once", "tokens",
           "screen.revoke_token", "d", "revoke", 4, palette=False),
    Action("requests.open", "Details", "What was asked, what the model read, what it said", "requests",
           "open", "enter", "details", 3, palette=False),
    Action("requests.filter", "Find", "Words in the request or its answer, also in older ones", "requests",
           "filter", "slash", "find", 5, palette=False),
    Action("requests.clear", "Clear the log", "Asks first; forgets every request that has ended", "requests",
           "screen.clear_log", "X", "clear", 11, palette=False),
    Action("request.previous", "Previous section", "Request, prompt, answer, figures", "request",
           "screen.section(-1)", "left,h", palette=False),
    Action("request.next", "Next section", "Request, prompt, answer, figures", "request",
           "screen.section(1)", "right,l", "section", 6, palette=False),
    Action("request.copy", "Copy the section", "The request's JSON, the prompt, the answer or the figures", "request",
           "screen.copy_section", "y", "copy", 6, palette=False),
    Action("request.curl", "Copy as curl", "A command that sends the same request", "request",
           "screen.copy_curl", "c", "curl", 7, palette=False),
    Action("request.replay", "Replay", "Sends the same body to our server; it shows up as a new request", "request",
           "screen.replay", "r", "replay", 7, palette=False),
    Action("discover.search", "Search", "Words, owner/name, or an address; enter searches at once", "discover",
           "search", "slash", "search", 3, palette=False),
    Action("discover.sort", "Sort", "Best match, trending, downloads, likes, newest", "discover",
           "sort", "s", "sort", 6, palette=False),
    Action("discover.size", "Size", "Only models with at most so many parameters", "discover",
           "narrow", "f", "size", 7, palette=False),
    Action("discover.card", "Read-me", "What the repository says of itself, or its figures", "discover",
           "card", "i", "read-me", 5, palette=False),
    Action("discover.next", "Next pane", "Models, files, card, downloads", "discover",
           "next_pane(1)", "tab", "pane", 9, palette=False),
    Action("discover.previous", "Previous pane", "The other way round", "discover",
           "next_pane(-1)", "shift+tab", palette=False),
    Action("discover.downloads", "Downloads", "All downloads, with their reasons", "discover",
           "show_downloads", "w", "downloads", 8, palette=False),
    Action("discover.back", "Back", "To the models found, and from there to the chat", "discover",
           "back", "escape", "back", 2, palette=False),
    Action("repositories.open", "Files", "Its quantisations, and which of them fit", "repositories",
           "open", "enter", "files", 1, palette=False),
    Action("choices.get", "Download", "This file with all that belongs to it; loads what is here", "choices",
           "open", "enter,g", "download", 1, palette=False),
    Action("downloads.pause", "Pause or go on", "What came so far is kept", "downloads",
           "screen.pause_download", "p,space", "pause", 1, palette=False),
    Action("downloads.retry", "Try again now", "Without waiting for the next attempt", "downloads",
           "screen.retry_download", "r", "retry", 3, palette=False),
    Action("downloads.cancel", "Cancel", "Asks first, and throws away what came", "downloads",
           "screen.cancel_download", "x", "cancel", 4, palette=False),
    Action("downloads.clear", "Clear the list", "Forgets downloads that have ended; their files stay", "downloads",
           "screen.clear_downloads", "C", "clear", 8, palette=False),
    Action("downloads.load", "Load", "Loads a model that has arrived", "downloads",
           "open", "enter", "load", 2, palette=False),
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

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

_TYPED = {"colon", "question_mark", "slash", "space"}
_LABELS = {
    "question_mark": "?", "colon": ":", "slash": "/", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "delete": "del",
}  # fmt: skip


def bindings_for(where: Where) -> list[BindingType]:
    """The bindings of everything that applies somewhere, for a `BINDINGS` list.

    A key that types a character never comes before the focused widget, so that text fields get it.
    """
    return [
        Binding(
            key,
            action.command,
            action.title,
            show=False,
            id=action.id,
            priority=action.first and len(key) > 1 and key not in _TYPED,
        )
        for action in ACTIONS
        if action.where == where
        for key in action.keys.split(",")
        if key
    ]


def key_label(key: str, *, short: bool = False) -> str:
    """A key as people write it: `ctrl+n`, or `^n` where room is short."""
    if key.startswith("ctrl+"):
        return f"^{key[5:]}" if short else key
    return _LABELS.get(key, key.upper() if key.startswith("f") and key[1:].isdigit() else key)
