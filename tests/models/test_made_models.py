"""The model maker against the real llama.cpp: what the other tests build on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import long_script, make_scripted_model, make_tiny_model
from tests.support.bare_llama import answer_of
from tests.support.model_maker import Architecture
from tests.support.raw_gguf import small_model
from tests.support.scripts import cut_script
from tests.support.vocabulary import BYTE_CHARACTERS, build_vocabulary
from tests.support.weights import Quantization

PROMPT = "<|im_start|>user\nhello the world<|im_end|>\n<|im_start|>assistant\n"
SCRIPT = "<think>Hmm, let me see.</think>Hello there, this is a scripted answer. 日本語 😀 naïve.\n"


@pytest.mark.parametrize("quantization", ["f32", "f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_random_model_speaks_until_the_limit(
    tmp_path: Path, quantization: Quantization, architecture: Architecture
) -> None:
    path = make_tiny_model(tmp_path / "m.gguf", quantization=quantization, architecture=architecture)
    sampled = answer_of(path, PROMPT, most_tokens=64, greedy=False)
    assert (sampled.tokens, sampled.ended) == (64, False)
    assert len(set(sampled.text)) > 20  # not one token again and again
    assert answer_of(path, PROMPT, most_tokens=8) == answer_of(path, PROMPT, most_tokens=8)


def test_seed_decides_what_a_random_model_says(tmp_path: Path) -> None:
    first = make_tiny_model(tmp_path / "1.gguf", seed=1)
    second = make_tiny_model(tmp_path / "2.gguf", seed=2)
    assert answer_of(first, PROMPT, most_tokens=16) != answer_of(second, PROMPT, most_tokens=16)


@pytest.mark.parametrize("quantization", ["f32", "f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("cut_utf8", [False, True])
def test_scripted_model_says_its_script_and_stops(tmp_path: Path, quantization: Quantization, cut_utf8: bool) -> None:
    path = make_scripted_model(tmp_path / "m.gguf", SCRIPT, quantization=quantization, cut_utf8=cut_utf8)
    for greedy in (True, False):
        answer = answer_of(path, PROMPT, greedy=greedy)
        assert (answer.text, answer.ended) == (SCRIPT.encode(), True)


@pytest.mark.parametrize(
    "script", ["", "4", "no", "aaaa" * 50, "a</s>b</s>", b"\xff\xfe broken \xe6\x97", "<|im_end|> as text"]
)
def test_unusual_scripts(tmp_path: Path, script: str | bytes) -> None:
    expected = script.encode() if isinstance(script, str) else script
    answer = answer_of(make_scripted_model(tmp_path / "m.gguf", script), PROMPT, greedy=False)
    assert (answer.text, answer.ended) == (expected, True)


def test_long_script_has_the_promised_tokens(tmp_path: Path) -> None:
    script = long_script(1500)
    answer = answer_of(make_scripted_model(tmp_path / "m.gguf", script), "hi", greedy=False, most_tokens=2000)
    assert (answer.text, answer.tokens, answer.ended) == (script.encode(), 1500, True)


def test_loop_starts_again(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "m.gguf", "round and round ", loop=True)
    answer = answer_of(path, PROMPT, greedy=False, most_tokens=100)
    assert not answer.ended
    assert answer.text.startswith(b"round and round " * 20)


def test_small_raw_model_loads(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(small_model().encode())
    assert answer_of(path, "hi", most_tokens=2).tokens == 2


def test_cut_pieces_differ_and_spell_the_script() -> None:
    text = ("the same words again, the same words again. 日本語日本語 " * 30).encode()
    for cut_utf8 in (False, True):
        pieces = cut_script(text, taken=frozenset(), cut_utf8=cut_utf8)
        assert b"".join(pieces) == text
        assert len(set(pieces)) == len(pieces)
        assert all(len(piece) > 1 for piece in pieces)
        cut_inside = [piece for piece in pieces if _breaks(piece)]
        assert bool(cut_inside) == cut_utf8


def test_script_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="comes twice"):
        cut_script(b"x<think>x", taken=frozenset(), special=("<think>",))


def test_vocabulary_has_every_byte_once_and_many_fillers() -> None:
    vocabulary = build_vocabulary(fillers=150_000)
    assert len(set(BYTE_CHARACTERS)) == 256
    assert len(set(vocabulary.tokens)) == len(vocabulary.tokens) == len(vocabulary.types) > 150_000


def _breaks(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return True
    return False
