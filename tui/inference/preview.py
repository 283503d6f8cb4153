"""What a model would be given, without asking it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.domain import GenerationRequest
from tui.engine import LoadedModel
from tui.formats import ChatFormat
from tui.inference.local import read_prompt, whole_prompt


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """A prompt as the model would read it."""

    text: str
    tokens: int
    context_length: int
    dropped_messages: int = 0
    """Messages that would be left out because the context is too short for all of them."""
    clipped_messages: int = 0
    """Messages of which only a part would be sent."""


def preview_prompt(model: LoadedModel, chat_format: ChatFormat, request: GenerationRequest) -> PromptPreview:
    """Render and count what the request asks, cut as its policy says. Blocks; raises LmdeckError."""
    prompt = read_prompt(model, chat_format, request, lambda: False)
    trimmed = prompt.trimmed
    return PromptPreview(
        prompt.text,
        len(prompt.tokens),
        model.context_length,
        trimmed.dropped_messages if trimmed else 0,
        trimmed.clipped_messages if trimmed else 0,
    )


def count_prompt(model: LoadedModel, chat_format: ChatFormat, request: GenerationRequest) -> int:
    """How many tokens all that the request says has for the model, be it more than its context. Blocks; raises
    LmdeckError."""
    return len(whole_prompt(model, chat_format, request, lambda: False).tokens)
