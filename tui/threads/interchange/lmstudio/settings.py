"""What a conversation file of LM Studio says about how its answers are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.threads.interchange.lmstudio.frames import Frame
from tui.threads.thread_settings import ThreadSettings

SYSTEM_PROMPT = "llm.prediction.systemPrompt"


def read_settings(document: Mapping[str, Any]) -> ThreadSettings:
    """System prompt, preset and stop strings of a conversation."""
    fields = _fields(document)
    prompt = fields.get(SYSTEM_PROMPT)
    if not isinstance(prompt, str) or not prompt:
        prompt = document.get("systemPrompt")
    stop = fields.get("llm.prediction.stopStrings")
    preset = document.get("preset")
    return ThreadSettings(
        # Empty is how these files say that there is none.
        system_prompt=prompt if isinstance(prompt, str) and prompt else None,
        preset=preset if isinstance(preset, str) and preset else None,
        stop=tuple(text for text in stop if isinstance(text, str)) if isinstance(stop, list) else None,
    )


def put_settings(document: Frame, settings: ThreadSettings) -> None:
    """Put those of our settings into the document that differ from what it says."""
    said = read_settings(document)
    if settings.preset != said.preset:
        document["preset"] = settings.preset or ""
    if settings.system_prompt != said.system_prompt:
        document["systemPrompt"] = settings.system_prompt or ""
        _put_field(document, SYSTEM_PROMPT, settings.system_prompt or "")
    if settings.stop != said.stop:
        _put_field(document, "llm.prediction.stopStrings", list(settings.stop or ()))


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    return {field["key"]: field.get("value") for field in _field_list(document)}


def _field_list(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    configuration = document.get("perChatPredictionConfig")
    fields = configuration.get("fields") if isinstance(configuration, dict) else None
    found = fields if isinstance(fields, list) else []
    return [field for field in found if isinstance(field, dict) and isinstance(field.get("key"), str)]


def _put_field(document: Frame, key: str, value: Any) -> None:
    configuration = document.get("perChatPredictionConfig")
    others = [field for field in _field_list(document) if field["key"] != key]
    document["perChatPredictionConfig"] = {
        **(configuration if isinstance(configuration, dict) else {}),
        "fields": [*others, {"key": key, "value": value}],
    }
    document["usePerChatPredictionConfig"] = True
