"""How fast models were, by what they were loaded with: so that an editor can say what to expect."""

from __future__ import annotations

import hashlib
import json
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tui.config.json_files import read_object, write_object
from tui.domain import GenerationStats, LoadConfig, ModelInfo, StorageFailed

# What says how much room there is, or what is computed with, but not how fast a token comes.
_NO_MATTER = frozenset(
    {
        "context_length", "parallel", "unified_kv_cache", "fit_minimum_context", "context_checkpoints", "seed",
        "chat_template", "largest_image_side", "full_sliding_window_cache", "try_mmap", "direct_io",
        "keep_model_in_memory",
    }
)  # fmt: skip
# Below this the first token's time and the clock's own error are most of what is measured.
_FEWEST_TOKENS = 16
_MOST_SAMPLES = 9
_MOST_CONFIGURATIONS = 40
_MOST_MODELS = 400
# Seconds between two writes, as a server may answer hundreds of requests in that time.
_WRITE_INTERVAL = 5.0


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians of what was measured last, in tokens per second; 0 where nothing was."""

    generation: float
    prompt: float
    samples: int
    """Answers that count."""


@dataclass(frozen=True, slots=True)
class _Sample:
    model: str
    configuration: str
    generation: float
    prompt: float


class SpeedStore:
    """Figures of answers, by model file and the parameters that bear on speed. Safe to use from any thread.

    It holds nothing that cannot be measured again, so that a file that cannot be read begins anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, Any] | None = None
        self._unsaved: list[_Sample] = []
        self._written = 0.0

    def record(self, model: ModelInfo, config: LoadConfig, stats: GenerationStats) -> None:
        """Count an answer that ran alone. Short ones, and those that say no speed, are passed over."""
        read = stats.prompt_tokens - stats.cached_prompt_tokens
        generation = stats.generation_speed if stats.generated_tokens >= _FEWEST_TOKENS else 0.0
        prompt = stats.prompt_speed if read >= _FEWEST_TOKENS else 0.0
        if generation <= 0 and prompt <= 0:
            return
        sample = _Sample(_model_name(model), _configuration_name(config), generation, prompt)
        with self._lock:
            _add(self._read(), sample)
            self._unsaved.append(sample)
            if time.monotonic() - self._written > _WRITE_INTERVAL:
                self._write()

    def expected(self, model: ModelInfo, config: LoadConfig) -> Speed | None:
        """How fast the model was with these parameters; `None` where that was never measured."""
        with self._lock:
            entry = self._read().get(_model_name(model), {}).get(_configuration_name(config))
        if not isinstance(entry, dict):
            return None
        generation, prompt = (_median(entry.get(kind)) for kind in ("generation", "prompt"))
        count = len(entry["generation"]) if isinstance(entry.get("generation"), list) else 0
        return Speed(generation, prompt, count) if generation or prompt else None

    def save(self) -> None:
        """Write down what has been counted since the last time."""
        with self._lock:
            self._write()

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            self._known = self._from_disk()
        return self._known

    def _from_disk(self) -> dict[str, Any]:
        try:
            return read_object(self._path)
        except (FileNotFoundError, StorageFailed):
            return {}

    def _write(self) -> None:
        if not self._unsaved:
            return
        # Another process may have measured, too.
        known = self._from_disk()
        for sample in self._unsaved:
            _add(known, sample)
        self._known, self._written = known, time.monotonic()
        with suppress(StorageFailed):
            write_object(self._path, known)
            self._unsaved.clear()
        del self._unsaved[: -_MOST_SAMPLES * _MOST_CONFIGURATIONS]


def _add(known: dict[str, Any], sample: _Sample) -> None:
    """Put a sample in; what was not measured for the longest time goes when there is too much."""
    model = known.pop(sample.model, None)
    model = model if isinstance(model, dict) else {}
    entry = model.pop(sample.configuration, None)
    entry = entry if isinstance(entry, dict) else {}
    for kind, value in (("generation", sample.generation), ("prompt", sample.prompt)):
        if value > 0:
            before = entry.get(kind)
            entry[kind] = [*(before if isinstance(before, list) else ()), round(value, 2)][-_MOST_SAMPLES:]
    model[sample.configuration] = entry
    known[sample.model] = dict(list(model.items())[-_MOST_CONFIGURATIONS:])
    for name in list(known)[:-_MOST_MODELS]:
        del known[name]


def _median(values: Any) -> float:
    numbers = [value for value in values if isinstance(value, int | float)] if isinstance(values, list) else []
    return statistics.median(numbers) if numbers else 0.0


def _model_name(model: ModelInfo) -> str:
    return f"{model.path.name}:{model.size}"


def _configuration_name(config: LoadConfig) -> str:
    values = [getattr(config, field.name) for field in fields(LoadConfig) if field.name not in _NO_MATTER]
    return hashlib.sha256(json.dumps(values).encode("utf-8", "surrogatepass")).hexdigest()[:16]
