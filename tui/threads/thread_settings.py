"""What a thread, or a folder for its threads, says about how answers are made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from tui.domain import Constraint, ConstraintKind


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """Settings that hold for a thread; `None` where it says nothing and the next layer decides.

    An empty text is said: no system prompt, no preset, whatever the folder has. A folder has the same settings, for
    the threads in it.
    """

    system_prompt: str | None = None
    model: str | None = None
    """A model key."""
    preset: str | None = None
    """The name of a preset."""
    overrides: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Single parameters by their dotted keys, as JSON values."""
    constraint: Constraint | None = None
    """The form of the answers: a JSON schema or a grammar."""
    stop: tuple[str, ...] | None = None
    """Texts that end an answer."""


def collapse(layers: Iterable[ThreadSettings]) -> ThreadSettings:
    """The settings that come out of several layers, the most specific first."""
    result = ThreadSettings()
    for layer in layers:
        result = ThreadSettings(
            system_prompt=layer.system_prompt if result.system_prompt is None else result.system_prompt,
            model=layer.model if result.model is None else result.model,
            preset=layer.preset if result.preset is None else result.preset,
            overrides={**layer.overrides, **result.overrides},
            constraint=result.constraint or layer.constraint,
            stop=layer.stop if result.stop is None else result.stop,
        )
    return result


def settings_to_column(settings: ThreadSettings) -> str:
    """The JSON text of settings, without what they do not say."""
    value: dict[str, Any] = {
        "system_prompt": settings.system_prompt,
        "model": settings.model,
        "preset": settings.preset,
        "overrides": dict(settings.overrides) or None,
        "constraint": settings.constraint and {"kind": settings.constraint.kind, "source": settings.constraint.source},
        "stop": settings.stop,
    }
    return json.dumps({name: said for name, said in value.items() if said is not None})


def settings_from_column(column: str) -> ThreadSettings:
    """The settings that a JSON text stands for; what this version does not understand says nothing."""
    try:
        value = json.loads(column)
    except ValueError:
        return ThreadSettings()
    if not isinstance(value, dict):
        return ThreadSettings()
    overrides, stop = value.get("overrides"), value.get("stop")
    return ThreadSettings(
        system_prompt=_text(value.get("system_prompt")),
        model=_text(value.get("model")),
        preset=_text(value.get("preset")),
        overrides=overrides if isinstance(overrides, dict) else {},
        constraint=_constraint(value.get("constraint")),
        stop=tuple(text for text in stop if isinstance(text, str)) if isinstance(stop, list) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _constraint(value: object) -> Constraint | None:
    if not isinstance(value, dict) or value.get("kind") not in get_args(ConstraintKind):
        return None
    return Constraint(value["kind"], _text(value.get("source")) or "")
