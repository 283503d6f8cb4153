"""Fields that several kinds of request share: OpenAI's, and those that other servers added to them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tui.config import changed_values
from tui.domain import BadRequest, Constraint, GenerationRequest, LoadConfig, ReasoningEffort, SamplingConfig


def _named(*names: str) -> Any:
    """A field that may be left out, under any of the names that servers have for it."""
    return Field(None, validation_alias=AliasChoices(*names))


class SamplingFields(BaseModel):
    """How tokens are chosen. Unknown fields are ignored: clients send what other servers know."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical_p: float | None = _named("typical_p", "typical")
    top_n_sigma: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    dry_sequence_breakers: list[str] | None = None
    dynamic_temperature_range: float | None = _named("dynamic_temperature_range", "dynatemp_range")
    dynamic_temperature_exponent: float | None = _named("dynamic_temperature_exponent", "dynatemp_exponent")
    mirostat: int | None = None
    mirostat_learning_rate: float | None = _named("mirostat_learning_rate", "mirostat_eta")
    mirostat_target_entropy: float | None = _named("mirostat_target_entropy", "mirostat_tau")
    repeat_penalty: float | None = _named("repeat_penalty", "repetition_penalty")
    repeat_last_n: int | None = _named("repeat_last_n", "penalty_last_n")
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | list[tuple[int, float]] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    min_tokens: int | None = None
    ignore_end_of_generation: bool | None = _named("ignore_end_of_generation", "ignore_eos")
    preset: str | None = None
    """LM Studio's: the preset that decides what the request leaves open."""

    def over_defaults(self, request: GenerationRequest, *, limited: bool) -> GenerationRequest:
        """The request that was made of these fields, so that presets and the model's defaults decide what they do not.

        `limited` is whether they have a token limit.
        """
        sent = {f"sampling.{name}" for name in self._asked()} | {"sampling.top_logprobs"}
        sent |= {"sampling.max_tokens"} if limited else set()
        sent |= set() if request.load is None else set(changed_values(request.load, LoadConfig()))
        sent |= {f"answer.{name}" for name in ("constraint", "reasoning_effort") if getattr(request, name) is not None}
        return replace(request, decided=frozenset(sent), preset=self.preset or "")

    def _asked(self) -> dict[str, Any]:
        known = {field.name for field in fields(SamplingConfig)}
        return {
            name: value
            for name in SamplingFields.model_fields
            if name in known and (value := getattr(self, name)) is not None
        }

    def sampling(self, *, max_tokens: int | None, top_logprobs: int | None) -> SamplingConfig:
        """The sampling that was asked for; -1 tokens are no limit, as in LM Studio. Raises BadRequest."""
        asked = self._asked()
        stop = asked.pop("stop", ())
        bias = asked.pop("logit_bias", ())
        breakers = asked.pop("dry_sequence_breakers", None)
        if breakers is not None:
            asked["dry_sequence_breakers"] = tuple(breakers)
        if asked.get("seed", 0) < 0:
            asked["seed"] = None
        return replace(
            SamplingConfig(),
            **asked,
            stop=(stop,) if isinstance(stop, str) else tuple(text for text in stop if text),
            logit_bias=_bias(bias),
            max_tokens=None if max_tokens is None or max_tokens < 0 else max_tokens,
            top_logprobs=top_logprobs,
        )


class LoadFields(BaseModel):
    """How a model is loaded if the request has to load it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    num_ctx: int | None = _named("num_ctx", "context_length", "n_ctx")
    draft_model: str | None = None
    ttl: float | None = None

    def load(self) -> LoadConfig | None:
        """What was asked for; `None` where nothing was."""
        config = LoadConfig()
        if self.num_ctx is not None:
            config = replace(config, context_length=self.num_ctx)
        if self.draft_model:
            config = replace(config, speculation="draft", draft_model=self.draft_model)
        return None if config == LoadConfig() else config


class JsonSchema(BaseModel):
    """A schema with its name."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    name: str = "answer"
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class ResponseFormat(BaseModel):
    """The form that the answer shall have."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    type: str
    json_schema: JsonSchema | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")


class ConstraintFields(BaseModel):
    """Forms of the answer beyond `response_format`, under the names that llama-server and vLLM have for them."""

    model_config = ConfigDict(extra="ignore")

    response_format: ResponseFormat | None = None
    json_schema: dict[str, Any] | None = _named("json_schema", "guided_json")
    regex: str | None = _named("regex", "guided_regex")
    grammar: str | None = None
    lark: str | None = _named("lark", "guided_grammar")

    def constraint(self) -> Constraint | None:
        """The one form that was asked for. Raises BadRequest for several, or an unknown one."""
        found = [constraint for constraint in (self._format(), *self._others()) if constraint is not None]
        if len(found) > 1:
            raise BadRequest(
                "The answer was given more than one form.", "Ask for one of them.", field="response_format"
            )
        return found[0] if found else None

    def _others(self) -> list[Constraint]:
        found = []
        if self.json_schema is not None:
            found.append(Constraint("json_schema", json.dumps(self.json_schema)))
        if self.regex is not None:
            found.append(Constraint("regex", self.regex))
        if self.grammar is not None:
            found.append(Constraint("gbnf", self.grammar))
        if self.lark is not None:
            found.append(Constraint("lark", self.lark))
        return found

    def _format(self) -> Constraint | None:
        wanted = self.response_format
        if wanted is None or wanted.type == "text":
            return None
        schema = wanted.schema_
        if wanted.json_schema is not None and wanted.json_schema.schema_ is not None:
            schema = wanted.json_schema.schema_
        if wanted.type == "json_schema":
            if schema is None:
                raise BadRequest(
                    "The response format names no schema.",
                    'Write {"type": "json_schema", "json_schema": {"name": …, "schema": {…}}}.',
                    field="response_format.json_schema",
                )
            return Constraint("json_schema", json.dumps(schema))
        if wanted.type == "json_object":
            return Constraint("json_object") if schema is None else Constraint("json_schema", json.dumps(schema))
        raise BadRequest(
            f"There is no response format {wanted.type!r}.",
            "Choose text, json_object or json_schema.",
            field="response_format.type",
        )


def template_options(options: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """Variables for the chat template."""
    return tuple((name, json.dumps(value)) for name, value in (options or {}).items())


_EFFORTS: dict[str, ReasoningEffort] = {
    "off": "off", "none": "off", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high",
    "xhigh": "high", "on": "medium",
}  # fmt: skip


def reasoning_effort(effort: str | None, field: str = "reasoning_effort") -> ReasoningEffort | None:
    """How much to think, from its name on the wire. Raises BadRequest."""
    if effort is None:
        return None
    if effort not in _EFFORTS:
        raise BadRequest(
            f"There is no reasoning effort {effort!r}.", f"Choose among {', '.join(_EFFORTS)}.", field=field
        )
    return _EFFORTS[effort]


def _bias(bias: Any) -> tuple[tuple[int, float], ...]:
    pairs = bias.items() if isinstance(bias, dict) else bias
    try:
        return tuple((int(token), float(value)) for token, value in pairs)
    except ValueError:
        raise BadRequest("A token is named by its number.", 'Write {"42": -1.5}.', field="logit_bias") from None
