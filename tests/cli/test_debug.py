"""`lmdeck debug` as a shell runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.output_templates import TEMPLATES
from tui.cli.main import command

TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"properties": {"days": {"type": "integer"}}}},
    }
]
OUTPUT = """Rome, then.</think>

I look é.
<tool_call>
<function=get_weather>
<parameter=city>
Rom
</parameter>
<parameter=days>
3
</parameter>
</function>
</tool_call>
"""


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    template, tools = tmp_path / "template.jinja", tmp_path / "tools.json"
    template.write_text(TEMPLATES["qwen3.5"], "utf-8")
    tools.write_text(json.dumps(TOOLS))
    return ["debug", "parse", "--template", str(template), "--tools", str(tools)]


@pytest.mark.parametrize("chunks", ["1", "3", "1000"])
def test_parse_prints_the_message(options: list[str], chunks: str) -> None:
    done = CliRunner().invoke(command, [*options, "--reasoning-open", "--chunks", chunks], input=OUTPUT)
    assert done.exit_code == 0, done.output
    message = json.loads(done.stdout)
    (call,) = message.pop("tool_calls")
    assert message == {"role": "assistant", "content": "I look é.", "reasoning": "Rome, then."}
    assert call["name"] == "get_weather"
    assert call["id"]
    assert json.loads(call["arguments"]) == {"city": "Rom", "days": 3}


def test_empty_input_is_an_empty_message(options: list[str]) -> None:
    done = CliRunner().invoke(command, options, input="")
    assert json.loads(done.stdout) == {"role": "assistant", "content": "", "reasoning": "", "tool_calls": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read: Expecting"),
        ("{}", "must be a list"),
        ('[{"type": "function"}]', "tools[0] must be a function with a name"),
        ("[1]", "tools[0]"),
    ],
)
def test_bad_tools_are_refused_with_their_place(options: list[str], text: str, said: str) -> None:
    Path(options[-1]).write_text(text)
    done = CliRunner().invoke(command, options, input="Hi")
    assert done.exit_code == 2
    assert said in done.output
