"""Notes how fast models answer, where an answer had the machine to itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.domain import Event, Finished, GenerationRequest, GenerationStats
from tui.engine import LoadedModel, LoadProgress
from tui.inference.generation import ModelProvider, Record
from tui.inference.source import AnsweringModel

Note = Callable[[LoadedModel, GenerationStats], None]
"""Gets the figures of an answer that a model of this process gave, from the answer's thread."""


class Measured:
    """Stands between a generation and what provides and records for it; one for each generation."""

    def __init__(self, provide: ModelProvider, record: Record | None, alone: Callable[[], bool], note: Note) -> None:
        """`alone` says whether no other answer is being made."""
        self._provide = provide
        self._record = record
        self._alone = alone
        self._note = note
        self._model: LoadedModel | None = None
        self._undisturbed = False

    def provide(self, request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel | AnsweringModel:
        """The model, as the provider gives it."""
        model = self._provide(request, on_progress)
        self._model = model if isinstance(model, LoadedModel) else None
        self._undisturbed = self._alone()
        return model

    def record(self, events: Sequence[Event]) -> None:
        """Pass events on, and note the figures of the last one."""
        if self._record is not None:
            self._record(events)
        if events and isinstance(events[-1], Finished) and self._model is not None:
            if self._undisturbed and self._alone():
                self._note(self._model, events[-1].stats)
            self._model = None
