"""Reading headers of whole files."""

from __future__ import annotations

import ctypes
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import CHATML_TEMPLATE, make_tiny_model
from tests.support.raw_gguf import number_value, small_model, string
from tui.domain import ModelUnusable
from tui.models import read_header
from tui.models.gguf_bytes import STRINGS_AT_ONCE, WINDOW, HeaderBytes
from tui.models.gguf_types import FILE_TYPES, TENSOR_TYPES


def test_header_says_what_the_model_is(tmp_path: Path) -> None:
    header = read_header(
        make_tiny_model(tmp_path / "m.gguf", layers=3, context_length=777, quantization="q8_0", extra_tokens=100)
    )
    assert (header.architecture, header.name, header.quantization) == ("llama", "Made for tests", "Q8_0")
    assert (header.layers, header.context_length, header.embedding_length) == (3, 777, 64)
    assert header.chat_template == CHATML_TEMPLATE
    assert (header.split_number, header.split_count) == (0, 0)


def test_figures_agree_with_the_gguf_package(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "m.gguf", quantization="q4_0", architecture="qwen2")
    header, reader = read_header(path), gguf.GGUFReader(path)
    assert header.vocabulary_size == len(reader.fields["tokenizer.ggml.tokens"].data)
    assert header.parameters == sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert [(tensor.name, tensor.type, tensor.shape, tensor.offset, tensor.size) for tensor in header.tensors] == [
        (tensor.name, tensor.tensor_type.name, tuple(map(int, tensor.shape)), tensor.data_offset, tensor.n_bytes)
        for tensor in reader.tensors
    ]


def test_version_2_is_read_like_version_3(tmp_path: Path) -> None:
    headers = []
    for version in (2, 3):
        path = tmp_path / f"{version}.gguf"
        path.write_bytes(replace(small_model(), version=version).encode())
        headers.append(read_header(path))
    assert headers[0] == headers[1]


def test_quantisation_without_file_type_is_that_of_most_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    for file_type, expected in ((None, "F32"), (999, "F32"), (15, "Q4_K_M"), (1024 + 7, "Q8_0")):
        model = small_model().without_key("general.file_type")
        if file_type is not None:
            model = model.with_key("general.file_type", number_value(file_type))
        path.write_bytes(model.encode())
        assert read_header(path).quantization == expected


def test_alignment_of_the_file_is_used(tmp_path: Path) -> None:
    model = small_model().with_key("general.alignment", number_value(8))
    path = tmp_path / "m.gguf"
    path.write_bytes(model.encode())
    first = read_header(path).tensors[0]
    assert first.offset == -(-len(model.header()) // 8) * 8


def test_name_is_safe_to_show(tmp_path: Path) -> None:
    model = small_model().with_key("general.name", struct.pack("<I", 8) + string(b"a\x1b[2Jb\nc\xff"))
    path = tmp_path / "m.gguf"
    path.write_bytes(model.encode())
    assert read_header(path).name == "a [2Jb c\N{REPLACEMENT CHARACTER}"


def test_tensor_types_are_those_of_the_installed_library() -> None:
    import llama_cpp

    folder = Path(llama_cpp.__file__).parent / "lib"
    libraries = sorted(folder.glob("*ggml-base*"))
    if not libraries:
        pytest.skip("this build of llama.cpp has no library of its own for ggml")
    ggml = ctypes.CDLL(str(libraries[0]))
    ggml.ggml_type_name.restype = ctypes.c_char_p
    ggml.ggml_blck_size.restype = ctypes.c_int64
    ggml.ggml_type_size.restype = ctypes.c_size_t
    for number, kind in TENSOR_TYPES.items():
        real = (ggml.ggml_type_name(number).decode().upper(), ggml.ggml_blck_size(number), ggml.ggml_type_size(number))
        assert (kind.name, kind.block, kind.size) == real, number


def test_file_types_are_those_of_the_gguf_package() -> None:
    for kind in gguf.LlamaFileType:
        if kind != gguf.LlamaFileType.GUESSED:
            name = kind.name.removeprefix("ALL_").removeprefix("MOSTLY_").removesuffix("_MOE")
            assert FILE_TYPES[int(kind)] == name


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.integers(0, 12), st.integers(0, 300), st.just(70_000)), max_size=30),
    st.integers(1, 3 * STRINGS_AT_ONCE),
)
def test_strings_are_passed_over_exactly(lengths: list[int], repeats: int) -> None:
    if sum(lengths) * repeats > 4 * WINDOW:
        repeats = 1 + 4 * WINDOW // sum(lengths)
    strings = b"".join(struct.pack("<Q", length) + b"\0" * length for length in lengths) * repeats
    source = HeaderBytes(BytesIO(b"head" + strings + b"tail"), len(strings) + 8)
    source.take(4, "the beginning")
    source.skip_strings(len(lengths) * repeats, "the texts")
    assert source.take(4, "the end") == b"tail"


@pytest.mark.parametrize("length", [3, 100])
def test_strings_that_run_past_the_end_are_noticed(length: int) -> None:
    strings = (struct.pack("<Q", length) + b"x" * length) * 5000
    source = HeaderBytes(BytesIO(strings[:-1]), len(strings) - 1)
    with pytest.raises(ModelUnusable, match="past the end"):
        source.skip_strings(5000, "the texts")


def test_file_that_shrinks_while_it_is_read() -> None:
    source = HeaderBytes(BytesIO(b"short"), 1000)
    with pytest.raises(ModelUnusable, match="became shorter"):
        source.take(100, "the text")


def test_large_vocabulary_is_read_fast(tmp_path: Path) -> None:
    words = [f"some{number}" for number in range(150_000)]
    path = make_tiny_model(
        tmp_path / "m.gguf",
        extra_tokens=150_000,
        embedding=32,
        heads=1,
        kv_heads=1,
        quantization="q4_0",
        metadata={"tokenizer.ggml.merges": words},
    )

    def read_every_text() -> None:
        unpack = struct.Struct("<Q").unpack_from
        data = path.read_bytes()
        for key in (b"tokenizer.ggml.tokens", b"tokenizer.ggml.merges"):
            at = data.index(key) + len(key) + 16
            for _ in range(150_000):
                (length,) = unpack(data, at)
                data[at + 8 : at + 8 + length].decode()
                at += 8 + length

    plain = _fastest(read_every_text)
    header = _fastest(lambda: read_header(path))
    assert read_header(path).vocabulary_size > 150_000
    assert header < plain / 2
    assert header < 0.5


def _fastest(action: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)
