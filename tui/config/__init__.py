"""What can be set, and where it is kept: the declarations of every parameter, and the settings file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.parameters import LOAD_PARAMETERS, SAMPLING_PARAMETERS, Parameter, parse_value, with_values
    from tui.config.settings import Settings
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "parameters": "LOAD_PARAMETERS SAMPLING_PARAMETERS Parameter parse_value with_values",
            "settings": "Settings",
        },
    )

__all__ = ["LOAD_PARAMETERS", "SAMPLING_PARAMETERS", "Parameter", "Settings", "parse_value", "with_values"]
