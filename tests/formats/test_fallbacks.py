"""Templates for files that have none."""

from __future__ import annotations

import pytest

from tui.domain import text_message
from tui.formats import FALLBACK_TEMPLATE, ChatFormat, family_template

CONVERSATION = [
    text_message("system", "Be kind."),
    text_message("user", "Hello"),
    text_message("assistant", "Hi!"),
    text_message("user", "How are you?"),
]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (
            "<|im_start|> <|im_end|> [INST]",
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
            "<|im_start|>assistant\nHi!<|im_end|>\n"
            "<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n",
        ),
        (
            "<|start_header_id|> <|end_header_id|> <|eot_id|>",
            "<s><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHi!<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        (
            "<start_of_turn> <end_of_turn>",
            "<s><start_of_turn>user\nBe kind.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi!<end_of_turn>\n"
            "<start_of_turn>user\nHow are you?<end_of_turn>\n<start_of_turn>model\n",
        ),
        (
            "<|turn> <turn|>",
            "<s><|turn>system\nBe kind.<turn|>\n<|turn>user\nHello<turn|>\n<|turn>model\nHi!<turn|>\n"
            "<|turn>user\nHow are you?<turn|>\n<|turn>model\n",
        ),
        ("[INST] [/INST]", "<s>[INST] Be kind.\n\nHello [/INST] Hi!</s>[INST] How are you? [/INST]"),
        (
            "<｜User｜> <｜Assistant｜>",
            "<s>Be kind.<｜User｜>Hello<｜Assistant｜>Hi!<｜end▁of▁sentence｜><｜User｜>How are you?<｜Assistant｜>",
        ),
        (
            "<|channel|> <|start|> <|message|>",
            "<|start|>developer<|message|>Be kind.<|end|><|start|>user<|message|>Hello<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Hi!<|end|>"
            "<|start|>user<|message|>How are you?<|end|><|start|>assistant",
        ),
        (
            "<|START_OF_TURN_TOKEN|> <|CHATBOT_TOKEN|>",
            "<s><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be kind.<|END_OF_TURN_TOKEN|>"
            "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|>"
            "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Hi!<|END_OF_TURN_TOKEN|>"
            "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>How are you?<|END_OF_TURN_TOKEN|>"
            "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        ),
        (
            "<|start_of_role|> <|end_of_role|>",
            "<|start_of_role|>system<|end_of_role|>Be kind.<|end_of_text|>\n"
            "<|start_of_role|>user<|end_of_role|>Hello<|end_of_text|>\n"
            "<|start_of_role|>assistant<|end_of_role|>Hi!<|end_of_text|>\n"
            "<|start_of_role|>user<|end_of_role|>How are you?<|end_of_text|>\n"
            "<|start_of_role|>assistant<|end_of_role|>",
        ),
        (
            "[gMASK] <|user|> <|assistant|>",
            "[gMASK]<sop><|system|>\nBe kind.\n<|user|>\nHello\n<|assistant|>\nHi!\n"
            "<|user|>\nHow are you?\n<|assistant|>\n",
        ),
        (
            "<|user|> <|assistant|> <|end|>",
            "<|system|>\nBe kind.<|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\nHi!<|end|>\n"
            "<|user|>\nHow are you?<|end|>\n<|assistant|>\n",
        ),
        (
            "<|user|> <|assistant|>",
            "<|system|>\nBe kind.</s>\n<|user|>\nHello</s>\n<|assistant|>\nHi!</s>\n"
            "<|user|>\nHow are you?</s>\n<|assistant|>\n",
        ),
    ],
)
def test_families(tokens: str, expected: str) -> None:
    chat_format = ChatFormat("", beginning_token="<s>", end_token="</s>", fallback=family_template(tokens.split()))
    assert chat_format.render(CONVERSATION).text == expected


def test_chatml_where_the_tokens_tell_nothing() -> None:
    for tokens in ((), ("<s>", "</s>"), ("[INST]",)):
        assert family_template(tokens) == FALLBACK_TEMPLATE


def test_the_files_own_template_comes_first() -> None:
    assert ChatFormat("{{ messages[0].content }}", fallback="no").render(CONVERSATION[1:2]).text == "Hello"
    assert ChatFormat(" \n").template == FALLBACK_TEMPLATE
