"""The one road: from a request through loading, rendering, decoding and parsing to events."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import info_of
from tests.support.model_maker import CHATML_TEMPLATE, make_scripted_model
from tui.domain import (
    BadTemplate,
    Constraint,
    ContextExceeded,
    ContextTrimmed,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    LmdeckError,
    LoadConfig,
    Logprobs,
    ModelLoading,
    PromptProgress,
    ReasoningDelta,
    SamplingConfig,
    TextDelta,
    text_message,
)
from tui.engine import Engine, LoadedModel, LoadProgress, LogRing
from tui.inference import EventStream, FormatCache, Generation

ANSWER = "Hello! Grüße aus München, 你好."
HELLO = (text_message("user", "Hi"),)


class Bench:
    """An engine and a format cache, joined as the workbench does it."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine(path.parent / "verdicts.json", LogRing())
        self.path = path
        self.formats = FormatCache()

    def provide(self, request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel:
        return self.engine.load(info_of(self.path), request.load or LoadConfig(threads=1), on_progress)

    def generate(self, request: GenerationRequest, record: object = None) -> Generation:
        return Generation(request, self.provide, self.formats, record)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    path = make_scripted_model(
        tmp_path_factory.mktemp("models") / "m.gguf",
        f"<think>Let me see.</think>\n\n{ANSWER}",
        cut_utf8=True,
        chat_template=CHATML_TEMPLATE + "{# knows of </think> #}",
    )
    bench = Bench(path)
    yield bench
    bench.engine.close()


def texts(events: Sequence[Event]) -> tuple[str, str]:
    reasoning = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    return reasoning, "".join(event.text for event in events if isinstance(event, TextDelta))


def test_events_come_in_order_and_end_with_the_figures(bench: Bench) -> None:
    events = list(bench.generate(GenerationRequest("m", HELLO)))
    assert texts(events) == ("Let me see.", ANSWER)
    finished = events[-1]
    assert isinstance(finished, Finished)
    stats = finished.stats
    assert 0 < stats.reasoning_tokens < stats.generated_tokens
    assert stats.stop_reason == "eosFound"
    kinds = [type(event) for event in events]
    assert kinds.index(PromptProgress) < kinds.index(ReasoningDelta) < kinds.index(TextDelta)


def test_a_model_that_is_loaded_for_the_request_shows_it(tmp_path: Path) -> None:
    bench = Bench(make_scripted_model(tmp_path / "m.gguf", ANSWER))
    events = list(bench.generate(GenerationRequest("m", HELLO)))
    assert any(isinstance(event, ModelLoading) and event.progress == 1.0 for event in events)
    assert isinstance(events[-1], Finished)
    assert events[-1].stats.load_time > 0
    again = list(bench.generate(GenerationRequest("m", HELLO)))
    assert isinstance(again[-1], Finished)
    assert again[-1].stats.load_time == 0
    bench.engine.close()


async def test_events_can_be_awaited(bench: Bench) -> None:
    events = [event async for event in bench.generate(GenerationRequest("m", HELLO))]
    assert texts(events) == ("Let me see.", ANSWER)
    assert isinstance(events[-1], Finished)


def test_events_can_be_polled(bench: Bench) -> None:
    generation = bench.generate(GenerationRequest("m", HELLO))
    assert generation.wait(60)
    assert generation.done
    events = generation.take()
    assert texts(events) == ("Let me see.", ANSWER)
    assert generation.take() == []


def test_what_is_recorded_is_what_is_read(bench: Bench) -> None:
    recorded: list[Event] = []
    events = list(bench.generate(GenerationRequest("m", HELLO), recorded.extend))
    assert texts(recorded) == texts(events)
    assert recorded[-1] == events[-1]


def test_a_failed_load_is_an_event_not_an_exception(bench: Bench) -> None:
    events = list(bench.generate(GenerationRequest("m", HELLO, load=LoadConfig(context_length=10**6))))
    assert [type(event) for event in events] == [Failed]
    assert isinstance(events[0], Failed)
    assert events[0].error.code == "bad_request"


def test_a_template_that_raises_fails_the_answer_only(tmp_path: Path) -> None:
    template = "{{ raise_exception('only poems, please') }}"
    bench = Bench(make_scripted_model(tmp_path / "m.gguf", ANSWER, chat_template=template))
    events = list(bench.generate(GenerationRequest("m", HELLO)))
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, BadTemplate)
    assert "only poems, please" in events[-1].error.message
    bench.engine.close()


def test_a_model_without_a_template_still_answers(tmp_path: Path) -> None:
    bench = Bench(make_scripted_model(tmp_path / "m.gguf", ANSWER, chat_template=None))
    assert texts(list(bench.generate(GenerationRequest("m", HELLO))))[1] == ANSWER
    bench.engine.close()


