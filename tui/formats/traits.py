"""What can be told of a model from its chat template alone, for lists of models."""

from __future__ import annotations

from tui.domain import BadTemplate, text_message
from tui.formats.chat import ChatFormat


def template_traits(template: str) -> tuple[bool, bool]:
    """Whether a template tells the model of tools, and whether the model reasons before it answers.

    Found by rendering, so it takes some milliseconds. One that cannot be rendered shows nothing.
    """
    try:
        chat_format = ChatFormat(template)
        chat_format.render((text_message("user", "?"),))
    except BadTemplate:
        return False, False
    known, written = chat_format.capabilities, chat_format.output_format
    switched = bool(known.thinking_switch) or bool(known.reasoning_efforts)
    return known.tools, switched or written.own_reasoning or written.channels is not None
