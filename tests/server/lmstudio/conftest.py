"""LM Studio's paths of the running server, and what its documentation says of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import Running


@pytest.fixture
def api(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{running.url}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def documented() -> list[dict[str, Any]]:
    """Parameter tables and examples of LM Studio's documentation."""
    shared = Path(os.environ.get("LMDECK_SHARED", Path(__file__).parents[3].parent / "shared"))
    file = shared / "data" / "lmstudio" / "rest.json"
    if not file.exists():
        pytest.skip("LM Studio's documentation is not here (shared/data/lmstudio/rest.json)")
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return entries
