"""Downloads: a queue of jobs that get models from the Hub and end with verified files, or with a clear reason.

A job outlives the program: it goes on where it was. Every file is checked against the Hub's checksum before it gets its
name, and gets it only when all files of the job are whole.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models.downloads.downloads import Downloads
    from tui.models.downloads.records import Download, DownloadState, FileProgress
    from tui.models.downloads.transfer import Persistence
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "downloads": "Downloads",
            "records": "Download DownloadState FileProgress",
            "transfer": "Persistence",
        },
    )

__all__ = ["Download", "DownloadState", "Downloads", "FileProgress", "Persistence"]
