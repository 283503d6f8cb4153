"""Asks for a file to go along with the message: a path that completes itself."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tui.app.figures import bytes_text
from tui.app.screens.pick_dialog import PickDialog
from tui.app.widgets.pick_list import PickRow

MOST_SHOWN = 500


class AttachDialog(PickDialog):
    """Folders open, files are picked. Answers with a path."""

    def __init__(
        self, folder: Path, title: str = "Attach an image or a text file", hint: str = "enter attach or open"
    ) -> None:
        super().__init__(title, complete, text=f"{folder}{os.sep}", empty="No file there begins so.", hint=hint)

    def picked(self, key: str) -> None:
        if key.endswith(os.sep):
            self.type(key)
        else:
            self.dismiss(key)

    def on_mount(self) -> None:
        # What is offered is changed at its end rather than replaced.
        self.call_after_refresh(lambda: self.type(self.typed))


async def complete(text: str) -> list[PickRow]:
    """What a path could go on to."""
    return await asyncio.to_thread(_entries, text)


def _entries(text: str) -> list[PickRow]:
    text = _whole_path(text)
    folder_text, _, beginning = text.rpartition(os.sep)
    try:
        folder = Path(folder_text + os.sep).expanduser() if folder_text or text.startswith(os.sep) else Path.cwd()
        with os.scandir(folder) as found:
            entries = [entry for entry in found if entry.name.lower().startswith(beginning.lower())]
    except (OSError, RuntimeError, ValueError):
        return []
    shown = [entry for entry in entries if beginning.startswith(".") or not entry.name.startswith(".")]
    shown.sort(key=lambda entry: (not _is_folder(entry), entry.name.lower()))
    return [_row(folder, entry) for entry in shown[:MOST_SHOWN]]


def _whole_path(text: str) -> str:
    """The path that is meant: who types or pastes a whole one behind the folder that is offered means that one."""
    for begin in (os.sep, f"~{os.sep}"):
        place = text.rfind(f"{os.sep}{begin}")
        text = text[place + 1 :] if place >= 0 else text
    return text


def _row(folder: Path, entry: os.DirEntry[str]) -> PickRow:
    if _is_folder(entry):
        return PickRow(f"{folder / entry.name}{os.sep}", entry.name + os.sep)
    try:
        size = bytes_text(entry.stat().st_size)
    except OSError:
        size = ""
    return PickRow(str(folder / entry.name), entry.name, after=size)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
