"""Reading streams of named events, and tables of documented fields."""

from __future__ import annotations

import json
from typing import Any

import httpx


def events_of(client: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """All events of a stream; the name of each is the type that its data has."""
    events = []
    with client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        for block in "".join(answer.iter_text()).split("\n\n"):
            if block and not block.startswith(":"):
                name, data = block.split("\n")
                events.append(json.loads(data.removeprefix("data: ")))
                assert name == f"event: {events[-1]['type']}"
    return events


def table(documented: list[dict[str, Any]], file: str, under: str) -> list[dict[str, Any]]:
    """The documented fields of a body."""
    return next(
        entry["value"]
        for entry in documented
        if entry["file"].endswith(f"/{file}.md") and under in entry["under"] and entry["kind"] == "lms_params"
    )


def example(documented: list[dict[str, Any]], file: str) -> Any:
    """The first documented answer."""
    return next(
        entry["value"] for entry in documented if entry["file"].endswith(f"/{file}.md") and entry["kind"] == "json"
    )


def misfits(value: dict[str, Any], fields: list[dict[str, Any]]) -> list[str]:
    """What the documentation has of an object and the object has not, with optional fields left out."""
    wrong = []
    for field in fields:
        name = field["name"]
        if name not in value:
            if not field.get("optional"):
                wrong.append(name)
        elif value[name] is None:
            if "null" not in field["type"]:
                wrong.append(f"{name} is null")
        elif not _fits(value[name], field["type"]):
            wrong.append(f"{name} is {value[name]!r}")
        elif children := field.get("children"):
            # Where there are alternatives, the first is the usual one.
            shape = children[0].get("children", []) if "unstyledName" in children[0] else children
            inner = value[name] if isinstance(value[name], list) else [value[name]]
            wrong += [problem for item in inner for problem in misfits(item, shape)]
    return wrong


def _fits(value: Any, kind: str) -> bool:
    if '"' in kind and not kind.endswith("[]"):
        return f'"{value}"' in kind
    names: dict[type, str] = {bool: "boolean", str: "string", int: "number", float: "number", dict: "object"}
    return names[type(value)] in kind if type(value) in names else "array" in kind or kind.endswith("[]")
