"""A request of the log as a command for a shell."""

from __future__ import annotations

import shlex

from tui.domain import RequestRecord


def curl_command(record: RequestRecord, address: str, *, with_token: bool) -> str:
    """The `curl` command that sends the same request to `address`; a token is left to the shell's environment."""
    parts = [f"curl {'-N ' if record.streamed else ''}{shlex.quote(address + record.path)}"]
    if record.method not in ("GET", "POST"):
        parts.append(f"-X {shlex.quote(record.method)}")
    if with_token:
        parts.append('-H "Authorization: Bearer $LMDECK_TOKEN"')
    if record.method != "GET":
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(record.body or '{}')}"]
    return " \\\n  ".join(parts)
