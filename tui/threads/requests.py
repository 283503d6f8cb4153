"""What a thread asks of a model: its messages, and everything that the thread and its folders decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from tui.config import (
    CONSTRAINT_KEY,
    Collapsed,
    Decisions,
    Layer,
    changed_values,
    checked_values,
    to_json,
    values_of,
)
from tui.domain import AnswerConfig, GenerationRequest, LoadConfig, ModelInfo, SamplingConfig
from tui.threads.records import SettingsLayer, StoredMessage
from tui.threads.sending import messages_to_send
from tui.threads.thread_settings import ThreadSettings, collapse

PRESET_KEY = "preset"
"""The one key in an answer's settings that is no dotted one: the name of the preset that was used."""


def layer_of(layer: SettingsLayer) -> Layer:
    """What a thread or a folder decides, by dotted keys. Raises BadRequest that names the key of a wrong value."""
    return Layer(layer.origin, values_in(layer.settings), layer.title)


def values_in(settings: ThreadSettings) -> dict[str, Any]:
    """What settings decide, by dotted keys. Raises BadRequest that names the key of a wrong value."""
    values = checked_values(settings.overrides)
    if settings.system_prompt is not None:
        values["answer.system_prompt"] = settings.system_prompt
    if settings.constraint is not None:
        values[CONSTRAINT_KEY] = settings.constraint
    if settings.stop is not None:
        values["sampling.stop"] = settings.stop
    return values


def collapsed_for(decisions: Decisions, model: ModelInfo | None, layers: Sequence[SettingsLayer]) -> Collapsed:
    """What counts for a thread, and where each value comes from. Raises BadRequest and StorageFailed.

    A preset that is not there any more decides nothing, and is named in the result.
    """
    preset = collapse(layer.settings for layer in layers).preset
    return decisions.collapsed(model, [layer_of(layer) for layer in layers], preset=preset)


def request_for(
    decisions: Decisions,
    model_key: str,
    model: ModelInfo | None,
    layers: Sequence[SettingsLayer],
    branch: Iterable[StoredMessage],
    sampling: SamplingConfig | None,
) -> GenerationRequest:
    """The request for an answer behind the last message of a branch, with nothing left to decide.

    A sampling configuration goes before what the thread says. A branch that begins with a system message keeps that
    one; others further down do not take the place of the system prompt. Raises BadRequest and StorageFailed.
    """
    messages = messages_to_send(branch)
    asked = GenerationRequest(
        model_key,
        messages[:1],
        sampling or SamplingConfig(),
        decided=frozenset(values_of(sampling)) if sampling is not None else frozenset(),
    )
    preset = collapse(layer.settings for layer in layers).preset
    settled = decisions.settled(asked, model, [layer_of(layer) for layer in layers], preset=preset)
    return replace(settled, messages=(*settled.messages, *messages[1:]))


def snapshot_of(request: GenerationRequest) -> dict[str, Any]:
    """What an answer is written with, as JSON values by dotted keys: all that is not lmdeck's own default."""
    values = changed_values(request.sampling, SamplingConfig())
    if request.load is not None:
        values |= changed_values(request.load, LoadConfig())
    for field in fields(AnswerConfig):
        value = getattr(request, field.name, field.default)
        if value != field.default:
            values[f"answer.{field.name}"] = value
    if request.messages and request.messages[0].role == "system":
        values["answer.system_prompt"] = request.messages[0].text
    for name, text in (*request.template_defaults, *request.template_options):
        values[f"template.{name}"] = json.loads(text)
    preset = {PRESET_KEY: request.preset} if request.preset else {}
    return {**{key: to_json(value) for key, value in values.items()}, **preset}
