"""Asking the same again: sends the body of an earlier request to our own server."""

from __future__ import annotations

import http.client
import re
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tui.domain import BadRequest, RequestRecord
from tui.server.redaction import MASK

_USER_AGENT = "lmdeck-replay"
# How the log names an image or a file by its size.
_LEFT_OUT = re.compile(r"\[(?:[\w.+/-]+, )?[\d,]+ bytes\]")
_PIECE = 64 * 1024


def send_again(record: RequestRecord, address: str, token: str) -> None:
    """Ask from a thread of its own; what comes of it is in the request log. Raises BadRequest."""
    if record.method != "GET" and not record.body:
        raise BadRequest(
            "The body of this request was not kept.", "Turn on keeping texts, then ask once more.", field="body"
        )
    if MASK in record.body or _LEFT_OUT.search(record.body):
        raise BadRequest(
            "This request had secrets or images in it, which the log does not keep.",
            "Send it from its client again.",
            field="body",
        )
    threading.Thread(target=_send, args=(record, address, token), name="lmdeck-replay", daemon=True).start()


def _send(record: RequestRecord, address: str, token: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "User-Agent": _USER_AGENT}
    # A server that stops or a connection that breaks is told by the log's entry itself.
    with suppress(OSError, http.client.HTTPException):
        connection.request(record.method, record.path, record.body.encode() or None, headers)
        answer = connection.getresponse()
        while answer.read(_PIECE):
            pass
    connection.close()
