"""Running answers: what is absorbed, the live figures, and the one place where engine and screen meet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.app.driving import add_thread
from tests.app.fake_workbench import FakeWorkbench
from tui.app.bridge import Bridge
from tui.app.running_answer import RunningAnswer
from tui.app.transcript_messages import INTERRUPTED, from_stored, live_note, stats_note
from tui.domain import (
    EngineFault,
    Failed,
    Finished,
    GenerationStats,
    ModelLoading,
    PromptProgress,
    Queued,
    ReasoningDelta,
    TextDelta,
    text_message,
)
from tui.threads import StoredMessage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Recorder:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def answer_started(self, answer: RunningAnswer) -> None:
        self.told.append(("started", answer.message_id))

    def answer_grew(self, answer: RunningAnswer, text: str, reasoning: str) -> None:  # noqa: ARG002
        self.told.append(("grew", text, reasoning))

    def answer_ended(self, answer: RunningAnswer) -> None:
        self.told.append(("ended", answer.text))


class Timer:
    def __init__(self) -> None:
        self.running = False

    def resume(self) -> None:
        self.running = True

    def pause(self) -> None:
        self.running = False


def answer() -> RunningAnswer:
    return RunningAnswer("thread", "message", "model", cast(Any, None), started=10.0)


def test_text_and_reasoning_are_joined_apart() -> None:
    running = answer()
    events = [ReasoningDelta("hm", 1), TextDelta("a", 1), ReasoningDelta("m", 1), TextDelta("b", 1)]
    assert running.absorb(events, 11.0) == ("ab", "hmm")
    assert running.absorb([TextDelta("c", 1)], 11.1) == ("c", "")
    assert (running.text, running.reasoning, running.tokens) == ("abc", "hmm", 5)


def test_state_before_the_first_token() -> None:
    running = answer()
    notes = []
    for event in (Queued(3), ModelLoading(0.42), PromptProgress(512, 0, 2048)):
        running.absorb([event], 11.0)
        notes.append(live_note(running, 0.0))
    assert notes == [
        "waiting for its turn, place 3",
        "loading the model, 42%",
        "reading the prompt, 25% of 2,048 tok",
    ]


def test_live_speed_counts_the_last_seconds_only() -> None:
    running = answer()
    for step in range(100):
        running.absorb([TextDelta("x", 2)], 20.0 + step / 10)
    assert running.speed(29.9) == pytest.approx(20.0, rel=0.05)
    assert running.speed(60.0) == 0.0
    assert running.first_token == pytest.approx(10.0)


def test_engine_figures_replace_ours_at_the_end() -> None:
    running = answer()
    running.absorb([PromptProgress(20, 0, 20), TextDelta("x", 1)], 11.0)
    assert running.context_used == 21
    stats = GenerationStats(generated_tokens=7, generation_speed=33.0, time_to_first_token=0.5, context_used=99)
    running.absorb([Finished(stats)], 12.0)
    assert running.ended
    assert (running.speed(12.0), running.first_token, running.context_used) == (33.0, 0.5, 99)


def test_notes_say_why_an_answer_ended_early() -> None:
    stats = GenerationStats(generated_tokens=1200, generation_speed=41.8, time_to_first_token=0.31)
    assert stats_note(stats) == "1,200 tok · 41.8 tok/s · ttft 0.31 s"
    cached = replace(stats, prompt_tokens=1000, cached_prompt_tokens=960, cache_miss="edited at token 960")
    assert stats_note(cached).endswith("· prompt 40 of 1,000 read · edited at token 960")
    drafted = replace(stats, draft_tokens_offered=40, draft_tokens_accepted=30)
    assert stats_note(drafted).endswith("· 75% of drafts right")
    assert stats_note(GenerationStats(stop_reason="maxPredictedTokensReached")).endswith("· token limit reached")


def stored(status: Any, error: str = "") -> StoredMessage:
    return StoredMessage("m", "t", None, text_message("assistant", "so far"), "model", status, error, None, 1.0)


def test_answers_that_did_not_end_well_say_so() -> None:
    assert from_stored(stored("complete")).problem == ""
    assert from_stored(stored("interrupted")).problem == INTERRUPTED
    assert from_stored(stored("failed", "It broke.")).problem == "It broke."
    assert "ctrl+r" in from_stored(stored("failed")).problem
    assert from_stored(stored("stopped")).note == "stopped by you"


async def test_bridge_drains_all_threads_and_rests_when_none_runs(tmp_path: Path) -> None:
    workbench, recorder, timer, clock = FakeWorkbench(tmp_path), Recorder(), Timer(), Clock()
    bridge = Bridge(recorder, clock=clock)
    bridge.use_timer(cast(Any, timer))
    for name in ("one", "two"):
        thread_id = add_thread(workbench, name)
        await bridge.start(thread_id, "model", lambda thread_id=thread_id: workbench.answer(thread_id, "model"))  # type: ignore[misc]
    first, second = (entry.generation for entry in workbench.answers)
    assert timer.running
    assert len(bridge.running_threads) == 2
    first.say("a")
    second.say("b")
    bridge.drain()
    assert ("grew", "a", "") in recorder.told
    assert ("grew", "b", "") in recorder.told
    first.finish()
    bridge.drain()
    assert recorder.told[-1] == ("ended", "a") or ("ended", "a") in recorder.told
    assert timer.running
    second.feed(Failed(EngineFault("It broke.")))
    bridge.drain()
    assert not timer.running
    assert bridge.running_threads == frozenset()
    assert [entry.text for entry in bridge.answers.values()] == ["a", "b"]
    workbench.close()


async def test_bridge_stops_only_what_runs(tmp_path: Path) -> None:
    workbench = FakeWorkbench(tmp_path)
    bridge = Bridge(Recorder())
    thread_id = add_thread(workbench, "one")
    assert not bridge.stop(thread_id)
    await bridge.start(thread_id, "model", lambda: cast(Any, workbench.answer(thread_id, "model")))
    assert bridge.stop(thread_id)
    assert workbench.answers[0].generation.cancelled
    bridge.drain()
    assert not bridge.stop(thread_id)
    workbench.close()
