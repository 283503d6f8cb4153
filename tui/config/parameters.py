"""What a parameter is to a person, and how its values are typed and shown.

The load dialog, the command line's `--set`, and later the wire formats and the documentation are all made from
the declarations. Defaults come from the dataclasses in `tui.domain`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from tui.config.typed_lists import (
    biases_text,
    items,
    read_biases,
    read_number,
    read_pairs,
    read_scaled_files,
    read_strings,
    strings_text,
)
from tui.domain import AnswerConfig, BadRequest, LoadConfig, SamplingConfig, ServerOptions

Kind = Literal[
    "integer", "number", "choice", "boolean", "text", "numbers", "texts", "scaled files", "pairs", "strings", "biases"
]
"""The last six are lists: `3, 1` · `host:port, host:port` · `file:0.5, file` · `expression=CPU, expression=CUDA0` ·
`###, \\n, a\\, b` (texts in which anything may stand) · `42=-1.5, 7=2` (tokens and what is added to them)."""
Group = Literal["basic", "advanced"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a person must know of one field: how it is called, what it takes, what it does."""

    name: str
    """The field of `LoadConfig`, `SamplingConfig`, `AnswerConfig` or `ServerOptions`."""
    label: str
    kind: Kind
    help: str
    default: Any = None
    """`None` means that lmdeck chooses, shown as "auto"."""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    group: Group = "advanced"


def declare(
    config: type[LoadConfig] | type[SamplingConfig] | type[AnswerConfig] | type[ServerOptions], *parameters: Parameter
) -> tuple[Parameter, ...]:
    """Fill in the defaults from the dataclass."""
    defaults = {field.name: field.default for field in fields(config)}
    return tuple(replace(parameter, default=defaults[parameter.name]) for parameter in parameters)


_DEFAULT_WORDS = ("", "auto", "default")
_NOTHING = "none"
"""An empty list of stop strings or of logits: nothing decides those by itself, as `auto` would say."""


def parse_value(parameter: Parameter, text: str) -> Any:
    """The value that a person typed for a parameter; `auto` or nothing is its default. Raises BadRequest."""
    text = text.strip()
    if text.lower() in _DEFAULT_WORDS:
        return parameter.default
    if parameter.kind in ("strings", "biases") and text.lower() == _NOTHING:
        return ()
    try:
        value = _READERS[parameter.kind](text)
    except ValueError:
        raise _refusal(parameter, text) from None
    if parameter.choices:
        # Names are recognised however their letters are written, and kept as they are declared.
        value = next((choice for choice in parameter.choices if choice.lower() == value), None)
        if value is None:
            raise _refusal(parameter, text)
    below = parameter.minimum is not None and isinstance(value, int | float) and value < parameter.minimum
    above = parameter.maximum is not None and isinstance(value, int | float) and value > parameter.maximum
    if below or above:
        raise _refusal(parameter, text)
    return value


def value_text(parameter: Parameter, value: Any) -> str:
    """A value as people read and type it: `auto`, `on`, `8,192`, `3, 1`. `parse_value` takes it back."""
    match parameter.kind:
        case "strings" | "biases" if not value:
            return _NOTHING
        case _ if value is None or value in ("", ()):
            return "auto"
        case "boolean":
            return "on" if value else "off"
        case "integer":
            return f"{value:,}"
        case "numbers":
            return ", ".join(f"{number:g}" for number in value)
        case "texts":
            return ", ".join(value)
        case "scaled files":
            return ", ".join(f"{file}:{scale:g}" for file, scale in value)
        case "pairs":
            return ", ".join(f"{name}={other}" for name, other in value)
        case "strings":
            return strings_text(value)
        case "biases":
            return biases_text(value)
        case _:
            return str(value)


Config = TypeVar("Config", LoadConfig, SamplingConfig, AnswerConfig)


def with_values(config: Config, parameters: tuple[Parameter, ...], assignments: dict[str, str]) -> Config:
    """The configuration with typed values put in, by field name. Raises BadRequest, naming the field."""
    known = {parameter.name: parameter for parameter in parameters}
    for name, text in assignments.items():
        if name not in known:
            raise BadRequest(
                f"There is no parameter {name!r}.", f"Choose one of {', '.join(sorted(known))}.", field=name
            )
        config = replace(config, **{name: parse_value(known[name], text)})
    return config


_WANTED: dict[Kind, str] = {
    "boolean": "yes or no",
    "numbers": "numbers with commas between them, such as 3, 1",
    "pairs": "pairs with commas between them, such as ffn_.*_exps=CPU",
    "strings": "texts with commas between them, in which \\n is a line break and \\, a comma",
    "biases": "numbers of tokens with what is added to them, such as 42=-1.5, 7=2",
}


def _refusal(parameter: Parameter, text: str) -> BadRequest:
    if parameter.choices:
        wanted = f"one of {', '.join(parameter.choices)}"
    elif parameter.kind in _WANTED:
        wanted = _WANTED[parameter.kind]
    else:
        wanted = "a whole number" if parameter.kind == "integer" else "a number"
        if parameter.minimum is not None and parameter.maximum is not None:
            wanted += f" from {parameter.minimum:,} to {parameter.maximum:,}"
        elif parameter.minimum is not None:
            wanted += f" of at least {parameter.minimum:,}"
    return BadRequest(f"{parameter.label} cannot be {text!r}.", f"It takes {wanted}.", field=parameter.name)


def _read_integer(text: str) -> int:
    """Whole numbers as people write them: `8192`, `8,192`, `8k`."""
    text = text.lower().replace(",", "").replace("_", "")
    return int(text[:-1]) * 1024 if text.endswith("k") else int(text)


def _read_boolean(text: str) -> bool:
    answers = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
    if text.lower() not in answers:
        raise ValueError
    return answers[text.lower()]


def _read_numbers(text: str) -> tuple[float, ...]:
    numbers = tuple(read_number(item) for item in items(text))
    return tuple(int(number) if number == int(number) else number for number in numbers)


_READERS: dict[Kind, Callable[[str], Any]] = {
    "integer": _read_integer,
    "number": read_number,
    "boolean": _read_boolean,
    "choice": str.lower,
    "text": str,
    "numbers": _read_numbers,
    "texts": lambda text: tuple(items(text)),
    "scaled files": read_scaled_files,
    "pairs": read_pairs,
    "strings": read_strings,
    "biases": read_biases,
}
