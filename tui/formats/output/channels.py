"""An answer in messages with headers: OpenAI's Harmony, and Muse's form of it.

What models really write is read, not only what they should: a recipient in either half of a header, calls on any
channel, no content type or a wrong one, headers inside headers, garbage around the channel's name, and headers whose
message never begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tui.formats.output.answer import AnswerReader
from tui.formats.output.format import ChannelSyntax
from tui.formats.output.json_text import escaped
from tui.formats.output.source import Markers, Reading, Source
from tui.formats.output.tool_types import ToolTypes
from tui.formats.output.writer import Writer

_RECIPIENT = re.compile(r"to=([^\s<]+)")
_FIRST_TEXT = re.compile(r"[^<\n]+")
_NOT_SPACE = re.compile(r"[^\s<]+")
_HEADER_WORDS = re.compile(r"^(\s*(assistant|analysis|commentary|final|json|code|to=\S+))*\s*")
_LONGEST_FIRST = 64
_LONGEST_HEADER = 512
_FUNCTIONS = "functions."


@dataclass(frozen=True, slots=True)
class _Header:
    recipient: str
    channel: str


class ChannelReader:
    """Reads one answer to its end. Its prompt ended with the beginning of a header, the role in it, or in a thought.

    Thoughts become reasoning, calls of functions tool calls, everything else text. Calls of tools that nobody offered,
    such as the built-in browser, become reasoning: they say what the model wanted, and nobody can answer them.
    """

    def __init__(
        self, syntax: ChannelSyntax, tools: ToolTypes, source: Source, writer: Writer, inside: AnswerReader
    ) -> None:
        self._syntax = syntax
        self._tools = tools
        self._source = source
        self._writer = writer
        self._inside = inside
        self._tokens = Markers((syntax.start, syntax.message, *syntax.ends, syntax.channel, syntax.constrain))
        self._inline = "to=" if syntax.inline_headers else ""
        self._ends = Markers((*self._tokens.texts, self._inline))

    def read(self, reasoning_open: bool) -> Reading[None]:
        """Everything, from an answer whose prompt left a thought open or not."""
        text = ""
        if reasoning_open:
            marker = yield from self._thought()
        else:
            text, marker = yield from self._beginning()
        while marker:
            if marker in self._syntax.ends:
                marker = yield from self._between()
                continue
            header, marker = yield from self._header(text, marker)
            text = ""
            if header is not None:
                marker = yield from self._body(header)

    def _beginning(self) -> Reading[tuple[str, str]]:
        """The rest of the header that the prompt began, and the marker behind it. Without a header it is text."""
        source = self._source
        first = ""
        while len(first) < _LONGEST_FIRST and (yield from source.available(1)):
            match = _FIRST_TEXT.match(source.text, source.at)
            if match is None:
                break
            first += source.take(min(len(match[0]), _LONGEST_FIRST - len(first)))
        if marker := (yield from source.stands_any(self._tokens)):
            source.take(len(marker))
            return first, marker
        return "", (yield from self._plain(first))

    def _between(self) -> Reading[str]:
        """What stands between two messages, which should be nothing; the marker behind it."""
        space = yield from self._source.skip_space()
        return (yield from self._plain("" if (yield from self._source.stands_any(self._tokens)) else space))

    def _plain(self, text: str) -> Reading[str]:
        """Text without a header; the marker behind it."""
        if text:
            self._writer.text(text)
        return (yield from self._inside.read_text(self._tokens, self._writer.text))

    def _header(self, text: str, marker: str) -> Reading[tuple[_Header | None, str]]:
        """A header from a marker in it on, up to its message.

        Without a message, what it says beyond the words of headers is text; then the marker that broke it off.
        """
        syntax = self._syntax
        channel = ""
        while marker != syntax.message:
            if marker in syntax.ends or not marker or len(text) > _LONGEST_HEADER:
                rest = _HEADER_WORDS.sub("", text)
                if not marker or len(text) <= _LONGEST_HEADER:
                    self._writer.text(rest)
                    return None, marker
                return None, (yield from self._plain(rest))
            if marker in (syntax.start, self._inline):
                text = channel = ""
            before = marker
            marker = ""
            said = ""
            while not marker and len(said) <= _LONGEST_HEADER:
                piece, marker = yield from self._source.until(self._tokens)
                said += piece
                if not (piece or marker):
                    break
            text += f" {self._inline}{said}" if before == self._inline else f" {said}"
            if before == syntax.channel:
                channel = said
            if not marker and len(said) > _LONGEST_HEADER:
                return None, (yield from self._plain(_HEADER_WORDS.sub("", text)))
        recipients = _RECIPIENT.findall(text)
        return _Header(recipients[-1] if recipients else "", channel or text), ""

    def _body(self, header: _Header) -> Reading[str]:
        """A message up to its end; the marker behind it."""
        writer = self._writer
        recipient = header.recipient
        if recipient in self._syntax.silent_recipients:
            return (yield from self._copy(lambda _text: None))
        if self._syntax.channel and self._is_call(recipient):
            return (yield from self._call(recipient.removeprefix(_FUNCTIONS)))
        if self._is_reasoning(header):
            return (yield from self._thought())
        return (yield from self._copy(writer.text))

    def _thought(self) -> Reading[str]:
        """Reasoning up to the end of its message; the marker behind it."""
        self._writer.begin_reasoning()
        marker = yield from self._copy(self._writer.reasoning)
        self._writer.end_reasoning()
        return marker

    def _is_call(self, recipient: str) -> bool:
        if recipient in ("", "assistant", "user"):
            return False
        name = recipient.removeprefix(_FUNCTIONS)
        return name != recipient or not self._tools.any or self._tools.knows(name)

    def _is_reasoning(self, header: _Header) -> bool:
        if self._syntax.reasoning_recipients:
            return header.recipient in self._syntax.reasoning_recipients
        return "analysis" in header.channel or header.recipient not in ("", "assistant", "user")

    def _copy(self, sink: Callable[[str], None]) -> Reading[str]:
        while True:
            marker = yield from self._inside.read_text(self._ends, sink)
            if marker != self._inline or not marker:
                return marker
            if (yield from self._is_header()):
                return marker
            sink(marker)

    def _is_header(self) -> Reading[bool]:
        """Whether a recipient stands here and a message begins behind it."""
        source = self._source
        offset = 0
        while offset < _LONGEST_FIRST and (yield from source.available(offset + 1)):
            if not _NOT_SPACE.match(source.text, source.at + offset):
                break
            offset += 1
        yield from source.available(offset + len(self._syntax.message))
        return offset > 0 and source.text.startswith(self._syntax.message, source.at + offset)

    def _call(self, name: str) -> Reading[str]:
        """The message is the arguments. A tool that takes one text may be given it without any JSON around it."""
        source, writer = self._source, self._writer
        writer.start_call(name)
        yield from source.skip_space()
        parameters = self._tools.parameters(name)
        bare = len(parameters) == 1 and "string" in self._tools.types(name, parameters[0])
        if bare and not (yield from source.stands("{")) and not (yield from source.stands_any(self._tokens)):
            writer.arguments(f'{{"{escaped(parameters[0])}": "')
            marker = yield from source.copy_until(self._tokens, lambda text: writer.arguments(escaped(text)))
            writer.arguments('"}' if marker else "")
        else:
            empty = bool((yield from source.stands_any(self._tokens)))
            writer.arguments("{}" if empty else "")
            marker = yield from source.copy_until(self._tokens, writer.arguments)
        writer.end_call()
        return marker
