"""Every parameter of loading and sampling, declared once.

The load dialog, the command line's `--set`, and later the wire formats and the documentation are all made from
these declarations. Defaults come from the dataclasses in `tui.domain`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args

from tui.domain import BadRequest, CacheType, FlashAttention, LoadConfig, SamplingConfig

Kind = Literal["integer", "number", "choice", "boolean", "text"]
Group = Literal["basic", "advanced"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a person must know of one field: how it is called, what it takes, what it does."""

    name: str
    """The field of `LoadConfig` or `SamplingConfig`."""
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


def _declare(config: type[LoadConfig] | type[SamplingConfig], *parameters: Parameter) -> tuple[Parameter, ...]:
    """Fill in the defaults from the dataclass."""
    defaults = {field.name: field.default for field in fields(config)}
    return tuple(replace(parameter, default=defaults[parameter.name]) for parameter in parameters)


_CACHE_TYPES = get_args(CacheType)

LOAD_PARAMETERS = _declare(
    LoadConfig,
    Parameter(
        "context_length",
        "Context length",
        "integer",
        "How many tokens the model can see at once, shared by all conversations that run in it. "
        "More needs more memory.",
        minimum=1,
        unit="tokens",
        group="basic",
    ),
    Parameter(
        "gpu_layers",
        "GPU layers",
        "integer",
        "How many layers are held in GPU memory. Auto takes as many as the model has; 0 keeps all on the CPU.",
        minimum=0,
        unit="layers",
        group="basic",
    ),
    Parameter(
        "parallel",
        "Parallel answers",
        "integer",
        "How many conversations may generate at the same time; further ones wait their turn.",
        minimum=1,
        maximum=256,
        group="basic",
    ),
    Parameter(
        "threads",
        "CPU threads",
        "integer",
        "Threads for generating. Auto is one for each physical core.",
        minimum=1,
        maximum=512,
        group="basic",
    ),
    Parameter(
        "flash_attention",
        "Flash attention",
        "choice",
        "Faster attention that needs less memory. Auto uses it where the model and the device can.",
        choices=get_args(FlashAttention),
        group="basic",
    ),
    Parameter(
        "key_cache_type",
        "K cache type",
        "choice",
        "Precision of the cached keys. q8_0 halves their memory at hardly any cost.",
        choices=_CACHE_TYPES,
    ),
    Parameter(
        "value_cache_type",
        "V cache type",
        "choice",
        "Precision of the cached values. Anything below f16 needs flash attention.",
        choices=_CACHE_TYPES,
    ),
    Parameter(
        "offload_kv_cache",
        "KV cache on GPU",
        "boolean",
        "Keep the cache in GPU memory. Off leaves more room for layers, but answers come slower.",
    ),
    Parameter(
        "evaluation_batch_size",
        "Evaluation batch",
        "integer",
        "Most tokens handed to llama.cpp at once.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "physical_batch_size",
        "Physical batch",
        "integer",
        "Most tokens computed in one pass. Larger reads prompts faster and needs more memory.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "batch_threads",
        "Prompt threads",
        "integer",
        "Threads for reading prompts. Auto is the same as CPU threads.",
        minimum=1,
        maximum=512,
    ),
    Parameter(
        "try_mmap",
        "Memory-map",
        "boolean",
        "Map the file instead of reading it, so that loading is quick and unused parts need no memory.",
    ),
    Parameter(
        "keep_model_in_memory",
        "Lock in memory",
        "boolean",
        "Forbid the system to swap the weights out (mlock).",
    ),
    Parameter(
        "rope_frequency_base",
        "RoPE base",
        "number",
        "Base of the position frequencies. Auto is what the model was trained with.",
        minimum=0,
    ),
    Parameter(
        "rope_frequency_scale",
        "RoPE scale",
        "number",
        "Scale of the position frequencies, to stretch the context beyond training. Auto is the model's own.",
        minimum=0,
    ),
)

