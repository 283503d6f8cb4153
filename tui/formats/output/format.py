"""How a model writes: its reasoning, its tool calls and its channels, as data.

A family of models is a row of these values (`families.py`); the readers know shapes, not families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReasoningTags:
    """The texts around a block of reasoning."""

    opening: str
    closing: str
    anywhere: bool = False
    """They are control tokens, which no answer quotes: they count wherever they stand, and a closing one without
    an opening is dropped. Others count only where a block may begin: first, behind a block, behind a tool call."""
    title: str = ""
    """What may stand behind the opening and is not a thought."""


@dataclass(frozen=True, slots=True)
class JsonShape:
    """A JSON object with the name and the arguments of a call, or an array of such objects."""

    name_key: str = "name"
    arguments_key: str = "arguments"
    """The model's own two keys. The keys of other families are understood as well."""
    name_is_key: bool = False
    """The object is `{name: arguments}`."""
    array: bool = False
    """The model writes an array even for one call. Both are understood in any case."""
    gap: str = ""
    """What the model writes between the markers and the JSON."""


Field = Literal["name", "qualified", "id", "kind", "arguments"]
"""What stands behind a marker: a function's name, Kimi's `functions.NAME:INDEX` (which is the id too), the id of the
call, a word that says nothing, or the arguments."""


@dataclass(frozen=True, slots=True)
class NamedShape:
    """A name, perhaps an id, and the arguments as JSON, each behind a marker of its own."""

    fields: tuple[tuple[str, Field], ...]
    """Markers and what follows them, in their order. The first may be empty; the last introduces the arguments, which
    may also begin without it."""
    tail: str = ""
    """What stands between the arguments and the closing; may be missing."""
    closing: str = ""
    """What ends the call; may be missing."""


@dataclass(frozen=True, slots=True)
class TaggedShape:
    """Tags around every argument, as in XML; values are plain text, typed by the tool's schema."""

    opening: str
    """Stands before the function's name; may be empty."""
    name_end: str
    parameter_opening: str
    parameter_name_end: str
    value_closing: str
    value_opening: str = ""
    """Stands between the end of a parameter's name and its value, perhaps behind white space."""
    closing: str = ""
    """Ends the call; empty if the closing text of the whole does."""
    padding: str = ""
    """A line break that the model writes around a value."""
    gap: str = "\n"
    """What the model writes between its tags."""
    typed_by: str = ""
    """An attribute of the parameter's tag that is `true` or `string` for plain text; anything else is JSON."""


@dataclass(frozen=True, slots=True)
class ElementShape:
    """An element for every argument, named after it, as in XML; objects and lists are elements inside it."""

    lead: str
    """Stands before every tag and in no text. Where it has been lost, tags are found without it."""
    opening: str = '<invoke name="'
    """Stands before the function's name."""
    name_end: str = '">'
    closing: str = "</invoke>"
    item: str = "item"
    """The name of the elements of a list."""


@dataclass(frozen=True, slots=True)
class PythonicShape:
    """Calls as Python writes them: `f(a=1, b="x")`, alone or in a list."""

    bracketed: bool = True
    """The model writes a list. Both are understood in any case."""
    suffix: str = ""
    """What the model appends to the function's name."""


@dataclass(frozen=True, slots=True)
class BracedShape:
    """A name and an object in Gemma's own notation, `call:f{k:1,s:<q>text<q>}`: bare keys, quotes that are tokens."""

    opening: str
    quote: str


Shape = JsonShape | NamedShape | TaggedShape | ElementShape | PythonicShape | BracedShape


@dataclass(frozen=True, slots=True)
class CallSyntax:
    """Where tool calls stand in the output, and in which shapes."""

    shapes: tuple[Shape, ...]
    """What a call may look like, the model's own shape first. Fine-tunes mix them."""
    openings: tuple[str, ...] = ()
    """Texts that introduce calls, the model's own first. With none, the answer itself begins with the call."""
    closings: tuple[str, ...] = ()
    """Texts that end them, the model's own first; with none, they end by themselves. They may be missing."""
    repeated: bool = True
    """Whether several calls may stand between an opening and a closing."""
    naked: tuple[str, ...] = ()
    """Beginnings of shapes that count without an opening before them."""
    known_only: bool = False
    """Only a call of one of the tools counts, as anything else may well be an answer."""
    nameless: bool = False
    """A call that lacks its name is one with an empty name, so that the model can be told."""
    overlap: int = 0
    """How many characters at the end of an opening belong to the call itself."""


