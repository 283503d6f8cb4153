"""A folder of conversations' states on disk, so that a later process need not read a long thread again.

Files are written and read by threads of their own, since a state of some thousand tokens can be hundreds of
megabytes and the engine's thread has answers to compute. Whatever is wrong with a file, or with the disk, makes a
miss with a reason; a bad file is deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tui.engine.checkpoints import usable
from tui.engine.library import build_identity
from tui.engine.parking import Conversation
from tui.engine.prefix import common_prefix
from tui.engine.state_file import Damaged, Entry, Parameters, read_conversation, read_entry, write_entry

DEFAULT_BUDGET = 8 << 30
"""Bytes on disk for the saved conversations of all models together."""

_SUFFIX, _UNFINISHED = ".state", ".part"
_MOST_FILES = 512
# Files of a process that was killed while it wrote are swept away when they are this old, in seconds.
_ABANDONED = 3600.0
# Never fill somebody's disk: this much stays free, in bytes.
_LEAVE_FREE = 1 << 30
# Conversations that wait to be written hold their states in memory.
_MOST_PENDING = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something on disk that matches a prompt and cannot be used."""

    common: int = 0
    reason: str = ""


class Loading:
    """A conversation that is being read from disk."""

    def __init__(self, common: int, reading: Future[Conversation]) -> None:
        self._common = common
        self._reading = reading
        self.done: Callable[[], bool] = reading.done

    def result(self) -> Conversation | Refusal:
        """Wait for it. What went wrong is a reason, not an error."""
        try:
            return self._reading.result()
        except Damaged as problem:
            return Refusal(self._common, f"its saved state was damaged: {problem}")
        except (OSError, MemoryError) as problem:
            return Refusal(self._common, f"its saved state could not be read: {problem}")


