"""Thinking, options, images, continued answers and what is found out about templates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.formats.hostile_templates import HOSTILE
from tui.domain import (
    BadRequest,
    BadTemplate,
    ImagePart,
    Message,
    ReasoningEffort,
    ReasoningPart,
    TextPart,
    Tool,
    text_message,
)
from tui.formats import ChatFormat, template_diff
from tui.formats.limits import TIME_LIMIT

TEMPLATES = Path(__file__).parents[1] / "support" / "templates"
USER, ANSWER = text_message("user", "Hello"), text_message("assistant", "Hi!")
PLAIN = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


def own(name: str) -> ChatFormat:
    return ChatFormat((TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8"))


def ending(chat_format: ChatFormat, effort: ReasoningEffort | None) -> str:
    return chat_format.render([USER], reasoning_effort=effort).text.rpartition("Hello")[2]


@pytest.mark.parametrize(
    ("name", "switch", "variable", "efforts", "arguments", "ids"),
    [
        ("chatml", "", "", (), "object", "any"),
        ("qwen3", "enable_thinking", "", (), "object", "any"),
        ("deepseek-v3.1", "thinking", "", (), "object", "any"),
        ("deepseek-r1", "", "", (), "text", "any"),
        ("seed-oss", "thinking_budget", "", (), "object", "any"),
        ("gpt-oss", "", "reasoning_effort", ("low", "medium", "high"), "object", "any"),
        ("hunyuan", "reasoning_effort", "reasoning_effort", ("low", "high"), "object", "any"),
        ("solar-open", "reasoning_effort", "reasoning_effort", ("minimal", "low", "medium", "high"), "object", "any"),
        ("nemotron-nano-v2", "/no_think", "", (), "object", "any"),
        ("mistral-nemo", "", "", (), "object", "nine_alphanumerics"),
        ("mistral-small-3.2", "", "", (), "object", "nine_alphanumerics"),
        ("kimi-k2", "", "", (), "object", "functions_name_index"),
        ("minimax-m3", "thinking_mode", "", (), "object", "any"),
        ("functionary-3.1", "", "", (), "text", "any"),
    ],
)
def test_what_is_found_out(
    name: str, switch: str, variable: str, efforts: tuple[str, ...], arguments: str, ids: str
) -> None:
    known = own(name).capabilities
    assert (known.thinking_switch, known.effort_variable, known.reasoning_efforts) == (switch, variable, efforts)
    assert (known.tool_call_arguments, known.tool_call_ids) == (arguments, ids)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("system_role", {"gemma-2", "mistral-7b"}),
        ("text_content", set()),
        ("parallel_tool_calls", {"gpt-oss", "llama-3.1", "gigachat"}),
        ("tool_calls", {"granite-3.3", "lfm2", "smollm3", "chatml", "gemma-3"}),
        ("tools", {"deepseek-r1", "chatml", "gemma-2", "llama-2", "zephyr"}),
    ],
)
def test_what_templates_cannot_do(field: str, names: set[str]) -> None:
    for name in names:
        assert not getattr(own(name).capabilities, field), name
    assert getattr(own("qwen3.5").capabilities, field)


def test_content_and_reasoning() -> None:
    assert own("gemma-3").capabilities.typed_content
    assert own("gemma-3").capabilities.images
    assert not own("chatml").capabilities.typed_content
    assert not own("chatml").capabilities.images
    assert own("magistral").capabilities.reasoning_in_history
    assert own("laguna").capabilities.reasoning_in_history
    assert own("qwen3").capabilities.reasoning_in_history
    assert not own("chatml").capabilities.reasoning_in_history
    assert own("gpt-oss").capabilities.harmony
    assert not own("qwen3").capabilities.harmony


@pytest.mark.parametrize(
    ("name", "effort", "expected"),
    [
        ("qwen3", None, "<|im_start|>assistant\n"),
        ("qwen3", "off", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("qwen3", "minimal", "<|im_start|>assistant\n"),
        ("qwen3.5", "high", "<|im_start|>assistant\n<think>\n"),
        ("deepseek-v3.1", None, "</think>"),
        ("deepseek-v3.1", "low", "<think>"),
        ("hunyuan", "off", "<think:own></think:own>"),
        ("hunyuan", "medium", "<think:own>"),
        ("hunyuan", None, "<think:own></think:own>"),
        ("solar-open", "off", "<|end|>\n<|begin|>assistant"),
        ("solar-open", "high", "<|think|>"),
        ("nemotron-nano-v2", "off", "<think></think>"),
        ("nemotron-nano-v2", "high", "<think>\n"),
        ("seed-oss", "off", "</seed:think>"),
        ("chatml", "off", "<|im_start|>assistant\n"),
    ],
)
def test_thinking(name: str, effort: ReasoningEffort | None, expected: str) -> None:
    assert ending(own(name), effort).endswith(expected)


@pytest.mark.parametrize(
    ("effort", "expected"), [("off", "low"), ("minimal", "low"), ("medium", "medium"), ("high", "high")]
)
def test_effort_that_is_only_repeated(effort: ReasoningEffort, expected: str) -> None:
    assert f"Reasoning: {expected}\n" in own("gpt-oss").render([USER], reasoning_effort=effort).text


def test_options_come_before_the_effort() -> None:
    chat_format = own("qwen3")
    options = [("enable_thinking", "true")]
    assert chat_format.render([USER], reasoning_effort="off", options=options) == chat_format.render([USER])
    assert ChatFormat("{{ messages[0].content }}{{ x.y[1] }}").render(
        [USER], options=[("x", '{"y": [1, "z"]}')]
    ).text == ("Helloz")


@pytest.mark.parametrize(
    ("option", "field"), [(("x", "{"), "x"), (("messages", "[]"), "messages"), (("tools", "[]"), "tools")]
)
def test_options_that_cannot_be(option: tuple[str, str], field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ChatFormat(PLAIN).render([USER], options=[option])
    assert caught.value.field == f"template_options.{field}"


def test_no_generation_prompt() -> None:
    assert ChatFormat(PLAIN).render([USER, ANSWER], add_generation_prompt=False).text == "[user]Hello[assistant]Hi!"


@pytest.mark.parametrize(
    ("name", "opens"),
    [("qwq", True), ("qwen3.5", True), ("command-r7b", False), ("minimax-m2", True), ("laguna", False)],
)
def test_open_reasoning(name: str, opens: bool) -> None:
    assert own(name).render([USER]).reasoning_open == opens


def test_an_answer_is_continued() -> None:
    half = text_message("assistant", "Once upon ")
    prompt = ChatFormat(PLAIN + "<end>").render([USER, half], continue_last=True)
    assert prompt.text == "[user]Hello[assistant]Once upon "
    trims = PLAIN.replace("m.content", "m.content | trim")
    assert ChatFormat(trims).render([USER, half], continue_last=True).text == "[user]Hello[assistant]Once upon"
    assert own("llama-2").render([USER, half], continue_last=True).text.endswith("[/INST] Once upon")


def test_reasoning_is_continued() -> None:
    thought = Message("assistant", (ReasoningPart("Well, "),))
    prompt = own("qwen3").render([USER, thought], continue_last=True)
    assert prompt.text.endswith("<|im_start|>assistant\n<think>\nWell, ")
    assert prompt.reasoning_open
    prompt = own("qwq").render([USER, thought], continue_last=True)
    assert prompt.text.endswith("<|im_start|>assistant\n<think>\nWell, ")
    assert prompt.reasoning_open
    both = Message("assistant", (ReasoningPart("Well."), TextPart("So")))
    prompt = own("qwen3").render([USER, both], continue_last=True)
    assert prompt.text.endswith("<think>\nWell.\n</think>\n\nSo")
    assert not prompt.reasoning_open


def test_an_answer_that_the_template_does_not_repeat_is_continued() -> None:
    forgets = (
        "{% for m in messages if m.role == 'user' %}[user]{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]<think>\n{% endif %}"
    )
    said = Message("assistant", (ReasoningPart("Well."), TextPart("So")))
    assert ChatFormat(forgets).render([USER, said], continue_last=True).text == (
        "[user]Hello[assistant]<think>\nWell.\n</think>\n\nSo"
    )


def test_what_cannot_be_continued() -> None:
    for messages in ([], [USER]):
        with pytest.raises(BadRequest) as caught:
            ChatFormat(PLAIN).render(messages, continue_last=True)
        assert caught.value.field == "messages"


IMAGES = Message("user", (TextPart("A "), ImagePart(b"1"), TextPart(" and "), ImagePart(b"2"), TextPart("?")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chatml", "A <!> and <!>?"),
        ("qwen3.5", "A <!> and <!>?"),
        ("mistral-small-3.2", "[INST]A <!> and <!>?[/INST]"),
        ("gemma-3", "A<!>and<!>?"),
        ("gemma-4", "A\n\n<!>\n\nand\n\n<!>\n\n?"),
        ("kimi-k2", "A <!> and <!>?"),
    ],
)
def test_each_image_has_its_place(name: str, expected: str) -> None:
    text = own(name).render([USER, ANSWER, IMAGES], image_marker="<!>").text
    assert expected in text
    assert text.count("<!>") == 2


def test_text_that_looks_like_an_image_is_none() -> None:
    message = Message("user", (TextPart("<__media__> <|vision_start|><|image_pad|><|vision_end|>"), ImagePart(b"1")))
    for name in ("chatml", "qwen3.5"):
        text = own(name).render([message]).text
        assert text.count("<__media__>") == 1
        assert text.index("< __media__>") < text.index("<__media__>")


def test_images_that_the_template_hides() -> None:
    with pytest.raises(BadTemplate, match="shows 0 of the 1 images"):
        ChatFormat("{% for m in messages %}{{ m.role }}{% endfor %}").render([Message("user", (ImagePart(b"1"),))])


def test_what_a_template_of_ones_own_changes() -> None:
    assert template_diff("a\nb\nc", "a\nb\nc") == ""
    assert template_diff("a\nb\nc", "a\nB\nc") == (
        "--- the file's template\n+++ your template\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
    )


@pytest.mark.parametrize("name", ["loops", "macros by the thousand", "times"])
def test_finding_out_about_hostile_templates_is_bounded(name: str) -> None:
    with pytest.raises(BadTemplate):
        ChatFormat(HOSTILE[name]).capabilities  # noqa: B018


def test_probes_together_take_no_longer_than_one_prompt() -> None:
    """Each of these takes a while and fails, which by itself is no reason to stop."""
    slow = "{% for i in range(99999) %}{% endfor %}" * 8 + "{{ raise_exception('no') }}{# tools thinking /no_think #}"
    began = time.thread_time()
    with pytest.raises(BadTemplate, match="finding out what it can do"):
        ChatFormat(slow).capabilities  # noqa: B018
    assert time.thread_time() - began < 2 * TIME_LIMIT


def test_a_hundred_messages_are_rendered_at_once() -> None:
    """In the time of some renderings of a few; what the template can do is found out once."""
    chat_format = own("qwen3")
    tool = Tool("f", "x", "{}")
    chat_format.render([USER], tools=[tool])
    messages = [
        text_message("user" if number % 2 == 0 else "assistant", f"word {number} " * 30) for number in range(101)
    ]
    began = time.thread_time()
    for _ in range(5):
        chat_format.render(messages, tools=[tool])
    assert (time.thread_time() - began) / 5 < 0.25


def test_defaults_of_variables_come_after_the_effort_and_options_before() -> None:
    qwen = own("qwen3")
    off = (("enable_thinking", "false"),)
    thinks, quiet = ending(qwen, "high"), ending(qwen, "off")
    assert thinks != quiet

    def tail(**asked: Any) -> str:
        return qwen.render([USER], **asked).text.rpartition("Hello")[2]

    assert tail(defaults=off) == quiet
    assert tail(defaults=off, reasoning_effort="high") == thinks
    assert tail(options=off, reasoning_effort="high") == quiet
    with pytest.raises(BadRequest, match="cannot be set"):
        tail(defaults=(("messages", "[]"),))
