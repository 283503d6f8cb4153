"""What can be done to the models of the table: load, pin, delete and bring back, import, show where they lie."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from tui.app.figures import bytes_text, one_line
from tui.app.model_text import section_text
from tui.app.screens.asking_load import ask_how_to_load
from tui.app.screens.copying import copy_text

if TYPE_CHECKING:
    from tui.app.screens.library import LibraryScreen
    from tui.domain import ModelInfo
    from tui.engine import LoadedModel
    from tui.models import Import


def empty_text(screen: LibraryScreen) -> str:
    """What the table says while there is no model."""
    return (
        "No models yet.\n\nPut a GGUF file into this folder, or into a folder below it:\n"
        f"{screen.workbench.paths.models}\n\nOr press a to import a file from elsewhere. The models of LM Studio, "
        "Hugging Face, llama.cpp and Ollama are listed by themselves, where they are. This list refreshes by itself."
    )


def load(screen: LibraryScreen) -> None:
    """Ask for load parameters; those of a loaded model are the ones it has."""
    row = screen.row
    if row is None:
        return
    model = row.info
    if not model.usable:
        screen.notify(f"{model.key} cannot be loaded. {one_line(model.problem)}", markup=False)
        return

    def ended(loaded: LoadedModel | None) -> None:
        if loaded is not None:
            screen.dismiss(loaded.key)
        else:
            screen.look()

    asking = ask_how_to_load(screen.deck, model, screen.loaded.get(model.key), ended)
    screen.run_worker(screen.deck.attempt(asking), group="parameters", exclusive=True)


def unload(screen: LibraryScreen) -> None:
    """Free a loaded model, asking first while it answers."""
    from tui.app.screens.dialogs import ConfirmDialog

    present = screen.loaded.get(screen.row.info.key) if screen.row is not None else None
    if present is None:
        return
    key = present.key

    async def go() -> None:
        await asyncio.to_thread(screen.workbench.unload, key)
        screen.look()

    def answered(confirmed: bool | None) -> None:
        if confirmed:
            screen.begin(go())

    if present.running:
        question = f"{key} is answering. What has come so far is kept."
        screen.app.push_screen(ConfirmDialog("Unload?", question, "unload"), answered)
    else:
        answered(True)


def pin(screen: LibraryScreen) -> None:
    """Pin the model under the cursor, or let it go; an entry pins the variant that its name means."""
    row = screen.row
    if row is None:
        return
    models = [
        model for model in (row.variants or (row.info,)) if not row.pinned or screen.workbench.usage.pinned(model)
    ]

    async def go() -> None:
        for model in models if row.pinned else [row.info]:
            await asyncio.to_thread(screen.workbench.usage.pin, model, not row.pinned)
        await screen.show_rows()
        screen.rows.highlight(row.id)

    screen.begin(go())


def delete(screen: LibraryScreen) -> None:
    """Put a model into the trash. Of several variants all are asked for; nothing else needs a question."""
    from tui.app.screens.dialogs import ConfirmDialog

    row = screen.row
    if row is None:
        return
    models = list(row.variants or (row.info,))

    def answered(confirmed: bool | None) -> None:
        if confirmed:
            screen.begin(_delete(screen, models))

    if len(models) == 1:
        answered(True)
        return
    question = f"All {len(models)} variants of {row.name} ({bytes_text(row.size)}). space shows them one by one."
    screen.app.push_screen(ConfirmDialog("Delete?", question, "delete all"), answered)


async def _delete(screen: LibraryScreen, models: list[ModelInfo]) -> None:
    library = screen.workbench.library
    for model in models:
        await asyncio.to_thread(library.check_removable, model)
    for model in models:
        await asyncio.to_thread(library.delete, model)
    what = models[0].key if len(models) == 1 else f"{len(models)} models"
    screen.notify(f"{what} went to the trash for a week. u brings it back, X empties the trash.", markup=False)
    screen.look()


def undo(screen: LibraryScreen) -> None:
    """Bring back what was deleted last."""

    async def go() -> None:
        trashed = await asyncio.to_thread(screen.workbench.library.restore)
        screen.notify(f"{trashed.key} is back.", markup=False)
        screen.look()

    screen.begin(go())


def empty_trash(screen: LibraryScreen) -> None:
    """Delete for good what is in the trash, asking first."""
    from tui.app.screens.dialogs import ConfirmDialog

    if not screen.trash:
        screen.notify("The trash is empty.", markup=False)
        return

    async def go() -> None:
        freed = await asyncio.to_thread(screen.workbench.library.empty_trash)
        screen.notify(f"Freed {bytes_text(freed)}.", markup=False)
        screen.look()

    def answered(confirmed: bool | None) -> None:
        if confirmed:
            screen.begin(go())

    names = ", ".join(item.key for item in screen.trash[:3])
    more = f" and {len(screen.trash) - 3} more" if len(screen.trash) > 3 else ""
    size = bytes_text(sum(item.size for item in screen.trash))
    question = f"{names}{more} ({size}) cannot be brought back then."
    screen.app.push_screen(ConfirmDialog("Empty the trash?", question, "delete for good"), answered)


def import_file(screen: LibraryScreen) -> None:
    """Ask which file to import, and how."""
    from tui.app.screens.import_dialog import ImportDialog

    def answered(plan: Import | None) -> None:
        if plan is not None:
            screen.begin(_import(screen, plan))

    screen.app.push_screen(ImportDialog(screen.workbench), answered)


async def _import(screen: LibraryScreen, plan: Import) -> None:
    done = [0.0]

    def report(bytes_done: int, size: int) -> bool:
        done[0] = bytes_done / max(1, size)
        return screen.is_attached

    def show() -> None:
        if done[0]:
            screen.pane.border_subtitle = f"importing {plan.files[0][0].name} {done[0]:4.0%}"

    watch = screen.set_interval(0.25, show)
    try:
        model = await asyncio.to_thread(screen.workbench.library.carry_out, plan, report)
    finally:
        watch.stop()
    screen.notify(f"Imported as {model.key}." if model else "Imported.", markup=False)
    screen.look()


def copy_path(screen: LibraryScreen) -> None:
    """Copy where the file lies."""
    if screen.row is not None:
        copy_text(screen, str(screen.row.info.path), "Path")


def copy_section(screen: LibraryScreen) -> None:
    """Copy the section that is shown."""
    row = screen.row
    text = section_text(row, screen.details_of(row), screen.detail.section) if row is not None else ""
    if text:
        copy_text(screen, text, screen.detail.section)


def reveal(screen: LibraryScreen) -> None:
    """Show the folder on this desk, or copy its path where nobody would see it."""
    from tui.models import folder_opener

    if screen.row is None:
        return
    folder = screen.row.info.path.parent
    command = folder_opener(folder)
    if command is None:
        copy_text(screen, str(folder), f"There is no desk to show it on. The path {folder} is")
        return
    quiet = subprocess.DEVNULL
    subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    screen.notify(f"Opened {folder}", markup=False)
