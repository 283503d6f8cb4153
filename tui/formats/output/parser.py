"""What a model says, told apart while it comes: its reasoning, its answer, its tool calls."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain import Tool
from tui.formats.output.answer import AnswerReader
from tui.formats.output.channels import ChannelReader
from tui.formats.output.format import OutputFormat
from tui.formats.output.source import Source
from tui.formats.output.tool_types import ToolTypes
from tui.formats.output.writer import Delta, Writer
from tui.formats.utf8 import Utf8Decoder


class OutputParser:
    """Turns the bytes of one answer into deltas, the same in whatever pieces they come.

    - What looks like a tool call and is none is text; nothing a model writes is an error.
    - A call is begun as soon as its name is known and its arguments begin. Arguments come as the model writes them;
      shapes that are not JSON are turned into it on the way, their values typed by the schemas of `tools`.
    - A call that is cut off or broken is finished with the arguments as far as they came. They are never completed,
      as half a command is worse than none: that they are no valid JSON tells that the call is not whole.
    - Shapes without any marker, a plain JSON object for instance, count only for tools that are offered.
    - Every call has an id: the model's own where its format has one, a fresh one otherwise.

    The tokens fed in are handed on with the deltas, each counted once. Those that made only markers or white space
    wait for the next delta, or go with one whose text is empty where a block, a call or the output ends.
    """

    def __init__(
        self, output_format: OutputFormat, *, tools: Sequence[Tool] = (), reasoning_open: bool = False
    ) -> None:
        self._decoder = Utf8Decoder()
        self._source = Source()
        free_tags = any(tags.anywhere for tags in output_format.reasoning)
        self._writer = Writer(holds_breaks=bool(output_format.calls) or free_tags)
        types = ToolTypes(tools)
        answer = AnswerReader(output_format, types, self._source, self._writer)
        if output_format.channels is not None:
            channels = ChannelReader(output_format.channels, types, self._source, self._writer, answer)
            self._reading = channels.read(reasoning_open)
        else:
            self._reading = answer.read(reasoning_open)
        self._go_on(output_format.lead)

    def feed(self, data: bytes, tokens: int = 0) -> list[Delta]:
        """What is certain with these bytes, which `tokens` tokens made."""
        self._writer.count(tokens)
        self._go_on(self._decoder.feed(data))
        return self._writer.taken()

    def finish(self) -> list[Delta]:
        """What was held back, at the end of the output."""
        if self._source.ended:
            return []
        text = self._decoder.finish()
        self._source.ended = True
        self._source.feed(text)
        for _ in self._reading:
            pass
        self._writer.end()
        return self._writer.taken()

    def _go_on(self, text: str) -> None:
        if text:
            self._source.feed(text)
            next(self._reading, None)
