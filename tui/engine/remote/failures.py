"""What a person is told when a remote engine refuses, breaks off or cannot be reached."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tui.domain import ContextExceeded, LmdeckError, RemoteEndpoint, RemoteFailed

# Characters of a server's own words that are shown.
_MOST_WORDS = 400
# Codes and types by which servers say that a prompt is too long: OpenAI's (and ours), llama-server's.
_TOO_LONG = {"context_length_exceeded", "exceed_context_size_error"}
# How those say it that have no code for it: vLLM, LM Studio, older llama-server.
_TOO_LONG_TEXT = re.compile(r"context[ _](length|size|window)|maximum context", re.IGNORECASE)
_ASK_AGAIN = "What came is kept. Answer again, or read the server's own log."


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server said about a request that it did not serve. Empty or 0 where it said nothing."""

    text: str = ""
    code: str = ""
    field: str = ""
    """The field of the request that it complains about."""
    prompt_tokens: int = 0
    context_length: int = 0


def parse_complaint(body: bytes) -> Complaint:
    """The complaint in the body of a response, whatever form the server gives it."""
    try:
        return complaint_from(json.loads(body))
    except (ValueError, RecursionError):
        text = body[: _MOST_WORDS * 4].decode("utf-8", "replace").strip()
        # A page is for browsers, and says nothing that the status does not.
        return Complaint("" if text.startswith("<") else text)


def complaint_from(value: Any) -> Complaint:
    """The complaint in a JSON value: OpenAI's `error` object, or what vLLM, FastAPI and Ollama send in its place."""
    if isinstance(value, dict):
        inner = value.get("error", value.get("detail"))
        if isinstance(inner, dict | list | str):
            value = inner
    if isinstance(value, list):  # FastAPI: one object for each field
        value = value[0] if value else {}
    if isinstance(value, str):
        return Complaint(value)
    if not isinstance(value, dict):
        return Complaint()
    place = value.get("loc")
    field = str(place[-1]) if isinstance(place, list) and place else _word(value, "param")
    codes = [_word(value, "code"), _word(value, "type")]
    return Complaint(
        _word(value, "message") or _word(value, "msg"),
        next((code for code in codes if code in _TOO_LONG), codes[0] or codes[1]),
        field,
        _count(value, "n_prompt_tokens"),
        _count(value, "n_ctx"),
    )


def refusal(
    endpoint: RemoteEndpoint, status: int, complaint: Complaint, headers: Mapping[str, str], model: str = ""
) -> LmdeckError:
    """The error for a response that is none of the 200s. `model` is empty where no model was asked."""
    name, words = endpoint.name, quoted(endpoint, complaint.text)
    if status in (400, 413, 422, 500) and _is_too_long(complaint):
        return too_long(endpoint, complaint)
    said = f": {words}" if words else "."
    match status:
        case 401 | 403 if endpoint.key:
            text = f"{name} does not accept the key{said}"
            advice = "Remove the remote engine and add it again with a key that is valid there."
        case 401 | 403:
            text = f"{name} wants a key{said}"
            advice = "Remove the remote engine and add it again with its key."
        case 404 if words and model:
            text = f"{name} has no model {model}{said}"
            advice = "The list of models shows what it has."
        case 404 | 405:
            text = f"{name} has no OpenAI-compatible API at {endpoint.url}{said}"
            advice = "Check the address; most end with /v1."
        case 408 | 504:
            text, advice = f"{name} gave up waiting ({status}){said}", "Its model may be overloaded. Try again later."
        case 429:
            text, advice = f"{name} is busy or wants no more requests{said}", _when(headers)
        case 503:
            text, advice = f"{name} is not ready{said}", _when(headers)
        case _ if 300 <= status < 400:
            text = f"{name} says that it has moved to {quoted(endpoint, headers.get('location', 'another address'))}"
            advice = "Remove the remote engine and add it again with that address, if you trust it."
        case _ if status >= 500:
            text, advice = f"{name} failed inside ({_status_text(status)}){said}", "Try again; its own log says more."
        case _:
            text = f"{name} does not accept the request ({_status_text(status)}){said}"
            advice = f"It complains about “{complaint.field}”." if complaint.field else ""
    return RemoteFailed(text, advice, status=status)


def stream_refusal(endpoint: RemoteEndpoint, complaint: Complaint) -> LmdeckError:
    """The error for a complaint that came in place of the rest of an answer."""
    if _is_too_long(complaint):
        return too_long(endpoint, complaint)
    words = quoted(endpoint, complaint.text or complaint.code) or "it does not say why."
    return RemoteFailed(f"{endpoint.name} stopped its answer: {words}", _ASK_AGAIN, status=200)


