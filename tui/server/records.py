"""What is kept of each request: who asked what, what the model read and said, and what it cost."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence

from tui.domain import (
    Event,
    Failed,
    Finished,
    GenerationStats,
    ModelLoading,
    PromptProgress,
    Queued,
    ReasoningDelta,
    RequestRecord,
    RequestState,
    TextDelta,
    ToolCallFinished,
    ToolCallPart,
)

# Characters of a prompt or an answer that are kept; a longer one keeps its beginning and its end.
_LONGEST_TEXT = 200_000


class RequestEntry:
    """A request while it is served. Changed by whoever serves it, read by whoever watches."""

    def __init__(self, *, method: str, path: str, dialect: str, client: str, token: str) -> None:
        self.id = secrets.token_hex(8)
        self.started = time.time()
        self._clock = time.perf_counter()
        self._lock = threading.Lock()
        self.method, self.path, self.dialect, self.client, self.token = method, path, dialect, client, token
        self.keeps_texts = True
        """Whether the prompt and what the model says are kept."""
        self.goes_on = False
        """Whether it is worked on after its client was answered; whoever does that ends it."""
        self.state: RequestState = "received"
        self.status = 0
        self.model = ""
        self.streamed = False
        self.body = ""
        self.prompt = ""
        self.error = ""
        self.stats: GenerationStats | None = None
        self._seconds: float | None = None
        self._progress = ""
        self._output: list[str] = []
        self._reasoning: list[str] = []
        self._tool_calls: list[ToolCallPart] = []
        self._tokens = 0
        self._final: RequestRecord | None = None
        self._generations = 0
        self._settled = threading.Event()
        self._settled.set()

    def expects(self, generations: int) -> None:
        """So many generations begin for it, each of which will say how it ended."""
        with self._lock:
            self._generations = generations
            self._settled.clear()

    def settled(self, patience: float) -> bool:
        """Wait up to `patience` seconds until all of its generations have ended, which a client may not wait for."""
        return self._settled.wait(patience)

    def saw(self, events: Sequence[Event]) -> None:
        """Take note of what a generation says."""
        with self._lock:
            for event in events:
                self._note(event)

    def ended(self, state: RequestState, *, status: int = 0, error: str = "") -> None:
        """Note how it ended; the first end counts."""
        with self._lock:
            if self._seconds is not None:
                return
            self._seconds = time.perf_counter() - self._clock
            self.state, self._progress = state, ""
            self.status = status or self.status
            self.error = error or self.error

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._seconds is not None

    def record(self) -> RequestRecord:
        """How it stands now; the same object every time once it will not change any more."""
        with self._lock:
            if self._final is not None:
                return self._final
            # Pieces that were joined once need not be joined again at the next look.
            self._output, self._reasoning = ["".join(self._output)], ["".join(self._reasoning)]
            record = RequestRecord(
                id=self.id,
                started=self.started,
                method=self.method,
                path=self.path,
                dialect=self.dialect,
                client=self.client,
                token=self.token,
                state=self.state,
                status=self.status,
                seconds=self._seconds if self._seconds is not None else time.perf_counter() - self._clock,
                model=self.model,
                streamed=self.streamed,
                body=self.body,
                prompt=clipped(self.prompt),
                output=clipped(self._output[0]),
                reasoning=clipped(self._reasoning[0]),
                tool_calls=tuple(self._tool_calls),
                error=self.error,
                stats=self.stats,
                progress=self._progress,
                tokens=self._tokens,
            )
            if self._seconds is not None and self._settled.is_set():
                self._final = record
                self._output, self._reasoning = [], []
            return record

    def _note(self, event: Event) -> None:
        match event:
            case Queued(position) if position:
                self._does("queued", f"waits, place {position}")
            case ModelLoading(progress):
                self._does("loading", f"loading {progress:.0%}")
            case PromptProgress(done, _, total):
                self._does("reading", f"reading {done:,} of {total:,}")
            case TextDelta(text, tokens):
                self._does("answering", "answering")
                self._tokens += tokens
                if self.keeps_texts:
                    self._output.append(text)
            case ReasoningDelta(text, tokens):
                self._does("answering", "thinking")
                self._tokens += tokens
                if self.keeps_texts:
                    self._reasoning.append(text)
            case ToolCallFinished(_, call):
                self._does("answering", "calling a tool")
                if self.keeps_texts:
                    self._tool_calls.append(call)
            case Finished(stats):
                self.stats = stats
                self._one_ended()
            case Failed(error, stats):
                self.error, self.stats = str(error), stats
                self._one_ended()
            case _:
                return

    def _does(self, state: RequestState, progress: str) -> None:
        if self._seconds is None:  # what a generation that was given up still says changes nothing
            self.state, self._progress = state, progress

    def _one_ended(self) -> None:
        self._generations -= 1
        if self._generations <= 0:
            self._settled.set()


def clipped(text: str) -> str:
    """The text, or its beginning and end with a word on what was left out between them."""
    if len(text) <= _LONGEST_TEXT:
        return text
    half = _LONGEST_TEXT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters not kept …]\n{text[-half:]}"
