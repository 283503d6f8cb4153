"""Shapes and syntaxes that several families of models share."""

from __future__ import annotations

from tui.formats.output.format import CallSyntax, JsonShape, NamedShape, PythonicShape, TaggedShape

JSON = JsonShape()
JSON_LINE = JsonShape(gap="\n")
JSON_ARRAY = JsonShape(array=True)
FUNCTION_TAGS = TaggedShape(
    opening="<function=",
    name_end=">",
    parameter_opening="<parameter=",
    parameter_name_end=">",
    value_closing="</parameter>",
    closing="</function>",
    padding="\n",
)
PYTHONIC = PythonicShape()
MINIMAX_LEAD = "]<]minimax[>["
"""What MiniMax M3 writes before its tags."""


def invoke_tags(prefix: str, end: str = "/", typed: bool = False) -> TaggedShape:
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


def deepseek_fields(fenced: bool) -> NamedShape:
    begin, separator, end = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
    if not fenced:
        return NamedShape(((begin, "name"), (separator, "arguments")), closing=end)
    return NamedShape(((begin, "kind"), (separator, "name"), ("\n```json\n", "arguments")), "\n```", end)


def tagged_json(opening: str, closing: str, *more: str, array: bool = False) -> tuple[CallSyntax, ...]:
    shape = JSON_ARRAY if array else JSON
    return (CallSyntax((shape,), (opening, *more), (closing,) if closing else (), repeated=bool(closing)),)


DEEPSEEK_OUTPUTS = (
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
)


def deepseek(fenced: bool) -> tuple[CallSyntax, ...]:
    shape = deepseek_fields(fenced)
    opening, closing = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
    return (CallSyntax((shape,), (opening,), (closing,), naked=("<｜tool▁call▁begin｜>",)),)


MISTRAL_NAMED = NamedShape((("", "name"), ("[ARGS]", "arguments")))
MISTRAL_WITH_ID = NamedShape((("", "name"), ("[CALL_ID]", "id"), ("[ARGS]", "arguments")))


def mistral(*shapes: JsonShape | NamedShape) -> tuple[CallSyntax, ...]:
    return (CallSyntax(shapes, ("[TOOL_CALLS]",), repeated=False, nameless=True),)


LLAMA_BARE = CallSyntax((JsonShape(arguments_key="parameters"),), known_only=True)
PYTHON_TAG = CallSyntax((PythonicShape(bracketed=False, suffix=".call"), JSON), ("<|python_tag|>",), known_only=True)
