"""`lmdeck debug`: what lmdeck makes of a template and of a model's words, as JSON, without any model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.domain import BadRequest, ReasoningDelta, TextDelta, Tool, ToolCallFinished

if TYPE_CHECKING:
    from tui.formats import Delta

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def debug() -> None:
    """Look into what lmdeck does between a conversation and a model."""


@debug.command()
@click.option("--template", type=_FILE, required=True, help="A file with the model's chat template.")
@click.option("--tools", type=_FILE, help="A JSON file with the tools that are offered, as OpenAI writes them.")
@click.option("--reasoning-open", is_flag=True, help="The prompt ended inside an open block of reasoning.")
@click.option("--chunks", type=click.IntRange(min=1), default=1, help="Feed the text in so many pieces (default 1).")
def parse(template: Path, tools: Path | None, reasoning_open: bool, chunks: int) -> None:
    """Read a model's raw output from standard input and print the message that it is."""
    from tui.formats import OutputParser, detect_output_format

    output_format = detect_output_format(template.read_text("utf-8", "replace"))
    parser = OutputParser(output_format, tools=read_tools(tools) if tools else (), reasoning_open=reasoning_open)
    data = sys.stdin.buffer.read()
    size = max(1, -(-len(data) // chunks))
    deltas: list[Delta] = []
    for start in range(0, len(data), size):
        deltas += parser.feed(data[start : start + size])
    deltas += parser.finish()
    click.echo(json.dumps(_message(deltas), ensure_ascii=False, indent=2))


def read_tools(path: Path) -> tuple[Tool, ...]:
    """The tools in a JSON file: a list of functions, each alone or as `{"type": "function", "function": …}`.

    Raises BadRequest with the place of what is wrong.
    """
    try:
        tools = json.loads(path.read_text("utf-8", "replace"))
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"{path} is not JSON: {problem}.", "It must be a list of tools.", field="tools") from problem
    if not isinstance(tools, list):
        raise BadRequest(f"{path} is not a list.", "It must be a list of tools.", field="tools")
    return tuple(_tool(tool, f"tools[{number}]") for number, tool in enumerate(tools))


def _tool(tool: Any, field: str) -> Tool:
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest(f"{field} has no name.", "A tool is an object with a name and parameters.", field=field)
    parameters = json.dumps(function.get("parameters") or {}, ensure_ascii=False)
    return Tool(function["name"], str(function.get("description") or ""), parameters)


def _message(deltas: list[Delta]) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)),
        "reasoning": "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)),
        "tool_calls": [
            {"id": delta.call.id, "name": delta.call.name, "arguments": delta.call.arguments}
            for delta in deltas
            if isinstance(delta, ToolCallFinished)
        ],
    }
