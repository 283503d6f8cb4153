"""Taking threads out of lmdeck and bringing them in: the dialogs around `ThreadStore.interchange`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tui.app.figures import one_line
from tui.app.screens.pick_dialog import PickDialog
from tui.app.screens.thread_commands import folder_in_hand, thread_in_hand
from tui.app.widgets.pick_list import PickRow

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.threads import ExportFormat, ExportReport, ThreadStore

EXPORT_FOLDER = "export_folder"
"""The setting that says where something was exported to last."""

What = Literal["thread", "message"]


async def export(screen: ChatScreen, what: What = "thread") -> None:
    """Ask for a format and a place, and write the thread, folder or message in hand there."""
    from tui.app.screens.dialogs import TextDialog
    from tui.threads import ending_of, file_name

    folder = folder_in_hand(screen) if what == "thread" else None
    thread = screen.summary if what == "message" else thread_in_hand(screen)
    shown = screen.transcript.cursor_message() if what == "message" else None
    named = folder or thread
    if named is None or (what == "message" and shown is None):
        screen.notify("There is nothing to export yet.", markup=False)
        return
    title = f"“{one_line(named.title)}”" if what == "thread" else "the message"
    chosen = await _choose_format(screen, f"Export {title} as")
    if chosen is None:
        return
    home = Path(str(screen.workbench.settings.get(EXPORT_FOLDER, screen.workbench.paths.data / "exports")))
    name = file_name(named.title) + (".zip" if folder else ending_of(chosen))
    answer = await screen.app.push_screen_wait(TextDialog("Export to", str(home / name), "enter write · esc cancel"))
    if answer is None:
        return
    target = Path(answer).expanduser()

    def write(store: ThreadStore) -> ExportReport:
        if folder is not None:
            return store.interchange.export_folder(folder.id, target, chosen)
        return store.interchange.export_thread(named.id, target, chosen, message_id=shown.id if shown else None)

    report = await screen.conversation.store(write)
    screen.deck.remember(EXPORT_FOLDER, str(report.path.parent))
    count = f"{report.threads} threads" if report.threads != 1 else "Exported"
    screen.notify(f"{count} to {report.path}.", markup=False)
    if report.left_out:
        screen.deck.warn("The format has no room for: " + "; ".join(report.left_out) + ".")


async def _choose_format(screen: ChatScreen, title: str) -> ExportFormat | None:
    from tui.threads import EXPORT_FORMATS, FORMAT_TITLES, ending_of

    order = sorted(EXPORT_FORMATS, key=lambda chosen: chosen != "markdown")

    async def look_up(text: str) -> list[PickRow]:
        rows = [PickRow(chosen, FORMAT_TITLES[chosen], after=ending_of(chosen)) for chosen in order]
        return [row for row in rows if text.casefold() in f"{row.key} {row.text}".casefold()]

    key = await screen.app.push_screen_wait(PickDialog(title, look_up, hint="enter choose"))
    return next((chosen for chosen in EXPORT_FORMATS if chosen == key), None)


async def bring_in(screen: ChatScreen) -> None:
    """Ask for a file, and import all threads that are in it."""
    from tui.app.screens.attach_dialog import AttachDialog

    home = Path(str(screen.workbench.settings.get(EXPORT_FOLDER, Path.cwd())))
    folder_id = screen.thread_list.folder_id if screen.thread_list.has_focus else None
    path = await screen.app.push_screen_wait(AttachDialog(home, "Import threads from a file", "enter import or open"))
    if path is None:
        return
    report = await screen.conversation.store(
        lambda store: store.interchange.import_from(Path(path), folder_id=folder_id)
    )
    await screen.refresh_threads()
    count = len(report.thread_ids)
    screen.can_undo(report.undo, f"Imported {'1 thread' if count == 1 else f'{count} threads'}")
    if report.thread_ids:
        screen.action_leave_threads()
        await screen.open_thread(report.thread_ids[0])
