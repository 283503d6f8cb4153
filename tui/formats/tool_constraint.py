"""Tool choice made certain: a grammar in the model's own format, for calls that must come and for those that do."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain import BadRequest, Constraint, LazyConstraint, Tool, ToolChoice
from tui.formats.output.format import CallSyntax, ChannelSyntax, ElementShape, NamedShape, OutputFormat, TaggedShape
from tui.formats.tool_grammar import ToolGrammar


def tool_constraint(output_format: OutputFormat, tools: Sequence[Tool], choice: ToolChoice) -> Constraint | None:
    """The form that an answer must have so that a required call comes; `None` if it may have any.

    It is nothing but calls of these tools, or of the one that is named, one or several as `parallel` says; the
    arguments are valid by the tool's schema. As for every constraint without `after`, reasoning comes before.

    The source is a grammar in llguidance's Lark. Its markers are plain text in rules `marker_N: "TEXT"`; where such a
    text is one special token, the rule has to become that token (`marker_N: <[ID]>`), as special tokens are no text.

    Raises BadRequest if there is no such tool.
    """
    if choice.mode != "required":
        return None
    chosen = [tool for tool in tools if not choice.name or tool.name == choice.name]
    if not chosen:
        raise BadRequest(
            f"There is no tool “{choice.name}” to call." if choice.name else "There is no tool to call.",
            "Offer the tool with the request, or let the model choose.",
            field="tool_choice",
        )
    if output_format.harmony and output_format.channels is not None:
        return _in_channel(output_format, output_format.channels, chosen)
    if not output_format.calls:
        return None
    syntax = output_format.calls[0]
    grammar = ToolGrammar(syntax, output_format.markers)
    calls = _section(grammar, syntax, chosen, choice.parallel)
    if output_format.channels is not None:
        return _in_message(grammar, output_format.channels, syntax, chosen)
    opening = (syntax.openings or ("",))[0].removeprefix(output_format.lead)
    return Constraint("lark", grammar.source(f"{grammar.text(_before(grammar, syntax, opening))} {calls}"))


def lazy_tool_constraint(
    output_format: OutputFormat, tools: Sequence[Tool], *, parallel: bool, reasoning_open: bool
) -> LazyConstraint | None:
    """What a model is held to that may call these tools: what it begins as a call has to become one.

    `None` where no text tells for certain that a call begins: the answer is then free, and read as it comes. Without
    `parallel` the answer ends with its first call. `reasoning_open` is whether the prompt left the reasoning open.
    """
    if not tools:
        return None
    if output_format.channels is not None:
        return _lazy_header(output_format, output_format.channels, tools) if output_format.harmony else None
    # What a model says first behind a lead opens its answers as well as its calls.
    if not output_format.calls or output_format.calls[0].known_only or output_format.lead:
        return None
    syntax = output_format.calls[0]
    grammar = ToolGrammar(syntax, output_format.markers)
    several = parallel and (grammar.lists or (not grammar.fills_section and bool(syntax.closings)))
    section = _section(grammar, syntax, tools, several)
    begun = [grammar.text(opening[: len(opening) - syntax.overlap]) for opening in syntax.openings]
    forms = [f"({' | '.join(begun)}) BLANKS? {section}"] if begun else []
    naked = [text for text in syntax.naked if text == _beginning(syntax)]
    if naked:
        forms.append(grammar.any_call(tools))
    if not forms:
        return None
    return LazyConstraint(
        grammar.source(" | ".join(forms)),
        (*syntax.openings, *naked),
        tuple((tags.opening, tags.closing) for tags in output_format.reasoning),
        aside_open=reasoning_open,
        once=not parallel,
    )


def _beginning(syntax: CallSyntax) -> str:
    """The text that the model's own shape of calls begins with, where it has one."""
    match syntax.shapes[0]:
        case NamedShape(fields=fields):
            return fields[0][0]
        case TaggedShape(opening=opening):
            return opening
        case ElementShape(lead=lead, opening=opening):
            return lead + opening
    return ""


def _lazy_header(output_format: OutputFormat, channels: ChannelSyntax, tools: Sequence[Tool]) -> LazyConstraint:
    """A header that names a function, in either of the forms that Harmony has, and the message behind it."""
    grammar = ToolGrammar(CallSyntax(()), output_format.markers)
    start = f"{channels.start}assistant"
    headers = [f"{start} to=functions."]
    headers += [f"{channels.channel}{channel} to=functions." for channel in ("commentary", "analysis")]
    between = f"({grammar.text(f'{channels.channel}commentary')})? ({grammar.text(f' {channels.constrain}json')})?"
    calls = " | ".join(
        f"{grammar.text(tool.name)} {between} {grammar.text(channels.message)} {grammar.arguments(tool)}"
        for tool in tools
    )
    source = grammar.source(f"({' | '.join(map(grammar.text, headers))}) ({calls})")
    return LazyConstraint(source, tuple(headers), lead=start, once=True)


def _before(grammar: ToolGrammar, syntax: CallSyntax, opening: str) -> str:
    """An opening with what stands between it and the first call."""
    return opening[: len(opening) - syntax.overlap] + grammar.gap


def _section(grammar: ToolGrammar, syntax: CallSyntax, tools: Sequence[Tool], parallel: bool) -> str:
    """The calls behind an opening, with its closing."""
    call = grammar.any_call(tools)
    closing = f"BLANKS? ({' | '.join(map(grammar.text, syntax.closings))})" if syntax.closings else ""
    opening = (syntax.openings or ("",))[0]
    if grammar.lists:
        more = f'(BLANKS? "," BLANKS? {call})*' if parallel else ""
        return f'"[" BLANKS? {call} {more} BLANKS? "]" {closing}'
    if not parallel or (syntax.known_only and not opening):
        return f"{call} {closing}"
    if grammar.fills_section:
        # A section for each call, as the models were trained.
        again = grammar.text(grammar.between + _before(grammar, syntax, opening))
        return f"{call} {closing} ({again} {call} {closing})*"
    return f"{call} ({grammar.text(grammar.between)} {call})* {closing}"


def _in_channel(output_format: OutputFormat, channels: ChannelSyntax, tools: Sequence[Tool]) -> Constraint:
    """A call as a message of its own: behind the thoughts, or at once. Harmony has one call in an answer."""
    grammar = ToolGrammar(CallSyntax(()), output_format.markers)
    header = f"{channels.channel}commentary to=functions."
    calls = " | ".join(
        f"{grammar.text(f'{tool.name} {channels.constrain}json{channels.message}')} {grammar.arguments(tool)}"
        for tool in tools
    )
    source = grammar.source(f"{grammar.text(header)} ({calls})")
    return Constraint("lark", source, after=(f"{channels.start}assistant",), opening=f"{channels.channel}analysis")


def _in_message(grammar: ToolGrammar, channels: ChannelSyntax, syntax: CallSyntax, tools: Sequence[Tool]) -> Constraint:
    """A call in a message to its function."""
    opening, closing = syntax.openings[0], syntax.closings[0]
    calls = " | ".join(
        f"{grammar.text(f' to={tool.name}{channels.message}{opening}{grammar.gap}')} {grammar.call(tool)}"
        for tool in tools
    )
    source = grammar.source(f"({calls}) {grammar.text(grammar.gap + closing)}")
    return Constraint("lark", source, after=(f"{channels.start}assistant",), opening="to=self")
