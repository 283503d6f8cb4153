"""Import and export of the store's threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tui.domain import BadFile, StorageFailed
from tui.threads.attachments import Attachments
from tui.threads.changes import Undo, missing
from tui.threads.database import Database
from tui.threads.folders import folders_in_order, require_folder
from tui.threads.records import Folder
from tui.threads.interchange.formats import ExportFormat
