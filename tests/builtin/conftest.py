"""Model files in the places of those that ship, so that tests need not know what those say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.embedding_models import bert_weights, make_bert
from tests.support.model_maker import make_scripted_model
from tui.builtin.files import FOLDER_VARIABLE

GUIDE_SAYS = "Press ctrl+o, and you see where models come from."


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a guide that always says the same, and a small random embedding model."""
    folder = tmp_path_factory.mktemp("shipped")
    make_scripted_model(folder / "guide.gguf", GUIDE_SAYS)
    make_bert(folder / "embedding.gguf", bert_weights())
    return folder


@pytest.fixture
def built_in(shipped: Path, lmdeck_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh machine on which both are built in; its home."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(shipped))
    return lmdeck_home


@pytest.fixture
def really_built_in(lmdeck_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh machine with what really ships; its home."""
    monkeypatch.delenv(FOLDER_VARIABLE)
    return lmdeck_home
