"""The loaded models with their work: how many answers run, how many wait, and when the model goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from tui.app.figures import bytes_text, fit, one_line
from tui.app.server_options import duration_text


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model as the server view shows it."""

    key: str
    running: int
    waiting: int
    memory: int
    """Bytes."""
    goes_after: float | None
    """Seconds without work after which it goes; `None` is never."""
    loading: str = ""
    """How far it is loaded, while it is not yet."""


class ServedModels(Static):
    """Two lines for each model."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="pane")
        self._models: tuple[ServedModel, ...] | None = None

    def on_mount(self) -> None:
        self.border_title = "Loaded models"
        self.show(())

    def on_resize(self) -> None:
        self._draw()

    def show(self, models: Sequence[ServedModel]) -> None:
        """Draw other models, if they differ."""
        if tuple(models) != self._models:
            self._models = tuple(models)
            self._draw()

    def _draw(self) -> None:
        self.update(models_content(self._models or (), self.content_size.width), layout=False)


def models_content(models: Sequence[ServedModel], width: int) -> Content:
    """The models in lines of `width` cells."""
    if not models:
        return Content.styled(fit(" None. A request loads the one it names.", width), "$foreground 55%")
    parts: list[tuple[str, str]] = []
    for model in models:
        parts.append((" ● " if model.running else " ○ ", "$success" if model.running else "$foreground 60%"))
        parts.append((fit(one_line(model.key), width - 3) + "\n", "bold"))
        parts.append((fit(f"   {_work(model)}", width) + "\n", "$foreground 60%"))
    return Content.assemble(*parts)


def _work(model: ServedModel) -> str:
    if model.loading:
        return model.loading
    queue = f"{model.running} running, {model.waiting} waiting" if model.running or model.waiting else "idle"
    goes = f"goes after {duration_text(model.goes_after)}" if model.goes_after is not None else "stays"
    return f"{queue} · {bytes_text(model.memory)} · {goes}"
