"""What can be done to threads from the main screen: rename, delete, bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.figures import one_line

if TYPE_CHECKING:
    from tui.app.screens.thread_panes import ThreadPanes
    from tui.threads import ThreadSummary


def thread_in_hand(screen: ThreadPanes) -> ThreadSummary | None:
    """The thread that a command means: the one under the cursor while the list has the focus, else the open one."""
    return screen.thread_list.current if screen.thread_list.has_focus else screen.summary


def rename(screen: ThreadPanes) -> None:
    """Ask for another title."""
    from tui.app.screens.dialogs import TextDialog

    thread = thread_in_hand(screen)
    if thread is None:
        return

    async def keep(title: str) -> None:
        await screen.conversation.store(lambda threads: threads.rename_thread(thread.id, title))
        await screen.refresh_threads()

    def answered(title: str | None) -> None:
        if title:
            screen.begin(keep(title))

    screen.app.push_screen(TextDialog("Rename the thread", one_line(thread.title)), answered)


async def delete(screen: ThreadPanes) -> None:
    """Put a thread into the trash. An answer that is coming there is stopped, and kept with it."""
    thread = thread_in_hand(screen)
    if thread is None:
        return
    screen.conversation.bridge.stop(thread.id)
    await screen.save_draft()
    await screen.conversation.store(lambda threads: threads.trash_thread(thread.id))
    screen.conversation.waiting.pop(thread.id, None)
    screen.deleted.append(thread)
    if thread.id == screen.conversation.thread_id:
        await screen.open_thread("")
    await screen.refresh_threads()
    screen.refresh_bindings()
    # Outside the composer u undoes it; inside, where letters are text, the go overlay does.
    screen.notify(f"Deleted “{one_line(thread.title)}”. u brings it back (ctrl+g u anywhere).", markup=False)


async def undo_delete(screen: ThreadPanes) -> None:
    """Bring back the thread that was deleted last."""
    if not screen.deleted:
        return
    thread = screen.deleted[-1]
    await screen.conversation.store(lambda threads: threads.restore_thread(thread.id))
    screen.deleted.pop()
    await screen.refresh_threads()
    await screen.open_thread(thread.id)
    screen.refresh_bindings()
