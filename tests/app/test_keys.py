"""Help, palette, go overlay, footer, key map, themes and quitting."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from textual import events
from textual.command import CommandPalette
from textual.theme import Theme

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.actions import ACTIONS, BY_ID, key_label
from tui.app.screens.help import HelpScreen
from tui.app.themes import DARK, LIGHT
from tui.app.widgets.key_bar import active_keys


async def go_to(person: Person, pane: str) -> None:
    """Focus a pane by its own keys."""
    keys = {"composer": (), "transcript": ("escape",), "threads": ("ctrl+t",), "models": ("ctrl+o",)}
    keys["load"] = ("ctrl+o", "enter")
    keys["log"] = ("ctrl+l", "tab")
    for key in keys[pane]:
        await person.press(key)


PANES = ["composer", "transcript", "threads", "models", "load", "log"]


@pytest.mark.parametrize("pane", PANES)
async def test_help_lists_every_action_that_applies(workbench: FakeWorkbench, pane: str) -> None:
    add_thread(workbench, "a thread")
    async with person_at(workbench, (120, 120)) as person:
        await go_to(person, pane)
        applying = set(active_keys(person.app.screen))
        assert {action.id for action in ACTIONS if action.where == pane and pane != "threads"} <= applying | {
            "stop",
            "load.anyway",
            "message.undo",
            "message.redo",
        }
        await person.press("f1")
        assert isinstance(person.app.screen, HelpScreen)
        text = person.text()
        for action_id in applying:
            assert BY_ID[action_id].title in text, action_id
            assert key_label(BY_ID[action_id].keys.split(",")[0]) in text
        await person.press("escape")
        assert not isinstance(person.app.screen, HelpScreen)


async def test_question_mark_is_help_outside_text_and_text_inside(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await person.press("question_mark")
        assert person.chat.composer.text == "?"
        await person.press("escape", "question_mark")
        assert isinstance(person.app.screen, HelpScreen)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 36)])
@pytest.mark.parametrize("pane", PANES)
async def test_footer_has_whole_entries_only(workbench: FakeWorkbench, pane: str, size: tuple[int, int]) -> None:
    add_thread(workbench, "a thread")
    async with person_at(workbench, size) as person:
        await go_to(person, pane)
        row = person.bottom
        assert len(row) == size[0]
        labels = {action.footer for action in ACTIONS if action.footer}
        for entry in filter(None, (part.strip() for part in row.split("  "))):
            assert entry.split(" ", 1)[1] in labels


async def test_palette_shows_keys_and_runs_commands(ready: FakeWorkbench) -> None:
    add_thread(ready, "rename me")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        await person.press("ctrl+p")
        await person.until(lambda: "New thread" in person.text())
        assert "ctrl+n" in person.text()
        await person.press(*"rename")
        await person.until(lambda: "Rename the thread" in person.text() and "New thread" not in person.text())
        await person.press("enter")
        await person.until(lambda: not isinstance(person.app.screen, CommandPalette))
        await person.until(lambda: "enter keep" in person.text())


async def test_palette_offers_every_action_that_needs_no_pane(ready: FakeWorkbench) -> None:
    async with person_at(ready, (120, 180)) as person:
        await person.press("ctrl+p")
        await person.until(lambda: "Low bandwidth" in person.text())
        # Nothing runs, nothing was said, nothing was done that could be undone, and there is one thread only.
        hidden = {"stop", "again", "undo", "redo", "pane.other"}
        for action in ACTIONS:
            if action.palette and action.id not in hidden:
                assert action.title in person.text()
            elif action.id in hidden:
                assert action.title not in person.text()


async def test_palette_offers_all_themes_and_keeps_the_choice(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("colon")  # typed into the composer
        assert person.chat.composer.text == ":"
        await person.press("escape", "colon", *"nord")
        await person.until(lambda: "Theme: nord" in person.text())
        await person.press("enter")
        await person.until(lambda: person.app.theme == "nord")
        await person.until(lambda: ready.settings.get("theme") == "nord")
    again = FakeWorkbench(ready.root)
    async with person_at(again) as person:
        assert person.app.theme == "nord"
    again.close()


@pytest.mark.parametrize("theme", ["lmdeck-dark", "lmdeck-light", "nord", "textual-ansi", "ansi-dark"])
async def test_screens_draw_in_every_kind_of_theme(ready: FakeWorkbench, theme: str) -> None:
    ready.settings.set("theme", theme)
    async with person_at(ready) as person:
        await person.ask("hello")
        ready.answers[0].generation.say("some `code` here")
        await person.hear()
        await person.press("ctrl+o", "g", "enter")
        await person.until(lambda: "Fits" in person.text())
        assert person.app.export_screenshot()


async def test_go_overlay_is_one_letter_away_from_everything(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+g")
        for action in ACTIONS:
            if action.go:
                assert action.title[:18] in person.text()
        await person.press("t")
        assert person.chat.thread_list.has_focus
        await person.press("ctrl+g", "escape")
        assert person.app.screen is person.chat
        await person.press("ctrl+g", "d")
        assert person.app.theme == "lmdeck-light"
        await person.press("ctrl+g", "d")
        assert person.app.theme == "lmdeck-dark"


async def test_ctrl_l_shows_and_hides_the_log(ready: FakeWorkbench) -> None:
    ready.log.write("engine", "info", "[red]n_ctx = 8192")
    async with person_at(ready, (80, 24)) as person:
        await person.press("ctrl+l")
        assert "[red]n_ctx = 8192" in person.text()
        ready.log.write("native", "error", "CUDA out of breath")
        await person.until(lambda: "CUDA out of breath" in person.text())
        await person.press("ctrl+l")
        assert "n_ctx" not in person.text()


async def test_what_python_code_prints_goes_to_the_log(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        print("a stray word")  # noqa: T201
        await person.until(lambda: any(line.text == "a stray word" for line in ready.log.lines()))
        assert "a stray word" not in person.text()


async def test_key_map_of_the_settings_changes_keys_and_footer(ready: FakeWorkbench) -> None:
    ready.settings.set("keys", {"thread.new": "ctrl+f", "send": "ctrl+s", "newline": "enter", "nonsense": "x"})
    async with person_at(ready) as person:
        assert "^f new thread" in person.bottom
        await person.press("a", "enter", "b")
        assert person.chat.composer.text == "a\nb"
        await person.press("ctrl+s")
        assert ready.threads.list_threads()


async def test_quit_is_immediate_when_nothing_runs(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+q")
        await person.until(lambda: not person.app.is_running)
    assert ready.closed


async def test_quit_asks_while_an_answer_runs_and_keeps_what_came(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("a long one")
        ready.answers[0].generation.say("the beginning")
        await person.press("ctrl+q")
        assert "still being written" in person.text()
        await person.press("escape")
        assert person.app.screen is person.chat
        await person.press("ctrl+q", "y")
        await person.until(lambda: not person.app.is_running)
    again = FakeWorkbench(ready.root)
    thread = again.threads.list_threads()[0]
    assert again.threads.messages(thread.id)[-1].message.text == "the beginning"
    again.close()


async def test_copy_message_and_code_block(ready: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    add_thread(ready, "question", "Two:\n\n```python\none()\n```\n\nand\n\n```sh\ntwo\n```\n")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        await person.press("escape", "y")
        assert person.app.clipboard.startswith("Two:")
        assert "Message copied: terminal (OSC 52)" in person.toasts()
        await person.press("c")
        assert "one()" in person.text()
        await person.press("2")
        assert person.app.clipboard.strip() == "two"
        await person.press("k", "c")
        assert "no code block" in person.toasts()


async def test_space_unfolds_the_thinking(ready: FakeWorkbench) -> None:
    from tui.domain import Message, ReasoningPart, TextPart

    thread_id = add_thread(ready, "why")
    ready.threads.add_message(thread_id, Message("assistant", (ReasoningPart("hidden musings"), TextPart("because"))))
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        assert "hidden musings" not in person.text()
        await person.press("escape", "space")
        assert "hidden musings" in person.text()
        await person.press("k", "space")
        assert "There is no thinking in this message." in person.toasts()
        await person.press("i")
        assert person.chat.composer.has_focus


async def test_narrow_becomes_wide_and_back(ready: FakeWorkbench) -> None:
    add_thread(ready, "a title to see")
    async with person_at(ready, (80, 24)) as person:
        assert "a title to see" not in person.text()
        await person.pilot.resize_terminal(120, 36)
        await person.until(lambda: "a title to see" in person.text())
        await person.pilot.resize_terminal(80, 24)
        await person.until(lambda: "a title to see" not in person.text())


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_accents_stay_apart_in_sixteen_colours(theme: Theme) -> None:
    """Yellow for focus, green for what is alive, and red for errors alone."""
    numbers = [Color.parse(str(colour)).downgrade(ColorSystem.STANDARD).number for colour in
               (theme.primary, theme.success, theme.error)]  # fmt: skip
    assert [number and number % 8 for number in numbers] == [3, 2, 1]


async def test_settings_of_the_next_start_are_kept_and_said(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        person.app.action_toggle_setting("low_bandwidth")
        person.app.action_toggle_setting("mouse")
        await person.settle()
        assert ready.settings.get("low_bandwidth") is True
        assert ready.settings.get("mouse") is False
        assert "Low bandwidth on from the next start." in person.toasts()
        assert "Mouse off from the next start." in person.toasts()


async def test_palette_stays_away_from_dialogs(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+o", "ctrl+p")
        assert not isinstance(person.app.screen, CommandPalette)


NAMES = {"/": "slash", " ": "space"}
KEEPS = "\x13"
"""What a terminal sends for ctrl+s."""


async def burst(person: Person, text: str) -> None:
    """Keys that come all at once, as a slow line brings them."""
    for character in text:
        name = "ctrl+s" if character == KEEPS else NAMES.get(character, character)
        person.app.post_message(events.Key(name, character))
    await person.settle()


async def test_what_is_typed_fast_behind_the_key_of_the_filter_is_no_command(ready: FakeWorkbench) -> None:
    add_thread(ready, "dandelion")
    add_thread(ready, "walrus")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "g")
        await burst(person, "/dand")
        assert person.chat.thread_list.filter_text == "dand"
        assert len(ready.threads.list_threads()) == 2


async def test_what_is_typed_fast_behind_i_is_a_message(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "one", "two")
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        await person.press("escape")
        await burst(person, "idear me")
        assert person.chat.composer.text == "dear me"
        assert len(ready.threads.messages(thread_id)) == 2


async def test_what_is_typed_fast_behind_find_is_looked_for(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "one", "two dads")
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        await person.press("escape")
        await burst(person, "/dads")
        assert "/dads" in person.text()
        assert len(ready.threads.messages(thread_id)) == 2


async def test_what_is_typed_fast_before_the_key_that_keeps_it_is_kept(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "one", "two")
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        await person.press("escape", "e")
        await burst(person, f" and a half{KEEPS}")
        assert ready.threads.messages(thread_id)[-1].message.text == "two and a half"
