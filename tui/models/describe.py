"""Turns the files of one model and their headers into what the catalogue shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tui.domain import ModelInfo, ModelUnusable
from tui.models.fitness import is_projector, why_unusable
from tui.models.gguf import GgufHeader, read_header
from tui.models.gguf_bytes import KnownTexts, printable
from tui.models.scan import FileSet, FoundFile


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a file's header: the header without its tensors, or the reason why there is none."""

    header: GgufHeader | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a chat template shows of its model."""

    tools: bool = False
    """It tells the model of tools."""
    thinks: bool = False
    """The model reasons before it answers."""


def read(path: Path, known: KnownTexts | None = None) -> Reading:
    """Read one header; never raises for what is in the file. `known` makes reading several of them quicker."""
    try:
        # The tensor infos of a folder full of models would take much memory, and nobody asks for them here.
        return Reading(replace(read_header(path, known), tensors=()))
    except ModelUnusable as error:
        return Reading(None, str(error))


def describe(
    files: FileSet,
    readings: Mapping[FoundFile, Reading],
    abilities: Mapping[str, Abilities] | None = None,
    source: str = "",
) -> ModelInfo | None:
    """The catalogue entry of one model, with its plain name as the key; `None` for a projector.

    `readings` has the header of every file of the set, `abilities` what is known of chat templates.
    """
    parts = {number: readings[file] for number, file in files.parts.items()}
    header = parts[1].header if 1 in parts else None
    if reads_images(files, readings):
        return None
    found = list(files.parts.values())
    parameters = sum(part.header.parameters for part in parts.values() if part.header)
    place = files.place.split("/")
    in_repository = len(place) >= 3
    # A repository is named after the model and what it is made with.
    repository = place[1].removesuffix("-GGUF").removesuffix("-gguf") if in_repository else ""
    stem = printable(files.stem)
    known = header or _UNKNOWN
    can = (abilities or {}).get(known.chat_template, Abilities())
    return ModelInfo(
        key="-".join(stem.lower().split()),
        path=found[0].path,
        size=sum(file.size for file in found),
        files=tuple(file.path for file in found),
        publisher=printable(place[0]) if in_repository else "",
        name=printable(repository) or known.name or stem,
        architecture=known.architecture,
        quantization=known.quantization,
        parameters=parameters,
        layers=known.layers,
        context_length=known.context_length,
        vocabulary_size=known.vocabulary_size,
        chat_template=known.chat_template,
        experts=known.experts,
        experts_used=known.experts_used,
        embeds=_embeds(known),
        modified=max(file.modified for file in found) / 1e9,
        source=source,
        store_name=printable(files.store_name),
        tools=can.tools,
        thinks=can.thinks,
        defaults=files.defaults,
        problem=files.problem or _problem(files, parts) or (why_unusable(header, parameters) if header else ""),
    )


def reads_images(files: FileSet, readings: Mapping[FoundFile, Reading]) -> bool:
    """Whether the files are no model but a projector, which helps another one to see or hear."""
    first = readings[files.parts[1]] if 1 in files.parts else None
    if first is not None and first.header is not None:
        return is_projector(first.header)
    return "mmproj" in files.stem.lower()


_UNKNOWN = GgufHeader("", "", "", "", 0, 0, 0, 0, 0, "", 0, 0, 0, 0, 0, (), {})


def _embeds(header: GgufHeader) -> bool:
    """Whether it makes vectors: it says how they are pooled, or is of a family that can do nothing else."""
    family = header.architecture
    return header.pooling > 0 or "bert" in family or "embed" in family or family == "t5encoder"


def _problem(files: FileSet, parts: Mapping[int, Reading]) -> str:
    """Why the files are not a whole model, or an empty text."""
    if files.count == 1:
        header = parts[1].header
        if header and header.split_count > 1:
            return (
                f"This is part {header.split_number + 1:,} of a set of {header.split_count:,} files, but is not named "
                f"like one. Give all parts their names back (ending in -00001-of-{header.split_count:05}.gguf)."
            )
        return parts[1].problem
    missing = [number for number in range(1, files.count + 1) if number not in parts]
    if missing:
        name = f"{printable(files.stem)}-{missing[0]:05}-of-{files.count:05}.gguf"
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        return f"Of its {files.count:,} files, {name}{more} is missing. Download it as well."
    for number, part in parts.items():
        if part.problem:
            return f"Part {number:,} of {files.count:,}: {part.problem}"
        if part.header and (part.header.split_count, part.header.split_number) != (files.count, number - 1):
            return (
                f"The file named as part {number:,} of {files.count:,} is part {part.header.split_number + 1:,} of "
                f"{part.header.split_count:,}. Download the set again."
            )
    return ""
