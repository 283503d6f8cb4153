"""Conversations that every chat template should take, with the words that must be in their prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tui.domain import (
    Message,
    ReasoningEffort,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    text_message,
)

WEATHER: Final = Tool(
    "get_weather",
    "The weather in a city.",
    '{"type": "object", "properties": {"city": {"type": "string", "description": "Its name."},'
    ' "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "The unit."}},'
    ' "required": ["city"]}',
)
CLOCK: Final = Tool(
    "get_time",
    "The time in a zone.",
    '{"type": "object", "properties": {"zone": {"type": "string", "description": "Its name."}}, "required": ["zone"]}',
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is rendered, and what of it must be found in the prompt whatever the template can do."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    effort: ReasoningEffort | None = None
    words: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def _answer(*parts: TextPart | ReasoningPart | ToolCallPart) -> Message:
    return Message("assistant", parts)


def _result(call_id: str, name: str, text: str) -> Message:
    return Message("tool", (ToolResultPart(call_id, name, text),))


_SYSTEM = text_message("system", "You are kind and brief.")
_ASK = text_message("user", "How is the weather in Ulm?")
_CALL = ToolCallPart("call00001", "get_weather", '{"city": "Ulm-Mitte", "unit": "celsius"}')
_SECOND_CALL = ToolCallPart("call00002", "get_time", '{"zone": "Europe/Berlin"}')
_RESULT = _result("call00001", "get_weather", '{"sky": "clear", "degrees": 21}')
_SECOND_RESULT = _result("call00002", "get_time", "noon")

CONVERSATIONS: Final[dict[str, Conversation]] = {
    "one message": Conversation((_ASK,), words=("weather in Ulm",)),
    "system and several turns": Conversation(
        (_SYSTEM, text_message("user", "Hello  there"), text_message("assistant", "Hi!"), _ASK),
        words=("kind and brief", "Hello  there", "Hi!", "weather in Ulm"),
    ),
    "reasoning in the history": Conversation(
        (
            _SYSTEM,
            text_message("user", "One and one?"),
            _answer(ReasoningPart("Let me count."), TextPart("Two.")),
            text_message("user", "And two and two?"),
        ),
        words=("One and one?", "Two.", "two and two?"),
    ),
    "tools": Conversation(
        (_SYSTEM, _ASK), (WEATHER, CLOCK), words=("get_weather", "The time in a zone", "weather in Ulm")
    ),
    "a call and its result": Conversation(
        (_ASK, _answer(_CALL), _RESULT), (WEATHER,), words=("The weather in a city", "Ulm-Mitte", "degrees")
    ),
    "parallel calls": Conversation(
        (_SYSTEM, _ASK, _answer(_CALL, _SECOND_CALL), _RESULT, _SECOND_RESULT),
        (WEATHER, CLOCK),
        words=("The time in a zone", "Ulm-Mitte", "Europe/Berlin", "degrees", "noon"),
    ),
    "thinking off": Conversation((_SYSTEM, _ASK), effort="off", words=("weather in Ulm",)),
    "thinking on": Conversation((_SYSTEM, _ASK), effort="high", words=("weather in Ulm",)),
    "a whole turn with tools and reasoning, and the next": Conversation(
        (
            _SYSTEM,
            _ASK,
            _answer(ReasoningPart("I need the tool."), _CALL),
            _RESULT,
            _answer(ReasoningPart("Good weather."), TextPart("It is fine in Ulm.")),
            text_message("user", "And tomorrow?"),
        ),
        (WEATHER, CLOCK),
        words=("The time in a zone", "Ulm-Mitte", "degrees", "It is fine in Ulm.", "And tomorrow?"),
    ),
}
