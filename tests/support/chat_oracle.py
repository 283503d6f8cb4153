"""Hugging Face's own rendering of chat templates, to compare ours with.

Conversations are passed as its documentation shows them: arguments as objects, content as text. A template may be
written for other forms; then the first form that it takes, and that shows everything, is the right one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Final, TypeGuard

from tests.support.conversations import Conversation
from tui.domain import Message, Part, ReasoningPart, TextPart, Tool, ToolCallPart, ToolResultPart, text_message
from tui.formats import Capabilities, ChatFormat

BEGINNING, END = "<s>", "</s>"


def oracle_prompt(
    template: str, conversation: Conversation, variables: Mapping[str, Any], *, continue_last: bool = False
) -> str | None:
    """What Hugging Face makes of the conversation in the first form in which all of its words are there.

    One that shows the reasoning is better. `None` where the template refuses or loses something in all of them.
    """
    thoughts = [part.text for message in conversation.messages for part in message.parts if _is_thought(part)]
    first: str | None = None
    for reasoning, text_arguments, parts, empty in product(
        _reasoning_forms(template, thoughts), (False, True), (False, True), ("", None)
    ):
        messages = [_message(message, reasoning, text_arguments, parts, empty) for message in conversation.messages]
        prompt = _render(template, messages, conversation.tools, variables, continue_last)
        if prompt is None or _is_printed_list(prompt) or any(word not in prompt for word in conversation.words):
            continue
        first = first or prompt
        if not thoughts or any(thought in prompt for thought in thoughts):
            return prompt
    return first


def _reasoning_forms(template: str, thoughts: Sequence[str]) -> tuple[str, ...]:
    if not thoughts:
        return ("fields",)
    if re.search(r"message(\.|\[.)(thinking|reasoning\b)", template):
        # It reads the reasoning of a message; where it does not show it, that is what it wants.
        return ("fields", "all fields")
    return ("fields", "all fields", "blocks")


def _is_thought(part: Part) -> TypeGuard[ReasoningPart]:
    return isinstance(part, ReasoningPart)


def _is_printed_list(prompt: str) -> bool:
    """Whether a list of parts was printed as it is, which no model was trained on."""
    return re.search(r"""\[\{['"]type['"]: ['"](text|thinking)['"],""", prompt) is not None


def _render(
    template: str,
    messages: list[dict[str, Any]],
    tools: Sequence[Tool],
    variables: Mapping[str, Any],
    continue_last: bool,
) -> str | None:
    from jinja2.exceptions import TemplateError
    from transformers.utils.chat_template_utils import render_jinja_template

    functions = [_function(tool) for tool in tools]
    try:
        prompts, _ = render_jinja_template(
            [messages],
            tools=[{"type": "function", "function": function} for function in functions] or None,
            chat_template=template,
            add_generation_prompt=not continue_last,
            continue_final_message=continue_last,
            bos_token=BEGINNING,
            eos_token=END,
            **_firefunction(template, functions),
            **variables,
        )
    except (TemplateError, TypeError, ValueError, KeyError):
        return None
    return str(prompts[0])


def _firefunction(template: str, functions: list[dict[str, Any]]) -> dict[str, Any]:
    if "functions" not in template or "datetime" not in template:
        return {}
    return {
        "functions": json.dumps(functions, indent=4),
        "datetime": datetime.now().strftime("%B %d %Y %H:%M:%S"),
    }


def _function(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}


def _message(message: Message, reasoning: str, text_arguments: bool, parts: bool, empty: str | None) -> dict[str, Any]:
    text = "".join(part.text for part in message.parts if isinstance(part, TextPart))
    thought = "".join(part.text for part in message.parts if isinstance(part, ReasoningPart))
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    made: dict[str, Any] = {"role": message.role, "content": _content(text, parts)}
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            return {
                "role": "tool",
                "tool_call_id": part.call_id,
                "name": part.name,
                "content": _content(part.text, parts),
            }
    if calls:
        made["content"] = _content(text, parts) if text else empty
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": call.arguments if text_arguments else json.loads(call.arguments),
                },
            }
            for call in calls
        ]
    if thought and reasoning == "blocks":
        texts = [{"type": "text", "text": text}] if text else []
        made["content"] = [{"type": "thinking", "thinking": thought}, *texts]
    elif thought:
        made["reasoning_content"] = thought
        if reasoning == "all fields":
            made["reasoning"] = thought
    return made


def _content(text: str, parts: bool) -> Any:
    return [{"type": "text", "text": text}] if parts else text


@dataclass(frozen=True, slots=True)
class Comparison:
    """One conversation rendered by one template: by us, and by Hugging Face in its best form."""

    ours: str
    theirs: str | None
    """`None` where it refuses the conversation or loses a part of it in every form."""


def compare(template: str, conversations: Mapping[str, Conversation]) -> dict[str, Comparison]:
    """Render conversations both ways."""
    chat_format = ChatFormat(template, beginning_token=BEGINNING, end_token=END)
    return {name: _compare(chat_format, conversation) for name, conversation in conversations.items()}


def _compare(chat_format: ChatFormat, conversation: Conversation) -> Comparison:
    known, template = chat_format.capabilities, chat_format.template
    variables: dict[str, Any] = {}
    asked = conversation
    if conversation.effort and known.thinking_switch == "/no_think":
        word = "/no_think" if conversation.effort == "off" else "/think"
        system = text_message("system", f"{conversation.messages[0].text}\n{word}")
        asked = replace(conversation, messages=(system, *conversation.messages[1:]))
    elif conversation.effort:
        variables = _thinking(template, known, on=conversation.effort != "off")
    if known.tool_call_ids == "functions_name_index":
        asked = replace(asked, messages=tuple(map(_with_kimi_ids, asked.messages)))
    ours = chat_format.render(
        conversation.messages, tools=conversation.tools, reasoning_effort=conversation.effort
    ).text
    return Comparison(ours, oracle_prompt(template, asked, variables))


_SWITCHED: Final[dict[str, tuple[Any, Any]]] = {
    "enable_thinking": (False, True),
    "thinking": (False, True),
    "thinking_mode": ("disabled", "enabled"),
    "thinking_option": ("off", "on"),
    "thinking_budget": (0, -1),
}


def _thinking(template: str, known: Capabilities, *, on: bool) -> dict[str, Any]:
    """The variables by which these templates are told, as their publishers document them."""
    told: dict[str, Any] = {}
    if known.thinking_switch in _SWITCHED:
        told[known.thinking_switch] = _SWITCHED[known.thinking_switch][on]
    if known.effort_variable and (on or not told):
        least = next((word for word in ("no_think", '"none"', "minimal") if word in template), "low")
        told[known.effort_variable] = "high" if on else least.strip('"')
    return told


def _with_kimi_ids(message: Message) -> Message:
    ids = {"call00001": "functions.get_weather:0", "call00002": "functions.get_time:1"}

    def renamed(part: Part) -> Part:
        match part:
            case ToolCallPart():
                return replace(part, id=ids[part.id])
            case ToolResultPart():
                return replace(part, call_id=ids[part.call_id])
            case _:
                return part

    return replace(message, parts=tuple(map(renamed, message.parts)))
