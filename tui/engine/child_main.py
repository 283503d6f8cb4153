"""The child's side of `tui.engine.child` and `tui.engine.warm_child`: a job in, an answer out."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tui.domain import LmdeckError, LoadConfig
from tui.engine.breakdown import MAPPABLE, Memory, measured_memory
from tui.engine.checks import MAXIMUM_CONTEXT_LENGTH
from tui.engine.child import STAY
from tui.engine.facts import read_facts
from tui.engine.layouts import Layouts
from tui.engine.library import devices, load_llama, route_log
from tui.engine.loading import Kernels, open_model
from tui.engine.pooling import output_bytes

# What llama-kv-cache.cpp, llama-memory-recurrent.cpp and llama-context.cpp log of their sizes
_CACHE_SIZE = re.compile(r"llama_(?:kv_cache|memory_recurrent)\S*: size =\s+([\d.]+) MiB")
_BUFFER_SIZE = re.compile(r"compute buffer size =\s+([\d.]+) MiB")
_MIB = 1024 * 1024
_DECODED_TOKENS = 4


def main() -> None:
    """Read a job, do it, write the answer. Standard output is kept clean of what native code prints."""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    _forbid_core_dumps()
    stays = sys.argv[1:] == [STAY]
    jobs = map(json.loads, sys.stdin) if stays else iter([json.load(sys.stdin)])
    lines: list[str] = []

    def note(level: str, text: str) -> None:
        lines.append(text)
        sys.stderr.write(f"{level}: {text}\n")
        sys.stderr.flush()

    layouts = Layouts()
    with os.fdopen(answer_to, "w") as file:
        for job in jobs:
            lines.clear()
            load_llama()
            route_log(note)
            file.write(json.dumps(_answer(job, layouts, lines)) + "\n")
            file.flush()


def _answer(job: dict[str, Any], layouts: Layouts, lines: list[str]) -> dict[str, Any]:
    try:
        return _do(job, layouts, lines)
    except LmdeckError as problem:
        return {
            "problem": problem.message.rstrip("."),
            "field": getattr(problem, "field", ""),
            "advice": problem.advice,
        }


def _do(job: dict[str, Any], layouts: Layouts, lines: list[str]) -> dict[str, Any]:
    config = LoadConfig(**{name: _with_tuples(value) for name, value in job["config"].items()})
    kernels = Kernels(**job["kernels"])
    path = Path(job["path"])
    match job["kind"]:
        case "projector":
            from tui.engine.images import try_projector

            return try_projector(path, Path(config.projector), config, kernels)
        case "projector size":
            from tui.engine.images import projector_memory

            return projector_memory(path, config, kernels)
        case "probe":
            return _lay_out(layouts, path, config, kernels, lines)
        case "draft":
            wanted = config.context_length or MAXIMUM_CONTEXT_LENGTH
            trained = read_facts(path).trained_context_length or wanted
            config = replace(config, context_length=min(wanted, trained))
            return _lay_out(layouts, path, config, kernels, lines)
        case _:
            opened = open_model(path, config, kernels)
            _decode_some(opened.context)
            opened.close()
            return {"decoded": _DECODED_TOKENS}


def _lay_out(layouts: Layouts, path: Path, config: LoadConfig, kernels: Kernels, lines: list[str]) -> dict[str, Any]:
    llama = load_llama()
    with layouts.opened(path, config, kernels) as opened:
        return {
            "memory": measured_memory(opened) or _totals(opened.model, lines),
            "outputs": output_bytes(llama, opened.model, opened.output_rows, with_vectors=opened.embeds),
            "context_length": opened.context_length,
            "trained": llama.llama_model_n_ctx_train(opened.model),
            "layers": opened.layers,
            "sequences": opened.sequences,
            "embeds": opened.embeds,
            "devices": [asdict(device) for device in devices()],
        }


def _with_tuples(value: Any) -> Any:
    """A value as it was before JSON made lists of its tuples."""
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _totals(model: Any, lines: list[str]) -> Memory:
    """The estimate without llama.cpp's own breakdown: everything as if it lay in the CPU's memory."""
    weights = load_llama().llama_model_size(model)
    sizes = {"weights": weights, "kv_cache": 0, "compute": 0, MAPPABLE: weights}
    for line in lines:
        for pattern, purpose in ((_CACHE_SIZE, "kv_cache"), (_BUFFER_SIZE, "compute")):
            if found := pattern.search(line):
                sizes[purpose] += round(float(found[1]) * _MIB)
    return {"CPU": sizes}


def _decode_some(context: Any) -> None:
    llama = load_llama()
    batch = llama.llama_batch_init(_DECODED_TOKENS, 0, 1)
    for step in range(_DECODED_TOKENS):
        # A prompt of several tokens first, then single ones: they use different kernels.
        count = _DECODED_TOKENS if step == 0 else 1
        for index in range(count):
            batch.token[index] = index
            batch.pos[index] = index if step == 0 else _DECODED_TOKENS + step - 1
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = index == count - 1
        batch.n_tokens = count
        result = llama.llama_decode(context, batch)
        if result != 0:
            raise LmdeckError(f"llama.cpp could not decode (code {result}).")


def _forbid_core_dumps() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    main()
