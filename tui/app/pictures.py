"""Attachments of messages as the transcript shows them. Images are made small enough to be drawn in cells."""

from __future__ import annotations

import io
import warnings

from tui.app.figures import bytes_text, one_line
from tui.app.transcript import Attachment
from tui.domain import FilePart, ImagePart, Message

COLUMNS = 40
"""Cells that a picture takes at most; enough to tell one from another."""

ROWS = 14

MIDDLE, OPAQUE = 128, 255
"""Of the 256 steps of brightness and of opacity."""


def captions_of(message: Message) -> tuple[Attachment, ...]:
    """What goes along with a message, by name and size only."""
    return tuple(
        Attachment(_file_caption(part) if isinstance(part, FilePart) else _image_caption(part))
        for part in message.parts
        if isinstance(part, FilePart | ImagePart)
    )


def pictures_of(message: Message) -> tuple[Attachment, ...]:
    """The same with its images drawn. Takes some 10 ms per megapixel."""
    return tuple(
        Attachment(_file_caption(part)) if isinstance(part, FilePart) else _picture(part)
        for part in message.parts
        if isinstance(part, FilePart | ImagePart)
    )


def has_pictures(message: Message) -> bool:
    """Whether there is anything to draw."""
    return any(isinstance(part, ImagePart) for part in message.parts)


def _file_caption(part: FilePart) -> str:
    return f"▤ {one_line(part.name) or 'text'} · {len(part.text):,} characters"


def _image_caption(part: ImagePart) -> str:
    return f"▣ {one_line(part.name) or part.media_type or 'image'} · {bytes_text(len(part.data))}"


def _picture(part: ImagePart) -> Attachment:
    """The picture of an image, or only a caption that says what is wrong with it."""
    from PIL import Image, ImageOps, ImageStat

    try:
        with warnings.catch_warnings():
            # A picture that unpacks to gigabytes is refused rather than warned about.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(part.data)) as image:
                caption = f"{_image_caption(part)} · {image.width}×{image.height}"
                image.draft("RGB", (COLUMNS * 4, ROWS * 8))
                small = ImageOps.exif_transpose(image).convert("RGBA")
                small.thumbnail((COLUMNS, ROWS * 2))
    # Pillow's decoders raise nearly anything on a damaged file.
    except Exception as error:
        return Attachment(f"{_image_caption(part)} · cannot be drawn: {error}")
    # Two rows make a cell, and half a cell of ground below would look like a part of the picture.
    small = small.resize((small.width, small.height + small.height % 2))
    opaque = small.getchannel("A")
    seen_through = opaque.histogram()[OPAQUE] < small.width * small.height
    dark = opaque.getbbox() is not None and ImageStat.Stat(small.convert("L"), opaque).mean[0] < MIDDLE
    # Black lines without a ground of their own would not be seen on black.
    ground = Image.new("RGBA", small.size, "white" if dark and seen_through else "black")
    ground.alpha_composite(small)
    return Attachment(caption, ground.width, ground.convert("RGB").tobytes())
