"""`lmdeck debug`: what lmdeck makes of a template and of a model's words, as JSON, without any model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.debug_render import render
from tui.domain import ReasoningDelta, TextDelta, ToolCallFinished

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
    from tui.cli.chat_files import read_tools
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


debug.add_command(render)
