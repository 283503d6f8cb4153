"""Made models behind the one road, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import info_of
from tui.domain import (
    Event,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    LoadConfig,
    MemoryEstimate,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
)
from tui.engine import LoadedModel, LoadProgress
from tui.engine.child import run
from tui.engine.library import route_log
from tui.engine.loading import Kernels, open_model
from tui.engine.self_test import self_test
from tui.engine.verdicts import VerdictStore
from tui.inference import FormatCache, Generation


def machine_kernels(folder: Path) -> Kernels:
    """What this machine's kernels are good for; a second of work."""
    return self_test(VerdictStore(folder / "verdicts.json"), run).kernels


class Answering:
    """One made model, loaded, and joined with its chat format as the workbench does it.

    The file is our own, so that it is opened without the trial in a child process, which takes a second for each.
    """

    def __init__(self, path: Path, kernels: Kernels, config: LoadConfig | None = None) -> None:
        config = config or LoadConfig(threads=1)
        route_log(lambda _level, _text: None)
        opened = open_model(path, config, kernels)
        self.model = LoadedModel(info_of(path), config, kernels, opened, MemoryEstimate(()), 0.0, lambda _: None)
        self._formats = FormatCache(path.parent)

    def start(self, request: GenerationRequest) -> Generation:
        """An answer in the making."""
        return Generation(request, self._provide, self._formats)

    def answer(self, request: GenerationRequest) -> Answer:
        """The whole answer."""
        return read_answer(list(self.start(request)))

    def token(self, text: str) -> int:
        """The number of the token that is this text. ValueError if there is none."""
        return self.model.vocabulary.pieces().index(text.encode())

    def close(self) -> None:
        """Free the model."""
        self.model.close()

    def _provide(self, _request: GenerationRequest, _on_progress: LoadProgress) -> LoadedModel:
        return self.model


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer came to."""

    events: Sequence[Event]
    reasoning: str
    text: str
    calls: tuple[ToolCallPart, ...]
    stats: GenerationStats


def read_answer(events: Sequence[Event]) -> Answer:
    """Everything that was said, having checked that the events of calls come in their order and agree."""
    last = events[-1]
    assert not isinstance(last, Failed), last.error
    assert isinstance(last, Finished)
    reasoning = text = arguments = ""
    calls: list[ToolCallPart] = []
    started: ToolCallStarted | None = None
    for event in events:
        match event:
            case ReasoningDelta():
                assert started is None
                reasoning += event.text
            case TextDelta():
                assert started is None
                text += event.text
            case ToolCallStarted():
                assert started is None
                assert event.index == len(calls)
                assert event.id
                started, arguments = event, ""
            case ToolCallArguments():
                assert started is not None
                assert event.index == started.index
                arguments += event.text
            case ToolCallFinished():
                assert started is not None
                assert event.index == started.index
                assert event.call == ToolCallPart(started.id, started.name, arguments)
                calls.append(event.call)
                started = None
    assert started is None
    assert len({call.id for call in calls}) == len(calls)
    return Answer(events, reasoning, text, tuple(calls), last.stats)
