"""All places where models may lie on this machine, in the order in which names are given to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tui.models.stores.hugging_face import find_in_cache, hugging_face_cache
from tui.models.stores.llama_cpp import find_downloads, llama_cpp_cache
from tui.models.stores.lm_studio import lm_studio_folders
from tui.models.stores.ollama import find_in_store, ollama_folders
from tui.models.stores.source import OWN, Source


def known_sources(
    own: Path,
    extra: Sequence[Path],
    environment: Mapping[str, str],
    home: Path,
    *,
    other_programs: bool = True,
) -> list[Source]:
    """lmdeck's own folder first, then the folders that the person added, then those of other programs.

    Of a model that is in several of them the first one keeps the short name.
    """
    sources = [Source(OWN, own), *(Source(folder.name or str(folder), folder) for folder in extra)]
    if not other_programs:
        return sources
    in_lm_studio = "Delete it in LM Studio, under My Models."
    sources += [Source("LM Studio", folder, removal=in_lm_studio) for folder in lm_studio_folders(home)]
    sources.append(
        Source(
            "Hugging Face",
            hugging_face_cache(environment, home),
            find_in_cache,
            "Run: hf cache rm model/{name}",
        )
    )
    sources.append(
        Source(
            "llama.cpp",
            llama_cpp_cache(environment, home),
            find_downloads,
            "llama.cpp has no command for it; delete the file yourself: {path}",
        )
    )
    sources += [
        Source("Ollama", folder, find_in_store, "Run: ollama rm {name}") for folder in ollama_folders(environment, home)
    ]
    return sources
