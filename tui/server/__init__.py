"""The local server: HTTP and WebSocket in a thread and an event loop of its own, one folder for each dialect.

A dialect is two pure translations, wire request to `GenerationRequest` and events to wire chunks, and the routes that
join them over the one road. `Server` starts and stops it all; everything that came in is in its `RequestLog`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.server.options import read_options, write_options
    from tui.server.request_log import RequestLog
    from tui.server.server import Server
    from tui.server.tokens import TokenStore
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "options": "read_options write_options",
            "request_log": "RequestLog",
            "server": "Server",
            "tokens": "TokenStore",
        },
    )

__all__ = [
    "RequestLog",
    "Server",
    "TokenStore",
    "read_options",
    "write_options",
]
