"""A template with the variables that every rendering has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.domain import Message, Tool
from tui.formats.dialect import Dialect, message_dictionary, size_of, tool_variables
from tui.formats.template import PromptTemplate

DEFAULT_IMAGE_MARKER = "<__media__>"
"""What llama.cpp's image reader (mtmd) looks for in a prompt."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is rendered besides the messages."""

    tools: Sequence[Tool] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Further variables, which replace those of the same name."""
    add_generation_prompt: bool = True
    image_marker: str = DEFAULT_IMAGE_MARKER


class TemplateRenderer:
    """Fills a template as Hugging Face's `apply_chat_template` does. Raises BadTemplate."""

    def __init__(self, template: PromptTemplate, beginning_token: str, end_token: str) -> None:
        self._template = template
        self._special_tokens = {"bos_token": beginning_token, "eos_token": end_token}

    @property
    def source(self) -> str:
        """The template's text."""
        return self._template.source

    def render(self, messages: Sequence[Message], dialect: Dialect, request: Request) -> str:
        """The prompt of the messages, each of which is as `message_dictionary` wants it."""
        variables = {
            "messages": [message_dictionary(message, dialect, request.image_marker) for message in messages],
            **tool_variables(request.tools, dialect),
            "documents": None,
            "add_generation_prompt": request.add_generation_prompt,
            **self._special_tokens,
            **request.variables,
        }
        characters = sum(map(size_of, messages))
        characters += sum(len(tool.description) + len(tool.parameters) for tool in request.tools)
        return self._template.render(variables, characters=characters, messages=len(messages))