def test_a_prompt_that_opens_the_reasoning_is_parsed_so(tmp_path: Path) -> None:
    template = CHATML_TEMPLATE + "{% if add_generation_prompt %}<think>\n{% endif %}"
    bench = Bench(make_scripted_model(tmp_path / "m.gguf", f"Let me see.</think>{ANSWER}", chat_template=template))
    assert texts(list(bench.generate(GenerationRequest("m", HELLO)))) == ("Let me see.", ANSWER)
    bench.engine.close()


def test_cancelling_ends_with_what_came(tmp_path: Path) -> None:
    bench = Bench(make_scripted_model(tmp_path / "m.gguf", ANSWER, loop=True, context_length=8192, layers=4))
    generation = bench.generate(GenerationRequest("m", HELLO))
    seen = ""
    for event in generation:
        if isinstance(event, TextDelta):
            seen += event.text
            generation.cancel()
        last = event
    assert isinstance(last, Finished)
    assert last.stats.stop_reason == "userStopped"
    assert seen
    bench.engine.close()


def test_cancelling_while_the_model_loads_stops_the_load(bench: Bench) -> None:
    loading, cancelled = threading.Event(), threading.Event()

    def provide(_request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel:
        loading.set()
        assert cancelled.wait(30)
        return bench.engine.load(info_of(bench.path), LoadConfig(threads=1, context_length=256), on_progress)

    generation = Generation(GenerationRequest("m", HELLO), provide, bench.formats)
    assert loading.wait(30)
    generation.cancel()
    cancelled.set()
    last = list(generation)[-1]
    assert isinstance(last, Finished)
    assert last.stats.stop_reason == "userStopped"


def test_a_defect_of_ours_ends_the_answer_and_is_said(bench: Bench) -> None:
    def provide(_request: GenerationRequest, _on_progress: LoadProgress) -> LoadedModel:
        raise ZeroDivisionError("oops")

    (event,) = list(Generation(GenerationRequest("m", HELLO), provide, bench.formats))
    assert isinstance(event, Failed)
    assert "oops" in event.error.message


def test_the_sampling_of_the_request_is_used(bench: Bench) -> None:
    request = GenerationRequest("m", HELLO, sampling=SamplingConfig(stop=("Grüße",)))
    events = list(bench.generate(request))
    assert texts(events)[1] == ANSWER[: ANSWER.index("Grüße")]


def test_a_slow_reader_gets_neighbouring_deltas_joined() -> None:
    stream = EventStream()
    stream.publish([ReasoningDelta("a", 1), ReasoningDelta("b", 2)])
    stream.publish([TextDelta("c", 1)])
    stream.publish([TextDelta("d", 1), PromptProgress(1, 0, 1), TextDelta("e", 1)])
    assert stream.take() == [ReasoningDelta("ab", 3), TextDelta("cd", 2), PromptProgress(1, 0, 1), TextDelta("e", 1)]


def test_nothing_comes_after_the_end() -> None:
    stream = EventStream()
    stream.publish([Failed(LmdeckError("no"))])
    stream.publish([TextDelta("late", 1)])
    assert [type(event) for event in stream] == [Failed]


def test_a_schema_begins_behind_the_reasoning(bench: Bench) -> None:
    properties = {"properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
    schema = json.dumps({"type": "object", **properties})
    events = list(bench.generate(GenerationRequest("m", HELLO, constraint=Constraint("json_schema", schema))))
    reasoning, text = texts(events)
    assert reasoning == "Let me see."
    assert json.loads(text).keys() == {"ok"}


def test_a_long_conversation_is_trimmed_and_that_is_said(bench: Bench) -> None:
    turns = [text_message("user" if number % 2 == 0 else "assistant", "word " * 20) for number in range(40)]
    request = GenerationRequest("m", (*turns, *HELLO))
    events = list(bench.generate(request))
    (trimmed,) = [event for event in events if isinstance(event, ContextTrimmed)]
    assert 0 < trimmed.dropped_messages < 40
    assert trimmed.dropped_messages % 2 == 0, "whole exchanges go"
    assert trimmed.prompt_tokens < 2048
    assert texts(events)[1] == ANSWER
    refused = list(bench.generate(replace(request, overflow="error")))
    assert isinstance(refused[-1], Failed)
    assert isinstance(refused[-1].error, ContextExceeded)


def test_log_probabilities_come_with_the_text(bench: Bench) -> None:
    request = GenerationRequest("m", HELLO, SamplingConfig(top_logprobs=2))
    events = list(bench.generate(request))
    tokens = [token for event in events if isinstance(event, Logprobs) for token in event.tokens]
    assert ANSWER.encode() in b"".join(token.data for token in tokens)
    assert all(len(token.alternatives) == 2 for token in tokens)
