"""Remote engines in the list of models: their models, and a row for each engine that shows none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from tui.app.figures import one_line, parameters_text, problem_text
from tui.domain import ModelInfo

if TYPE_CHECKING:
    from tui.engine.remote import RemoteState


def remote_rows(states: Sequence[RemoteState]) -> list[ModelInfo]:
    """The rows of all remote engines, in the order in which they were added.

    An engine without models has a row without a name, so that it can be seen, waited for and removed.
    """
    return [row for state in states for row in state.models or (_engine_row(state),)]


def remote_details(model: ModelInfo, state: RemoteState) -> Content:
    """How a remote engine is, with the whole reason where it cannot be used, and what it tells about a model."""
    where = f"{state.endpoint.name} at {state.endpoint.url}"
    parts: list[str | tuple[str, str]] = []
    if not state.asked:
        parts.append((f"Asking {where} for its models…", "$foreground 75%"))
    elif state.problem is not None:
        parts.append((f"✗ {problem_text(state.problem)}", "$error"))
    else:
        parts.append((f"✓ Reachable: {where}", "$success"))
    facts = [
        f"{parameters_text(model.parameters)} parameters" if model.parameters else "",
        f"{model.context_length:,} tokens of context" if model.context_length else "",
        f"from {one_line(model.publisher)}" if model.publisher else "",
        "nothing to load" if model.name else "",
    ]
    if line := " · ".join(fact for fact in facts if fact):
        parts.append((f"\n{line}", "$foreground 75%"))
    if model.name:
        parts.append((f"\n{one_line(model.key)}", "$foreground 60%"))
    return Content.assemble(*parts)


def _engine_row(state: RemoteState) -> ModelInfo:
    problem = ""
    if state.asked:
        problem = state.problem.message if state.problem is not None else "It has no models."
    return ModelInfo(f"{state.endpoint.name}/", Path(), 0, remote=state.endpoint.name, problem=problem)
