"""The setting of the guardrail, as people write it into the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui.config import Settings, guardrail_setting
from tui.domain import Guardrail


@pytest.mark.parametrize(
    ("level", "limit", "meant"),
    [
        (None, None, Guardrail("strict")),
        ("off", None, Guardrail("off")),
        ("balanced", 3, Guardrail("balanced", 3.0)),
        ("custom", 4.5, Guardrail("custom", 4.5)),
        ("custom", -1, Guardrail("custom")),
        ("custom", "lots", Guardrail("custom")),
        ("custom", True, Guardrail("custom")),
        ("low", None, Guardrail("relaxed")),
        ("high", None, Guardrail("strict")),
        ("stricter", 5, Guardrail("strict")),
        (["off"], None, Guardrail("strict")),
    ],
)
def test_what_stands_in_the_file_is_taken_or_the_default(
    tmp_path: Path, level: Any, limit: Any, meant: Guardrail
) -> None:
    settings = Settings(tmp_path / "settings.json")
    if level is not None:
        settings.set("guardrail", level)
    if limit is not None:
        settings.set("guardrail_limit", limit)
    assert guardrail_setting(settings) == meant
