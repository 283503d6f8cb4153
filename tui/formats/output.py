"""What a model says, told apart while it comes: its reasoning and its answer.

Reasoning is a `<think>…</think>` block at the very beginning. Everywhere else these markers are text, since an
answer may well be about them.
"""

from __future__ import annotations

from enum import Enum, auto

from tui.domain import ReasoningDelta, TextDelta
from tui.formats.utf8 import Utf8Decoder

OPENING = "<think>"
CLOSING = "</think>"
_SPACE = " \t\r\n"


class _Place(Enum):
    """Where in the output the parser is."""

    START = auto()
    REASONING_START = auto()
    REASONING = auto()
    TEXT_START = auto()
    TEXT = auto()


class OutputParser:
    """Turns the bytes of one answer into reasoning and text, the same in whatever pieces they come.

    - Whitespace just inside and just behind the block is dropped.
    - If the prompt ended inside an open block (`reasoning_open`), the output starts as reasoning; should the
      model open the block again, that marker is dropped.
    - A block that is never closed is reasoning to the end.
    - A closing marker at the very beginning is an empty block. One that comes later, with no opening, stays in
      the text as it is: what stands before it has already been shown as text, and the marker tells the reader, and
      the templates that look for it in earlier answers, where the reasoning ended.

    The tokens fed in are handed on with the deltas, none lost. Those that made only markers or whitespace wait for
    the next delta, or go with one whose text is empty where the block or the output ends.
    """

    def __init__(self, reasoning_open: bool = False) -> None:
        self._place = _Place.REASONING_START if reasoning_open else _Place.START
        self._may_open = True
        self._decoder = Utf8Decoder()
        self._spaces: list[str] = []
        """Whitespace that is dropped if the block ends behind it."""
        self._partial = ""
        """What may be the beginning of a marker; shorter than one."""
        self._tokens = 0
        self._deltas: list[ReasoningDelta | TextDelta] = []

    def feed(self, data: bytes, tokens: int = 0) -> list[ReasoningDelta | TextDelta]:
        """What is certain with these bytes, which `tokens` tokens made."""
        self._tokens += tokens
        self._read(self._decoder.feed(data))
        return self._taken()

    def finish(self) -> list[ReasoningDelta | TextDelta]:
        """What was held back, at the end of the output."""
        self._read(self._decoder.finish())
        held, partial = "".join(self._spaces), self._partial
        self._spaces.clear()
        self._partial = ""
        match self._place:
            case _Place.START:
                self._add_text(held + partial)
            case _Place.TEXT_START | _Place.TEXT:
                self._add_text("")
            case _Place.REASONING_START | _Place.REASONING:
                self._add_reasoning(held + partial if partial else "")
        return self._taken()

    def _taken(self) -> list[ReasoningDelta | TextDelta]:
        deltas, self._deltas = self._deltas, []
        return deltas

    def _read(self, text: str) -> None:
        while text:
            match self._place:
                case _Place.START:
                    text = self._read_start(text)
                case _Place.REASONING_START:
                    text = self._read_reasoning_start(text)
                case _Place.REASONING:
                    text = self._read_reasoning(text)
                case _Place.TEXT_START:
                    text = text.lstrip(_SPACE)
                    if text:
                        self._place = _Place.TEXT
                case _Place.TEXT:
                    self._add_text(text)
                    return

    def _read_start(self, text: str) -> str:
        text = self._partial + text
        self._partial = ""
        bare = text.lstrip(_SPACE)
        self._spaces.append(text[: len(text) - len(bare)])
        if bare.startswith(OPENING):
            self._spaces.clear()
            self._may_open = False
            self._place = _Place.REASONING_START
            return bare.removeprefix(OPENING)
        if bare.startswith(CLOSING):
            self._spaces.clear()
            self._add_reasoning("")
            self._place = _Place.TEXT_START
            return bare.removeprefix(CLOSING)
        if OPENING.startswith(bare) or CLOSING.startswith(bare):
            self._partial = bare
            return ""
        spaces = "".join(self._spaces)
        self._spaces.clear()
        self._place = _Place.TEXT
        return spaces + bare

    def _read_reasoning_start(self, text: str) -> str:
        bare = (self._partial + text).lstrip(_SPACE)
        self._partial = ""
        if self._may_open and bare.startswith(OPENING):
            self._may_open = False
            return bare.removeprefix(OPENING)
        if not bare or (self._may_open and OPENING.startswith(bare)):
            self._partial = bare
            return ""
        self._place = _Place.REASONING
        return bare

    def _read_reasoning(self, text: str) -> str:
        text = self._partial + text
        self._partial = ""
        thought, marker, rest = text.partition(CLOSING)
        if not marker:
            cut = len(text) - _length_of_partial_marker(text)
            thought, self._partial = text[:cut], text[cut:]
        bare = thought.rstrip(_SPACE)
        if bare:
            self._add_reasoning("".join(self._spaces) + bare)
            self._spaces.clear()
        if marker:
            self._spaces.clear()
            self._add_reasoning("")
            self._place = _Place.TEXT_START
        else:
            self._spaces.append(thought[len(bare) :])
        return rest

    def _add_reasoning(self, text: str) -> None:
        if text or self._tokens:
            self._deltas.append(ReasoningDelta(text, self._tokens))
            self._tokens = 0

    def _add_text(self, text: str) -> None:
        if text or self._tokens:
            self._deltas.append(TextDelta(text, self._tokens))
            self._tokens = 0


def _length_of_partial_marker(text: str) -> int:
    """How many characters at the end of the text may be the beginning of a closing marker."""
    for length in range(min(len(CLOSING) - 1, len(text)), 0, -1):
        if text.endswith(CLOSING[:length]):
            return length
    return 0
