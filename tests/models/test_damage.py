"""Damaged and hostile files: each has its reason, none takes long or hides another."""

from __future__ import annotations

import re
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile import HostileFile, hostile_files
from tests.support.raw_gguf import STRING, array_value, small_model, text_value
from tui.domain import ModelUnusable
from tui.models import Catalogue, read_header
from tui.models.describe import read
from tui.models.fitness import why_unusable

WHOLE = small_model().encode()
HEADER = len(small_model().header())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[HostileFile]:
    return hostile_files(tmp_path_factory.mktemp("hostile"))


def test_there_are_fifty_and_more(hostile: list[HostileFile]) -> None:
    assert len({file.path for file in hostile}) == len({file.what for file in hostile}) >= 50
    assert sum(not file.usable_header for file in hostile) >= 50


def test_header_of_each_is_refused_with_a_reason_or_harmless(hostile: list[HostileFile]) -> None:
    for file in hostile:
        if file.usable_header:
            assert read(file.path)
            continue
        with pytest.raises(ModelUnusable) as raised:
            read_header(file.path)
        assert raised.value.message.endswith("."), file.what
        assert raised.value.advice.endswith("."), file.what
        assert str(raised.value).isprintable(), file.what


def test_catalogue_lists_each_with_its_reason(hostile: list[HostileFile]) -> None:
    folder = hostile[0].path.parent
    (folder / "whole.gguf").write_bytes(WHOLE)
    catalogue = Catalogue([folder])
    models = {path: model for model in catalogue.models() for path in model.files}
    for file in hostile:
        assert (file.path in models) == file.listed, file.what
        if file.listed and not file.usable_header:
            assert models[file.path].problem, file.what
    assert catalogue.find("whole").usable


def test_reasons_name_the_place(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(WHOLE[: WHOLE.index(b"tokenizer.chat_template") + 60])
    with pytest.raises(ModelUnusable, match=r"ends inside the value of 'tokenizer.chat_template' \(at byte [\d,]+\)"):
        read_header(path)
    path.write_bytes(WHOLE[:-1024])
    with pytest.raises(ModelUnusable, match=r"ends 1,024 bytes after the end of the file"):
        read_header(path)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("llama.block_count", struct.pack("<II", 4, 0), "block_count is missing"),
        ("llama.block_count", struct.pack("<II", 4, 2**31), "block_count is 2,147,483,648"),
        ("llama.embedding_length", text_value("wide"), "embedding_length is missing"),
        ("llama.context_length", struct.pack("<Ii", 5, -5), "context_length is missing"),
        ("llama.context_length", struct.pack("<If", 6, 512.0), "context_length is missing"),
        ("tokenizer.ggml.tokens", array_value(STRING, 0, b""), "no vocabulary"),
        ("tokenizer.ggml.token_type", array_value(5, 1, bytes(4)), "does not fit its"),
        ("general.type", text_value("adapter"), "LoRA adapter"),
    ],
)
def test_intact_files_that_are_no_model(tmp_path: Path, key: str, value: bytes, reason: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(small_model().with_key(key, value).encode())
    header = read_header(path)
    assert re.search(reason, why_unusable(header, header.parameters))
    assert not why_unusable(read_header(_whole_file(tmp_path)), 1)


def test_lengths_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    claims = [("x", array_value(STRING, 2**27, b"")), ("x", struct.pack("<IQ", STRING, 2**33))]
    for key, value in claims:
        path.write_bytes(small_model().with_key(key, value).encode())
        tracemalloc.start()
        with pytest.raises(ModelUnusable):
            read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * 2**20


EXTREMES = st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
EDITS = st.lists(
    st.tuples(
        st.integers(0, HEADER),
        st.one_of(st.binary(min_size=1, max_size=12), EXTREMES.map(lambda number: struct.pack("<Q", number))),
        st.booleans(),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=300)
@given(edits=EDITS, end=st.one_of(st.none(), st.integers(0, len(WHOLE))))
def test_no_change_of_a_header_does_more_than_make_it_unusable(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes, bool]], end: int | None
) -> None:
    data = bytearray(WHOLE)
    for position, change, insert in edits:
        data[position : position + (0 if insert else len(change))] = change
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    path.write_bytes(data[:end])
    start = time.perf_counter()
    reading = read(path)
    assert time.perf_counter() - start < 2
    assert bool(reading.header) != bool(reading.problem)
    if reading.header:
        assert why_unusable(reading.header, reading.header.parameters).isprintable()


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=3000))
def test_random_bytes_after_a_right_start(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.gguf"
    path.write_bytes(small_model().start() + noise)
    assert read(path).problem


def _whole_file(folder: Path) -> Path:
    path = folder / "whole.gguf"
    path.write_bytes(WHOLE)
    return path
