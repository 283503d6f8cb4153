"""OpenAI's dialect: chat completions, completions, embeddings, models, and rerank beside them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.server.openai.dialect import openai_dialect
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(__name__, {"dialect": "openai_dialect"})

__all__ = ["openai_dialect"]
