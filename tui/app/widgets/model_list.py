"""The list of models: files, and what remote engines have."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from tui.app.actions import bindings_for
from tui.app.figures import bytes_text, context_text, fit, one_line, parameters_text
from tui.app.model_rows import abilities_text
from tui.app.model_text import abilities
from tui.app.widgets.row_list import Pieces, RowList
from tui.domain import ModelInfo

WIDTH_FOR_CONTEXT = 60
"""Cells from which on there is room for the trained context length, and for what the model can do."""
WIDTH_FOR_SOURCE = 80
"""Cells from which on there is room for the program to which the files belong."""


class ModelList(RowList[ModelInfo]):
    """Name, quantisation, size and context length; which engine has it, where that is another machine.

    A dot marks loaded models, two arrows remote ones, a cross those that cannot be used.
    """

    BINDINGS = bindings_for("models")

    def __init__(self) -> None:
        super().__init__("Models", classes="dialog")
        self.loaded: frozenset[str] = frozenset()

    def key_of(self, item: ModelInfo) -> str:
        return item.key

    def search_text(self, item: ModelInfo) -> str:
        return f"{item.key} {item.name} {item.publisher} {item.quantization} {item.architecture} {item.source}"

    def pieces(self, item: ModelInfo, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        context = context_text(item.context_length) if item.context_length else ""
        figures = f"{fit(item.quantization, 8)} {bytes_text(item.size):>8}"
        name = item.key
        if item.remote:
            figures = fit(self._remote_text(item), len(figures))
            name = item.name or item.remote
        if width >= WIDTH_FOR_CONTEXT:
            figures += f" {context:>6} {abilities_text(item):<3}"
        if width >= WIDTH_FOR_SOURCE:
            figures += f" {fit(item.source, 12)}"
        figures = f" {figures} "
        name = fit(one_line(name), width - 2 - cell_len(figures))
        if not item.usable:
            return [("✗ ", "quiet"), (name + figures, "quiet")]
        if item.remote:
            return [("⇄ ", "live"), (name, ""), (figures, "quiet")]
        loaded = item.key in self.loaded
        return [("● ", "live") if loaded else ("  ", ""), (name, "bold" if loaded else ""), (figures, "quiet")]

    def _remote_text(self, item: ModelInfo) -> str:
        if item.name:
            return f"on {item.remote}"
        return "asking…" if item.usable else "remote engine"


def details(model: ModelInfo | None, values: str = "") -> Content:
    """All that is known about one model, with the whole reason where it cannot be used.

    `values` is what became of the load parameters of a loaded one, as lines.
    """
    if model is None:
        return Content("")
    facts = [
        ", ".join(word for word, can in abilities(model) if can),
        model.architecture,
        f"{parameters_text(model.parameters)} parameters" if model.parameters else "",
        f"{model.layers} layers" if model.layers else "",
        f"trained for {model.context_length:,} tokens" if model.context_length else "",
        f"{len(model.files)} files" if len(model.files) > 1 else "",
    ]
    parts: list[str | tuple[str, str]] = []
    if model.problem:
        parts.append((f"✗ {one_line(model.problem)}\n", "$error"))
    elif not model.chat_template:
        parts.append(("It has no chat template of its own.\n", "$foreground 75%"))
    if line := " · ".join(one_line(fact) for fact in facts if fact):
        parts.append((f"{line}\n", "$foreground 75%"))
    parts.append((one_line(str(model.path)), "$foreground 60%"))
    if values:
        parts.append((f"\n{values}", "$foreground 75%"))
    return Content.assemble(*parts)
