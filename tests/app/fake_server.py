"""A server whose requests and states a test writes down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tui.domain import (
    ApiToken,
    LmdeckError,
    Permission,
    RequestRecord,
    RequestTotals,
    ServedRequest,
    ServerOptions,
    ServerState,
)


def request(number: int, **values: object) -> RequestRecord:
    """A request that was answered some time ago; the higher its number the newer."""
    facts: dict[str, object] = {
        "id": f"request-{number}",
        "started": 1_700_000_000.0 + number,
        "method": "POST",
        "path": "/v1/chat/completions",
        "dialect": "openai",
        "client": "127.0.0.1:50000 python-httpx/0.28",
        "token": "",
        "state": "done",
        "status": 200,
        "seconds": 1.92,
        "model": "Qwen3-8B-Q4_K_M",
        "streamed": False,
        "body": '{"model": "Qwen3-8B-Q4_K_M"}',
        "prompt": "<|user|>hello",
        "output": "Hello there.",
        "reasoning": "",
        "tool_calls": (),
        "error": "",
        "stats": None,
        "progress": "",
    }
    return RequestRecord(**{**facts, **values})  # type: ignore[arg-type]


@dataclass
class FakeJournal:
    in_memory: list[RequestRecord] = field(default_factory=list)
    on_disk: list[RequestRecord] = field(default_factory=list)
    problem: str = ""

    def latest(self) -> Sequence[RequestRecord]:
        return list(self.in_memory)

    def search(self, text: str = "", most: int = 500) -> Sequence[RequestRecord]:
        words = text.split()
        found = [record for record in self.on_disk if all(word in str(record).casefold() for word in words)]
        return [replace(record, body="", prompt="", output="") for record in found[:most]]

    def find(self, request_id: str) -> RequestRecord | None:
        return next((record for record in [*self.in_memory, *self.on_disk] if record.id == request_id), None)

    def running(self) -> int:
        return sum(not record.over for record in self.in_memory)

    def totals(self) -> RequestTotals:
        return RequestTotals(len(self.in_memory), sum(record.state == "failed" for record in self.in_memory))

    def watch(self, watcher: Callable[[ServedRequest], None]) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None

    def clear(self) -> None:
        self.in_memory = [record for record in self.in_memory if not record.over]
        self.on_disk.clear()


@dataclass
class FakeTokens:
    tokens: list[ApiToken] = field(default_factory=list)

    def list(self) -> Sequence[ApiToken]:
        return [*self.tokens]

    def create(self, name: str, permissions: tuple[Permission, ...]) -> str:
        self.tokens.append(ApiToken(f"id{len(self.tokens)}", name, permissions, time.time(), ""))
        return "sk-lm-abcdefgh:12345678901234567890"

    def revoke(self, token_id: str) -> None:
        self.tokens = [token for token in self.tokens if token.id != token_id]


@dataclass
class FakeServer:
    """What `tui.domain.LocalServer` asks for."""

    options: ServerOptions = field(default_factory=ServerOptions)
    on: bool = False
    refusal: LmdeckError | None = None
    """What starting and changing end in."""
    trouble: str = ""
    log: FakeJournal = field(default_factory=FakeJournal)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    replayed: list[str] = field(default_factory=list)
    may_move: threading.Event = field(default_factory=threading.Event)
    may_restore: threading.Event = field(default_factory=threading.Event)
    restored: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        self.may_move.set()
        self.may_restore.set()

    @property
    def state(self) -> ServerState:
        address = f"http://127.0.0.1:{self.options.port}" if self.on else ""
        return ServerState(self.on, address, self.trouble, 1_700_000_000.0 if self.on else 0.0)

    def start(self, options: ServerOptions | None = None, *, remember: bool = True) -> None:  # noqa: ARG002
        self._move()
        self.on, self.trouble = True, ""

    def stop(self, *, remember: bool = True) -> None:  # noqa: ARG002
        self.may_move.wait(10)
        self.on = False

    def change(self, options: ServerOptions) -> None:
        self._move()
        self.options = options

    def restore(self) -> None:
        self.may_restore.wait(10)
        self.restored = True

    def replay(self, request_id: str) -> None:
        self.replayed.append(request_id)

    def close(self) -> None:
        self.closed = True

    def _move(self) -> None:
        self.may_move.wait(10)
        if self.refusal is not None:
            raise self.refusal
