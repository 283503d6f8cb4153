"""What can be chosen about the server, and where the choices are kept."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from tui.config import Settings
from tui.domain import EVERYWHERE, LOOPBACK, BadRequest, ServerOptions

_SETTING = "server"


def check_options(options: ServerOptions) -> None:
    """Raise BadRequest, naming the field, for what no server can be started with."""
    if not 0 <= options.port <= 65535:
        raise BadRequest(
            f"{options.port} is no port.", "Choose one from 1024 to 65535; 1234 is usual.", field="server.port"
        )
    if not options.bind.strip():
        raise BadRequest(
            "The server needs an address to listen on.",
            f"{LOOPBACK} is this machine only, {EVERYWHERE} is every network.",
            field="server.bind",
        )
    if options.just_in_time_ttl is not None and not options.just_in_time_ttl > 0:
        raise BadRequest(
            "The time to live must be more than 0 seconds.", "Leave it out for no limit.", field="server.ttl"
        )
    if options.largest_body < 1024:
        raise BadRequest("Requests have more than a kilobyte.", "Allow larger ones.", field="server.largest_body")


def read_options(settings: Settings) -> ServerOptions:
    """The options as they were saved; what is missing or of the wrong kind has its default."""
    saved = settings.get(_SETTING)
    defaults = ServerOptions()
    values: dict[str, Any] = {}
    for field in fields(ServerOptions) if isinstance(saved, dict) else ():
        value, usual = saved.get(field.name), getattr(defaults, field.name)
        if field.name == "just_in_time_ttl":
            fits = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
            present = field.name in saved
            values |= {field.name: value} if fits and present else {}
        elif isinstance(usual, tuple):
            values |= {field.name: tuple(map(str, value))} if isinstance(value, list) else {}
        elif type(value) is type(usual):
            values[field.name] = value
    options = ServerOptions(**values)
    try:
        check_options(options)
    except BadRequest:
        return defaults
    return options


def write_options(settings: Settings, options: ServerOptions) -> None:
    """Save the options for the next start."""
    settings.set(_SETTING, {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(options).items()})
