"""Grammars for calls of tools, in llguidance's Lark, one way for each shape.

Arguments are valid by the tool's schema: as JSON in the shapes that are JSON, value by value in the others. There,
texts are held to `enum`, `const` and their length; `pattern` and `format` are not enforced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from tui.domain import Tool
from tui.formats.output.format import (
    BracedShape,
    CallSyntax,
    ElementShape,
    JsonShape,
    NamedShape,
    PythonicShape,
    TaggedShape,
)
from tui.formats.output.json_text import loads
from tui.formats.output.tool_types import ToolTypes, types_of

# White space between the parts of JSON: a model that is lost would otherwise make it without end.
_JSON_OPTIONS = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,24}"}
_DEEPEST = 12
_MOST_ITEMS = 100
_ANY_TEXT = "/(?s:.*)/"
_BLANKS = r"BLANKS: /[ \t\r\n]{1,24}/"
# What some models have beside a function's name: a number of their own for the call.
_ID = r'/"(id|tool_call_id)"/', r'/"[a-zA-Z0-9_.:-]{1,64}"/'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_OPENING_KEYS = frozenset(
    (
        "additionalProperties", "unevaluatedProperties", "patternProperties", "allOf", "anyOf", "oneOf", "$ref", "if",
        "dependentSchemas",
    )
)  # fmt: skip
"""With these an object's schema may have more properties than it lists, or says itself that it has none."""


