"""Between messages and the text that models read and write.

`ChatFormat` turns a conversation into a prompt with the model's own chat template, which comes from a file of
unknown origin and is run accordingly. `OutputParser` turns the bytes that a model makes into reasoning, text and tool
calls, in the `OutputFormat` that `detect_output_format` finds in the template.
This wing knows text, not tokens and not llama.cpp.
"""

from tui.formats.chat import FALLBACK_TEMPLATE, ChatFormat, RenderedPrompt
from tui.formats.output import Delta, OutputFormat, OutputParser, detect_output_format
from tui.formats.tool_constraint import tool_constraint
from tui.formats.utf8 import Utf8Decoder

__all__ = [
    "FALLBACK_TEMPLATE",
    "ChatFormat",
    "Delta",
    "OutputFormat",
    "OutputParser",
    "RenderedPrompt",
    "Utf8Decoder",
    "detect_output_format",
    "tool_constraint",
]
