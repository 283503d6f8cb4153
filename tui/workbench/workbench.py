"""Conversations with models: the one way to generate, and answers that are saved while they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.paths import Paths
from tui.workbench.models import ModelDesk

if TYPE_CHECKING:
    from tui.config import Collapsed
    from tui.domain import Event, GenerationRequest, Message, SamplingConfig, StorageFailed
    from tui.inference import Generation, PromptPreview
    from tui.threads import AnswerRecorder, ThreadSettings

# How long `close` waits for answers to be written down. Seconds.
_CLOSING_PATIENCE = 5.0
# How often an answer that the disk refused is tried again. Seconds.
_RETRY_INTERVAL = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is being generated into a thread."""

    message_id: str
    generation: Generation
    recorder: AnswerRecorder

    @property
    def problem(self) -> StorageFailed | None:
        """Why the answer cannot be saved at present; what came is kept in memory and tried again."""
        return self.recorder.problem


class Workbench(ModelDesk):
    """Everything that lmdeck can do, without a face. Making one is cheap; each wing opens at its first use."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths)
        self._generations: list[Generation] = []
        self._closing = threading.Event()
        self.on_unsaved: Callable[[StorageFailed], None] | None = None
        """Hears, from any thread, that an answer cannot be written at present."""
        self._lock = threading.Lock()

    def generate(
        self, request: GenerationRequest, record: Callable[[Sequence[Event]], None] | None = None
    ) -> Generation:
        """Start generating; the one way to do it. Returns at once, problems come as a `Failed` event."""
        from tui.inference import Generation, Measured

        measured = Measured(self._provide_model, record, self._one_generates, self._note_speed)
        generation = Generation(request, measured.provide, self._formats(), measured.record, self._settled)
        with self._lock:
            self._generations = [running for running in self._generations if not running.done]
            self._generations.append(generation)
        return generation

    def answer(
        self,
        thread_id: str,
        model_key: str,
        sampling: SamplingConfig | None = None,
        *,
        parent_id: str | None = None,
    ) -> Answer:
        """Answer a message, by default the last of the thread's active branch, saving the answer as it comes.

        An answer to a message that has one already stands beside it as another branch. Blocks for as long as the
        disk does; raises StorageFailed, and BadRequest for settings of the thread that cannot be.
        """
        from tui.threads import snapshot_of

        last = parent_id or self.threads.leaf(thread_id)
        request = self.request_for(thread_id, model_key, sampling, last=last)
        recorder = self.threads.begin_answer(thread_id, parent_id=last, model=model_key, settings=snapshot_of(request))
        return Answer(recorder.message_id, self.generate(request, self._recording(recorder)), recorder)

    def continue_answer(self, message_id: str, model_key: str, sampling: SamplingConfig | None = None) -> Answer:
        """Let a model go on with an answer that has ended; what comes is added to it.

        Blocks as `answer` does. Raises StorageFailed, BadRequest where it cannot be gone on with, and Busy.
        """
        from tui.threads import check_continuable, snapshot_of

        stored = check_continuable(self.threads.message(message_id))
        request = self.request_for(stored.thread_id, model_key, sampling, last=message_id)
        request = replace(request, continues_answer=bool(stored.message.parts))
        recorder = self.threads.continue_answer(message_id, model=model_key, settings=snapshot_of(request))
        return Answer(message_id, self.generate(request, self._recording(recorder)), recorder)

    def request_for(
        self, thread_id: str, model_key: str, sampling: SamplingConfig | None = None, *, last: str | None = None
    ) -> GenerationRequest:
        """What a model is asked for an answer behind a message, by default the last of the thread's active branch.

        System prompt, presets and everything else that thread, folders and model decide is in it; notes are not.
        Raises StorageFailed, and BadRequest for settings of the thread that cannot be.
        """
        from tui.threads import request_for

        last = last or self.threads.leaf(thread_id)
        branch = self.threads.branch(last) if last else []
        layers = self.threads.settings_layers(thread_id)
        return request_for(self.decisions, model_key, self._known(model_key), layers, branch, sampling)

    def settings_of(self, thread_id: str, model_key: str, *, said: ThreadSettings | None = None) -> Collapsed:
        """What counts for a thread when this model answers, and where each value comes from. Raises LmdeckError.

        `said` takes the place of what the thread itself says.
        """
        from tui.threads import collapsed_for

        layers = self.threads.settings_layers(thread_id)
        if said is not None:
            layers = (replace(layers[0], settings=said), *layers[1:])
        return collapsed_for(self.decisions, self._known(model_key), layers)

    def preview(self, thread_id: str, model_key: str, draft: Message | None = None) -> PromptPreview | None:
        """What a model would read in a thread, with a message that is not sent yet; `None` unless it is loaded here.

        Blocks; raises LmdeckError.
        """
        from tui.inference import preview_prompt
        from tui.threads import with_files_as_text

        model = self.engine.reserve(model_key)
        if model is None:
            return None
        try:
            request = self.request_for(thread_id, model_key)
            if draft is not None:
                request = replace(request, messages=(*request.messages, with_files_as_text(draft)))
            return preview_prompt(model, self._formats()(model), request)
        finally:
            model.release()

    def count_prompt(self, request: GenerationRequest) -> int:
        """How many tokens a model would read for a request, with its tools and what its defaults add.

        Loads the model if need be. Blocks; raises LmdeckError.
        """
        from tui.domain import BadRequest
        from tui.engine import LoadedModel
        from tui.inference import count_prompt

        request = self._settled(request)
        model = self._provide_model(request, lambda _: True)
        if not isinstance(model, LoadedModel):
            raise BadRequest(
                f"{request.model} is on a remote engine, whose tokens cannot be counted here.",
                "Ask its own server.",
                field="model",
            )
        try:
            return count_prompt(model, self._formats()(model), request)
        finally:
            model.release()

    def close(self) -> None:
        """Stop everything, keep what came. Safe to call twice."""
        self._closing.set()
        with self._lock:
            generations, self._generations = self._generations, []
        for generation in generations:
            generation.cancel()
        for generation in generations:
            generation.wait(_CLOSING_PATIENCE)
        super().close()

    def _recording(self, recorder: AnswerRecorder) -> Callable[[Sequence[Event]], None]:
        """What saves an answer, and keeps trying when the disk refuses its end."""
        from tui.domain import Failed, Finished

        def record(events: Sequence[Event]) -> None:
            recorder.record(events)
            if recorder.problem is not None and self.on_unsaved is not None:
                self.on_unsaved(recorder.problem)
            if events and isinstance(events[-1], Finished | Failed) and not recorder.ended:
                threading.Thread(target=self._save_later, args=(recorder,), daemon=True).start()

        return record

    def _save_later(self, recorder: AnswerRecorder) -> None:
        while not recorder.ended and not self._closing.wait(_RETRY_INTERVAL):
            recorder.record(())

    def _one_generates(self) -> bool:
        with self._lock:
            return sum(not running.done for running in self._generations) <= 1

    def _settled(self, request: GenerationRequest) -> GenerationRequest:
        """The request with everything decided that it leaves open. Raises LmdeckError."""
        return request if request.decided is None else self.decisions.settled(request, self._known(request.model))