class ToolGrammar:
    """Collects the rules for the calls of one syntax, in the model's own shape.

    Every marker is a rule of its own, `marker_N: "TEXT"`, so that whoever knows the vocabulary can put the special
    token there where the text is one.
    """

    def __init__(self, syntax: CallSyntax, markers: Sequence[str]) -> None:
        self._syntax = syntax
        self._markers = {marker: f"marker_{number}" for number, marker in enumerate(markers)}
        self._used: set[str] = set()
        longest = sorted(filter(None, markers), key=len, reverse=True)
        self._marker = re.compile("(" + "|".join(map(re.escape, longest)) + ")") if longest else None
        self._shape = syntax.shapes[0] if syntax.shapes else JsonShape()
        self._rules: list[str] = []
        self._values: dict[str, str] = {}
        self._shared: dict[str, str] = {}

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
            case JsonShape(gap=gap):
                return gap
            case TaggedShape(gap=gap) if self._shape.opening:
                return gap
            case PythonicShape(bracketed=False) | ElementShape():
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
        markers = [f"{name}: {_quoted(text)}" for text, name in self._markers.items() if text in self._used]
        return "\n".join((f"start: {start}", *self._rules, _BLANKS, *markers, ""))

    def spaced(self, *parts: str) -> str:
        """Parts with white space between them, or none: models differ in that, though not in what they say."""
        return " BLANKS? ".join(part for part in parts if part)

    def text(self, text: str) -> str:
        """A fixed text, which may have markers in it."""
        parts = self._marker.split(text) if self._marker else [text]
        self._used.update(part for part in parts if part in self._markers)
        return " ".join(self._markers.get(part) or _quoted(part) for part in parts if part) or '""'

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
            case ElementShape():
                return self._rule(self._element_call(tool, self._shape))
            case PythonicShape():
                return self._rule(self._pythonic_call(tool, self._shape))
            case BracedShape():
                return self._rule(self._braced_call(tool, self._shape))

    def arguments(self, tool: Tool) -> str:
        """A rule for the arguments of this tool, as JSON."""
        return self._json(_schema(tool))

    def _json_call(self, tool: Tool, shape: JsonShape) -> str:
        name = self.text(json.dumps(tool.name, ensure_ascii=False))
        if shape.name_is_key:
            return self.spaced('"{"', name, '":"', self.arguments(tool), '"}"')
        name_key, arguments_key = (_quoted(json.dumps(key)) for key in (shape.name_key, shape.arguments_key))
        number = self.spaced(_ID[0], '":"', _ID[1])
        before, behind = f'({number} BLANKS? "," BLANKS?)?', f'(BLANKS? "," BLANKS? {number})?'
        said = self.spaced(name_key, '":"', name, '","', arguments_key, '":"', self.arguments(tool))
        return f'"{{" BLANKS? {before} {said} {behind} BLANKS? "}}"'

    def _named_call(self, tool: Tool, shape: NamedShape) -> str:
        parts = []
        for marker, kind in shape.fields:
            parts.append(self.text(marker))
            match kind:
                case "name":
                    parts.append(self.text(tool.name))
                case "kind":
                    parts.append('"function"')
                case "qualified":
                    parts.append(f"{self.text(f'functions.{tool.name}:')} /[0-9]{{1,3}}/")
                case "id":
                    parts.append("/[a-zA-Z0-9]{9}/")
                case "arguments":
                    parts.append(self.arguments(tool))
        return " ".join((*parts, self.text(shape.tail + shape.closing)))

    def _tagged_call(self, tool: Tool, shape: TaggedShape) -> str:
        schema = _schema(tool)
        types = ToolTypes([tool])
        required = schema.get("required") or []
        between = "BLANKS?" if shape.gap else '""'
        parts = [self.text(shape.opening + tool.name + shape.name_end.rstrip("\n")), between]
        for name, part in _properties(schema).items():
            plain = _is_text(types.types(tool.name, name))
            value = self._rule(
                f"{self.text(self._parameter(shape, name, plain))} {self._tagged_value(shape, part, schema, plain)}"
            )
            parts.append(value if name in required else f"{value}?")
        return " ".join((*parts, self.text(shape.closing)))

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
        between = "BLANKS?" if shape.gap else '""'
        if not plain:
            return f"{self._json(part, schema)} {self.text(closing)} {between}"
        tags = [tag for tag in (shape.parameter_opening, shape.closing) if tag]
        ends = [shape.value_closing, *(shape.padding + tag for tag in tags)]
        return f"{self._value(part, closing, ends, tags)} {between}"

    def _value(self, part: Any, closing: str, ends: Sequence[str], starts: Sequence[str] = ()) -> str:
        """A text up to its closing, which is part of it: only so it is certain where it ends.

        None of `ends` is in it, and it does not begin with one of `starts`.
        """
        choices = _choices(part)
        if choices is not None:
            return self._rule(" | ".join(f"{_quoted(choice)} {self.text(closing)}" for choice in choices))
        kept = ""
        if isinstance(part, dict) and ("minLength" in part or "maxLength" in part):
            kept = f"/(?s:.{{{part.get('minLength', 0)},{part.get('maxLength', '')}}})/ & "
        inside = [f"{_ANY_TEXT} {_quoted(end)} {_ANY_TEXT}" for end in ends]
        inside += [f"{_quoted(start)} {_ANY_TEXT}" for start in starts]
        words = f"{kept}{_ANY_TEXT} & ~({' | '.join(inside)})"
        number = len(self._rules)
        self._rules.append(f"TEXT_{number}: {words}")
        self._rules.append(f"CLOSED_{number}: ({words}) {_quoted(closing)}")
        # A closing that is a token of its own is no text, so that it cannot be part of the terminal.
        return self._rule(f"CLOSED_{number} | TEXT_{number} {self.text(closing)}")

    def _element_call(self, tool: Tool, shape: ElementShape) -> str:
        schema = _schema(tool)
        opening = self.text(shape.lead + shape.opening + tool.name + shape.name_end)
        inside = self._elements(schema, schema, shape, 0)
        return f"{opening} BLANKS? {inside} {self.text(shape.lead + shape.closing)}"

    def _elements(self, part: dict[str, Any], root: dict[str, Any], shape: ElementShape, depth: int) -> str:
        """An element for each property, in the order of the schema."""
        required = part.get("required")
        required = required if isinstance(required, list) else []
        made = []
        for name, value in _properties(part).items():
            element = self._rule(self._element(name, value, root, shape, depth))
            made.append(element if name in required else f"{element}?")
        return " ".join(made)

    def _element(self, name: str, part: Any, root: dict[str, Any], shape: ElementShape, depth: int) -> str:
        value = self._element_value(part, root, shape, f"{shape.lead}</{name}>", depth)
        return f"{self.text(f'{shape.lead}<{name}>')} {value} BLANKS?"

    def _element_value(self, part: Any, root: dict[str, Any], shape: ElementShape, closing: str, depth: int) -> str:
        """What stands in an element, with its closing tag."""
        if isinstance(part, dict) and "$ref" in part:
            found = _resolved(part, root)
            return self._once(
                part["$ref"], closing, lambda: self._element_value(found, root, shape, closing, depth + 1)
            )
        part = _resolved(part, root)
        types = types_of(part, root)
        if _is_text(types) or depth > _DEEPEST:
            return self._value(part, closing, [shape.lead])
        end = self.text(closing)
        for key in ("anyOf", "oneOf"):
            if isinstance(part.get(key), list) and part[key]:
                choices = (self._element_value(one, root, shape, closing, depth + 1) for one in part[key])
                return self._rule(" | ".join(choices))
        forms = []
        if "array" in types:
            item = self._element(shape.item, part.get("items") or {}, root, shape, depth + 1)
            forms.append(f"BLANKS? ({item}){_repeated(part)} {end}")
        if "object" in types:
            inside = self._elements(part, root, shape, depth + 1) if _properties(part) else self._any_elements(shape)
            forms.append(f"BLANKS? {inside} {end}")
        if plain := types - {"array", "object"}:
            forms.append(f"{self._json({**part, 'type': sorted(plain)}, root)} {end}")
        if not forms:
            forms = [self._value({}, closing, [shape.lead]), f"BLANKS? {self._any_elements(shape)} {end}"]
        return self._rule(" | ".join(forms))

    def _any_elements(self, shape: ElementShape) -> str:
        """What may stand in an object of which the schema says nothing: elements of any name."""
        if "any_elements" not in self._values:
            text = self._value({}, f"{shape.lead}</", [shape.lead])
            name = self._values["any_elements"] = f"any_elements_{len(self._rules)}"
            lead, tag = self.text(shape.lead), r"/[a-zA-Z_][a-zA-Z0-9_.-]{0,63}>/"
            value = f'({text} | BLANKS? {name} {lead} "</")'
            self._rules.append(f'{name}: ({lead} "<" {tag} {value} {tag} BLANKS?)*')
        return self._values["any_elements"]

    def _pythonic_call(self, tool: Tool, shape: PythonicShape) -> str:
        schema = _schema(tool)
        items = [
            (name, f"{self.text(f'{name}=')} {self._json(part, schema)}") for name, part in _properties(schema).items()
        ]
        return f"{self.text(f'{tool.name}{shape.suffix}(')} {self._listed(items, schema, ', ')} {self.text(')')}"

    def _braced_call(self, tool: Tool, shape: BracedShape) -> str:
        schema = _schema(tool)
        return f"{self.text(shape.opening + tool.name)} {self._braced_object(schema, schema, shape, 0)}"

    def _braced_object(self, part: dict[str, Any], root: dict[str, Any], shape: BracedShape, depth: int) -> str:
        items = [
            (name, f"{self.text(f'{name}:')} {self._braced_value(value, root, shape, depth + 1)}")
            for name, value in _properties(part).items()
        ]
        return f"{self.text('{')} {self._listed(items, part, ',')} {self.text('}')}"

    def _braced_value(self, part: Any, root: dict[str, Any], shape: BracedShape, depth: int) -> str:
        if isinstance(part, dict) and "$ref" in part:
            found = _resolved(part, root)
            return self._once(part["$ref"], "", lambda: self._braced_value(found, root, shape, depth + 1))
        part = _resolved(part, root)
        kind = part.get("type")
        text = f"{self.text(shape.quote)} {self._value(part, shape.quote, [shape.quote])}"
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
            later = self._rule(f"{self.text(separator)} {item} {following}")
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

    def _once(self, reference: Any, closing: str, made: Callable[[], str]) -> str:
        """A rule for a part that others refer to, made once: written out everywhere, a tree would have no end.

        The name stands before its rule is there, so that the part may refer to itself.
        """
        key = json.dumps([reference, closing])
        if key not in self._shared:
            name = self._shared[key] = f"shared_{len(self._shared)}"
            self._rules.append(f"{name}: {made()}")
        return self._shared[key]

    def _rule(self, body: str) -> str:
        name = f"rule_{len(self._rules)}"
        self._rules.append(f"{name}: {body}")
        return name


