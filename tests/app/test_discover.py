"""The model browser: what a search shows, what is known of a repository and its files, and what is said when not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.widget import Widget

from tests.app.driving import Person, person_at
from tests.app.hub_workbench import HubWorkbench, a_fit, hub_workbench_at
from tests.models.fake_hub import always, well
from tests.models.hub_models import noise
from tui.app.hub_text import Choice, card_lines
from tui.app.screens.discover import DiscoverScreen
from tui.app.screens.downloads import DownloadsScreen
from tui.app.screens.load_dialog import LoadDialog
from tui.app.screens.while_open import while_open
from tui.domain import ModelUnusable
from tui.models.downloads import room

WIDE, NARROW = (120, 36), (80, 24)
README = b"---\nlicense: mit\n---\n# Talker\n\nIt talks a **lot**.\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubWorkbench]:
    """A Hub with a model in three quantisations, and another one that is more popular."""
    with hub_workbench_at(tmp_path, monkeypatch) as desk:
        files = {f"talker-{name}.gguf": noise(name, size) for name, size in FILES.items()}
        desk.fake.add(
            "maker/talker-GGUF", {**files, "README.md": README}, likes=5, downloads=100,
            gguf={"total": 8_000_000_000, "architecture": "llama", "context_length": 4096},
        )  # fmt: skip
        desk.fake.add("maker/other-GGUF", {"other-Q8_0.gguf": noise("other", 1000)}, likes=1, downloads=900)
        yield desk


FILES = {"Q4_K_M": 200_000, "Q6_K": 300_000, "Q8_0": 400_000}


def screen_of(person: Person) -> DiscoverScreen:
    screen = person.app.screen
    assert isinstance(screen, DiscoverScreen)
    return screen


async def search(person: Person, words: str) -> DiscoverScreen:
    """Open the browser and search at once; the cursor is in the list then."""
    await person.press("f3")
    screen = screen_of(person)
    screen.box.field.value = words
    await person.press("enter")
    return screen


async def open_files(person: Person, repository: str = "maker/talker-GGUF") -> DiscoverScreen:
    """Search for a repository by its name and go to its files; all of them are weighed."""
    screen = await search(person, repository)
    await person.until(lambda: bool(screen.choices.items))
    await person.press("enter")
    return screen


def found(screen: DiscoverScreen) -> list[str]:
    return [one.id for one in screen.found.items]


def lines_of(person: Person, pane: Widget) -> list[str]:
    """What is to be seen of one pane, row by row."""
    area = pane.region
    return [row[area.x : area.right] for row in person.rows()[area.y : area.bottom]]


def words_of(person: Person, pane: Widget) -> str:
    """The text of one pane without its borders and line ends."""
    return " ".join(" ".join(row.strip("│┃ ") for row in lines_of(person, pane)).split())


def row_of(person: Person, pane: Widget, text: str) -> str:
    """The only row of a pane with this text inside its borders."""
    (row,) = [row for row in lines_of(person, pane)[1:-1] if text in row]
    return row


async def test_what_is_popular_is_there_before_anything_is_typed(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        await person.press("f3")
        assert set(found(screen_of(person))) == {"maker/other-GGUF", "maker/talker-GGUF"}
        assert "2 found" in person.text()
        (asked,) = [one for one in desk.fake.asked if one.path == "/api/models"]
        assert asked.query["sort"] == ["trendingScore"]
        assert "search" not in asked.query


async def test_typing_searches_by_itself_once_the_fingers_rest(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        await person.press("f3")
        screen = screen_of(person)
        await person.pilot.press(*"talk")
        await person.until(lambda: found(screen) == ["maker/talker-GGUF"])
        assert "1 found" in person.text()
        assert "other-GGUF" not in person.text()


async def test_figures_of_a_repository_stand_in_columns(desk: HubWorkbench) -> None:
    async with person_at(desk, (160, 40)) as person:
        screen = await search(person, "talker")
        row = row_of(person, screen.found, "maker/talker-GGUF")
        assert "8.0B" in row
        assert "5♥" in row
        assert "100↓" in row


async def test_nothing_found_says_so_and_leaves_nothing_of_the_last_search(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert screen.choices.items
        await person.press("slash", *"nowhere", "enter")
        await person.until(lambda: not found(screen))
        assert "Nothing on the Hub fits “nowhere”" in person.text()
        assert "nothing found" in person.text()
        assert not screen.choices.items
        assert "talker" not in person.text()


async def test_the_next_page_comes_when_the_cursor_nears_the_end(desk: HubWorkbench) -> None:
    for number in range(70):
        desk.fake.add(f"many/m{number:02}-GGUF", {}, likes=number)
    async with person_at(desk) as person:
        screen = await search(person, "m")
        assert len(found(screen)) == 30
        await person.press("G")
        await person.until(lambda: len(found(screen)) == 60)
        await person.press("G")
        await person.until(lambda: len(found(screen)) > 60)
        await person.press("G")
        assert len(set(found(screen))) == len(found(screen)) == 72
        assert "72 found" in person.text()


@pytest.mark.parametrize("form", ["maker/talker-GGUF", "{hub}/maker/talker-GGUF", "{hub}/maker/talker-GGUF/tree/main"])
async def test_a_name_or_an_address_goes_straight_to_the_repository(desk: HubWorkbench, form: str) -> None:
    async with person_at(desk) as person:
        screen = await search(person, form.format(hub=desk.fake.url))
        assert found(screen) == ["maker/talker-GGUF"]
        await person.until(lambda: len(screen.choices.items) == 3)
        # One page was for what is popular when the screen was opened.
        assert len([one for one in desk.fake.asked if one.path == "/api/models"]) == 1


@pytest.mark.parametrize(
    "form", ["maker/talker-GGUF@q8_0", "maker/talker-GGUF:Q8_0", "{hub}/maker/talker-GGUF/blob/main/talker-Q8_0.gguf"]
)
async def test_the_quantisation_that_is_named_is_under_the_cursor(desk: HubWorkbench, form: str) -> None:
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert screen.choices.current is not None
        assert screen.choices.current.variant.name == "Q4_K_M"
        await person.press("slash")
        screen.box.field.value = form.format(hub=desk.fake.url)
        await person.press("enter")
        await person.until(lambda: screen.choices.current is not None and screen.choices.current.variant.name == "Q8_0")


async def test_a_quantisation_that_is_not_there_is_said_with_those_that_are(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await search(person, "maker/talker-GGUF@q2_k")
        await person.until(lambda: len(screen.choices.items) == 3)
        assert "has no 'q2_k'. It has: Q4_K_M, Q6_K, Q8_0." in " ".join(person.toasts().split())


async def test_author_and_licence_among_the_words_narrow_the_search(desk: HubWorkbench) -> None:
    desk.fake.add("someone/talker-GGUF", {}, licence="mit")
    async with person_at(desk) as person:
        screen = await search(person, "talker licence:mit")
        assert found(screen) == ["someone/talker-GGUF"]
        screen.box.field.value = "author:maker talker"
        await person.press("slash", "end", "enter")
        assert found(screen) == ["maker/talker-GGUF"]
        screen.box.field.value = "author:maker licence:mitt"
        await person.press("slash", "end", "enter")
        assert not found(screen)
        assert "licence: one as the Hub writes it, such as apache-2.0, mit" in words_of(person, screen.found)


async def test_one_key_shows_what_else_the_author_has(desk: HubWorkbench) -> None:
    desk.fake.add("someone/talker-GGUF", {})
    async with person_at(desk) as person:
        screen = await search(person, "talker")
        screen.found.highlight("maker/talker-GGUF")
        await person.press("a")
        assert set(found(screen)) == {"maker/talker-GGUF", "maker/other-GGUF"}
        assert screen.box.field.value == "author:maker"
        assert screen.focused is screen.found


async def test_a_next_page_that_could_not_be_had_comes_later(desk: HubWorkbench) -> None:
    for number in range(40):
        desk.fake.add(f"many/m{number:02}-GGUF", {})
    async with person_at(desk) as person:
        screen = await search(person, "author:many")
        desk.fake.plan = always("503")
        await person.press("G")
        assert "HTTP 503" in person.toasts()
        assert len(found(screen)) == 30
        desk.fake.plan = well
        await person.press("g", "G")
        await person.until(lambda: len(found(screen)) == 40)


async def test_sorting_asks_the_hub_again(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await search(person, "GGUF")
        assert "s best match" in person.text()
        await person.press("s", "s")
        assert "s downloads" in person.text()
        assert found(screen) == ["maker/other-GGUF", "maker/talker-GGUF"]
        await person.press("s")
        assert "s likes" in person.text()
        assert found(screen) == ["maker/talker-GGUF", "maker/other-GGUF"]


async def test_narrowing_by_size_leaves_out_what_is_larger_or_unknown(desk: HubWorkbench) -> None:
    desk.fake.add("maker/small-GGUF", {}, gguf={"total": 1_500_000_000})
    async with person_at(desk) as person:
        screen = await search(person, "maker")
        assert len(found(screen)) == 3
        await person.press("f")
        assert found(screen) == ["maker/small-GGUF"]
        assert "f up to 2B" in person.text()
        await person.press("f", "f")
        assert set(found(screen)) == {"maker/small-GGUF", "maker/talker-GGUF"}


async def test_every_verdict_has_words_of_its_own_and_the_best_that_fits_a_star(desk: HubWorkbench) -> None:
    desk.fits = {
        "Q4_K_M": a_fit("none", 40, problem="40.0 GB are needed on CUDA0, and 24.0 GB are free."),
        "Q6_K": a_fit("partial", 20, gpu_layers=20),
        "Q8_0": a_fit("gpu", 9),
    }
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert "✗ needs 40.0 GB" in row_of(person, screen.choices, "Q4_K_M")
        assert "~ 20 of 32 layers" in row_of(person, screen.choices, "Q6_K")
        assert "✓ all GPU 9.0 GB" in row_of(person, screen.choices, "★ Q8_0")
        assert person.text().count("★") == 1
        screen.choices.highlight("Q4_K_M")
        await person.settle()
        assert "40.0 GB are needed on CUDA0" in person.text()
        screen.choices.highlight("Q8_0")
        await person.settle()
        assert "9.0 GB of 24.0 GB free" in person.text()
        assert "8,192 tokens of context" in person.text()


async def test_what_most_people_should_take_is_weighed_first_and_starred_meanwhile(desk: HubWorkbench) -> None:
    desk.fit_may_end.clear()
    async with person_at(desk) as person:
        await person.pilot.press("f3")
        screen = screen_of(person)
        screen.box.field.value = "maker/talker-GGUF"
        await person.pilot.press("enter")
        while not screen.choices.items:
            await person.pilot.pause(0.01)
        await person.pilot.pause()
        assert "…" in row_of(person, screen.choices, "★ Q4_K_M")
        assert "fits" not in person.text()
        desk.fit_may_end.set()
        await person.until(lambda: person.text().count("✓ fits 3.0 GB") == 3)
        # What was begun for the popular ones may have been given up in between.
        assert list(dict.fromkeys(desk.weighed)) == ["Q4_K_M", "Q6_K", "Q8_0"]


async def test_a_verdict_that_cannot_be_had_says_why(desk: HubWorkbench) -> None:
    desk.fits = {"Q4_K_M": ModelUnusable("Its header does not end.", "Choose another file.")}
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert "? not known" in row_of(person, screen.choices, "Q4_K_M")
        assert "Its header does not end. Choose another file." in person.text()
        assert "✓ fits" in row_of(person, screen.choices, "Q8_0")


TOO_LARGE = a_fit("none", 40, problem="40.0 GB are needed on CUDA0, and 24.0 GB are free.")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_one_key_hides_what_will_not_fit_and_shows_it_again(desk: HubWorkbench, size: tuple[int, int]) -> None:
    desk.fits = {"Q6_K": TOO_LARGE, "Q8_0": ModelUnusable("Its header does not end.", "Choose another file.")}
    async with person_at(desk, size) as person:
        screen = await open_files(person)
        assert [one.variant.name for one in screen.choices.items] == ["Q4_K_M", "Q6_K", "Q8_0"]
        screen.choices.highlight("Q6_K")
        await person.press("o")
        assert [one.variant.name for one in screen.choices.items] == ["Q4_K_M", "Q8_0"], "what is not known stays"
        assert "1 hidden" in str(screen.choices.border_title)
        assert "o only fitting" in person.text()
        assert "40.0 GB are needed" not in person.text()
        assert desk.settings.get("discover_only_fitting") is True
        await person.press("o")
        assert len(screen.choices.items) == 3
        assert "hidden" not in str(screen.choices.border_title)
        assert "o all files" in str(screen.box.border_subtitle)


async def test_a_model_of_which_nothing_fits_is_marked_and_says_so(desk: HubWorkbench) -> None:
    desk.fits = dict.fromkeys(FILES, TOO_LARGE)
    desk.settings.set("discover_only_fitting", True)
    async with person_at(desk) as person:
        screen = await search(person, "talker")
        await person.until(lambda: "✗" in row_of(person, screen.found, "maker/talker-GGUF"))
        assert not screen.choices.items
        assert "None of its 3 files fits this machine. o shows them." in words_of(person, screen.choices)
        await person.press("o")
        assert len(screen.choices.items) == 3
        assert "✗" in row_of(person, screen.found, "maker/talker-GGUF")


async def test_a_file_that_was_named_is_shown_though_it_will_not_fit(desk: HubWorkbench) -> None:
    desk.fits = dict.fromkeys(FILES, TOO_LARGE)
    desk.settings.set("discover_only_fitting", True)
    async with person_at(desk) as person:
        screen = await open_files(person, "maker/talker-GGUF@q8_0")
        await person.until(lambda: "2 hidden" in str(screen.choices.border_title))
        assert "✗ needs 40.0 GB" in row_of(person, screen.choices, "Q8_0")


async def test_the_card_and_the_read_me_change_places(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert "8.0B parameters · llama · 4k context" in person.text()
        assert "licence apache-2.0 · 100 downloads · 5 likes" in person.text()
        await person.press("i")
        assert "It talks a lot." in person.text()
        assert "license: mit" not in person.text()
        assert screen.focused is screen.card
        await person.press("i")
        assert "It talks" not in person.text()
        assert "8.0B parameters" in person.text()


async def test_a_file_arrives_and_the_same_key_loads_it(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await open_files(person)
        assert not screen.downloads.display
        assert screen.choices.current is not None
        assert screen.choices.current.variant.name == "Q4_K_M"
        await person.press("enter")
        await person.until(lambda: "have" in row_of(person, screen.choices, "Q4_K_M"))
        assert screen.downloads.display
        assert "✓" in row_of(person, screen.downloads, "talker-GGUF Q4_K_M")
        arrived = desk.paths.models / "maker/talker-GGUF/talker-Q4_K_M.gguf"
        assert arrived.read_bytes() == noise("Q4_K_M", FILES["Q4_K_M"])
        await person.until(lambda: len(desk.disk_models) == 2)
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, LoadDialog))
        assert "talker-Q4_K_M" in person.text()


async def test_a_download_is_seen_at_its_file_while_it_comes(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await open_files(person)
        desk.fake.chunk, desk.fake.delay = 10_000, 0.2
        await person.press("enter")
        await person.until(lambda: "%" in row_of(person, screen.choices, "Q4_K_M"))
        assert "↓" in row_of(person, screen.downloads, "talker-GGUF Q4_K_M")
        await person.press("p")
        assert desk.downloads.all()[0].active, "p in the files is no pause"
        await person.press("w")
        assert isinstance(person.app.screen, DownloadsScreen)
        desk.fake.chunk, desk.fake.delay = 2**20, 0.0
        await person.until(lambda: desk.downloads.all()[0].over)


async def test_what_will_not_fit_is_downloaded_with_a_warning(desk: HubWorkbench) -> None:
    desk.fits = {name: a_fit("none", 40, problem="Too large.") for name in FILES}
    async with person_at(desk) as person:
        await open_files(person)
        await person.press("enter")
        assert "Q4_K_M will not fit this machine. It is downloaded all the same." in person.toasts()
        await person.until(lambda: desk.downloads.all()[0].state == "completed")


async def test_no_room_is_said_before_anything_is_fetched(desk: HubWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda _: 100_000)
    async with person_at(desk) as person:
        await open_files(person)
        before = len(desk.fake.file_requests())
        await person.press("enter")
        assert "not enough room" in person.toasts()
        assert "LMDECK_MODELS" in person.toasts()
        assert not desk.downloads.all()
        assert len(desk.fake.file_requests()) == before


async def test_a_repository_that_is_not_there(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await search(person, "maker/nothing")
        assert "There is no repository 'maker/nothing'" in person.text()
        assert "no results" in person.text()
        assert "No GGUF files" not in person.text()
        assert "hf auth login" in words_of(person, screen.found)
        await person.press("slash", *"talker", "enter")
        assert "1 found" in person.text()


async def test_a_gated_repository_says_how_to_get_in(desk: HubWorkbench) -> None:
    desk.fake.repositories["maker/talker-GGUF"].gated = "manual"
    async with person_at(desk, (120, 50)) as person:
        screen = await open_files(person)
        shown = words_of(person, screen.card)
        assert "5 likes · gated" in shown
        assert "? not known" in row_of(person, screen.choices, "Q8_0")
        assert "maker/talker-GGUF is gated: one has to accept its terms first." in shown
        await person.press("enter")
        await person.until(lambda: screen.downloads.display)
        await person.until(lambda: "failed" in row_of(person, screen.downloads, "talker-GGUF Q4_K_M"))
        assert "maker/talker-GGUF is gated: one" in row_of(person, screen.downloads, "talker-GGUF Q4_K_M")
        assert "✗" in row_of(person, screen.choices, "Q4_K_M")


async def test_before_it_is_tried_a_gated_repository_says_what_it_wants(desk: HubWorkbench) -> None:
    desk.fake.repositories["maker/talker-GGUF"].gated = "manual"
    details = desk.hub.details("maker/talker-GGUF")

    def card(choice: Choice) -> str:
        return "\n".join("".join(text for text, _ in line) for line in card_lines(details, choice))

    assert "Gated: downloads work once its authors let you in" in card(Choice(details.variants[0]))
    assert "Gated:" not in card(Choice(details.variants[0], fit=a_fit("gpu", 3))), "who is in needs no advice"


async def test_the_choice_is_what_a_small_screen_shows_of_the_card(desk: HubWorkbench) -> None:
    async with person_at(desk, NARROW) as person:
        screen = await open_files(person)
        assert "Q4_K_M 195 KB Counted with 8,192 tokens of context" in words_of(person, screen.card)


async def test_a_new_download_is_under_the_cursor_of_the_short_list(desk: HubWorkbench) -> None:
    async with person_at(desk, NARROW) as person:
        screen = await open_files(person)
        for name in ("Q4_K_M", "Q6_K", "Q8_0"):
            screen.choices.highlight(name)
            await person.press("enter")
            await person.until(lambda name=name: f"talker-GGUF {name}" in words_of(person, screen.downloads))
            assert screen.downloads.current is not None
            assert screen.downloads.current.name == name


async def test_a_slash_is_typed_in_the_field_and_is_a_key_outside_of_it(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        await person.press("f3")
        screen = screen_of(person)
        assert "search" not in person.bottom
        await person.press(*"maker", "slash", *"talker-GGUF", "enter")
        assert screen.box.field.value == "maker/talker-GGUF"
        assert found(screen) == ["maker/talker-GGUF"]
        assert "/ search" in person.bottom
        await person.press("slash")
        assert screen.focused is screen.box.field


async def test_a_repository_without_gguf_files_says_what_to_look_for(desk: HubWorkbench) -> None:
    desk.fake.add("maker/talker", {"model.safetensors": b"x" * 100}, tags=("safetensors",))
    async with person_at(desk) as person:
        screen = await search(person, "maker/talker")
        await person.until(lambda: "No GGUF files in it." in person.text())
        shown = words_of(person, screen.card)
        assert "No GGUF files (it has safetensors). Look for a repository named talker-GGUF." in shown
        assert not screen.choices.items


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_without_a_network_it_says_so_and_the_next_search_may_work(
    desk: HubWorkbench, size: tuple[int, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    desk.open_hub(f"http://127.0.0.1:{port}")
    async with person_at(desk, size) as person:
        await person.press("f3")
        assert f"127.0.0.1:{port} cannot be reached" in person.text()
        assert "offline" in person.text()
        assert "models on this machine work without it" in words_of(person, screen_of(person).found)
        desk.open_hub(desk.fake.url)
        await person.press("enter")
        assert "2 found" in person.text()
        assert "offline" not in person.text()


async def test_a_hub_in_trouble_is_not_called_offline(desk: HubWorkbench) -> None:
    desk.fake.plan = always("503")
    async with person_at(desk) as person:
        await person.press("f3")
        assert "has trouble (HTTP 503)" in person.text()
        assert "offline" not in person.text()
        desk.fake.plan = well
        await person.press("enter")
        assert "2 found" in person.text()


async def test_details_that_fail_are_asked_for_again_when_the_cursor_comes_back(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        screen = await search(person, "GGUF")
        await person.until(lambda: bool(screen.choices.items))
        desk.fake.plan = always("500", "/api/models/")
        await person.press("down")
        await person.until(lambda: "HTTP 500" in person.text())
        assert not screen.choices.items
        desk.fake.plan = well
        await person.press("enter")
        await person.until(lambda: bool(screen.choices.items))


async def test_what_comes_after_the_screen_was_closed_is_no_defect(
    desk: HubWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with person_at(desk) as person:
        await person.press("f3")
        screen = screen_of(person)

        async def show(selector: str) -> None:
            screen.query_one(selector)

        with pytest.raises(NoMatches):
            await while_open(screen, show("#nothing"))
        await person.press("escape", "escape")
        assert person.app.screen is person.chat
        with pytest.raises(NoMatches):
            await show("ChoiceList")
        await while_open(screen, show("ChoiceList"))
        await person.press("f3")
        screen = screen_of(person)
        # As when the program ends: the panes of the screen go while it is still on the stack.
        with monkeypatch.context() as ending:
            ending.setattr(person.app, "_running", False)
            await while_open(screen, show("#nothing"))


async def test_a_narrow_screen_shows_one_pane_after_the_other(desk: HubWorkbench) -> None:
    async with person_at(desk, NARROW) as person:
        screen = await open_files(person)
        assert screen.focused is screen.choices
        assert not screen.found.display
        await person.press("tab")
        assert screen.focused is screen.card
        await person.press("escape")
        assert screen.found.display
        assert screen.focused is screen.found
        assert not screen.side.display
        await person.press("escape")
        assert person.app.screen is person.chat
