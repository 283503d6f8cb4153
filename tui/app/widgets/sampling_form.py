"""The parameters of a thread's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.app.actions import bindings_for
from tui.app.value_sources import below_of, keys_of
from tui.app.widgets.parameter_form import ParameterForm
from tui.config import ANSWER_PARAMETERS, SAMPLING_PARAMETERS, Collapsed, field_parameters, value_text
from tui.domain import CustomField

# A system prompt is no matter of one line, and has a dialog of its own.
_ANSWER = tuple(parameter for parameter in ANSWER_PARAMETERS if parameter.name != "system_prompt")
KEYS = keys_of("sampling", SAMPLING_PARAMETERS) | keys_of("answer", _ANSWER)
"""The dotted key of every parameter that all models have, by its name."""
_SECTIONS = {
    "Choosing tokens": (
        "temperature", "top_k", "top_p", "min_p", "typical_p", "top_n_sigma", "seed", "logit_bias",
        "dynamic_temperature_range", "dynamic_temperature_exponent", "xtc_probability", "xtc_threshold",
    ),
    "Against repetition": (
        "repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty", "dry_multiplier", "dry_base",
        "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers",
    ),
    "Mirostat": ("mirostat", "mirostat_learning_rate", "mirostat_target_entropy"),
    "The answer": (
        "max_tokens", "min_tokens", "stop", "reasoning_effort", "overflow", "top_logprobs", "ignore_end_of_generation",
    ),
}  # fmt: skip


class SamplingForm(ParameterForm):
    """A form whose changes hold for one thread."""

    BINDINGS = bindings_for("sampling")
    enter_does = "keep"
    changed_word = "thread"

    def __init__(self, now: Collapsed, below: Collapsed, fields: Sequence[CustomField] = ()) -> None:
        """`now` is what counts for the thread, `below` what would if it said nothing; `fields` are those of its model,
        which stand first."""
        own = field_parameters(fields)
        self.keys = {parameter.name: parameter.name for parameter in own} | KEYS
        """The dotted key of every parameter in the form, by its name."""
        super().__init__(
            "Answers of this thread",
            (*own, *SAMPLING_PARAMETERS, *_ANSWER),
            {"This model": tuple(parameter.name for parameter in own), **_SECTIONS},
            {name: now.value(key) for name, key in self.keys.items()},
            {},
            below_of(below, self.keys),
        )

    @property
    def changed(self) -> dict[str, Any]:
        """What the thread decides, by dotted keys."""
        return {self.keys[name]: value for name, value in self.values.items() if value != self.below.values[name]}

    def take(self, values: Mapping[str, Any]) -> None:
        """Put other values in, by dotted keys."""
        self.set_values({name: values[key] for name, key in self.keys.items() if key in values})

    def said(self, values: Mapping[str, Any]) -> str:
        """Values by dotted keys as people say them."""
        shown = ((parameter, self.keys[parameter.name]) for parameter in self._parameters)
        return ", ".join(
            f"{parameter.label.lower()} {value_text(parameter, values[key])}"
            for parameter, key in shown
            if key in values
        )

    def put_layers_below(self, below: Collapsed) -> None:
        """Have other layers below the thread, which says nothing itself until it is told to `take` values."""
        self.put_below(below_of(below, self.keys), keep=False)
