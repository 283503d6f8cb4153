"""The parameters of a thread's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.app.actions import bindings_for
from tui.app.value_sources import below_of
from tui.app.widgets.parameter_form import Below, ParameterForm
from tui.config import ANSWER_PARAMETERS, SAMPLING_PARAMETERS, Collapsed

# A system prompt is no matter of one line, and has a dialog of its own.
_ANSWER = tuple(parameter for parameter in ANSWER_PARAMETERS if parameter.name != "system_prompt")
KEYS = {parameter.name: f"sampling.{parameter.name}" for parameter in SAMPLING_PARAMETERS} | {
    parameter.name: f"answer.{parameter.name}" for parameter in _ANSWER
}
"""The dotted key of every parameter in the form, by its name."""
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

    def __init__(self, now: Collapsed, below: Collapsed) -> None:
        """`now` is what counts for the thread, `below` what would if it said nothing."""
        parameters = (*SAMPLING_PARAMETERS, *_ANSWER)
        super().__init__("Answers of this thread", parameters, _SECTIONS, values_in_form(now), {}, below_in_form(below))

    @property
    def changed(self) -> dict[str, Any]:
        """What the thread decides, by dotted keys."""
        return {KEYS[name]: value for name, value in self.values.items() if value != self.below.values[name]}


def values_in_form(collapsed: Collapsed) -> Mapping[str, Any]:
    """The values of the form's parameters, by their names."""
    return {name: collapsed.value(key) for name, key in KEYS.items()}


def below_in_form(collapsed: Collapsed) -> Below:
    """What counts below the thread, for every parameter of the form."""
    sampling, answer = (
        below_of(collapsed, "sampling", SAMPLING_PARAMETERS),
        below_of(collapsed, "answer", _ANSWER),
    )
    return Below(
        {**sampling.values, **answer.values},
        {**sampling.sources, **answer.sources},
        {**sampling.source_texts, **answer.source_texts},
    )
