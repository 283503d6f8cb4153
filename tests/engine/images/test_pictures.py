"""Image files to pixels."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy
import pytest
from PIL import Image

from tests.support.projector_models import picture_file
from tui.domain import BadRequest
from tui.engine.images import decode_image


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data: bytes, **options: Any) -> Any:
    picture = decode_image(data, **options)
    return numpy.frombuffer(picture.data, numpy.uint8).reshape(picture.height, picture.width, 3)


@pytest.mark.parametrize(("kind", "tolerance"), [("PNG", 0), ("WEBP", 3), ("JPEG", 3), ("GIF", 3)])
def test_every_format_gives_its_pixels_in_its_own_size(kind: str, tolerance: int) -> None:
    image = Image.new("RGB", (61, 37), (200, 100, 50))
    found = pixels(file_of(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert found.shape == (37, 61, 3)
    assert numpy.abs(found.astype(int) - (200, 100, 50)).max() <= tolerance


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_colour_mode_becomes_three_channels(mode: str) -> None:
    level = 255 if mode == "1" else 128
    image = Image.new("I;16", (8, 8), level << 8) if mode == "I;16" else Image.new("L", (8, 8), level).convert(mode)
    found = pixels(file_of(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert numpy.abs(found.astype(int) - level).max() <= 1


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert (pixels(file_of(clear)) == 255).all()
    assert numpy.abs(pixels(file_of(half)).astype(int) - 127).max() <= 1
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([10, 20, 30])
    assert (pixels(file_of(palette, "GIF", transparency=0)) == 255).all()


def test_a_photograph_is_turned_as_its_camera_noted() -> None:
    image = Image.new("RGB", (20, 10), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 10, 10))
    notes = Image.Exif()
    notes[0x0112] = 6  # to be turned clockwise by a quarter
    found = pixels(file_of(image, exif=notes.tobytes()))
    assert found.shape == (20, 10, 3)
    assert tuple(found[2, 5]) == (0, 0, 255)
    assert tuple(found[17, 5]) == (255, 0, 0)


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    found = pixels(file_of(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert tuple(found[0, 0]) == (255, 0, 0)


def test_a_largest_side_makes_it_smaller_and_never_larger() -> None:
    assert pixels(picture_file(200, 100), largest_side=50).shape == (25, 50, 3)
    assert pixels(picture_file(20, 10), largest_side=50).shape == (10, 20, 3)
    with pytest.raises(BadRequest):
        decode_image(picture_file(), largest_side=0)


def claimed_png(width: int, height: int) -> bytes:
    """A tiny file that claims to be huge."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"")) + part(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read"),
        (b"no image at all", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "cannot be read"),
        (picture_file(100, 100)[:-200], "cannot be read"),
        (picture_file(100, 100, kind="JPEG")[:300], "cannot be read"),
        (picture_file(10, 10, kind="BMP"), "cannot be read"),
        (claimed_png(10_000, 10_000), "pixels"),
        (claimed_png(100_000, 100_000), "pixels"),
        (claimed_png(10, 10), "cannot be read"),
        (picture_file(402, 2), "too narrow"),
        (picture_file(1, 201), "too narrow"),
    ],
)
def test_what_cannot_be_seen_is_refused_and_named(data: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as problem:
        decode_image(data, field="images[3]")
    assert problem.value.field == "images[3]"
    assert "images[3]" in problem.value.message


def test_damaged_bytes_never_lead_to_anything_else() -> None:
    random = numpy.random.default_rng(0)
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        whole = picture_file(16, 16, kind=kind)
        for _ in range(60):
            data = bytearray(whole)
            for place in random.integers(0, len(data), 4):
                data[place] = random.integers(0, 256)
            try:
                picture = decode_image(bytes(data))
            except BadRequest:
                continue
            assert len(picture.data) == 3 * picture.width * picture.height
