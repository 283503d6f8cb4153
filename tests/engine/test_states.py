"""Conversations on disk: found by a later process, and harmless whatever became of the files."""

from __future__ import annotations

import json
import os
import random
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.memory_models import MemoryKind, make_memory_model
from tests.support.model_maker import make_tiny_model
from tests.support.table_driver import Answer, driven
from tui.engine import states as states_module
from tui.engine.checkpoints import Checkpoint
from tui.engine.parking import Conversation
from tui.engine.state_file import Damaged, read_entry
from tui.engine.states import Loading, ModelStates, Refusal, StateFolder

BUDGET = 1 << 30


def words(count: int, seed: float = 0) -> list[int]:
    """Random tokens."""
    return random.Random(seed).choices(range(200), k=count)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "random.gguf", quantization="f32", context_length=4096)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    made = StateFolder(tmp_path / "states", BUDGET)
    yield made
    made.close()


def files(folder: StateFolder) -> list[Path]:
    return sorted(folder.path.glob("*.state"))


def reopened(folder: StateFolder, budget: int = BUDGET) -> StateFolder:
    """What a later process sees."""
    folder.close()
    return StateFolder(folder.path, budget)


def save_thread(model_path: Path, folder: StateFolder, tokens: int = 600, **config: object) -> Answer:
    with driven(model_path, folder, **config) as driver:
        return driver.answer(words(tokens), keep_state=True)


def test_a_thread_goes_on_in_a_later_process(model_path: Path, folder: StateFolder) -> None:
    first = save_thread(model_path, folder)
    later = reopened(folder)
    with driven(model_path, later, context_length=3000) as driver:  # the context's length is no matter
        turn = driver.answer([*first.history, *words(20, 1)])
        assert (turn.cached, turn.miss) == (len(first.history) - 1, "")
        assert turn.tokens == driver.fresh([*first.history, *words(20, 1)])
    later.close()


@pytest.mark.parametrize("kind", ["recurrent", "hybrid", "window", "hybrid window"])
def test_checkpoints_come_along(tmp_path: Path, folder: StateFolder, kind: MemoryKind) -> None:
    path = make_memory_model(tmp_path / "model.gguf", kind)
    first = save_thread(path, folder)
    later = reopened(folder)
    changed = [*first.history[:596], *words(50, 1)]
    with driven(path, later) as driver:
        turn = driver.answer([*first.history, 5])
        assert turn.cached == len(first.history) - 1
        driver.table.forget_idle()
        branch = driver.answer(changed)
        assert branch.cached in (592, 596)
        assert branch.tokens == driver.fresh(changed)
        assert turn.tokens == driver.fresh([*first.history, 5])
    later.close()


def test_only_threads_that_asked_for_it_are_written(model_path: Path, folder: StateFolder) -> None:
    with driven(model_path, folder) as driver:
        driver.answer(words(600))
    assert files(folder) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key_cache_type": "f16"}, "its saved state was made with other load parameters"),
        ({"rope_frequency_base": 20000.0}, "its saved state was made with other load parameters"),
        ({"threads": 2}, ""),
    ],
)
def test_other_load_parameters_are_a_miss(
    model_path: Path, folder: StateFolder, change: dict[str, object], reason: str
) -> None:
    first = save_thread(model_path, folder)
    with driven(model_path, folder, **change) as driver:
        turn = driver.answer([*first.history, 5])
    assert turn.miss == reason
    assert (turn.cached == 0) == bool(reason)
    assert len(files(folder)) == 1, "it may fit again"


def test_another_build_is_a_miss(model_path: Path, folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = save_thread(model_path, folder)
    monkeypatch.setattr(states_module, "build_identity", lambda: "another")
    with driven(model_path, folder) as driver:
        turn = driver.answer([*first.history, 5])
    assert (turn.cached, turn.miss) == (
        0,
        "its saved state was made by another version of llama.cpp or on another machine",
    )


def test_another_file_of_the_same_name_is_another_model(tmp_path: Path, folder: StateFolder) -> None:
    path = make_tiny_model(tmp_path / "model.gguf", quantization="f32")
    first = save_thread(path, folder)
    make_tiny_model(path, quantization="f32", seed=1)
    os.utime(path, (1, 1))
    with driven(path, folder) as driver:
        assert driver.answer([*first.history, 5]).cached == 0


def cut_short(data: bytes) -> bytes:
    return data[:-1]


def nothing_left(_: bytes) -> bytes:
    return b""


def header_end(data: bytes) -> int:
    return 16 + int(struct.unpack_from("<I", data, 12)[0])


def flipped(at: Callable[[bytes], int]) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        where = at(data)
        return data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]

    return flip


