"""What can be set, and where it is kept: the declarations of every parameter, and the settings file."""

from tui.config.parameters import LOAD_PARAMETERS, SAMPLING_PARAMETERS, Parameter, parse_value, with_values
from tui.config.settings import Settings

__all__ = ["LOAD_PARAMETERS", "SAMPLING_PARAMETERS", "Parameter", "Settings", "parse_value", "with_values"]
