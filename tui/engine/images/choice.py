"""Which projector file goes with a model: the one that was asked for, or one that lies beside it and works."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import takewhile
from pathlib import Path

from tui.domain import BadRequest, LoadConfig, ModelInfo
from tui.engine.child import Job, run
from tui.engine.library import build_identity
from tui.engine.loading import Kernels
from tui.engine.state_identity import model_identity
from tui.engine.verdicts import VerdictStore

# The publishers' habit for projectors: mmproj-model-f16.gguf, Qwen2-VL-2B.mmproj-Q8_0.gguf.
_NAMED = "mmproj"
# In what order precisions are taken where several lie there: as good as the original, and no larger than needed.
_PRECISIONS = ("f16", "bf16", "q8_0", "f32")
_MOST_TRIED = 3


def choose_projector(
    model: ModelInfo, config: LoadConfig, kernels: Kernels, store: VerdictStore, note: Callable[[str], None]
) -> Path | None:
    """The projector file to load with a model, tried in a child process; `None` for no images.

    Raises BadRequest if the file that was asked for does not work. Files that only happen to lie beside the model are
    left out if they do not, and `note` is told.
    """
    if config.projector == "off" or config.embedding:
        return None
    if config.projector:
        path = Path(config.projector).expanduser()
        if problem := _problem(model, path, config, kernels, store):
            raise BadRequest(
                f"{path.name} cannot be used as the projector of {model.key}: {problem}",
                "Choose the mmproj file that was made for this model, or off.",
                field="load.projector",
            )
        return path
    for path in fitting_projectors(model)[:_MOST_TRIED]:
        problem = _problem(model, path, config, kernels, store)
        if not problem:
            return path
        note(f"{path.name} lies beside {model.key} but is not used for images: {problem}")
    return None


def likely_projector(model: ModelInfo, config: LoadConfig) -> Path | None:
    """The file that `choose_projector` will most likely give, without trying it; for estimates."""
    if config.projector == "off" or config.embedding:
        return None
    if config.projector:
        return Path(config.projector).expanduser()
    return next(iter(fitting_projectors(model)), None)


def fitting_projectors(info: ModelInfo) -> list[Path]:
    """The projector files that may belong to a model, the most fitting first.

    Where the catalogue has not looked for them it is those in its folder that are named like projectors.
    """
    model = info.path
    found = list(info.projectors or ())
    if info.projectors is None:
        try:
            found = [file for file in model.parent.glob("*.gguf") if _NAMED in file.name.lower() and file != model]
        except OSError:
            return []

    def fitness(file: Path) -> tuple[int, int, str]:
        name = file.name.lower()
        rest = name.replace(_NAMED, "").strip("-_.")
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(rest, model.name.lower(), strict=False)))
        precision = next((place for place, text in enumerate(_PRECISIONS) if text in name), len(_PRECISIONS))
        return -shared, precision, name

    return sorted(found, key=fitness)


def _problem(model: ModelInfo, path: Path, config: LoadConfig, kernels: Kernels, store: VerdictStore) -> str:
    """What is wrong with a projector, found out once; empty if it works."""
    tried = replace(config, projector=str(path))
    files = model_identity((*(model.files or (model.path,)), path))
    key = f"projector:{json.dumps([files, asdict(tried), asdict(kernels), build_identity()], sort_keys=True)}"
    verdict = store.get(key)
    if not isinstance(verdict, str):
        verdict = run(Job("projector", str(model.path), tried, kernels)).problem
        store.put(key, verdict)
    return verdict
