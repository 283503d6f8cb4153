"""The lists of the model browser: repositories, and the choices of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.app.actions import bindings_for
from tui.app.figures import bytes_text, fit, one_line
from tui.app.hub_text import Choice, choice_state, fit_words, repository_figures
from tui.app.widgets.row_list import Pieces, RowList

if TYPE_CHECKING:
    from tui.models.hub import Repository

_FIT_WIDTH = 18
_MOST_NAME = 26


class RepositoryList(RowList["Repository"]):
    """Repositories that a search found, as they come. A diamond marks gated ones, a cross those of which no file fits
    this machine, as far as they have been looked at."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = bindings_for("repositories")

    def __init__(self) -> None:
        super().__init__("Models", classes="pane")
        self._too_large: set[str] = set()

    def mark_too_large(self, repository: str) -> None:
        """Show that no file of a repository fits this machine."""
        if repository not in self._too_large:
            self._too_large.add(repository)
            self.refresh()

    def key_of(self, item: Repository) -> str:
        return item.id

    def search_text(self, item: Repository) -> str:
        return f"{item.id} {item.licence} {item.architecture} {' '.join(item.tags)}"

    def pieces(self, item: Repository, width: int, *, at_cursor: bool) -> Pieces:
        figures = repository_figures(item, width)
        sign = ("✗ ", "problem") if item.id in self._too_large else ("◊ " if item.gated else "  ", "quiet")
        room = width - len(figures) - 3
        return [sign, (fit(one_line(item.id), room), "bold" if at_cursor else ""), (f"{figures} ", "quiet")]


class ChoiceList(RowList[Choice]):
    """The variants of a repository: size, whether it fits here, and whether it is here. A star marks the best one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = bindings_for("choices")

    def __init__(self) -> None:
        super().__init__("Files", classes="pane")

    def show_title(self, repository: str, hidden: int = 0) -> None:
        """Put the repository's name into the border, and how many of its files are not shown."""
        parts = ["Files", one_line(repository), f"{hidden} hidden" if hidden else ""]
        self.title = " · ".join(part for part in parts if part)
        self._show_title()

    def key_of(self, item: Choice) -> str:
        return item.variant.name

    def pieces(self, item: Choice, width: int, *, at_cursor: bool) -> Pieces:
        words, role = fit_words(item)
        state, state_role = choice_state(item)
        size = f"{bytes_text(item.variant.size):>8}"
        room = max(6, min(_MOST_NAME, width - 2 - len(size) - 2 - _FIT_WIDTH - 6))
        star = ("★ ", "focus") if item.best else ("  ", "")
        name = (fit(one_line(item.variant.name), room), "bold" if at_cursor or item.best else "")
        return [star, name, (size, "quiet"), ("  ", ""), (fit(words, _FIT_WIDTH), role), (f"{state:>5} ", state_role)]
