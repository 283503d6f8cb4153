"""From a conversation to the prompt that its model was trained to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui.domain import BadTemplate, Message, Part, TextPart, text_message
from tui.formats.output import OutputFormat, detect_output_format
from tui.formats.template import PromptTemplate, TemplateTooCostly

FALLBACK_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, for a model without a template: the form that most models without one have seen."""

_MARK = "lmdeck-3f9c"
"""What probes look for in the prompt; no template says it by itself."""

_USER_PROBE = (text_message("user", _MARK),)
_SYSTEM_PROBE = (text_message("system", _MARK), text_message("user", "?"))
_LATER_SYSTEM_PROBE = (text_message("user", "?"), text_message("assistant", "!"), *_SYSTEM_PROBE)


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What a model is given to go on from."""

    text: str
    """Special tokens are spelled out in it, the beginning token too if the template has it."""
    reasoning_open: bool
    """Whether it ends inside an open `<think>`, so that the answer begins as reasoning."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a template wants its variables."""

    content_as_parts: bool
    """`content` is a list of parts instead of a text."""
    no_tools: tuple[()] | None
    """What `tools` is when there are none."""


# Hugging Face's way first. Templates for tools alone may go through the list without asking whether there is one.
_DIALECTS = (_Dialect(False, None), _Dialect(True, None), _Dialect(False, ()), _Dialect(True, ()))


class ChatFormat:
    """The chat template of one model, with what it cannot do made up for.

    What it can do is found by rendering probes and looking whether their text is in the prompt. System messages that
    it refuses or drops go in front of the next user message. Messages of one role in a row are joined if it refuses
    the conversation as it is.

    `render` raises BadTemplate with the line and the cause. Safe to use from several threads.
    """

    def __init__(self, template: str, *, beginning_token: str = "", end_token: str = "") -> None:
        self._template = PromptTemplate(template if template.strip() else FALLBACK_TEMPLATE)
        self._output_format = detect_output_format(self._template.source)
        self._beginning_token = beginning_token
        self._end_token = end_token
        self._shown: dict[tuple[tuple[Message, ...], _Dialect], bool] = {}

    @property
    def output_format(self) -> OutputFormat:
        """How the model writes, as its template shows it."""
        return self._output_format

    def render(self, messages: Sequence[Message]) -> RenderedPrompt:
        """The prompt for the next answer in this conversation."""
        dialect = next((dialect for dialect in _DIALECTS if self._shows(_USER_PROBE, dialect)), _DIALECTS[0])
        conversation = self._with_usable_system(messages, dialect)
        try:
            text = self._render(conversation, dialect)
        except TemplateTooCostly:
            raise
        except BadTemplate:
            joined = _join_same_roles(_system_into_user(conversation, keep_first=True))
            if joined == conversation:
                raise
            text = self._render(joined, dialect)
        return RenderedPrompt(text, reasoning_open=self._output_format.opens_reasoning(text))

    def _render(self, messages: Sequence[Message], dialect: _Dialect) -> str:
        variables = {
            "messages": [_as_dictionary(message, dialect) for message in messages],
            "tools": dialect.no_tools,
            "documents": None,
            "add_generation_prompt": True,
            "bos_token": self._beginning_token,
            "eos_token": self._end_token,
        }
        characters = sum(len(message.text) + len(message.reasoning) for message in messages)
        return self._template.render(variables, characters=characters, messages=len(messages))

    def _with_usable_system(self, messages: Sequence[Message], dialect: _Dialect) -> list[Message]:
        places = [index for index, message in enumerate(messages) if message.role == "system"]
        if places and not self._shows(_SYSTEM_PROBE, dialect):
            return _system_into_user(messages)
        if places and places[-1] > 0 and not self._shows(_LATER_SYSTEM_PROBE, dialect):
            return _system_into_user(messages, keep_first=True)
        return list(messages)

    def _shows(self, probe: tuple[Message, ...], dialect: _Dialect) -> bool:
        """Whether the marked text of the probe is in its prompt."""
        if (probe, dialect) not in self._shown:
            try:
                self._shown[probe, dialect] = _MARK in self._render(probe, dialect)
            except TemplateTooCostly:
                raise
            except BadTemplate:
                self._shown[probe, dialect] = False
        return self._shown[probe, dialect]


def _as_dictionary(message: Message, dialect: _Dialect) -> dict[str, Any]:
    content: Any = [{"type": "text", "text": message.text}] if dialect.content_as_parts else message.text
    dictionary = {"role": message.role, "content": content}
    if message.role == "assistant" and message.reasoning:
        # The name under which templates look for it; whether it is shown again is theirs to say.
        dictionary["reasoning_content"] = message.reasoning
    return dictionary


def _system_into_user(messages: Sequence[Message], *, keep_first: bool = False) -> list[Message]:
    """The conversation with the text of system messages in front of the user message that follows them.

    `keep_first` leaves one alone that begins the conversation.
    """
    changed: list[Message] = []
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "system" and not (keep_first and index == 0):
            waiting.append(message.text)
        elif message.role == "user" and waiting:
            changed.append(replace(message, parts=(TextPart("\n\n".join([*waiting, ""])), *message.parts)))
            waiting = []
        else:
            changed.append(message)
    if waiting:
        changed.append(text_message("user", "\n\n".join(waiting)))
    return changed


def _join_same_roles(messages: Sequence[Message]) -> list[Message]:
    """The conversation with neighbours of one role made into one message."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            between: tuple[Part, ...] = (TextPart("\n\n"),) if joined[-1].text and message.text else ()
            joined[-1] = replace(joined[-1], parts=(*joined[-1].parts, *between, *message.parts))
        else:
            joined.append(message)
    return joined
