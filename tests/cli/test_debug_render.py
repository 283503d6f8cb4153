"""`lmdeck debug render` prints prompts as JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.support.model_maker import make_tiny_model
from tui.cli.debug_render import render
from tui.cli.failures import MISUSED, FailureGroup

TEMPLATE = (
    "{% if tools %}[{{ tools[0].function.name }}]{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% for c in m.tool_calls or [] %}!{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{{ '<think>' if enable_thinking }}{% endif %}"
)
MESSAGES: list[Any] = [
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Hé"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "two"},
]


@click.group(cls=FailureGroup)
def debug() -> None:
    """The group that `render` is in."""


debug.add_command(render)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    Path("t.jinja").write_text(TEMPLATE)
    Path("m.json").write_text(json.dumps(MESSAGES))

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(debug, ["render", *arguments])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.stderr

    return run


def test_prompt_and_capabilities(run: Any) -> None:
    made = run("--template", "t.jinja", "--messages", "m.json")
    assert made["prompt"] == '<system>Be kind.<user>Hé<assistant>!f{"a": 1}<tool>two<assistant>'
    assert not made["reasoning_open"]
    assert made["capabilities"]["thinking_switch"] == "enable_thinking"
    assert made["capabilities"]["tool_calls"]


def test_options_tools_and_effort(run: Any) -> None:
    Path("tools.json").write_text(json.dumps([{"type": "function", "function": {"name": "f"}}]))
    made = run("--template", "t.jinja", "--messages", "m.json", "--tools", "tools.json", "--option", "x=1")
    assert made["prompt"].startswith("[f]<system>")
    for how in (("--option", "enable_thinking=true"), ("--effort", "high")):
        made = run("--template", "t.jinja", "--messages", "m.json", *how)
        assert made["reasoning_open"]
        assert made["prompt"].endswith("<assistant><think>")


def test_a_template_of_ones_own(run: Any) -> None:
    Path("own.jinja").write_text("{{ messages[1].content }}\n" + TEMPLATE)
    made = run("--template", "t.jinja", "--messages", "m.json", "--diff", "own.jinja", "--no-generation-prompt")
    assert made["prompt"].startswith("Hé\n<system>")
    assert made["prompt"].endswith("two")
    assert "+{{ messages[1].content }}" in made["diff"].splitlines()


def test_the_template_of_a_model_file_and_none(run: Any, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "m.gguf", chat_template=TEMPLATE)
    Path("m.json").write_text(json.dumps({"messages": MESSAGES[:2]}))
    assert run("--template", "m.gguf", "--messages", "m.json")["prompt"] == "<system>Be kind.<user>Hé<assistant>"
    assert run("--messages", "m.json")["prompt"].startswith("<|im_start|>system\nBe kind.<|im_end|>")


def test_an_answer_is_continued_and_an_image_has_its_place(run: Any) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"x").decode()}}
    messages = [{"role": "user", "content": [image]}, {"role": "assistant", "content": "So "}]
    Path("m.json").write_text(json.dumps(messages))
    made = run("--template", "t.jinja", "--messages", "m.json", "--continue")
    assert made["prompt"] == "<user><__media__><assistant>So "


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ("{", "cannot be read"),
        ('{"a": 1}', "messages must be a list"),
        ("[1]", "messages[0] must be an object"),
        ('[{"role": "king"}]', "messages[0].role must be one of"),
        ('[{"role": "user", "content": 1}]', "messages[0].content must be a text"),
        ('[{"role": "user", "content": [{"type": "x"}]}]', "messages[0].content[0] must be"),
        ('[{"role": "assistant", "tool_calls": [{}]}]', "messages[0].tool_calls[0] must have a function"),
    ],
)
def test_what_is_wrong_is_told(run: Any, messages: str, told: str) -> None:
    Path("m.json").write_text(messages)
    assert told in run("--messages", "m.json", code=MISUSED)


def test_wrong_options_are_told(run: Any) -> None:
    assert "NAME=JSON" in run("--messages", "m.json", "--option", "x", code=MISUSED)
    assert "not JSON" in run("--messages", "m.json", "--option", "x={", code=MISUSED)
    assert "cannot be set" in run("--messages", "m.json", "--option", "messages=[]", code=MISUSED)
