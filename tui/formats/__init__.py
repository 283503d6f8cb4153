"""Between messages and the text that models read and write.

`ChatFormat` turns a conversation into a prompt with the model's own chat template, which comes from a file of
unknown origin and is run accordingly; gpt-oss has a `HarmonyRenderer`, and `fim_prompt` fills in the middle.
`token_counter` counts tokens without the weights. `OutputParser` turns the bytes that a model makes into reasoning,
text and tool calls, in the `OutputFormat` that `detect_output_format` finds in the template.
This wing knows text and vocabularies, not llama.cpp.
"""

from tui.formats.capabilities import Capabilities
from tui.formats.chat import ChatFormat, RenderedPrompt
from tui.formats.fallbacks import FALLBACK_TEMPLATE, family_template
from tui.formats.fill_in import FillInTokens, fill_in_tokens, fim_prompt, find_fill_in_tokens
from tui.formats.harmony import HarmonyRenderer
from tui.formats.output import Delta, OutputFormat, OutputParser, detect_output_format, instructed
from tui.formats.renderer import DEFAULT_IMAGE_MARKER
from tui.formats.template_diff import template_diff
from tui.formats.token_count import TokenCounter, token_counter
from tui.formats.tool_constraint import lazy_tool_constraint, tool_constraint
from tui.formats.traits import template_traits
from tui.formats.utf8 import Utf8Decoder

__all__ = [
    "DEFAULT_IMAGE_MARKER",
    "FALLBACK_TEMPLATE",
    "Capabilities",
    "ChatFormat",
    "Delta",
    "FillInTokens",
    "HarmonyRenderer",
    "OutputFormat",
    "OutputParser",
    "RenderedPrompt",
    "TokenCounter",
    "Utf8Decoder",
    "detect_output_format",
    "family_template",
    "fill_in_tokens",
    "fim_prompt",
    "find_fill_in_tokens",
    "instructed",
    "lazy_tool_constraint",
    "template_diff",
    "template_traits",
    "token_counter",
    "tool_constraint",
]
