"""Versions of messages for LM Studio's files, each made from the turns that it shows as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.domain import Part, ReasoningPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.lmstudio.figures import milliseconds, model_of, sender_of, write_stats
from tui.threads.interchange.lmstudio.files import FileShelf
from tui.threads.interchange.lmstudio.frames import Frame, kinds_of, kinds_that_fill, original_or
from tui.threads.interchange.lmstudio.snapshots import put_snapshot
from tui.threads.interchange.lmstudio.writing_items import fill_item, new_item
from tui.threads.interchange.portable import PortableMessage

NAME = "lmstudio"
"""Under which the frames of these files are kept."""

# What a frame that somebody has damaged may lead to.
_DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration)


def frame_of(node: PortableMessage) -> Mapping[str, Any]:
    """What remains of the file that a message came from; empty for one from elsewhere, or with another role since."""
    frame = node.foreign.get(NAME)
    return frame if isinstance(frame, dict) and frame.get("role") == node.message.role else {}


def begins_version(node: PortableMessage) -> bool:
    """Whether a message was the first of its version in the file that it came from."""
    return isinstance(frame_of(node).get("version"), dict)


@dataclass(slots=True)
class VersionWriter:
    """Writes the versions of one conversation. Identifiers of steps and calls count through all of it."""

    shelf: FileShelf
    _steps: int = 0
    _calls: dict[str, int] = field(default_factory=dict)

    def write(self, chain: Sequence[PortableMessage]) -> Frame:
        """One version: a turn of a person, or what a model and its tools said until the person's next turn."""
        frame = frame_of(chain[0])
        raw = frame.get("version")
        kept = dict(raw) if isinstance(raw, dict) else {}
        role = chain[0].message.role
        single = kept.get("type") == "singleStep" if kept else role in ("user", "system")
        if single and len(chain) == 1:
            version = {"type": "singleStep", "role": role, **kept, "content": self._content(chain[0])}
        else:
            sender = sender_of(kept)
            steps = [step for node in chain for step in self._turn(node, sender)]
            version = {"role": "assistant", **kept, "type": "multiStep", "steps": steps}
            _put_sender(version, chain)
        return original_or(frame, version)

    def _content(self, node: PortableMessage) -> list[Frame]:
        filled = self._filled(frame_of(node).get("content"), node.message.parts)
        return [self._new_item(part) for part in node.message.parts] if filled is None else filled

    def _turn(self, node: PortableMessage, sender: str) -> list[Frame]:
        filled = self._filled_steps(node)
        steps = self._new_steps(node) if filled is None else filled
        _put_figures(steps, node, sender)
        return steps

    def _filled(self, items: Any, parts: Sequence[Part]) -> list[Frame] | None:
        try:
            if kinds_that_fill(items) != kinds_of(parts):
                return None
            supply = iter(parts)
            return [fill_item(item, supply, self.shelf) for item in items]
        except _DAMAGE:
            return None

    def _filled_steps(self, node: PortableMessage) -> list[Frame] | None:
        try:
            frames = list(frame_of(node)["steps"])
            items = [item for frame in frames for item in frame.get("items", ())]
            filled = self._filled(items, node.message.parts)
            if filled is None:
                return None
            supply = iter(filled)
            return [_step(frame, supply) for frame in frames]
        except _DAMAGE:
            return None

    def _new_steps(self, node: PortableMessage) -> list[Frame]:
        parts = node.message.parts
        if node.message.role == "tool":
            return [{**self._block(node), "roleOverride": "tool", "content": [self._new_item(part) for part in parts]}]
        if not parts:
            return [{**self._block(node), "content": []}]
        return [self._new_block(node, part) for part in parts]

    def _new_block(self, node: PortableMessage, part: Part) -> Frame:
        block = {**self._block(node), "content": [self._new_item(part)]}
        if isinstance(part, ReasoningPart):
            block["style"] = {"type": "thinking", "ended": True}
        # Thoughts are shown, but not sent back to the model.
        sent = not isinstance(part, ReasoningPart)
        return {**block, "defaultShouldIncludeInContext": sent, "shouldIncludeInContext": sent}

    def _block(self, node: PortableMessage) -> Frame:
        self._steps += 1
        identifier = f"{milliseconds(node.created) or self.shelf.made_at:013}-0.{self._steps:06}"
        return {"type": "contentBlock", "stepIdentifier": identifier}

    def _new_item(self, part: Part) -> Frame:
        item = new_item(part, self.shelf)
        match part:
            case ToolCallPart(identifier) | ToolResultPart(identifier):
                return {**item, "callId": self._calls.setdefault(identifier, len(self._calls) + 1)}
            case _:
                return item


def _step(frame: Mapping[str, Any], items: Iterator[Frame]) -> Frame:
    raw = dict(frame["raw"])
    return {**raw, "content": [next(items) for _ in frame["items"]]} if "items" in frame else raw


def _put_sender(version: Frame, chain: Sequence[PortableMessage]) -> None:
    models = {node.model for node in chain if node.message.role == "assistant"}
    if "senderInfo" not in version and len(models) == 1 and models != {""}:
        version["senderInfo"] = {"senderName": models.pop()}


def _put_figures(steps: list[Frame], node: PortableMessage, sender: str) -> None:
    """Put model and figures where LM Studio has them: in the last block of what the model said."""
    blocks = [step for step in steps if step.get("type") == "contentBlock"]
    if node.message.role != "assistant" or not blocks:
        return
    made = [block for block in blocks if isinstance(block.get("genInfo"), dict)]
    block = (made or blocks)[-1]
    information = dict(block["genInfo"]) if made else {}
    if node.model not in ("", model_of(information) or sender):
        information.update(indexedModelIdentifier=node.model, identifier=node.model)
    if node.stats is not None:
        stats = information.get("stats")
        information["stats"] = write_stats(node.stats, stats if isinstance(stats, dict) else {})
    put_snapshot(information, node.settings)
    if information:
        configurations: Frame = {} if made else {"loadModelConfig": {"fields": []}, "predictionConfig": {"fields": []}}
        block["genInfo"] = {**configurations, **information}
