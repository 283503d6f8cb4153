"""One conversation on disk: its tokens and its state, sealed against damage and forgery.

llama.cpp takes a state on trust, so nothing reaches it that this program did not write: the whole file is
authenticated with a key that lies beside it. Layout, little endian: magic, version (u32), length of the header
(u32), header (JSON), tokens (i32 each), the segments (the whole state, then checkpoints), HMAC-SHA-256 of all that.
"""

from __future__ import annotations

import hmac
import json
import os
import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tui.engine.checkpoints import Checkpoint
from tui.engine.parking import Conversation

_MAGIC = b"LMDKSEQ\0"
_VERSION = 1
_START = struct.Struct("<8sII")
_SEAL = 32
_LONGEST_HEADER = 1 << 20
_MOST_TOKENS = 1 << 24
_MOST_CHECKPOINTS = 1024
_PIECE = 8 << 20

Parameters = dict[str, Any]
"""Load parameters that shape the state, as JSON values."""


class Damaged(Exception):
    """The file is not what this program wrote."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file says of itself, before anything but its form was checked."""

    path: Path
    model: str
    parameters: Parameters
    build: str
    tokens: array[int]
    shortest_cut: int
    segments: tuple[tuple[int, int], ...]
    """Length in tokens and bytes of the whole state, then of each checkpoint."""


def write_entry(path: Path, entry: Entry, conversation: Conversation, key: bytes) -> None:
    """Write and seal a file that nobody else may read. Raises OSError; what was written then is left to the caller."""
    header = json.dumps(
        {
            "model": entry.model,
            "parameters": entry.parameters,
            "build": entry.build,
            "tokens": len(entry.tokens),
            "shortest_cut": entry.shortest_cut,
            "segments": entry.segments,
        }
    ).encode()
    seal = hmac.new(key, digestmod="sha256")
    with open(path, "xb", opener=_private) as file:

        def put(data: bytes | bytearray | memoryview) -> None:
            view = memoryview(data)
            for start in range(0, len(view), _PIECE):
                piece = view[start : start + _PIECE]
                seal.update(piece)
                file.write(piece)

        put(_START.pack(_MAGIC, _VERSION, len(header)))
        put(header)
        put(_little_endian(entry.tokens).tobytes())
        for state in (conversation.state, *(checkpoint.state for checkpoint in conversation.checkpoints)):
            put(state)
        file.write(seal.digest())


def read_entry(path: Path) -> Entry:
    """What the file holds, without its states. Raises Damaged or OSError."""
    with open(path, "rb") as file:
        return _read_start(file, path, lambda _: None)


def read_conversation(path: Path, key: bytes) -> Conversation:
    """The whole file, its seal checked. Raises Damaged, OSError or MemoryError."""
    seal = hmac.new(key, digestmod="sha256")
    with open(path, "rb") as file:
        entry = _read_start(file, path, seal.update)
        states = []
        for _, size in entry.segments:
            state = bytearray(size)
            view = memoryview(state)
            for start in range(0, size, _PIECE):
                piece = view[start : start + _PIECE]
                if file.readinto(piece) != len(piece):
                    raise Damaged("it ends too early")
                seal.update(piece)
            states.append(state)
        if not hmac.compare_digest(file.read(_SEAL + 1), seal.digest()):
            raise Damaged("its seal is broken")
    lengths = (length for length, _ in entry.segments[1:])
    return Conversation(
        tokens=entry.tokens.tolist(),
        state=states[0],
        shortest_cut=entry.shortest_cut,
        checkpoints=list(map(Checkpoint, lengths, states[1:])),
        saved=len(entry.tokens),
    )


def _read_start(file: BinaryIO, path: Path, seen: Callable[[bytes], None]) -> Entry:
    def take(size: int) -> bytes:
        data = file.read(size)
        if len(data) != size:
            raise Damaged("it ends too early")
        seen(data)
        return data

    magic, version, header_size = _START.unpack(take(_START.size))
    if magic != _MAGIC or version != _VERSION or header_size > _LONGEST_HEADER:
        raise Damaged("it has another form")
    entry, count = _parse_header(take(header_size), path)
    size = _START.size + header_size + 4 * count + sum(size for _, size in entry.segments) + _SEAL
    if os.fstat(file.fileno()).st_size != size:
        raise Damaged("its length is wrong")
    entry.tokens.frombytes(take(4 * count))
    if _little_endian(entry.tokens) is not entry.tokens:
        entry.tokens.byteswap()
    return entry


def _parse_header(data: bytes, path: Path) -> tuple[Entry, int]:
    try:
        header = json.loads(data)
        model, build, parameters = header["model"], header["build"], header["parameters"]
        count, shortest_cut = header["tokens"], header["shortest_cut"]
        segments = tuple((length, size) for length, size in header["segments"])
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise Damaged("its header makes no sense") from problem
    numbers = (count, shortest_cut, *(number for segment in segments for number in segment))
    if (
        not (isinstance(model, str) and isinstance(build, str) and isinstance(parameters, dict))
        or not all(type(number) is int and number >= 0 for number in numbers)
        or not 0 < count <= _MOST_TOKENS
        or not 0 < len(segments) <= _MOST_CHECKPOINTS
        or segments[0][0] != count
    ):
        raise Damaged("its header makes no sense")
    return Entry(path, model, parameters, build, array("i"), shortest_cut, segments), count


def _little_endian(tokens: array[int]) -> array[int]:
    """The tokens themselves on most machines, a swapped copy on a big-endian one."""
    if struct.pack("=H", 1) == struct.pack("<H", 1):
        return tokens
    swapped = tokens[:]
    swapped.byteswap()
    return swapped


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
