"""Prompts for filling in the middle."""

from __future__ import annotations

import pytest

from tui.domain import BadRequest, ModelVocabulary
from tui.formats import FillInTokens, fill_in_tokens, fim_prompt, find_fill_in_tokens

STARCODER = FillInTokens("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
QWEN = FillInTokens("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>"), QWEN),
        (
            ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
            FillInTokens("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        ),
        (
            ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
            FillInTokens("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
        ),
        (("▁<PRE>", "▁<SUF>", "▁<MID>"), FillInTokens("▁<PRE>", "▁<SUF>", "▁<MID>")),
        (("[PREFIX]", "[SUFFIX]", "[MIDDLE]"), FillInTokens("[PREFIX]", "[SUFFIX]", "")),
        (("[PREFIX]", "[SUFFIX]"), FillInTokens("[PREFIX]", "[SUFFIX]", "")),
        (("<fim_prefix>", "<fim_suffix>"), None),
        (("<|im_start|>",), None),
    ],
)
def test_tokens_by_their_names(names: tuple[str, ...], expected: FillInTokens | None) -> None:
    assert find_fill_in_tokens(["a", *names, "b"]) == expected


def test_tokens_by_the_files_account() -> None:
    vocabulary = ModelVocabulary(
        "gpt2", "x", ("<a>", "<b>", "<c>", "<fim_prefix>"), (), (), {"fim_pre": 0, "fim_suf": 1, "fim_mid": 2, "bos": 3}
    )
    assert fill_in_tokens(vocabulary) == FillInTokens("<a>", "<b>", "<c>")
    assert find_fill_in_tokens(["a"], {"fim_pre": 0, "fim_suf": 0, "fim_mid": 9}) is None


def test_the_prompt() -> None:
    assert fim_prompt(QWEN, "def f(", "):") == "<|fim_prefix|>def f(<|fim_suffix|>):<|fim_middle|>"
    swapped = fim_prompt(QWEN, "def f(", "):", suffix_first=True)
    assert swapped == "<|fim_suffix|>):<|fim_prefix|>def f(<|fim_middle|>"
    assert fim_prompt(FillInTokens("[PREFIX]", "[SUFFIX]", ""), "a", "b") == "[SUFFIX]b[PREFIX]a"
    assert fim_prompt(QWEN, "", "") == "<|fim_prefix|><|fim_suffix|><|fim_middle|>"


def test_other_files_come_first() -> None:
    prompt = fim_prompt(QWEN, "x", "y", files=[("a.py", "A = 1")], file_name="b.py")
    assert prompt == (
        "<|repo_name|>project\n<|file_sep|>a.py\nA = 1\n<|file_sep|>b.py\n<|fim_prefix|>x<|fim_suffix|>y<|fim_middle|>"
    )
    assert "A = 1" not in fim_prompt(STARCODER, "x", "y", files=[("a.py", "A = 1")])


def test_markers_in_the_text_stay_text() -> None:
    prompt = fim_prompt(QWEN, "a<|fim_middle|>b", "<|fim_prefix|>", files=[("<|file_sep|>", "<|repo_name|>")])
    for marker in ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>"):
        assert prompt.count(marker) == 1
    assert "a< |fim_middle|>b" in prompt


def test_a_model_without_the_tokens() -> None:
    with pytest.raises(BadRequest, match="cannot fill in the middle") as caught:
        fim_prompt(None, "a", "b")
    assert caught.value.field == "suffix"
