"""Hugging Face's own rendering of chat templates, to compare ours with.

Conversations are passed as its documentation shows them: arguments as objects, content as text. A template may be
written for other forms; then the first form that it takes, and that shows everything, is the right one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, TypeGuard

from tests.support.conversations import Conversation
from tui.domain import Message, Part, ReasoningPart, TextPart, Tool, ToolCallPart, ToolResultPart

BEGINNING, END = "<s>", "</s>"


def oracle_prompts(
    template: str, conversation: Conversation, variables: Mapping[str, Any], *, continue_last: bool = False
) -> list[str]:
    """What Hugging Face makes of the conversation in every form in which all of its words are there, the best first.

    The best is the first that shows the reasoning, if any does. Empty where the template refuses or loses something in
    all of them.
    """
    made: list[str] = []
    thoughts = [part.text for message in conversation.messages for part in message.parts if _is_thought(part)]
    for reasoning, text_arguments, parts, empty in product(
        ("fields", "all fields", "blocks"), (False, True), (False, True), ("", None)
    ):
        messages = [_message(message, reasoning, text_arguments, parts, empty) for message in conversation.messages]
        prompt = _render(template, messages, conversation.tools, variables, continue_last)
        if prompt is None or prompt in made or _is_printed_list(prompt):
            continue
        if all(word in prompt for word in conversation.words):
            made.append(prompt)
    return sorted(made, key=lambda prompt: not any(thought in prompt for thought in thoughts))


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
