"""The server's options as a person reads and types them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tui.config import SERVER_PARAMETERS, Parameter, parse_value
from tui.domain import EVERYWHERE, BadRequest, ServerOptions

_NEVER = ("never", "off", "no", "")
_UNITS = {"": 60.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option with its value in words."""

    parameter: Parameter
    value: str
    risky: bool = False
    """Whether it lets somebody in whom the default keeps out."""


def option_rows(options: ServerOptions) -> list[OptionRow]:
    """Every option as it stands."""
    values = {
        "port": (str(options.port) if options.port else "any free one", False),
        "bind": (_reach(options), not options.is_local),
        "require_tokens": ("required" if options.require_tokens else "not required", False),
        "cors": ("any may use it" if options.cors else "may not use it", options.cors),
        "just_in_time": (_on(options.just_in_time), False),
        "just_in_time_ttl": (duration_text(options.just_in_time_ttl), False),
        "auto_evict": (_on(options.auto_evict), False),
        "log_prompts": (_on(options.log_prompts), False),
    }
    return [OptionRow(parameter, *values[parameter.name]) for parameter in SERVER_PARAMETERS]


def with_text(options: ServerOptions, parameter: Parameter, text: str) -> ServerOptions:
    """The options with a typed value. Raises BadRequest, naming the field."""
    value: Any = parse_duration(text) if parameter.name == "just_in_time_ttl" else parse_value(parameter, text)
    return with_value(options, parameter.name, value)


def with_value(options: ServerOptions, name: str, value: Any) -> ServerOptions:
    """The options with another value for one of them, by its name."""
    return replace(options, **{name: value})


def duration_text(seconds: float | None) -> str:
    """Seconds as `never`, `45 s`, `60 min` or `36 h`."""
    if seconds is None:
        return "never"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 or seconds % 3600 else f"{seconds / 3600:.0f} h"


def parse_duration(text: str) -> float | None:
    """Seconds from `never`, `90 s`, `60 min`, `2 h`; a bare number is minutes. Raises BadRequest."""
    text = text.strip().lower()
    if text in _NEVER:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in _UNITS or not float(found[1]):
        raise BadRequest(f"{text!r} is no length of time.", "Write 90 s, 60 min, 2 h, or never.", field="server.ttl")
    return float(found[1]) * _UNITS[found[2]]


def _reach(options: ServerOptions) -> str:
    if options.is_local:
        return "this machine only"
    return "every network" if options.bind in (EVERYWHERE, "::") else options.bind


def _on(value: bool) -> str:
    return "on" if value else "off"
