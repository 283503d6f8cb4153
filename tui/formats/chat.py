"""From a conversation to the prompt that its model was trained to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui.domain import BadTemplate, Message, Part, TextPart, text_message
from tui.formats.output import OPENING
from tui.formats.template import PromptTemplate, TemplateTooCostly

FALLBACK_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, for a model without a template: the form that most models without one have seen."""

_MARK = "lmdeck-3f9c"
"""What probes look for in the prompt; no template says it by itself."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What a model is given to go on from."""

    text: str
    """Special tokens are spelled out in it, the beginning token too if the template has it."""
    reasoning_open: bool
    """Whether it ends inside an open `<think>`, so that the answer begins as reasoning."""


class ChatFormat:
    """The chat template of one model, with what it cannot do made up for.

    Found by rendering probes: a template that refuses or drops system messages gets their text in front of the
    first user message, and one that prints only content given as a list of parts gets it so. Messages of one role
    in a row are joined when the template refuses them.

    `render` raises BadTemplate with the line and the cause. Safe to use from several threads.
    """

    def __init__(self, template: str, *, beginning_token: str = "", end_token: str = "") -> None:
        self._template = PromptTemplate(template if template.strip() else FALLBACK_TEMPLATE)
        self._beginning_token = beginning_token
        self._end_token = end_token
        self._wants_parts: bool | None = None
        self._takes_system: bool | None = None

    def render(self, messages: Sequence[Message]) -> RenderedPrompt:
        """The prompt for the next answer in this conversation."""
        conversation = list(messages)
        if any(message.role == "system" for message in conversation) and not self._system_is_taken():
            conversation = _system_into_user(conversation)
        try:
            text = self._text(conversation)
        except TemplateTooCostly:
            raise
        except BadTemplate:
            joined = _join_same_roles(_later_system_into_user(conversation))
            if joined == conversation:
                raise
            text = self._text(joined)
        return RenderedPrompt(text, reasoning_open=text.rstrip().endswith(OPENING))

    def _text(self, messages: Sequence[Message]) -> str:
        if self._wants_parts is None:
            self._wants_parts = self._parts_are_wanted()
        return self._render(messages, as_parts=self._wants_parts)

    def _render(self, messages: Sequence[Message], *, as_parts: bool) -> str:
        variables = {
            "messages": [_as_dictionary(message, as_parts=as_parts) for message in messages],
            # Templates ask whether there are any; those written for Hugging Face expect the names to exist.
            "tools": None,
            "documents": None,
            "add_generation_prompt": True,
            "bos_token": self._beginning_token,
            "eos_token": self._end_token,
        }
        return self._template.render(variables, sum(len(part.text) for message in messages for part in message.parts))

    def _parts_are_wanted(self) -> bool:
        probe = [text_message("user", _MARK)]
        return not self._shows(probe, as_parts=False) and self._shows(probe, as_parts=True)

    def _system_is_taken(self) -> bool:
        if self._takes_system is None:
            if self._wants_parts is None:
                self._wants_parts = self._parts_are_wanted()
            probe = [text_message("system", _MARK), text_message("user", "?")]
            self._takes_system = self._shows(probe, as_parts=self._wants_parts)
        return self._takes_system

    def _shows(self, probe: Sequence[Message], *, as_parts: bool) -> bool:
        try:
            return _MARK in self._render(probe, as_parts=as_parts)
        except TemplateTooCostly:
            raise
        except BadTemplate:
            return False


def _as_dictionary(message: Message, *, as_parts: bool) -> dict[str, Any]:
    content: Any = [{"type": "text", "text": message.text}] if as_parts else message.text
    dictionary = {"role": message.role, "content": content}
    if message.role == "assistant" and message.reasoning:
        # The name under which templates look for it; whether it is shown again is theirs to say.
        dictionary["reasoning_content"] = message.reasoning
    return dictionary


def _system_into_user(messages: Sequence[Message]) -> list[Message]:
    """The conversation with each system message's text in front of the user message that follows it."""
    changed: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.text)
        elif message.role == "user" and waiting:
            changed.append(_with_text_before(message, waiting))
            waiting = []
        else:
            changed.append(message)
    if waiting:
        changed.append(text_message("user", "\n\n".join(waiting)))
    return changed


def _later_system_into_user(messages: Sequence[Message]) -> list[Message]:
    """The same for all system messages but one at the very beginning."""
    first = 1 if messages and messages[0].role == "system" else 0
    return [*messages[:first], *_system_into_user(messages[first:])]


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


def _with_text_before(message: Message, texts: Sequence[str]) -> Message:
    return replace(message, parts=(TextPart("\n\n".join([*texts, ""])), *message.parts))
