"""Attachments: a caption, and pictures as half blocks, which are two pixels in each cell."""

from __future__ import annotations

from dataclasses import dataclass

from rich.color import Color
from rich.style import Style

from tui.app.transcript.palette import Palette
from tui.app.transcript.text import ALL_GUTTER, Row, clean, wrap

HALF = "▀"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What goes along with a message: a picture that was made small, or without pixels only a caption."""

    caption: str
    width: int = 0
    """Pixels in a row, which is as many as cells."""
    pixels: bytes = b""
    """Red, green and blue of every pixel, row after row; an even number of rows."""


def attachment_rows(attachment: Attachment, width: int, palette: Palette) -> list[Row]:
    """The caption, and the picture in at most `width` cells."""
    rows = [row._replace(gutter=ALL_GUTTER) for row in wrap([(clean(attachment.caption), palette.marker)], width)]
    if not attachment.width:
        return rows
    shown = min(width, attachment.width)
    columns = [column * attachment.width // shown for column in range(shown)]
    stride = attachment.width * 3
    for start in range(0, len(attachment.pixels) - 2 * stride + 1, 2 * stride):
        spans = [(HALF, _style(attachment.pixels, start + 3 * column, stride)) for column in columns]
        rows.append(Row(spans, gutter=ALL_GUTTER))
    return rows


def _style(pixels: bytes, place: int, stride: int) -> Style:
    upper, lower = pixels[place : place + 3], pixels[place + stride : place + stride + 3]
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
