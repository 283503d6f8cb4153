"""A store of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.threads import ThreadStore


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "lmdeck.db"


@pytest.fixture
def store(store_path: Path) -> Iterator[ThreadStore]:
    opened = ThreadStore(store_path)
    yield opened
    opened.close()
