"""One place where models lie, and how to find them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.models.scan import Findings, Seen, group, walk

OWN: Final = "lmdeck"
"""The source of models in lmdeck's own folder, the only one that is written to."""


def find_below(folder: Path, seen: Seen) -> Findings:
    """The models below a folder in which files may lie at any depth."""
    files, recipes, problem = walk(folder, seen)
    return Findings(group(files, folder), recipes, problem)


@dataclass(frozen=True, slots=True)
class Source:
    """A place with models, which need not be there."""

    name: str
    """The program that keeps its models there."""
    folder: Path
    find: Callable[[Path, Seen], Findings] = find_below
    removal: str = ""
    """What removes a model there, as a sentence; `{name}` stands for what that program calls it, `{path}` for its
    file."""

    @property
    def ours(self) -> bool:
        """Whether lmdeck may put models there and take them away."""
        return self.name == OWN

    def advice_to_remove(self, name: str, path: Path) -> str:
        """How a person can remove one of its models."""
        text = self.removal or "Delete it yourself if you no longer want it: {path}"
        return text.replace("{name}", name or path.stem).replace("{path}", str(path))
