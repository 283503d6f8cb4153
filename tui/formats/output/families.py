"""The families of models, one row each: by which texts a chat template shows how its model writes.

Sources: the chat templates that the models' makers publish with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.formats.output.format import (
    BracedShape,
    CallSyntax,
    ChannelSyntax,
    JsonShape,
    NamedShape,
    PythonicShape,
    ReasoningTags,
    TaggedShape,
)

_JSON = JsonShape()
_JSON_LINE = JsonShape(gap="\n")
_JSON_ARRAY = JsonShape(array=True)
_FUNCTION_TAGS = TaggedShape(
    opening="<function=",
    name_end=">",
    parameter_opening="<parameter=",
    parameter_name_end=">",
    value_closing="</parameter>",
    closing="</function>",
    padding="\n",
)
_PYTHONIC = PythonicShape()


def _invoke_tags(prefix: str, end: str = "/", typed: bool = False) -> TaggedShape:
    """`<invoke name="f"><parameter name="a">…`, with a prefix in every tag."""
    return TaggedShape(
        opening=f'<{prefix}invoke name="',
        name_end='">',
        parameter_opening=f'<{prefix}parameter name="',
        parameter_name_end='">',
        value_closing=f"<{end}{prefix}parameter>",
        closing=f"<{end}{prefix}invoke>",
        typed_by="string" if typed else "",
    )


def key_value_tags(prefix: str = "", suffix: str = "", name_end: str = "\n") -> TaggedShape:
    """A name, then `<arg_key>k</arg_key><arg_value>v</arg_value>`, with a prefix or suffix in every tag."""
    return TaggedShape(
        opening="",
        name_end=name_end,
        parameter_opening=f"<{prefix}arg_key{suffix}>",
        parameter_name_end=f"</{prefix}arg_key{suffix}>",
        value_opening=f"<{prefix}arg_value{suffix}>",
        value_closing=f"</{prefix}arg_value{suffix}>",
    )


def _deepseek_fields(fenced: bool) -> NamedShape:
    begin, separator, end = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
    if not fenced:
        return NamedShape(((begin, "name"), (separator, "arguments")), closing=end)
    return NamedShape(((begin, "kind"), (separator, "name"), ("\n```json\n", "arguments")), "\n```", end)


@dataclass(frozen=True, slots=True)
class Family:
    """How to tell that a model writes so, and how it then writes."""

    signs: tuple[str, ...]
    """Texts that its template has, all of them."""
    calls: tuple[CallSyntax, ...] = ()
    channels: ChannelSyntax | None = None
    reasoning: tuple[ReasoningTags, ...] = ()
    """Tags that the template puts together, so that they cannot be found in it."""
    dropped: tuple[str, ...] = ()
    lead: str = ""


def _tagged_json(opening: str, closing: str, *more: str, array: bool = False) -> tuple[CallSyntax, ...]:
    shape = _JSON_ARRAY if array else _JSON
    return (CallSyntax((shape,), (opening, *more), (closing,) if closing else (), repeated=bool(closing)),)


_DEEPSEEK_OUTPUTS = (
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
)


def _deepseek(fenced: bool) -> tuple[CallSyntax, ...]:
    shape = _deepseek_fields(fenced)
    opening, closing = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
    return (CallSyntax((shape,), (opening,), (closing,), naked=("<｜tool▁call▁begin｜>",)),)


_MISTRAL_NAMED = NamedShape((("", "name"), ("[ARGS]", "arguments")))
_MISTRAL_WITH_ID = NamedShape((("", "name"), ("[CALL_ID]", "id"), ("[ARGS]", "arguments")))


def _mistral(*shapes: JsonShape | NamedShape) -> tuple[CallSyntax, ...]:
    return (CallSyntax(shapes, ("[TOOL_CALLS]",), repeated=False, nameless=True),)


_LLAMA_BARE = CallSyntax((JsonShape(arguments_key="parameters"),), known_only=True)
_PYTHON_TAG = CallSyntax((PythonicShape(bracketed=False, suffix=".call"), _JSON), ("<|python_tag|>",), known_only=True)

FAMILIES = (
    Family(
        ("<|start|>", "<|channel|>", "<|message|>"),
        channels=ChannelSyntax(
            "<|start|>", "<|message|>", ("<|end|>", "<|call|>", "<|return|>"), "<|channel|>", "<|constrain|>"
        ),
    ),
    Family(
        ("<|start|>", "<|message|>", "<|eom|>"),
        (CallSyntax((_invoke_tags("atem:"),), ("<atem:function_calls>",), ("</atem:function_calls>",)),),
        ChannelSyntax(
            "<|start|>",
            "<|message|>",
            ("<|eom|>", "<|eot|>"),
            reasoning_recipients=("", "self"),
            silent_recipients=("developer",),
            inline_headers=True,
        ),
    ),
    Family(
        ("｜DSML｜", "function_calls"),
        (
            CallSyntax(
                (_invoke_tags("｜DSML｜", typed=True),), ("<｜DSML｜function_calls>",), ("</｜DSML｜function_calls>",)
            ),
        ),
    ),
    Family(
        ("｜DSML｜",),
        (CallSyntax((_invoke_tags("｜DSML｜", typed=True),), ("<｜DSML｜tool_calls>",), ("</｜DSML｜tool_calls>",)),),
    ),
    Family(
        ("<|open|>", "<|close|>", "<|sep|>"),
        (
            CallSyntax(
                (
                    TaggedShape(
                        opening='<|open|>call tool="',
                        name_end='"<|sep|>',
                        parameter_opening='<|open|>argument key="',
                        parameter_name_end='"<|sep|>',
                        value_closing="<|close|>argument<|sep|>",
                        closing="<|close|>call<|sep|>",
                        gap="",
                        typed_by="type",
                    ),
                ),
                ("<|open|>tools<|sep|>",),
                ("<|close|>tools<|sep|>",),
            ),
        ),
        reasoning=(ReasoningTags("<|open|>think<|sep|>", "<|close|>think<|sep|>", anywhere=True),),
        dropped=("<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>"),
    ),
    Family(
        ("<|tool_call_argument_begin|>",),
        (
            CallSyntax(
                (
                    NamedShape(
                        (("<|tool_call_begin|>", "qualified"), ("<|tool_call_argument_begin|>", "arguments")),
                        closing="<|tool_call_end|>",
                    ),
                ),
                ("<|tool_calls_section_begin|>",),
                ("<|tool_calls_section_end|>",),
                naked=("<|tool_call_begin|>",),
            ),
        ),
    ),
    Family(
        ("<|tool_call:begin|>",),
        (
            CallSyntax(
                (
                    NamedShape(
                        (
                            ("<|tool_call:begin|>", "id"),
                            ("<|tool_call:name|>", "name"),
                            ("<|tool_call:args|>", "arguments"),
                        ),
                        closing="<|tool_call:end|>",
                    ),
                ),
                ("<|tool_calls|>",),
                ("<|calls|>",),
                naked=("<|tool_call:begin|>",),
            ),
        ),
        dropped=("<|begin|>assistant", "<|content|>", "<|end|>"),
    ),
    Family(
        ("<steptml:invoke",),
        (
            CallSyntax(
                (_invoke_tags("steptml:"),),
                ("<｜tool_calls_begin｜>", "<｜tool_call_begin｜>"),
                ("<｜tool_calls_end｜>",),
                naked=('<steptml:invoke name="',),
            ),
        ),
        dropped=("<｜tool_call_end｜>", "<｜tool_sep｜>"),
    ),
    Family(("<｜tool▁call▁begin｜>", "```json"), _deepseek(fenced=True), dropped=_DEEPSEEK_OUTPUTS),
    Family(("<｜tool▁call▁begin｜>",), _deepseek(fenced=False), dropped=_DEEPSEEK_OUTPUTS),
    Family(
        ("<|tool_call>", "<tool_call|>"),
        (CallSyntax((BracedShape("call:", '<|"|>'),), ("<|tool_call>",), ("<tool_call|>",)),),
        dropped=("<tool_call|>", "<|tool_response>"),
    ),
    Family(
        ("<start_function_call>",),
        (CallSyntax((BracedShape("call:", "<escape>"),), ("<start_function_call>",), ("<end_function_call>",)),),
    ),
    *(
        Family((sign,), (CallSyntax((_PYTHONIC, _JSON), ("<|tool_call_start|>",), ("<|tool_call_end|>",)),))
        for sign in ("<|tool_call_start|>", "<|tool_list_start|>", "List of tools: [")
    ),
    Family(
        ("<minimax:tool_call>",),
        (CallSyntax((_invoke_tags(""), _JSON), ("<minimax:tool_call>",), ("</minimax:tool_call>",)),),
    ),
    Family(
        ("<seed:tool_call>",),
        (CallSyntax((_FUNCTION_TAGS,), ("<seed:tool_call>",), ("</seed:tool_call>",), naked=("<function=",)),),
    ),
    Family(
        ("<longcat_tool_call>",),
        (CallSyntax((_JSON, key_value_tags("longcat_")), ("<longcat_tool_call>",), ("</longcat_tool_call>",)),),
    ),
    Family(
        ("<|action_start|>",),
        (
            CallSyntax(
                (JsonShape(arguments_key="parameters"),),
                ("<|action_start|><|plugin|>",),
                ("<|action_end|>",),
            ),
        ),
    ),
    Family(("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"), _mistral(_MISTRAL_WITH_ID, _JSON_ARRAY)),
    Family(("[TOOL_CALLS]", "[ARGS]"), _mistral(_MISTRAL_NAMED, _JSON_ARRAY)),
    Family(("[TOOL_CALLS]",), _mistral(_JSON_ARRAY, _MISTRAL_NAMED)),
    Family(("<|tool_call|>", "<|/tool_call|>"), _tagged_json("<|tool_call|>", "<|/tool_call|>", array=True)),
    Family(
        ("<|tool_call|>",),
        _tagged_json("<|tool_call|>", "", "<tool_call>", array=True),
        dropped=("<response>", "</response>"),
    ),
    Family(
        ("<|function_call|>",),
        (CallSyntax((_JSON,), ("<|function_call|>", "function call<|role_sep|>\n"), ("</s>",), repeated=False),),
        dropped=("<|message_sep|>\n\n",),
    ),
    Family(
        ("<|message_sep|>", "<|role_sep|>"),
        (CallSyntax((_JSON,), ("function call<|role_sep|>\n", "<|function_call|>"), ("</s>",), repeated=False),),
        dropped=("<|message_sep|>\n\n",),
    ),
    Family(("<function_call>",), _tagged_json("<function_call>", "")),
    Family(("<TOOLCALL>",), _tagged_json("<TOOLCALL>", "</TOOLCALL>", array=True)),
    Family(
        ("<|tools_prefix|>",),
        (CallSyntax((JsonShape(name_is_key=True, array=True),), ("<|tools_prefix|>",), ("<|tools_suffix|>",)),),
    ),
    Family(
        ("<|START_ACTION|>",),
        (CallSyntax((JsonShape("tool_name", "parameters", array=True),), ("<|START_ACTION|>",), ("<|END_ACTION|>",)),),
        dropped=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
    ),
    Family(
        ("Action:", "```json", "tool_name"),
        (
            CallSyntax(
                (JsonShape("tool_name", "parameters", array=True),),
                ("Action:\n```json\n", "Action: ```json\n"),
                ("```",),
            ),
        ),
    ),
    Family(("functools[",), (CallSyntax((_JSON_ARRAY,), ("functools[",), repeated=False, overlap=1),)),
    Family(
        ("<function_calls>",),
        (CallSyntax((PythonicShape(bracketed=False), _JSON), ("<function_calls>",), ("</function_calls>",)),),
    ),
    Family(
        (">>>all", "recipient"),
        (CallSyntax((NamedShape((("", "name"), ("\n", "arguments"))),), (">>>",), repeated=False),),
        dropped=(">>>all\n",),
        lead=">>>",
    ),
    Family(
        ("<arg_key>", "<tool_call>"),
        (CallSyntax((key_value_tags(), _JSON), ("<tool_call>",), ("</tool_call>",)),),
    ),
    Family(
        ("<function=", "<parameter="),
        (CallSyntax((_FUNCTION_TAGS, _JSON), ("<tool_call>",), ("</tool_call>",), naked=("<function=",)),),
    ),
    Family(
        ("<function=", "</function>"),
        (
            CallSyntax(
                (NamedShape((("<function=", "name"), (">", "arguments")), closing="</function>"),),
                naked=("<function=",),
            ),
            _PYTHON_TAG,
        ),
    ),
    Family(
        ('<function name="', '<param name="'),
        (
            CallSyntax(
                (
                    TaggedShape(
                        opening='<function name="',
                        name_end='">',
                        parameter_opening='<param name="',
                        parameter_name_end='">',
                        value_closing="</param>",
                        closing="</function>",
                        gap="",
                    ),
                ),
                ("<tool_call>",),
                ("</tool_call>",),
                naked=('<function name="',),
            ),
        ),
    ),
    Family(
        ("<tool_calls>",),
        (CallSyntax((_JSON_ARRAY,), ("<tool_calls>", "<tool_call>"), ("</tool_calls>", "</tool_call>")),),
    ),
    Family(("<tool_call>",), (CallSyntax((_JSON_LINE, _FUNCTION_TAGS), ("<tool_call>",), ("</tool_call>",)),)),
    Family(
        ("<|python_start|>",),
        (
            CallSyntax((_PYTHONIC, _JSON), known_only=True),
            CallSyntax((_PYTHONIC, _JSON), ("<|python_start|>",), ("<|python_end|>",)),
        ),
    ),
    Family(("<|python_tag|>",), (_LLAMA_BARE, _PYTHON_TAG)),
    Family(('"parameters": ',), (_LLAMA_BARE, _PYTHON_TAG)),
    Family(("func_name1(",), (CallSyntax((_PYTHONIC,), known_only=True),)),
    Family(
        ('"name": "', '"arguments": '),
        (
            CallSyntax((_JSON_ARRAY,), known_only=True),
            CallSyntax((_JSON_ARRAY,), ("```json\n", "```\n"), ("```",), known_only=True),
            CallSyntax((_JSON_ARRAY,), ("<tool_call>",), ("</tool_call>",), known_only=True),
            CallSyntax((_JSON_ARRAY,), ("[TOOL_CALLS]",), repeated=False, known_only=True),
        ),
    ),
)
"""The most specific first: a template may show the signs of several."""

DEFAULT_CALLS = (CallSyntax((_JSON,), ("[TOOL_REQUEST]",), ("[END_TOOL_REQUEST]",)),)
"""For models that were never taught to call tools; a system prompt tells them. The texts are LM Studio's."""

THINK = ReasoningTags("<think>", "</think>")
"""What most models write, and what fine-tunes write whose template says nothing of it."""

REASONING = (
    ReasoningTags("[THINK]", "[/THINK]", anywhere=True),
    ReasoningTags("<|channel>", "<channel|>", anywhere=True, title="thought\n"),
    ReasoningTags("<seed:think>", "</seed:think>"),
    ReasoningTags("<mm:think>", "</mm:think>"),
    ReasoningTags("<thinking>", "</thinking>"),
    ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),
    ReasoningTags("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True),
    ReasoningTags("<|think|>", "<|end|>", anywhere=True),
    ReasoningTags("Here is my thought process:", "Here is my response:"),
    ReasoningTags("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
)
"""The tags of other families."""

ANSWER_TAGS = ("<answer>", "</answer>")
"""What some reasoning models put around their answer."""
