"""What an answer has become so far, as deltas: where tokens are counted and white space is decided on."""

from __future__ import annotations

import secrets
import string
from typing import Literal

from tui.domain import (
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
)
from tui.formats.output.source import SPACE

Delta = ReasoningDelta | TextDelta | ToolCallStarted | ToolCallArguments | ToolCallFinished

_Kind = Literal["", "text", "reasoning", "arguments"]

_ID_CHARACTERS = string.ascii_letters + string.digits
_ID_LENGTH = 9  # what Mistral's templates demand; nobody minds it


class Writer:
    """Turns what the readers find into deltas.

    White space around reasoning and calls belongs to the syntax, not to the answer: it is held back, dropped at the
    borders, and comes out only between two pieces of text. Every token is counted once, with the next delta that
    there is after it.
    """

    def __init__(self, holds_breaks: bool) -> None:
        self._holds_breaks = holds_breaks
        self._deltas: list[Delta] = []
        self._kind: _Kind = ""
        self._texts: list[str] = []
        self._counted = 0
        self._tokens = 0
        self._gap: list[str] = []
        self._thought_gap: list[str] = []
        self._thinking = False
        self._spoken = False
        self._behind_syntax = False
        self._ids: set[str] = set()
        self._calls = 0
        self._pieces: list[str] | None = None
        self._name = self._id = ""

    def count(self, tokens: int) -> None:
        self._tokens += tokens

    def taken(self) -> list[Delta]:
        """The deltas since the last time."""
        self._close()
        deltas, self._deltas = self._deltas, []
        return deltas

    def text(self, text: str) -> None:
        """Words of the answer."""
        if not self._spoken:
            bare = text.lstrip(SPACE)
            if not self._behind_syntax:
                self._gap.append(text[: len(text) - len(bare)])
            text = bare
        if not text:
            return
        cut = self._last_break(text) if self._holds_breaks else len(text)
        if cut:
            self._add("text", "".join(self._gap) + text[:cut])
            self._gap.clear()
            self._spoken = True
            self._behind_syntax = False
        if cut < len(text):
            self._gap.append(text[cut:])

    @staticmethod
    def _last_break(text: str) -> int:
        """Where the white space at the end begins that has a line break in it."""
        bare = len(text.rstrip(SPACE))
        at = text.find("\n", bare)
        return len(text) if at < 0 else at

    def begin_reasoning(self) -> None:
        self._thinking = False
        self._thought_gap.clear()
        self._border()

    def reasoning(self, text: str) -> None:
        """Words of the reasoning."""
        if not self._thinking:
            text = text.lstrip(SPACE)
        bare = text.rstrip(SPACE)
        if bare:
            self._add("reasoning", "".join(self._thought_gap) + bare)
            self._thought_gap.clear()
            self._thinking = True
        self._thought_gap.append(text[len(bare) :])

    def end_reasoning(self) -> None:
        self._thought_gap.clear()
        if self._tokens:
            self._add("reasoning", "")

    def start_call(self, name: str, call_id: str = "") -> None:
        if not call_id or call_id in self._ids:
            call_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
        self._ids.add(call_id)
        self._name, self._id, self._pieces = name, call_id, []
        self._border()
        self._close()
        self._deltas.append(ToolCallStarted(self._calls, call_id, name, self._tokens))
        self._tokens = 0

    def arguments(self, text: str) -> None:
        """More of the arguments of the call that was started, as JSON text."""
        if text and self._pieces is not None:
            self._pieces.append(text)
            self._add("arguments", text)

    def end_call(self) -> None:
        if self._pieces is None:
            return
        if self._tokens:
            self._add("arguments", "")
        self._close()
        call = ToolCallPart(self._id, self._name, "".join(self._pieces))
        self._deltas.append(ToolCallFinished(self._calls, call))
        self._calls += 1
        self._pieces = None

    def end(self) -> None:
        """The output is over."""
        gap = "" if self._behind_syntax else "".join(self._gap)
        self._gap.clear()
        if gap or self._tokens:
            self._add("text", gap)

    def _border(self) -> None:
        """Here something begins that is not text."""
        self._behind_syntax = True
        if not self._spoken:
            self._gap.clear()

    def _add(self, kind: _Kind, text: str) -> None:
        """Put the text to the last delta if it is of this kind; pieces are joined when they are taken."""
        if kind != self._kind:
            self._close()
            self._kind = kind
        self._texts.append(text)
        self._counted += self._tokens
        self._tokens = 0

    def _close(self) -> None:
        text, tokens = "".join(self._texts), self._counted
        match self._kind:
            case "text":
                self._deltas.append(TextDelta(text, tokens))
            case "reasoning":
                self._deltas.append(ReasoningDelta(text, tokens))
            case "arguments":
                self._deltas.append(ToolCallArguments(self._calls, text, tokens))
        self._kind = ""
        self._texts.clear()
        self._counted = 0
