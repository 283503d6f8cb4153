"""LM Studio's keys for load and inference values, and ours.

What LM Studio has no key for stands in its files under `lmdeck.` and our own key; what it has and we do not is kept
as it came, so that a file that we write loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tui.config.lmstudio_codecs import (
    Codec,
    NotExpressible,
    Values,
    checkbox,
    chosen_when,
    counted,
    plain,
    ratio,
    seed,
    switch,
)
from tui.config.values import CONSTRAINT_KEY, CUSTOM_PREFIX, checked_value, default_values, to_json
from tui.domain import BadRequest, Constraint

OWN_PREFIX = "lmdeck."
"""What keys begin with for which LM Studio has none."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A field of LM Studio's that stands for nothing here, kept for the file's sake."""

    key: str
    value: Any
    reason: str = ""
    """Why it was not taken, where it should have been; empty for what lmdeck does not have."""
    known: bool = False
    """Whether lmdeck has it, and this value of it only leaves things as they are."""


@dataclass(frozen=True, slots=True)
class ReadFields:
    """What a list of fields came to."""

    values: dict[str, Any]
    """By our dotted keys."""
    unread: tuple[Unread, ...] = ()


def read_fields(fields: Any) -> ReadFields:
    """Our values of a list of `{"key", "value"}`. Never raises: what cannot be read is said in `unread`."""
    values: dict[str, Any] = {}
    unread: list[Unread] = []
    for field in fields if isinstance(fields, list) else ():
        key, value = (field.get("key"), field.get("value")) if isinstance(field, dict) else (None, None)
        if not isinstance(key, str):
            continue
        try:
            found = _read(key, value)
        except BadRequest as problem:
            unread.append(Unread(key, value, str(problem)))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            unread.append(Unread(key, value, "its value has another form than LM Studio gives it"))
        else:
            if not found:
                unread.append(Unread(key, value, known=found is not None))
            else:
                values.update(found)
    return ReadFields(values, tuple(unread))


def read_parts(value: Mapping[str, Any]) -> ReadFields:
    """Our values of what a file of LM Studio's has in `operation` and `load`; never raises.

    LM Studio writes `{"fields": […]}`; the bare list is taken, too.
    """
    fields: list[Any] = []
    for part in (value.get("operation"), value.get("load")):
        found = part.get("fields") if isinstance(part, dict) else part
        fields += found if isinstance(found, list) else []
    return read_fields(fields)


def write_parts(values: Values, unread: Iterable[Unread] = ()) -> dict[str, Any]:
    """`operation` and `load`, the two parts of LM Studio's files, which `read_parts` takes back."""
    left = dict(values)
    fields: list[tuple[str, Any]] = []
    for codec in _CODECS:
        if codec.write is None or not all(key in left for key in codec.keys):
            continue
        try:
            fields.append((codec.wire, codec.write(left)))
        except NotExpressible:
            continue
        for key in codec.keys:
            del left[key]
    fields += [(f"{OWN_PREFIX}{key}", to_json(value)) for key, value in left.items()]
    written = {key for key, _ in fields}
    fields += [(one.key, one.value) for one in unread if one.key not in written]
    lists: dict[str, list[dict[str, Any]]] = {"operation": [], "load": []}
    for key, value in fields:
        lists["load" if _is_of_loading(key) else "operation"].append({"key": key, "value": to_json(value)})
    return {part: {"fields": found} for part, found in lists.items()}


def _read(key: str, value: Any) -> dict[str, Any] | None:
    """What a field stands for; `None` where lmdeck does not have its key."""
    if key.startswith(OWN_PREFIX):
        own = key.removeprefix(OWN_PREFIX)
        known = own in default_values() or own.startswith(CUSTOM_PREFIX)
        return {own: checked_value(own, value)} if known else None
    codec = _BY_WIRE.get(key) or _OF_EMBEDDING.get(key)
    if codec is None:
        return None
    return {ours: checked_value(ours, found) for ours, found in codec.read(value).items()}


def _is_of_loading(key: str) -> bool:
    return key.startswith(("llm.load.", "load.", "embedding.load.", f"{OWN_PREFIX}load."))


