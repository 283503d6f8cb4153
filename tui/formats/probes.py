"""The messages by which templates are probed, and what is read from the prompts that come of them."""

from __future__ import annotations

import json
from typing import Final

from tui.domain import Message, ReasoningPart, TextPart, Tool, ToolCallPart, ToolResultPart, text_message

MARK: Final = "lmdeck-3f9c"
"""What probes look for in the prompt; no template says it by itself."""

SAID, THOUGHT, _KEY, VALUES, RESULTS = (
    f"{MARK}-said",
    f"{MARK}-thought",
    "lmdeck_key",
    (f"{MARK}-value-a", f"{MARK}-value-b"),
    (f"{MARK}-result-a", f"{MARK}-result-b"),
)
CALLED, OFFERED = ("lmdeck_called_a", "lmdeck_called_b"), "lmdeck_offered"
EXAMPLE: Final = ("tool_name", '{"argument": "value"}')
IDS: Final[tuple[tuple[str, str], ...]] = (("call_lmdeck3f9ca", "call_lmdeck3f9cb"), ("lmdeck3fA", "lmdeck3fB"))
"""As OpenAI's look, and as Mistral's must."""

USER = text_message("user", MARK)
SYSTEM = text_message("system", MARK)
ASK, ANSWER = text_message("user", "?"), text_message("assistant", "!")
_SCHEMA = {"type": "object", "properties": {_KEY: {"type": "string", "description": "?"}}}
TOOL = Tool(OFFERED, "?", json.dumps(_SCHEMA))


def score_call(prompt: str, ids: tuple[str, str]) -> int:
    """2 for a call that is in the prompt as it should be, 1 if its arguments look as if nobody wanted them so."""
    if VALUES[0] not in prompt or not (CALLED[0] in prompt or ids[0] in prompt):
        return 0
    # The way Python prints an object, and JSON inside of JSON.
    return 1 if f"{{'{_KEY}'" in prompt or f'\\"{_KEY}' in prompt else 2


def calls_probe(count: int, ids: tuple[str, str], before: tuple[TextPart | ReasoningPart, ...] = ()) -> Message:
    calls = (ToolCallPart(ids[n], CALLED[n], f'{{"{_KEY}": "{VALUES[n]}"}}') for n in range(count))
    return Message("assistant", (*before, *calls))


def result_probe(number: int, ids: tuple[str, str]) -> Message:
    return Message("tool", (ToolResultPart(ids[number], CALLED[number], RESULTS[number]),))


def between_marks(prompt: str | None) -> str:
    """What stands between the two marks."""
    start, found, rest = (prompt or "").partition(f"{MARK}<")
    del start
    inside, closed, _ = rest.partition(f">{MARK}")
    return inside if found and closed else ""


def without_surroundings(prompt: str, beginning: str, ending: str) -> str:
    """The prompt without what it begins with as one of two others does, and ends with as the second does.

    No marker is cut.
    """
    start = max(_common(prompt, beginning), _common(prompt, ending))
    for opening, closing in ("<>", "[]"):
        before = prompt[:start]
        if before.rfind(opening) > before.rfind(closing):
            start = before.rfind(opening)
    rest = prompt[start:]
    end = len(rest) - _common(rest[::-1], ending[::-1])
    for opening, closing in ("<>", "[]"):
        behind = rest[end:]
        if closing in behind and behind.find(closing) < (behind + opening).find(opening):
            end += behind.find(closing) + 1
    return rest[:end].strip()


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
