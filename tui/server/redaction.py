"""Taking out of a request what nobody should find in a log: secrets, and images that would fill it."""

from __future__ import annotations

import re
from typing import Any

_SECRET_NAMES = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|authorization|auth[_-]?token|access[_-]?token|password|passkey|secret)$", re.IGNORECASE
)
# Keys of well-known services: OpenAI, Anthropic and LM Studio, Hugging Face, GitHub, Slack, AWS, Google.
_SECRET_TEXTS = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{4,}(?::[A-Za-z0-9]{8,})?|sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,})"
)
_BEARER = re.compile(r"\b(Bearer)\s+[A-Za-z0-9._~+/=:-]{8,}", re.IGNORECASE)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?;base64,[A-Za-z0-9+/=\s]{200,}")
# A text without spaces this long is a file in base64 wherever it stands.
_LONG_BASE64 = re.compile(r"[A-Za-z0-9+/]{2000,}={0,2}")
MASK = "•••"


def redacted(value: Any, name: str = "") -> Any:
    """The same JSON value with secrets masked and files in it named by their size."""
    if isinstance(value, dict):
        return {key: redacted(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, name) for inner in value]
    if not isinstance(value, str):
        return value
    if value and _SECRET_NAMES.search(name):
        return MASK
    return redacted_text(value)


def redacted_text(text: str) -> str:
    """A text with the keys of well-known services masked."""
    if len(text) > 200:
        text = _DATA_URL.sub(lambda found: f"[{found[1] or 'file'}, {len(found[0]) * 3 // 4:,} bytes]", text)
        text = _LONG_BASE64.sub(lambda found: f"[{len(found[0]) * 3 // 4:,} bytes]", text)
    return _BEARER.sub(rf"\1 {MASK}", _SECRET_TEXTS.sub(MASK, text))
