"""Models of other machines: any OpenAI-compatible server is asked over HTTP and answers with the same events.

A remote model has no tokens for us: messages go out and deltas come in. What the server does not tell (its queue, how
far it has read the prompt) is not told here either. Importing this brings in no HTTP library; asking does.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain import RemoteEndpoint
    from tui.engine.remote.answer import RemoteAnswer
    from tui.engine.remote.connection import LeavableLoop
    from tui.engine.remote.engines import RemoteEngines, RemoteModel, RemoteState
    from tui.engine.remote.listing import list_models
else:
    from tui.domain import RemoteEndpoint
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "answer": "RemoteAnswer",
            "connection": "LeavableLoop",
            "engines": "RemoteEngines RemoteModel RemoteState",
            "listing": "list_models",
        },
    )

__all__ = [
    "LeavableLoop",
    "RemoteAnswer",
    "RemoteEndpoint",
    "RemoteEngines",
    "RemoteModel",
    "RemoteState",
    "list_models",
]