SAMPLING_PARAMETERS = _declare(
    SamplingConfig,
    Parameter("temperature", "Temperature", "number", "0 always takes the likeliest token.", minimum=0, group="basic"),
    Parameter("top_k", "Top k", "integer", "Only the k likeliest tokens; 0 for all.", minimum=-1, group="basic"),
    Parameter(
        "top_p", "Top p", "number", "Only the likeliest tokens up to this sum.", minimum=0, maximum=1, group="basic"
    ),
    Parameter(
        "min_p", "Min p", "number", "Only tokens this likely beside the best.", minimum=0, maximum=1, group="basic"
    ),
    Parameter(
        "repeat_penalty", "Repeat penalty", "number", "Above 1 discourages repetition.", minimum=0.01, group="basic"
    ),
    Parameter("max_tokens", "Token limit", "integer", "The longest answer.", minimum=1, unit="tokens", group="basic"),
    Parameter("seed", "Seed", "integer", "The same seed gives the same answer; auto draws one.", group="basic"),
    Parameter("dynamic_temperature_range", "Dynamic range", "number", "Half-width of dynamic temperature.", minimum=0),
    Parameter("dynamic_temperature_exponent", "Dynamic exponent", "number", "Shape of dynamic temperature.", minimum=0),
    Parameter("typical_p", "Typical p", "number", "Locally typical sampling; 1 is off.", minimum=0, maximum=1),
    Parameter("top_n_sigma", "Top n sigma", "number", "Tokens within n deviations of the best; -1 is off.", minimum=-1),
    Parameter("xtc_probability", "XTC probability", "number", "How often the top choices go.", minimum=0, maximum=1),
    Parameter("xtc_threshold", "XTC threshold", "number", "What counts as a top choice.", minimum=0, maximum=1),
    Parameter("dry_multiplier", "DRY multiplier", "number", "Strength against repeated phrases; 0 is off.", minimum=0),
    Parameter("dry_base", "DRY base", "number", "How fast it grows with the phrase.", minimum=0),
    Parameter("dry_allowed_length", "DRY length", "integer", "Phrases this long may repeat.", minimum=0),
    Parameter("dry_penalty_last_n", "DRY window", "integer", "Tokens to look back; -1 for all.", minimum=-1),
    Parameter("mirostat", "Mirostat", "integer", "Version 1 or 2; 0 is off.", minimum=0, maximum=2),
    Parameter("mirostat_learning_rate", "Mirostat rate", "number", "How fast it adapts.", minimum=0),
    Parameter("mirostat_target_entropy", "Mirostat entropy", "number", "How surprising the text shall be.", minimum=0),
    Parameter("repeat_last_n", "Repeat window", "integer", "Tokens that penalties look back; -1 for all.", minimum=-1),
    Parameter("presence_penalty", "Presence penalty", "number", "Against tokens that occurred."),
    Parameter("frequency_penalty", "Frequency penalty", "number", "Against tokens, for each time they occurred."),
    Parameter("ignore_end_of_generation", "Ignore the end", "boolean", "Never let the model end its answer."),
)


def parse_value(parameter: Parameter, text: str) -> Any:
    """The value that a person typed for a parameter; `auto` or nothing is its default. Raises BadRequest."""
    text = text.strip()
    if text.lower() in ("", "auto", "default"):
        return parameter.default
    try:
        value = _READERS[parameter.kind](text)
    except ValueError:
        raise _refusal(parameter, text) from None
    if parameter.choices and value not in parameter.choices:
        raise _refusal(parameter, text)
    below = parameter.minimum is not None and isinstance(value, int | float) and value < parameter.minimum
    above = parameter.maximum is not None and isinstance(value, int | float) and value > parameter.maximum
    if below or above:
        raise _refusal(parameter, text)
    return value


Config = TypeVar("Config", LoadConfig, SamplingConfig)


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


def _refusal(parameter: Parameter, text: str) -> BadRequest:
    if parameter.choices:
        wanted = f"one of {', '.join(parameter.choices)}"
    elif parameter.kind == "boolean":
        wanted = "yes or no"
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


def _read_number(text: str) -> float:
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError
    return value


def _read_boolean(text: str) -> bool:
    answers = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
    if text.lower() not in answers:
        raise ValueError
    return answers[text.lower()]


_READERS: dict[Kind, Callable[[str], Any]] = {
    "integer": _read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
    "choice": str.lower,
    "text": str,
}
