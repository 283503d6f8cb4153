"""The cache of huggingface_hub, which newer versions of llama.cpp use as well.

`models--OWNER--NAME/snapshots/COMMIT/…` holds links into `blobs`, and `refs/main` names the commit that is current
(huggingface_hub, "Understand caching"). Blobs that are still coming have no link yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui.models.scan import FileSet, Findings, Seen, group, walk

_PREFIX: Final = "models--"


def hugging_face_cache(environment: Mapping[str, str], home: Path) -> Path:
    """Where the cache is, by the variables that huggingface_hub looks at, in its order."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environment.get(name):
            return Path(environment[name]).expanduser()
    if environment.get("HF_HOME"):
        return Path(environment["HF_HOME"]).expanduser() / "hub"
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else home / ".cache") / "huggingface" / "hub"


def find_in_cache(folder: Path, seen: Seen) -> Findings:
    """The models of the cache; of a file with several revisions the current one."""
    findings = Findings()
    try:
        repositories = sorted(entry for entry in os.listdir(folder) if entry.startswith(_PREFIX))
    except FileNotFoundError:
        return findings
    except OSError as error:
        return Findings(problem=error.strerror or type(error).__name__)
    for directory in repositories:
        repository = directory.removeprefix(_PREFIX).replace("--", "/")
        findings.sets.extend(_models_of(folder / directory, repository, seen))
    return findings


def _models_of(directory: Path, repository: str, seen: Seen) -> Iterator[FileSet]:
    taken: set[str] = set()
    for snapshot in _snapshots(directory):
        files, _, _ = walk(snapshot, seen)
        places: set[str] = set()
        for found in group(files, snapshot):
            places.add(found.place)
            if found.place not in taken:
                place = f"{repository}/{found.place}"
                yield replace(found, place=place, home=str(snapshot), store_name=repository)
        taken |= places


def _snapshots(directory: Path) -> list[Path]:
    """The revisions, the current one first, then the newest."""
    try:
        with open(directory / "refs" / "main", encoding="ascii", errors="replace") as file:
            current = file.read(100).strip()
    except OSError:
        current = ""
    try:
        found = [entry for entry in os.scandir(directory / "snapshots") if entry.is_dir()]
        found.sort(key=lambda entry: (entry.name != current, -entry.stat().st_mtime, entry.name))
    except OSError:
        return []
    return [Path(entry.path) for entry in found]
