"""One download at work: its files one after the other, then all of them under their names."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui.domain import HubFailed, LmdeckError, StorageFailed
from tui.models.downloads.claim import Claim
from tui.models.downloads.journal import Entry
from tui.models.downloads.rate import Rate
from tui.models.downloads.records import Download, DownloadState, FileProgress, WantedFile
from tui.models.downloads.room import check_room
from tui.models.downloads.transfer import PART, Persistence, Transfer, get_file
from tui.models.hub import HubConnection


@dataclass(slots=True)
class Shared:
    """What all jobs of this process share. The locks belong to the connection's loop."""

    connection: HubConnection
    models: Path
    persistence: Persistence
    slots: asyncio.Semaphore
    """As many as there may be transfers at once."""
    spoken_for: Callable[[str], int]
    """Bytes that jobs other than this one will still write."""
    places: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Files that several jobs want, such as a projector, are written by one at a time."""


class Job:
    """A download of this process. Other threads only read it, by `snapshot`."""

    def __init__(self, entry: Entry, claim: Claim, save: Callable[[Entry], None], tell: Callable[[], None]) -> None:
        """`save` keeps what is to be kept, `tell` says that something changed."""
        self.entry = entry
        self.claim = claim
        self.turn = 0
        """Counts how often it was started or stopped: what an earlier turn finds out does not count any more."""
        self._save = save
        self._tell = tell
        self._lock = threading.Lock()
        self._done: dict[str, int] = {}
        self._rate = Rate()
        self._attempts = 0
        self._next_attempt = 0.0

    def snapshot(self, models: Path) -> Download:
        """How it is now."""
        download = as_found(self.entry, models, self._done)
        if download.state == "downloading":
            return replace(download, rate=self._rate.per_second(time.monotonic()), attempts=self._attempts)
        if download.state == "waiting":
            return replace(download, attempts=self._attempts, next_attempt=self._next_attempt)
        return download

    def left(self, models: Path) -> int:
        """Bytes that it will still write."""
        for file in self.entry.files:
            if file.place not in self._done:
                self._done[file.place] = on_disk(models, file)
        return sum(file.size - self._done.get(file.place, 0) for file in self.entry.files)

    def change(self, turn: int, **changes: object) -> None:
        """Change what is kept of it, unless its turn is over."""
        with self._lock:
            if turn == self.turn:
                self.entry = replace(self.entry, **changes)  # type: ignore[arg-type]
                self._save(self.entry)

    def _pass_to(self, turn: int, state: DownloadState, problem: str = "", advice: str = "") -> None:
        """Say what it does now. That changes too often for the disk, and is not worth keeping."""
        with self._lock:
            if turn == self.turn:
                self.entry = replace(self.entry, state=state, problem=problem, advice=advice)
        self._tell()

    def next_turn(self, **changes: object) -> int:
        """End the present turn with some changes, and give the number of the next."""
        with self._lock:
            self.turn += 1
            self.entry = replace(self.entry, **changes)  # type: ignore[arg-type]
            self._attempts, self._next_attempt = 0, 0.0
            self._done.clear()
            self._save(self.entry)
            return self.turn

    async def run(self, turn: int, shared: Shared) -> None:
        """Get everything and put it in its place; how that ended is in the state."""
        try:
            while missing := [file for file in self.entry.files if not self._is_ready(shared.models, file)]:
                left = sum(file.size - on_disk(shared.models, file) for file in missing)
                check_room(shared.models, left, shared.spoken_for(self.entry.id))
                for file in missing:
                    async with shared.places[file.place]:
                        await self._get(turn, file, shared)
            self._put_in_place(shared.models)
            self.change(turn, state="completed", problem="", advice="", ended=time.time())
        except LmdeckError as problem:
            self.change(turn, state="failed", problem=problem.message, advice=problem.advice, ended=time.time())
        except OSError as refused:
            reason = f"The files cannot be put into {shared.models}: {refused.strerror or refused}."
            advice = "Correct who may write there, or close the program that uses them, and try again."
            self.change(turn, state="failed", problem=reason, advice=advice, ended=time.time())
        except Exception as defect:
            # A defect of ours must be seen by who waits for this, too.
            reason = f"Something went wrong inside lmdeck: {defect!r}."
            self.change(turn, state="failed", problem=reason, advice="", ended=time.time())

    async def discard(self, shared: Shared, keep: Callable[[str], bool]) -> None:
        """Throw away what came and is not in its place, except for places that `keep` says others want."""
        for file in self.entry.files:
            async with shared.places[file.place]:
                if not keep(file.place):
                    with suppress(OSError):
                        part_of(shared.models, file).unlink()

    def _is_ready(self, models: Path, file: WantedFile) -> bool:
        """Whether a file is whole and verified, or there already."""
        if is_in_place(models, file):
            return True
        return file.place in self.entry.verified and _size(part_of(models, file)) == file.size

    async def _get(self, turn: int, file: WantedFile, shared: Shared) -> None:
        if self._is_ready(shared.models, file):  # another job may have brought it meanwhile
            return
        part, persistence = part_of(shared.models, file), shared.persistence
        transfer = Transfer(shared.connection, self.entry.repository, self.entry.revision, file, part, persistence)

        def arrived(done: int) -> None:
            before = self._done.get(file.place, done)
            self._done[file.place] = done
            if done > before:
                self._rate.add(done - before, time.monotonic())
                self._attempts = 0

        async def attempt(transfer: Transfer) -> None:
            if shared.slots.locked():
                self._pass_to(turn, "queued")
            async with shared.slots:
                self._pass_to(turn, "downloading")
                self._rate.begin(time.monotonic())
                await transfer.attempt(arrived)

        async def failed(problem: HubFailed, attempts: int, wait: float) -> None:
            self._done[file.place] = transfer.on_disk
            self._attempts, self._next_attempt = attempts, time.time() + wait
            self._pass_to(turn, "waiting", problem.message, problem.advice)
            await asyncio.sleep(wait)

        def verifying() -> None:
            self._pass_to(turn, "verifying")

        await get_file(transfer, persistence, attempt, failed, verifying)
        self._done[file.place] = file.size
        self.change(turn, verified=(*self.entry.verified, file.place))

    def _put_in_place(self, models: Path) -> None:
        """Give all files their names, a model's first file last: what is to be seen of it then is whole."""
        for file in sorted(self.entry.files, key=lambda file: file.place, reverse=True):
            part, target = part_of(models, file), models / file.place
            if part.exists():
                part.replace(target)
            elif not is_in_place(models, file):
                raise StorageFailed(f"{part.name} is gone.", "Let it start again.")


