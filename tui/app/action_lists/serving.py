"""The server: its options, tokens and requests."""

from __future__ import annotations

from tui.app.action import Action

SERVING: tuple[Action, ...] = (
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
)  # fmt: skip
