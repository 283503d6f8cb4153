"""API tokens: made here, shown once, kept as hashes.

Their form is LM Studio's, `sk-lm-` with eight letters or digits, a colon and twenty more, so that its clients take
them for their own; the first part names the token, the second is the secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import string
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

from tui.domain import PERMISSIONS, ApiToken, BadRequest, Permission, StorageFailed

_FORM = re.compile(r"sk-lm-([A-Za-z0-9]{8}):([A-Za-z0-9]{20})")
_LETTERS = string.ascii_letters + string.digits
_LONGEST_NAME = 80


class TokenStore:
    """The tokens of one installation, in a JSON file that only its owner may read. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._tokens: dict[str, ApiToken] = {}
        self._seen: tuple[int, int] | None = None
        own = ApiToken(_draw(8), "lmdeck", PERMISSIONS, time.time(), "")
        secret = _draw(20)
        self._own = replace(own, secret_hash=_hash(secret))
        self.own = f"sk-lm-{own.id}:{secret}"
        """A token that this program asks its own server with. It is never written to the file, and dies with us."""

    def list(self) -> list[ApiToken]:
        """All tokens, the oldest first. Raises StorageFailed."""
        with self._lock:
            return sorted(self._read().values(), key=lambda token: token.created)

    def create(self, name: str, permissions: tuple[Permission, ...] = PERMISSIONS) -> str:
        """Make a token and give its text, which is not kept. Raises BadRequest or StorageFailed."""
        name = _checked_name(name)
        _check_permissions(permissions)
        with self._lock:
            tokens = self._read()
            token_id, secret = _draw(8), _draw(20)
            while token_id in tokens:
                token_id = _draw(8)
            token = ApiToken(token_id, name, permissions, time.time(), _hash(secret))
            self._write({**tokens, token_id: token})
        return f"sk-lm-{token_id}:{secret}"

    def change(self, token_id: str, *, name: str, permissions: tuple[Permission, ...]) -> None:
        """Give a token another name or other permissions. Raises BadRequest or StorageFailed."""
        name = _checked_name(name)
        _check_permissions(permissions)
        with self._lock:
            tokens = self._read()
            token = replace(self._known(tokens, token_id), name=name, permissions=permissions)
            self._write({**tokens, token_id: token})

    def revoke(self, token_id: str) -> None:
        """Make a token worthless at once. Raises BadRequest or StorageFailed."""
        with self._lock:
            tokens = dict(self._read())
            del tokens[self._known(tokens, token_id).id]
            self._write(tokens)

    def find(self, text: str) -> ApiToken | None:
        """The token that a request brought, if it is one of ours. Raises StorageFailed."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        with self._lock:
            token = self._own if found[1] == self._own.id else self._read().get(found[1])
        if token is None or not hmac.compare_digest(token.secret_hash, _hash(found[2])):
            return None
        return token

    def _known(self, tokens: dict[str, ApiToken], token_id: str) -> ApiToken:
        if token_id not in tokens:
            raise BadRequest(f"There is no API token {token_id!r}.", "List the tokens to see theirs.", field="token")
        return tokens[token_id]

    def _read(self) -> dict[str, ApiToken]:
        """The tokens as they are on disk, where another lmdeck may have made or revoked some."""
        try:
            found = self._path.stat()
            version = (found.st_ino, found.st_mtime_ns)
            if version != self._seen:
                entries = json.loads(self._path.read_text(encoding="utf-8"))
                tokens = [ApiToken(**{**entry, "permissions": tuple(entry["permissions"])}) for entry in entries]
                self._tokens, self._seen = {token.id: token for token in tokens}, version
        except FileNotFoundError:
            self._tokens, self._seen = {}, None
        except (OSError, ValueError, TypeError, KeyError) as damage:
            raise StorageFailed(
                f"The API tokens in {self._path.name} cannot be read: {damage}.",
                "Mend the file, or delete it and make new tokens.",
            ) from damage
        return self._tokens

    def _write(self, tokens: dict[str, ApiToken]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump([asdict(token) for token in tokens.values()], file, indent=2)
            temporary.replace(self._path)
        except OSError as refused:
            raise StorageFailed(
                f"The API tokens could not be saved: {refused.strerror or refused}.", "Free some room on the disk."
            ) from refused


def _draw(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _hash(secret: str) -> str:
    return base64.b64encode(hashlib.sha512(secret.encode()).digest()).decode()


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise BadRequest(
            "A token needs a name.", f"Say what it is for, in at most {_LONGEST_NAME} characters.", field="token.name"
        )
    return name


def _check_permissions(permissions: tuple[Permission, ...]) -> None:
    if not permissions or not set(permissions) <= set(PERMISSIONS):
        raise BadRequest(
            "A token needs permissions.",
            f"Choose among {', '.join(PERMISSIONS)}.",
            field="token.permissions",
        )
