"""Whatever a grammar lets a model say must be the calls that were asked for, in every format."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import numpy
import pytest
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from tests.support.output_templates import TEMPLATES
from tests.support.toolcall_cases import Parsed, gathered
from tui.domain import BadRequest, LazyConstraint, Tool, ToolChoice
from tui.formats import OutputFormat, OutputParser, detect_output_format, lazy_tool_constraint, tool_constraint

WEATHER = Tool(
    "get_weather",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1, "maximum": 14},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "hours": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3},
                "precise": {"type": "boolean"},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        }
    ),
)
NOTE = Tool(
    "save-note",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "text": {"type": "string", "minLength": 2, "maxLength": 20},
                "place": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
            },
            "required": ["text", "place"],
        }
    ),
)
CLOCK = Tool("clock")
TOOLS = (WEATHER, NOTE, CLOCK)

# Each shape once, and once more with its markers spelled out where no vocabulary has them as tokens.
FAMILIES = [
    (family, False)
    for family in (
        "plain", "hermes", "granite", "functools", "xlam", "llama3", "deepseek-r1", "kimi", "mistral-small",
        "qwen3-coder", "minimax-m2", "minimax-m3", "deepseek-v3.2", "deepseek-v4.1", "glm",
        "iquest", "lfm2", "olmo3", "gemma4", "gpt-oss", "muse",
    )
] + [
    (family, True)
    for family in ("plain", "hermes", "qwen3-coder", "minimax-m2", "minimax-m3", "glm", "olmo3")
]  # fmt: skip
END = 0


class Words:
    """A vocabulary of all bytes, some words that are likely to be said, and the markers of one format.

    Markers are special tokens, or with `spelled` ordinary ones.
    """

    bos_token_id = None
    eos_token_id = END

    def __init__(self, output_format: OutputFormat, spelled: bool) -> None:
        texts = ['"', "}", "]", ")", '":', ", ", "</", "\n</", "\n", "12", "true", "Rom", "é", "'"]
        closings = ["\n</parameter>\n", "</arg_value>\n", "</parameter>", "\n</tool_call>"]
        self.markers = [marker for marker in output_format.markers if len(marker) > 2]
        words = [text.encode() for text in dict.fromkeys((*texts, *closings, *self.markers))]
        self.tokens = [b"<end>", *(bytes([byte]) for byte in range(256)), *words]
        self.ids = {marker: self.tokens.index(marker.encode()) for marker in self.markers}
        self.special_token_ids = [END] if spelled else [END, *self.ids.values()]
        self.tokenizer = LLTokenizer(TokenizerWrapper(self), n_vocab=len(self.tokens), eos_token=END)

    def __call__(self, data: bytes) -> list[int]:
        return [byte + 1 for byte in data]

    def spell(self, text: str) -> list[int]:
        """The tokens of a text: markers that are special, and bytes."""
        special = [marker for marker, number in self.ids.items() if number in self.special_token_ids]
        parts = re.split("|".join(f"({re.escape(marker)})" for marker in special), text) if special else [text]
        return [
            token for part in parts if part for token in ([self.ids[part]] if part in special else self(part.encode()))
        ]

    def behind(self, start: LLMatcher, said: str) -> LLMatcher:
        """The grammar as it goes on behind a text."""
        matcher = start.deep_copy()
        assert matcher.consume_tokens(self.spell(said)), (said, matcher.get_error())
        return matcher

    def matcher(self, source: str) -> LLMatcher:
        """For a grammar, with the special tokens where they belong."""

        def token(rule: re.Match[str]) -> str:
            number = self.ids.get(json.loads(rule[2]), END)
            return f"{rule[1]}: <[{number}]>" if number in self.special_token_ids and number != END else rule[0]

        source = re.sub(r'^(marker_\d+): (".*")$', token, source, flags=re.MULTILINE)
        matcher = LLMatcher(self.tokenizer, LLMatcher.grammar_from_lark(source), log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        return matcher


def say(words: Words, start: LLMatcher, chance: random.Random) -> bytes:
    """Some output that the grammar allows, token by token."""
    matcher = start.deep_copy()
    said: list[bytes] = []
    count = len(words.tokens)
    weights = numpy.array([60.0] + [1.0] * 256 + [40.0] * (count - 257))
    for _ in range(4000):
        mask = numpy.frombuffer(matcher.compute_bitmask(), dtype=numpy.uint8)
        allowed = numpy.unpackbits(mask, count=count, bitorder="little") * weights
        assert allowed.any(), said
        sums = allowed.cumsum()
        token = int(sums.searchsorted(chance.random() * sums[-1], side="right"))
        if token == END:
            break
        said.append(words.tokens[token])
        assert matcher.consume_token(token), matcher.get_error()
        if matcher.is_stopped():
            break
    else:
        raise AssertionError(f"no end: {said[:300]!r}")
    return b"".join(said)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value is valid, for the few words of JSON Schema that the tools here use."""
    if "enum" in schema and value not in schema["enum"]:
        return False
    kind = schema.get("type")
    types = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if kind and (not isinstance(value, types[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return False
    if kind == "integer":
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if kind == "string":
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    if kind == "array":
        count = len(value)
        return schema.get("minItems", 0) <= count <= schema.get("maxItems", count) and all(
            fits(item, schema.get("items", {})) for item in value
        )
    if kind == "object":
        properties = schema.get("properties", {})
        known = all(fits(item, properties.get(key, {})) for key, item in value.items())
        closed = schema.get("additionalProperties", True) or set(value) <= set(properties)
        return known and closed and set(schema.get("required", ())) <= set(value)
    return True


def parsed(output_format: OutputFormat, data: bytes) -> Parsed:
    parser = OutputParser(output_format, tools=TOOLS)
    return gathered(parser.feed(data, 1) + parser.finish())


def check(result: Parsed, names: set[str], data: bytes) -> None:
    assert result.calls, data
    assert result.content.strip() == "", data
    for name, arguments in result.calls:
        assert name in names, data
        tool = next(tool for tool in TOOLS if tool.name == name)
        assert fits(json.loads(arguments), {**json.loads(tool.parameters), "type": "object"}), (arguments, data)


@pytest.mark.parametrize(("family", "spelled"), FAMILIES)
def test_required_calls_are_valid_and_parsed_100_times_of_100(family: str, spelled: bool) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    words = Words(output_format, spelled)
    choices = (
        ToolChoice("required", parallel=False),
        ToolChoice("required"),
        ToolChoice("required", name="save-note"),
    )
    constraints = [tool_constraint(output_format, TOOLS, choice) for choice in choices]
    matchers = [words.matcher(constraint.source) for constraint in constraints if constraint is not None]
    assert len(matchers) == len(choices)
    for number in range(100):
        choice = choices[number % 3]
        data = say(words, matchers[number % 3], random.Random(number))
        result = parsed(output_format, data)
        check(result, {choice.name} if choice.name else {tool.name for tool in TOOLS}, data)
        if not choice.parallel:
            assert len(result.calls) == 1, data


def lazy(output_format: OutputFormat, tools: Sequence[Tool] = TOOLS, **how: bool) -> LazyConstraint | None:
    return lazy_tool_constraint(output_format, tools, **{"parallel": True, "reasoning_open": False, **how})


OPENED = [(family, spelled) for family, spelled in FAMILIES if family not in ("functools", "llama3", "xlam", "muse")]


@pytest.mark.parametrize(("family", "spelled"), [*OPENED, ("functools", True), ("magistral", False)])
def test_what_is_begun_as_a_call_is_valid_and_parsed(family: str, spelled: bool) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    constraint = lazy(output_format)
    assert constraint is not None
    assert not constraint.once or output_format.harmony
    words = Words(output_format, spelled)
    start = words.matcher(constraint.source)
    behind = {opening: words.behind(start, opening) for opening in constraint.openings}
    for number in range(60):
        opening = constraint.openings[number % len(behind)]
        data = opening.removeprefix(constraint.lead).encode() + say(words, behind[opening], random.Random(number))
        result = parsed(output_format, data if output_format.harmony else b"Let me see. " + data)
        assert result.content.strip() == ("" if output_format.harmony else "Let me see."), data
        check(replace(result, content=""), {tool.name for tool in TOOLS}, data)


DEEP = Tool(
    "plan",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "stops": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                        "required": ["city"],
                    },
                    "maxItems": 2,
                },
                "budget": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]},
                "home": {"$ref": "#/$defs/home"},
                "other": {"type": "object"},
                "rest": {},
            },
            "$defs": {"home": {"type": "object", "properties": {"zone": {"enum": ["a", "b"]}}, "required": ["zone"]}},
            "required": ["stops", "budget", "home", "other"],
        }
    ),
)


