"""Gets one file: attempt after attempt, each going on where the last one ended, until its checksum is right."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tui.domain import HubFailed, StorageFailed
from tui.models.downloads.pace import Pace
from tui.models.downloads.records import WantedFile
from tui.models.hub import HubConnection

PART: Final = ".part"
"""What the name of a file ends with until it is whole: nothing that looks for models takes it for one."""

_BUFFER: Final = 2**20
_HASHED_AT_ONCE: Final = 8 * 2**20
_UNSATISFIABLE: Final = 416


@dataclass(frozen=True, slots=True)
class Persistence:
    """How a transfer goes on when something fails or is slow. Times in seconds."""

    first_wait: float = 1.0
    """Before the second attempt; each one that brings nothing doubles it."""
    longest_wait: float = 60.0
    most_mismatches: int = 3
    """How often the bytes may have a wrong checksum. Then it is no accident."""
    slowest: float = 8 * 1024
    """Bytes a second below which another connection is tried. A line that has no more is found out by that."""
    window: float = 30.0
    """Over which that is measured, so that a short pause of the line costs nothing."""
    most_tries: int = 3
    """How many connections that are no faster than those before make it take what it gets."""

    def wait(self, attempts: int, asked: float) -> float:
        """How long to wait after some attempts in vain, at least as long as the Hub asked for."""
        usual = min(self.longest_wait, self.first_wait * 2.0 ** min(attempts - 1, 30))
        # Many clients that lost the same server shall not come back in the same moment.
        return max(asked, usual * random.uniform(0.75, 1.0))


class Transfer:
    """One file on its way. Used in the connection's loop only."""

    def __init__(
        self,
        connection: HubConnection,
        repository: str,
        revision: str,
        file: WantedFile,
        part: Path,
        persistence: Persistence,
    ) -> None:
        """`part` is where it lies until it is whole and verified."""
        self._connection = connection
        self._repository = repository
        self._url = connection.file_url(repository, revision, file.path)
        self._file = file
        self._part = part
        self._pace = Pace(persistence.slowest, persistence.window, persistence.most_tries)
        self._hash = _new_hash(file)
        self._hashed = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return self._part.name.removesuffix(PART)

    @property
    def on_disk(self) -> int:
        """Bytes of it that are here."""
        return _size_of(self._part)

    async def attempt(self, arrived: Callable[[int], None]) -> None:
        """Get what is missing. `arrived` hears of the bytes that lie on disk then, first of those that lay there.

        Raises HubFailed, where `lasting` says whether another attempt may help, and StorageFailed.
        """
        done = _size_of(self._part)
        if done > self._file.size:
            self.discard()
            done = 0
        arrived(done)
        if done == self._file.size:
            if not done:
                self._create()
            return
        wanted = {"Range": f"bytes={done}-"} if done else {}
        try:
            async with self._connection.opened(
                self._url, headers=wanted, repository=self._repository, file=self._file.path
            ) as response:
                start = self._start(response, done)
                await self._receive(response, start, arrived)
        except HubFailed as problem:
            if problem.status != _UNSATISFIABLE:
                raise
            self.discard()
            raise HubFailed("The Hub has less of the file than was here; it starts again.", status=416) from problem

    async def is_right(self) -> bool:
        """Whether the whole file has the Hub's checksum. Reads it again unless it was read as it came."""
        if _size_of(self._part) != self._file.size:
            return False
        if not self._file.checksum:
            return True
        if self._hashed != self._file.size:
            self._hash, self._hashed = _new_hash(self._file), 0
            try:
                with self._part.open("rb") as source:
                    while data := await asyncio.to_thread(source.read, _HASHED_AT_ONCE):
                        await asyncio.to_thread(self._take, data)
            except OSError as refused:
                raise _disk_failure(self._part, refused) from refused
        return self._hash is None or self._hash.hexdigest() == self._file.checksum.partition(":")[2]

    def discard(self) -> None:
        """Throw away what came so far."""
        with suppress(OSError):
            self._part.unlink()
        self._hash, self._hashed = _new_hash(self._file), 0

    def _start(self, response: httpx.Response, done: int) -> int:
        """Where the bytes of an answer begin. Raises HubFailed for an answer that is not this file."""
        if response.status_code == 206:
            unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
            span, _, total = rest.partition("/")
            if unit != "bytes" or span.partition("-")[0] != str(done) or total not in ("*", str(self._file.size)):
                raise HubFailed("The Hub sends another part of the file than was asked for.", status=206)
            return done
        length = response.headers.get("Content-Length", "")
        if response.status_code != 200 or length not in ("", str(self._file.size)):
            raise HubFailed(
                f"The Hub sends something else than the file: {length or 'some'} bytes.",
                "Does the network want you to log in?",
                status=response.status_code,
            )
        return 0

    async def _receive(self, response: httpx.Response, start: int, arrived: Callable[[int], None]) -> None:
        done = start
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            with self._part.open("r+b" if start else "wb", buffering=_BUFFER) as target:
                target.seek(start)
                if not start:
                    self._hash, self._hashed = _new_hash(self._file), 0
                self._pace.begin()
                async for data in response.aiter_raw():
                    if done + len(data) > self._file.size:
                        raise HubFailed("The Hub sends more than the file has.", status=200)
                    target.write(data)
                    if self._hashed == done:
                        self._take(data)
                    done += len(data)
                    arrived(done)
                    rate = self._pace.add(len(data))
                    if rate is not None and done < self._file.size:
                        raise _too_slow(rate)
                target.flush()
                if done == self._file.size:
                    await asyncio.to_thread(os.fsync, target.fileno())
        except OSError as refused:
            raise _disk_failure(self._part, refused) from refused
        if done < self._file.size:
            raise HubFailed("The connection ended before the file did.")

    def _take(self, data: bytes) -> None:
        if self._hash is not None:
            self._hash.update(data)
        self._hashed += len(data)

    def _create(self) -> None:
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()
        except OSError as refused:
            raise _disk_failure(self._part, refused) from refused