def as_found(entry: Entry, models: Path, done: Mapping[str, int] = {}) -> Download:
    """A download by what is kept of it and what lies on disk; `done` is what is known better of some places."""
    files = tuple(
        FileProgress(
            place=file.place,
            size=file.size,
            done=done[file.place] if file.place in done else on_disk(models, file),
            verified=entry.state == "completed" or file.place in entry.verified,
        )
        for file in entry.files
    )
    return Download(
        id=entry.id,
        repository=entry.repository,
        name=entry.name,
        state=entry.state,
        files=files,
        started=entry.started,
        ended=entry.ended,
        problem=entry.problem,
        advice=entry.advice,
    )


def part_of(models: Path, file: WantedFile) -> Path:
    """Where a file lies until it is whole and verified."""
    target = models / file.place
    return target.with_name(f"{target.name}{PART}")


def is_in_place(models: Path, file: WantedFile) -> bool:
    """Whether a file of this size has its name already."""
    return _size(models / file.place) == file.size


def on_disk(models: Path, file: WantedFile) -> int:
    """Bytes of a file that are here, whole or not."""
    if is_in_place(models, file):
        return file.size
    return min(file.size, max(0, _size(part_of(models, file))))


def _size(path: Path) -> int:
    """Bytes of a file; -1 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1
