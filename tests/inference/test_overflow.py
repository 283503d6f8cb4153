"""What is sent of conversations that are too long."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tui.domain import ContextExceeded, Message, OverflowPolicy, ToolCallPart, ToolResultPart, text_message
from tui.inference.overflow import fit_conversation


class Counter:
    """One token for each word, and two for each message."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, messages: Sequence[Message]) -> list[int]:
        self.calls += 1
        texts = [part.text for m in messages for part in m.parts if hasattr(part, "text")]
        return [0] * (2 * len(messages) + sum(len(text.split()) for text in texts))


def conversation(turns: int, words: int = 20) -> tuple[Message, ...]:
    messages = [text_message("system", "be nice")]
    for turn in range(turns):
        messages.append(text_message("user", f"question{turn} " + "w " * (words - 1)))
        messages.append(text_message("assistant", f"answer{turn} " + "w " * (words - 1)))
    return (*messages, text_message("user", "finally this"))


def said(messages: Sequence[Message]) -> list[str]:
    return [message.text.split()[0] for message in messages]


@pytest.mark.parametrize("policy", ["stopAtLimit", "truncateMiddle", "rollingWindow", "error"])
def test_what_fits_is_sent_whole(policy: OverflowPolicy) -> None:
    messages = conversation(3)
    fitted = fit_conversation(messages, policy, Counter(), 1000, 50)
    assert fitted.messages == messages
    assert not fitted.trimmed


def test_the_middle_goes_first() -> None:
    fitted = fit_conversation(conversation(10), "truncateMiddle", Counter(), 200, 20)
    assert said(fitted.messages) == [
        "be",
        "question0",
        "answer0",
        "question8",
        "answer8",
        "question9",
        "answer9",
        "finally",
    ]
    assert (fitted.dropped, fitted.clipped) == (14, 0)
    assert len(fitted.tokens) <= 180


def test_a_window_keeps_the_newest() -> None:
    fitted = fit_conversation(conversation(10), "rollingWindow", Counter(), 200, 20)
    assert said(fitted.messages)[:2] == ["be", "question7"]
    assert said(fitted.messages)[-1] == "finally"


@pytest.mark.parametrize("policy", ["stopAtLimit", "error"])
def test_policies_that_refuse_tell_the_figures(policy: OverflowPolicy) -> None:
    with pytest.raises(ContextExceeded) as refusal:
        fit_conversation(conversation(10), policy, Counter(), 200, 20)
    assert refusal.value.context_length == 200
    assert refusal.value.prompt_tokens > 200


def test_error_counts_the_answer_too() -> None:
    messages = conversation(1)
    tokens = len(Counter()(messages))
    assert fit_conversation(messages, "error", Counter(), tokens + 50, 50).messages == messages
    with pytest.raises(ContextExceeded, match="50 more"):
        fit_conversation(messages, "error", Counter(), tokens + 49, 50)
    assert fit_conversation(messages, "stopAtLimit", Counter(), tokens + 1, 50).messages == messages


def test_a_last_message_that_is_too_long_loses_its_middle_and_says_so() -> None:
    long = " ".join(f"word{number}" for number in range(3000))
    messages = (*conversation(5)[:-1], text_message("user", long))
    fitted = fit_conversation(messages, "truncateMiddle", Counter(), 400, None)
    system, last = fitted.messages
    assert system.role == "system"
    assert "characters left out" in last.text
    assert last.text.startswith("word0 ")
    assert last.text.endswith("word2999")
    assert 150 < len(fitted.tokens) <= 300, "as much as fits goes along"
    assert (fitted.dropped, fitted.clipped) == (10, 1)


def test_tool_results_are_clipped_before_the_question_and_keep_their_calls() -> None:
    running = (
        text_message("user", "look it up"),
        Message("assistant", (ToolCallPart("1", "search", "{}"),)),
        Message("tool", (ToolResultPart("1", "search", "found " * 2000),)),
    )
    fitted = fit_conversation((*conversation(4)[:-1], *running), "rollingWindow", Counter(), 300, 50)
    roles = [message.role for message in fitted.messages]
    assert roles[-3:] == ["user", "assistant", "tool"]
    assert fitted.messages[-3].text == "look it up"
    result = fitted.messages[-1].parts[0]
    assert isinstance(result, ToolResultPart)
    assert "left out" in result.text
    assert len(fitted.tokens) <= 250


def test_what_can_never_fit_is_refused() -> None:
    with pytest.raises(ContextExceeded):
        fit_conversation(
            (text_message("system", "w " * 500), text_message("user", "hi")), "rollingWindow", Counter(), 100, 9
        )


def test_conversations_that_begin_oddly() -> None:
    greeting = (text_message("assistant", "hello " * 300), text_message("user", "hi"))
    fitted = fit_conversation(greeting, "truncateMiddle", Counter(), 100, 9)
    assert said(fitted.messages) == ["hi"]
    alone = (text_message("user", "hi"),)
    assert fit_conversation(alone, "truncateMiddle", Counter(), 100, 9).messages == alone
    with pytest.raises(ContextExceeded):
        fit_conversation((text_message("assistant", "hello " * 300),), "truncateMiddle", Counter(), 100, 9)


def test_few_countings_even_for_long_conversations() -> None:
    counter = Counter()
    fit_conversation(conversation(1000), "truncateMiddle", counter, 4000, None)
    assert counter.calls <= 12
