"""What can be set, and where it is kept: the declarations of every parameter, and the settings file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.load_parameters import LOAD_PARAMETERS
    from tui.config.parameters import Parameter, parse_value, value_text, with_values
    from tui.config.sampling_parameters import SAMPLING_PARAMETERS
    from tui.config.server_parameters import SERVER_PARAMETERS
    from tui.config.settings import Settings
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "load_parameters": "LOAD_PARAMETERS",
            "parameters": "Parameter parse_value value_text with_values",
            "sampling_parameters": "SAMPLING_PARAMETERS",
            "server_parameters": "SERVER_PARAMETERS",
            "settings": "Settings",
        },
    )

__all__ = [
    "LOAD_PARAMETERS",
    "SAMPLING_PARAMETERS",
    "SERVER_PARAMETERS",
    "Parameter",
    "Settings",
    "parse_value",
    "value_text",
    "with_values",
]
