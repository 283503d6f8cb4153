"""OpenAI's Responses: answers that are kept, continued by their id, made in the background, and told event by event."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.server.responses.dialect import responses_dialect
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(__name__, {"dialect": "responses_dialect"})

__all__ = ["responses_dialect"]
