"""One conversation turn from request to events: joins formats and engine. The one road that every face takes."""

from tui.inference.formats import FormatCache
from tui.inference.generation import FormatProvider, Generation, ModelProvider, Record
from tui.inference.measuring import Measured
from tui.inference.preview import PromptPreview, count_prompt, preview_prompt
from tui.inference.source import AnsweringModel, EventSource
from tui.inference.stream import EventStream

__all__ = [
    "AnsweringModel",
    "EventSource",
    "EventStream",
    "FormatCache",
    "FormatProvider",
    "Generation",
    "Measured",
    "ModelProvider",
    "PromptPreview",
    "Record",
    "count_prompt",
    "preview_prompt",
]
