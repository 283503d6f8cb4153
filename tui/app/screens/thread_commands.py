"""What can be done to threads and folders from the main screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.app.figures import one_line
from tui.app.screens.thread_panes import SORT
from tui.app.thread_rows import sort_orders

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.threads import Folder, ThreadSummary

MANUAL = "manual"
WORDS = {"updated": "last use", "created": "age", "title": "title", MANUAL: "hand"}


def thread_in_hand(screen: ChatScreen) -> ThreadSummary | None:
    """The thread that a command means: the one under the cursor while the list has the focus, else the open one."""
    return screen.thread_list.thread if screen.thread_list.has_focus else screen.summary


def wanted_thread(screen: ChatScreen) -> ThreadSummary | None:
    """The thread in hand for what cannot be done to a folder; where there is none, says so."""
    thread = thread_in_hand(screen)
    if thread is None:
        folder = folder_in_hand(screen) is not None
        screen.notify("That works on threads, not on folders." if folder else "There is no thread yet.", markup=False)
    return thread


def folder_in_hand(screen: ChatScreen) -> Folder | None:
    """The folder under the cursor while the list has the focus."""
    return screen.thread_list.folder if screen.thread_list.has_focus else None


async def rename(screen: ChatScreen) -> None:
    """Ask for another title."""
    from tui.app.screens.dialogs import TextDialog

    folder, thread = folder_in_hand(screen), thread_in_hand(screen)
    named = folder or thread
    if named is None:
        return
    what = "folder" if folder else "thread"
    title = await screen.app.push_screen_wait(TextDialog(f"Rename the {what}", one_line(named.title)))
    if title:
        name = title
        undo = await screen.conversation.store(
            lambda store: store.folders.rename(named.id, name) if folder else store.rename_thread(named.id, name)
        )
        await screen.refresh_threads()
        screen.can_undo(undo)


async def delete(screen: ChatScreen) -> None:
    """Put a thread into the trash, or a folder with all that is in it. Answers that are coming are stopped and kept."""
    folder, thread = folder_in_hand(screen), thread_in_hand(screen)
    await screen.save_draft()
    if folder is not None:
        undo = await screen.conversation.store(lambda store: store.folders.delete(folder.id))
        await screen.refresh_threads()
        left = {summary.id for summary in screen.threads}
        gone = [conversation.thread_id for conversation in screen.conversations if conversation.thread_id not in left]
        said = f"Deleted the folder “{one_line(folder.title)}”; its threads are in the trash"
    elif thread is not None:
        screen.bridge.stop(thread.id)
        undo = await screen.conversation.store(lambda store: store.trash_thread(thread.id))
        gone, said = [thread.id], f"Deleted “{one_line(thread.title)}”"
    else:
        return
    await _close(screen, gone)
    await screen.refresh_threads()
    screen.can_undo(undo, said)


async def _close(screen: ChatScreen, gone: list[str]) -> None:
    """Show an empty thread where one of these was shown."""
    for thread_id in gone:
        screen.bridge.stop(thread_id)
        screen.bridge.waiting.pop(thread_id, None)
    for number, conversation in enumerate(screen.conversations):
        if conversation.thread_id and conversation.thread_id in gone:
            if number == screen.active:
                await screen.open_thread("")
            else:
                conversation.open_new()


async def pin(screen: ChatScreen) -> None:
    """Put a thread above the others, or back among them."""
    if thread := wanted_thread(screen):
        screen.can_undo(await screen.conversation.store(lambda store: store.pin_thread(thread.id, not thread.pinned)))
        await screen.refresh_threads()
        screen.thread_list.highlight(thread.id)


async def archive(screen: ChatScreen) -> None:
    """Take a thread out of the list; search and the archive still have it."""
    if thread := wanted_thread(screen):
        archived = thread.archived is None
        undo = await screen.conversation.store(lambda store: store.archive_thread(thread.id, archived))
        if archived:
            await _close(screen, [thread.id])
        await screen.refresh_threads()
        title = one_line(thread.title)
        screen.can_undo(undo, f"“{title}” is in the archive (ctrl+g A)" if archived else f"Brought “{title}” back")


async def duplicate(screen: ChatScreen) -> None:
    """Make a copy with all versions and attachments, and open it."""
    if thread := wanted_thread(screen):
        copy = await screen.conversation.store(lambda store: store.duplicate_thread(thread.id))
        await screen.open_thread(copy.id)


async def sort(screen: ChatScreen) -> None:
    """Put the threads into the next order."""
    orders = sort_orders()
    now = str(screen.workbench.settings.get(SORT, orders[0]))
    after = orders[(orders.index(now) + 1) % len(orders)] if now in orders else orders[0]
    await asyncio.to_thread(screen.workbench.settings.set, SORT, after)
    screen.notify(f"Sorted by {WORDS.get(after, after)}.", markup=False)
    await screen.refresh_threads()


async def shift(screen: ChatScreen, step: int) -> None:
    """Move the thread or folder under the cursor one place up or down among its neighbours."""
    rows, current = screen.thread_list.items, screen.thread_list.current
    if current is None:
        return
    if not current.folder and screen.workbench.settings.get(SORT) != MANUAL:
        await asyncio.to_thread(screen.workbench.settings.set, SORT, MANUAL)
        screen.notify("Sorted by hand now. J and K move, s sorts otherwise.", markup=False)
        await screen.refresh_threads()
        return
    neighbours = [
        screen.thread_list.key_of(row)
        for row in rows
        if bool(row.folder) == bool(current.folder) and _home(row) == _home(current)
    ]
    key = screen.thread_list.key_of(current)
    place = neighbours.index(key)
    others = [other for other in neighbours if other != key]
    target = place + step
    if not 0 <= target <= len(others):
        return
    before = others[target] if target < len(others) else None
    if current.folder:
        folder = current.folder
        undo = await screen.conversation.store(
            lambda store: store.folders.move(folder.id, folder.parent_id, before=before)
        )
    else:
        thread = current.thread
        assert thread is not None
        undo = await screen.conversation.store(
            lambda store: store.move_thread(thread.id, thread.folder_id, before=before)
        )
    screen.undos.append(undo)
    await screen.refresh_threads()
    screen.thread_list.highlight(key)


def _home(row: Any) -> tuple[str | None, bool]:
    if row.folder:
        return row.folder.parent_id, False
    return row.thread.folder_id, row.thread.pinned


async def new_folder(screen: ChatScreen) -> None:
    """Ask for a title, and make a folder in the one under the cursor."""
    from tui.app.screens.dialogs import TextDialog

    inside = screen.thread_list.folder if screen.thread_list.has_focus else None
    where = f"New folder in “{one_line(inside.title)}”" if inside else "New folder"
    title = await screen.app.push_screen_wait(TextDialog(where, ""))
    if title:
        parent = inside.id if inside else None
        folder = await screen.conversation.store(lambda store: store.folders.create(title, parent_id=parent))
        await screen.refresh_threads()
        if not screen.thread_list.display:
            screen.action_toggle_threads()
        screen.thread_list.focus()
        screen.thread_list.highlight(folder.id)


async def new_here(screen: ChatScreen) -> None:
    """Begin a thread in the folder under the cursor."""
    folder_id = screen.thread_list.folder_id
    screen.action_leave_threads()
    await screen.open_thread("", folder_id=folder_id)


async def move(screen: ChatScreen) -> None:
    """Ask for a folder, and move the thread or folder there."""
    from tui.app.screens.move_dialog import TOP, choose_folder

    folder, thread = folder_in_hand(screen), thread_in_hand(screen)
    if folder is None and thread is None:
        return
    target = await choose_folder(screen, folder)
    if target is None:
        return
    parent = None if target == TOP else target
    if folder is not None:
        undo = await screen.conversation.store(lambda store: store.folders.move(folder.id, parent))
    else:
        assert thread is not None
        undo = await screen.conversation.store(lambda store: store.move_thread(thread.id, parent))
    await screen.refresh_threads()
    screen.thread_list.highlight(folder.id if folder else thread.id if thread else "")
    screen.can_undo(undo)


async def open_beside(screen: ChatScreen) -> None:
    """Show the thread under the cursor in the other transcript."""
    thread = thread_in_hand(screen)
    screen.action_leave_threads()
    await screen.split_view()
    if thread is not None:
        await screen.open_thread(thread.id)


async def generate_title(screen: ChatScreen) -> None:
    """Let the thread's model find a title."""
    from tui.app.screens.titling import title_thread

    thread = wanted_thread(screen)
    if thread is None:
        return
    model = screen.model_of(thread.id)
    if thread.title_origin == "person":
        screen.notify("You have named this thread yourself. r renames it.", markup=False)
    elif model is None:
        screen.notify("No model is loaded that could find a title.", markup=False)
    elif model.builtin:
        screen.notify("The guide is too small to find titles. r renames the thread.", markup=False)
    elif undo := await title_thread(screen, thread.id):
        named = screen.summary_of(thread.id)
        screen.can_undo(undo, f"Title: {one_line(named.title)}" if named else "")
    else:
        screen.notify("The model found no title.", markup=False)


COMMANDS: dict[str, Callable[[ChatScreen], Coroutine[Any, Any, None]]] = {
    "rename": rename,
    "delete": delete,
    "pin": pin,
    "archive": archive,
    "duplicate": duplicate,
    "sort": sort,
    "up": lambda screen: shift(screen, -1),
    "down": lambda screen: shift(screen, 1),
    "new_folder": new_folder,
    "new_here": new_here,
    "move": move,
    "beside": open_beside,
    "title": generate_title,
}
"""What `ChatScreen.action_thread` can be asked for."""
