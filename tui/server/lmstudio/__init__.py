"""LM Studio's REST dialect: `/api/v1/…` with its stateful chat and model management, and the older `/api/v0/…`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.server.lmstudio.dialect import lmstudio_dialect
    from tui.server.lmstudio.legacy import lmstudio_v0_dialect
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(__name__, {"dialect": "lmstudio_dialect", "legacy": "lmstudio_v0_dialect"})

__all__ = ["lmstudio_dialect", "lmstudio_v0_dialect"]
