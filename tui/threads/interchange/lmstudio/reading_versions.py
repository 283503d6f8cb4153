"""One version of a message in LM Studio's files: the turns that it holds.

An answer that calls tools is one message there. Here it is several: what the model said, what the tools said, what
the model said then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.domain import GenerationStats, Message, Part, Role
from tui.threads.interchange.lmstudio.figures import model_of, read_stats, sender_of, time_of_step
from tui.threads.interchange.lmstudio.files import FindFile
from tui.threads.interchange.lmstudio.frames import Frame, without
from tui.threads.interchange.lmstudio.reading_items import read_item
from tui.threads.interchange.lmstudio.snapshots import read_snapshot
from tui.threads.interchange.values import Place, checked, member

_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}


@dataclass(slots=True)
class Turn:
    """A message as it is read, and the frames of what made it."""

    role: Role
    parts: list[Part] = field(default_factory=list)
    frame: Frame = field(default_factory=dict)
    """`content` or `steps`: frames; `version`: the rest of the version that begins with this turn; `role`."""
    model: str = ""
    stats: GenerationStats | None = None
    created: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> Message:
        """The turn as the rest of the program knows it."""
        return Message(self.role, tuple(self.parts))


def read_version(value: Any, place: Place, find_file: FindFile) -> list[Turn]:
    """The turns of a version, at least one. Raises BadFile."""
    version = checked(value, dict, place)
    role = _role(version.get("role"), place / "role")
    if "steps" in version:
        turns = _read_steps(member(version, "steps", list, place), role, place / "steps", find_file)
        turns[0].frame["version"] = without(version, "steps")
    else:
        turn = Turn(role, frame={"content": [], "version": without(version, "content")})
        _read_content(version, place, find_file, turn, turn.frame["content"])
        turns = [turn]
    for turn in turns:
        turn.frame["role"] = turn.role
        if turn.role == "assistant":
            turn.model = turn.model or sender_of(version)
    return turns


def _read_steps(steps: list[Any], role: Role, place: Place, find_file: FindFile) -> list[Turn]:
    turns: list[Turn] = []
    before: list[Frame] = []
    for number, value in enumerate(steps):
        step = checked(value, dict, place / number)
        if step.get("type") != "contentBlock" or not isinstance(step.get("content"), list):
            (turns[-1].frame["steps"] if turns else before).append({"raw": step})
            continue
        speaker = _speaker(step, role)
        # What one block says of tools is a message of its own, whether or not another one stands before it.
        if not turns or turns[-1].role != speaker or speaker == "tool":
            turns.append(Turn(speaker, frame={"steps": before}))
            before = []
        _read_block(step, place / number, find_file, turns[-1])
    return turns or [Turn(role, frame={"steps": before})]


def _read_block(step: Frame, place: Place, find_file: FindFile, turn: Turn) -> None:
    items: list[Frame] = []
    _read_content(step, place, find_file, turn, items, thinking=_is_thinking(step))
    turn.frame["steps"].append({"raw": without(step, "content"), "items": items})
    turn.created = turn.created or time_of_step(step)
    made = step.get("genInfo")
    if isinstance(made, dict):
        turn.model = model_of(made) or turn.model
        turn.stats = read_stats(made.get("stats")) or turn.stats
        turn.settings = read_snapshot(made) or turn.settings


def _read_content(
    holder: Frame, place: Place, find_file: FindFile, turn: Turn, frames: list[Frame], *, thinking: bool = False
) -> None:
    for number, item in enumerate(member(holder, "content", list, place)):
        where = place / "content" / number
        read = read_item(item, where, find_file, thinking=thinking, assistant=turn.role == "assistant")
        turn.parts.extend(read.parts)
        frames.append(read.frame)


def _speaker(step: Mapping[str, Any], role: Role) -> Role:
    override = step.get("roleOverride")
    if isinstance(override, str) and override in _ROLES:
        return _ROLES[override]
    content = step.get("content")
    items = content if isinstance(content, list) else []
    results = [isinstance(item, dict) and item.get("type") == "toolCallResult" for item in items]
    return "tool" if results and all(results) else role


def _is_thinking(step: Mapping[str, Any]) -> bool:
    style = step.get("style")
    if isinstance(style, dict) and style.get("type") == "thinking":
        return True
    # Older blocks are told by the marks around their text: those of the model, or LM Studio's own.
    marks = f"{step.get('prefix')}{step.get('suffix')}"
    return "<think>" in marks or "SYNTHETIC_REASONING" in marks


def _role(value: Any, place: Place) -> Role:
    if not isinstance(value, str) or value not in _ROLES:
        place.fail(f"must be one of {', '.join(_ROLES)}")
    return _ROLES[value]
