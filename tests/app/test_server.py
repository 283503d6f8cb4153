"""The server on the screen: turning it on and off, its options, its tokens, and the list of requests."""

from __future__ import annotations

import asyncio
import re
from typing import cast

import pytest

from tests.app.driving import Person, person_at
from tests.app.fake_server import FakeJournal, FakeServer, request
from tests.app.fake_workbench import FakeWorkbench
from tui.app.actions import ACTIONS, key_label
from tui.app.screens.dialogs import ConfirmDialog, TextDialog
from tui.app.screens.help import HelpScreen
from tui.app.screens.server import ServerScreen
from tui.app.screens.server_dialogs import NetworkDialog, TokenDialog
from tui.app.server_desk import ServerDesk
from tui.app.widgets.key_bar import active_keys
from tui.domain import Busy, GenerationStats, ServerOptions, ToolCallPart

TAKEN = Busy("Port 1234 is taken by another lmdeck.", "Choose another port, or stop what uses it.")
STATS = GenerationStats(prompt_tokens=28, cached_prompt_tokens=8, generated_tokens=88, generation_speed=45.8)


def busy_server() -> FakeServer:
    """A server that has answered four requests, two of them before this run."""
    answered = [
        request(4, path="/v1/models", method="GET", model="", body="", prompt="", output="", seconds=0.003),
        request(3, stats=STATS, seconds=1.921, body='{"model": "m", "messages": ["find the walrus"]}'),
    ]
    older = [
        request(2, model="nomic", output="an old answer about otters"),
        request(1, model="nobody", state="failed", status=404, error="There is no model 'nobody'.", output=""),
    ]
    return FakeServer(on=True, log=FakeJournal(answered, older))


async def open_view(person: Person) -> ServerScreen:
    await person.press("ctrl+s")
    await person.until(lambda: isinstance(person.app.screen, ServerScreen) and person.app.screen.server is not None)
    return cast(ServerScreen, person.app.screen)


def rows_with(person: Person, text: str) -> list[str]:
    return [row for row in person.rows() if text in row]


async def test_one_key_turns_it_on_and_off_and_the_top_row_says_so(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, server=server) as person:
        assert "○ server off" in person.top
        await person.press("f9")
        await person.until(lambda: "● :1234" in person.top)
        assert "The server is on: http://127.0.0.1:1234" in person.toasts()
        await person.press("f9")
        await person.until(lambda: "○ server off" in person.top)
        assert not server.on


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_running_requests_are_counted_without_moving_anything(
    ready: FakeWorkbench, size: tuple[int, int]
) -> None:
    server = FakeServer(on=True)
    async with person_at(ready, size, server=server) as person:
        await person.until(lambda: "● :1234" in person.top)
        before = person.top
        server.log.in_memory.append(request(1, state="answering", status=0))
        await person.until(lambda: "1 req" in person.top)
        assert len(person.top) == len(before)
        assert person.top.index("●") == before.index("●")
        assert person.top.index(":1234") == before.index(":1234")
        assert person.top.index("tok/s") == before.index("tok/s")


async def test_a_taken_port_is_explained(workbench: FakeWorkbench) -> None:
    server = FakeServer(refusal=TAKEN)
    async with person_at(workbench, server=server) as person:
        await person.press("f9")
        assert "taken by another lmdeck" in person.toasts()
        assert "Choose another port" in person.toasts()
        await person.until(lambda: "✗ server off" in person.top)
        await open_view(person)
        assert "✗ Port 1234 is taken by another lmdeck." in person.top
        server.refusal = None
        await person.press("s")
        await person.until(lambda: "● http://127.0.0.1:1234" in person.top)