def _split() -> Codec:
    """`{"strategy", "disabledGpus", "priority", "customRatio"}`. There is no `priorityOrder` here."""
    keys = ("load.split_mode", "load.disabled_gpus", "load.tensor_split")
    modes = {"evenly": "layer", "tensor": "tensor", "custom": "layer"}

    def read(value: Any) -> dict[str, Any]:
        shares = value["customRatio"] if value["strategy"] == "custom" else []
        return dict(zip(keys, (modes[value["strategy"]], value["disabledGpus"], shares), strict=True))

    def write(values: Values) -> Any:
        mode, disabled, shares = (values[key] for key in keys)
        strategies = {("layer", False): "evenly", ("layer", True): "custom", ("tensor", False): "tensor"}
        strategy = strategies.get((mode, bool(shares)))
        if strategy is None:
            raise NotExpressible
        return {
            "strategy": strategy,
            "disabledGpus": list(disabled),
            "priority": [],
            "customRatio": list(shares),
        }

    return Codec("load.gpuSplitConfig", keys, read, write)


def _mirostat() -> Codec:
    keys = {
        "version": "sampling.mirostat",
        "learningRate": "sampling.mirostat_learning_rate",
        "targetEntropy": "sampling.mirostat_target_entropy",
    }
    return Codec(
        "llm.prediction.llama.mirostatSampling",
        tuple(keys.values()),
        lambda value: {ours: value[theirs] for theirs, ours in keys.items()},
        lambda values: {theirs: values[ours] for theirs, ours in keys.items()},
    )


def _structured() -> Codec:

    def read(value: Any) -> dict[str, Any]:
        match value["type"]:
            case "none":
                found = None
            case "json" if value.get("jsonSchema") is None:
                found = {"kind": "json_object"}
            case "json":
                found = {"kind": "json_schema", "source": json.dumps(value["jsonSchema"], ensure_ascii=False)}
            case "gbnf":
                found = {"kind": "gbnf", "source": value["gbnfGrammar"]}
            case _:
                raise ValueError
        return {CONSTRAINT_KEY: found}

    def write(values: Values) -> Any:
        constraint: Constraint | None = values[CONSTRAINT_KEY]
        if constraint is None:
            return {"type": "none"}
        if constraint.kind == "json_object":
            return {"type": "json"}
        if constraint.kind == "gbnf":
            return {"type": "gbnf", "gbnfGrammar": constraint.source}
        try:
            if constraint.kind == "json_schema":
                return {"type": "json", "jsonSchema": json.loads(constraint.source)}
        except ValueError:
            pass
        raise NotExpressible

    return Codec("llm.prediction.structured", (CONSTRAINT_KEY,), read, write)


def _template(wire: str, *, read_only: bool = False) -> Codec:
    key = "load.chat_template"

    def read(value: Any) -> dict[str, Any]:
        if value["type"] != "jinja":
            raise BadRequest("Only Jinja templates can be used", field=key)
        return {key: value["jinjaPromptTemplate"]["template"]}

    def write(values: Values) -> Any:
        if values[key] is None:
            raise NotExpressible
        return {"type": "jinja", "jinjaPromptTemplate": {"template": values[key]}, "stopStrings": []}

    return Codec(wire, (key,), read, None if read_only else write)


