"""Makes choices out of a repository's files: split sets and projectors joined, each with the name of its quantisation.

File names are all there is to go by: publishers have habits, no rules. A file whose name has no known quantisation is a
choice all the same, under its own name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from tui.domain import BadRequest, ModelNotFound
from tui.models.hub.records import HubFile, Variant

_ENDING: Final = ".gguf"
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
"""How llama.cpp names the files of a split set (llama_split_path in llama.h)."""
_QUANTIZATION: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:UD-)?(?:"
    r"I?Q[1-8]_K(?:_(?:XXS|XS|S|M|L|XL|XXL|P))?|IQ[1-4]_(?:XXS|XS|S|M|NL|KT?|KS{1,2}|XL)|TQ[12]_0|Q[1-8]_[0-2](?:_\d)*"
    r"|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_NO_MODELS: Final = re.compile(r"imatrix|(?:^|[-_.])vocab(?:[-_.]|$)|(?:^|[-_.])lora(?:[-_.]|$)", re.IGNORECASE)
"""Importance matrices, vocabularies and adapters lie beside models and end like them."""
_PROJECTOR: Final = "mmproj"
_PROJECTOR_ORDER: Final = ("F16", "BF16", "Q8_0", "F32")
"""In the order of `tui.engine.images.choice`: as good as the original, and no larger than needed."""

_PREFERRED: Final = (
    "Q4_K_M", "Q4_K_XL", "MXFP4", "MXFP4_MOE", "Q4_K_L", "Q4_K_S", "IQ4_NL", "IQ4_XS", "Q4_0", "Q4_1",
    "Q5_K_M", "Q5_K_S", "Q5_K_XL", "Q6_K", "Q8_0", "Q3_K_M", "Q3_K_L", "IQ3_M", "IQ3_XS", "Q3_K_S", "Q2_K", "IQ2_M",
)  # fmt: skip
"""What most people should take, best first: about four and a half bits for each weight, where quality is still close
to the original; more where there is no such file, and less where nothing else fits."""


@dataclass(frozen=True, slots=True)
class _Part:
    stem: str
    number: int
    count: int
    file: HubFile


def find_variants(files: Iterable[HubFile]) -> tuple[Variant, ...]:
    """The choices among a repository's files, smallest first."""
    sets: dict[tuple[str, int], list[_Part]] = {}
    projectors: list[HubFile] = []
    for file in files:
        name = PurePosixPath(file.path).name
        if not name.lower().endswith(_ENDING) or _NO_MODELS.search(name[: -len(_ENDING)]):
            continue
        if _PROJECTOR in name.lower():
            projectors.append(file)
            continue
        part = _part(file)
        sets.setdefault((part.stem, part.count), []).append(part)
    # A set whose parts are not all there cannot be loaded, and so is no choice.
    whole = [sorted(parts, key=lambda part: part.number) for (_, count), parts in sets.items() if len(parts) == count]
    found = [
        Variant(
            "", quantization_of(parts[0].stem), tuple(part.file for part in parts), _projector(parts[0], projectors)
        )
        for parts in whole
    ]
    return tuple(sorted(_named(found), key=lambda variant: (variant.size, variant.name)))


def quantization_of(name: str) -> str:
    """The quantisation that a path names, the last one where it names several; empty where it names none."""
    found = [match[0] for match in _QUANTIZATION.finditer(name)]
    # `Q4_K_M/model-00001-of-00002` has it in the folder only.
    return found[-1].upper().replace("FP16", "F16").replace("FP32", "F32") if found else ""


def in_preference(variants: Iterable[Variant], fits: Callable[[Variant], int] = lambda _: 0) -> list[Variant]:
    """The choices as most people should try them. `fits` ranks each by how well it fits the machine, 0 the best."""

    def rank(variant: Variant) -> tuple[int, int, int]:
        plain = variant.quantization.removeprefix("UD-")
        place = _PREFERRED.index(plain) if plain in _PREFERRED else len(_PREFERRED)
        return fits(variant), place, variant.size

    return sorted(variants, key=rank)


def choose_variant(variants: Sequence[Variant], wanted: str, repository: str, file: str = "") -> Variant | None:
    """The choice that a person named by its quantisation or by one of its files; `None` where they named none.

    Raises ModelNotFound with what there is.
    """
    if not wanted and not file:
        return None
    if file:
        found = [one for one in variants if any(file == part.path for part in one.all_files)]
    else:
        found = [one for one in variants if _same(one.name, wanted)] or [
            one for one in variants if _same(one.quantization, wanted) or _same(one.quantization[3:], wanted)
        ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in variants[:30]) or "none"
    if found:
        raise BadRequest(
            f"{wanted!r} fits several files of {repository}: {', '.join(one.name for one in found)}.",
            "Write more of the name.",
            field="quantization",
        )
    raise ModelNotFound(f"{repository} has no {file or wanted!r}.", f"It has: {names}.")


def _part(file: HubFile) -> _Part:
    match = _PART.fullmatch(file.path)
    if match and 1 <= int(match["number"]) <= int(match["count"]):
        return _Part(match["stem"], int(match["number"]), int(match["count"]), file)
    return _Part(file.path[: -len(_ENDING)], 1, 1, file)


def _projector(part: _Part, projectors: Sequence[HubFile]) -> HubFile | None:
    """The projector in the model's own folder or above it, in the precision that the engine prefers."""
    folder = PurePosixPath(part.stem).parent
    near = [file for file in projectors if PurePosixPath(file.path).parent in (folder, *folder.parents)]

    def rank(file: HubFile) -> tuple[int, str]:
        precision = quantization_of(PurePosixPath(file.path).name)
        return _PROJECTOR_ORDER.index(precision) if precision in _PROJECTOR_ORDER else 9, file.path

    return min(near, key=rank, default=None)


def _named(variants: list[Variant]) -> list[Variant]:
    """The choices with names that differ: the quantisation, or the file's name where that is none or not enough."""
    uses = Counter(variant.quantization for variant in variants)
    named = []
    for variant in variants:
        stem = _part(variant.files[0]).stem
        short = variant.quantization if uses[variant.quantization] == 1 else ""
        named.append(replace(variant, name=short or PurePosixPath(stem).name))
    uses = Counter(variant.name for variant in named)
    return [
        one if uses[one.name] == 1 else replace(one, name=_part(one.files[0]).stem.replace("/", "-")) for one in named
    ]


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()