def with_header(change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def rewrite(data: bytes) -> bytes:
        header = json.loads(data[16 : header_end(data)])
        text = json.dumps(change(header) or header).encode()
        return data[:12] + struct.pack("<I", len(text)) + text + data[header_end(data) :]

    return rewrite


BAD_AT_ONCE = {
    "cut short": cut_short,
    "empty": nothing_left,
    "another magic": flipped(lambda _: 0),
    "another version": flipped(lambda _: 8),
    "a header of 4 GB": lambda data: data[:12] + b"\xff" * 4 + data[16:],
    "a header that is no JSON": flipped(lambda _: 16),
    "a deep header": lambda data: data[:12] + struct.pack("<I", 100_000) + b"[" * 100_000 + data[header_end(data) :],
    "a header that is a list": with_header(lambda _: [1]),
    "no tokens": with_header(lambda header: header.update(tokens=0)),
    "negative tokens": with_header(lambda header: header.update(tokens=-5)),
    "tokens that are text": with_header(lambda header: header.update(tokens="5")),
    "endless tokens": with_header(lambda header: header.update(tokens=2**62)),
    "a segment beyond the file": with_header(lambda header: header.update(segments=[[603, 2**60]])),
    "no segments": with_header(lambda header: header.update(segments=[])),
    "segments that are numbers": with_header(lambda header: header.update(segments=[1, 2])),
}
BAD_LATER = {
    "another token": flipped(lambda data: header_end(data) + 4 * 500),
    "another byte of the state": flipped(lambda data: len(data) // 2),
    "another seal": flipped(lambda data: len(data) - 1),
    "another cut": with_header(lambda header: header.update(shortest_cut=7)),
}


@pytest.mark.parametrize("bad", list(BAD_AT_ONCE))
def test_files_of_another_form_are_swept_away(model_path: Path, folder: StateFolder, bad: str) -> None:
    first = save_thread(model_path, folder)
    (file,) = files(folder)
    file.write_bytes(BAD_AT_ONCE[bad](file.read_bytes()))
    with pytest.raises(Damaged):
        read_entry(file)
    later = reopened(folder)
    with driven(model_path, later) as driver:
        assert driver.answer([*first.history, 5]).cached == 0
    assert files(later) == []
    later.close()


@pytest.mark.parametrize("bad", list(BAD_LATER))
def test_forged_files_never_reach_llama_cpp(model_path: Path, folder: StateFolder, bad: str) -> None:
    first = save_thread(model_path, folder)
    (file,) = files(folder)
    file.write_bytes(BAD_LATER[bad](file.read_bytes()))
    later = reopened(folder)
    with driven(model_path, later) as driver:
        turn = driver.answer([*first.history, 5])
        assert (turn.cached, turn.miss) == (0, "its saved state was damaged: its seal is broken")
        assert turn.tokens == driver.fresh([*first.history, 5])
    assert files(later) == []
    later.close()


def test_a_file_from_somewhere_else_has_no_seal_of_ours(model_path: Path, folder: StateFolder, tmp_path: Path) -> None:
    elsewhere = StateFolder(tmp_path / "elsewhere", BUDGET)
    first = save_thread(model_path, elsewhere)
    folder.path.mkdir()
    (file,) = files(elsewhere)
    (folder.path / file.name).write_bytes(file.read_bytes())
    elsewhere.close()
    later = reopened(folder)
    with driven(model_path, later) as driver:
        assert driver.answer([*first.history, 5]).miss == "its saved state was damaged: its seal is broken"
    later.close()


def test_files_that_vanish_or_cannot_be_read_are_a_miss(model_path: Path, folder: StateFolder) -> None:
    first = save_thread(model_path, folder)
    files(folder)[0].unlink()
    with driven(model_path, folder) as driver:
        turn = driver.answer([*first.history, 5])
    assert turn.cached == 0
    assert turn.miss.startswith("its saved state could not be read")


def test_a_state_that_llama_cpp_refuses_is_a_miss(
    model_path: Path, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.table_driver.state_parameters", lambda *_: {})  # a parameter nobody thought of
    first = save_thread(model_path, folder)
    with driven(model_path, folder, key_cache_type="f16") as driver:
        turn = driver.answer([*first.history, 5])
        assert turn.cached == 0
        assert turn.tokens == driver.fresh([*first.history, 5])


def test_files_are_private(model_path: Path, folder: StateFolder) -> None:
    save_thread(model_path, folder)
    assert {path.stat().st_mode & 0o777 for path in folder.path.iterdir()} == {0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700


def conversation(tokens: list[int], size: int = 1000) -> Conversation:
    return Conversation(tokens, bytearray(size), 0, [Checkpoint(len(tokens) // 2, bytearray(10))], keep=True)


def found(states: ModelStates, history: list[int]) -> Conversation | Refusal:
    loading = states.find(history, 0)
    return loading.result() if isinstance(loading, Loading) else loading


def test_the_longest_unused_go_first(folder: StateFolder) -> None:
    small = reopened(folder, budget=4500)
    states = small.for_model("a", {})
    for seed in range(3):
        assert states.write(conversation(words(100, seed), 600))
        assert small.flush(10)
    for age, path in enumerate(reversed(list(small._entries))):
        os.utime(path, (1000 - age, 1000 - age))
    assert isinstance(found(states, words(101)), Conversation)  # used just now
    states.write(conversation(words(100, 3), 600))
    small.flush(10)
    kept = [seed for seed in range(4) if isinstance(found(states, [*words(100, seed), 1]), Conversation)]
    assert 0 in kept
    assert 3 in kept
    assert sum(path.stat().st_size for path in files(small)) <= 4500
    assert states.write(conversation(words(100, 9), 9000))
    small.flush(10)
    assert len(files(small)) == len(kept), "what is larger than all that may be is not written"
    small.close()


def test_a_longer_thread_replaces_its_own_beginning(folder: StateFolder) -> None:
    states = folder.for_model("a", {})
    for length in (100, 200):
        states.write(conversation(words(200)[:length]))
        folder.flush(10)
    assert len(files(folder)) == 1
    got = found(states, words(201))
    assert isinstance(got, Conversation)
    assert (len(got.tokens), got.saved, got.checkpoints[0].length) == (200, 200, 100)
    folder.for_model("b", {}).write(conversation(words(300)))
    folder.flush(10)
    assert len(files(folder)) == 2, "another model's states are not touched"


@pytest.mark.parametrize("failure", ["no room", "write fails", "folder is a file"])
def test_a_full_disk_is_harmless(folder: StateFolder, monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if failure == "no room":
        monkeypatch.setattr(states_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    elif failure == "write fails":
        monkeypatch.setattr(states_module.os, "replace", fail)
    else:
        folder.path.write_text("")
    states = folder.for_model("a", {})
    states.write(conversation(words(100)))
    assert folder.flush(10)
    assert found(states, words(101)) == Refusal()
    assert not folder.path.is_dir() or [path.name for path in folder.path.iterdir() if path.name != "key"] == []


def test_what_a_killed_process_left_unfinished_is_swept_away(folder: StateFolder) -> None:
    folder.path.mkdir()
    old, new = folder.path / "old.part", folder.path / "new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    later = reopened(folder)
    later.entries("any")
    assert [path.name for path in later.path.iterdir()] == ["new.part"]
    later.close()


def test_too_much_at_once_is_left_for_later(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(folder, "_write", lambda *_: gate.wait(10))
    states = folder.for_model("a", {})
    assert [states.write(conversation(words(100, seed))) for seed in range(3)] == [True, True, False]
    assert not folder.flush(0.01)
    gate.set()
    assert folder.flush(10)


def test_idle_threads_are_written_while_the_process_lives(
    model_path: Path, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with driven(model_path, folder) as driver:
        assert driver.table.rest() is None
        first = driver.answer(words(600), keep_state=True)
        wait = driver.table.rest()
        assert wait is not None
        assert 25 < wait <= 30
        monkeypatch.setattr("tui.engine.shelf.SAVE_AFTER", 0.0)
        assert driver.table.rest() is None
        folder.flush(10)
        (file,) = files(folder)
        assert len(read_entry(file).tokens) == len(first.history) - 1
        second = driver.answer([*first.history, 5], keep_state=True)
        assert driver.table.rest() is None
        folder.flush(10)
        assert files(folder) == [file], "a few tokens more are not worth writing it all again"
        driver.answer([*second.history, *words(100, 1)], keep_state=True)
        driver.answer(words(300, 2))  # parks it
        folder.flush(10)
        assert files(folder) != [file]
        assert len(files(folder)) == 1


def test_a_thread_is_read_in_the_background_while_others_are_answered(
    model_path: Path, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save_thread(model_path, folder)
    gate = threading.Event()
    read = folder._read

    def slow(entry: object) -> Conversation:
        gate.wait(10)
        return read(entry)  # type: ignore[arg-type]

    monkeypatch.setattr(folder, "_read", slow)
    with driven(model_path, folder) as driver:
        other = driver.start(driver.task(words(50, 1)))
        task = driver.task([*first.history, 5])
        assert driver.table.assign(task) is None
        assert driver.table.waits(task)
        driver.generate(other, 3)
        gate.set()
        driver.table.figures()
        sequence = driver.start(task)
        assert task.cached == len(first.history) - 1
        assert driver.generate(sequence, 3) == driver.fresh([*first.history, 5], 3)
