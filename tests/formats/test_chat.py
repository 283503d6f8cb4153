"""Conversations as prompts, also for templates that cannot take them as they are."""

from __future__ import annotations

import json

import pytest

from tui.domain import BadTemplate, Message, ReasoningPart, TextPart, text_message
from tui.formats import FALLBACK_TEMPLATE, ChatFormat, RenderedPrompt

SYSTEM, USER, ANSWER, AGAIN = (
    text_message("system", "Be kind."),
    text_message("user", "Hello"),
    text_message("assistant", "Hi!"),
    text_message("user", "How are you?"),
)

PLAIN = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
# Users and assistants take turns, nothing else.
STRICT = (
    "{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must take turns') }}{% endif %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
)
# A system message first, then the same.
STRICT_WITH_SYSTEM = (
    "{% if messages[0].role == 'system' %}({{ messages[0].content }}){% set rest = messages[1:] %}"
    "{% else %}{% set rest = messages %}{% endif %}"
) + STRICT.replace("in messages", "in rest")
DROPS_SYSTEM = "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}"
ONLY_PARTS = (
    "{% for m in messages %}[{{ m.role }}]{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}"
)


def render(template: str, *messages: Message, **tokens: str) -> str:
    return ChatFormat(template, **tokens).render(messages).text


def test_without_a_template_chatml_is_spoken() -> None:
    expected = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    for template in ("", " \n", FALLBACK_TEMPLATE):
        assert ChatFormat(template).render([SYSTEM, USER]) == RenderedPrompt(expected, reasoning_open=False)


def test_the_whole_conversation_and_the_beginning_of_the_answer() -> None:
    assert render(PLAIN, SYSTEM, USER, ANSWER, AGAIN) == (
        "[system]Be kind.\n[user]Hello\n[assistant]Hi!\n[user]How are you?\n[assistant]"
    )


def test_special_tokens() -> None:
    assert render(STRICT, USER, ANSWER, beginning_token="<s>", end_token="</s>") == (
        "<s>[user]Hello</s>[assistant]Hi!</s>"
    )
    assert render(STRICT, USER) == "[user]Hello"


@pytest.mark.parametrize("template", [STRICT, DROPS_SYSTEM])
def test_a_system_message_that_the_template_does_not_take(template: str) -> None:
    assert render(template, SYSTEM, USER, ANSWER, AGAIN) == ("[user]Be kind.\n\nHello[assistant]Hi![user]How are you?")


def test_a_system_message_without_a_user_message() -> None:
    assert render(DROPS_SYSTEM, SYSTEM) == "[user]Be kind."


def test_system_messages_in_the_middle() -> None:
    later = text_message("system", "Be brief.")
    assert render(PLAIN, USER, ANSWER, later, AGAIN).count("[system]Be brief.") == 1
    assert render(DROPS_SYSTEM, SYSTEM, USER, ANSWER, later, AGAIN) == (
        "[user]Be kind.\n\nHello[assistant]Hi![user]Be brief.\n\nHow are you?"
    )
    assert render(STRICT_WITH_SYSTEM, SYSTEM, USER, ANSWER, later, AGAIN) == (
        "(Be kind.)[user]Hello[assistant]Hi![user]Be brief.\n\nHow are you?"
    )
    assert render(STRICT_WITH_SYSTEM, SYSTEM, later, USER) == "(Be kind.)[user]Be brief.\n\nHello"


def test_messages_in_a_row_are_joined_only_where_they_must_be() -> None:
    assert render(PLAIN, USER, AGAIN) == "[user]Hello\n[user]How are you?\n[assistant]"
    assert render(STRICT, USER, AGAIN) == "[user]Hello\n\nHow are you?"
    assert render(STRICT, USER, ANSWER, ANSWER, AGAIN) == "[user]Hello[assistant]Hi!\n\nHi![user]How are you?"


def test_a_conversation_that_cannot_be_helped() -> None:
    with pytest.raises(BadTemplate, match="refuses this conversation: Roles must take turns"):
        render(STRICT, ANSWER, USER)
    with pytest.raises(BadTemplate, match="refuses"):
        render(STRICT, ANSWER, ANSWER)


def test_content_as_parts_where_the_template_wants_it() -> None:
    assert render(ONLY_PARTS, SYSTEM, USER) == "[system]Be kind.[user]Hello"


def test_a_template_that_goes_through_the_tools_without_asking() -> None:
    template = "{% for tool in tools %}{{ tool.name }}{% endfor %}" + PLAIN
    assert render(template, USER) == "[user]Hello\n[assistant]"
    assert render("{{ tools is none }}" + PLAIN, USER).startswith("True")


def test_reasoning_goes_back_only_if_the_template_asks() -> None:
    thought = Message("assistant", (ReasoningPart("hm, "), ReasoningPart("well"), TextPart("Hi!")))
    asks = (
        "{% for m in messages %}{% if m.reasoning_content is defined %}<think>{{ m.reasoning_content }}</think>"
        "{% endif %}{{ m.content }}{% endfor %}"
    )
    assert render(asks, USER, thought) == "Hello<think>hm, well</think>Hi!"
    assert render(asks, USER, ANSWER) == "HelloHi!"
    assert "hm" not in render(PLAIN, USER, thought)
    assert (
        render("{{ messages[1].reasoning_content is defined }}{{ messages[0].content }}", USER, ANSWER) == "FalseHello"
    )


@pytest.mark.parametrize(
    ("ending", "is_open"),
    [
        ("[assistant]<think>", True),
        ("[assistant]<think>\n", True),
        ("[assistant]\n<think> \n\n", True),
        ("[assistant]<think>\n\n</think>\n\n", False),
        ("[assistant]</think>", False),
        ("[assistant]", False),
        ("<think>[assistant]", False),
    ],
)
def test_a_prompt_that_ends_inside_reasoning(ending: str, is_open: bool) -> None:
    prompt = ChatFormat(f"{{{{ messages[0].content + {json.dumps(ending)} }}}}").render([USER])
    assert prompt.reasoning_open == is_open
    assert prompt.text == "Hello" + ending


def test_a_faulty_template_says_so_each_time() -> None:
    chat_format = ChatFormat("{{ messages[0].content }}\n{{ nothing.more }}")
    for _ in range(2):
        with pytest.raises(BadTemplate, match="line 2: 'nothing' is undefined"):
            chat_format.render([SYSTEM, USER])
