"""What can be set, and where it is kept: the declarations of every parameter, the settings file, and the
file of remote engines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.guardrail import guardrail_setting
    from tui.config.load_parameters import LOAD_PARAMETERS
    from tui.config.load_sections import LOAD_SECTIONS
    from tui.config.model_places import model_folders, other_programs
    from tui.config.parameters import Parameter, parse_value, value_text, with_values
    from tui.config.remotes import RemoteStore
    from tui.config.sampling_parameters import SAMPLING_PARAMETERS
    from tui.config.server_parameters import SERVER_PARAMETERS
    from tui.config.settings import Settings
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "guardrail": "guardrail_setting",
            "load_parameters": "LOAD_PARAMETERS",
            "load_sections": "LOAD_SECTIONS",
            "model_places": "model_folders other_programs",
            "parameters": "Parameter parse_value value_text with_values",
            "remotes": "RemoteStore",
            "sampling_parameters": "SAMPLING_PARAMETERS",
            "server_parameters": "SERVER_PARAMETERS",
            "settings": "Settings",
        },
    )

__all__ = [
    "LOAD_PARAMETERS",
    "LOAD_SECTIONS",
    "SAMPLING_PARAMETERS",
    "SERVER_PARAMETERS",
    "Parameter",
    "RemoteStore",
    "Settings",
    "guardrail_setting",
    "model_folders",
    "other_programs",
    "parse_value",
    "value_text",
    "with_values",
]
