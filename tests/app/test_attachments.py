"""Files that go along with a message."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from textual import events

from tests.app.driving import person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.attachments import LARGEST_TEXT, parts_of, pasted_path, read_attachment, without_images, word_for
from tui.app.pictures import COLUMNS, ROWS, pictures_of
from tui.domain import BadRequest, FilePart, ImagePart, Message, TextPart


def picture_bytes(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (0, size[1] // 2, size[0], size[1]))
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "my cat.png"
    path.write_bytes(picture_bytes())
    return path


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("first line\nsecond line\n")
    return path


def test_words_become_files_in_their_places(cat: Path, notes: Path) -> None:
    image, file = word_for(cat), word_for(notes)
    parts = parts_of(f"Look at {image} and read {file}", {image, file})
    assert [type(part) for part in parts] == [TextPart, ImagePart, TextPart, FilePart]
    assert parts[1] == ImagePart(cat.read_bytes(), "image/png", "my cat.png")
    assert parts[3] == FilePart("notes.txt", "first line\nsecond line\n")


def test_words_that_nobody_attached_are_text(notes: Path) -> None:
    text = f"type {word_for(notes)} to attach"
    assert parts_of(text, set()) == (TextPart(text),)


def test_images_that_models_do_not_read_become_png(tmp_path: Path) -> None:
    path = tmp_path / "scan.bmp"
    path.write_bytes(picture_bytes("BMP"))
    part = read_attachment(path)
    assert isinstance(part, ImagePart)
    assert part.media_type == "image/png"
    assert part.data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("broken.png", b"not a picture", "no image that can be read"),
        ("program.bin", b"\x00\x01\x02\xff", "neither text in UTF-8 nor an image"),
        ("nul.txt", b"a\x00b", "neither text in UTF-8 nor an image"),
        ("huge.txt", b"x" * (LARGEST_TEXT + 1), "can be attached"),
    ],
)
def test_what_cannot_be_sent_says_why(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadRequest, match=said):
        read_attachment(path)


def test_file_that_has_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        read_attachment(tmp_path / "gone.txt")


def test_dropped_paths_in_the_ways_terminals_write_them(cat: Path) -> None:
    escaped = str(cat).replace(" ", "\\ ")
    for text in (f"'{cat}'", f'"{cat}"', escaped, f" {escaped}\n", cat.as_uri()):
        assert pasted_path(text) == cat, text
    for text in (f"{cat} and more", "/no/such/file", "a word", "'unclosed", f"{cat}\n{cat}", str(cat.parent)):
        assert pasted_path(text) is None, text


def test_picture_is_made_small_and_keeps_its_colours() -> None:
    (drawn,) = pictures_of(Message("user", (ImagePart(picture_bytes(size=(4000, 3000)), "image/png", "big"),)))
    assert 0 < drawn.width <= COLUMNS
    assert len(drawn.pixels) // 3 // drawn.width <= 2 * ROWS
    assert len(drawn.pixels) % (6 * drawn.width) == 0
    assert drawn.pixels[0] > 150 > drawn.pixels[2]
    assert "4000×3000" in drawn.caption


def encoded(image: Image.Image, **options: object) -> ImagePart:
    file = io.BytesIO()
    image.save(file, "PNG", **options)  # type: ignore[arg-type]
    return ImagePart(file.getvalue(), "image/png", "drawn")


def drawn(part: ImagePart) -> list[list[tuple[int, int, int]]]:
    """The pixels of the preview, row by row."""
    (attachment,) = pictures_of(Message("user", (part,)))
    data, width = attachment.pixels, attachment.width
    pixels = [(data[place], data[place + 1], data[place + 2]) for place in range(0, len(data), 3)]
    return [pixels[start : start + width] for start in range(0, len(pixels), width)]


def test_picture_stands_upright_as_the_camera_was_held() -> None:
    image = Image.new("RGB", (20, 10), "red")
    image.paste("blue", (0, 0, 10, 10))
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn clockwise, in EXIF's table of orientations
    rows = drawn(encoded(image, exif=turned))
    assert (len(rows), len(rows[0])) == (20, 10)
    assert (rows[2][5], rows[17][5]) == ((0, 0, 255), (255, 0, 0))


def test_picture_of_odd_height_ends_with_itself() -> None:
    rows = drawn(encoded(Image.new("RGB", (8, 5), "red")))
    assert len(rows) == 6
    assert set(rows[-1]) == {(255, 0, 0)}


@pytest.mark.parametrize(("line", "ground"), [("black", 255), ("white", 0)])
def test_what_is_drawn_on_nothing_can_be_seen(line: str, ground: int) -> None:
    image = Image.new("RGBA", (8, 8))
    image.paste(line, (0, 0, 8, 2))
    rows = drawn(encoded(image))
    assert set(rows[7]) == {(ground, ground, ground)}
    assert set(rows[0]) == {(255 - ground, 255 - ground, 255 - ground)}


def test_damaged_picture_says_so() -> None:
    (drawn,) = pictures_of(Message("user", (ImagePart(picture_bytes()[:60], "image/png"),)))
    assert not drawn.width
    assert "cannot be drawn" in drawn.caption


async def test_dropped_file_is_attached_sent_and_drawn(ready: FakeWorkbench, cat: Path, notes: Path) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste(f"'{cat}'"))
        await person.settle()
        person.app.post_message(events.Paste(str(notes)))
        await person.settle()
        await person.ask("What is this?")
        await person.settle()
        thread = ready.threads.list_threads()[0]
        (message,) = [stored.message for stored in ready.threads.messages(thread.id) if stored.message.role == "user"]
        assert [type(part) for part in message.parts] == [ImagePart, FilePart, TextPart]
        shown = person.text()
        assert "▣ my cat.png" in shown
        assert "▤ notes.txt · 23 characters" in shown
        assert "▀" in shown
        assert person.chat.composer.text == ""


@pytest.mark.usefixtures("notes")
async def test_attach_dialog_completes_paths(ready: FakeWorkbench, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.md").write_text("inside")
    ready.settings.set("attach_folder", str(tmp_path))
    async with person_at(ready, (80, 24)) as person:
        await person.press("ctrl+g", "a")
        await person.until(lambda: "notes.txt" in person.text())
        await person.type("fol")
        await person.until(lambda: "notes.txt" not in person.text())
        await person.press("enter")
        await person.until(lambda: "inner.md" in person.text())
        await person.press("enter")
        assert f"[file: {tmp_path / 'folder' / 'inner.md'}]" in person.chat.composer.text
        assert ready.settings.get("attach_folder") == str(tmp_path / "folder")


async def test_a_whole_path_may_be_typed_behind_the_folder(ready: FakeWorkbench, notes: Path) -> None:
    async with person_at(ready, (80, 24)) as person:
        await person.press("ctrl+g", "a")
        await person.type(str(notes))
        await person.until(lambda: person.text().count("notes.txt") == 2)
        await person.press("enter")
        assert f"[file: {notes}]" in person.chat.composer.text


async def test_file_that_has_gone_keeps_the_message_in_the_composer(ready: FakeWorkbench, notes: Path) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste(str(notes)))
        await person.settle()
        notes.unlink()
        await person.press("enter")
        assert "cannot be read" in person.toasts()
        assert "notes.txt" in person.chat.composer.text
        assert ready.threads.list_threads() == []


def test_images_are_taken_out_of_a_text(cat: Path, notes: Path) -> None:
    image, file = word_for(cat), word_for(notes)
    text = f"{image} and {image}, {file}, [image: other.png]"
    assert without_images(text, {image, file}) == (f" and , {file}, [image: other.png]", 2)


async def test_draft_counts_what_is_in_files_and_names_images(ready: FakeWorkbench, cat: Path, notes: Path) -> None:
    async with person_at(ready) as person:
        composer = person.chat.composer

        async def figures(text: str) -> str:
            composer.load_message(text)
            await person.chat.draft_rests()
            return str(composer.border_subtitle)

        # The model of this test counts words.
        assert await figures(f"{word_for(cat)} look at this") == "3 tok + 1 image · enter send · ^j newline"
        assert (await figures(f"{word_for(cat)} {word_for(cat)}")).startswith("2 images · ")
        assert (await figures(f"read {word_for(notes)}")).startswith("8 tok · ")  # with its name and a fence
        notes.unlink()
        assert (await figures(f"read {word_for(notes)}")).startswith("a file cannot be sent · ")
        assert (await figures("two words")).startswith("2 tok · ")


async def test_recalled_message_has_its_file_again(ready: FakeWorkbench, notes: Path) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste(str(notes)))
        await person.settle()
        await person.ask("first")
        ready.answers[-1].generation.finish()
        await person.hear()
        await person.press("up", "enter")
        thread = ready.threads.list_threads()[0]
        asked = [stored.message for stored in ready.threads.messages(thread.id) if stored.message.role == "user"]
        assert [type(part) for message in asked for part in message.parts] == [FilePart, TextPart] * 2
