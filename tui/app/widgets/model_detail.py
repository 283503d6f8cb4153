"""The details of one model, a section at a time."""

from __future__ import annotations

from typing import ClassVar

from tui.app.actions import bindings_for
from tui.app.model_text import SECTIONS
from tui.app.widgets.request_detail import RequestDetail


class ModelDetail(RequestDetail, inherit_bindings=False):
    """Draws the lines that it is given; the border names the sections."""

    BINDINGS = [*bindings_for("model"), *bindings_for("lists")]
    SECTIONS: ClassVar[tuple[str, ...]] = SECTIONS
    FIRST: ClassVar[str] = SECTIONS[0]
