"""What a chat template can do, as a record that people and programs can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.formats.call_ids import IdRule


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was found out about a template. What it cannot do is made up for when a conversation is rendered."""

    system_role: bool
    """Without it the system message goes in front of the user's."""
    text_content: bool
    typed_content: bool
    """Content may be a list of typed parts."""
    images: bool
    """The template has a place for images of its own; otherwise their marker stands in the text."""
    tools: bool
    """The template tells the model of its tools; without it `[TOOL_REQUEST]` in plain text is used."""
    tool_calls: bool
    """Earlier calls are rendered."""
    tool_results: bool
    parallel_tool_calls: bool
    """One message may have several calls."""
    tool_call_arguments: Literal["object", "text"]
    tool_call_ids: IdRule
    null_content: bool
    """A message of calls alone may have `none` for its content."""
    reasoning_in_history: bool
    """Earlier reasoning is rendered, at least that since the last message of the user."""
    thinking_switch: str
    """The variable that turns thinking off, or `/no_think` for that word in the system message; empty if none does."""
    effort_variable: str
    """The variable for how much to think; empty if there is none."""
    reasoning_efforts: tuple[str, ...]
    """The values which that variable takes, the least first."""
    harmony: bool
    """The prompt is made by OpenAI's Harmony library or, without its vocabulary, by the template."""
