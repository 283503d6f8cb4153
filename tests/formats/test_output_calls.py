"""Tool calls in every shape: as they come, cut off, mixed with text, and in whatever pieces."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.output_templates import TEMPLATES
from tests.support.toolcall_cases import Parsed, gathered
from tui.domain import ReasoningDelta, TextDelta, Tool, ToolCallArguments, ToolCallFinished, ToolCallStarted
from tui.formats import Delta, OutputFormat, OutputParser, detect_output_format
from tui.formats.output.families import FAMILIES

WEATHER = Tool(
    "get_weather",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "precise": {"type": "boolean"},
                "where": {"$ref": "#/$defs/place"},
                "note": {"type": ["string", "null"]},
                "sizes": {"anyOf": [{"type": "array"}, {"type": "number"}]},
            },
            "$defs": {"place": {"type": "object"}},
        }
    ),
)


def deltas_of(family: str | OutputFormat, text: str, **options: object) -> list[Delta]:
    output_format = detect_output_format(TEMPLATES[family]) if isinstance(family, str) else family
    parser = OutputParser(output_format, tools=(WEATHER,), **options)  # type: ignore[arg-type]
    return parser.feed(text.encode(), 1) + parser.finish()


def parsed(family: str | OutputFormat, text: str, **options: object) -> Parsed:
    return gathered(deltas_of(family, text, **options))


def arguments(family: str, text: str) -> object:
    result = parsed(family, text)
    assert [name for name, _ in result.calls] == ["get_weather"]
    return json.loads(result.calls[0][1])


# Pieces of every family's outputs, mixed without sense.
PIECES = [
    "Hello",
    "é",
    "\n",
    " ",
    "```json\n",
    '{"name": "get_weather", "arguments": ',
    '{"city": "Ro\\nm"}',
    "}",
    "[",
    "]",
    ",",
    "get_weather",
    "get_weather(city='it's', days=07)",
    "{city:",
    '<|"|>Rom<|"|>',
    "call:",
    "<arg_key>city</arg_key>\n<arg_value>Rom</arg_value>",
    "<function=get_weather>",
    "<parameter=days>\n3\n</parameter>",
    "</function>",
    '<invoke name="get_weather">',
    '<parameter name="city">Rom</parameter>',
    "]<]minimax[>[<city>Rom",
    "]<]minimax[>[</city>",
    "]<]minimax[>[<where>",
    "]<]minimax[>[<item>",
    "</invoke>",
    "functions.get_weather:0",
    "</thi",
    "<|",
    "<",
    " to=functions.get_weather",
    "commentary",
    "\\u00e9\\ud83d",
    '"',
    "'",
]
FORMATS = [detect_output_format(template) for template in TEMPLATES.values()]


@settings(max_examples=400)
@given(st.sampled_from(FORMATS), st.booleans(), st.data())
def test_the_pieces_make_no_difference(output_format: OutputFormat, reasoning_open: bool, draw: st.DataObject) -> None:
    words = st.sampled_from([*PIECES, *output_format.markers])
    data = "".join(draw.draw(st.lists(st.one_of(words, st.text(max_size=2)), max_size=14))).encode("utf-8", "replace")
    borders = [0, *sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=10))), len(data)]
    splits = (
        [data],
        [data[at : at + 1] for at in range(len(data))],
        [data[start:end] for start, end in itertools.pairwise(borders)],
    )
    results = []
    for pieces in splits:
        parser = OutputParser(output_format, tools=(WEATHER,), reasoning_open=reasoning_open)
        deltas = [delta for piece in pieces for delta in parser.feed(piece, 1)] + parser.finish()
        assert sum(getattr(delta, "tokens", 0) for delta in deltas) == len(pieces)
        assert parser.finish() == []
        result = gathered(deltas)
        results.append((result.content, result.reasoning, result.calls))
    assert results[1:] == results[:1] * 2


ELEMENTS = Tool(
    "write",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "days": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "points": {"type": "array", "items": {"$ref": "#/$defs/point"}},
                "where": {"anyOf": [{"type": "object", "properties": {"zip": {"type": "string"}}}, {"type": "null"}]},
            },
            "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}}},
        }
    ),
)


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("", {}),
        ("@<text>12@</text>@<days>3@</days>", {"text": "12", "days": 3}),
        ("@<tags>@<item>1@</item>@<item>b@</item>@</tags>", {"tags": ["1", "b"]}),
        ("@<tags>@</tags>@<where>@</where>@<text>@</text>", {"tags": [], "where": {}, "text": ""}),
        ('@<tags>["a", "</tags>"]@</tags>', {"tags": ["a", "</tags>"]}),
        ("@<points>\n@<item>\n@<x>1@</x>\n@</item>\n@</points>\n", {"points": [{"x": 1}]}),
        ("@<where>@<zip>01067@</zip>@</where>", {"where": {"zip": "01067"}}),
        ("@<where>null@</where>", {"where": None}),
        ("@<new>@<a>1@</a>@<b>@<item>x@</item>@</b>@</new>", {"new": {"a": 1, "b": ["x"]}}),
        ("@<text><b>bold</b>\n</text>!\n@</text>", {"text": "<b>bold</b>\n</text>!\n"}),
        ("@<text>so: </text>@</text>@<days>3@</days>", {"text": "so: </text>", "days": 3}),
        # Its own lead before a closing tag is what the model forgets.
        ("@<text>a</text>@<points>@<item>@<x>1</x>@</item>@</points>", {"text": "a", "points": [{"x": 1}]}),
    ],
)
def test_elements_named_after_their_arguments(inside: str, wanted: object) -> None:
    text = f'Well.\n@<tool_call>\n@<invoke name="write">{inside}@</invoke>\n@</tool_call>'
    output_format = detect_output_format(TEMPLATES["minimax-m3"])
    for said in (text, text.replace("@<tool_call>\n", "").replace("@</tool_call>", "")):
        parser = OutputParser(output_format, tools=(ELEMENTS,))
        result = gathered(parser.feed(said.replace("@", "]<]minimax[>[").encode(), 1) + parser.finish())
        assert result.content == "Well."
        assert [(name, json.loads(given)) for name, given in result.calls] == [("write", wanted)]


def test_elements_that_have_lost_their_lead() -> None:
    said = '<tool_call>\n<invoke name="write"><days>3</days><tags><item>a</item></tags><text>a <b> c</text></invoke>\n'
    parser = OutputParser(detect_output_format(TEMPLATES["minimax-m3"]), tools=(ELEMENTS,))
    result = gathered(parser.feed(f"{said}</tool_call>".encode(), 1) + parser.finish())
    assert [json.loads(given) for _, given in result.calls] == [{"days": 3, "tags": ["a"], "text": "a <b> c"}]


@pytest.mark.parametrize(
    "inside", ["@<text>a", "@<tags>@<item>a@</item>", "@<points>@<item>@<x>1", "prose", "@<>1@</>"]
)
def test_elements_that_break_off_are_no_whole_arguments(inside: str) -> None:
    said = f'@<tool_call>\n@<invoke name="write">{inside}'.replace("@", "]<]minimax[>[")
    parser = OutputParser(detect_output_format(TEMPLATES["minimax-m3"]), tools=(ELEMENTS,))
    ((_, given),) = gathered(parser.feed(said.encode(), 1) + parser.finish()).calls
    with pytest.raises(ValueError, match="line 1"):
        json.loads(given)


def test_json_arguments_are_given_out_as_they_come() -> None:
    parser = OutputParser(detect_output_format(TEMPLATES["hermes"]))
    assert parser.feed(b"Sure.\n", 2) == [TextDelta("Sure.", 2)]
    assert parser.feed(b"<tool_call>", 1) == []
    assert parser.feed(b'\n{"name": "f", "arg', 4) == []
    started, first = parser.feed(b'uments": {"a', 3)
    assert isinstance(started, ToolCallStarted)
    assert (started.index, started.name, started.tokens) == (0, "f", 8)
    assert len(started.id) == 9
    assert started.id.isalnum()
    assert first == ToolCallArguments(0, '{"a', 0)
    assert parser.feed(b'": "x', 1) == [ToolCallArguments(0, '": "x', 1)]
    assert parser.feed(b'"}', 1) == [ToolCallArguments(0, '"}', 1)]
    (finished,) = parser.feed(b"}", 0)
    assert isinstance(finished, ToolCallFinished)
    assert finished.call.arguments == '{"a": "x"}'
    assert parser.feed(b"\n</tool_call>", 1) == []
    assert parser.finish() == [TextDelta("", 1)]


def test_texts_between_tags_are_given_out_as_they_come() -> None:
    parser = OutputParser(detect_output_format(TEMPLATES["qwen3-coder"]), tools=(WEATHER,))
    parser.feed(b"<tool_call>\n<function=get_weather>\n<parameter=city>\n")
    assert parser.feed(b'R"o', 1) == [ToolCallArguments(0, 'R\\"o', 1)]
    assert parser.feed(b"\nm\n</para", 1) == [ToolCallArguments(0, "\\nm", 1)]
    assert parser.feed(b"meter>", 1) == [ToolCallArguments(0, '"', 1)]


VALUES = [
    ("city", "Rom", "Rom"),
    ("city", "12", "12"),
    ("city", "\n  two\nlines\n", "\n  two\nlines\n"),
    ("city", "a < b </param", "a < b </param"),
    ("days", "3", 3),
    ("days", "3.0", 3),
    ("days", "three", "three"),
    ("precise", "True", True),
    ("precise", "false", False),
    ("where", '{"x": [1, "</parameter>"]}', {"x": [1, "</parameter>"]}),
    ("where", "{'x': None}", {"x": None}),
    ("where", "{broken", "{broken"),
    ("note", "null", None),
    ("note", "12", "12"),
    ("sizes", "[1, 2]", [1, 2]),
    ("sizes", "1.5", 1.5),
    ("unknown", "1.5", 1.5),
    ("unknown", "NaN", "NaN"),
    ("unknown", "word", "word"),
]


@pytest.mark.parametrize(("name", "text", "value"), VALUES)
def test_values_between_tags_are_what_the_schema_says(name: str, text: str, value: object) -> None:
    output = f"<tool_call>\n<function=get_weather>\n<parameter={name}>\n{text}\n</parameter>\n</function>\n</tool_call>"
    if text != "{broken":
        assert arguments("qwen3-coder", output) == {name: value}
    deep = "[" * 5000
    assert parsed("qwen3-coder", output.replace(text, deep)).calls, "deep nesting raises nothing"


def test_attributes_say_what_a_value_is() -> None:
    output = (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n'
        '<｜DSML｜parameter name="days" string="true">3</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="city" string="false">3</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
    )
    assert arguments("deepseek-v3.2", output) == {"days": "3", "city": 3}
    later = output.replace("function_calls", "calls").replace("｜DSML｜", "｜DSML｜ ")
    assert arguments("deepseek-v4.1", later) == {"days": "3", "city": 3}


def test_keys_and_values_between_tags_of_a_familys_own() -> None:
    output = "<arg_key>days</arg_key><arg_value>3</arg_value><arg_key>city</arg_key><arg_value> 3</arg_value>"
    for line in ("", "\n"):
        said = f"<iquest_tool_call>get_weather{line}{output}</iquest_tool_call>"
        assert arguments("iquest", said) == {"days": 3, "city": " 3"}


CUT_OFF = [
    ("hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ro', '{"city": "Ro'),
    ("deepseek-v3.1", '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city"', '{"city"'),
    ("qwen3-coder", "<tool_call>\n<function=get_weather>\n<parameter=city>\nRo", '{"city": "Ro'),
    ("qwen3-coder", "<function=get_weather>\n<parameter=days>\n12", '{"days": 12'),
    ("qwen3-coder", "<function=get_weather>\n<parameter=city>\nRom\n</parameter>\n", '{"city": "Rom"'),
    ("lfm2", "<|tool_call_start|>[get_weather(city='Ro", '{"city": "Ro'),
    ("gemma4", '<|tool_call>call:get_weather{city:<|"|>Ro', '{"city": "Ro'),
    ("gpt-oss", '<|channel|>commentary to=functions.get_weather<|message|>{"city": "Ro', '{"city": "Ro'),
]


@pytest.mark.parametrize(("family", "output", "wanted"), CUT_OFF)
def test_a_call_that_is_cut_off_is_never_completed(family: str, output: str, wanted: str) -> None:
    result = parsed(family, f"Well. {output}" if family != "gpt-oss" else output)
    assert result.calls == (("get_weather", wanted),)
    with pytest.raises(ValueError, match=r"."):
        json.loads(wanted)


NO_CALLS = [
    ("hermes", "<tool_call>"),
    ("hermes", '<tool_call>\n{"name": "get_weather"'),
    ("hermes", "Write <tool_call> before and </tool_call> behind."),
    ("hermes", '<tool_call>{"result": 5}</tool_call>'),
    ("hermes", '{"name": "get_weather", "arguments": {}}'),
    ("plain", "[TOOL_REQUEST] is what opens it, [1] and [2] close it."),
    ("llama3", '{"name": "unknown", "parameters": {}}'),
    ("llama3", '{"name": "get_weather"}'),
    ("llama3", '{"city": "Rom", "name": "get_weather", "parameters": {}}'),
    ("llama3", 'Answer: {"name": "get_weather", "parameters": {}}'),
    ("pythonic", "[1] says so."),
    ("pythonic", "[unknown(a=1)]"),
    ("lfm2", "<|tool_call_start|>nothing at all<|tool_call_end|>"),
    ("gemma4", "<|tool_call>call me{maybe}"),
    ("functools", "from functools import cache"),
]


@pytest.mark.parametrize(("family", "output"), NO_CALLS)
def test_what_is_no_call_is_text(family: str, output: str) -> None:
    result = parsed(family, output)
    assert not result.calls
    assert result.content == output


def test_bare_json_counts_for_tools_that_are_offered() -> None:
    result = parsed(
        "llama3", '{"name": "get_weather", "parameters": {"city": "Rom"}}; {"name": "get_weather", "parameters": {}}'
    )
    assert result.calls == (("get_weather", '{"city": "Rom"}'), ("get_weather", "{}"))
    assert result.content == ""
    without = OutputParser(detect_output_format(TEMPLATES["llama3"]))
    text = b'{"name": "get_weather", "parameters": {}}'
    assert gathered(without.feed(text) + without.finish()).content == text.decode()


def test_a_built_in_call_of_llama() -> None:
    llama = detect_output_format('<|python_tag|>{{ name }}.call( {"name": function name, "parameters": dictionary}')
    result = parsed(llama, '<|python_tag|>get_weather.call(city="Rom")')
    assert result.calls == (("get_weather", '{"city": "Rom"}'),)
    assert parsed(llama, '<|python_tag|>print("hi")').content == '<|python_tag|>print("hi")'


def test_ids_are_the_models_own_where_it_has_some() -> None:
    kimi = (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.a:3<|tool_call_argument_begin|>{}<|tool_call_end|>"
        "<|tool_call_begin|>functions.a:3<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"
    )
    first, second = parsed("kimi", kimi).ids
    assert first == "functions.a:3"
    assert second != first, "an id that was given twice is none"
    assert parsed("mistral-small", "[TOOL_CALLS]f[CALL_ID]abcDEF123[ARGS]{}").ids == ("abcDEF123",)


def test_text_and_calls_keep_their_order_and_their_lines() -> None:
    call = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>'
    deltas = deltas_of("hermes", f"\nOne.\n\n{call}\n{call}\nTwo.\n")
    kinds = [type(delta) for delta in deltas if not isinstance(delta, ToolCallArguments)]
    assert kinds == [TextDelta, *[ToolCallStarted, ToolCallFinished] * 2, TextDelta, TextDelta]
    result = gathered(deltas)
    assert result.content.split("\n") == ["", "One.", "", "", "", "Two.", ""]
    assert parsed("hermes", f"One.\n{call}\n").content == "One."


def test_a_call_ends_reasoning_that_was_never_closed() -> None:
    call = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>'
    result = parsed("qwen3", f"I look.\n{call}", reasoning_open=True)
    assert (result.reasoning, result.content, len(result.calls)) == ("I look.", "", 1)
    other = "I could write <tool_call> and so on.</think>No."
    result = parsed("qwen3", other, reasoning_open=True)
    assert (result.reasoning, result.content) == ("I could write <tool_call> and so on.", "No.")
    unknown = call.replace("get_weather", "example")
    assert parsed("qwen3", f"Like {unknown}</think>Yes.", reasoning_open=True).calls == ()


def test_reasoning_behind_a_call() -> None:
    call = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>'
    result = parsed("qwen3", f"<think>a</think>{call}\n<think>b</think>c")
    assert (result.reasoning, result.content, len(result.calls)) == ("ab", "c", 1)


HARMONY = [
    ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>", "a", "b", ()),
    ("<|channel|>commentary<|message|>I look.<|end|>", "", "I look.", ()),
    (" to=functions.f<|channel|>commentary json<|message|>{}<|call|>", "", "", (("f", "{}"),)),
    ("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>", "", "", (("f", "{}"),)),
    ("<|channel|>analysis to=functions.f code<|message|>{}<|call|>", "", "", (("f", "{}"),)),
    ("<|channel|>commentary to=get_weather<|message|>{}", "", "", (("get_weather", "{}"),)),
    ("<|channel|>commentary to=functions.f<|message|><|call|>", "", "", (("f", "{}"),)),
    ("<|channel|>commentary to=functions.f<|message|>print(1)<|call|>", "", "", (("f", "print(1)"),)),
    ("<|channel|>commentary to=assistant<|channel|>analysis<|message|>a<|end|>", "a", "", ()),
    ("<|channel|>––commentary<|message|>b<|end|>", "", "b", ()),
    ("<|channel|>comment" + "ary to=functions.f<|message|>{}", "", "", (("f", "{}"),)),
    ("<|channel|>analysis to=browser.search code<|message|>{}<|call|>", "{}", "", ()),
    ("<|channel|>commentary to=python<|message|>1 + 1<|call|>", "1 + 1", "", ()),
    ("analysis<|message|>a<|end|><|start|>assistant<|message|>b", "a", "b", ()),
    ("Hello there.\nNo header.", "", "Hello there.\nNo header.", ()),
    ("<|channel|>final Hello", "", "Hello", ()),
    ("<|channel|>final", "", "", ()),
    ("<|message|>Hi<|end|>\nand more", "", "Hi\nand more", ()),
    ("<|channel|>final<|message|>" + "x" * 700, "", "x" * 700, ()),
    ("<|channel|>final" + " x" * 700, "", " x" * 700, ()),
]


@pytest.mark.parametrize(("output", "reasoning", "content", "calls"), HARMONY)
def test_harmony_as_models_write_it(output: str, reasoning: str, content: str, calls: tuple) -> None:
    result = parsed("gpt-oss", output)
    assert (result.reasoning, result.content.strip(), result.calls) == (reasoning, content.strip(), calls)


def test_a_tool_for_code_is_given_code() -> None:
    python = Tool("python", parameters='{"properties": {"code": {"type": "string"}}}')
    parser = OutputParser(detect_output_format(TEMPLATES["gpt-oss"]), tools=(python,))
    output = b'<|channel|>analysis to=python code<|message|>print("1")\n<|call|>'
    result = gathered(parser.feed(output) + parser.finish())
    assert json.loads(result.calls[0][1]) == {"code": 'print("1")\n'}


def test_markers_are_all_that_is_looked_for() -> None:
    for template in TEMPLATES.values():
        markers = detect_output_format(template).markers
        assert markers
        assert len(set(markers)) == len(markers)
    assert "<tool_call>" in detect_output_format(TEMPLATES["qwen3"]).markers
    assert "<|call|>" in detect_output_format(TEMPLATES["gpt-oss"]).markers


def test_no_marker_hides_another() -> None:
    """What is found first must not depend on how much of the text is there."""
    for family in FAMILIES:
        for syntax in family.calls:
            texts = {*syntax.openings, *syntax.naked, *family.dropped}
            for one, other in itertools.permutations(texts, 2):
                assert one not in other[1:-1], (one, other)


def test_functionary_says_to_whom_it_speaks() -> None:
    functionary = detect_output_format(">>>all recipient {{ '>>>' + name + '\n' + arguments }}")
    result = parsed(functionary, 'all\nI look.\n>>>get_weather\n{"city": "Rom"}>>>all\nDone.')
    assert result.calls == (("get_weather", '{"city": "Rom"}'),)
    assert result.content == "I look.\nDone."


def test_where_nothing_can_be_called_calls_are_text() -> None:
    call = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>'
    result = parsed(detect_output_format(TEMPLATES["qwen3"]).without_calls(), f"<think>a</think>{call}")
    assert (result.reasoning, result.content, result.calls) == ("a", call, ())


ANSWER_STARTS = [
    ("plain", False, None),
    ("hermes", False, None),
    ("qwen3", False, (("</think>",), "<think>")),
    ("qwen3", True, (("</think>",), "")),
    ("magistral", False, (("[/THINK]",), "[THINK]")),
]


@pytest.mark.parametrize(("family", "reasoning_open", "start"), ANSWER_STARTS)
def test_where_the_answer_begins(family: str, reasoning_open: bool, start: object) -> None:
    assert detect_output_format(TEMPLATES[family]).answer_start(reasoning_open) == start


def test_where_the_answer_begins_in_harmony() -> None:
    start = detect_output_format(TEMPLATES["gpt-oss"]).answer_start(False)
    assert start is not None
    assert "<|channel|>final<|message|>" in start[0]
    assert start[1] == "<|channel|>"


def test_a_template_without_tools_gets_the_default_format() -> None:
    plain = detect_output_format(TEMPLATES["plain"])
    assert not plain.own_calls
    text = 'Ok. [TOOL_REQUEST]{"name": "get_weather", "arguments": {"city": "Rom"}}[END_TOOL_REQUEST]'
    assert parsed(plain, text).calls == (("get_weather", '{"city": "Rom"}'),)
    assert detect_output_format(TEMPLATES["hermes"]).own_calls


def test_prompts_that_open_the_reasoning() -> None:
    assert detect_output_format(TEMPLATES["qwen3"]).opens_reasoning("<|im_start|>assistant\n<think>\n")
    assert not detect_output_format(TEMPLATES["qwen3"]).opens_reasoning("<think>\n\n</think>\n\n")
    assert detect_output_format(TEMPLATES["magistral"]).opens_reasoning("[THINK]")
    assert detect_output_format(TEMPLATES["gemma4"]).opens_reasoning("<|channel>thought\n")


HOSTILE = [
    ("hermes", "<tool_call>" * 3000),
    ("hermes", '<tool_call>{"arguments": "' * 3000),
    ("hermes", '<tool_call>{"name": "f", "arguments": ' + "[" * 60_000),
    ("lfm2", "<|tool_call_start|>[f(a=" + "[" * 60_000),
    ("lfm2", "<|tool_call_start|>[f(a='" + "'" * 60_000),
    ("gemma4", "<|tool_call>call:f{a:" + "{a:" * 20_000),
    ("qwen3-coder", "<function=f>\n" + "<parameter=a>\n" * 6000),
    ("gpt-oss", "<|channel|>" * 6000),
    ("gpt-oss", "<|start|>assistant" * 6000),
    ("muse", " to=" * 15_000),
    ("glm", "<tool_call>f" + "<arg_key>" * 6000),
    ("hermes", "<tool_call>" + " " * 60_000),
]


@pytest.mark.parametrize(("family", "output"), HOSTILE)
def test_nonsense_neither_raises_nor_takes_for_ever(family: str, output: str) -> None:
    started = time.process_time()
    parser = OutputParser(detect_output_format(TEMPLATES[family]))
    data = output.encode()
    gathered([d for at in range(0, len(data), 8) for d in parser.feed(data[at : at + 8], 1)] + parser.finish())
    assert time.process_time() - started < 5


def test_reasoning_tokens_are_counted_apart_from_calls() -> None:
    parser = OutputParser(detect_output_format(TEMPLATES["qwen3"]), reasoning_open=True)
    pieces = [b"why", b"</think>", b"\n\n", b"<tool_call>", b'{"name": "f", "arguments": {}}', b"</tool_call>"]
    deltas = [delta for piece in pieces for delta in parser.feed(piece, 1)] + parser.finish()
    assert sum(delta.tokens for delta in deltas if isinstance(delta, ReasoningDelta)) == 2
    assert sum(getattr(delta, "tokens", 0) for delta in deltas) == len(pieces)
