"""Turns the JSON of the Hub's interface into records, believing nothing of its shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final

from tui.models.gguf_bytes import printable
from tui.models.hub.address import is_repository
from tui.models.hub.records import Gate, HubFile, Repository, RepositoryDetails
from tui.models.hub.variants import find_variants

_MOST_TAGS: Final = 100
_MOST_FILES: Final = 20_000
_LARGEST: Final = 2**53
_MODEL_FORMATS: Final = ("safetensors", "bin", "pt", "pth", "onnx", "mlpackage", "ckpt", "h5")


def repository_of(value: Any) -> Repository | None:
    """One entry of a search, or the same part of a repository's details; `None` where it has no usable id."""
    entry = _mapping(value)
    name = _text(entry.get("id") or entry.get("modelId"))
    if not is_repository(name):
        return None
    card, header = _mapping(entry.get("cardData")), _mapping(entry.get("gguf"))
    tags = _texts(entry.get("tags"))
    return Repository(
        id=name,
        likes=_number(entry.get("likes")),
        downloads=_number(entry.get("downloads")),
        updated=_time(entry.get("lastModified")),
        created=_time(entry.get("createdAt")),
        gated=_gate(entry.get("gated")),
        private=entry.get("private") is True,
        licence=_licence(card, tags),
        parameters=_number(header.get("total")),
        architecture=_text(header.get("architecture")),
        context_length=_number(header.get("context_length")),
        tags=tuple(tag for tag in tags if not tag.startswith("license:")),
        task=_text(entry.get("pipeline_tag")),
    )


def details_of(value: Any) -> RepositoryDetails | None:
    """A repository with its files; `None` where the answer is none."""
    repository, entry = repository_of(value), _mapping(value)
    revision = _text(entry.get("sha"))
    if repository is None or not revision.isalnum():
        return None
    siblings = entry.get("siblings")
    files = [file for one in (siblings if isinstance(siblings, list) else [])[:_MOST_FILES] if (file := _file(one))]
    card = _mapping(entry.get("cardData"))
    endings = {PurePosixPath(file.path).suffix.removeprefix(".") for file in files}
    return RepositoryDetails(
        repository=repository,
        revision=revision,
        variants=find_variants(files),
        base_models=_texts(card.get("base_model")),
        languages=_texts(card.get("language")),
        formats=tuple(ending for ending in _MODEL_FORMATS if ending in endings),
        has_readme=any(file.path == "README.md" for file in files),
    )


def _file(value: Any) -> HubFile | None:
    entry = _mapping(value)
    path, large = entry.get("rfilename"), _mapping(entry.get("lfs"))
    if not isinstance(path, str) or not path:
        return None
    digest, blob = _text(large.get("sha256") or large.get("oid")), _text(entry.get("blobId"))
    checksum = f"sha256:{digest.lower()}" if _is_hex(digest, 64) else ""
    if not large and _is_hex(blob, 40):
        checksum = f"git:{blob.lower()}"
    return HubFile(path, _number(large.get("size") or entry.get("size")), checksum)


def _gate(value: Any) -> Gate:
    return "manual" if value == "manual" else "auto" if value else ""


def _licence(card: Mapping[str, Any], tags: tuple[str, ...]) -> str:
    named = _text(card.get("license_name")) if card.get("license") == "other" else ""
    tagged = next((tag.partition(":")[2] for tag in tags if tag.startswith("license:")), "")
    return named or _text(card.get("license")) or tagged


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(character in "0123456789abcdefABCDEF" for character in text)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts, which the Hub writes as one text where it has only one."""
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(_text(one) for one in found[:_MOST_TAGS] if isinstance(one, str))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else 0


def _time(value: Any) -> float:
    """Seconds since the epoch of a time in ISO 8601; 0 where it is none."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else 0.0
    except (ValueError, OverflowError, OSError):
        return 0.0
