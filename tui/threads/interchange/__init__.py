"""Threads that come from elsewhere and go elsewhere.

Every format is read into the same frozen tree and written from it: LM Studio's conversation files, our own JSON,
Markdown, HTML, and JSONL with OpenAI messages or in the form of ShareGPT. Files are looked at with suspicion; what
is wrong with one is said with its name, line and field, and then nothing of the import is kept.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.threads.interchange.exported import Exported
    from tui.threads.interchange.formats import EXPORT_FORMATS, FORMAT_TITLES, ExportFormat, ending_of, format_for
    from tui.threads.interchange.interchange import ExportReport, ImportReport, Interchange
    from tui.threads.interchange.names import file_name
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "exported": "Exported",
            "formats": "EXPORT_FORMATS FORMAT_TITLES ExportFormat ending_of format_for",
            "interchange": "ExportReport ImportReport Interchange",
            "names": "file_name",
        },
    )

__all__ = [
    "EXPORT_FORMATS",
    "FORMAT_TITLES",
    "ExportFormat",
    "ExportReport",
    "Exported",
    "ImportReport",
    "Interchange",
    "ending_of",
    "file_name",
    "format_for",
]
