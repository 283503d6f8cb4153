"""Tools as the Responses API has them: functions, and custom ones that take any text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from tui.domain import BadRequest, Tool, ToolChoice
from tui.server.openai.messages import to_tool_choice

_INPUT = "input"
_ANY_TEXT = {"type": "text"}


class WireTool(BaseModel):
    """A tool of any type; only functions and custom ones can be offered to a model."""

    model_config = ConfigDict(extra="ignore")

    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: dict[str, Any] | None = None

    def echoed(self) -> dict[str, Any]:
        """The tool as the answer repeats it."""
        common = {"type": self.type, "name": self.name, "description": self.description}
        if self.type == "custom":
            return {**common, "format": self.format or _ANY_TEXT}
        return {**common, "parameters": self.parameters, "strict": self.strict}


def to_tools(tools: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    """What the model is offered. Raises BadRequest for a tool that cannot be.

    A custom tool becomes a function of one text, because that is what models know how to call.
    """
    offered: dict[str, Tool] = {}
    for index, tool in enumerate(tools or ()):
        field = f"tools[{index}]"
        if tool.type not in ("function", "custom"):
            raise BadRequest(
                f"Tools of the type {tool.type[:40]!r} are not available here.",
                "Offer tools of the type function or custom, and run them where you are.",
                field=f"{field}.type",
            )
        if not tool.name:
            raise BadRequest(f"{field} has no name.", "Name it.", field=f"{field}.name")
        if tool.name in offered:
            raise BadRequest(f"Two tools are called {tool.name!r}.", "Rename one of them.", field=f"{field}.name")
        offered[tool.name] = _function(tool) if tool.type == "function" else _function_of_text(tool)
    return tuple(offered.values())


def custom_names(tools: Sequence[WireTool] | None) -> frozenset[str]:
    """The names of the tools whose calls bring a text instead of arguments."""
    return frozenset(tool.name for tool in tools or () if tool.type == "custom")


def chosen(
    choice: str | dict[str, Any] | None, parallel: bool | None, tools: tuple[Tool, ...]
) -> tuple[ToolChoice, tuple[Tool, ...]]:
    """Whether tools may or must be called, and which of them are offered. Raises BadRequest."""
    if not isinstance(choice, dict) or choice.get("type") in ("function", "custom"):
        return to_tool_choice(choice, parallel, tools), tools
    if choice.get("type") != "allowed_tools":
        raise BadRequest(
            f"A tool cannot be chosen by the type {str(choice.get('type'))[:40]!r} here.",
            'Choose {"type": "function", "name": …}, a custom tool, or allowed_tools.',
            field="tool_choice.type",
        )
    allowed = _allowed_names(choice.get("tools"), {tool.name for tool in tools})
    fewer = tuple(tool for tool in tools if tool.name in allowed)
    return to_tool_choice(choice.get("mode", "auto"), parallel, fewer, "tool_choice.mode"), fewer


def arguments_of(text: str) -> str:
    """The arguments with which the function behind a custom tool is called with a text."""
    return json.dumps({_INPUT: text}, ensure_ascii=False)


def _allowed_names(listed: Any, known: set[str]) -> set[str]:
    if not isinstance(listed, list):
        raise BadRequest("No tools are allowed.", "List them by type and name.", field="tool_choice.tools")
    names = set()
    for index, tool in enumerate(listed):
        name = tool.get("name") if isinstance(tool, dict) else None
        if not isinstance(name, str) or name not in known:
            raise BadRequest(
                f"There is no tool {name!r}.", 'Name those of "tools".', field=f"tool_choice.tools[{index}]"
            )
        names.add(name)
    return names


def _function(tool: WireTool) -> Tool:
    return Tool(tool.name, tool.description or "", json.dumps(tool.parameters or {}))


def _function_of_text(tool: WireTool) -> Tool:
    words = [tool.description or ""]
    if tool.format is not None and tool.format.get("type") == "grammar":
        words.append(f"The input must match this {tool.format.get('syntax')} grammar:\n{tool.format.get('definition')}")
    parameters = {
        "type": "object",
        "properties": {_INPUT: {"type": "string", "description": "The text that the tool is given, as it is."}},
        "required": [_INPUT],
        "additionalProperties": False,
    }
    return Tool(tool.name, "\n\n".join(filter(None, words)), json.dumps(parameters))
