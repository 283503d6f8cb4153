"""An answer as most models write it: reasoning between tags, text, and tool calls between markers."""

from __future__ import annotations

from collections.abc import Callable

from tui.formats.output.calls import read_calls
from tui.formats.output.context import CallContext, shape_begins
from tui.formats.output.format import CallSyntax, OutputFormat, ReasoningTags
from tui.formats.output.source import Markers, Reading, Source
from tui.formats.output.tool_types import ToolTypes
from tui.formats.output.writer import Writer


class AnswerReader:
    """Reads one answer to its end.

    - A block of reasoning may stand at the beginning, behind another block and behind a tool call; one whose tags are
      control tokens anywhere. One that is never closed goes to the end, or to a tool call: some models forget to
      close it. White space just inside and just behind a block is dropped.
    - If the prompt ended inside an open block, the answer begins as reasoning; should the model open the block again,
      that marker is dropped.
    - A closing tag without an opening is text, as the answer may be about it and what stands before it has already
      been shown; one that is a control token is dropped.
    """

    def __init__(self, output_format: OutputFormat, tools: ToolTypes, source: Source, writer: Writer) -> None:
        self._source = source
        self._writer = writer
        self._tools = tools
        self._tags = output_format.reasoning
        self._bare = [syntax for syntax in output_format.calls if not syntax.openings]
        self._naked: dict[str, CallSyntax] = {}
        self._opened: dict[str, CallSyntax] = {}
        for syntax in reversed(output_format.calls):
            self._naked.update(dict.fromkeys(syntax.naked, syntax))
            self._opened.update(dict.fromkeys(syntax.openings, syntax))
        free = [tags for tags in self._tags if tags.anywhere]
        self._first = Markers(tags.opening for tags in self._tags)
        self._openings = {tags.opening: tags for tags in reversed(self._tags)}
        calls = [*self._opened, *self._naked]
        self._in_text = Markers(
            [*calls, *output_format.dropped, *(t for tags in free for t in (tags.opening, tags.closing))]
        )
        sure = [text for text in calls if not (self._opened.get(text) or self._naked[text]).known_only]
        self._in_reasoning = {
            tags: Markers([*sure, *([t.closing for t in self._tags] if tags is None else [tags.closing])])
            for tags in (None, *self._tags)
        }

    def read(self, reasoning_open: bool) -> Reading[None]:
        """Everything, from an answer whose prompt left the reasoning open or not."""
        source, writer = self._source, self._writer
        if reasoning_open:
            yield from self._block(None)
        fresh = True
        while (yield from source.peek()):
            if fresh:
                writer.text((yield from source.skip_space()))
                if opening := (yield from source.stands_any(self._first)):
                    source.take(len(opening))
                    yield from self._block(self._openings[opening])
                    continue
                fresh = yield from self._bare_calls()
                continue
            text, marker = yield from source.until(self._in_text)
            writer.text(text)
            if marker:
                fresh = yield from self._marker(marker)

    def read_text(self, ends: Markers, sink: Callable[[str], None]) -> Reading[str]:
        """Text up to one of these ends, which is read and returned, and the calls in it."""
        markers = Markers([*self._opened, *self._naked, *ends.texts])
        while True:
            text, marker = yield from self._source.until(markers)
            if text:
                sink(text)
            if marker in ends.texts or not (text or marker):
                return marker
            if marker:
                _, rest = yield from self._calls(marker, in_reasoning=False)
                sink(rest)

    def _marker(self, marker: str) -> Reading[bool]:
        """What begins with a marker in the text; whether a block of reasoning may come behind it."""
        if marker in self._opened or marker in self._naked:
            called, rest = yield from self._calls(marker, in_reasoning=False)
            self._writer.text(rest)
            return called and not rest.strip()
        if marker in self._openings:
            yield from self._block(self._openings[marker])
            return True
        return False

    def _bare_calls(self) -> Reading[bool]:
        """Calls without any marker before them; whether there are some."""
        for syntax in self._bare:
            for shape in syntax.shapes:
                if (yield from shape_begins(shape, self._source)):
                    context = CallContext(self._source, self._writer, syntax, self._tools)
                    rest = yield from read_calls(context, "")
                    self._writer.text(rest)
                    return bool(context.calls) and not rest.strip()
        return False

    def _calls(self, marker: str, in_reasoning: bool) -> Reading[tuple[bool, str]]:
        """Calls behind a marker that has been read: whether there are some, and what is left as text."""
        if marker in self._opened:
            syntax = self._opened[marker]
            inside = marker[len(marker) - syntax.overlap :]
            opening = marker[: len(marker) - syntax.overlap]
        else:
            syntax, inside, opening = self._naked[marker], marker, ""
        self._source.unread(inside)
        context = CallContext(self._source, self._writer, syntax, self._tools, in_reasoning)
        rest = yield from read_calls(context, opening)
        return bool(context.calls), rest

    def _block(self, tags: ReasoningTags | None) -> Reading[None]:
        """A block of reasoning behind its opening; the prompt's own without tags."""
        source, writer = self._source, self._writer
        writer.begin_reasoning()
        if tags is None:
            yield from source.skip_space()
            if opening := (yield from source.stands_any(self._first)):
                source.take(len(opening))
                tags = self._openings[opening]
        if tags is not None:
            yield from source.accept(tags.title)
        markers = self._in_reasoning[tags]
        while True:
            text, marker = yield from source.until(markers)
            if text:
                writer.reasoning(text)
            if marker in self._opened or marker in self._naked:
                called, rest = yield from self._calls(marker, in_reasoning=True)
                if called:
                    writer.text(rest)
                    return
                writer.reasoning(rest)
            elif marker or not text:
                writer.end_reasoning()
                return
