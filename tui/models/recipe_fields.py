"""What the configuration fields of a `model.yaml` mean in lmdeck's parameters.

Keys and forms of values are LM Studio's (lmstudio-js, `lms-kv-config/src/schema.ts`): `{checked, value}` stands for a
value that may be switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

from tui.domain import CacheType, ModelDefaults, ModelUnusable
from tui.models.gguf_bytes import printable

_Reader = Callable[[Any], list[tuple[str, object]]]


class _Unfit(ValueError):
    """A value that its key cannot have; the text says what it takes."""


def defaults_of(load: Sequence[tuple[str, Any]], operation: Sequence[tuple[str, Any]]) -> ModelDefaults:
    """What the fields of `config.load` and `config.operation` say. Raises ModelUnusable, naming the key."""
    loading = dict(_read(load, _LOAD, "config.load"))
    sampling = dict(_read(operation, _SAMPLING, "config.operation"))
    # These stand among the fields of a request there, and belong elsewhere here.
    system_prompt = str(sampling.pop("system_prompt", ""))
    if "chat_template" in sampling:
        loading["chat_template"] = sampling.pop("chat_template")
    return ModelDefaults(tuple(loading.items()), tuple(sampling.items()), system_prompt)


def _read(fields: Sequence[tuple[str, Any]], readers: Mapping[str, _Reader], where: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in fields:
        reader = readers.get(key)
        if reader is None:
            raise ModelUnusable(f"model.yaml: {where} has the key {printable(key, 80)!r}, which is not known here.")
        try:
            found += reader(value)
        except _Unfit as error:
            raise ModelUnusable(f"model.yaml: {where}, {printable(key, 80)} must be {error}.") from error
    return found


def _whole(field: str, least: int = 0, most: int = 2**31) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if type(value) is not int or not least <= value <= most:
            raise _Unfit(f"a whole number of at least {least}")
        return [(field, value)]

    return read


def _number(field: str, least: float = 0.0, most: float = 1e12) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise _Unfit(f"a number of at least {least:g}")
        return [(field, float(value))]

    return read


def _switch(field: str, on: object = True, off: object = False) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if not isinstance(value, bool):
            raise _Unfit("true or false")
        return [(field, on if value else off)]

    return read


def _text(field: str) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if not isinstance(value, str):
            raise _Unfit("a text")
        return [(field, value)]

    return read


def _texts(field: str) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise _Unfit("a list of texts")
        return [(field, tuple(value))]

    return read


def _checked(reader: _Reader, off: object = None) -> _Reader:
    """A value that may be switched off; the plain value is taken as well. `off` is what it has then."""

    def read(value: Any) -> list[tuple[str, object]]:
        match value:
            case {"checked": bool(checked), "value": inner}:
                found = reader(inner)
                return found if checked else [(name, off) for name, _ in found]
            case dict():
                raise _Unfit("a mapping with checked and value")
            case _:
                return reader(value)

    return read


def _cache_type(field: str) -> _Reader:
    def read(value: Any) -> list[tuple[str, object]]:
        if value not in get_args(CacheType):
            raise _Unfit(f"one of {', '.join(get_args(CacheType))}")
        return [(field, value)]

    return _checked(read, "f16")


def _offload(value: Any) -> list[tuple[str, object]]:
    ratio = {"max": 1.0, "off": 0.0}.get(value, value) if isinstance(value, str) else value
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
        raise _Unfit("max, off, or a number from 0 to 1")
    return [("gpu_offload_ratio", float(ratio))]


def _seed(value: Any) -> list[tuple[str, object]]:
    if type(value) is not int:
        raise _Unfit("a whole number")
    return [("seed", value if value >= 0 else None)]


def _template(value: Any) -> list[tuple[str, object]]:
    match value:
        case {"type": "jinja", "jinjaPromptTemplate": {"template": str(text)}}:
            return [("chat_template", text)]
        case _:
            raise _Unfit("a Jinja template ({type: jinja, jinjaPromptTemplate: {template: …}})")


_LOAD: Final[Mapping[str, _Reader]] = {
    "llm.load.contextLength": _whole("context_length", 1),
    "embedding.load.contextLength": _whole("context_length", 1),
    "llm.load.llama.autoFit": _switch("fit"),
    "llm.load.autoFitMinContextLength": _whole("fit_minimum_context", 0),
    "llm.load.llama.acceleration.offloadRatio": _offload,
    "embedding.load.llama.acceleration.offloadRatio": _offload,
    "llm.load.offloadKVCacheToGpu": _switch("offload_kv_cache"),
    "llm.load.numExperts": _whole("experts_used", 1),
    "llm.load.numParallelSessions": _whole("parallel", 1, 256),
    "llm.load.useUnifiedKvCache": _switch("unified_kv_cache"),
    "llm.load.llama.evalBatchSize": _whole("evaluation_batch_size", 1),
    "llm.load.llama.physicalBatchSize": _whole("physical_batch_size", 1),
    "llm.load.llama.flashAttention": _switch("flash_attention", "on", "off"),
    "llm.load.llama.kCacheQuantizationType": _cache_type("key_cache_type"),
    "llm.load.llama.vCacheQuantizationType": _cache_type("value_cache_type"),
    "llm.load.llama.contextCheckpoints": _whole("context_checkpoints"),
    "llm.load.llama.cpuThreadPoolSize": _whole("threads", 1, 512),
    "llm.load.llama.ropeFrequencyBase": _checked(_number("rope_frequency_base")),
    "llm.load.llama.ropeFrequencyScale": _checked(_number("rope_frequency_scale")),
    "llm.load.llama.keepModelInMemory": _switch("keep_model_in_memory"),
    "llm.load.llama.tryMmap": _switch("try_mmap"),
    "llm.load.llama.tryDirectIO": _switch("direct_io"),
    "llm.load.seed": _checked(_seed),
    "llm.load.promptTemplate": _template,
}

_SAMPLING: Final[Mapping[str, _Reader]] = {
    "llm.prediction.temperature": _number("temperature"),
    "llm.prediction.topKSampling": _whole("top_k", -1),
    "llm.prediction.topPSampling": _checked(_number("top_p", 0, 1), 1.0),
    "llm.prediction.minPSampling": _checked(_number("min_p", 0, 1), 0.0),
    "llm.prediction.repeatPenalty": _checked(_number("repeat_penalty"), 1.0),
    "llm.prediction.llama.presencePenalty": _checked(_number("presence_penalty", -1e3), 0.0),
    "llm.prediction.llama.frequencyPenalty": _checked(_number("frequency_penalty", -1e3), 0.0),
    "llm.prediction.llama.xtcProbability": _checked(_number("xtc_probability", 0, 1), 0.0),
    "llm.prediction.llama.xtcThreshold": _checked(_number("xtc_threshold", 0, 1), 0.1),
    "llm.prediction.llama.locallyTypicalSampling": _checked(_number("typical_p", 0, 1), 1.0),
    "llm.prediction.maxPredictedTokens": _checked(_whole("max_tokens", 1)),
    "llm.prediction.stopStrings": _texts("stop"),
    "llm.prediction.systemPrompt": _text("system_prompt"),
    "llm.prediction.promptTemplate": _template,
    "llm.prediction.seed": _checked(_seed),
}