def _drafting(wire: str) -> Codec:
    """The draft model of a prediction, which speculates with it where one is named. Only read."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, str):
            raise TypeError
        return {"load.speculation": "draft", "load.draft_model": value} if value else {}

    return Codec(wire, ("load.draft_model",), read, None)


_LLAMA = "llm.load.llama."
_TOLD = "llm.prediction."
_DRAFT = f"{_LLAMA}speculativeDecoding."

_CODECS: tuple[Codec, ...] = (
    plain("llm.load.contextLength", "load.context_length"),
    plain(f"{_LLAMA}autoFit", "load.fit"),
    plain("llm.load.autoFitMinContextLength", "load.fit_minimum_context"),
    ratio(f"{_LLAMA}acceleration.offloadRatio", "load.gpu_offload_ratio"),
    ratio("llm.load.numCpuExpertLayersRatio", "load.cpu_expert_layers_ratio"),
    _split(),
    plain("llm.load.offloadKVCacheToGpu", "load.offload_kv_cache"),
    counted("llm.load.numExperts", "load.experts_used"),
    plain("llm.load.numParallelSessions", "load.parallel"),
    plain("llm.load.useUnifiedKvCache", "load.unified_kv_cache"),
    plain(f"{_LLAMA}evalBatchSize", "load.evaluation_batch_size"),
    plain(f"{_LLAMA}physicalBatchSize", "load.physical_batch_size"),
    switch(f"{_LLAMA}flashAttention", "load.flash_attention", "on", "off"),
    checkbox(f"{_LLAMA}kCacheQuantizationType", "load.key_cache_type", off="f16"),
    checkbox(f"{_LLAMA}vCacheQuantizationType", "load.value_cache_type", off="f16"),
    plain(f"{_LLAMA}contextCheckpoints", "load.context_checkpoints"),
    plain(f"{_LLAMA}cpuThreadPoolSize", "load.threads"),
    checkbox(f"{_LLAMA}ropeFrequencyBase", "load.rope_frequency_base", off=None),
    checkbox(f"{_LLAMA}ropeFrequencyScale", "load.rope_frequency_scale", off=None),
    plain(f"{_LLAMA}keepModelInMemory", "load.keep_model_in_memory"),
    plain(f"{_LLAMA}tryMmap", "load.try_mmap"),
    plain(f"{_LLAMA}tryDirectIO", "load.direct_io"),
    seed("llm.load.seed", "load.seed"),
    _template("llm.load.promptTemplate"),
    chosen_when(f"{_DRAFT}draftMtp", "load.speculation", "mtp"),
    chosen_when(f"{_DRAFT}draftSimple", "load.speculation", "draft"),
    plain(f"{_DRAFT}draftModel", "load.draft_model"),
    plain(f"{_DRAFT}draftMaxTokens", "load.draft_max_tokens"),
    plain(f"{_DRAFT}draftMinTokens", "load.draft_min_tokens"),
    plain(f"{_DRAFT}draftMinContinueProbability", "load.draft_min_probability"),
    plain(f"{_TOLD}temperature", "sampling.temperature"),
    plain(f"{_TOLD}topKSampling", "sampling.top_k"),
    checkbox(f"{_TOLD}topPSampling", "sampling.top_p", off=1.0),
    checkbox(f"{_TOLD}minPSampling", "sampling.min_p", off=0.0),
    checkbox(f"{_TOLD}repeatPenalty", "sampling.repeat_penalty", off=1.0),
    checkbox(f"{_TOLD}llama.presencePenalty", "sampling.presence_penalty", off=0.0),
    checkbox(f"{_TOLD}llama.frequencyPenalty", "sampling.frequency_penalty", off=0.0),
    checkbox(f"{_TOLD}llama.xtcProbability", "sampling.xtc_probability", off=0.0),
    checkbox(f"{_TOLD}llama.xtcThreshold", "sampling.xtc_threshold", off=0.1),
    _mirostat(),
    checkbox(f"{_TOLD}llama.locallyTypicalSampling", "sampling.typical_p", off=1.0),
    plain(f"{_TOLD}llama.logitBias", "sampling.logit_bias"),
    plain(f"{_TOLD}llama.cpuThreads", "load.threads", read_only=True),
    checkbox(f"{_TOLD}maxPredictedTokens", "sampling.max_tokens", off=None, shown=1000),
    plain(f"{_TOLD}stopStrings", "sampling.stop"),
    plain(f"{_TOLD}contextOverflowPolicy", "answer.overflow"),
    _structured(),
    plain(f"{_TOLD}systemPrompt", "answer.system_prompt"),
    seed(f"{_TOLD}seed", "sampling.seed"),
    checkbox(f"{_TOLD}logProbs", "sampling.top_logprobs", off=None),
    chosen_when(f"{_TOLD}reasoning.enableThinking", "answer.reasoning_effort", "off", when=False),
    _template(f"{_TOLD}promptTemplate", read_only=True),
    checkbox(f"{_TOLD}vision.userMaxImageDimensionPixels", "load.largest_image_side", off=None, shown=1024),
    _drafting(f"{_TOLD}speculativeDecoding.draftModel"),
)
_BY_WIRE: Mapping[str, Codec] = {codec.wire: codec for codec in _CODECS}

_OF_EMBEDDING: Mapping[str, Codec] = {
    f"embedding.load.{name}": _BY_WIRE[f"llm.load.{name}"]
    for name in (
        "contextLength",
        "seed",
        "llama.acceleration.offloadRatio",
        "llama.evalBatchSize",
        "llama.ropeFrequencyBase",
        "llama.ropeFrequencyScale",
        "llama.keepModelInMemory",
        "llama.tryMmap",
    )
}
"""What LM Studio calls otherwise for embedding models, for the same values here. These are only read."""
