"""What it means when the Hub refuses, or does not answer: sentences for people, and whether trying again may help.

Codes in `X-Error-Code` are those that huggingface_hub knows (`hf_raise_for_status`): a repository that is private and
one that does not exist look alike to a stranger, and a gated one is refused with 401 or 403.
"""

from __future__ import annotations

from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

import httpx

from tui.domain import HubFailed
from tui.models.gguf_bytes import printable

_LONGEST_WAIT = 3600.0
"""Seconds. Nobody is served by a server that asks for more."""
_PATIENT = frozenset({408, 425, 429})
"""Statuses below 500 that go by themselves."""


def refused(response: httpx.Response, endpoint: str, repository: str = "", file: str = "") -> HubFailed:
    """The error for an answer with a status of 400 or more."""
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    page = f"{endpoint}/{repository}"
    has_token = "authorization" in response.request.headers
    if code == "GatedRepo":
        message, advice = f"{repository} is gated: one has to accept its terms first.", _gated_advice(page, has_token)
    elif status == 401 and code != "RepoNotFound" and has_token:
        message = f"The Hub ({_host(endpoint)}) does not accept your token."
        advice = "Log in again with `hf auth login`, or correct or unset HF_TOKEN."
    elif code == "RevisionNotFound":
        message, advice = f"{repository} has no such revision.", f"Look at {page} for those that there are."
    elif code == "EntryNotFound" or (status == 404 and file):
        message = f"{repository} has no file {printable(file, 120)!r} any more."
        advice = "Look at its files again, and choose another one."
    elif code == "RepoNotFound" or status in (401, 404):
        message = f"There is no repository {repository!r} on {_host(endpoint)}, or it is private."
        advice = "Check the name. For a private one, log in with `hf auth login` or set HF_TOKEN."
    elif status == 403:
        said = printable(response.headers.get("X-Error-Message", ""), 160)
        message = f"The Hub does not let you have {repository or 'this'}{f': {said}' if said else ''}."
        advice = f"Look at {page}; your token may lack a permission."
    elif status == 429:
        message, advice = "The Hub asks for fewer requests (HTTP 429).", "Logging in with `hf auth login` allows more."
    elif status >= 500 or status in _PATIENT:
        message, advice = f"The Hub ({_host(endpoint)}) has trouble (HTTP {status}).", "Try again in a while."
    else:
        message, advice = f"The Hub ({_host(endpoint)}) refuses this (HTTP {status}).", f"Look at {page}."
    # Large files lie elsewhere, behind addresses that are good for a while: asking again brings a fresh one.
    moved = response.url.netloc != httpx.URL(endpoint).netloc
    lasting = status < 500 and status not in _PATIENT and not moved
    return HubFailed(message, advice, status=status, lasting=lasting, retry_after=_retry_after(response))


def unreachable(problem: Exception, endpoint: str) -> HubFailed:
    """The error for a request that brought no answer, or not all of it."""
    host = _host(endpoint)
    advice = "Check the network connection; models on this machine work without it."
    if isinstance(problem, httpx.ProxyError):
        return HubFailed(f"The proxy does not let us through to {host}: {problem}.", "Correct HTTPS_PROXY or NO_PROXY.")
    if isinstance(problem, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return HubFailed(
            f"{endpoint!r} is no address of a Hub.", "Correct or unset HF_ENDPOINT.", lasting=True
        )  # fmt: skip
    if isinstance(problem, httpx.TooManyRedirects):
        return HubFailed(f"{host} redirects in a circle.", "Try again later.")
    if isinstance(problem, httpx.TimeoutException):
        return HubFailed(f"{host} does not answer.", advice)
    if isinstance(problem, httpx.ConnectError):
        return HubFailed(f"{host} cannot be reached: {_reason(problem)}.", advice)
    return HubFailed(f"The connection to {host} broke off: {_reason(problem)}.", advice)


def nonsense(endpoint: str, what: str) -> HubFailed:
    """The error for an answer that is not what the Hub's interface has there."""
    return HubFailed(
        f"{_host(endpoint)} does not answer as the Hub does: {what}.",
        "Is HF_ENDPOINT right, or does the network want you to log in?",
        status=200,
    )


def _gated_advice(page: str, has_token: bool) -> str:
    if has_token:
        return f"Accept them at {page} with the account that your token belongs to, then try again."
    return f"Accept them at {page}, then log in with `hf auth login` or set HF_TOKEN."


def _retry_after(response: httpx.Response) -> float:
    """Seconds that the answer asks us to wait, as a number or a date (RFC 9110, 10.2.3); 0 if it does not say."""
    text = response.headers.get("Retry-After", "").strip()
    seconds = 0.0
    with suppress(ValueError, TypeError, OverflowError):
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - time()
    return min(max(0.0, seconds), _LONGEST_WAIT)


def _reason(problem: Exception) -> str:
    cause: BaseException = problem
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    text = getattr(cause, "strerror", None) or str(cause) or str(problem) or type(problem).__name__
    return printable(str(text), 160).rstrip(".")


def _host(endpoint: str) -> str:
    return urlsplit(endpoint).netloc or endpoint
