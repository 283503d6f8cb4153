"""From a `LoadConfig` to a speculator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tui.domain import BadRequest, LoadConfig, ModelUnusable
from tui.engine.facts import read_facts
from tui.engine.loading import Kernels, OpenModel, open_model
from tui.engine.speculation.draft_model import DraftModel, check_vocabularies
from tui.engine.speculation.mtp import MtpDrafter
from tui.engine.speculation.ngram import NgramDrafter
from tui.engine.speculation.payoff import Payoff
from tui.engine.speculation.speculator import Drafter, Speculator


def open_speculator(opened: OpenModel, config: LoadConfig, kernels: Kernels) -> Speculator | None:
    """What the configuration asks for; `None` for no speculation. Opening a draft model reads its file.

    Raises BadRequest, naming the field, for a draft model that cannot guess for this one.
    """
    if config.speculation == "off":
        return None
    drafter: Drafter
    most = config.draft_max_tokens
    match config.speculation:
        case "ngram":
            drafter = NgramDrafter()
        case "mtp":
            drafter = heads = MtpDrafter(opened, config.draft_min_probability)
            most = min(most, heads.longest or most)
        case _:
            drafter = _open_draft_model(opened, config, kernels)
    return Speculator(drafter, Payoff(most), config.draft_min_tokens)


def _open_draft_model(opened: OpenModel, config: LoadConfig, kernels: Kernels) -> DraftModel:
    path = Path(config.draft_model).expanduser()
    own = draft_config(config, opened.context_length, opened.sequences, _trained_length(path))
    try:
        draft = open_model(path, own, kernels)
    except ModelUnusable as problem:
        raise BadRequest(problem.message, problem.advice, field="load.draft_model") from problem
    try:
        if not draft.can_trim or draft.embeds:
            raise BadRequest(
                f"{path.name} cannot guess: its memory cannot take back tokens.",
                "Choose another draft model.",
                field="load.draft_model",
            )
        check_vocabularies(opened.model, draft.model, path.name)
    except BaseException:
        draft.close()
        raise
    return DraftModel(draft, opened.model, config.draft_min_probability)


def draft_config(config: LoadConfig, context_length: int, sequences: int, trained: int) -> LoadConfig:
    """How the draft model is loaded beside a model with these parameters, and with this context and sequences."""
    return replace(
        config,
        context_length=min(context_length, trained or context_length),
        parallel=sequences,
        unified_kv_cache=True,
        speculation="off",
        draft_model="",
        lora=(),
        tensor_overrides=(),
        gpu_layers=None,
        gpu_offload_ratio=None,
        cpu_expert_layers_ratio=0.0,
        experts_used=None,
        chat_template=None,
        projector="off",
    )


def _trained_length(path: Path) -> int:
    try:
        return read_facts(path).trained_context_length
    except ModelUnusable as problem:
        raise BadRequest(problem.message, problem.advice, field="load.draft_model") from problem
