"""What model files there are on disk.

Reads the headers of GGUF files, which come from strangers and may be damaged or hostile, and keeps a catalogue of
the model folders in which every file has either a description or the reason why it cannot be used.
"""

from tui.models.catalogue import Catalogue
from tui.models.file_defaults import file_defaults
from tui.models.gguf import GgufHeader, TensorInfo, read_header
from tui.models.gguf_vocabulary import read_vocabulary

__all__ = ["Catalogue", "GgufHeader", "TensorInfo", "file_defaults", "read_header", "read_vocabulary"]
