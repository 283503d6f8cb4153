"""What a conversation file of LM Studio says about how its answers are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.config import CONSTRAINT_KEY, checked_value, read_fields, to_json, write_parts
from tui.domain import BadRequest
from tui.threads.interchange.lmstudio.frames import Frame
from tui.threads.thread_settings import ThreadSettings

_PROMPT = "answer.system_prompt"
_STOP = "sampling.stop"


def read_settings(document: Mapping[str, Any]) -> ThreadSettings:
    """System prompt, preset and parameters of a conversation. What is not understood stays in the file only."""
    values = _values_in(_fields(document))
    prompt = values.pop(_PROMPT, "") or document.get("systemPrompt")
    stop = values.pop(_STOP, None)
    constraint = values.pop(CONSTRAINT_KEY, None)
    preset = document.get("preset")
    return ThreadSettings(
        # Empty is how these files say that there is none.
        system_prompt=prompt if isinstance(prompt, str) and prompt else None,
        preset=preset if isinstance(preset, str) and preset else None,
        overrides={key: to_json(value) for key, value in values.items()},
        constraint=constraint,
        stop=stop,
    )


def put_settings(document: Frame, settings: ThreadSettings) -> None:
    """Put those of our settings into the document that differ from what it says."""
    said = read_settings(document)
    if settings.preset != said.preset:
        document["preset"] = settings.preset or ""
    if settings.system_prompt != said.system_prompt:
        document["systemPrompt"] = settings.system_prompt or ""
    values = _values_of(settings)
    if values == _values_of(said):
        return
    # A field that says what still holds stays as it is, and so does one that means nothing here.
    kept = [field for field in _all_fields(document) if _values_in([field]).items() <= values.items()]
    missing = {key: value for key, value in values.items() if key not in _values_in(kept)}
    configuration = document.get("perChatPredictionConfig")
    document["perChatPredictionConfig"] = {
        **(configuration if isinstance(configuration, dict) else {}),
        "fields": [*kept, *write_parts(missing)["operation"]["fields"]],
    }
    document["usePerChatPredictionConfig"] = True


def _fields(document: Mapping[str, Any]) -> list[Any]:
    """The fields that hold: LM Studio keeps those that are switched off."""
    return _all_fields(document) if document.get("usePerChatPredictionConfig") is not False else []


def _all_fields(document: Mapping[str, Any]) -> list[Any]:
    configuration = document.get("perChatPredictionConfig")
    fields = configuration.get("fields") if isinstance(configuration, dict) else None
    return fields if isinstance(fields, list) else []


def _values_in(fields: list[Any]) -> dict[str, Any]:
    """What fields say about answers; how a model is loaded is no business of a conversation's."""
    values = read_fields(fields).values
    return {
        key: value
        for key, value in values.items()
        if not key.startswith("load.") and (key != CONSTRAINT_KEY or value is not None)
    }


def _values_of(settings: ThreadSettings) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in settings.overrides.items():
        try:
            values[key] = checked_value(key, value)
        except BadRequest:
            continue
    said = {_PROMPT: settings.system_prompt, _STOP: settings.stop, CONSTRAINT_KEY: settings.constraint}
    return {**values, **{key: value for key, value in said.items() if value is not None}}
