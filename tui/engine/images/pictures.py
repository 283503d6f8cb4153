"""Image files to pixels, whatever is in the file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.domain import BadRequest

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

MOST_PIXELS = 89_478_485
"""Pillow's own `MAX_IMAGE_PIXELS`: a quarter of a gigabyte of pixels. A small file can claim any size."""

MOST_ELONGATED = 200
"""The longer side over the shorter one. Beyond it the models' own preprocessing gives up (Qwen2-VL's smart_resize)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels in rows from the top, three bytes each: red, green, blue."""

    width: int
    height: int
    data: bytes


def decode_image(data: bytes, *, largest_side: int | None = None, field: str = "images[0]") -> Picture:
    """Read a PNG, JPEG, WebP or GIF (its first frame), upright and on white, in its own size.

    With `largest_side`, in pixels, it is made smaller so that neither side is longer. Raises BadRequest naming `field`.
    """
    from PIL import Image

    if largest_side is not None and largest_side < 1:
        raise BadRequest("An image needs at least one pixel.", "Ask for a larger one.", field="largest_side")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            _check_size(opened.width, opened.height, field)
            image = _upright(opened)
    except BadRequest:
        raise
    except Image.DecompressionBombError:
        raise _too_large(field) from None
    except Exception as problem:  # decoders raise whatever a damaged file leads them to
        raise BadRequest(
            f"{field} cannot be read as an image: {problem or type(problem).__name__}.",
            "Send a PNG, JPEG, WebP or GIF file.",
            field=field,
        ) from problem
    if largest_side is not None:
        image.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
    image = _on_white(image)
    return Picture(image.width, image.height, image.tobytes())


def _check_size(width: int, height: int, field: str) -> None:
    if width * height > MOST_PIXELS:
        raise _too_large(field)
    if not width or not height or max(width, height) > MOST_ELONGATED * min(width, height):
        raise BadRequest(
            f"{field} is {width:,} by {height:,} pixels, too narrow for a model to see.",
            "Cut it into several images.",
            field=field,
        )


def _too_large(field: str) -> BadRequest:
    return BadRequest(
        f"{field} has more than {MOST_PIXELS:,} pixels.", "Make it smaller before sending it.", field=field
    )


def _upright(image: Image.Image) -> Image.Image:
    """The first frame, turned as its camera noted."""
    from PIL import ImageOps

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged note about the camera is no reason to refuse the picture
        return image.copy()


def _on_white(image: Image.Image) -> Image.Image:
    """Three channels of eight bits; what is transparent becomes white."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        import numpy

        image = Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image.alpha_composite(layer)
    return image.convert("RGB")
