"""Ollama's store: a manifest for each model, whose layers are files named after their content.

`manifests/HOST/NAMESPACE/MODEL/TAG` is JSON with `layers`, each with a `mediaType`, a `digest` and a `size`; the layer
is `blobs/sha256-HEX` (Ollama, manifest package and `server/modelpath.go`). The layer `…image.model` is a plain GGUF
file, `…image.projector` reads images, `…image.adapter` is a LoRA adapter, and `…image.params`, `…image.system`,
`…image.template` and `…image.license` are small texts.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tui.domain import ModelDefaults
from tui.models.scan import FileSet, Findings, FoundFile, Seen, identify, seen_before
from tui.models.stores.ollama_parameters import defaults_from

SYSTEM_FOLDERS: Final = (
    Path("/usr/share/ollama/.ollama/models"),
    Path("/var/lib/ollama/.ollama/models"),
    Path("/var/lib/ollama/models"),
)
"""Where Ollama keeps its models when it runs as a service of the system."""

LAYER: Final = "application/vnd.ollama.image."
_MANIFESTS: Final = ("manifests", "manifests-v2")
_HOSTS: Final = ("registry.ollama.ai", "ollama.com")
"""The hosts that Ollama leaves out of a model's name."""
_NAMESPACE: Final = "library"
_DIGEST: Final = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LONGEST_MANIFEST: Final = 2**20
_LONGEST_TEXT: Final = 2**18
_MOST_MANIFESTS: Final = 5_000


def ollama_folders(environment: Mapping[str, str], home: Path, system: Sequence[Path] = SYSTEM_FOLDERS) -> list[Path]:
    """Where Ollama's models may be: where it was told to, the person's own ones, and those of the system's service."""
    named = environment.get("OLLAMA_MODELS")
    own = Path(named).expanduser() if named else home / ".ollama" / "models"
    return [own, *system]


def find_in_store(folder: Path, seen: Seen) -> Findings:
    """The models of a store. Two tags of the same file are two models, since they may differ in everything else."""
    findings = Findings()
    names: set[str] = set()
    try:
        os.scandir(folder).close()
        if seen_before(os.stat(folder), str(folder), seen):
            return findings
    except FileNotFoundError:
        return findings
    except OSError as error:
        return Findings(problem=error.strerror or type(error).__name__)
    for manifest in _manifests(folder):
        name = _name_of(manifest.relative_to(folder).parts[1:])
        if name in names or len(names) >= _MOST_MANIFESTS:
            continue
        names.add(name)
        layers = _layers(manifest)
        if layers is not None:
            findings.sets.extend(_sets(folder, name, layers))
    return findings


def layer_text(folder: Path, digest: object) -> str:
    """The text of a small layer; empty where there is none."""
    path = _blob(folder, digest)
    try:
        with open(path or "", "rb") as file:
            return file.read(_LONGEST_TEXT).decode("utf-8", errors="replace")
    except OSError:
        return ""


def layers_of(folder: Path, name: str) -> dict[str, list[str]]:
    """The digests of the layers of a model by kind, such as `license`; empty where the store has no such model."""
    for manifest in _manifests(folder):
        if _name_of(manifest.relative_to(folder).parts[1:]) == name:
            found: dict[str, list[str]] = {}
            for kind, digest in _layers(manifest) or ():
                found.setdefault(kind, []).append(digest)
            return found
    return {}


def _manifests(folder: Path) -> Iterator[Path]:
    for kind in _MANIFESTS:
        for directory, folders, files in os.walk(folder / kind):
            folders.sort()
            depth = len(Path(directory).relative_to(folder).parts)
            if depth > 5:
                folders.clear()
            # HOST/NAMESPACE/MODEL/TAG: a file elsewhere is none of Ollama's.
            if depth == 4:
                yield from (Path(directory, file) for file in sorted(files) if not file.startswith("."))


def _name_of(parts: Sequence[str]) -> str:
    """What Ollama calls the model of a manifest, with what it leaves out left out."""
    host, namespace, model, tag = parts
    owner = "" if namespace == _NAMESPACE and host in _HOSTS else f"{namespace}/"
    return f"{'' if host in _HOSTS else f'{host}/'}{owner}{model}:{tag}"


def _layers(manifest: Path) -> list[tuple[str, str]] | None:
    """Kind and digest of each layer; `None` for what is no manifest."""
    try:
        with open(manifest, "rb") as file:
            value: Any = json.loads(file.read(_LONGEST_MANIFEST))
        layers = value["layers"] or []
        described = [(str(layer["mediaType"]), str(layer["digest"])) for layer in layers]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return [(kind.removeprefix(LAYER).partition(";")[0], digest) for kind, digest in described]


def _sets(folder: Path, name: str, layers: Sequence[tuple[str, str]]) -> Iterator[FileSet]:
    """The model of a manifest, and its projectors as sets of their own with the same home."""
    home = f"{folder}#{name}"
    place = name.rpartition("/")[2]
    kinds = [kind for kind, _ in layers]
    models = [_found(folder, digest) for kind, digest in layers if kind == "model"]
    if not models:
        what = "This model runs on Ollama's servers: there is no file of it here."
        if "tensor" in kinds:
            what = "Ollama keeps this model in its own form, of which only Ollama can make use."
        models = [FoundFile(folder / "manifests")]
        yield FileSet(name, 1, {1: models[0]}, place, home, name, problem=what)
        return
    parts = dict(enumerate(models, start=1))
    yield FileSet(name, len(parts), parts, place, home, name, defaults=_defaults(folder, layers))
    for number, digest in enumerate(digest for kind, digest in layers if kind == "projector"):
        yield FileSet(f"{name} mmproj {number}", 1, {1: _found(folder, digest)}, f"{place}-mmproj-{number}", home)


def _defaults(folder: Path, layers: Sequence[tuple[str, str]]) -> ModelDefaults:
    texts = {kind: layer_text(folder, digest) for kind, digest in layers if kind in ("params", "system")}
    adapters = tuple(str(path) for kind, digest in layers if kind == "adapter" and (path := _blob(folder, digest)))
    return defaults_from(texts.get("params", ""), texts.get("system", ""), adapters)


def _blob(folder: Path, digest: object) -> Path | None:
    """The file of a layer. Digests come from files of strangers, so they are no paths before they are checked."""
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        return None
    path = folder / "blobs" / f"sha256-{match[1]}"
    older = folder / "blobs" / f"sha256:{match[1]}"
    return older if not path.exists() and older.exists() else path


def _found(folder: Path, digest: str) -> FoundFile:
    path = _blob(folder, digest)
    if path is None:
        return FoundFile(folder / "blobs" / "a layer without a name")
    try:
        return identify(path, os.stat(path))
    except OSError:
        return FoundFile(path)
