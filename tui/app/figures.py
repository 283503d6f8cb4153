"""Numbers and text as people read them: short, in fixed widths, safe to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from tui.domain import LmdeckError


def bytes_text(count: float) -> str:
    """Bytes in powers of 1,024, such as `512 MB` or `4.3 GB`, as the engine's own sentences count them."""
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"


def count_text(count: int) -> str:
    """A count in at most four characters, such as `812`, `2.1k`, `128k`."""
    if count < 1000:
        return str(count)
    if count < 9_950:
        return f"{count / 1000:.1f}k"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.1f}M"


def context_text(tokens: int) -> str:
    """A context length as people call it: `32k` is 32,768 tokens."""
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def parameters_text(count: int) -> str:
    """How many parameters a model has: `8.2B`, `494M`, `31K`."""
    if count >= 999_500_000:
        return f"{count / 1e9:.1f}B"
    return f"{count / 1e6:.0f}M" if count >= 999_500 else f"{count / 1e3:.0f}K"


def age_text(seconds: float) -> str:
    """How long ago, in at most three characters."""
    minutes = seconds / 60
    for limit, size, unit in ((60, 1, "m"), (24 * 60, 60, "h"), (14 * 1440, 1440, "d"), (70 * 1440, 10080, "w")):
        if minutes < limit:
            return f"{minutes / size:.0f}{unit}" if minutes >= 1 else "now"
    months = minutes / (30.44 * 1440)
    return f"{months:.0f}mo"[:4] if months < 11.5 else f"{minutes / (365.25 * 1440):.0f}y"


def bar(part: float, width: int) -> str:
    """A gauge of `width` cells between two edges, for a part from 0 to 1."""
    full = round(max(0.0, min(1.0, part)) * width)
    return f"▕{'█' * full}{'░' * (width - full)}▏"


def one_line(text: str) -> str:
    """Text without line breaks and control characters, which would break a row."""
    return "".join(character if character.isprintable() else " " for character in text)


def fit(text: str, width: int) -> str:
    """Text in exactly `width` cells, with an ellipsis where it was cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def problem_text(error: LmdeckError) -> str:
    """What went wrong and what to do, one below the other."""
    return f"{error.message}\n{error.advice}".strip()
