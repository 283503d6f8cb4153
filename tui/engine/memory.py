"""What a model needs of each device's memory with certain load parameters, found out in child processes.

llama.cpp lays the model out in a child without allocating anything, which yields exact weights, cache and compute
sizes for any parameters. A draft model and a projector file are laid out by themselves, so that a damaged one is not
taken for a damaged model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tui.domain import BadRequest, DeviceMemory, LoadConfig, ModelInfo, ModelUnusable
from tui.engine.breakdown import MAPPABLE
from tui.engine.checks import check_config
from tui.engine.child import Job, Outcome
from tui.engine.library import build_identity
from tui.engine.loading import Kernels
from tui.engine.speculation import draft_config
from tui.engine.verdicts import VerdictStore

HOST = "CPU"
"""The device that ordinary memory is called by."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A model as it would lie in memory."""

    devices: tuple[DeviceMemory, ...]
    """`free` and `total` as the child saw them, with nothing of ours loaded in it."""
    context_length: int
    trained: int
    """Tokens that the model was trained for; 0 where the file does not say."""
    layers: int
    """Layers of the model, its output layer included."""
    embeds: bool
    """Whether it makes vectors or scores, and so keeps no conversations."""


RunJob = Callable[[Job], Outcome]
"""Does a job in a child process."""


def lay_out(
    model: ModelInfo,
    config: LoadConfig,
    kernels: Kernels,
    store: VerdictStore,
    run_job: RunJob,
    projector: Path | None = None,
) -> Layout:
    """Lay the model out and add up what it would take, with all that is loaded beside it. About half a second for
    each file, less where `run_job` has a child that knows it, then remembered.

    Raises ModelUnusable with llama.cpp's reason if the file cannot be loaded at all, and BadRequest, naming the
    field, if the parameters are impossible or the draft model is.
    """
    check_config(config, model.context_length)
    probe = Job("probe", str(model.path), _what_counts(config), kernels)
    verdict = _remembered(
        store, run_job, model.files or (model.path,), probe, lambda outcome: _refuse(model, config, outcome)
    )
    sizes: dict[str, dict[str, int]] = {
        name: {purpose: size for purpose, size in parts.items() if purpose != MAPPABLE}
        | {"mapped": parts[MAPPABLE] if _maps(config) and name == HOST else 0}
        for name, parts in verdict["memory"].items()
    }
    # Results come in ordinary memory, whatever computes them.
    _add(sizes, "outputs", {HOST: verdict["outputs"]})
    if config.speculation == "draft":
        _add(sizes, "draft", _draft_memory(verdict, config, kernels, store, run_job))
    if config.lora:
        _add(sizes, "adapters", {_largest(sizes): sum(map(_file_size, (file for file, _ in config.lora)))})
    if projector is not None:
        _add(sizes, "projector", _projector_memory(projector, config, kernels, store, run_job))
    found = {device["name"]: (device["free"], device["total"]) for device in verdict["devices"]}
    devices = tuple(_device(name, parts, found) for name, parts in sizes.items() if any(parts.values()))
    if not devices:
        raise BadRequest("llama.cpp did not say how much memory this needs.", field="load")
    return Layout(devices, verdict["context_length"], verdict["trained"], verdict["layers"], verdict["embeds"])


