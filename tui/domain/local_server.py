"""The local server as the screen and the command line use it. `tui.server` is one; neither of them knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tui.domain.serving import ApiToken, Permission, RequestRecord, RequestTotals, ServerOptions, ServerState


class ServedRequest(Protocol):
    """A request that may still be going on."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""

    def record(self) -> RequestRecord:
        """How it stands now."""


class RequestJournal(Protocol):
    """The requests that came in."""

    @property
    def problem(self) -> str:
        """Why requests are not kept on disk; empty while all is well."""

    def latest(self) -> Sequence[RequestRecord]:
        """Those in memory as they stand now, the newest first."""

    def search(self, text: str = "", most: int = 500) -> Sequence[RequestRecord]:
        """Ended ones from disk in which all the words occur, without their texts, the newest first. Blocks."""

    def find(self, request_id: str) -> RequestRecord | None:
        """One with all its texts, from memory or from disk. Blocks."""

    def running(self) -> int:
        """How many are being answered."""

    def totals(self) -> RequestTotals:
        """Sums over those of this run."""

    def watch(self, watcher: Callable[[ServedRequest], None]) -> Callable[[], None]:
        """Hear, from any thread, of requests that come and end; the answer of this ends it."""

    def clear(self) -> None:
        """Forget every request that has ended. Blocks."""


class TokenKeeper(Protocol):
    """The API tokens. Everything here blocks for the disk."""

    def list(self) -> Sequence[ApiToken]:
        """All tokens, the oldest first. Raises StorageFailed."""

    def create(self, name: str, permissions: tuple[Permission, ...]) -> str:
        """Make a token and give its text, which is not kept. Raises BadRequest or StorageFailed."""

    def revoke(self, token_id: str) -> None:
        """Make a token worthless at once. Raises BadRequest or StorageFailed."""


class LocalServer(Protocol):
    """A server over one workbench. Its methods may be called from any thread and block for up to seconds."""

    @property
    def options(self) -> ServerOptions:
        """The options that hold now, or will when it is started."""

    @property
    def state(self) -> ServerState:
        """Whether it runs, and where. Never blocks."""

    @property
    def log(self) -> RequestJournal:
        """The requests."""

    @property
    def tokens(self) -> TokenKeeper:
        """The API tokens."""

    def start(self, options: ServerOptions | None = None, *, remember: bool = True) -> None:
        """Listen; with `remember` also after the next start of the program. Raises LmdeckError."""

    def stop(self, *, remember: bool = True) -> None:
        """End running streams properly, then listen no more."""

    def change(self, options: ServerOptions) -> None:
        """Take other options at once. Raises LmdeckError, with nothing changed."""

    def restore(self) -> None:
        """Start it if it ran when the program ended."""

    def replay(self, request_id: str) -> None:
        """Send the body of a request once more to itself. Raises LmdeckError where that cannot be."""

    def close(self) -> None:
        """Stop it without forgetting that it ran."""
