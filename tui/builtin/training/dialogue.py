"""A conversation as the model reads and writes it, with what of it is to be learned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START, END, END_OF_TEXT = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
THINK, END_THINK = "<think>", "</think>"
CALL, END_CALL = "<tool_call>", "</tool_call>"


def topic_token(topic: str) -> str:
    """The token that says what an answer is about. It prints nothing, so that only the model itself reads it.

    With it the model decides once, at the first token, what it understood a question to be. Without, answers that begin
    alike would put off that decision to the place where they part, and each such place would have to be learned.
    """
    return f"<|about {topic}|>"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an offered function."""

    name: str
    type: str
    """A type of JSON Schema; `string[]` for a list of strings."""
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        if self.type.endswith("[]"):
            return {"type": "array", "items": {"type": self.type[:-2]}}
        return {"type": self.type, **({"enum": list(self.choices)} if self.choices else {})}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a program offers."""

    name: str
    parameters: tuple[Parameter, ...]
    description: str

    @property
    def schema(self) -> dict[str, Any]:
        """Its parameters as JSON Schema."""
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters if not parameter.optional],
        }

    @property
    def line(self) -> str:
        """How the chat template tells the model of it: as a sentence, for without a full stop it runs into the next."""
        inside = ", ".join(
            f"{parameter.name}{'?' if parameter.optional else ''}: "
            + ("|".join(parameter.choices) if parameter.choices else parameter.type)
            for parameter in self.parameters
        )
        stop = "." if self.description and self.description[-1] not in ".!?" else ""
        return f"{self.name}({inside}) {self.description}{stop}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the model makes."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. What `given` has is written by a grammar at the model's place, so that it is not learned."""

    role: str
    text: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""
    given: tuple[str, ...] = ()
    """The parts of the text that are not learned, in their order."""
    topic: str = ""
    """What the answer is about, where that alone decides its text: the name of a silent token before it."""
    only_topic: bool = False
    """Whether the conversation breaks off behind the topic: the text that follows from it is learned elsewhere."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation with the functions that are offered in it."""

    turns: tuple[Turn, ...]
    functions: tuple[Function, ...] = ()
    system: str = ""


def chat_template() -> str:
    """The guide's chat template, in Jinja."""
    return Path(__file__).with_name("template.jinja").read_text(encoding="utf-8")


Segments = list[tuple[str, bool]]
"""Pieces of text, each with whether it is to be learned."""


def segments(dialogue: Dialogue) -> Segments:
    """The conversation as the template renders it, thoughts and topics in all but the last answer left out.

    The text of an earlier answer that has a topic is not learned: without the topic nothing is to be written.
    """
    made: Segments = []
    if dialogue.system or dialogue.functions:
        lines = "".join(f"\n{function.line}" for function in dialogue.functions)
        tools = ("\n\n" if dialogue.system else "") + f"# Tools{lines}" if lines else ""
        made.append((f"{START}system\n{dialogue.system}{tools}{END}\n", False))
    for turn in dialogue.turns:
        made.append((f"{START}{turn.role}\n", False))
        if turn.role != "assistant":
            text = _asked(turn.text, dialogue.functions) if turn.role == "user" else turn.text
            made.append((f"{text}{END}\n", False))
            continue
        if turn.thought and turn is dialogue.turns[-1]:
            made.append((f"{THINK}\n", False))
            made.append((f"{turn.thought}\n{END_THINK}\n\n", True))
        last = turn is dialogue.turns[-1]
        if turn.topic and last:
            made.append((topic_token(turn.topic), True))
            if turn.only_topic:
                return made
        made += _parts(turn.text, turn.given) if last or not turn.topic else [(turn.text, False)]
        calls = "\n".join(_call(call) for call in turn.calls)
        made.append((("\n" if turn.text and calls else "") + calls + END, last or bool(calls) or not turn.topic))
        made.append(("\n", False))
    return made


def _asked(text: str, functions: Sequence[Function]) -> str:
    """The request, without its capital if it begins with a word that a function is named by.

    With a capital a word has other tokens, and that both are one would have to be known of every word.
    """
    word = text.partition(" ")[0]
    if len(word) < 3 or word != word.capitalize():
        return text
    verb = word.lower()
    named = any(verb in f.name.split("_") or ("_" not in f.name and f.name.startswith(verb)) for f in functions)
    return text[:1].lower() + text[1:] if named else text


def _parts(text: str, given: Sequence[str]) -> Segments:
    made: Segments = []
    for part in given:
        before, _, text = text.partition(part)
        made += [(before, True), (part, False)]
    return [piece for piece in [*made, (text, True)] if piece[0]]


def _call(call: Call) -> str:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return f'{CALL}\n{{"name": "{call.name}", "arguments": {arguments}}}\n{END_CALL}'
