"""How a model file wants to be sampled, whatever else it is."""

from __future__ import annotations

from pathlib import Path

from tests.support.model_maker import make_tiny_model
from tui.domain import ModelInfo
from tui.models import file_defaults


def test_what_the_file_says_and_what_it_does_not(tmp_path: Path) -> None:
    wishes = {"general.sampling.temp": 0.3, "general.sampling.penalty_repeat": 1.0, "general.sampling.magic": 7}
    path = make_tiny_model(tmp_path / "m.gguf", metadata=wishes)
    found = file_defaults(ModelInfo("m", path, 1))
    # 32 bits hold 0.30000001192092896; its makers wrote 0.3, and so does the panel.
    assert found == {"sampling.temperature": 0.3, "sampling.repeat_penalty": 1.0}
    assert file_defaults(ModelInfo("n", make_tiny_model(tmp_path / "n.gguf"), 1)) == {}


def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert file_defaults(ModelInfo("gone", tmp_path / "gone.gguf", 1)) == {}
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 60)
    assert file_defaults(ModelInfo("bad", tmp_path / "bad.gguf", 1)) == {}
