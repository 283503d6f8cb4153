"""What model files there are on disk, and what can be done to them.

Reads the headers of GGUF files, which come from strangers and may be damaged or hostile, and keeps a catalogue of
our models folder and the stores of other programs, in which every file has either a description or the reason why it
cannot be used. `Library` adds what changes the folder: importing, deleting with undo, pins and last use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models.catalogue import Catalogue, SoFar, SourceState
    from tui.models.describe import Abilities
    from tui.models.gguf import GgufHeader, TensorInfo, read_header
    from tui.models.gguf_vocabulary import read_vocabulary
    from tui.models.stores import OWN, Source, known_sources
    from tui.models.usage import Usage
    from tui.models.variants import ModelEntry, entries
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "catalogue": "Catalogue SoFar SourceState",
            "describe": "Abilities",
            "gguf": "GgufHeader TensorInfo read_header",
            "gguf_vocabulary": "read_vocabulary",
            "stores": "OWN Source known_sources",
            "usage": "Usage",
            "variants": "ModelEntry entries",
        },
    )

__all__ = [
    "OWN",
    "Abilities",
    "Catalogue",
    "GgufHeader",
    "ModelEntry",
    "SoFar",
    "Source",
    "SourceState",
    "TensorInfo",
    "Usage",
    "entries",
    "known_sources",
    "read_header",
    "read_vocabulary",
]