def readable_size(size: float) -> str:
    """Bytes as people read them, in powers of 1,024: `512 MB`, `4.3 GB`."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def _what_counts(config: LoadConfig) -> LoadConfig:
    """The configuration without what has no influence on the layout, so that one verdict serves for all of it."""
    plain = LoadConfig()
    return replace(
        config,
        fit=plain.fit,
        fit_minimum_context=plain.fit_minimum_context,
        seed=plain.seed,
        chat_template=plain.chat_template,
        context_checkpoints=plain.context_checkpoints,
        projector=plain.projector,
        largest_image_side=plain.largest_image_side,
        lora=plain.lora,
        draft_min_tokens=plain.draft_min_tokens,
        draft_min_probability=plain.draft_min_probability,
    )


def _maps(config: LoadConfig) -> bool:
    """Whether weights in ordinary memory are pages of the file that the system may drop."""
    return config.try_mmap and not config.keep_model_in_memory and not config.direct_io


def _remembered(
    store: VerdictStore,
    run_job: RunJob,
    files: Iterable[Path],
    job: Job,
    refuse: Callable[[Outcome], Exception] | None = None,
) -> dict[str, Any]:
    """What the child says, or has said once for these files, parameters and build.

    Its problems raise what `refuse` makes of them, and are not kept; without `refuse` they are an empty answer.
    """
    parts = [_identity(files), job.kind, asdict(job.config), asdict(job.kernels), build_identity()]
    key = f"layout:{json.dumps(parts, sort_keys=True)}"
    known = store.get(key)
    if isinstance(known, dict):
        return known
    outcome = run_job(job)
    if outcome.problem and refuse is not None:
        raise refuse(outcome)
    store.put(key, outcome.result)
    return outcome.result


def _identity(files: Iterable[Path]) -> list[tuple[str, int, int]]:
    """What tells one state of a model's files from another."""
    try:
        return [(str(file), (status := file.stat()).st_size, status.st_mtime_ns) for file in files]
    except OSError as problem:
        raise ModelUnusable(f"The model file cannot be read: {problem}.", "Was it moved or deleted?") from problem


def _refuse(model: ModelInfo, config: LoadConfig, outcome: Outcome) -> Exception:
    if outcome.field:
        return BadRequest(outcome.problem, outcome.advice or "Choose another value.", field=outcome.field)
    if outcome.crashed and config.speculation == "mtp":  # most likely the header names heads that are not there
        return BadRequest(
            f"{model.path.name} would end the program if its MTP heads were used: {outcome.problem}",
            "Choose ngram, or draft with a small model, or turn speculation off.",
            field="load.speculation",
        )
    cause = f"{model.path.name} would end the program: " if outcome.crashed else ""
    return ModelUnusable(
        cause + outcome.problem, "Download it again, or choose another file or other load parameters."
    )  # fmt: skip


def _draft_memory(
    verdict: dict[str, Any], config: LoadConfig, kernels: Kernels, store: VerdictStore, run_job: RunJob
) -> dict[str, int]:
    path = Path(config.draft_model).expanduser()
    own = draft_config(config, verdict["context_length"], verdict["sequences"], trained=0)

    def refuse(outcome: Outcome) -> Exception:
        return BadRequest(
            f"{path.name} cannot be the draft model: {outcome.problem}",
            "Choose a small model of the same family.",
            field="load.draft_model",
        )

    try:
        found = _remembered(store, run_job, (path,), Job("draft", str(path), _what_counts(own), kernels), refuse)
    except ModelUnusable as problem:
        raise BadRequest(problem.message, problem.advice, field="load.draft_model") from problem
    memory = {
        name: sum(size for part, size in parts.items() if part != MAPPABLE) for name, parts in found["memory"].items()
    }
    memory[HOST] = memory.get(HOST, 0) + found["outputs"]
    return memory


def _projector_memory(
    path: Path, config: LoadConfig, kernels: Kernels, store: VerdictStore, run_job: RunJob
) -> dict[str, int]:
    """A file that only lies beside the model may be none, or damaged; then it is not used, and needs nothing."""
    only = LoadConfig(flash_attention=config.flash_attention)
    try:
        return _remembered(store, run_job, (path,), Job("projector size", str(path), only, kernels))
    except ModelUnusable:  # it has gone away
        return {}


def _add(sizes: dict[str, dict[str, int]], purpose: str, memory: dict[str, int]) -> None:
    for name, size in memory.items():
        sizes.setdefault(name, {})[purpose] = size


def _largest(sizes: dict[str, dict[str, int]]) -> str:
    """The device with most of the weights: adapters lie where the tensors are that they change."""
    return max(sizes, key=lambda name: sizes[name].get("weights", 0))


def _file_size(file: str) -> int:
    return Path(file).expanduser().stat().st_size


def _device(name: str, parts: dict[str, int], found: dict[str, tuple[int, int]]) -> DeviceMemory:
    free, total = found.get(name, (0, 0))
    plain = {"weights": 0, "kv_cache": 0, "compute": 0}
    return DeviceMemory(name, **{**plain, **parts}, free=free, total=total)