class StateFolder:
    """The folder, and what is in it. Safe to use from any thread."""

    def __init__(self, path: Path, budget: int = DEFAULT_BUDGET) -> None:
        """The longest unused files go when all together are larger than `budget` bytes."""
        self.path = path
        self._budget = budget
        self._lock = threading.Lock()
        self._entries: dict[Path, Entry] = {}
        self._writing: list[Future[None]] = []
        self._writer = ThreadPoolExecutor(1, "lmdeck-states-write")
        self._reader = ThreadPoolExecutor(1, "lmdeck-states-read")
        self._scanned = self._reader.submit(self._scan)

    def for_model(self, identity: str, parameters: Parameters) -> ModelStates:
        """The states of one model file, loaded in one way; see `model_identity` and `state_parameters`."""
        return ModelStates(self, hashlib.sha256(identity.encode()).hexdigest(), parameters)

    def entries(self, model: str) -> list[Entry]:
        """What is there for a model, however it was loaded."""
        self._scanned.result()
        with self._lock:
            return [entry for entry in self._entries.values() if entry.model == model]

    def write(self, entry: Entry, conversation: Conversation) -> bool:
        """Write a conversation in the background; False if too much waits to be written already."""
        with self._lock:
            self._writing = [writing for writing in self._writing if not writing.done()]
            if len(self._writing) >= _MOST_PENDING:
                return False
            self._writing.append(self._writer.submit(self._write, entry, conversation))
        return True

    def read(self, entry: Entry, common: int) -> Loading:
        """Begin to read a conversation that shares `common` tokens with a prompt."""
        return Loading(common, self._reader.submit(self._read, entry))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all is written; False if that takes longer than `timeout` seconds."""
        with self._lock:
            pending = list(self._writing)
        deadline = None if timeout is None else time.monotonic() + timeout
        for writing in pending:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            with contextlib.suppress(Exception):
                writing.result(left)
        return all(writing.done() for writing in pending)

    def close(self) -> None:
        """Finish what is being written and end the threads."""
        self._reader.shutdown(cancel_futures=True)
        self._writer.shutdown()

    def _scan(self) -> None:
        """Read what each file says of itself. Files of another form are not ours to keep."""
        with contextlib.suppress(OSError):
            for path in self.path.glob(f"*{_UNFINISHED}"):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    self._delete(path)
        for path in self._files():
            try:
                entry = read_entry(path)
            except Damaged:
                self._delete(path)
            except (OSError, MemoryError):
                continue
            else:
                with self._lock:
                    self._entries[path] = entry

    def _write(self, entry: Entry, conversation: Conversation) -> None:
        size = len(conversation.state) + sum(len(checkpoint.state) for checkpoint in conversation.checkpoints)
        unfinished = entry.path.with_suffix(_UNFINISHED)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if size > self._budget or shutil.disk_usage(self.path).free - size < _LEAVE_FREE:
                return
            write_entry(unfinished, entry, conversation, self._key())
            os.replace(unfinished, entry.path)
        except (OSError, ValueError):  # a full or vanished disk; the conversation is in memory still
            self._delete(unfinished)
            return
        with self._lock:
            beginnings = [other.path for other in self._entries.values() if _is_beginning(other, entry)]
            self._entries[entry.path] = entry
        for path in beginnings:
            self._delete(path)
        self._keep_to_budget()

    def _read(self, entry: Entry) -> Conversation:
        try:
            if entry.path.stat().st_size > self._budget:
                raise Damaged("it is larger than all states may be")
            conversation = read_conversation(entry.path, self._key())
            os.utime(entry.path)
        except (OSError, Damaged):
            self._delete(entry.path)
            raise
        return conversation

    def _key(self) -> bytes:
        """The secret that seals the files. Without it none can be read, and a new one begins."""
        path = self.path / "key"
        with contextlib.suppress(FileNotFoundError):
            key = path.read_bytes()
            if len(key) >= 32:
                return key
            path.unlink()
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            key = secrets.token_bytes(32)
            file.write(key)
        return key

    def _keep_to_budget(self) -> None:
        files = []
        for path in self._files():
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime_ns, status.st_size, path))
        files.sort()
        used, number = sum(size for _, size, _ in files), len(files)
        for _, size, path in files:
            if used <= self._budget and number <= _MOST_FILES:
                break
            self._delete(path)
            used, number = used - size, number - 1

    def _files(self) -> list[Path]:
        try:
            return sorted(self.path.glob(f"*{_SUFFIX}"))
        except OSError:
            return []

    def _delete(self, path: Path) -> None:
        with self._lock:
            self._entries.pop(path, None)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


class ModelStates:
    """The saved conversations of one model as it is loaded. Made by `StateFolder.for_model`."""

    def __init__(self, folder: StateFolder, model: str, parameters: Parameters) -> None:
        self._folder = folder
        self._model = model
        self._parameters = parameters
        self._build = build_identity()
        self.flush = folder.flush

    def find(self, history: list[int], more_than: int) -> Loading | Refusal:
        """Begin to read the conversation that can give a prompt the most tokens, if they are `more_than` so many.

        A refusal without a reason means that nothing matches.
        """
        tokens = array("i", history)
        best: tuple[int, Entry] | None = None
        refusal = Refusal()
        for entry in self._folder.entries(self._model):
            common = common_prefix(entry.tokens, tokens, len(tokens) - 1)
            if common <= more_than:
                continue
            if reason := self._mismatch(entry):
                refusal = max(refusal, Refusal(common, reason), key=lambda refused: refused.common)
                continue
            checkpoints = (length for length, _ in entry.segments[1:])
            length = usable(checkpoints, common, len(entry.tokens), entry.shortest_cut)
            if length > (best[0] if best else more_than):
                best = length, entry
        return self._folder.read(best[1], best[0]) if best else refusal

    def write(self, conversation: Conversation) -> bool:
        """Write a conversation in the background; False if too much waits to be written already."""
        segments = [(len(conversation.tokens), len(conversation.state))]
        segments += [(checkpoint.length, len(checkpoint.state)) for checkpoint in conversation.checkpoints]
        entry = Entry(
            path=self._folder.path / f"{secrets.token_hex(12)}{_SUFFIX}",
            model=self._model,
            parameters=self._parameters,
            build=self._build,
            tokens=array("i", conversation.tokens),
            shortest_cut=conversation.shortest_cut,
            segments=tuple(segments),
        )
        return self._folder.write(entry, conversation)

    def _mismatch(self, entry: Entry) -> str:
        if entry.build != self._build:
            return "its saved state was made by another version of llama.cpp or on another machine"
        if entry.parameters != self._parameters:
            return "its saved state was made with other load parameters"
        return ""


def _is_beginning(entry: Entry, of: Entry) -> bool:
    """Whether an older file holds nothing but a beginning of a newer one."""
    held = len(entry.tokens)
    return (
        (entry.model, entry.parameters, entry.build) == (of.model, of.parameters, of.build)
        and held <= len(of.tokens)
        and entry.tokens == of.tokens[:held]
    )