async def test_the_screen_lives_on_while_it_starts(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    server.may_move.clear()
    async with person_at(workbench, server=server) as person:
        await open_view(person)
        await person.pilot.press("s")
        await person.pilot.pause(0.3)
        assert "starting …" in person.top
        await person.pilot.press("escape", *"typed")
        await person.pilot.pause()
        assert person.chat.composer.text == "typed"
        server.may_move.set()
        await person.until(lambda: "● :1234" in person.top)


async def test_turning_it_off_asks_while_it_answers(workbench: FakeWorkbench) -> None:
    server = FakeServer(on=True, log=FakeJournal([request(1, state="answering", status=0)]))
    async with person_at(workbench, server=server) as person:
        await open_view(person)
        await person.press("s")
        assert isinstance(person.app.screen, ConfirmDialog)
        await person.press("escape")
        assert server.on
        await person.press("s", "y")
        await person.until(lambda: not server.on)


async def test_it_is_restored_after_the_first_paint_and_closed_at_the_end(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, server=server) as person:
        await person.until(lambda: server.restored)
        assert not server.closed
    assert server.closed


async def test_a_key_that_comes_while_it_is_restored_is_not_lost() -> None:
    server = FakeServer()
    server.may_restore.clear()
    desk = ServerDesk(lambda: server)
    restoring = asyncio.create_task(desk.restore())
    switching = asyncio.create_task(desk.switch())
    await asyncio.sleep(0)
    server.may_restore.set()
    await restoring
    assert await switching
    assert server.on


async def test_impatience_does_not_turn_it_off_again(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, server=server) as person:
        await person.until(lambda: server.restored)
        server.may_move.clear()
        await person.pilot.press("f9", "f9", "f9")
        server.may_move.set()
        await person.until(lambda: "● :1234" in person.top)
        assert server.on


async def test_trouble_with_restoring_is_seen(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, server=FakeServer(trouble=str(TAKEN))) as person:
        await person.until(lambda: "✗ server off" in person.top)
        await open_view(person)
        assert "✗ Port 1234 is taken" in person.top


async def test_empty_views_say_what_to_do(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, (80, 24), server=server) as person:
        await open_view(person)
        assert "s turns it on" in person.text()
        assert "http://127.0.0.1:1234/v1" in person.text()
        await person.press("s")
        await person.until(lambda: "No request yet." in person.text())
        assert "curl http://127.0.0.1:1234/v1/models" in person.text()
        assert "replay" not in person.bottom
        await person.press("t")
        assert "No API token yet." in person.text()
        await person.press("escape", "escape")
        assert person.app.screen is person.chat


async def test_requests_have_their_figures(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, server=busy_server()) as person:
        await open_view(person)
        (row,) = rows_with(person, "88 tok")
        for part in ("✓ 200", "/v1/chat/completions", "Qwen3-8B", "45.8 tok/s", "1.92 s"):
            assert part in row
        assert "✗ 404" in rows_with(person, "nobody")[0]
        assert "2 req" in person.top


async def test_a_running_request_grows_before_our_eyes(workbench: FakeWorkbench) -> None:
    server = FakeServer(on=True)
    async with person_at(workbench, server=server) as person:
        await open_view(person)
        early = request(1, state="reading", status=0, output="", progress="reading 512 of 2,048")
        server.log.in_memory = [early]
        await person.until(lambda: any("reading 512 of 2,048" in row for row in rows_with(person, "/v1/chat")))
        server.log.in_memory = [request(1, state="answering", status=0, output="Once", tokens=5)]
        await person.until(lambda: "5 tok" in person.text())
        server.log.in_memory = [request(1, state="answering", status=0, output="Once upon a time", tokens=45)]
        await person.until(lambda: "Once upon a time" in person.text() and "tok/s" in person.text())
        server.log.in_memory = [request(1, stats=STATS, output="Once upon a time.")]
        await person.until(lambda: "88 tok" in person.text() and "✓ 200" in person.text())


async def test_the_cursor_follows_the_newest_until_it_is_moved(workbench: FakeWorkbench) -> None:
    server = busy_server()
    async with person_at(workbench, server=server) as person:
        screen = await open_view(person)
        assert "↑ following" in person.text()
        server.log.in_memory.insert(0, request(5))
        await person.until(lambda: len(screen.requests.items) == 5)
        assert screen.requests.current == request(5)
        await person.press("down")
        assert "following" not in person.text()
        server.log.in_memory.insert(0, request(6))
        await person.until(lambda: len(screen.requests.items) == 6)
        assert screen.requests.current is not None
        assert screen.requests.current.id == "request-4"
        await person.press("g")
        assert "↑ following" in person.text()


async def test_words_are_found_in_memory_and_on_disk(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, server=busy_server()) as person:
        screen = await open_view(person)
        await person.press("slash", *"walrus")
        await person.until(lambda: [record.id for record in screen.requests.items] == ["request-3"])
        await person.press("escape")
        await person.until(lambda: len(screen.requests.items) == 4)
        await person.press("slash", *"otters")
        await person.until(lambda: [record.id for record in screen.requests.items] == ["request-2"])
        await person.press("enter")
        await person.until(lambda: "an old answer about otters" in person.text())
        await person.press("escape", "slash", *"xyz")
        await person.until(lambda: "No request has “xyz” in it." in person.text())


async def test_sections_of_a_request(workbench: FakeWorkbench) -> None:
    call = ToolCallPart("1", "get_weather", '{"city": "Oslo"}')
    record = request(
        1,
        stats=STATS,
        client="10.0.0.7:51022 OpenAI/Python 1.2",
        token="laptop",
        body='{"model": "m", "messages": [{"role": "user", "content": "[red]why"}]}',
        prompt="<|im_start|>user\nwhy<|im_end|>",
        reasoning="Let me see.",
        output="Because.",
        tool_calls=(call,),
    )
    async with person_at(workbench, server=FakeServer(on=True, log=FakeJournal([record]))) as person:
        await open_view(person)
        for part in ("thinking", "Let me see.", "Because.", "calls get_weather", '"city": "Oslo"'):
            assert part in person.text()
        await person.press("right")
        for part in ("10.0.0.7:51022", "laptop", "28, 8 of them from the cache", "45.8 tok/s", "finished"):
            assert part in person.text()
        await person.press("right")
        assert '"content": "[red]why"' in person.text()
        await person.press("right")
        assert "<|im_start|>user" in person.text()


async def test_failed_requests_say_why(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, (80, 24), server=busy_server()) as person:
        await open_view(person)
        await person.press("G", "enter")
        await person.until(lambda: "✗ There is no model 'nobody'." in person.text())


async def test_copy_curl_body_and_answer(workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    server = FakeServer(on=True, options=ServerOptions(require_tokens=True))
    server.log.in_memory.append(request(1, body='{"text": "it\'s"}', streamed=True))
    async with person_at(workbench, server=server) as person:
        await open_view(person)
        await person.press("c")
        assert person.app.clipboard == (
            "curl -N http://127.0.0.1:1234/v1/chat/completions \\\n"
            '  -H "Authorization: Bearer $LMDECK_TOKEN" \\\n'
            "  -H 'Content-Type: application/json' \\\n"
            """  -d '{"text": "it'"'"'s"}'"""
        )
        await person.press("y")
        assert person.app.clipboard == "Hello there."
        await person.press("right", "right", "y")
        assert person.app.clipboard == '{\n  "text": "it\'s"\n}'
        await person.press("a")
        assert person.app.clipboard == "http://127.0.0.1:1234/v1"


async def test_replay_and_clear(workbench: FakeWorkbench) -> None:
    server = busy_server()
    async with person_at(workbench, server=server) as person:
        screen = await open_view(person)
        await person.press("down", "r")
        assert server.replayed == ["request-3"]
        await person.press("X", "escape")
        assert len(screen.requests.items) == 4
        await person.press("X", "y")
        await person.until(lambda: not screen.requests.items)
        assert not server.log.on_disk


async def test_options_are_switched_and_typed(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, server=server) as person:
        screen = await open_view(person)
        await person.press("o")
        for name, attribute in (("cors", True), ("require_tokens", True), ("just_in_time", False),
                                ("auto_evict", False), ("log_prompts", False)):  # fmt: skip
            screen.options.highlight(name)
            await person.press("space")
            assert getattr(server.options, name) is attribute
        assert "! any may use it" in person.text()
        screen.options.highlight("just_in_time_ttl")
        await person.press("enter")
        assert isinstance(person.app.screen, TextDialog)
        await person.press(*"never", "enter")
        assert server.options.just_in_time_ttl is None
        screen.options.highlight("port")
        await person.press("enter", *"8080", "enter")
        assert server.options.port == 8080
        await person.until(lambda: "8080" in rows_with(person, "Port")[0])


@pytest.mark.parametrize(
    ("option", "typed", "said"),
    [("port", "99999", "from 1 to 65,535"), ("port", "http", "whole number"), ("just_in_time_ttl", "soon", "60 min")],
)
async def test_what_cannot_be_is_refused(workbench: FakeWorkbench, option: str, typed: str, said: str) -> None:
    server = FakeServer()
    async with person_at(workbench, server=server) as person:
        screen = await open_view(person)
        await person.press("o")
        screen.options.highlight(option)
        await person.press("enter", *typed, "enter")
        assert said in person.toasts()
        assert server.options == ServerOptions()


async def test_opening_to_the_network_is_a_deliberate_act(workbench: FakeWorkbench) -> None:
    server = FakeServer()
    async with person_at(workbench, (80, 24), server=server) as person:
        await open_view(person)
        await person.press("o", "down", "enter")
        assert isinstance(person.app.screen, NetworkDialog)
        await person.press("enter")
        assert isinstance(person.app.screen, NetworkDialog)
        await person.press("escape")
        assert server.options.is_local
        await person.press("enter", "t")
        assert server.options == ServerOptions(bind="0.0.0.0", require_tokens=True)
        assert "There is no API token yet" in person.toasts()
        await person.until(lambda: "! every network" in person.text())
        await person.press("s")
        await person.until(lambda: "open to the network" in person.top)
        await person.press("enter")
        assert server.options.is_local


async def test_a_token_is_shown_once_and_revoked(workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    server = FakeServer()
    async with person_at(workbench, (80, 24), server=server) as person:
        await open_view(person)
        await person.press("t", "n", *"laptop", "enter", "2")
        assert isinstance(person.app.screen, TokenDialog)
        assert "sk-lm-abcdefgh:12345678901234567890" in person.text()
        await person.press("y")
        assert person.app.clipboard == "sk-lm-abcdefgh:12345678901234567890"
        await person.press("escape")
        assert "▌ laptop" in person.text()
        assert "sk-lm" not in person.text()
        assert server.tokens.tokens[0].permissions == ("generate",)
        await person.press("d", "y")
        assert not server.tokens.tokens


async def test_loaded_models_show_their_queue(ready: FakeWorkbench) -> None:
    key = "Qwen3-8B-Q4_K_M"
    ready.models[key].running = 3
    waiting = [request(number, state="queued", status=0) for number in (1, 2)]
    loading = request(3, state="loading", status=0, model="gemma", progress="loading 40%")
    async with person_at(ready, server=FakeServer(on=True, log=FakeJournal([loading, *waiting]))) as person:
        await open_view(person)
        await person.until(lambda: "1 running, 2 waiting" in person.text())
        assert "loading 40%" in person.text()


async def test_a_narrow_screen_shows_one_pane_at_a_time(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, (80, 24), server=busy_server()) as person:
        screen = await open_view(person)
        seen = []
        for _ in range(4):
            seen.append((screen.requests.region.height, screen.detail.region.height, screen.options.region.height))
            await person.press("tab")
        assert [tuple(height > 0 for height in heights) for heights in seen] == [
            (True, False, False), (False, True, False), (False, False, True), (False, False, True),
        ]  # fmt: skip
        assert screen.focused is screen.requests
        await person.press("shift+tab", "escape")
        assert screen.focused is screen.requests


@pytest.mark.parametrize("size", [(80, 24), (120, 60)])
@pytest.mark.parametrize("pane", ["requests", "detail", "options", "tokens"])
async def test_keys_come_from_the_registry(workbench: FakeWorkbench, pane: str, size: tuple[int, int]) -> None:
    places = {"requests": ("requests", "request"), "detail": ("request",), "options": ("options",)}
    async with person_at(workbench, size, server=busy_server()) as person:
        screen = await open_view(person)
        screen.show_pane(getattr(screen, pane))
        await person.settle()
        applying = set(active_keys(person.app.screen))
        wanted = {action.id for action in ACTIONS if action.where in (*places.get(pane, (pane,)), "server")}
        assert wanted <= applying
        labels = {action.footer for action in ACTIONS if action.footer}
        for entry in filter(None, (part.strip() for part in person.bottom.split("  "))):
            assert entry.split(" ", 1)[1] in labels
        await person.press("f1")
        assert isinstance(person.app.screen, HelpScreen)
        if size == (120, 60):
            for action in ACTIONS:
                if action.id in wanted:
                    assert action.title in person.text()
                    assert key_label(action.keys.split(",")[0]) in person.text()


async def test_a_thousand_requests_are_no_burden(workbench: FakeWorkbench) -> None:
    server = FakeServer(on=True)
    server.log.in_memory = [request(number) for number in reversed(range(800, 1000))]
    server.log.on_disk = [request(number) for number in reversed(range(800))]
    async with person_at(workbench, server=server) as person:
        screen = await open_view(person)
        await person.until(lambda: len(screen.requests.items) == 500)
        assert screen.requests.items[0].id == "request-999"
        await person.press("G")
        assert re.search(r"┃▌ \d\d:\d\d:\d\d ✓ 200", person.text())
