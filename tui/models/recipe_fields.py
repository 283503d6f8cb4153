"""The `customFields` and `suggestions` of a `model.yaml`: what its maker lets people choose, and recommends.

Types and effects are those of LM Studio's schema (`VirtualModelDefinition.ts` of lmstudio-js, 2026-08-21).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tui.config import OWN_PREFIX, read_fields
from tui.domain import LARGEST_NUMBER, CustomField, FieldKind, ModelUnusable, Suggestion
from tui.models.gguf_bytes import printable

_KINDS: Final[dict[str, FieldKind]] = {
    "boolean": "boolean",
    "string": "text",
    "select": "choice",
    "number": "number",
}
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NOT_VARIABLES: Final = frozenset({"messages", "tools", "add_generation_prompt"})
"""Variables of a chat template that carry the conversation itself."""
_MOST: Final = 50
"""Fields of one model, choices of one field; more are no panel for people."""


def wrong(field: str, what: str) -> ModelUnusable:
    """What is said of a `model.yaml` in which something cannot be."""
    return ModelUnusable(f"model.yaml: {field} {what}.")


def read_custom_fields(value: Any) -> tuple[CustomField, ...]:
    """The fields, in their order. Raises ModelUnusable that names what is wrong."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST:
        raise wrong("customFields", f"must be a list of at most {_MOST}")
    fields = tuple(_field(item, f"customFields[{number}]") for number, item in enumerate(value))
    keys = [field.key for field in fields]
    if doubled := next((key for key in keys if keys.count(key) > 1), None):
        raise wrong("customFields", f"has the key {doubled} twice")
    return fields


def read_suggestions(value: Any) -> tuple[Suggestion, ...]:
    """What is recommended for answers. Advice cannot spoil a model: what is not understood is left out."""
    found = [_suggestion(item) for item in (value if isinstance(value, list) else ())[:_MOST]]
    return tuple(suggestion for suggestion in found if suggestion is not None)


def _suggestion(item: Any) -> Suggestion | None:
    match {"conditions": [], **item} if isinstance(item, dict) else None:
        case {"message": str(message), "conditions": list(listed), "fields": list(fields)}:
            conditions = [_condition(one) for one in listed]
        case _:
            return None
    given = [one for one in fields if not (isinstance(one, dict) and str(one.get("key")).startswith(OWN_PREFIX))]
    values = [(key, one) for key, one in read_fields(given).values.items() if key.startswith(("sampling.", "answer."))]
    if not values or not all(conditions):
        return None
    known = tuple(condition for condition in conditions if condition is not None)
    return Suggestion(printable(" ".join(message.split()), 400), known, tuple(values))


def _condition(item: Any) -> tuple[str, bool | str | float] | None:
    match item:
        case {"type": "equals", "key": str(key), "value": bool() | str() | int() | float() as value}:
            return key.removeprefix("$."), value
    return None


def _field(item: Any, place: str) -> CustomField:
    if not isinstance(item, dict):
        raise wrong(place, "must be a mapping with key, type, defaultValue and effects")
    key, kind = item.get("key"), _KINDS.get(str(item.get("type")))
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise wrong(f"{place}.key", "must be a name of letters and digits")
    if kind is None:
        raise wrong(f"{place}.type", f"must be one of {', '.join(_KINDS)}")
    effects = item.get("effects") or []
    if not isinstance(effects, list):
        raise wrong(f"{place}.effects", "must be a list")
    told = [_effect(effect, kind, f"{place}.effects[{number}]") for number, effect in enumerate(effects)]
    limits = _limits(item, place) if kind == "number" else {}
    field = CustomField(
        key=key,
        label=_text(item, "displayName", place, 60) or key,
        kind=kind,
        default=item.get("defaultValue"),  # type: ignore[arg-type]
        help=_text(item, "description", place, 400),
        choices=_choices(item.get("options"), place) if kind == "choice" else (),
        variables=tuple(text for effect, text in told if effect == "setJinjaVariable"),
        before=tuple(text for effect, text in told if effect == "prependSystemPrompt"),
        after=tuple(text for effect, text in told if effect == "appendSystemPrompt"),
        **limits,
    )
    if not field.takes(field.default):
        raise wrong(f"{place}.defaultValue", f"is no value that a field of the type {item.get('type')} takes here")
    return field


def _effect(effect: Any, kind: FieldKind, place: str) -> tuple[str, str]:
    match effect:
        case {"type": "setJinjaVariable", "variable": str(name)} if (
            _VARIABLE.fullmatch(name) and name not in _NOT_VARIABLES
        ):
            return "setJinjaVariable", name
        case {"type": "setJinjaVariable"}:
            raise wrong(f"{place}.variable", "must be the name of a variable")
        case {"type": "prependSystemPrompt" | "appendSystemPrompt" as which, "content": str(text)} if kind == "boolean":
            return which, text
    known = "setJinjaVariable, or for a boolean prependSystemPrompt and appendSystemPrompt with content"
    raise wrong(place, f"must be {known}")


def _choices(options: Any, place: str) -> tuple[tuple[str, str], ...]:
    match options:
        case list() if 0 < len(options) <= _MOST:
            found = []
            for option in options:
                match option:
                    case str(value):
                        found.append((value, value))
                    case {"value": str(value)}:
                        found.append((value, printable(str(option.get("label", value)), 60)))
                    case _:
                        raise wrong(f"{place}.options", "must be a list of mappings with value and label")
            return tuple(found)
    raise wrong(f"{place}.options", f"must be a list of one to {_MOST} choices")


def _limits(item: Mapping[str, Any], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {"whole": item.get("int") is True}
    for name, ours in (("min", "minimum"), ("max", "maximum")):
        value = item.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER
        if value is not None and not number:
            raise wrong(f"{place}.{name}", "must be a number")
        found[ours] = value
    return found


def _text(item: Mapping[str, Any], name: str, place: str, most: int) -> str:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(f"{place}.{name}", "must be a text")
    return printable(" ".join((value or "").split()), most)
