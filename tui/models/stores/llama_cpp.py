"""The folder into which llama.cpp downloaded models before it used Hugging Face's cache.

All files lie side by side, named after where they come from: `OWNER_NAME_FILE.gguf`. For what was fetched with `-hf`
there is `manifest=OWNER=NAME=TAG.json` beside them, which tells the owner and the name apart (llama.cpp,
common/download.cpp).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui.models.scan import FileSet, Findings, Seen, group, walk

_MANIFEST: Final = re.compile(r"manifest=(?P<owner>[^=]+)=(?P<name>[^=]+)=[^=]*\.json")
_USUAL: Final = re.compile(r"(?P<owner>[^_]+)_(?P<name>.+?-GGUF)_(?P<file>.+)", re.IGNORECASE)


def llama_cpp_cache(environment: Mapping[str, str], home: Path) -> Path:
    """Where llama.cpp keeps what it downloads, by its own rules for each system."""
    if environment.get("LLAMA_CACHE"):
        return Path(environment["LLAMA_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "llama.cpp"
    if sys.platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "llama.cpp"
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else home / ".cache") / "llama.cpp"


def find_downloads(folder: Path, seen: Seen) -> Findings:
    """The models of the folder, with the repositories that they come from."""
    files, _, problem = walk(folder, seen)
    prefixes = _repositories(folder)
    return Findings([_with_repository(found, prefixes) for found in group(files, folder)], problem=problem)


def _repositories(folder: Path) -> dict[str, str]:
    """Beginnings of file names, and the repositories that they mean."""
    try:
        matches = [_MANIFEST.fullmatch(name) for name in os.listdir(folder)]
    except OSError:
        return {}
    return {f"{match['owner']}_{match['name']}_": f"{match['owner']}/{match['name']}" for match in matches if match}


def _with_repository(found: FileSet, prefixes: Mapping[str, str]) -> FileSet:
    for prefix in sorted(prefixes, key=len, reverse=True):
        if found.stem.startswith(prefix):
            return _placed(found, prefixes[prefix], found.stem.removeprefix(prefix))
    match = _USUAL.fullmatch(found.stem)
    return _placed(found, f"{match['owner']}/{match['name']}", match["file"]) if match else found


def _placed(found: FileSet, repository: str, stem: str) -> FileSet:
    return replace(found, stem=stem, place=f"{repository}/{stem}", home=f"{found.home}/{repository}")
