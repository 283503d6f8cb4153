"""The ids by which results of tools name their calls: always there, always matching, in the form a template wants."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from tui.domain import Message, Part, ToolCallPart, ToolResultPart

IdRule = Literal["any", "nine_alphanumerics", "functions_name_index"]
"""Mistral's templates refuse ids of another form than nine letters and digits. Kimi's call `functions.NAME:INDEX`,
counted through the conversation, is all that its prompt says of which function was called."""

_NINE: Final = re.compile(r"[a-zA-Z0-9]{9}")
_LETTERS: Final = string.ascii_letters + string.digits


def match_results(messages: Sequence[Message], rule: IdRule = "any") -> list[Message]:
    """The conversation with an id for every call, and each result with the id and the name of its call.

    A result belongs to the waiting call of its id, else of its name, else to the first that waits; what no call
    waits for keeps what it has. Every message of role `tool` has one result.
    """
    matcher = _Matcher(rule)
    return [replace(message, parts=tuple(matcher.matched(part) for part in message.parts)) for message in messages]


class _Matcher:
    def __init__(self, rule: IdRule) -> None:
        self._rule = rule
        self._waiting: list[tuple[str, ToolCallPart]] = []
        """The ids that calls came with, and the calls as they are now."""
        self._calls = 0

    def matched(self, part: Part) -> Part:
        """The part with the ids that the rule wants."""
        match part:
            case ToolCallPart():
                call = replace(part, id=self._new_id(part))
                self._calls += 1
                self._waiting.append((part.id, call))
                return call
            case ToolResultPart():
                found = self._take(part)
                if found is None:
                    return replace(part, call_id=self._new_id(ToolCallPart(part.call_id, part.name, "")))
                return replace(part, call_id=found.id, name=part.name or found.name)
            case _:
                return part

    def _take(self, result: ToolResultPart) -> ToolCallPart | None:
        if not self._waiting:
            return None
        by_id = (index for index, (old, _) in enumerate(self._waiting) if old == result.call_id != "")
        by_name = (index for index, (_, call) in enumerate(self._waiting) if call.name == result.name)
        index = next(by_id, None)
        if index is None and result.call_id and any(old for old, _ in self._waiting):
            # It names a call, and not one of these.
            return None
        if index is None:
            index = next(by_name, 0)
        return self._waiting.pop(index)[1]

    def _new_id(self, call: ToolCallPart) -> str:
        match self._rule:
            case "functions_name_index":
                return f"functions.{call.name}:{self._calls}"
            case "nine_alphanumerics":
                if _NINE.fullmatch(call.id):
                    return call.id
                digest = hashlib.sha256((call.id or f"call {self._calls}").encode("utf-8", "replace")).digest()
                return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:9])
            case "any":
                return call.id or f"call_{self._calls}"
