"""A fake Hub, and the real thing that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.fake_hub import FakeHub, fake_hub
from tui.models.hub import Hub, HubConnection
from tui.models.hub.connection import Patience


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    with fake_hub() as fake:
        yield fake


@pytest.fixture
def hub(fake: FakeHub, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(HubConnection(fake.url, Patience(connect=2.0, silence=0.5)), tmp_path / "stand-ins")
    yield hub
    hub.close()