def _schema(tool: Tool) -> dict[str, Any]:
    """The schema of a tool's arguments, which are an object in any case.

    A tool that lists its parameters takes no others, unless its schema says so: no more do formats without JSON.
    """
    try:
        schema = loads(tool.parameters or "{}")
    except ValueError:
        schema = {}
    schema = schema if isinstance(schema, dict) else {}
    if not isinstance(schema.get("required", []), list):
        schema = {key: value for key, value in schema.items() if key != "required"}
    closed = "properties" in schema and _OPENING_KEYS.isdisjoint(schema)
    return {**schema, "type": "object", **({"additionalProperties": False} if closed else {})}


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _repeated(part: dict[str, Any]) -> str:
    """How often a list's item comes. A larger number than a grammar can have is left to the model."""
    least, most = (part.get(key) for key in ("minItems", "maxItems"))
    least = least if type(least) is int and 0 <= least <= _MOST_ITEMS else 0
    return f"{{{least},{most if type(most) is int and least <= most <= _MOST_ITEMS else ''}}}"


def _resolved(part: Any, root: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema with its reference followed; one that leads nowhere says nothing."""
    for _ in range(_DEEPEST):
        reference = part.get("$ref") if isinstance(part, dict) else None
        if not isinstance(reference, str) or not (found := re.fullmatch(r"#/(\$defs|definitions)/(.+)", reference)):
            break
        part = (root.get(found[1]) or {}).get(found[2])
    return {key: value for key, value in part.items() if key != "$ref"} if isinstance(part, dict) else {}


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
