"""The list of downloads: how far each is, why one waits or failed, and what the keys do to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.driving import Person, person_at
from tests.app.fake_workbench import FakeWorkbench
from tests.app.hub_workbench import HURRY, HubWorkbench, hub_workbench_at
from tests.models.fake_hub import TOKEN, always, well
from tests.models.hub_models import noise
from tui.app.actions import BY_ID
from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.downloads import DownloadsScreen
from tui.app.screens.load_dialog import LoadDialog
from tui.app.widgets.key_bar import active_keys
from tui.models.downloads import Download, Downloads, DownloadState, FileProgress, Persistence
from tui.models.hub import Hub, HubConnection

NAME = "maker/talker-GGUF"
DATA = noise("talker", 400_000)
CHUNK = 20_000
PATIENT = Persistence(first_wait=600.0, longest_wait=600.0)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubWorkbench]:
    """A Hub with one model in two quantisations."""
    with hub_workbench_at(tmp_path, monkeypatch) as desk:
        desk.fake.add(NAME, {"talker-Q8_0.gguf": DATA, "talker-Q4_0.gguf": DATA[:300_000]})
        yield desk


def slow(desk: HubWorkbench) -> None:
    """From now on a file takes many seconds."""
    desk.fake.chunk, desk.fake.delay = CHUNK, 0.5


def fast(desk: HubWorkbench) -> None:
    desk.fake.chunk, desk.fake.delay = 2**20, 0.0


def screen_of(person: Person) -> DownloadsScreen:
    screen = person.app.screen
    assert isinstance(screen, DownloadsScreen)
    return screen


def state_of(desk: HubWorkbench, download: Download) -> str:
    return desk.downloads.get(download.id).state


def facts(person: Person) -> str:
    """What the lower pane says, without its borders and line ends."""
    area = screen_of(person).facts.region
    rows = [row[area.x : area.right].strip("│┃ ") for row in person.rows()[area.y : area.bottom]]
    return " ".join(" ".join(rows).split())


def row(person: Person, text: str) -> str:
    """The only row of the list with this text."""
    area = screen_of(person).rows.region
    (found,) = [row for row in person.rows()[area.y + 1 : area.bottom - 1] if text in row]
    return found


def offered(person: Person) -> set[str]:
    """The words in the footer."""
    keys = active_keys(person.app.screen)
    return {BY_ID[name].footer for name in keys}


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_an_empty_list_says_where_models_are_found(desk: HubWorkbench, size: tuple[int, int]) -> None:
    async with person_at(desk, size) as person:
        await person.press("f4")
        assert "No downloads." in person.text()
        assert "F3 finds models on Hugging Face" in person.text()
        await person.press("p", "r", "x", "C", "enter")
        assert isinstance(person.app.screen, DownloadsScreen)
        await person.press("escape")
        assert person.app.screen is person.chat


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_pause_keeps_what_came_and_goes_on_from_there(desk: HubWorkbench, size: tuple[int, int]) -> None:
    slow(desk)
    job = desk.add(NAME, "Q8_0")
    async with person_at(desk, size) as person:
        await person.press("f4")
        await person.until(lambda: desk.downloads.get(job.id).done > 2 * CHUNK)
        await person.until(lambda: "KB/s" in row(person, "talker-GGUF Q8_0"))
        assert "1 active" in person.text()
        await person.press("p")
        assert state_of(desk, job) == "paused"
        assert "paused" in row(person, "talker-GGUF Q8_0")
        assert "paused" in facts(person)
        assert "KB/s" not in person.text()
        kept = desk.downloads.get(job.id).done
        fast(desk)
        await person.press("p")
        await person.until(lambda: "✓" in row(person, "talker-GGUF Q8_0"))
        last = desk.fake.file_requests()[-1]
        assert int(last.range.removeprefix("bytes=").removesuffix("-")) >= kept > 2 * CHUNK
    assert (desk.paths.models / NAME / "talker-Q8_0.gguf").read_bytes() == DATA


class Still:
    """A queue in which nothing moves; it notes what is asked of it."""

    def __init__(self, *downloads: Download) -> None:
        self.downloads = downloads
        self.asked: list[tuple[str, str]] = []

    def all(self) -> tuple[Download, ...]:
        return self.downloads

    def pause(self, identifier: str) -> None:
        self.asked.append(("pause", identifier))

    def resume(self, identifier: str) -> None:
        self.asked.append(("resume", identifier))


def one(state: DownloadState, *, elsewhere: bool = False) -> Download:
    file = FileProgress("maker/talker-GGUF/talker-Q8_0.gguf", 1000, 1000 if state == "completed" else 100)
    name = f"job_{state}{elsewhere}"
    return Download(name, NAME, "Q8_0", state, (file,), 1.0, next_attempt=2e9, elsewhere=elsewhere)


OFFERED: dict[DownloadState, set[str]] = {
    "queued": {"pause", "cancel"},
    "downloading": {"pause", "cancel"},
    "verifying": {"pause", "cancel"},
    "waiting": {"pause", "retry", "cancel"},
    "paused": {"go on", "cancel"},
    "failed": {"retry", "cancel"},
    "cancelled": {"retry"},
    "completed": {"load"},
}
DOES = {"pause": "pause", "go on": "resume", "retry": "resume"}


async def test_the_footer_offers_what_the_download_under_the_cursor_can_do(workbench: FakeWorkbench) -> None:
    queue = Still(*(one(state) for state in OFFERED), one("downloading", elsewhere=True))
    workbench.downloads = queue  # type: ignore[attr-defined]
    mine = {"pause", "go on", "retry", "cancel", "load"}
    async with person_at(workbench, (80, 24)) as person:
        await person.press("f4")
        for state, words in OFFERED.items():
            assert offered(person) & mine == words, state
            assert all(word in person.bottom for word in words), state
            queue.asked.clear()
            await person.press("p", "r")
            assert [name for name, _ in queue.asked] == [DOES[word] for word in DOES if word in words], state
            if state != "completed":
                await person.press("enter")
                assert isinstance(person.app.screen, DownloadsScreen), "enter is for loading"
            await person.press("down")
        assert not offered(person) & mine, "what another lmdeck does can only be looked at"
        assert "clear" in offered(person)
        queue.downloads = (one("paused"),)
        await person.until(lambda: "clear" not in offered(person))
        assert offered(person) & mine == {"go on", "cancel"}


async def test_cancel_asks_first_and_throws_away_what_came(desk: HubWorkbench) -> None:
    slow(desk)
    job = desk.add(NAME, "Q8_0")
    part = desk.paths.models / NAME / "talker-Q8_0.gguf.part"
    async with person_at(desk) as person:
        await person.press("f4")
        await person.until(part.exists)
        await person.press("x")
        assert isinstance(person.app.screen, ConfirmDialog)
        assert f"{NAME} Q8_0" in person.text()
        await person.press("n")
        assert state_of(desk, job) == "downloading"
        await person.press("x", "y")
        assert state_of(desk, job) == "cancelled"
        await person.until(lambda: not part.exists())
        assert "cancelled" in row(person, "talker-GGUF Q8_0")
        await person.press("x")
        assert isinstance(person.app.screen, DownloadsScreen), "there is nothing left to cancel"


async def test_clear_forgets_what_has_ended_and_nothing_else(desk: HubWorkbench) -> None:
    ended = desk.add(NAME, "Q4_0")
    while not desk.downloads.get(ended.id).over:
        desk.downloads.wait(0.05)
    slow(desk)
    going = desk.add(NAME, "Q8_0")
    async with person_at(desk) as person:
        await person.press("f4")
        assert len(screen_of(person).rows.items) == 2
        await person.press("C")
        assert [one.id for one in screen_of(person).rows.items] == [going.id]
        assert (desk.paths.models / NAME / "talker-Q4_0.gguf").exists()


async def test_a_refused_download_says_why_and_goes_on_once_that_is_mended(
    desk: HubWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fake.repositories[NAME].gated = "auto"
    job = desk.add(NAME, "Q8_0")
    async with person_at(desk) as person:
        await person.press("f4")
        await person.until(lambda: "failed" in row(person, "talker-GGUF Q8_0"))
        assert f"{NAME} is gated: one has to accept its terms first." in facts(person)
        assert f"Accept them at {desk.fake.url}/{NAME}, then log in with `hf auth login` or set HF_TOKEN." in facts(
            person
        )
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        await person.press("r")
        await person.until(lambda: state_of(desk, job) == "completed")
        await person.until(lambda: "gated" not in facts(person))


async def test_a_file_that_was_taken_away_is_named(desk: HubWorkbench) -> None:
    details = desk.hub.details(NAME)
    variant = next(one for one in details.variants if one.name == "Q8_0")
    desk.fake.repositories[NAME].files.clear()
    desk.downloads.add(NAME, details.revision, variant)
    async with person_at(desk, (80, 24)) as person:
        await person.press("f4")
        await person.until(lambda: "failed" in row(person, "talker-GGUF Q8_0"))
        assert f"{NAME} has no file 'talker-Q8_0.gguf' any more." in facts(person)
        assert "Look at its files again" in facts(person)


async def test_one_that_waits_says_for_how_long_and_retry_does_not_wait(desk: HubWorkbench) -> None:
    desk.downloads.close()
    desk.open_hub(desk.fake.url, PATIENT)
    desk.fake.plan = always("503", "Q8_0")
    job = desk.add(NAME, "Q8_0")
    async with person_at(desk) as person:
        await person.press("f4")
        await person.until(lambda: state_of(desk, job) == "waiting")
        await person.until(lambda: "again in" in row(person, "talker-GGUF Q8_0"))
        assert "has trouble (HTTP 503)" in facts(person)
        assert "Try again in a while." in facts(person)
        desk.fake.plan = well
        await person.press("r")
        await person.until(lambda: "✓" in row(person, "talker-GGUF Q8_0"))
        assert "HTTP 503" not in facts(person)


async def test_offline_it_waits_and_comes_when_the_network_is_back(desk: HubWorkbench) -> None:
    desk.fake.plan = always("reset", "Q8_0")
    job = desk.add(NAME, "Q8_0")
    async with person_at(desk) as person:
        await person.press("f4")
        await person.until(lambda: desk.downloads.get(job.id).attempts > 2)
        await person.until(lambda: "broke off" in facts(person) and "Check the network connection" in facts(person))
        desk.fake.plan = well
        await person.until(lambda: state_of(desk, job) == "completed")


async def test_enter_loads_what_has_arrived(desk: HubWorkbench) -> None:
    desk.add(NAME, "Q4_0")
    async with person_at(desk) as person:
        await person.press("f4")
        await person.until(lambda: len(desk.disk_models) == 2)
        await person.until(lambda: "✓" in row(person, "talker-GGUF Q4_0"))
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, LoadDialog))
        assert "talker-Q4_0" in person.text()


async def test_what_another_process_does_can_be_looked_at_only(desk: HubWorkbench) -> None:
    slow(desk)
    connection = HubConnection(desk.fake.url)
    other = Downloads(connection, desk.paths.models, desk.paths.downloads, persistence=HURRY)
    details = Hub(connection, desk.root / "other").details(NAME)
    job = other.add(NAME, details.revision, details.variants[0])
    try:
        async with person_at(desk) as person:
            await person.press("f4")
            assert "in another lmdeck" in row(person, "talker-GGUF Q4_0")
            assert "Another lmdeck does this download. It can be stopped there." in facts(person)
            assert not offered(person) & {"pause", "go on", "retry", "cancel", "load"}
            await person.press("p", "r", "x")
            assert isinstance(person.app.screen, DownloadsScreen)
            assert not person.toasts()
            assert other.get(job.id).active
            other.close()
            await person.until(lambda: "paused" in row(person, "talker-GGUF Q4_0"))
    finally:
        other.close()
        connection.close()


async def test_a_disk_slower_than_the_clock_still_shows_something(desk: HubWorkbench) -> None:
    desk.add(NAME, "Q4_0")
    look = desk.downloads.all

    def slowly() -> tuple[Download, ...]:
        time.sleep(0.25)
        return look()

    desk.downloads.all = slowly  # type: ignore[method-assign]
    async with person_at(desk) as person:
        await person.pilot.press("f4")
        end = time.monotonic() + 5
        while "talker-GGUF Q4_0" not in person.text():
            assert time.monotonic() < end, "every look was ended by the next one"
            await person.pilot.pause(0.02)
        desk.downloads.all = look  # type: ignore[method-assign]
