"""The load parameters of one model."""

from __future__ import annotations

from tui.app.actions import bindings_for
from tui.app.widgets.parameter_form import ParameterForm


class LoadForm(ParameterForm):
    """A form whose keys load, fit, and save as well."""

    BINDINGS = bindings_for("load")
