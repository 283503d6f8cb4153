"""What can be done in the sampling panel besides changing values: presets, the form of answers, the system prompt."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.screen import ModalScreen
from textual.worker import Worker, WorkerError

from tui.app.screens.dialogs import NumberDialog, TextDialog
from tui.app.screens.writing_dialog import WritingDialog, Written
from tui.config import CUSTOM_PREFIX
from tui.domain import Constraint, ConstraintKind, StorageFailed
from tui.threads import ThreadSettings, values_in

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.config import Preset, PresetStore
    from tui.workbench import Workbench

_FORMS: tuple[tuple[ConstraintKind | None, str], ...] = (
    (None, "as the preset and the folder say, or free"),
    ("json_schema", "JSON that follows a schema"),
    ("json_object", "any JSON object"),
    ("gbnf", "a GBNF grammar"),
    ("regex", "a regular expression"),
    ("lark", "a Lark grammar"),
)


class SamplingCommands(ModalScreen[ThreadSettings]):
    """The part of the panel that asks; the panel itself shows the form."""

    def __init__(self, workbench: Workbench, settings: ThreadSettings) -> None:
        super().__init__()
        self._workbench = workbench
        self._settings = settings
        """What the thread says; its single values are those of the form."""
        self._problem = ""
        self._notice = ""
        """What was done, until something else is changed."""
        self._presets: list[Preset] = []
        self._work: Worker[None] | None = None

    @property
    def settings(self) -> ThreadSettings:
        """What the thread says, with the values of the form."""
        raise NotImplementedError

    def show(self) -> None:
        """Draw everything as it is now."""
        raise NotImplementedError

    async def read_again(self) -> None:
        """Have other layers below: a preset was chosen or changed. Raises LmdeckError."""
        raise NotImplementedError

    @property
    def _store(self) -> PresetStore:
        return self._workbench.decisions.presets

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = self.run_worker(cast("LmdeckApp", self.app).attempt(work), group="sampling", exclusive=True)

    async def work_done(self) -> None:
        """Wait until nothing is being done with the presets."""
        if self._work is not None:
            with suppress(WorkerError):
                await self._work.wait()

    def _say(self, notice: str) -> None:
        self._problem, self._notice = "", notice
        self.show()

    def _values(self) -> dict[str, Any]:
        """What the thread decides, by dotted keys, for a preset."""
        return values_in(self.settings)

    def action_choose_preset(self) -> None:
        self._begin(self._ask_preset())

    async def _ask_preset(self) -> None:
        self._presets = await asyncio.to_thread(self._store.all)
        lines = [_preset_line(preset) for preset in self._presets]
        self.app.push_screen(
            NumberDialog("Preset", [*lines, "none", "what the folder or the model says"]), self._preset_chosen
        )

    def _preset_chosen(self, number: int | None) -> None:
        if number is None:
            return
        count = len(self._presets)
        chosen = self._presets[number - 1].identifier if number <= count else "" if number == count + 1 else None
        self._begin(self._take_preset(chosen))

    async def _take_preset(self, preset: str | None) -> None:
        before = self._settings
        # A preset that cannot be used must not be kept by the thread.
        if preset:
            await asyncio.to_thread(self._store.get, preset)
        self._settings = replace(before, preset=preset)
        await self.read_again()
        self._say("✓ Values that this thread decides itself stay; R resets them.")

    def action_save(self) -> None:
        self._begin(self._ask_save())

    async def _ask_save(self) -> None:
        present = await self._present()
        name = present.name if present else ""
        lines = ["as a new preset", "import a preset file (LM Studio's, too)"]
        lines += [f"into the preset “{name}”", f"export “{name}” to a file", f"delete “{name}”"] if name else []
        self.app.push_screen(NumberDialog("Save", lines), self._save_as)

    async def _present(self) -> Preset | None:
        """The preset that the thread chose, if it can be used."""
        chosen = self._settings.preset
        # One that is broken must not keep what the thread decides from being saved elsewhere.
        with suppress(StorageFailed):
            return await asyncio.to_thread(self._store.find, chosen) if chosen else None
        return None

    def _save_as(self, number: int | None) -> None:
        ask = self.app.push_screen
        match number:
            case 1:
                ask(TextDialog("Name of the preset", ""), self._named)
            case 2:
                ask(TextDialog("Preset file", str(Path.home())), self._import_named)
            case 3:
                self._begin(self._update())
            case 4:
                ask(TextDialog("Where to", str(Path.cwd())), self._export_named)
            case 5:
                self._begin(self._delete())

    def _named(self, name: str | None) -> None:
        if name is not None:
            self._begin(self._create(name))

    async def _create(self, name: str) -> None:
        basis = await self._present()
        values = dict(basis.values) if basis else {}
        preset = await asyncio.to_thread(self._store.create, name, values | self._values())
        await self._is_in(preset)
        self._say(f"✓ Saved as the preset “{preset.name}”, which this thread uses now.")

    async def _update(self) -> None:
        preset = await asyncio.to_thread(self._store.get, self._settings.preset or "")
        await asyncio.to_thread(self._store.update, preset.identifier, {**preset.values, **self._values()})
        await self._is_in(preset)
        self._say(f"✓ “{preset.name}” is changed, in every thread that uses it.")

    async def _is_in(self, preset: Preset) -> None:
        """What the thread decided is the preset's now, and nothing of the thread's own."""
        others = {
            key: value
            for key, value in self._settings.overrides.items()
            if not key.startswith(("sampling.", "answer.", CUSTOM_PREFIX))
        }
        self._settings = ThreadSettings(model=self._settings.model, preset=preset.identifier, overrides=others)
        self.forget_values()
        await self.read_again()

    def forget_values(self) -> None:
        """Take every value of the form as the layers below have it."""
        raise NotImplementedError

    def _import_named(self, path: str | None) -> None:
        if path is not None:
            self._begin(self._import(Path(path).expanduser()))

    async def _import(self, path: Path) -> None:
        preset = await asyncio.to_thread(self._store.import_file, path)
        left = sorted(one.key for one in preset.unread)
        kept = f" Kept without effect here: {', '.join(left)}." if left else ""
        self._say(f"✓ Imported “{preset.name}”; p chooses it.{kept}")

    def _export_named(self, path: str | None) -> None:
        if path is not None:
            self._begin(self._export(Path(path).expanduser()))

    async def _export(self, path: Path) -> None:
        file = await asyncio.to_thread(self._store.export, self._settings.preset or "", path)
        self._say(f"✓ Exported to {file}, as LM Studio imports it.")

    async def _delete(self) -> None:
        await asyncio.to_thread(self._store.delete, self._settings.preset or "")
        self._settings = replace(self._settings, preset=None)
        await self.read_again()
        self._say("✓ The preset is deleted.")

    def action_choose_form(self) -> None:
        self.app.push_screen(NumberDialog("Form of the answers", [text for _, text in _FORMS]), self._form_chosen)

    def _form_chosen(self, number: int | None) -> None:
        if number is None:
            return
        kind, text = _FORMS[number - 1]
        if kind is None or kind == "json_object":
            self._set_form(Constraint(kind) if kind else None)
            return
        present = self._settings.constraint
        source = present.source if present is not None and present.kind == kind else ""
        found: ConstraintKind = kind

        def written(result: Written | None) -> None:
            if result is not None:
                self._take_form(found, result.text)

        self.app.push_screen(WritingDialog(f"Form of the answers: {text}", source), written)

    def _take_form(self, kind: ConstraintKind, source: str) -> None:
        if not source.strip():
            self._set_form(None)
            return
        if kind == "json_schema":
            try:
                json.loads(source)
            except (ValueError, RecursionError) as damage:
                self._problem, self._notice = f"The schema is no JSON: {damage}. Nothing was changed.", ""
                self.show()
                return
        self._set_form(Constraint(kind, source))

    def _set_form(self, constraint: Constraint | None) -> None:
        self._settings = replace(self._settings, constraint=constraint)
        self._say("✓ Every answer of this thread has this form." if constraint else "✓ This thread asks for no form.")

    def action_write_system_prompt(self) -> None:
        note = "Sent before the messages of this thread. Empty leaves it to folder and preset."
        text = self._settings.system_prompt or ""
        self.app.push_screen(WritingDialog("System prompt of this thread", text, note=note), self._prompt_written)

    def _prompt_written(self, result: Written | None) -> None:
        if result is not None:
            self._settings = replace(self._settings, system_prompt=result.text if result.text.strip() else None)
            self.show()


def _preset_line(preset: Preset) -> str:
    """A preset to choose, with what is wrong in its file."""
    # The folder is the same for all; without it the reason has room.
    problem = (preset.problem or preset.left_out).replace(f"{preset.path.parent}{os.sep}", "")
    mark = "broken" if preset.problem else "not all of it"
    return f"{preset.name}  ({mark}: {problem.rstrip('.')})" if problem else preset.name
