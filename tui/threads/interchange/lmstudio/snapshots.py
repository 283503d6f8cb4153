"""The settings that an answer was written with, as `genInfo` has them in LM Studio's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.config import checked_value, read_fields, to_json, write_parts
from tui.domain import BadRequest
from tui.threads.interchange.lmstudio.frames import Frame

_PARTS = {"predictionConfig": "operation", "loadModelConfig": "load"}


def read_snapshot(information: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by dotted key, as JSON values; without those that are not understood."""
    values: dict[str, Any] = {}
    for name in _PARTS:
        configuration = information.get(name)
        fields = configuration.get("fields") if isinstance(configuration, dict) else None
        values.update(read_fields(fields).values)
    return {key: to_json(value) for key, value in values.items()}


def put_snapshot(information: Frame, settings: Mapping[str, Any]) -> None:
    """Put settings into a `genInfo`, unless it says them already."""
    known = {key: value for key, value in settings.items() if _is_known(key, value)}
    if known and known != read_snapshot(information):
        parts = write_parts({key: checked_value(key, value) for key, value in known.items()})
        information.update({name: parts[part] for name, part in _PARTS.items()})


def _is_known(key: str, value: Any) -> bool:
    try:
        checked_value(key, value)
    except BadRequest:
        return False
    return True
