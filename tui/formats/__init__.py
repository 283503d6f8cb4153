"""Between messages and the text that models read and write.

`ChatFormat` turns a conversation into a prompt with the model's own chat template, which comes from a file of
unknown origin and is run accordingly; gpt-oss has a `HarmonyRenderer`, and `fim_prompt` fills in the middle.
`token_counter` counts tokens without the weights. `OutputParser` turns the bytes that a model makes into text and
reasoning. This wing knows text and vocabularies, not llama.cpp.
"""

from tui.formats.capabilities import Capabilities
from tui.formats.chat import ChatFormat, RenderedPrompt
from tui.formats.fallbacks import FALLBACK_TEMPLATE, family_template
from tui.formats.fill_in import FillInTokens, fill_in_tokens, fim_prompt, find_fill_in_tokens
from tui.formats.harmony import HarmonyRenderer
from tui.formats.output import OutputParser
from tui.formats.template_diff import template_diff
from tui.formats.token_count import TokenCounter, token_counter
from tui.formats.utf8 import Utf8Decoder

__all__ = [
    "FALLBACK_TEMPLATE",
    "Capabilities",
    "ChatFormat",
    "FillInTokens",
    "HarmonyRenderer",
    "OutputParser",
    "RenderedPrompt",
    "TokenCounter",
    "Utf8Decoder",
    "family_template",
    "fill_in_tokens",
    "fim_prompt",
    "find_fill_in_tokens",
    "template_diff",
    "token_counter",
]
