"""What templates show of their models, and reasoning settings that are checked against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.domain import ModelInfo
from tui.server.lmstudio.abilities import ReasoningChoice, TemplateAbilities
from tui.server.lmstudio.errors import Mistake

TEMPLATES = Path(__file__).parents[2] / "support" / "templates"


def model(template: str) -> ModelInfo:
    return ModelInfo("m", Path("m.gguf"), 0, chat_template=(TEMPLATES / f"{template}.jinja").read_text("utf-8"))


@pytest.mark.parametrize(
    ("template", "tools", "reasoning"),
    [
        ("qwen3", True, ReasoningChoice(("off", "on"), "on")),
        ("deepseek-v3.1", True, ReasoningChoice(("off", "on"), "off")),
        ("gpt-oss", True, ReasoningChoice(("low", "medium", "high"), "medium")),
        ("deepseek-r1", False, ReasoningChoice(("on",), "on")),
        ("chatml", False, None),
    ],
)
def test_what_templates_can_do(template: str, tools: bool, reasoning: ReasoningChoice | None) -> None:
    found = TemplateAbilities().of(model(template), None)
    assert found is not None
    assert (found.tools, found.reasoning) == (tools, reasoning)


@pytest.mark.parametrize(
    ("template", "supported"),
    [
        ("qwen3", {"off", "on"}),
        ("gpt-oss", {"low", "medium", "high", "on"}),
        ("deepseek-r1", {"on"}),
        ("chatml", {"off"}),
    ],
)
def test_settings_that_a_model_has_not_are_refused(template: str, supported: set[str]) -> None:
    abilities, info = TemplateAbilities(), model(template)
    abilities.check_reasoning(None, info, None)
    for setting in ("off", "low", "medium", "high", "on"):
        if setting in supported:
            abilities.check_reasoning(setting, info, None)
            continue
        with pytest.raises(Mistake, match=f"reasoning setting '{setting}'") as refused:
            abilities.check_reasoning(setting, info, None)
        assert refused.value.field == "reasoning"


def test_what_cannot_be_known_is_let_through() -> None:
    without_template = ModelInfo("m", Path("m.gguf"), 0)
    broken = ModelInfo("m", Path("m.gguf"), 0, chat_template="{% for %}")
    for info in (without_template, broken):
        assert TemplateAbilities().of(info, None) is None
        TemplateAbilities().check_reasoning("high", info, None)
