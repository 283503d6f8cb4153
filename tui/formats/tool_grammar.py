"""Grammars for calls of tools, in llguidance's Lark, one way for each shape.

Arguments are valid by the tool's schema: as JSON in the shapes that are JSON, value by value in the others. There,
texts are held to `enum`, `const` and their length; `pattern` and `format` are not enforced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tui.domain import Tool
from tui.formats.output.format import BracedShape, CallSyntax, JsonShape, NamedShape, PythonicShape, TaggedShape
from tui.formats.output.json_text import loads
from tui.formats.output.tool_types import ToolTypes

# White space between the parts of JSON: a model that is lost would otherwise make it without end.
_JSON_OPTIONS = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,24}"}
_DEEPEST = 12
_ANY_TEXT = "/(?s:.*)/"


def literal(text: str) -> str:
    """A text as a Lark string; also the empty one."""
    return json.dumps(text, ensure_ascii=False)


class ToolGrammar:
    """Collects the rules for the calls of one syntax, in the model's own shape."""

    def __init__(self, syntax: CallSyntax) -> None:
        self._syntax = syntax
        self._shape = syntax.shapes[0] if syntax.shapes else JsonShape()
        self._rules: list[str] = []
        self._values: dict[str, str] = {}

    @property
    def lists(self) -> bool:
        """Whether the calls stand in a list."""
        match self._shape:
            case JsonShape(array=array):
                return array
            case PythonicShape(bracketed=bracketed):
                return bracketed
        return False

    @property
    def gap(self) -> str:
        """What stands between an opening and a call, and between a call and a closing."""
        match self._shape:
            case JsonShape(array=False) if self._syntax.closings and self._syntax.openings != ("[TOOL_REQUEST]",):
                return "\n"
            case TaggedShape(gap=gap) if self._shape.opening:
                return gap
            case PythonicShape(bracketed=False):
                return "\n"
        return ""

    @property
    def between(self) -> str:
        """What stands between two calls."""
        match self._shape:
            case NamedShape(tail=tail):
                return "\n" if tail else ""
            case BracedShape():
                return ""
        return "\n"

    @property
    def fills_section(self) -> bool:
        """Whether every call has an opening and a closing of its own."""
        if isinstance(self._shape, NamedShape):
            return not self._shape.closing
        if isinstance(self._shape, TaggedShape):
            return not self._shape.opening or self._shape.opening in self._syntax.naked
        return isinstance(self._shape, JsonShape | BracedShape)

    def source(self, start: str) -> str:
        """The whole grammar."""
        return "\n".join((f"start: {start}", *self._rules, ""))

    def any_call(self, tools: Sequence[Tool]) -> str:
        """A rule for a call of one of the tools."""
        calls = [self.call(tool) for tool in tools]
        return self._rule(" | ".join(calls))

    def call(self, tool: Tool) -> str:
        """A rule for a call of this tool."""
        match self._shape:
            case JsonShape():
                return self._rule(self._json_call(tool, self._shape))
            case NamedShape():
                return self._rule(self._named_call(tool, self._shape))
            case TaggedShape():
                return self._rule(self._tagged_call(tool, self._shape))
            case PythonicShape():
                return self._rule(self._pythonic_call(tool, self._shape))
            case BracedShape():
                return self._rule(self._braced_call(tool, self._shape))

    def arguments(self, tool: Tool) -> str:
        """A rule for the arguments of this tool, as JSON."""
        return self._json(_schema(tool))

    def _json_call(self, tool: Tool, shape: JsonShape) -> str:
        name = json.dumps(tool.name, ensure_ascii=False)
        head = f"{{{name}: " if shape.name_is_key else f'{{"{shape.name_key}": {name}, "{shape.arguments_key}": '
        return f'{literal(head)} {self.arguments(tool)} "}}"'

    def _named_call(self, tool: Tool, shape: NamedShape) -> str:
        parts = []
        for marker, kind in shape.fields:
            parts.append(literal(marker))
            match kind:
                case "name":
                    parts.append(literal(tool.name))
                case "kind":
                    parts.append('"function"')
                case "qualified":
                    parts.append(f"{literal(f'functions.{tool.name}:')} /[0-9]{{1,3}}/")
                case "id":
                    parts.append("/[a-zA-Z0-9]{9}/")
                case "arguments":
                    parts.append(self.arguments(tool))
        return " ".join((*parts, literal(shape.tail + shape.closing)))

    def _tagged_call(self, tool: Tool, shape: TaggedShape) -> str:
        schema = _schema(tool)
        types = ToolTypes([tool])
        required = schema.get("required") or []
        bare = not shape.opening
        parts = [literal(shape.opening + tool.name + ("\n" if bare and shape.name_end == "\n" else shape.name_end))]
        if not bare:
            parts.append(literal(shape.gap))
        for name, part in _properties(schema).items():
            plain = _is_text(types.types(tool.name, name))
            value = self._rule(
                f"{literal(self._parameter(shape, name, plain))} {self._tagged_value(shape, part, schema, plain)}"
            )
            parts.append(value if name in required else f"{value}?")
        return " ".join((*parts, literal(shape.closing)))

    def _parameter(self, shape: TaggedShape, name: str, plain: bool) -> str:
        """The tag of a parameter, up to its value."""
        end = shape.parameter_name_end
        if shape.typed_by and end.startswith('"'):
            said = {"string": ("true", "false"), "type": ("string", "object")}[shape.typed_by][not plain]
            end = f'" {shape.typed_by}="{said}{end}'
        gap = "\n" if shape.value_opening else ""
        return shape.parameter_opening + name + end + gap + shape.value_opening + shape.padding

    def _tagged_value(self, shape: TaggedShape, part: Any, schema: dict[str, Any], plain: bool) -> str:
        closing = shape.padding + shape.value_closing
        if not plain:
            return f"{self._json(part, schema)} {literal(closing + shape.gap)}"
        ends = [shape.value_closing, *(shape.padding + tag for tag in (shape.parameter_opening, shape.closing) if tag)]
        return f"{self._text(part, closing, ends)} {literal(shape.gap)}"

    def _text(self, part: Any, closing: str, ends: Sequence[str]) -> str:
        """A text up to its closing, which is part of it: only so it is certain where it ends."""
        choices = _choices(part)
        if choices is not None:
            return self._rule(" | ".join(f"{literal(choice)} {literal(closing)}" for choice in choices))
        kept = ""
        if isinstance(part, dict) and ("minLength" in part or "maxLength" in part):
            kept = f"/(?s:.{{{part.get('minLength', 0)},{part.get('maxLength', '')}}})/ & "
        others = " | ".join(literal(end) for end in ends)
        terminal = f"TEXT_{len(self._rules)}"
        self._rules.append(
            f"{terminal}: ({kept}{_ANY_TEXT} & ~({_ANY_TEXT} ({others}) {_ANY_TEXT})) {literal(closing)}"
        )
        return terminal

    def _pythonic_call(self, tool: Tool, shape: PythonicShape) -> str:
        schema = _schema(tool)
        items = [
            (name, f"{literal(f'{name}=')} {self._json(part, schema)}") for name, part in _properties(schema).items()
        ]
        return f"{literal(f'{tool.name}{shape.suffix}(')} {self._listed(items, schema, ', ')} {literal(')')}"

    def _braced_call(self, tool: Tool, shape: BracedShape) -> str:
        schema = _schema(tool)
        return f"{literal(shape.opening + tool.name)} {self._braced_object(schema, schema, shape, 0)}"

    def _braced_object(self, part: dict[str, Any], root: dict[str, Any], shape: BracedShape, depth: int) -> str:
        items = [
            (name, f"{literal(f'{name}:')} {self._braced_value(value, root, shape, depth + 1)}")
            for name, value in _properties(part).items()
        ]
        return f"{literal('{')} {self._listed(items, part, ',')} {literal('}')}"

    def _braced_value(self, part: Any, root: dict[str, Any], shape: BracedShape, depth: int) -> str:
        part = _resolved(part, root)
        kind = part.get("type")
        text = f"{literal(shape.quote)} {self._text(part, shape.quote, [shape.quote])}"
        if depth > _DEEPEST or kind == "string" or _choices(part) is not None:
            return self._rule(text)
        if kind in ("integer", "number", "boolean", "null"):
            return self._json(part, root)
        if kind == "array":
            item = self._braced_value(part.get("items") or {"type": "string"}, root, shape, depth + 1)
            least = int(part.get("minItems", 0) > 0)
            items = f'{item} ("," {item})*'
            return self._rule(f'"[" {items} "]"' if least else f'"[" ({items})? "]"')
        if kind == "object":
            return self._rule(self._braced_object(part, root, shape, depth))
        for key in ("anyOf", "oneOf"):
            if isinstance(part.get(key), list) and part[key]:
                return self._rule(" | ".join(self._braced_value(one, root, shape, depth + 1) for one in part[key]))
        return self._rule(text)

    def _listed(self, items: Sequence[tuple[str, str]], schema: dict[str, Any], separator: str) -> str:
        """Named values in the order of the schema; those that are not required may be missing."""
        required = set(schema.get("required") or ())
        # From the end: what may follow an item, and the same where nothing came before it.
        following, starting = '""', '""'
        for name, item in reversed(items):
            later = self._rule(f"{literal(separator)} {item} {following}")
            first = self._rule(f"{item} {following}")
            if name in required:
                following, starting = later, first
            else:
                following, starting = self._rule(f"{later} | {following}"), self._rule(f"{first} | {starting}")
        return starting

    def _json(self, part: Any, root: dict[str, Any] | None = None) -> str:
        schema = part if isinstance(part, dict) else {}
        if root is not None:
            schema = {**{key: root[key] for key in ("$defs", "definitions") if key in root}, **schema}
        text = json.dumps({**schema, "x-guidance": _JSON_OPTIONS}, ensure_ascii=False)
        if text not in self._values:
            self._values[text] = self._rule(f"%json {text}")
        return self._values[text]

    def _rule(self, body: str) -> str:
        name = f"rule_{len(self._rules)}"
        self._rules.append(f"{name}: {body}")
        return name


def _schema(tool: Tool) -> dict[str, Any]:
    """The schema of a tool's arguments, which are an object in any case."""
    try:
        schema = loads(tool.parameters or "{}")
    except ValueError:
        schema = {}
    schema = schema if isinstance(schema, dict) else {}
    if not isinstance(schema.get("required", []), list):
        schema = {key: value for key, value in schema.items() if key != "required"}
    return {**schema, "type": "object"}


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _resolved(part: Any, root: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema with its reference followed."""
    for _ in range(_DEEPEST):
        reference = part.get("$ref") if isinstance(part, dict) else None
        if not isinstance(reference, str) or not (found := re.fullmatch(r"#/(\$defs|definitions)/(.+)", reference)):
            break
        part = (root.get(found[1]) or {}).get(found[2])
    return part if isinstance(part, dict) else {}


def _choices(part: Any) -> list[str] | None:
    """The texts that a value is limited to."""
    if not isinstance(part, dict):
        return None
    values = [part["const"]] if "const" in part else part.get("enum")
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        return None
    return values


def _is_text(types: frozenset[str]) -> bool:
    """Whether a value is written as plain text: it may be a string, and then nothing else is looked for in it."""
    return "string" in types