async def get_file(
    transfer: Transfer,
    persistence: Persistence,
    attempt: Callable[[Transfer], Awaitable[None]],
    failed: Callable[[HubFailed, int, float], Awaitable[None]],
    verifying: Callable[[], None],
) -> None:
    """Get a file whole and verified, however often that has to be tried.

    `attempt` does one attempt; `failed` hears of the problem, how many attempts in a row brought nothing, and for how
    long to wait, and waits. Raises HubFailed where it is lasting, and StorageFailed.
    """
    in_vain = mismatches = 0
    while True:
        before = transfer.on_disk
        try:
            await attempt(transfer)
        except HubFailed as problem:
            if problem.lasting:
                raise
            in_vain = 1 if transfer.on_disk > before else in_vain + 1
            await failed(problem, in_vain, persistence.wait(in_vain, problem.retry_after))
            continue
        verifying()
        if await transfer.is_right():
            return
        transfer.discard()
        mismatches += 1
        mismatch = HubFailed(
            f"{transfer.name} arrived {mismatches} time{'' if mismatches == 1 else 's'} with a wrong checksum.",
            "The Hub, or something on the way, changes it. Try again later, or through another network.",
            status=200,
            lasting=mismatches >= persistence.most_mismatches,
        )
        if mismatch.lasting:
            raise mismatch
        await failed(mismatch, mismatches, persistence.wait(mismatches, 0.0))


def _new_hash(file: WantedFile) -> hashlib._Hash | None:
    kind = file.checksum.partition(":")[0]
    if kind == "sha256":
        return hashlib.sha256()
    # How git names a file's content (git-hash-object).
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False) if kind == "git" else None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _too_slow(rate: float) -> HubFailed:
    from tui.engine import readable_size

    return HubFailed(
        f"Only {readable_size(rate)} a second came; another connection may be faster.", "What came is kept.", status=200
    )


def _disk_failure(path: Path, refused: OSError) -> StorageFailed:
    return StorageFailed(
        f"{path.name} cannot be written to {path.parent}: {refused.strerror or refused}.",
        "Make room there, or correct who may write, and let it go on.",
    )
