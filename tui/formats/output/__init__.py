"""What models write, read while it comes.

`detect_output_format` finds in a chat template how its model writes; `OutputParser` turns the bytes of one answer
into reasoning, text and tool calls. Families of models are rows of data (`families.py`), shapes of tool calls are
readers (`*_calls.py`), and streaming and whole text are the same code.
"""

from tui.formats.output.detect import detect_output_format, instructed
from tui.formats.output.format import OutputFormat
from tui.formats.output.parser import OutputParser
from tui.formats.output.writer import Delta

__all__ = ["Delta", "OutputFormat", "OutputParser", "detect_output_format", "instructed"]