@pytest.mark.parametrize("spelled", [False, True])
def test_objects_and_lists_are_elements_inside_elements(spelled: bool) -> None:
    output_format = detect_output_format(TEMPLATES["minimax-m3"])
    words = Words(output_format, spelled)
    constraint = tool_constraint(output_format, [DEEP], ToolChoice("required", parallel=False))
    assert constraint is not None
    start = words.matcher(constraint.source)
    for number in range(60):
        data = say(words, start, random.Random(number))
        parser = OutputParser(output_format, tools=[DEEP])
        ((name, arguments),) = gathered(parser.feed(data, 1) + parser.finish()).calls
        assert name == "plan"
        jsonschema.validate(json.loads(arguments), json.loads(DEEP.parameters))


TREE = Tool(
    "plant",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {"root": {"$ref": "#/$defs/node"}, "lost": {"$ref": "#/$defs/nowhere"}},
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "integer"},
                        **{side: {"$ref": "#/$defs/node"} for side in ("left", "middle", "right")},
                    },
                    "required": ["name"],
                }
            },
            "required": ["root"],
        }
    ),
)


@pytest.mark.parametrize("family", ["minimax-m3", "gemma4"])
def test_a_schema_that_refers_to_itself_makes_no_more_rules(family: str) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    constraint = tool_constraint(output_format, [TREE], ToolChoice("required", parallel=False))
    assert constraint is not None
    assert len(constraint.source) < 5000
    words = Words(output_format, spelled=False)
    start = words.matcher(constraint.source)
    for number in range(30):
        data = say(words, start, random.Random(number))
        parser = OutputParser(output_format, tools=[TREE])
        ((_, arguments),) = gathered(parser.feed(data, 1) + parser.finish()).calls
        value = json.loads(arguments)
        value.pop("lost", None)
        schema = json.loads(TREE.parameters)
        schema["properties"].pop("lost")
        jsonschema.validate(value, schema)