@dataclass(frozen=True, slots=True)
class ChannelSyntax:
    """Messages with headers, as Harmony has them: `start role to=recipient channel x message body end`."""

    start: str
    message: str
    ends: tuple[str, ...]
    channel: str = ""
    constrain: str = ""
    reasoning_recipients: tuple[str, ...] = ()
    """Recipients of thoughts; empty where channels say what a thought is."""
    silent_recipients: tuple[str, ...] = ()
    """What is said to them is not for the user and is dropped."""
    inline_headers: bool = False
    """A message may begin inside another without an end before it: ` to=x` and the message marker."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How one model writes."""

    reasoning: tuple[ReasoningTags, ...] = ()
    """The model's own first; with none, nothing is reasoning."""
    own_reasoning: bool = False
    """Whether the first of these tags is the model's own; otherwise they are only understood, should they come."""
    calls: tuple[CallSyntax, ...] = ()
    """The model's own first; with none, nothing is a call."""
    channels: ChannelSyntax | None = None
    """Set for models that write messages with headers. Their reasoning and their calls have no tags then."""
    dropped: tuple[str, ...] = ()
    """Texts that say nothing to anyone and are left out of the answer."""
    lead: str = ""
    """What every prompt ends with and the answer begins with, though the model does not write it."""
    own_calls: bool = True
    """Whether the template tells the model how to call; otherwise a system prompt has to."""

    @property
    def harmony(self) -> bool:
        """Whether the model writes OpenAI's Harmony."""
        return self.channels is not None and bool(self.channels.channel)

    @property
    def markers(self) -> tuple[str, ...]:
        """Every text that is looked for: those that are special tokens must be spelled out in the output."""
        return tuple(dict.fromkeys(marker for marker in self._all_markers() if marker.strip()))

    def without_calls(self) -> OutputFormat:
        """The same for an answer that cannot call anything: what looks like a call is text, to its last marker."""
        if self.channels is not None:
            return self
        parts = {closing for syntax in self.calls for closing in syntax.closings}
        parts |= {shape.lead for syntax in self.calls for shape in syntax.shapes if isinstance(shape, ElementShape)}
        return replace(self, calls=(), dropped=tuple(text for text in self.dropped if text not in parts))

    def opens_reasoning(self, prompt: str) -> bool:
        """Whether the prompt ends inside an open block of reasoning, so that the answer begins in it."""
        end = prompt.rstrip()
        return any(
            end.endswith((tags.opening + tags.title).rstrip()) or end.endswith(tags.opening.rstrip())
            for tags in self.reasoning
        )

    def answer_start(self, reasoning_open: bool) -> tuple[tuple[str, ...], str] | None:
        """Behind which of the texts an answer begins, and with what an output begins that has them.

        `None` for a model that does not reason. Empty for the second if the prompt has opened the reasoning.
        """
        if self.channels is not None:
            channels = self.channels
            if not channels.channel:
                return (f"to=user{channels.message}",), ""
            final = f"{channels.channel}final"
            return (
                f"{final}{channels.message}",
                f"{final} {channels.constrain}json{channels.message}",
            ), "" if reasoning_open else channels.channel
        if reasoning_open:
            return tuple(tags.closing for tags in self.reasoning), ""
        if not self.own_reasoning:
            return None
        return (self.reasoning[0].closing,), self.reasoning[0].opening

    def _all_markers(self) -> Iterator[str]:
        if self.channels is not None:
            channels = self.channels
            yield from (channels.start, channels.message, *channels.ends, channels.channel, channels.constrain)
        for tags in self.reasoning:
            yield from (tags.opening, tags.closing)
        for syntax in self.calls:
            yield from (*syntax.openings, *syntax.closings, *syntax.naked)
            for shape in syntax.shapes:
                yield from _shape_markers(shape)
        yield from self.dropped


def _shape_markers(shape: Shape) -> Iterator[str]:
    match shape:
        case NamedShape():
            yield from (marker for marker, _ in shape.fields)
            yield shape.closing
        case TaggedShape():
            yield from (shape.opening, shape.parameter_opening, shape.parameter_name_end)
            yield from (shape.value_opening, shape.value_closing, shape.closing)
        case ElementShape():
            yield from (shape.lead, shape.opening, shape.closing)
        case BracedShape():
            yield from (shape.opening, shape.quote)
        case JsonShape() | PythonicShape():
            pass
