"""The one registry of what a person can do: bindings, footer, palette, help, go overlay and key map come from it.

Keys follow what arrives over SSH and in tmux without settings; see `Action.keys`. Nothing else in the app
declares a key, except the text fields of Textual with their editing keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal[
    "everywhere", "chat", "composer", "transcript", "threads", "lists", "log", "models", "parameters", "load",
    "sampling", "dialogs", "server", "options", "tokens", "requests", "request", "picking", "writing", "reading",
    "bench",
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
    Action("history.older", "Sent before", "What you sent before; the up arrow in an empty composer too", "composer",
           "history(1)", "alt+up", palette=False),
    Action("history.newer", "Sent after that", "Back towards what you were writing; the down arrow too", "composer",
           "history(-1)", "alt+down", palette=False),
    Action("draft.editor", "Write in your editor", "Hands the message to $EDITOR", "composer",
           "screen.view('edit_draft')", "f5", "editor", 14, go="E"),
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
    Action("sampling", "Sampling and presets", "How this thread's answers are made, and where each value comes from",
           "chat", "view('sampling')", "f8", "sampling", 9, go="i"),
    Action("again", "Answer again", "Lets the model answer your last message once more", "chat",
           "answer_again", "ctrl+r", "again", 10, go="r"),
    Action("search", "Search all threads", "Words in messages and titles; opens the thread there", "chat",
           "view('search')", "ctrl+f", "search", 9, go="/"),
    Action("jump", "Jump to a thread", "A few letters of its title are enough", "chat",
           "view('jump')", go="j"),
    Action("attach", "Attach a file", "An image or a text file; a path that is pasted attaches too", "chat",
           "view('attach')", "alt+a", go="a"),
    Action("split", "Two threads side by side", "Or one alone again; each can generate", "chat",
           "view('split')", "ctrl+backslash", go="b"),
    Action("pane.other", "The other thread", "Goes from one of two threads to the other", "chat",
           "other_pane", "ctrl+right_square_bracket,f6", "other", 3, first=True, go="O"),
    Action("system_prompt", "System prompt of the thread", "What every model in this thread is told first", "chat",
           "view('system_prompt')", go="S"),
    Action("undo", "Undo", "Takes back the last change to threads and messages", "chat",
           "undo", go="u"),
    Action("redo", "Redo", "Does again what was undone last", "chat", "redo", go="U"),
    Action("trash", "Trash", "Shows what was deleted; enter brings it back", "chat", "view('trash')", go="T"),
    Action("trash.empty", "Empty the trash", "Asks first; removes for good what is in there", "chat",
           "view('empty_trash')"),
    Action("archive", "Archive", "Shows the threads that were put away", "chat", "view('archive')", go="A"),
    Action("export", "Export the thread", "Or the folder: Markdown, HTML, JSON, JSONL, LM Studio's format", "chat",
           "view('export')", go="X"),
    Action("import", "Import threads", "From LM Studio, other programs, or what lmdeck has exported", "chat",
           "view('import')", go="I"),
    Action("prompt", "The prompt as the model reads it", "Rendered by the model's own template", "chat",
           "view('prompt')", go="P"),
    Action("log", "Log", "Shows or hides what the engine and the libraries say", "chat",
           "toggle_log", "ctrl+l", "log", 11, go="l"),
    Action("server", "Server", "Its options, API tokens, and every request that came in", "chat",
           "show_server", "ctrl+s", "server", 8, go="s"),
    Action("message.copy", "Copy the message", "The message under the cursor, as Markdown", "transcript",
           "screen.copy_message", "y", "copy", 4),
    Action("code.copy", "Copy a code block", "Asks for its number when there are several", "transcript",
           "screen.copy_code", "c", "copy code", 5),
    Action("thread.copy", "Copy the thread", "All messages that are shown, as Markdown", "transcript",
           "screen.copy_thread", "Y"),
    Action("message.edit", "Edit the message", "In its place, or as a new version", "transcript",
           "screen.message('edit')", "e", "edit", 4),
    Action("message.editor", "Edit in your editor", "Hands the message to $EDITOR", "transcript",
           "screen.message('edit_outside')", "E"),
    Action("message.edit_thinking", "Edit the thinking", "Its text stays as it is", "transcript",
           "screen.message('edit_reasoning')", "T"),
    Action("message.again", "Another answer here", "A new version beside the answers that there are", "transcript",
           "screen.message('regenerate')", "r", "again", 4),
    Action("version.previous", "Previous version", "Of the message under the cursor, with what followed it",
           "transcript", "screen.message('previous_version')", "left,h", "version", 6),
    Action("version.next", "Next version", "Of the message under the cursor, with what followed it", "transcript",
           "screen.message('next_version')", "right,l"),
    Action("message.branch", "Go on from here", "What you send next begins another branch below this message",
           "transcript", "screen.message('branch')", "o", "branch", 6),
    Action("message.branch_thread", "New thread from here", "A copy of everything up to this message", "transcript",
           "screen.message('branch_thread')", "B"),
    Action("message.continue", "Continue the answer", "The model goes on where the last answer ended", "transcript",
           "screen.message('continue')", "C", "continue", 8),
    Action("message.insert", "Add a message", "Below this one, without asking the model", "transcript",
           "screen.message('insert')", "a", "add", 9),
    Action("message.note", "Add a note", "It stands in the thread and is never sent", "transcript",
           "screen.message('note')", "t", go="N"),
    Action("message.role", "Switch the role", "Makes your message one of the model, and back", "transcript",
           "screen.message('role')", "s"),
    Action("message.delete", "Delete the message", "What follows moves up; u undoes it", "transcript",
           "screen.message('delete')", "d", "delete", 7),
    Action("message.delete_following", "Delete from here on", "The message and all that follows; u undoes it",
           "transcript", "screen.message('delete_following')", "D"),
    Action("message.undo", "Undo", "Takes back the last change", "transcript", "screen.undo", "u", "undo", 3,
           palette=False),
    Action("message.redo", "Redo", "Does again what was undone", "transcript", "screen.redo", "U", palette=False),
    Action("message.export", "Export the message", "In the same formats as a thread", "transcript",
           "screen.view('export_message')", "x"),
    Action("message.about", "About the message", "The model and settings that wrote it, and its figures", "transcript",
           "screen.view('about')", "m", "about", 10),
    Action("message.prompt", "The prompt", "As the model read it", "transcript", "screen.view('prompt')", "p",
           palette=False),
    Action("fold", "Fold or unfold the thinking", "For the message under the cursor", "transcript",
           "screen.fold_reasoning", "space", "fold", 5),
    Action("plain", "Plain text on or off", "Shows messages as they were written", "transcript",
           "plain", "v", palette=False),
    Action("find", "Find in the thread", "Marks what you type; enter keeps it, esc ends it", "transcript",
           "find", "slash", "find", 5, palette=False),
    Action("find.next", "Next place", "Where the text that you look for stands", "transcript",
           "find_next(1)", "n", palette=False),
    Action("find.previous", "Previous place", "Where the text that you look for stands", "transcript",
           "find_next(-1)", "N", palette=False),
    Action("transcript.leave", "Back to the composer", "Leaves the transcript", "transcript",
           "screen.focus_composer", "escape", palette=False),
    Action("compose", "Write a message", "Puts the cursor into the composer", "transcript",
           "screen.focus_composer", "i,enter", "write", 4, go="c"),
    Action("read", "Read the transcript", "Puts the focus on the messages", "chat",
           "screen.focus_transcript", go="v"),
    Action("thread.open", "Open", "Shows the thread under the cursor", "threads",
           "open", "enter", "open", 4, palette=False),
    Action("folder.toggle", "Open or close the folder", "The one under the cursor or around it", "threads",
           "toggle_folder", "space,left,right", palette=False),
    Action("thread.new_here", "New thread here", "In the folder under the cursor", "threads",
           "screen.thread('new_here')", "n", "new", 6, palette=False),
    Action("folder.new", "New folder", "In the folder under the cursor, or outside all of them", "threads",
           "screen.thread('new_folder')", "F", "new folder", 6, go="F"),
    Action("folder.defaults", "Defaults of the folder", "System prompt, model and preset for its threads", "threads",
           "screen.view('folder_defaults')", "f", "defaults", 9),
    Action("thread.move", "Move to a folder", "The thread or folder under the cursor", "threads",
           "screen.thread('move')", "m", "move", 5, go="M"),
    Action("thread.up", "Move up", "One place, in an order of your own", "threads",
           "screen.thread('up')", "K,shift+up", palette=False),
    Action("thread.down", "Move down", "One place, in an order of your own", "threads",
           "screen.thread('down')", "J,shift+down", palette=False),
    Action("thread.pin", "Pin or unpin", "Pinned threads stand first", "threads",
           "screen.thread('pin')", "p", "pin", 8),
    Action("threads.sort", "Sort", "By use, age, title or hand", "threads",
           "screen.thread('sort')", "s", "sort", 8),
    Action("thread.archive", "Archive the thread", "Puts it away; search and the archive still have it", "threads",
           "screen.thread('archive')", "a", "archive", 8),
    Action("thread.duplicate", "Duplicate the thread", "With all versions and attachments", "threads",
           "screen.thread('duplicate')", "c"),
    Action("thread.beside", "Open beside", "Shows the thread in the other of two panes", "threads",
           "screen.thread('beside')", "o", "beside", 8),
    Action("thread.title", "Let the model find a title", "For a thread that you have not named yourself", "threads",
           "screen.thread('title')", "t"),
    Action("thread.rename", "Rename the thread", "Or the folder; else a thread is named after its first message",
           "threads", "screen.thread('rename')", "r", "rename", 5, go="e"),
    Action("thread.delete", "Delete the thread", "Or the folder; it goes to the trash, and u brings it back", "threads",
           "screen.thread('delete')", "d", "delete", 4, go="x"),
    Action("thread.undo", "Undo", "Takes back the last change", "threads",
           "screen.undo", "u", "undo", 2, palette=False),
    Action("thread.redo", "Redo", "Does again what was undone", "threads", "screen.redo", "U", palette=False),
    Action("threads.export", "Export", "The thread or folder under the cursor", "threads",
           "screen.view('export')", "x", palette=False),
    Action("threads.trash", "Trash", "Shows what was deleted", "threads", "screen.view('trash')", "T", palette=False),
    Action("threads.archive", "Archive", "Shows what was put away", "threads", "screen.view('archive')", "A",
           palette=False),
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
    Action("models.filter", "Filter", "Type a part of the name; esc shows all again", "models",
           "filter", "slash", "filter", 5, palette=False),
    Action("load.start", "Load", "Loads the model with these parameters", "load",
           "confirm", "enter", "load", 1, palette=False),
    Action("load.less", "Less", "The next smaller value, or the previous choice", "parameters",
           "step(-1)", "left,h", palette=False),
    Action("load.greater", "More", "The next larger value, or the next choice", "parameters",
           "step(1)", "right,l,space", palette=False),
    Action("load.reset", "Reset the value", "Back to what counts where nothing is changed", "parameters",
           "reset", "r,delete", "reset", 4, palette=False),
    Action("load.reset_all", "Reset all values", "Every value back to what counts where nothing is changed",
           "parameters", "reset_all", "R", palette=False),
    Action("load.fit", "Fit to memory", "Chooses context length and GPU layers for the memory that is free", "load",
           "screen.fit", "f", "fit", 3, palette=False),
    Action("load.anyway", "Load anyway", "Loads although the guardrail refuses", "load",
           "screen.load_anyway", "a", "load anyway", 1, palette=False),
    Action("load.save", "Save", "As this model's defaults or as a profile; forgets them, too", "load",
           "screen.save", "s", "save", 3, palette=False),
    Action("load.profile", "Profile", "Takes the values of a saved profile of this model", "load",
           "screen.choose_profile", "p", "profile", 6, palette=False),
    Action("load.bench", "Bench", "Measures which parameters are fastest on this machine; takes minutes", "load",
           "screen.bench", "b", "bench", 8, palette=False),
    Action("bench.keep", "Save the best", "Makes what was fastest this model's defaults", "bench",
           "keep", "s", "save", 1, palette=False),
    Action("load.guardrail", "Guardrail", "How much memory loading may take before it is refused", "load",
           "screen.choose_guardrail", "w", "guardrail", 7, palette=False),
    Action("sampling.keep", "Keep", "Keeps the settings for this thread and goes back to it", "sampling",
           "confirm", "enter", "keep", 1, palette=False),
    Action("sampling.preset", "Preset", "Chooses a preset for this thread, or none", "sampling",
           "screen.choose_preset", "p", "preset", 2, palette=False),
    Action("sampling.save", "Save", "The settings as a preset; imports, exports and deletes presets, too", "sampling",
           "screen.save", "s", "save", 3, palette=False),
    Action("sampling.form", "Form of answers", "A JSON schema, a grammar or an expression that answers must follow",
           "sampling", "screen.choose_form", "o", "form", 4, palette=False),
    Action("sampling.system_prompt", "System prompt", "What the model is told before this thread", "sampling",
           "screen.write_system_prompt", "y", "system prompt", 5, palette=False),
    Action("load.find", "Find a parameter", "Type a part of its name or of what it does; esc shows all again",
           "parameters", "filter", "slash", "find", 5, palette=False),
    Action("load.more", "More parameters", "Shows or hides the less common parameters", "parameters",
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

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

_TYPED = {"colon", "question_mark", "slash", "space"}
_LABELS = {
    "question_mark": "?", "colon": ":", "slash": "/", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn",
    "backslash": "\\", "right_square_bracket": "]", "up": "↑", "down": "↓", "left": "←", "right": "→", "delete": "del",
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
        name = _LABELS.get(key[5:], key[5:])
        return f"^{name}" if short else f"ctrl+{name}"
    return _LABELS.get(key, key.upper() if key.startswith("f") and key[1:].isdigit() else key)
