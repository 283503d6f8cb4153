"""Downloading models for clients: `POST /api/v1/models/download` and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tui.domain import ModelNotFound
from tui.models.downloads import Download
from tui.server.lmstudio.errors import JobNotFound, Mistake
from tui.server.services import Services

_WIRE_STATES = {"paused": "paused", "completed": "completed", "failed": "failed", "cancelled": "failed"}
"""How LM Studio calls the states of a job; all others are `downloading`."""


class DownloadRequest(BaseModel):
    """`POST /api/v1/models/download`."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1)
    """`owner/name`, or the address of a repository or of one file."""
    quantization: str | None = None
    """Which of its files; without it, the one that lmdeck recommends for this machine."""


def begin(services: Services, wire: DownloadRequest) -> dict[str, Any]:
    """Begin a download, or find that there is nothing to do. Blocks for the Hub; raises LmdeckError."""
    from tui.models.hub import find_repository, find_variant

    hub, downloads = services.workbench.hub, services.workbench.downloads
    address = hub.address(wire.model)
    if address is None:
        raise Mistake(
            f"{wire.model[:100]!r} names no repository.",
            "Write owner/name, or the address of its page on Hugging Face.",
            field="model",
            wire_code="invalid_value",
        )
    details = find_repository(hub, address)
    if wire.quantization:
        address = replace(address, quantization=wire.quantization, file="")
    variant = find_variant(details, address, lambda one: services.workbench.fit_on_hub(details, one))
    repository = details.repository.id
    if downloads.has(repository, variant):
        return {"status": "already_downloaded"}
    job = downloads.add(repository, details.revision, variant)
    return {name: value for name, value in status_body(job).items() if name not in _ONLY_IN_STATUS}


def find_job(services: Services, identifier: str) -> Download:
    """How a download is. Raises JobNotFound."""
    try:
        return services.workbench.downloads.get(identifier)
    except ModelNotFound as unknown:
        raise JobNotFound(
            f"There is no download job {identifier[:40]!r}.", "POST /api/v1/models/download begins one."
        ) from unknown


_ONLY_IN_STATUS = ("downloaded_bytes", "bytes_per_second", "estimated_completion")


def status_body(job: Download) -> dict[str, Any]:
    """What is said of a download. A field of ours says why one failed or waits, which LM Studio does not tell."""
    state = _WIRE_STATES.get(job.state, "downloading")
    body: dict[str, Any] = {
        "job_id": job.id,
        "status": state,
        "total_size_bytes": job.size,
        "downloaded_bytes": job.done,
        "started_at": _iso(job.started),
    }
    if state == "completed":
        body["completed_at"] = _iso(job.ended)
    if state == "downloading":
        body["bytes_per_second"] = round(job.rate)
        if job.remaining is not None:
            body["estimated_completion"] = _iso(datetime.now(UTC).timestamp() + job.remaining)
    if job.problem:
        body["problem"] = f"{job.problem} {job.advice}".strip()
    elif job.state == "cancelled":
        body["problem"] = "It was cancelled."
    return body


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
