"""Asking a stub server, as the generation does."""

from __future__ import annotations

import time
from typing import Any

from tests.support.openai_stub import PATIENCE, Stub
from tui.domain import (
    Event,
    Failed,
    Finished,
    GenerationRequest,
    ReasoningDelta,
    RemoteEndpoint,
    TextDelta,
    text_message,
)
from tui.engine.remote import RemoteAnswer
from tui.engine.remote.connection import Patience

KEY = "sk-test-0123456789abcdef"
HELLO = (text_message("user", "Hi"),)


def endpoint(stub: Stub, key: str = KEY) -> RemoteEndpoint:
    return RemoteEndpoint("home", stub.url, key)


def ask(target: Stub | RemoteEndpoint, patience: Patience | None = None, **fields: Any) -> RemoteAnswer:
    request = GenerationRequest("home/m", **{"messages": HELLO, **fields})
    where = endpoint(target) if isinstance(target, Stub) else target
    return RemoteAnswer(where, "m", request, patience=patience)


def all_events(answer: RemoteAnswer) -> list[Event]:
    """Everything to the last event, which must come."""
    events: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not (events and isinstance(events[-1], Finished | Failed)):
        assert time.monotonic() < end, f"no end came, only {events}"
        events += answer.take(0.5)
    return events


def finished(answer: RemoteAnswer) -> tuple[list[Event], Finished]:
    *before, last = all_events(answer)
    assert isinstance(last, Finished), last
    return before, last


def failed(answer: RemoteAnswer) -> tuple[list[Event], Failed]:
    *before, last = all_events(answer)
    assert isinstance(last, Failed), last
    return before, last


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))
