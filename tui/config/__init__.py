"""What can be set, where it is kept, and what counts in the end: the declarations of every parameter, the settings
file, presets, the defaults of models, the layers that decide each value, and the file of remote engines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.custom_fields import field_key, field_parameters
    from tui.config.decisions import Decisions
    from tui.config.guardrail import guardrail_setting
    from tui.config.layers import Collapsed, Layer, LayerName, Source, collapse
    from tui.config.lmstudio_keys import OWN_PREFIX, ReadFields, Unread, read_fields, read_parts, write_parts
    from tui.config.lmstudio_labels import LM_STUDIO_LABELS
    from tui.config.load_parameters import LOAD_PARAMETERS
    from tui.config.load_sections import LOAD_SECTIONS
    from tui.config.model_defaults import ImportedDefaults, ModelDefaultsStore, SavedDefaults
    from tui.config.model_places import BUILT_IN_SETTING, model_folders, other_programs
    from tui.config.parameters import Parameter, parse_value, value_text, with_values
    from tui.config.presets import Preset, PresetStore, preset_name
    from tui.config.remotes import RemoteStore
    from tui.config.sampling_parameters import ANSWER_PARAMETERS, SAMPLING_PARAMETERS
    from tui.config.server_parameters import SERVER_PARAMETERS
    from tui.config.settings import Settings
    from tui.config.speeds import Speed, SpeedStore
    from tui.config.values import (
        CONSTRAINT_KEY,
        CUSTOM_PREFIX,
        changed_values,
        checked_value,
        checked_values,
        default_values,
        label_of,
        parameters_by_key,
        to_json,
        values_of,
    )
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "custom_fields": "field_key field_parameters",
            "decisions": "Decisions",
            "guardrail": "guardrail_setting",
            "layers": "Collapsed Layer LayerName Source collapse",
            "lmstudio_keys": "OWN_PREFIX ReadFields Unread read_fields read_parts write_parts",
            "load_parameters": "LOAD_PARAMETERS",
            "load_sections": "LOAD_SECTIONS",
            "lmstudio_labels": "LM_STUDIO_LABELS",
            "model_defaults": "ImportedDefaults SavedDefaults ModelDefaultsStore",
            "model_places": "BUILT_IN_SETTING model_folders other_programs",
            "parameters": "Parameter parse_value value_text with_values",
            "presets": "Preset PresetStore preset_name",
            "remotes": "RemoteStore",
            "sampling_parameters": "ANSWER_PARAMETERS SAMPLING_PARAMETERS",
            "server_parameters": "SERVER_PARAMETERS",
            "settings": "Settings",
            "speeds": "Speed SpeedStore",
            "values": "CONSTRAINT_KEY CUSTOM_PREFIX changed_values checked_value checked_values default_values "
            "label_of parameters_by_key to_json values_of",
        },
    )

__all__ = [
    "ANSWER_PARAMETERS",
    "BUILT_IN_SETTING",
    "CONSTRAINT_KEY",
    "CUSTOM_PREFIX",
    "LM_STUDIO_LABELS",
    "LOAD_PARAMETERS",
    "LOAD_SECTIONS",
    "OWN_PREFIX",
    "SAMPLING_PARAMETERS",
    "SERVER_PARAMETERS",
    "Collapsed",
    "Decisions",
    "ImportedDefaults",
    "Layer",
    "LayerName",
    "ModelDefaultsStore",
    "Parameter",
    "Preset",
    "PresetStore",
    "ReadFields",
    "RemoteStore",
    "SavedDefaults",
    "Settings",
    "Source",
    "Speed",
    "SpeedStore",
    "Unread",
    "changed_values",
    "checked_value",
    "checked_values",
    "collapse",
    "default_values",
    "field_key",
    "field_parameters",
    "guardrail_setting",
    "label_of",
    "model_folders",
    "other_programs",
    "parameters_by_key",
    "parse_value",
    "preset_name",
    "read_fields",
    "read_parts",
    "to_json",
    "value_text",
    "values_of",
    "with_values",
    "write_parts",
]
