"""Between messages and the text that models read and write.

`ChatFormat` turns a conversation into a prompt with the model's own chat template, which comes from a file of
unknown origin and is run accordingly. `OutputParser` turns the bytes that a model makes into text and reasoning.
This wing knows text, not tokens and not llama.cpp.
"""

from tui.formats.capabilities import Capabilities
from tui.formats.chat import ChatFormat, RenderedPrompt
from tui.formats.fallbacks import FALLBACK_TEMPLATE, family_template
from tui.formats.harmony import HarmonyRenderer
from tui.formats.output import OutputParser
from tui.formats.template_diff import template_diff
from tui.formats.utf8 import Utf8Decoder

__all__ = [
    "FALLBACK_TEMPLATE",
    "Capabilities",
    "ChatFormat",
    "HarmonyRenderer",
    "OutputParser",
    "RenderedPrompt",
    "Utf8Decoder",
    "family_template",
    "template_diff",
]
