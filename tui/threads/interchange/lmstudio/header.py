"""What a conversation file says about the whole conversation: all of it but the messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.threads.interchange.lmstudio.figures import milliseconds, model_of
from tui.threads.interchange.lmstudio.frames import Frame, original_or
from tui.threads.interchange.lmstudio.settings import put_settings
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.interchange.values import moment, number

# What LM Studio writes into every file, and looks for.
_NEW: Frame = {
    "pinned": False,
    "preset": "",
    "tokenCount": 0,
    "systemPrompt": "",
    "usePerChatPredictionConfig": True,
    "perChatPredictionConfig": {"fields": []},
    "clientInput": "",
    "clientInputFiles": [],
    "userFilesSizeBytes": 0,
    "notes": [],
    "plugins": [],
    "pluginConfigs": {},
    "disabledPluginTools": [],
    "looseFiles": [],
}


def notes_of(header: Mapping[str, Any]) -> list[str]:
    """The notes that are texts."""
    notes = header.get("notes")
    return [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


def last_model_of(header: Mapping[str, Any]) -> str:
    """The model that was used last; empty where the file does not say."""
    information = header.get("lastUsedModel")
    return model_of(information) if isinstance(information, dict) else ""


def created_of(header: Mapping[str, Any]) -> float:
    """When the conversation was begun, in seconds since the epoch; 0 where the file does not say."""
    return moment(number(header.get("createdAt")) / 1000)


def updated_of(header: Mapping[str, Any]) -> float:
    """When somebody last said something, in seconds since the epoch; 0 where the file does not say."""
    times = (header.get("userLastMessagedAt"), header.get("assistantLastMessagedAt"))
    return max(moment(number(time) / 1000) for time in times)


def write_header(frame: Mapping[str, Any], thread: PortableThread, branch: list[PortableMessage]) -> Frame:
    """The header of a file: what the conversation came with, and what has changed since."""
    raw = frame.get("raw")
    header: Frame = dict(raw) if isinstance(raw, dict) else {"name": thread.title, **_NEW}
    if thread.title != (header.get("name") or ""):
        header["name"] = thread.title
    if thread.pinned != (header.get("pinned") is True):
        header["pinned"] = thread.pinned
    if thread.draft != (header.get("clientInput") or ""):
        header["clientInput"] = thread.draft
    if milliseconds(thread.created) != milliseconds(created_of(header)):
        header["createdAt"] = milliseconds(thread.created)
    if milliseconds(thread.updated) != milliseconds(updated_of(header) or thread.created):
        header["assistantLastMessagedAt"] = header["userLastMessagedAt"] = milliseconds(thread.updated)
    notes = [node.message.text for node in branch if node.kind == "note"]
    if notes != notes_of(header):
        others = header.get("notes")
        header["notes"] = notes + [note for note in (others if isinstance(others, list) else []) if not _is_text(note)]
    put_settings(header, thread.settings)
    if not isinstance(raw, dict):
        _put_last_answer(header, thread, branch)
    return original_or(frame, header)


def _put_last_answer(header: Frame, thread: PortableThread, branch: list[PortableMessage]) -> None:
    answers = [node for node in branch if node.message.role == "assistant"]
    stats = [node.stats for node in answers if node.stats is not None]
    if stats:
        header["tokenCount"] = stats[-1].prompt_tokens + stats[-1].generated_tokens
    model = thread.model or next((node.model for node in reversed(answers) if node.model), "")
    if model:
        # LM Studio refuses a file in which one of the two configurations is missing.
        configurations: Frame = {
            "instanceLoadTimeConfig": {"fields": []},
            "instanceOperationTimeConfig": {"fields": []},
        }
        header["lastUsedModel"] = {"identifier": model, "indexedModelIdentifier": model, **configurations}


def _is_text(note: Any) -> bool:
    return isinstance(note, str)
