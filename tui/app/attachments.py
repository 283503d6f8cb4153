"""Files that go along with a message: how they stand in the composer, and what is read of them when it is sent."""

from __future__ import annotations

import io
import re
import shlex
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tui.domain import BadRequest, FilePart, ImagePart, TextPart

if TYPE_CHECKING:
    from tui.domain import Part

LARGEST_TEXT = 4_000_000
"""Bytes of a text file; more would not fit into any context."""

LARGEST_IMAGE = 64_000_000

IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ico", ".ppm"}

_SENT_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_WORD = re.compile(r"\[(?:image|file): [^\[\]\n]+\]")


def word_for(path: Path) -> str:
    """What stands in the composer for a file, until the message is sent."""
    kind = "image" if path.suffix.lower() in IMAGES else "file"
    return f"[{kind}: {path}]"


def words_in(text: str) -> frozenset[str]:
    """What in a text could stand for a file."""
    return frozenset(_WORD.findall(text))


def without_images(text: str, attached: Collection[str]) -> tuple[str, int]:
    """A text without the words in `attached` that stand for images, and how many images those are."""
    words = [word for word in _WORD.findall(text) if word in attached and word.startswith("[image: ")]
    for word in set(words):
        text = text.replace(word, "")
    return text, len(words)


def looks_like_path(text: str) -> bool:
    """Whether a text could be the path of a file."""
    line = text.strip()
    return "\n" not in line and len(line) <= 4096 and line.startswith(("/", "~", "'", '"', "file://", "\\"))


def pasted_path(text: str) -> Path | None:
    """The file that a terminal means when one is dropped on it: a path, in quotes or with escapes, or a file URL.

    Blocks for as long as the disk does.
    """
    line = text.strip()
    if line.startswith("file://"):
        line = unquote(urlsplit(line).path)
    else:
        try:
            words = shlex.split(line)
        except ValueError:
            return None
        if len(words) != 1:
            return None
        line = words[0]
    try:
        path = Path(line).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None


def parts_of(text: str, attached: Collection[str]) -> tuple[Part, ...]:
    """A message with the files that the words in `attached` stand for, in their places.

    Blocks; raises BadRequest where a file cannot be sent.
    """
    parts: list[Part] = []
    place = 0
    for match in _WORD.finditer(text):
        if match.group() not in attached:
            continue
        parts += [TextPart(text[place : match.start()])] if text[place : match.start()].strip() else []
        parts.append(read_attachment(Path(match.group().partition(": ")[2].removesuffix("]"))))
        place = match.end()
    if not parts:
        return (TextPart(text),)
    rest = text[place:]
    return (*parts, TextPart(rest)) if rest.strip() else tuple(parts)


def read_attachment(path: Path) -> ImagePart | FilePart:
    """An image, or a text file whole. Blocks; raises BadRequest."""
    is_image = path.suffix.lower() in IMAGES
    limit = LARGEST_IMAGE if is_image else LARGEST_TEXT
    try:
        size = path.stat().st_size
        if size > limit:
            raise BadRequest(
                f"{path} has {size:,} bytes; at most {limit:,} can be attached.", "Attach a part of it.", field="file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read: {error.strerror or error}.",
            "Take its word out of the message, or attach it again.",
            field="file",
        ) from error
    return _image(path, data) if is_image else FilePart(path.name, _text(path, data))


def _text(path: Path, data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except ValueError as error:
        raise BadRequest(
            f"{path} is neither text in UTF-8 nor an image.", "Save it as text first.", field="file"
        ) from error
    if "\0" in text:
        raise BadRequest(f"{path} is neither text in UTF-8 nor an image.", "Save it as text first.", field="file")
    return text.replace("\r\n", "\n")


def _image(path: Path, data: bytes) -> ImagePart:
    """The image as it is; in a form that models do not read, the same as PNG."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                if image.format in _SENT_AS_THEY_ARE:
                    return ImagePart(data, _SENT_AS_THEY_ARE[image.format], name=path.name)
                changed = io.BytesIO()
                image.convert("RGBA").save(changed, "PNG")
    # Pillow's decoders raise nearly anything on a damaged file.
    except Exception as error:
        raise BadRequest(
            f"{path} is no image that can be read: {error}.", "Open and save it anew.", field="file"
        ) from (error)
    return ImagePart(changed.getvalue(), "image/png", name=path.name)
