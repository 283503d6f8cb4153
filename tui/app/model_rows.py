"""Models as rows of a table: which columns there is room for, in what order rows stand, and what a row says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.app.figures import age_text, bytes_text, context_text, fit, one_line, parameters_text
from tui.domain import ModelInfo

if TYPE_CHECKING:
    from tui.models import ModelEntry, SoFar

_LEGEND: Final = "T tools V vision R reasoning E embeds"
SORTS: Final = ("name", "last used", "size", "parameters", "newest")
"""The orders in which rows can stand."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One row: a model, an entry of several variants, or a variant below its entry."""

    info: ModelInfo
    """The model itself; of an entry the variant that its name means."""
    name: str
    used: float = 0.0
    """When it was used last, in seconds since the epoch; 0 for never."""
    pinned: bool = False
    variants: tuple[ModelInfo, ...] = ()
    """Of an entry all of them; empty for a single model or variant."""
    open: bool = False
    """Whether the variants stand below."""
    below: bool = False
    """Whether it is a variant that stands below its entry."""

    @property
    def id(self) -> str:
        """What identifies the row while the list changes."""
        return f"{'entry' if self.variants else 'model'}:{self.name if self.variants else self.info.key}"

    @property
    def size(self) -> int:
        """Bytes on disk, all variants together."""
        return sum(model.size for model in self.variants) if self.variants else self.info.size


@dataclass(frozen=True, slots=True)
class Column:
    """One column behind the name."""

    title: str
    width: int
    from_width: int
    """Cells of a row from which on there is room for it."""
    text: Callable[[ModelRow, float], str]
    right: bool = False

    def cell(self, row: ModelRow, now: float) -> str:
        """What it says about a row, in its width and a blank."""
        text = one_line(self.text(row, now))
        return f" {text:>{self.width}}" if self.right else f" {fit(text, self.width)}"


COLUMNS: Final = (
    Column("NAME", 20, 132, lambda row, _: row.info.name),
    Column("ARCH", 10, 104, lambda row, _: row.info.architecture),
    Column("PARAMS", 6, 72, lambda row, _: parameters_text(row.info.parameters) if row.info.parameters else "", True),
    Column("QUANT", 8, 0, lambda row, _: f"{len(row.variants)} kinds" if row.variants else row.info.quantization),
    Column("SIZE", 8, 0, lambda row, _: bytes_text(row.size) if row.size else "", True),
    Column("CTX", 5, 60, lambda row, _: context_text(row.info.context_length) if row.info.context_length else "", True),
    Column("CAN", 4, 56, lambda row, _: abilities_text(row.info)),
    Column("USED", 4, 64, lambda row, now: age_text(max(0.0, now - row.used)) if row.used else "", True),
    Column("FROM", 12, 90, lambda row, _: row.info.remote or row.info.source),
)


def columns_for(width: int) -> list[Column]:
    """The columns for which rows of `width` cells have room."""
    return [column for column in COLUMNS if width >= column.from_width]


def header_text(width: int) -> str:
    """The titles above the columns, for rows of `width` cells."""
    columns = columns_for(width)
    titles = "".join(f" {column.title:>{column.width}}" if column.right else f" {column.title:<{column.width}}"
                     for column in columns)  # fmt: skip
    return f"{fit('MODEL', width - len(titles))}{titles}"


def abilities_text(model: ModelInfo) -> str:
    """What a model can do besides answering, one letter each: tools, vision, reasoning; or embeddings."""
    marks = (("E", model.embeds), ("T", model.tools), ("V", model.sees), ("R", model.thinks))
    return "".join(letter for letter, can in marks if can)


def sums_text(so_far: SoFar, entries: int, sort: str, room: int) -> str:
    """How many models there are, and what the letters for abilities mean, as far as there is room."""
    size = bytes_text(sum(model.size for model in so_far.models if not model.base))
    reading = f"reading {so_far.read:,} of {so_far.files:,} files · " if not so_far.done else ""
    sums = f"{reading}{entries:,} {'model' if entries == 1 else 'models'} · {size} · by {sort}"
    return text if len(text := f"{_LEGEND} · {sums}") <= room else sums


def rows_of(
    listed: Iterable[ModelEntry],
    used: Callable[[ModelInfo], float],
    pinned: Callable[[ModelInfo], bool],
    opened: Collection[str],
    sort: str,
) -> list[ModelRow]:
    """The rows in an order of `SORTS`, pinned ones first and those that cannot be used last."""
    blocks: list[tuple[ModelRow, list[ModelRow]]] = []
    for entry in listed:
        several = len(entry.variants) > 1
        row = ModelRow(
            entry.selected,
            entry.key,
            max(map(used, entry.variants)),
            any(map(pinned, entry.variants)),
            entry.variants if several else (),
            several and entry.key in opened,
        )
        inner = entry.variants if row.open else ()
        below = [ModelRow(model, model.variant_key, used(model), pinned(model), below=True) for model in inner]
        blocks.append((row, below))
    blocks.sort(key=lambda block: _order(block[0], sort))
    return [row for first, below in blocks for row in (first, *below)]


def _order(row: ModelRow, sort: str) -> tuple[object, ...]:
    figures: dict[str, float] = {
        "last used": row.used,
        "size": row.size,
        "parameters": row.info.parameters,
        "newest": max((model.modified for model in row.variants), default=row.info.modified),
    }
    usable = row.info.usable or any(model.usable for model in row.variants)
    return (not row.pinned, not usable, -figures.get(sort, 0.0), row.name)


def searched(row: ModelRow) -> str:
    """What a filter looks into."""
    models: Sequence[ModelInfo] = (row.info, *row.variants)
    texts = [row.name]
    for model in models:
        texts += [model.key, model.name, model.publisher, model.quantization, model.architecture, model.source]
    words = (("tools", row.info.tools), ("vision", row.info.sees), ("reasoning thinking", row.info.thinks),
             ("embedding vectors", row.info.embeds), ("pinned", row.pinned))  # fmt: skip
    return " ".join(texts + [word for word, can in words if can])
