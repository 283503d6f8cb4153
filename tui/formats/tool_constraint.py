"""Tool choice made certain: a grammar in the model's own format, so that a call that must come comes."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain import BadRequest, Constraint, Tool, ToolChoice
from tui.formats.output.format import CallSyntax, ChannelSyntax, OutputFormat
from tui.formats.tool_grammar import ToolGrammar


def tool_constraint(output_format: OutputFormat, tools: Sequence[Tool], choice: ToolChoice) -> Constraint | None:
    """The form that an answer must have so that the choice is kept; `None` if it may have any.

    - `required`: nothing but calls of these tools, or of the one that is named, one or several as `parallel` says;
      the arguments are valid by the tool's schema. As for every constraint without `after`, reasoning comes before.
    - `auto` without `parallel`: the answer is free, and what follows the text that opens a call is one call.

    The source is a grammar in llguidance's Lark. Its markers are plain text in rules `marker_N: "TEXT"`; where such a
    text is one special token, the rule has to become that token (`marker_N: <[ID]>`), as special tokens are no text.

    Raises BadRequest if there is no such tool.
    """
    if choice.mode == "none" or (choice.mode == "auto" and choice.parallel):
        return None
    if choice.mode == "auto":
        return _single(output_format, tools)
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


def _single(output_format: OutputFormat, tools: Sequence[Tool]) -> Constraint | None:
    """One call at most, behind the text that opens it."""
    if not tools or output_format.channels is not None or not output_format.calls:
        return None
    syntax = output_format.calls[0]
    if not syntax.openings or syntax.overlap:
        return None
    grammar = ToolGrammar(syntax, output_format.markers)
    calls = _section(grammar, syntax, tools, parallel=False)
    source = grammar.source(f"{grammar.text(grammar.gap)} {calls}")
    return Constraint("lark", source, after=syntax.openings[:1], optional=True)


def _before(grammar: ToolGrammar, syntax: CallSyntax, opening: str) -> str:
    """An opening with what stands between it and the first call."""
    return opening[: len(opening) - syntax.overlap] + grammar.gap


def _section(grammar: ToolGrammar, syntax: CallSyntax, tools: Sequence[Tool], parallel: bool) -> str:
    """The calls behind an opening, with its closing."""
    call = grammar.any_call(tools)
    closing = grammar.gap + (syntax.closings or ("",))[0]
    opening = (syntax.openings or ("",))[0]
    if grammar.lists:
        calls = f'"[" {call}' + (f' (", " {call})*' if parallel else "") + ' "]"'
        return f"{calls} {grammar.text(closing)}"
    if not parallel or (syntax.known_only and not opening):
        return f"{call} {grammar.text(closing)}"
    if grammar.fills_section:
        # A section for each call, as the models were trained.
        again = grammar.text(grammar.between + _before(grammar, syntax, opening))
        return f"{call} {grammar.text(closing)} ({again} {call} {grammar.text(closing)})*"
    return f"{call} ({grammar.text(grammar.between)} {call})* {grammar.text(closing)}"


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
