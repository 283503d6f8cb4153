"""Tool calls from a model's tokens to events, in the words of many families."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.answering import Answer, Answering
from tests.support.call_scripts import CALL_SCRIPTS, CITY_CALL, THOUGHT, ZONE_CALL, CallScripts
from tests.support.model_maker import make_scripted_model
from tests.support.scripts import long_script
from tui.domain import GenerationRequest, Logprobs, SamplingConfig, Tool, ToolCallArguments, ToolChoice, text_message
from tui.engine.loading import Kernels

ASK = (text_message("user", "How is the weather in Ulm?"),)
TOOLS = (
    Tool(
        "get_weather",
        "The weather in a city.",
        '{"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},'
        ' "required": ["city"]}',
    ),
    Tool(
        "get_time",
        "The time in a zone.",
        '{"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}',
    ),
)
REQUEST = GenerationRequest("m", ASK, tools=TOOLS)
BEYOND_US = Tool("odd", "", '{"type": "object", "properties": {"n": {"type": "integer", "not": {"const": 1}}}}')
"""With this among the tools no grammar can be made, so that a model may write whatever it likes."""
NOISE = "<|noise|>"
"""A control token that nobody looks for."""

families = pytest.mark.parametrize("family", CALL_SCRIPTS.values(), ids=CALL_SCRIPTS.keys())
tokens = pytest.mark.parametrize("control", [False, True], ids=["user-defined", "control"])


@pytest.fixture
def folder(tmp_path: Path, kernels: Kernels) -> tuple[Path, Kernels]:
    return tmp_path, kernels


@contextmanager
def speaking(
    folder: tuple[Path, Kernels], family: CallScripts, script: str, control: bool = True
) -> Iterator[Answering]:
    """A model of this family that says this, its markers user-defined or control tokens."""
    markers = (*family.markers, NOISE)
    path = make_scripted_model(
        folder[0] / "m.gguf",
        script,
        chat_template=family.source,
        special=() if control else markers,
        control=markers if control else (),
    )
    answering = Answering(path, folder[1])
    yield answering
    answering.close()


def called(answer: Answer) -> list[tuple[str, object]]:
    return [(call.name, json.loads(call.arguments)) for call in answer.calls]


@families
def test_a_call(folder: tuple[Path, Kernels], family: CallScripts) -> None:
    with speaking(folder, family, family.plain(family.call)) as model:
        answer = model.answer(REQUEST)
    assert called(answer) == [CITY_CALL]
    assert (answer.text, answer.reasoning) == ("", "")
    assert answer.stats.stop_reason == "toolCalls"


@families
def test_parallel_calls(folder: tuple[Path, Kernels], family: CallScripts) -> None:
    with speaking(folder, family, family.plain(family.parallel)) as model:
        answer = model.answer(REQUEST)
    assert called(answer) == [CITY_CALL, ZONE_CALL]
    assert (answer.text, answer.reasoning) == ("", "")
    assert answer.stats.stop_reason == "toolCalls"


@families
@tokens
def test_a_call_behind_reasoning_and_words(folder: tuple[Path, Kernels], family: CallScripts, control: bool) -> None:
    words = "" if family.lonely else "Let me see. "
    thought = f"{THOUGHT}{NOISE} And the time?"
    with speaking(folder, family, family.reasoned(thought, words + family.call), control) as model:
        answer = model.answer(replace(REQUEST, reasoning_effort=family.effort))
    # A control token is no part of what is said unless it is a marker; a user-defined one is text.
    assert answer.reasoning == thought.replace(NOISE, "" if control else NOISE)
    assert answer.text.strip() == words.strip()
    assert called(answer) == [CITY_CALL]
    assert answer.stats.stop_reason == "toolCalls"
    assert 0 < answer.stats.reasoning_tokens < answer.stats.generated_tokens


@families
def test_a_call_that_is_cut_off_is_not_completed(folder: tuple[Path, Kernels], family: CallScripts) -> None:
    with speaking(folder, family, family.plain(family.call)) as model:
        request = GenerationRequest("m", ASK, SamplingConfig(top_logprobs=0), tools=TOOLS)
        whole = model.answer(request)
        said = [token.data for event in whole.events if isinstance(event, Logprobs) for token in event.tokens]
        limit = max(count for count in range(len(said)) if b"Ulm" not in b"".join(said[:count]))
        answer = model.answer(GenerationRequest("m", ASK, SamplingConfig(max_tokens=limit), tools=TOOLS))
    (call,) = answer.calls
    assert call.name == "get_weather"
    assert whole.calls[0].arguments.startswith(call.arguments)
    assert call.arguments
    with pytest.raises(ValueError, match="line 1"):
        json.loads(call.arguments)
    assert answer.text == ""
    assert answer.stats.stop_reason == "maxPredictedTokensReached"


@families
def test_what_is_no_call_stays_text(folder: tuple[Path, Kernels], family: CallScripts) -> None:
    with speaking(folder, family, family.reasoned(THOUGHT, family.nonsense)) as model:
        answer = model.answer(replace(REQUEST, tools=(*TOOLS, BEYOND_US), reasoning_effort=family.effort))
    assert answer.calls == ()
    assert answer.text == family.nonsense
    assert answer.reasoning == THOUGHT
    assert answer.stats.stop_reason == "eosFound"


@families
def test_nothing_is_a_call_where_none_may_be_made(folder: tuple[Path, Kernels], family: CallScripts) -> None:
    with speaking(folder, family, family.plain(family.call)) as model:
        answer = model.answer(replace(REQUEST, tool_choice=ToolChoice("none")))
    assert answer.calls == ()
    assert answer.text == family.call
    assert answer.stats.stop_reason == "eosFound"


def test_arguments_come_as_they_are_written(folder: tuple[Path, Kernels]) -> None:
    family = CALL_SCRIPTS["tagged JSON (Hermes)"]
    city = long_script(700).replace("\n", " ")
    with speaking(folder, family, family.call.replace("Ulm", city)) as model:
        answer = model.answer(REQUEST)
    assert called(answer) == [("get_weather", {"city": city, "days": 3})]
    assert sum(isinstance(event, ToolCallArguments) for event in answer.events) > 3
