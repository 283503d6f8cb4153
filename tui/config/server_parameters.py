"""The options of the local server that people choose, declared for the screen and the command line."""

from __future__ import annotations

from tui.config.parameters import Parameter, declare
from tui.domain import ServerOptions

SERVER_PARAMETERS: tuple[Parameter, ...] = declare(
    ServerOptions,
    Parameter(
        "port",
        "Port",
        "integer",
        "Where clients find the server. 1234 is LM Studio's.",
        minimum=1,
        maximum=65535,
    ),
    Parameter(
        "bind",
        "Reach",
        "text",
        "Who may come: this machine only (127.0.0.1), or other machines too (0.0.0.0).",
    ),
    Parameter(
        "require_tokens",
        "API tokens",
        "boolean",
        "Every request must bring an API token.",
    ),
    Parameter(
        "cors",
        "Web pages",
        "boolean",
        "Pages of any web site that you open may use the server (CORS).",
    ),
    Parameter(
        "just_in_time",
        "Load on request",
        "boolean",
        "A request loads the model that it names (just in time).",
    ),
    Parameter(
        "just_in_time_ttl",
        "Unload after",
        "number",
        "How long a model that a request loaded stays without work.",
        minimum=1,
        unit="s",
    ),
    Parameter(
        "auto_evict",
        "One at a time",
        "boolean",
        "A model that a request loads takes the place of the one that another request loaded.",
    ),
    Parameter(
        "log_prompts",
        "Keep texts",
        "boolean",
        "The log keeps what was asked and answered, secrets and images taken out.",
    ),
)
