"""Asks into which folder something shall go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.figures import one_line
from tui.app.screens.pick_dialog import PickDialog
from tui.app.widgets.pick_list import PickRow

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.threads import Folder

TOP = "top"
"""The key of the place outside all folders."""

NEW = "new:"
"""What the key of a folder begins with that does not exist yet; its title follows."""


async def choose_folder(screen: ChatScreen, moved: Folder | None) -> str | None:
    """The id of a folder, made if need be, or `TOP`; `None` if nothing was chosen. Not inside the folder `moved`."""
    folders = await screen.conversation.store(lambda store: store.folders.all())
    paths = _paths(folders, moved.id if moved else "")

    async def look_up(text: str) -> list[PickRow]:
        words = text.casefold().split()
        rows = [PickRow(TOP, "(outside all folders)")] if not words else []
        rows += [PickRow(key, path) for key, path in paths.items() if all(word in path.casefold() for word in words)]
        known = any(path.casefold() == text.strip().casefold() for path in paths.values())
        if words and not known:
            rows.append(PickRow(NEW + text.strip(), f"new folder “{one_line(text.strip())}”"))
        return rows

    key = await screen.app.push_screen_wait(PickDialog("Move to folder", look_up, hint="enter move"))
    if key is None or not key.startswith(NEW):
        return key
    return (await screen.conversation.store(lambda store: store.folders.create(key.removeprefix(NEW)))).id


def _paths(folders: list[Folder], without: str) -> dict[str, str]:
    """The folders by id, each with the titles of those around it, leaving out one with all that is in it."""
    paths: dict[str, str] = {}
    for folder in folders:
        if folder.id == without or (folder.parent_id is not None and folder.parent_id not in paths):
            continue
        around = f"{paths[folder.parent_id]} / " if folder.parent_id else ""
        paths[folder.id] = around + (one_line(folder.title) or "Untitled")
    return paths
