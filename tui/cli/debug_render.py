"""`lmdeck debug render`: the prompt that a chat template makes of a conversation."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import click

from tui.cli.arguments import template_option
from tui.domain import BadRequest, ReasoningEffort

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--template", "template_file", type=_FILE, help="A Jinja template, or a GGUF file that has one.")
@click.option("--messages", "messages_file", type=_FILE, required=True, help="JSON: messages in OpenAI's form.")
@click.option("--tools", "tools_file", type=_FILE, help="JSON: tools in OpenAI's form.")
@click.option("--option", "options", multiple=True, metavar="NAME=JSON", help="A variable for the template.")
@click.option("--effort", type=click.Choice(get_args(ReasoningEffort)), help="How much the model shall think.")
@click.option("--bos", "beginning_token", default="", help="The text of the beginning token.")
@click.option("--eos", "end_token", default="", help="The text of the end token.")
@click.option("--continue", "continue_last", is_flag=True, help="Go on with the last answer.")
@click.option("--no-generation-prompt", is_flag=True, help="Leave out the beginning of the answer.")
@click.option("--diff", "own_file", type=_FILE, help="Your own template: render that, and tell what it changes.")
def render(
    template_file: Path | None,
    messages_file: Path,
    tools_file: Path | None,
    options: tuple[str, ...],
    effort: ReasoningEffort | None,
    beginning_token: str,
    end_token: str,
    continue_last: bool,
    no_generation_prompt: bool,
    own_file: Path | None,
) -> None:
    """Print the rendered prompt, and what the template can do, as JSON. Without --template it is ChatML."""
    from tui.cli.chat_files import read_messages, read_tools
    from tui.formats import ChatFormat, template_diff

    template = _template(template_file) if template_file else ""
    own = _template(own_file) if own_file else None
    chat_format = ChatFormat(template if own is None else own, beginning_token=beginning_token, end_token=end_token)
    prompt = chat_format.render(
        read_messages(messages_file),
        tools=read_tools(tools_file) if tools_file else (),
        reasoning_effort=effort,
        options=[template_option(text) for text in options],
        continue_last=continue_last,
        add_generation_prompt=not no_generation_prompt,
    )
    answer = {
        "prompt": prompt.text,
        "reasoning_open": prompt.reasoning_open,
        "tools_in_text": prompt.tools_in_text,
        "capabilities": asdict(chat_format.capabilities),
    }
    if own is not None:
        answer["diff"] = template_diff(template, own)
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _template(path: Path) -> str:
    with path.open("rb") as file:
        is_model = file.read(4) == b"GGUF"
    if is_model:
        from tui.models import read_header

        return read_header(path).chat_template
    try:
        return path.read_text(encoding="utf-8")
    except ValueError as error:
        raise BadRequest(f"{path} is no text: {error}.", "Name a template file.", field="template") from error
