"""The families of models, one row each: by which texts a chat template shows how its model writes.

Sources: the chat templates that the models' makers publish with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.formats.output.format import (
    BracedShape,
    CallSyntax,
    ChannelSyntax,
    ElementShape,
    JsonShape,
    NamedShape,
    PythonicShape,
    ReasoningTags,
    TaggedShape,
)
from tui.formats.output.syntaxes import (
    DEEPSEEK_OUTPUTS,
    FUNCTION_TAGS,
    JSON,
    JSON_ARRAY,
    JSON_LINE,
    LLAMA_BARE,
    MINIMAX_LEAD,
    MISTRAL_NAMED,
    MISTRAL_WITH_ID,
    PYTHON_TAG,
    PYTHONIC,
    deepseek,
    invoke_tags,
    key_value_tags,
    mistral,
    tagged_json,
)


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


FAMILIES = (
    Family(
        ("<|start|>", "<|channel|>", "<|message|>"),
        channels=ChannelSyntax(
            "<|start|>", "<|message|>", ("<|end|>", "<|call|>", "<|return|>"), "<|channel|>", "<|constrain|>"
        ),
    ),
    Family(
        ("<|start|>", "<|message|>", "<|eom|>"),
        (CallSyntax((invoke_tags("atem:"),), ("<atem:function_calls>",), ("</atem:function_calls>",)),),
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
                (invoke_tags("｜DSML｜", typed=True),), ("<｜DSML｜function_calls>",), ("</｜DSML｜function_calls>",)
            ),
        ),
    ),
    Family(
        ("｜DSML｜", " calls>"),
        (CallSyntax((invoke_tags("｜DSML｜ ", typed=True),), ("<｜DSML｜ calls>",), ("</｜DSML｜ calls>",)),),
    ),
    Family(
        ("｜DSML｜",),
        (CallSyntax((invoke_tags("｜DSML｜", typed=True),), ("<｜DSML｜tool_calls>",), ("</｜DSML｜tool_calls>",)),),
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
                (invoke_tags("steptml:"),),
                ("<｜tool_calls_begin｜>", "<｜tool_call_begin｜>"),
                ("<｜tool_calls_end｜>",),
                naked=('<steptml:invoke name="',),
            ),
        ),
        dropped=("<｜tool_call_end｜>", "<｜tool_sep｜>"),
    ),
    Family(("<｜tool▁call▁begin｜>", "```json"), deepseek(fenced=True), dropped=DEEPSEEK_OUTPUTS),
    Family(("<｜tool▁call▁begin｜>",), deepseek(fenced=False), dropped=DEEPSEEK_OUTPUTS),
    Family(
        ("<|tool_call>", "<tool_call|>"),
        (CallSyntax((BracedShape("call:", '<|"|>'),), ("<|tool_call>",), ("<tool_call|>",)),),
        dropped=("<tool_call|>", "<|tool_response>"),
    ),
    Family(
        ("<start_function_call>",),
        (CallSyntax((BracedShape("call:", "<escape>"),), ("<start_function_call>",), ("<end_function_call>",)),),
    ),
    Family(
        (MINIMAX_LEAD,),
        (
            CallSyntax(
                (ElementShape(MINIMAX_LEAD),),
                (f"{MINIMAX_LEAD}<tool_call>", "<tool_call>"),
                (f"{MINIMAX_LEAD}</tool_call>", "</tool_call>"),
                naked=(f'{MINIMAX_LEAD}<invoke name="',),
            ),
        ),
        dropped=(MINIMAX_LEAD,),
    ),
    *(
        Family((sign,), (CallSyntax((PYTHONIC, JSON), ("<|tool_call_start|>",), ("<|tool_call_end|>",)),))
        for sign in ("<|tool_call_start|>", "<|tool_list_start|>", "List of tools: [")
    ),
    Family(
        ("<minimax:tool_call>",),
        (CallSyntax((invoke_tags(""), JSON), ("<minimax:tool_call>",), ("</minimax:tool_call>",)),),
    ),
    Family(
        ("<seed:tool_call>",),
        (CallSyntax((FUNCTION_TAGS,), ("<seed:tool_call>",), ("</seed:tool_call>",), naked=("<function=",)),),
    ),
    Family(
        ("<longcat_tool_call>",),
        (CallSyntax((JSON, key_value_tags("longcat_")), ("<longcat_tool_call>",), ("</longcat_tool_call>",)),),
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
    Family(("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"), mistral(MISTRAL_WITH_ID, JSON_ARRAY)),
    Family(("[TOOL_CALLS]", "[ARGS]"), mistral(MISTRAL_NAMED, JSON_ARRAY)),
    Family(("[TOOL_CALLS]",), mistral(JSON_ARRAY, MISTRAL_NAMED)),
    Family(("<|tool_call|>", "<|/tool_call|>"), tagged_json("<|tool_call|>", "<|/tool_call|>", array=True)),
    Family(
        ("<|tool_call|>",),
        tagged_json("<|tool_call|>", "", "<tool_call>", array=True),
        dropped=("<response>", "</response>"),
    ),
    Family(
        ("<|function_call|>",),
        (CallSyntax((JSON,), ("<|function_call|>", "function call<|role_sep|>\n"), ("</s>",), repeated=False),),
        dropped=("<|message_sep|>\n\n",),
    ),
    Family(
        ("<|message_sep|>", "<|role_sep|>"),
        (CallSyntax((JSON,), ("function call<|role_sep|>\n", "<|function_call|>"), ("</s>",), repeated=False),),
        dropped=("<|message_sep|>\n\n",),
    ),
    Family(("<function_call>",), tagged_json("<function_call>", "")),
    Family(("<TOOLCALL>",), tagged_json("<TOOLCALL>", "</TOOLCALL>", array=True)),
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
    Family(("functools[",), (CallSyntax((JSON_ARRAY,), ("functools[",), repeated=False, overlap=1),)),
    Family(
        ("<function_calls>",),
        (CallSyntax((PythonicShape(bracketed=False), JSON), ("<function_calls>",), ("</function_calls>",)),),
    ),
    Family(
        (">>>all", "recipient"),
        (CallSyntax((NamedShape((("", "name"), ("\n", "arguments"))),), (">>>",), repeated=False),),
        dropped=(">>>all\n",),
        lead=">>>",
    ),
    Family(
        ("<arg_key>", "<iquest_tool_call>"),
        (CallSyntax((key_value_tags(), JSON), ("<iquest_tool_call>",), ("</iquest_tool_call>",)),),
    ),
    Family(
        ("<arg_key>", "<tool_call>"),
        (CallSyntax((key_value_tags(), JSON), ("<tool_call>",), ("</tool_call>",)),),
    ),
    Family(
        ("<function=", "<parameter="),
        (CallSyntax((FUNCTION_TAGS, JSON), ("<tool_call>",), ("</tool_call>",), naked=("<function=",)),),
    ),
    Family(
        ("<function=", "</function>"),
        (
            CallSyntax(
                (NamedShape((("<function=", "name"), (">", "arguments")), closing="</function>"),),
                naked=("<function=",),
            ),
            PYTHON_TAG,
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
        (CallSyntax((JSON_ARRAY,), ("<tool_calls>", "<tool_call>"), ("</tool_calls>", "</tool_call>")),),
    ),
    Family(("<tool_call>",), (CallSyntax((JSON_LINE, FUNCTION_TAGS), ("<tool_call>",), ("</tool_call>",)),)),
    Family(
        ("<|python_start|>",),
        (
            CallSyntax((PYTHONIC, JSON), known_only=True),
            CallSyntax((PYTHONIC, JSON), ("<|python_start|>",), ("<|python_end|>",)),
        ),
    ),
    Family(("<|python_tag|>",), (LLAMA_BARE, PYTHON_TAG)),
    Family(('"parameters": ',), (LLAMA_BARE, PYTHON_TAG)),
    Family(("func_name1(",), (CallSyntax((PYTHONIC,), known_only=True),)),
    Family(
        ('"name": "', '"arguments": '),
        (
            CallSyntax((JSON_ARRAY,), known_only=True),
            CallSyntax((JSON_ARRAY,), ("```json\n", "```\n"), ("```",), known_only=True),
            CallSyntax((JSON_ARRAY,), ("<tool_call>",), ("</tool_call>",), known_only=True),
            CallSyntax((JSON_ARRAY,), ("[TOOL_CALLS]",), repeated=False, known_only=True),
        ),
    ),
)
"""The most specific first: a template may show the signs of several."""

DEFAULT_CALLS = (CallSyntax((JSON,), ("[TOOL_REQUEST]",), ("[END_TOOL_REQUEST]",)),)
"""For models that were never taught to call tools; a system prompt tells them. The texts are LM Studio's."""
