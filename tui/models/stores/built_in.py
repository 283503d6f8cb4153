"""The models that came with the program, as a place behind all others: whatever a person has keeps its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tui.domain import BUILT_IN
from tui.models.scan import Findings, Seen, set_around
from tui.models.stores.source import Source


def built_in_source(folder: Path, files: Callable[[], Mapping[str, Path]]) -> Source:
    """The source of the model files that `files` gives by the keys of their models; `folder` is where they lie."""

    def find(_folder: Path, _seen: Seen) -> Findings:
        found = [(key, set_around(path)) for key, path in files().items()]
        return Findings([replace(one, stem=key, place=key) for key, one in found if one.parts])

    return Source(BUILT_IN, folder, find, "It came with lmdeck; B in the model picker takes it out of every list.")
