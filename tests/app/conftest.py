"""Fixtures of the screen tests: a scripted workbench, and the application over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.fake_workbench import FakeWorkbench, model


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[FakeWorkbench]:
    """Two models on disk, none loaded, no threads."""
    fake = FakeWorkbench(tmp_path, [model("gemma-3-4b-it"), model("Qwen3-8B-Q4_K_M")])
    yield fake
    fake.close()


@pytest.fixture
def ready(workbench: FakeWorkbench) -> FakeWorkbench:
    """The same with a model loaded."""
    workbench.put("Qwen3-8B-Q4_K_M")
    return workbench
