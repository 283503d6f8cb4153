"""Identifiers of responses and of their items."""

from __future__ import annotations

import secrets


def new_id(kind: str) -> str:
    """An identifier that nothing else has, such as `resp_…`; as long as OpenAI's."""
    return f"{kind}_{secrets.token_hex(24)}"
