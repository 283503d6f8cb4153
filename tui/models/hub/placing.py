"""Where files from the Hub go below the models folder.

A repository's files lie in `owner/name/`, as LM Studio has them, in the folders that they have there. Names come from
strangers, so nothing that could leave that folder, or be taken for something else, becomes a path.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from tui.domain import HubFailed
from tui.models.gguf_bytes import printable
from tui.models.hub.address import is_repository
from tui.models.hub.records import HubFile, Variant

_SUFFIX: Final = ".gguf"
_MOST_STEPS: Final = 8
_LONGEST: Final = 200
"""Bytes of a name: file systems allow 255, and an unfinished file's name is longer."""
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\]|^[.\s-]|[.\s]$')
"""Characters that some file system refuses, and beginnings and ends that hide a file or change on Windows."""
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in range(10))}
)
"""Names that mean devices on Windows, whatever follows behind a point."""


def places_of(repository: str, variant: Variant) -> list[tuple[HubFile, str]]:
    """Every file of a variant, and where it goes below the models folder, with slashes.

    A projector goes beside its model, where the engine looks for it. Raises HubFailed for names that cannot be paths.
    """
    if not is_repository(repository):
        raise _refuse(repository)
    home = PurePosixPath(repository)
    places = [(file, home / _checked(file.path)) for file in variant.files]
    if variant.projector is not None:
        beside = places[0][1].parent / _checked(variant.projector.path).name
        places.insert(0, (variant.projector, beside))
    return [(file, place.as_posix()) for file, place in places]


def _checked(path: str) -> PurePosixPath:
    steps = path.split("/")
    if len(steps) > _MOST_STEPS or not path.lower().endswith(_SUFFIX) or any(_is_bad(step) for step in steps):
        raise _refuse(path)
    return PurePosixPath(*steps)


def _is_bad(step: str) -> bool:
    return (
        not step.isprintable()
        or not step
        or step.partition(".")[0].casefold() in _DEVICES
        or _FORBIDDEN.search(step) is not None
        or len(step.encode("utf-8", errors="replace")) > _LONGEST
    )


def _refuse(path: str) -> HubFailed:
    return HubFailed(
        f"The repository has a file named {printable(path, 120)!r}, which cannot be the name of a model file here.",
        "Choose another one; such a name may have been made to do harm.",
        status=200,
        lasting=True,
    )
