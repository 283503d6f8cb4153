"""The colours of the transcript, taken from the stylesheet and so from the theme."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from rich.style import Style

from tui.app.transcript.inline import ADDRESS, BOLD, CODE, ITALIC, LINK, STRIKE

if TYPE_CHECKING:
    from textual.widget import Widget


@dataclass(frozen=True)
class Palette:
    """One style for each thing that is drawn. Without a stylesheet all of them are plain."""

    text: Style = Style()
    author: Style = Style()
    dim: Style = Style()
    rule: Style = Style()
    heading: Style = Style()
    inline_code: Style = Style()
    link: Style = Style()
    quote: Style = Style()
    marker: Style = Style()
    reasoning: Style = Style()
    problem: Style = Style()
    live: Style = Style()
    cursor: Style = Style()
    code: Style = Style()
    code_comment: Style = Style()
    code_keyword: Style = Style()
    code_string: Style = Style()
    code_number: Style = Style()
    code_name: Style = Style()
    code_type: Style = Style()
    code_inserted: Style = Style()
    code_deleted: Style = Style()
    _marked: dict[tuple[int, Style], Style] = field(default_factory=dict, compare=False, repr=False)

    def marked(self, mark: int, base: Style) -> Style:
        """The style of a run with these bits (see `inline`) in text that is otherwise drawn as `base`."""
        if not mark:
            return base
        style = self._marked.get((mark, base))
        if style is None:
            style = base
            if mark & CODE:
                style += self.inline_code
            if mark & LINK:
                style += self.link
            if mark & ADDRESS:
                style += self.dim
            style += Style(
                bold=True if mark & BOLD else None,
                italic=True if mark & ITALIC else None,
                strike=True if mark & STRIKE else None,
            )
            self._marked[mark, base] = style
        return style

    def token(self, kind: str) -> Style:
        """The style of a piece of code, by the kinds that `highlight` knows."""
        style: Style = getattr(self, f"code_{kind}") if kind else self.code
        return style


NAMES = tuple(entry.name for entry in fields(Palette) if not entry.name.startswith("_"))
COMPONENT_CLASSES = {f"transcript--{name.replace('_', '-')}" for name in NAMES}
"""The names of the styles in the stylesheet."""


def palette_of(widget: Widget) -> Palette:
    """The palette that the stylesheet gives a widget with these component classes."""
    return Palette(**{
        name: widget.get_component_rich_style(f"transcript--{name.replace('_', '-')}") for name in NAMES
    })  # fmt: skip
