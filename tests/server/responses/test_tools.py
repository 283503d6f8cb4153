"""Tools that are offered, and which of them may be called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.domain import BadRequest, ToolChoice
from tui.server.responses.tools import WireTool, chosen, custom_names, to_tools

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Look out.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
SHELL = {"type": "custom", "name": "shell", "description": "Run it."}


def wire(*tools: dict[str, Any]) -> list[WireTool]:
    return [WireTool.model_validate(tool) for tool in tools]


def test_functions_and_custom_tools() -> None:
    tools = wire(WEATHER, SHELL)
    weather, shell = to_tools(tools)
    assert json.loads(weather.parameters) == WEATHER["parameters"]
    assert json.loads(shell.parameters)["required"] == ["input"]
    assert (weather.description, shell.description) == ("Look out.", "Run it.")
    assert custom_names(tools) == {"shell"}
    assert [tool.echoed() for tool in tools] == [WEATHER, {**SHELL, "format": {"type": "text"}}]


def test_the_grammar_of_a_custom_tool_is_told_to_the_model() -> None:
    form = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
    (tool,) = to_tools(wire({**SHELL, "format": form}))
    assert "lark" in tool.description
    assert "start: WORD" in tool.description


@pytest.mark.parametrize("kind", ["mcp", "web_search", "file_search", "code_interpreter", "computer", "local_shell"])
def test_tools_that_are_not_here_are_refused(kind: str) -> None:
    with pytest.raises(BadRequest, match=kind) as problem:
        to_tools(wire(WEATHER, {"type": kind, "server_label": "x"}))
    assert problem.value.field == "tools[1].type"


@pytest.mark.parametrize(("tool", "words"), [({"type": "function"}, "no name"), (WEATHER, "Two tools")])
def test_names_are_there_and_different(tool: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words) as problem:
        to_tools(wire(WEATHER, tool))
    assert problem.value.field == "tools[1].name"


@pytest.mark.parametrize(
    ("choice", "expected", "offered"),
    [
        (None, ToolChoice("auto"), ["weather", "shell"]),
        ("none", ToolChoice("none"), ["weather", "shell"]),
        ("required", ToolChoice("required"), ["weather", "shell"]),
        ({"type": "function", "name": "weather"}, ToolChoice("required", "weather"), ["weather", "shell"]),
        ({"type": "custom", "name": "shell"}, ToolChoice("required", "shell"), ["weather", "shell"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "shell"}]},
            ToolChoice("required"),
            ["shell"],
        ),
    ],
)
def test_choices(choice: Any, expected: ToolChoice, offered: list[str]) -> None:
    found, tools = chosen(choice, None, to_tools(wire(WEATHER, SHELL)))
    assert found == expected
    assert [tool.name for tool in tools] == offered


def test_one_call_at_a_time() -> None:
    assert not chosen("auto", False, to_tools(wire(WEATHER)))[0].parallel


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ("sometimes", "tool_choice"),
        ({"type": "function", "name": "other"}, "tool_choice"),
        ({"type": "web_search"}, "tool_choice.type"),
        ({}, "tool_choice.type"),
        ({"type": "allowed_tools", "mode": "auto"}, "tool_choice.tools"),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"name": "other"}]}, "tool_choice.tools[0]"),
        ({"type": "allowed_tools", "mode": "often", "tools": [{"name": "weather"}]}, "tool_choice.mode"),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, "tool_choice.mode"),
    ],
)
def test_choices_that_cannot_be(choice: Any, field: str) -> None:
    with pytest.raises(BadRequest) as problem:
        chosen(choice, None, to_tools(wire(WEATHER)))
    assert problem.value.field == field
