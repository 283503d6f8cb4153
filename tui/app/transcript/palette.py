"""The colours of the transcript, taken from the stylesheet and so from the theme."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from rich.style import Style

from tui.app.transcript.inline import ADDRESS, BOLD, CODE, ITALIC, LINK, STRIKE

if TYPE_CHECKING:
    from textual.widget import Widget


_PLAIN = Style()


@dataclass(frozen=True)
class Palette:
    """One style for each thing that is drawn. Without a stylesheet all of them are plain."""

    text: Style = _PLAIN
    author: Style = _PLAIN
    dim: Style = _PLAIN
    rule: Style = _PLAIN
    heading: Style = _PLAIN
    inline_code: Style = _PLAIN
    link: Style = _PLAIN
    quote: Style = _PLAIN
    marker: Style = _PLAIN
    reasoning: Style = _PLAIN
    problem: Style = _PLAIN
    live: Style = _PLAIN
    cursor: Style = _PLAIN
    found: Style = _PLAIN
    code: Style = _PLAIN
    code_comment: Style = _PLAIN
    code_keyword: Style = _PLAIN
    code_string: Style = _PLAIN
    code_number: Style = _PLAIN
    code_name: Style = _PLAIN
    code_type: Style = _PLAIN
    code_inserted: Style = _PLAIN
    code_deleted: Style = _PLAIN
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
    styles: dict[str, Any] = {
        name: widget.get_component_rich_style(f"transcript--{name.replace('_', '-')}", default=_PLAIN) for name in NAMES
    }
    return Palette(**styles)
