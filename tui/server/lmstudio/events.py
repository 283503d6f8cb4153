"""The answer of `POST /api/v1/chat` as it comes: named events from `chat.start` to `chat.end`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal

from tui.domain import (
    EngineFault,
    Event,
    Failed,
    Finished,
    LmdeckError,
    ModelLoading,
    PromptProgress,
    ReasoningDelta,
    StorageFailed,
    TextDelta,
    ToolCallFinished,
)
from tui.server.answering import Batch
from tui.server.collecting import Collected
from tui.server.dialects import status_of
from tui.server.lmstudio.chat import invalid_call, result
from tui.server.lmstudio.errors import error_object

Stage = Literal["", "model_load", "prompt_processing", "reasoning", "message"]
Said = dict[str, Any]


class ChatEvents:
    """Events of a generation as events of the wire. Pure: knows no connection.

    At most one stage (loading, reading, thinking, speaking) is open at a time; what opens the next closes it.
    """

    def __init__(self, instance_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._instance = {"model_instance_id": instance_id}
        self._clock = clock
        self._began = clock()
        self._stage: Stage = ""
        self._read = False
        self._progress = 0.0
        self.answer = Collected()
        """What came so far."""

    def begin(self) -> list[Said]:
        """The first event."""
        return [{"type": "chat.start", **self._instance}]

    def feed(self, events: Sequence[Event]) -> list[Said]:
        """What to say for what came."""
        self.answer.add(events)
        said: list[Said] = []
        for event in events:
            match event:
                case ModelLoading(progress):
                    said += self._open("model_load", self._instance)
                    said.append({"type": "model_load.progress", **self._instance, "progress": progress})
                case PromptProgress(done, _, total):
                    said += self._read_up_to(done / total if total else 1.0)
                case ReasoningDelta(text) if text:
                    said += self._speak("reasoning", text)
                case TextDelta(text) if text:
                    said += self._speak("message", text)
                case ToolCallFinished(_, call):
                    said += [*self._close(), {"type": "tool_call.failure", **invalid_call(call.name)}]
                case Finished(stats):
                    # Without a prompt it was stopped before the model read anything.
                    said += [*(self._read_up_to(1.0) if stats.prompt_tokens else ()), *self._close()]
                    if stats.stop_reason == "modelUnloaded":
                        self.answer.error = EngineFault("The model was unloaded while it answered.", "Ask again.")
                        said.append(failure(self.answer.error))
                case Failed(error):
                    # A stage that failed has no end.
                    said += self._close() if self._stage in ("reasoning", "message") else []
                    said.append(failure(error))
                case _:
                    continue
        return said

    def end(self, response_id: str | None) -> list[Said]:
        """The last event."""
        return [{"type": "chat.end", "result": result(self._instance["model_instance_id"], self.answer, response_id)}]

    def _speak(self, stage: Stage, text: str) -> list[Said]:
        return [*self._read_up_to(1.0), *self._open(stage), {"type": f"{stage}.delta", "content": text}]

    def _read_up_to(self, progress: float) -> list[Said]:
        """The prompt is read so far; reading is told of even where nothing had to be read."""
        if self._read:
            return []
        said = self._open("prompt_processing")
        if progress > self._progress or (said and progress == 0.0):
            said.append({"type": "prompt_processing.progress", "progress": progress})
        self._progress = max(progress, self._progress)
        if progress >= 1.0:
            self._read = True
            said += self._close()
        return said

    def _open(self, stage: Stage, content: Said | None = None) -> list[Said]:
        if self._stage == stage:
            return []
        said = self._close()
        self._stage = stage
        return [*said, {"type": f"{stage}.start", **(content or {})}]

    def _close(self) -> list[Said]:
        stage, self._stage = self._stage, ""
        if not stage:
            return []
        if stage == "model_load":
            seconds = self._clock() - self._began
            return [{"type": "model_load.end", **self._instance, "load_time_seconds": seconds}]
        return [{"type": f"{stage}.end"}]


async def encode(
    events: ChatEvents,
    batches: AsyncIterator[Batch | None],
    keep: Callable[[Collected], Awaitable[str | None]],
) -> AsyncIterator[bytes]:
    """The stream on the wire. `keep` stores the answer and gives its response id, if it is to be kept."""
    yield _lines(events.begin())
    async for batch in batches:
        if batch is None:
            yield b": still here\n\n"
        elif said := events.feed(batch[1]):
            yield _lines(said)
    try:
        response_id = await keep(events.answer)
    except StorageFailed as problem:
        response_id = None
        yield _lines([failure(problem)])
    yield _lines(events.end(response_id))


def failure(error: LmdeckError) -> Said:
    """The event that tells of an error."""
    return {"type": "error", "error": error_object(error, status_of(error))}


def _lines(said: Iterable[Said]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n"
        % (one["type"].encode(), json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
        for one in said
    )
