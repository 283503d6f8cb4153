"""Fixtures for tests that load many made models."""

from __future__ import annotations

import pytest

from tests.support.answering import machine_kernels
from tui.engine.loading import Kernels


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    """What this machine's kernels are good for."""
    return machine_kernels(tmp_path_factory.mktemp("kernels"))
