"""What holds for a thread or for all threads of a folder: system prompt, model, preset."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.app.figures import one_line
from tui.app.screens.pick_dialog import PickDialog
from tui.app.screens.writing_dialog import WritingDialog
from tui.app.widgets.pick_list import PickRow
from tui.domain import LmdeckError, StorageFailed

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.threads import SettingsLayer, ThreadSettings

NOT_SET = "not set here"
NONE = "(not set here)"


async def system_prompt(screen: ChatScreen) -> None:
    """Write the system prompt of the open thread, which need not have a message yet."""
    conversation = screen.conversation
    made = not conversation.thread_id
    thread_id = await thread_to_set_up(screen)
    layers = await conversation.store(lambda store: store.settings_layers(thread_id))
    settings = layers[0].settings
    result = await screen.app.push_screen_wait(
        WritingDialog("System prompt of this thread", settings.system_prompt or "", note=_inherited(layers))
    )
    prompt = settings.system_prompt if result is None else result.text if result.text.strip() else None
    await keep_settings(screen, thread_id, settings, replace(settings, system_prompt=prompt), made=made)


async def thread_to_set_up(screen: ChatScreen) -> str:
    """The id of the open thread; one that has no message yet is put on disk for what is set in it."""
    conversation = screen.conversation
    if not conversation.thread_id:
        folder_id = conversation.folder_id
        thread = await conversation.store(lambda store: store.create_thread(folder_id=folder_id))
        conversation.thread_id = thread.id
        await screen.refresh_threads()
    return conversation.thread_id


async def keep_settings(
    screen: ChatScreen, thread_id: str, before: ThreadSettings, after: ThreadSettings, *, made: bool
) -> None:
    """Keep what was set in a thread; one that was `made` for it goes again where nothing was."""
    conversation = screen.conversation
    if after != before:
        screen.can_undo(await conversation.store(lambda store: store.save_thread_settings(thread_id, after)))
    elif made and conversation.thread_id == thread_id and not conversation.messages:
        conversation.thread_id = ""
        await conversation.store(lambda store: store.delete_thread(thread_id))
        await screen.refresh_threads()


def _inherited(layers: tuple[SettingsLayer, ...]) -> str:
    """What holds while the thread says nothing."""
    for layer in layers[1:]:
        if layer.settings.system_prompt is not None:
            text = one_line(layer.settings.system_prompt)
            return f"Empty takes that of the folder “{one_line(layer.title)}”: {text}"
    return "Sent before the messages of this thread. Empty sends none."


async def folder_defaults(screen: ChatScreen) -> None:
    """Set what holds for all threads of the folder under the cursor that say nothing else."""
    folder_id = screen.thread_list.folder_id
    if folder_id is None:
        screen.notify("Put the cursor on a folder. F makes one.", markup=False)
        return
    while True:
        folder = await screen.conversation.store(lambda store: store.folders.get(folder_id))
        if folder is None:
            return
        rows = await _rows(screen, folder.settings)

        async def look_up(text: str, rows: list[PickRow] = rows) -> list[PickRow]:
            return [row for row in rows if text.casefold() in f"{row.before} {row.text}".casefold()]

        key = await screen.app.push_screen_wait(
            PickDialog(f"Defaults of “{one_line(folder.title)}”", look_up, hint="enter change")
        )
        changed = await _ask(screen, folder.settings, key) if key else None
        if changed is None:
            if key is None:
                await screen.refresh_threads()
                return
            continue
        settings = changed
        screen.can_undo(
            await screen.conversation.store(lambda store, new=settings: store.folders.save_settings(folder_id, new))  # type: ignore[misc]
        )


async def _rows(screen: ChatScreen, settings: ThreadSettings) -> list[PickRow]:
    preset = settings.preset or NOT_SET
    if settings.preset:
        from tui.config import preset_name

        try:
            found = await asyncio.to_thread(screen.workbench.decisions.presets.find, settings.preset)
            preset = found.name if found else f"{preset_name(preset)}  (not installed)"
        except StorageFailed:
            preset = f"{preset_name(preset)}  (broken; choosing it says why)"
    return [
        PickRow("system_prompt", one_line(settings.system_prompt or NOT_SET), before="System prompt"),
        PickRow("model", one_line(settings.model or NOT_SET), before="Model"),
        PickRow("preset", one_line(preset), before="Preset"),
    ]


async def _ask(screen: ChatScreen, settings: ThreadSettings, key: str) -> ThreadSettings | None:
    """The settings with one of them asked for; `None` if it stays."""
    if key == "system_prompt":
        note = "Sent in every thread of this folder that has no other. Empty sends none."
        written = await screen.app.push_screen_wait(
            WritingDialog("System prompt", settings.system_prompt or "", note=note)
        )
        return None if written is None else replace(settings, system_prompt=written.text.strip() or None)
    if key == "model":
        await asyncio.to_thread(screen.workbench.catalogue.refresh)
        names = [PickRow(model.key, model.key) for model in screen.workbench.catalogue.models(abilities=False)]
        chosen = await _choose(screen, "Model", names)
        return None if chosen is None else replace(settings, model=chosen or None)
    presets = screen.workbench.decisions.presets
    rows = [
        PickRow(preset.identifier, preset.name, after="broken" if preset.problem else "")
        for preset in await asyncio.to_thread(presets.all)
    ]
    chosen = await _choose(screen, "Preset", rows)
    if chosen:
        # One that cannot be used must not be kept by the folder.
        try:
            await asyncio.to_thread(presets.get, chosen)
        except LmdeckError as broken:
            screen.deck.report(broken)
            return None
    return None if chosen is None else replace(settings, preset=chosen or None)


async def _choose(screen: ChatScreen, title: str, found: list[PickRow]) -> str | None:
    """The key of one of some rows, empty for none of them; `None` if nothing was chosen."""

    async def look_up(text: str) -> list[PickRow]:
        rows = [PickRow(NONE, NONE), *found]
        return [row for row in rows if text.casefold() in row.text.casefold()]

    key = await screen.app.push_screen_wait(PickDialog(title, look_up, hint="enter choose"))
    return "" if key == NONE else key
