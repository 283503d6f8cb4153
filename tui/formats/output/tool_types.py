"""What the tools' schemas say about arguments that models write as plain text."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

from tui.domain import Tool
from tui.formats.output.json_text import loads

_JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
_LONGEST_LITERAL = 100_000
_DEEPEST = 8


class ToolTypes:
    """The names of the tools, and the types of their parameters. Schemas are read when a call needs them."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._sources = {tool.name: tool.parameters for tool in tools}
        self._schemas: dict[str, dict[str, Any]] = {}

    def knows(self, name: str) -> bool:
        return name in self._sources

    @property
    def any(self) -> bool:
        """Whether there are tools at all."""
        return bool(self._sources)

    def parameters(self, tool: str) -> tuple[str, ...]:
        """The names of a tool's parameters, in the order of its schema."""
        return tuple(self._properties(tool))

    def types(self, tool: str, *path: str | None) -> frozenset[str]:
        """The JSON types that an argument may have; empty if the schema does not say.

        The path leads to it: the name of the parameter, and behind it names of properties, `None` for a list's items.
        """
        root = self._schema(tool)
        part: Any = root
        for step in path:
            part = _inside(part, step, root, 0)
        return types_of(part, root)

    def _schema(self, tool: str) -> dict[str, Any]:
        if tool not in self._schemas:
            try:
                schema = loads(self._sources.get(tool, "{}"))
            except ValueError:
                schema = {}
            self._schemas[tool] = schema if isinstance(schema, dict) else {}
        return self._schemas[tool]

    def _properties(self, tool: str) -> dict[str, Any]:
        properties = self._schema(tool).get("properties")
        return properties if isinstance(properties, dict) else {}


def types_of(schema: Any, root: dict[str, Any]) -> frozenset[str]:
    """The types that a part of a schema allows, as far as it names them."""
    return frozenset(_types(schema, root, 0))


def _inside(schema: Any, step: str | None, root: dict[str, Any], depth: int) -> Any:
    """The part of a schema for a property, or for the items of a list; `None` if it does not say."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    if isinstance(reference := schema.get("$ref"), str):
        return _inside(_resolve(reference, root), step, root, depth + 1)
    inner = schema.get("items") if step is None else schema.get("properties")
    if isinstance(inner, dict):
        return inner if step is None else inner.get(step)
    choices = [choice for key in ("anyOf", "oneOf", "allOf") for choice in _listed(schema.get(key))]
    found = (_inside(choice, step, root, depth + 1) for choice in choices)
    return next((part for part in found if part is not None), None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _types(schema: Any, root: dict[str, Any], depth: int) -> set[str]:
    """The types that a schema allows, as far as it names them."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return set()
    named = schema.get("type")
    types = {kind for kind in (named if isinstance(named, list) else [named]) if kind in _JSON_TYPES}
    if types:
        return types
    if "const" in schema or isinstance(schema.get("enum"), list):
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return {_type_of(value) for value in values}
    if isinstance(reference := schema.get("$ref"), str):
        return _types(_resolve(reference, root), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(choices := schema.get(key), list):
            found = [_types(choice, root, depth + 1) for choice in choices]
            return set().union(*found) if all(found) or key == "allOf" else set()
    return set()


def _resolve(reference: str, root: dict[str, Any]) -> Any:
    value: Any = root
    if not reference.startswith("#"):
        return None
    for part in reference[1:].split("/")[1:]:
        value = value.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return value


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"


def argument_json(text: str, types: frozenset[str]) -> str:
    """An argument written as plain text, as JSON of one of the types; a JSON string if it is none of them.

    Without types it is whatever JSON it is.
    """
    if types != {"string"}:
        for value in _readings(text, types):
            kind = _type_of(value)
            if not types or kind in types or (kind == "integer" and "number" in types):
                return _written(value, text)
            if isinstance(value, float) and value.is_integer() and "integer" in types:
                return str(int(value))
    return json.dumps(text, ensure_ascii=False)


def _readings(text: str, types: frozenset[str]) -> list[Any]:
    """What a text may mean: JSON, and if a schema asks for such values, Python's words for them."""
    bare = text.strip()
    try:
        return [loads(bare)]
    except ValueError:
        pass
    if not types:
        return []
    words = {"true": True, "false": False, "none": None, "null": None}
    if bare.lower() in words:
        return [words[bare.lower()]]
    if types & {"object", "array"} and bare[:1] in ("{", "[", "(") and len(bare) <= _LONGEST_LITERAL:
        try:
            return [loads(json.dumps(ast.literal_eval(bare)))]
        # Python's own parser gives up in many ways on what is not Python.
        except Exception:
            return []
    return []


def _written(value: Any, text: str) -> str:
    """As the model wrote it, if that is JSON."""
    bare = text.strip()
    try:
        if loads(bare) == value:
            return bare
    except ValueError:
        pass
    return json.dumps(value, ensure_ascii=False)