def too_long(endpoint: RemoteEndpoint, complaint: Complaint) -> ContextExceeded:
    """The conversation does not fit there; the figures are 0 where the server does not give them."""
    return ContextExceeded(
        f"The conversation is too long for {endpoint.name}: {quoted(endpoint, complaint.text or complaint.code)}",
        "Send less, start a new thread, or have the model loaded there with a longer context.",
        prompt_tokens=complaint.prompt_tokens,
        context_length=complaint.context_length,
    )


def broken_off(endpoint: RemoteEndpoint, *, begun: bool) -> RemoteFailed:
    """The connection ended before the answer did."""
    if begun:
        return RemoteFailed(f"{endpoint.name} broke off in the middle of its answer.", _ASK_AGAIN, status=200)
    return RemoteFailed(
        f"{endpoint.name} closed the connection without an answer.",
        "Read its own log; where it speaks only TLS, its address begins with https.",
    )


def not_an_answer(endpoint: RemoteEndpoint, sample: str, *, begun: bool) -> RemoteFailed:
    """The server sent something that is no answer in OpenAI's form."""
    shown = quoted(endpoint, f"{sample[:80]}…" if len(sample) > 80 else sample)
    what = f"something that is not an answer: {shown}" if shown else "nothing at all."
    advice = _ASK_AGAIN if begun else f"Is {endpoint.url} the address of an OpenAI-compatible API?"
    return RemoteFailed(f"{endpoint.name} sent {what}", advice, status=200)


def silent(endpoint: RemoteEndpoint, seconds: float) -> RemoteFailed:
    """Nothing came for too long."""
    return RemoteFailed(
        f"{endpoint.name} said nothing for {seconds:,.0f} s.", "Its machine may be overloaded. Try again later."
    )


def unreachable(endpoint: RemoteEndpoint, problem: BaseException) -> RemoteFailed:
    """The error for a connection that did not come about."""
    where = urlsplit(endpoint.url).netloc
    causes = [cause for cause in _causes(problem) if not isinstance(cause, ssl.SSLWantReadError)]
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return RemoteFailed(
            f"{endpoint.name} did not answer: {where} takes no connection in time.",
            "Check the address, and that no firewall stands between.",
        )
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        host = urlsplit(endpoint.url).hostname
        return RemoteFailed(
            f"{endpoint.name} cannot be found: no address is known for “{host}”.",
            "Check the name, and the network of this machine.",
        )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RemoteFailed(
                f"{endpoint.name} shows a certificate that is not trusted: {cause.verify_message}.",
                "Name its authority's file in SSL_CERT_FILE, or use the host name that the certificate is for.",
            )
        if isinstance(cause, ssl.SSLError):
            return RemoteFailed(
                f"{endpoint.name} does not speak TLS at {where}.", "If it serves plain HTTP, write http:// instead."
            )
        if isinstance(cause, ConnectionRefusedError):
            return RemoteFailed(
                f"{endpoint.name} is not running: {where} refuses the connection.",
                "Start the server there, and check the port.",
            )
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return RemoteFailed(f"{endpoint.name} cannot be reached: {cause.strerror}.", "Check the address.")
    return RemoteFailed(
        f"{endpoint.name} cannot be reached at {where}.", "Check the address, and that the server runs there."
    )


def quoted(endpoint: RemoteEndpoint, text: str) -> str:
    """A server's words as they may be shown: one line, not too long, without the key, with an end."""
    if endpoint.key:
        text = text.replace(endpoint.key, "…")
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: _MOST_WORDS * 4]).split())
    if len(text) > _MOST_WORDS:
        return f"{text[:_MOST_WORDS]}…"
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """An exception and everything that led to it, those of simultaneous attempts among them."""
    waiting, seen = [problem], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
        waiting += [further for further in (cause.__cause__, cause.__context__) if further is not None]


def _is_too_long(complaint: Complaint) -> bool:
    return complaint.code in _TOO_LONG or bool(_TOO_LONG_TEXT.search(complaint.text))


def _when(headers: Mapping[str, str]) -> str:
    seconds = headers.get("retry-after", "")
    return f"Try again in {seconds} s." if seconds.isascii() and seconds.isdecimal() else "Try again in a moment."


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _word(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _count(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) and found > 0 else 0
