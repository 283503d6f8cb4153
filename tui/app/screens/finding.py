"""Finding threads: by their words, by a few letters of their title, and those that were put away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.app.figures import age_text, one_line
from tui.app.screens.pick_dialog import LookUp, PickDialog
from tui.app.widgets.pick_list import PickRow

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.threads import SearchHit, ThreadSummary

SEPARATOR = "\n"
"""Between the ids of a thread and of its message in a key; no id has one."""


async def search(screen: ChatScreen) -> None:
    """Look for words in all messages and titles, and open the thread at the message that has them."""

    async def look_up(text: str) -> list[PickRow]:
        if not text.strip():
            return []
        return [_hit_row(hit) for hit in await screen.conversation.store(lambda store: store.finder.search(text))]

    dialog = PickDialog("Search all threads", look_up, empty="No message and no title has these words.")
    key = await screen.app.push_screen_wait(dialog)
    if key is None:
        return
    thread_id, _, message_id = key.partition(SEPARATOR)
    screen.action_leave_threads()
    await screen.open_thread(thread_id, message_id)
    if message_id:
        if screen.conversation.stored(message_id) is None and not screen.bridge.running(thread_id):
            # It stands in another branch than the one that was shown last.
            await screen.conversation.store(lambda store: store.editor.activate(message_id))
            await screen.conversation.reload(message_id)
        screen.transcript.look_for_words(dialog.typed)
        screen.transcript.focus()


def _hit_row(hit: SearchHit) -> PickRow:
    where = one_line(hit.thread.title) or "Untitled"
    key = f"{hit.thread.id}{SEPARATOR}{hit.message_id or ''}"
    who = {"user": "you", "assistant": "model", "": "title"}.get(hit.role, hit.role)
    return PickRow(key, hit.snippet, hit.spans, before=where, after=who)


async def jump(screen: ChatScreen) -> None:
    """Open a thread by a few letters of its title."""

    async def look_up(text: str) -> list[PickRow]:
        hits = await screen.conversation.store(lambda store: store.finder.jump(text))
        return [
            PickRow(
                hit.thread.id,
                hit.thread.title or "Untitled",
                tuple((place, place + 1) for place in hit.positions),
                after=f"{'archived ' if hit.thread.archived else ''}{_age(hit.thread)}",
            )
            for hit in hits
        ]

    key = await screen.app.push_screen_wait(
        PickDialog("Jump to a thread", look_up, empty="No title has these letters in this order.")
    )
    if key is not None:
        screen.action_leave_threads()
        await screen.open_thread(key)


async def archived(screen: ChatScreen) -> None:
    """Show the archive; what is picked comes back into the list."""
    threads = await screen.conversation.store(lambda store: store.list_threads("archived"))
    if not threads:
        screen.notify("The archive is empty. In the list of threads, a puts one there.", markup=False)
        return
    empty = "No title in the archive has this."
    key = await screen.app.push_screen_wait(
        PickDialog("Archive", _filter(threads), empty=empty, hint="enter bring back and open")
    )
    if key is not None:
        screen.can_undo(await screen.conversation.store(lambda store: store.archive_thread(key, False)))
        screen.action_leave_threads()
        await screen.open_thread(key)


async def trash(screen: ChatScreen) -> None:
    """Show the trash; what is picked comes back."""
    threads = await screen.conversation.store(lambda store: store.list_threads("trashed"))
    if not threads:
        screen.notify("The trash is empty.", markup=False)
        return
    key = await screen.app.push_screen_wait(
        PickDialog("Trash", _filter(threads), empty="No title in the trash has this.", hint="enter bring back and open")
    )
    if key is not None:
        screen.can_undo(await screen.conversation.store(lambda store: store.restore_thread(key)))
        screen.action_leave_threads()
        await screen.open_thread(key)


async def empty_trash(screen: ChatScreen) -> None:
    """Remove for good what is in the trash, after asking."""
    from tui.app.screens.dialogs import ConfirmDialog

    count = len(await screen.conversation.store(lambda store: store.list_threads("trashed")))
    if not count:
        screen.notify("The trash is empty.", markup=False)
        return
    what = "1 thread" if count == 1 else f"{count:,} threads"
    question = f"{what} in the trash would be gone for good, with all deleted messages. This cannot be undone."
    if await screen.app.push_screen_wait(ConfirmDialog("Empty the trash?", question, "remove for good")):
        removed = await screen.conversation.store(lambda store: store.empty_trash())
        screen.undos.clear()
        screen.redos.clear()
        screen.refresh_bindings()
        screen.notify(f"{'1 thread' if removed == 1 else f'{removed:,} threads'} removed.", markup=False)


def _filter(threads: list[ThreadSummary]) -> LookUp:
    async def look_up(text: str) -> list[PickRow]:
        words = text.casefold().split()
        return [
            PickRow(thread.id, thread.title or "Untitled", after=_age(thread))
            for thread in threads
            if all(word in thread.title.casefold() for word in words)
        ]

    return look_up


def _age(thread: ThreadSummary) -> str:
    return age_text(max(0.0, time.time() - thread.updated))
