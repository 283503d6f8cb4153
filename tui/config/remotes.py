"""The remote engines that a person has added: a JSON file that only its owner may read, since it has keys."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.domain import BadRequest, RemoteEndpoint, StorageFailed

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_OWNER_ONLY = 0o600
# What people copy out of documentation along with the address.
_BEYOND_THE_BASE = ("/chat/completions", "/completions", "/models")


class RemoteStore:
    """The endpoints, in the order in which they were added. Safe to use from any thread.

    The file is read again when it has changed, so that what another process adds is seen. Every method raises
    StorageFailed where the file cannot be read, is damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._endpoints: tuple[RemoteEndpoint, ...] = ()

    def endpoints(self) -> tuple[RemoteEndpoint, ...]:
        """All endpoints."""
        with self._lock:
            return self._read()

    def add(self, name: str, url: str, key: str = "") -> RemoteEndpoint:
        """Keep an endpoint. Raises BadRequest, with the field, where a value cannot be used or the name is taken."""
        endpoint = checked_endpoint(name, url, key)
        with self._lock:
            present = self._read()
            if any(other.name == endpoint.name for other in present):
                raise BadRequest(
                    f"There is a remote engine called {endpoint.name} already.",
                    "Choose another name, or remove that one first.",
                    field="name",
                )
            self._write((*present, endpoint))
        return endpoint

    def remove(self, name: str) -> None:
        """Forget an endpoint and its key. Raises BadRequest where there is none of that name."""
        with self._lock:
            present = self._read()
            kept = tuple(endpoint for endpoint in present if endpoint.name != name.strip().lower())
            if len(kept) == len(present):
                names = ", ".join(endpoint.name for endpoint in present)
                advice = f"There are: {names}." if names else "There is none at all."
                raise BadRequest(f"There is no remote engine called {name!r}.", advice, field="name")
            self._write(kept)

    def _read(self) -> tuple[RemoteEndpoint, ...]:
        try:
            state = self._path.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._endpoints = _parsed(self._path.read_text(encoding="utf-8"))
                self._seen = seen
        except FileNotFoundError:
            self._endpoints, self._seen = (), None
        except OSError as refused:
            raise StorageFailed(f"{self._path} cannot be read: {refused.strerror or refused}.") from refused
        except (ValueError, RecursionError, BadRequest) as damage:
            reason = damage.message if isinstance(damage, BadRequest) else f"It is damaged: {damage}."
            raise StorageFailed(
                f"{self._path} cannot be used. {reason}", "Correct it, or delete it and add the remote engines again."
            ) from damage
        return self._endpoints

    def _write(self, endpoints: Sequence[RemoteEndpoint]) -> None:
        """Put a new file in the place of the old one, which stays whole if that fails."""
        entries = [{"name": entry.name, "url": entry.url, "key": entry.key} for entry in endpoints]
        text = json.dumps({"endpoints": entries}, indent=2, ensure_ascii=False) + "\n"
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                temporary.unlink()
            # Made with its final permissions: between a plain open and a chmod, others could read the keys.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as refused:
            with suppress(OSError):
                temporary.unlink()
            raise StorageFailed(f"{self._path} cannot be written: {refused.strerror or refused}.") from refused


def checked_endpoint(name: str, url: str, key: str = "") -> RemoteEndpoint:
    """An endpoint with a tidy name and address. Raises BadRequest that names the field."""
    name, key = name.strip().lower(), key.strip()
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"{name!r} cannot be the name of a remote engine.",
            "Use up to 40 letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
            field="name",
        )
    if any(not "!" <= character <= "~" for character in key):
        raise BadRequest(
            "The key has a character that no key has, such as a space or a line break.",
            "Copy it again, without what stands around it.",
            field="key",
        )
    return RemoteEndpoint(name, _base_url(url), key)


def _base_url(text: str) -> str:
    """The address below which the API lies. A bare host means its `/v1`, which is where nearly all servers have it."""
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        usable = False
    if not usable or any(not character.isprintable() or character.isspace() for character in text):
        raise BadRequest(
            f"{text!r} is not an address of a server.", "Write it as http://host:port or https://host/v1.", field="url"
        )
    if "@" in parts.netloc:
        raise BadRequest(
            "The address has a password in it, which would be shown wherever the address is.",
            "Leave it out, and give the key as a key.",
            field="url",
        )
    if parts.query or parts.fragment:
        raise BadRequest(
            "The address has a ? or # in it, behind which nothing can be added.",
            "Give only the part before that.",
            field="url",
        )
    path = parts.path.rstrip("/")
    for ending in _BEYOND_THE_BASE:
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _parsed(text: str) -> tuple[RemoteEndpoint, ...]:
    value = json.loads(text)
    entries: Any = value.get("endpoints") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it has no list called endpoints")
    endpoints: dict[str, RemoteEndpoint] = {}
    for entry in entries:
        texts = [entry.get(field, "") for field in ("name", "url", "key")] if isinstance(entry, dict) else []
        name, url, key = (text if isinstance(text, str) else None for text in texts or (None,) * 3)
        if name is None or url is None or key is None:
            raise ValueError("an endpoint is not an object with the texts name, url and key")
        endpoint = checked_endpoint(name, url, key)
        if endpoint.name in endpoints:
            raise ValueError(f"it has two endpoints called {endpoint.name}")
        endpoints[endpoint.name] = endpoint
    return tuple(endpoints.values())
