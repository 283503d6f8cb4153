"""Folders of models laid out as other programs lay them out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

OLLAMA_LAYER = "application/vnd.ollama.image."


def hugging_face_file(
    cache: Path, repository: str, name: str, content: bytes, *, commit: str = "a" * 40, current: bool = True
) -> Path:
    """Put a file into a cache of huggingface_hub: a blob, and a link to it from a snapshot; the link."""
    root = cache / f"models--{repository.replace('/', '--')}"
    blob = root / "blobs" / hashlib.sha256(content).hexdigest()
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link = root / "snapshots" / commit / name
    link.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * (len(Path(name).parts) + 1)
    link.symlink_to(f"{up}blobs/{blob.name}")
    if current:
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / "main").write_text(commit)
    return link


def ollama_model(
    store: Path,
    name: str,
    layers: Mapping[str, bytes],
    *,
    host: str = "registry.ollama.ai",
    namespace: str = "library",
    manifests: str = "manifests",
) -> Path:
    """Put a model into Ollama's store, with its layers by kind (`model`, `params`, …); the manifest."""
    model, _, tag = name.partition(":")
    listed = []
    for kind, content in layers.items():
        digest = hashlib.sha256(content).hexdigest()
        blob = store / "blobs" / f"sha256-{digest}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        listed.append({"mediaType": OLLAMA_LAYER + kind, "digest": f"sha256:{digest}", "size": len(content)})
    manifest = store / manifests / host / namespace / model / (tag or "latest")
    manifest.parent.mkdir(parents=True, exist_ok=True)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}
    manifest.write_text(json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": listed}))
    return manifest