@pytest.mark.parametrize("family", ["hermes", "qwen3-coder", "kimi", "plain", "mistral-nemo", "granite", "olmo3"])
def test_one_call_at_most(family: str) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    constraint = lazy(output_format, parallel=False)
    assert constraint is not None
    assert constraint.once
    words = Words(output_format, spelled=False)
    start = words.behind(words.matcher(constraint.source), constraint.openings[0])
    for number in range(20):
        data = constraint.openings[0].encode() + say(words, start, random.Random(number))
        assert len(parsed(output_format, data).calls) == 1, data


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("hermes", '<tool_call>{"name":"clock","arguments":{}}</tool_call>'),
        ("hermes", '<tool_call>\n\n{ "name": "clock", "arguments": {}, "id": "7" }\n</tool_call>'),
        ("mistral-nemo", '[TOOL_CALLS][{"name": "clock", "arguments": {}, "id": "abcdef123"}]'),
        ("mistral-nemo", '[TOOL_CALLS] [{"name":"clock","arguments":{}},{"name":"clock","arguments":{}}]'),
        ("glm", "<tool_call>clock</tool_call>"),
        ("qwen3-coder", "<function=clock></function>"),
        ("qwen3-coder", "<tool_call>\n<function=clock>\n</function>\n</tool_call>"),
        ("gpt-oss", "<|channel|>commentary to=functions.clock <|constrain|>json<|message|>{}"),
        ("gpt-oss", "<|start|>assistant to=functions.clock<|channel|>commentary<|message|>{}"),
    ],
)
def test_models_may_write_calls_as_they_are_used_to(family: str, said: str) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    constraint = lazy(output_format)
    assert constraint is not None
    words = Words(output_format, spelled=False)
    assert words.behind(words.matcher(constraint.source), said).is_accepting(), said


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("hermes", '<tool_call>\n{"name": "clocks'),
        ("hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"days'),
        ("qwen3-coder", "<function=clocks"),
        ("mistral-small", "[TOOL_CALLS]get_news"),
        ("kimi", "<|tool_call_begin|>functions.get_weathers"),
        ("gpt-oss", "<|channel|>commentary to=functions.get_news"),
    ],
)
def test_what_nobody_offers_cannot_be_called(family: str, said: str) -> None:
    output_format = detect_output_format(TEMPLATES[family])
    constraint = lazy(output_format)
    assert constraint is not None
    words = Words(output_format, spelled=False)
    matcher = words.matcher(constraint.source)
    taken = [token for token in words.spell(said) if matcher.validate_tokens([token]) and matcher.consume_token(token)]
    assert len(taken) < len(words.spell(said))


