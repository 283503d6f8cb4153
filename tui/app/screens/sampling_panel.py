"""The sampling panel: every parameter of a thread's answers, with where its value comes from, changed in place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.figures import one_line
from tui.app.screens.sampling_commands import SamplingCommands
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.parameter_form import ParameterForm
from tui.app.widgets.sampling_form import SamplingForm
from tui.config import CONSTRAINT_KEY, CUSTOM_PREFIX, LM_STUDIO_LABELS, Collapsed, preset_name, to_json
from tui.threads import ThreadSettings

if TYPE_CHECKING:
    from tui.domain import CustomField, Suggestion
    from tui.workbench import Workbench

FORM_NAMES = {
    "json_object": "any JSON object",
    "json_schema": "JSON schema",
    "gbnf": "GBNF grammar",
    "regex": "regular expression",
    "lark": "Lark grammar",
}

PROMPT_WIDTH = 24

NOT_INSTALLED = "not installed; p chooses another"
BROKEN = "broken; p says why"
PARTLY = "not all of it; p says why"


class SamplingPanel(SamplingCommands):
    """Stands at the right of the chat. Answers with the thread's settings as they are when it is closed."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(
        self,
        workbench: Workbench,
        thread_id: str,
        model_key: str,
        settings: ThreadSettings,
        now: Collapsed,
        below: Collapsed,
        fields: tuple[CustomField, ...] = (),
        suggestions: tuple[Suggestion, ...] = (),
    ) -> None:
        super().__init__(workbench, settings)
        self._thread = thread_id
        self._model_key = model_key
        self._below = below
        self._suggestions = suggestions
        self.form = SamplingForm(now, below, fields)
        self.head = Static(classes="explanation", markup=False)
        self.explanation = Static(classes="explanation", markup=False)

    @classmethod
    async def open(cls, workbench: Workbench, thread_id: str, model_key: str, settings: ThreadSettings) -> Self:
        """A panel for a thread and the model that answers in it. Raises LmdeckError."""

        def read() -> tuple[Collapsed, Collapsed, tuple[CustomField, ...], tuple[Suggestion, ...]]:
            bare = ThreadSettings(preset=settings.preset)
            whole = workbench.settings_of(thread_id, model_key)
            below = workbench.settings_of(thread_id, model_key, said=bare)
            return whole, below, workbench.custom_fields(model_key), workbench.suggestions(model_key)

        now, below, fields, suggestions = await asyncio.to_thread(read)
        return cls(workbench, thread_id, model_key, settings, now, below, fields, suggestions)

    def compose(self) -> ComposeResult:
        self.head.border_title = "Preset, form, system prompt"
        with Vertical(classes="pile sampling"):
            yield self.head
            yield self.form
            yield self.explanation
        yield KeyBar(classes="keys")

    def on_mount(self) -> None:
        self.form.focus()
        self.show()

    @property
    def settings(self) -> ThreadSettings:
        changed = self.form.changed
        stop = changed.pop("sampling.stop", None)
        # What the thread says of another model's fields stays.
        shown = set(self.form.keys.values())
        others = {key: value for key, value in self._settings.overrides.items() if key not in shown}
        overrides = others | {key: to_json(value) for key, value in changed.items()}
        return replace(self._settings, overrides=overrides, stop=stop)

    def show(self) -> None:
        said = self._settings
        prompt = said.system_prompt if said.system_prompt is not None else self._below.answer.system_prompt
        constraint = said.constraint or self._below.answer.constraint
        rows = [
            ("Preset", *self._preset_row),
            (
                "Form",
                FORM_NAMES[constraint.kind] if constraint else "free",
                "thread" if said.constraint else self._word(CONSTRAINT_KEY, constraint is not None),
            ),
            (
                "System prompt",
                _beginning(prompt) or "none",
                "thread" if said.system_prompt is not None else self._word("answer.system_prompt", bool(prompt)),
            ),
        ]
        if suggested := self._suggested:
            rows.append(("Suggested", one_line(self.form.said(suggested)), ""))
        parts: list[str | tuple[str, str]] = []
        for number, (label, value, source) in enumerate(rows):
            parts += [(f"{label:<14}", "$foreground 75%"), (value, "bold")]
            warned = source in (NOT_INSTALLED, BROKEN, PARTLY)
            colour = "$warning" if warned else "$success" if source == "thread" else "$foreground 55%"
            parts.append((f"  {source}" if source else "", colour))
            parts.append("\n" if number < len(rows) - 1 else "")
        self.head.update(Content.assemble(*parts))
        self.refresh_bindings()
        self._explain()

    @property
    def _suggested(self) -> dict[str, Any]:
        """What the model's maker recommends for the values of its fields and the form does not have, by dotted keys."""
        custom = {
            key.removeprefix(CUSTOM_PREFIX): self.form.values[name]
            for name, key in self.form.keys.items()
            if key.startswith(CUSTOM_PREFIX)
        }
        found = {key: value for one in self._suggestions if one.fits(custom) for key, value in one.values}
        return {
            key: found[key]
            for name, key in self.form.keys.items()
            if key in found and found[key] != self.form.values[name]
        }

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "take_suggestion":
            return bool(self._suggested)
        return super().check_action(action, parameters)

    def action_take_suggestion(self) -> None:
        self.form.take(self._suggested)
        self._say("✓ Taken as the model's maker suggests; R resets all values.")

    @property
    def _preset_row(self) -> tuple[str, str]:
        """The preset that counts, whoever chose it, and a word on it; one that decides nothing has its identifier."""
        if missing := self._below.missing_preset:
            return one_line(preset_name(missing)), BROKEN if self._below.preset_problem else NOT_INSTALLED
        titles = {source.title for source in self._below.sources.values() if source.name == "preset"}
        name = next(iter(titles), preset_name(self._settings.preset or "none"))
        chosen = "thread" if self._settings.preset is not None else ""
        return one_line(name), PARTLY if self._below.preset_problem else chosen

    def forget_values(self) -> None:
        self.form.set_values(self.form.below.values)

    def _word(self, key: str, decided: bool) -> str:
        return self._below.source(key).text if decided else ""

    async def read_again(self) -> None:
        bare = ThreadSettings(preset=self._settings.preset)
        read = self._workbench.settings_of
        self._below = await asyncio.to_thread(lambda: read(self._thread, self._model_key, said=bare))
        changed = self.form.changed
        self.form.put_layers_below(self._below)
        self.form.take(changed)
        self.show()

    @on(ParameterForm.Highlighted)
    def _moved(self) -> None:
        self._notice = ""
        self._explain()

    @on(ParameterForm.Changed)
    def _changed(self) -> None:
        self._notice = self._problem = ""
        self.show()

    def _explain(self) -> None:
        problem = self.form.problem or self._problem
        parameter = self.form.current
        if problem:
            self.explanation.update(Content.styled(f"✗ {problem}", "$error"))
        elif self._notice:
            self.explanation.update(Content.styled(self._notice, "$success"))
        elif parameter is not None:
            theirs = LM_STUDIO_LABELS.get(parameter.name, "")
            also = f" LM Studio calls it {theirs}." if theirs and theirs.lower() != parameter.label.lower() else ""
            source = "this thread" if self.form.source_text == "changed here" else self.form.source_text
            self.explanation.update(
                Content.assemble(
                    (parameter.label, "bold"),
                    (f"  {parameter.help}{also}", "$foreground 75%"),
                    (f"\nNow: {source}.", "$foreground 60%"),
                )
            )

    @on(ParameterForm.Confirmed)
    def _confirmed(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        # What was asked of a preset a moment ago may still change what the thread says.
        self.run_worker(self._close_after_work(), group="closing", exclusive=True)

    async def _close_after_work(self) -> None:
        await self.work_done()
        self.dismiss(self.settings)


def _beginning(text: str) -> str:
    """As much of a text as stands in a row with where it comes from."""
    line = one_line(text)
    return line if len(line) <= PROMPT_WIDTH else line[: PROMPT_WIDTH - 1] + "…"
