"""Which part of a JSON schema is at fault, so that an error can name its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# Checks of parts that one search may cost.
_MOST_CHECKS = 200
# Keywords whose value is a schema, a list of schemas, or schemas by name (JSON Schema 2020-12).
_SINGLE = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames", "additionalItems")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SHARED = ("$defs", "definitions")


def faulty_part(source: str) -> tuple[str, str]:
    """The dotted path of the smallest part that cannot be compiled by itself, and why; empty if that is the whole."""
    try:
        root = json.loads(source)
    except (ValueError, RecursionError):
        return "", ""
    shared = {name: root[name] for name in _SHARED if isinstance(root, dict) and name in root}
    path, cause, left = "", "", _MOST_CHECKS
    part = root
    while isinstance(part, dict):
        for name, child in _children(part):
            left -= 1
            if left < 0:
                return path, cause
            # What the part refers to comes along, unless it is that itself.
            whole = {**shared, **child} if isinstance(child, dict) and not name.startswith(_SHARED) else child
            if problem := _problem(whole):
                path, cause, part = f"{path}.{name}".lstrip("."), problem, child
                break
        else:
            break
    return path, cause


def _children(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for keyword in _SINGLE:
        if isinstance(schema.get(keyword), dict):
            yield keyword, schema[keyword]
    for keyword in _LISTS:
        if isinstance(schema.get(keyword), list):
            for index, child in enumerate(schema[keyword]):
                yield f"{keyword}[{index}]", child
    for keyword in _NAMED:
        if isinstance(schema.get(keyword), dict):
            for name, child in schema[keyword].items():
                yield f"{keyword}.{name}", child


def _problem(schema: Any) -> str:
    from llguidance import LLMatcher

    if not isinstance(schema, dict | bool):
        return "a schema must be an object"
    try:
        return LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(json.dumps(schema)))
    except (ValueError, RecursionError) as problem:
        return str(problem) or type(problem).__name__