@pytest.mark.parametrize(
    ("schema", "open_"),
    [
        ({"properties": {"city": {"type": "string"}}}, False),
        ({"properties": {}}, False),
        ({}, True),
        ({"properties": {"city": {"type": "string"}}, "additionalProperties": True}, True),
        ({"properties": {"city": {"type": "string"}}, "additionalProperties": {"type": "string"}}, True),
        ({"properties": {"city": {"type": "string"}}, "patternProperties": {"^o": {"type": "string"}}}, True),
    ],
)
def test_a_tool_that_lists_its_parameters_takes_no_others(schema: dict[str, Any], open_: bool) -> None:
    output_format = detect_output_format(TEMPLATES["hermes"])
    constraint = lazy(output_format, [Tool("find", "", json.dumps({"type": "object", **schema}))])
    assert constraint is not None
    words = Words(output_format, spelled=False)
    matcher = words.matcher(constraint.source)
    said = words.spell('<tool_call>\n{"name": "find", "arguments": {"other": "Ulm"}}\n</tool_call>')
    taken = [token for token in said if matcher.validate_tokens([token]) and matcher.consume_token(token)]
    assert (len(taken) == len(said)) is open_


def test_harmony_may_think_before_it_calls() -> None:
    constraint = tool_constraint(detect_output_format(TEMPLATES["gpt-oss"]), TOOLS, ToolChoice("required"))
    assert constraint is not None
    assert constraint.opening == "<|channel|>analysis"
    assert constraint.after == ("<|start|>assistant",)


def test_free_answers_have_no_constraint() -> None:
    output_format = detect_output_format(TEMPLATES["hermes"])
    assert tool_constraint(output_format, TOOLS, ToolChoice("none")) is None
    assert tool_constraint(output_format, TOOLS, ToolChoice("auto")) is None
    assert lazy(output_format, ()) is None


@pytest.mark.parametrize("family", ["llama3", "xlam", "muse", "pythonic"])
def test_without_an_opening_of_its_own_a_call_is_not_told_from_an_answer(family: str) -> None:
    assert lazy(detect_output_format(TEMPLATES[family])) is None


def test_no_call_begins_in_the_reasoning() -> None:
    constraint = lazy(detect_output_format(TEMPLATES["qwen3"]), reasoning_open=True)
    assert constraint is not None
    assert ("<think>", "</think>") in constraint.asides
    assert constraint.aside_open


@pytest.mark.parametrize(("tools", "name"), [((), "no tool to call"), (TOOLS, "get_news")])
def test_a_tool_that_is_not_there_cannot_be_required(tools: tuple[Tool, ...], name: str) -> None:
    output_format = detect_output_format(TEMPLATES["hermes"])
    with pytest.raises(BadRequest, match=name) as caught:
        tool_constraint(output_format, tools, ToolChoice("required", name=name if tools else ""))
    assert caught.value.field == "tool_choice"
