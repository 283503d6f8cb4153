"""What model files there are on disk, and what can be done to them.

Reads the headers of GGUF files, which come from strangers and may be damaged or hostile, and keeps a catalogue of
our models folder and the stores of other programs, in which every file has either a description or the reason why it
cannot be used. `Library` adds what changes the folder: importing, deleting with undo, pins and last use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models.catalogue import Catalogue, SoFar, SourceState
    from tui.models.defaults_in_file import file_defaults
    from tui.models.describe import Abilities
    from tui.models.details import ModelDetails, read_details
    from tui.models.file_manager import folder_opener
    from tui.models.gguf import GgufHeader, TensorInfo, read_header
    from tui.models.gguf_vocabulary import read_vocabulary
    from tui.models.importing import Import, Way
    from tui.models.library import Library
    from tui.models.metadata import MetadataItem, read_metadata
    from tui.models.stores import OWN, Source, known_sources
    from tui.models.trash import TrashedModel
    from tui.models.usage import Usage
    from tui.models.variants import ModelEntry, entries
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "catalogue": "Catalogue SoFar SourceState",
            "describe": "Abilities",
            "details": "ModelDetails read_details",
            "defaults_in_file": "file_defaults",
            "file_manager": "folder_opener",
            "gguf": "GgufHeader TensorInfo read_header",
            "gguf_vocabulary": "read_vocabulary",
            "importing": "Import Way",
            "library": "Library",
            "metadata": "MetadataItem read_metadata",
            "stores": "OWN Source known_sources",
            "trash": "TrashedModel",
            "usage": "Usage",
            "variants": "ModelEntry entries",
        },
    )

__all__ = [
    "OWN",
    "Abilities",
    "Catalogue",
    "GgufHeader",
    "Import",
    "Library",
    "MetadataItem",
    "ModelDetails",
    "ModelEntry",
    "SoFar",
    "Source",
    "SourceState",
    "TensorInfo",
    "TrashedModel",
    "Usage",
    "Way",
    "entries",
    "file_defaults",
    "folder_opener",
    "known_sources",
    "read_details",
    "read_header",
    "read_metadata",
    "read_vocabulary",
]
