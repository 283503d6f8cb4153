"""The setting that decides how careful loading is with the machine's memory."""

from __future__ import annotations

from typing import cast, get_args

from tui.config.settings import Settings
from tui.domain import Guardrail, GuardrailLevel

# LM Studio calls the same levels so in its own settings file (modelLoadingGuardrails.mode).
_LM_STUDIO_NAMES = {"low": "relaxed", "medium": "balanced", "high": "strict"}


def guardrail_setting(settings: Settings) -> Guardrail:
    """What `guardrail` (a level) and `guardrail_limit` (GiB, for `custom`) say; the default for what is no level.

    People edit the file, so anything may stand there; a guardrail must not be lost to a typing error.
    """
    level = settings.get("guardrail", "")
    level = _LM_STUDIO_NAMES.get(level, level) if isinstance(level, str) else ""
    limit = settings.get("guardrail_limit", 0)
    usable = isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit < float("inf")
    if level not in get_args(GuardrailLevel):
        return Guardrail()
    return Guardrail(cast(GuardrailLevel, level), float(limit) if usable else 0.0)
