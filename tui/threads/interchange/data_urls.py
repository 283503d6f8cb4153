"""Files inside a text: `data:` URLs (RFC 2397) with base64 content."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes


def data_url(data: bytes, media_type: str) -> str:
    """The URL that holds a file."""
    return f"data:{media_type or 'application/octet-stream'};base64,{base64.b64encode(data).decode()}"


def from_data_url(url: str) -> tuple[bytes, str] | None:
    """Content and media type that a URL holds; `None` if it holds none."""
    head, comma, body = url.partition(",")
    if not comma or not head.lower().startswith("data:"):
        return None
    media_type, *options = head[5:].split(";")
    if "base64" not in (option.strip().lower() for option in options):
        return unquote_to_bytes(body), media_type
    try:
        return base64.b64decode(body, validate=True), media_type
    except (binascii.Error, ValueError):
        return None
