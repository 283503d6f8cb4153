"""What a person may write to mean a repository."""

from __future__ import annotations

import pytest

from tui.models.hub import HubAddress, parse_address

MIRROR = "https://mirror.example/hf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qwen/Qwen3-8B-GGUF", HubAddress("Qwen/Qwen3-8B-GGUF")),
        ("  Qwen/Qwen3-8B-GGUF@q4_k_m ", HubAddress("Qwen/Qwen3-8B-GGUF", "q4_k_m")),
        ("Qwen/Qwen3-8B-GGUF:Q4_K_M", HubAddress("Qwen/Qwen3-8B-GGUF", "Q4_K_M")),
        ("https://huggingface.co/Qwen/Qwen3-8B-GGUF", HubAddress("Qwen/Qwen3-8B-GGUF")),
        ("https://huggingface.co/Qwen/Qwen3-8B-GGUF/", HubAddress("Qwen/Qwen3-8B-GGUF")),
        ("huggingface.co/Qwen/Qwen3-8B-GGUF?show=all#files", HubAddress("Qwen/Qwen3-8B-GGUF")),
        ("hf.co/Qwen/Qwen3-8B-GGUF:Q8_0", HubAddress("Qwen/Qwen3-8B-GGUF", "Q8_0")),
        ("https://huggingface.co/a/b/tree/v1.0", HubAddress("a/b", revision="v1.0")),
        ("https://huggingface.co/a/b/blob/main/sub/x%20y.gguf", HubAddress("a/b", "", "sub/x y.gguf", "main")),
        ("https://huggingface.co/a/b/resolve/main/x.gguf?download=true", HubAddress("a/b", "", "x.gguf", "main")),
        ("https://mirror.example/hf/a/b", HubAddress("a/b")),
    ],
)
def test_addresses(text: str, expected: HubAddress) -> None:
    assert parse_address(text, MIRROR) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "qwen3 8b", "qwen3", "a/b/c", "/etc/passwd", "../b", "a/..", "a/b..c", "-a/b", "https://evil.example/a/b",
        "https://huggingface.co/a", "http://[::1/a/b", "https://huggingface.co/../../etc", "a b/c", "owner/na me",
    ],
)  # fmt: skip
def test_everything_else_is_words(text: str) -> None:
    assert parse_address(text, MIRROR) is None
