"""All downloads of this installation: those that this process does, and those of others, to look at."""

from __future__ import annotations

import asyncio
import concurrent.futures
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tui.domain import Busy, LmdeckError, ModelNotFound
from tui.models.downloads.job import Job, Shared, as_found, is_in_place, on_disk
from tui.models.downloads.journal import Entry, Journal
from tui.models.downloads.records import ACTIVE, ENDED, Download, DownloadState, WantedFile
from tui.models.downloads.room import check_room
from tui.models.downloads.transfer import Persistence
from tui.models.hub import HubConnection, Variant
from tui.models.hub.placing import places_of

AT_ONCE = 3
"""Transfers that go on at the same time: more share the line no better."""


class Downloads:
    """A queue of downloads. Safe to use from any thread; nothing here waits for the network."""

    def __init__(
        self,
        connection: HubConnection,
        models: Path,
        folder: Path,
        *,
        persistence: Persistence | None = None,
        at_once: int = AT_ONCE,
        arrived: Callable[[Download], None] | None = None,
    ) -> None:
        """`models` is where files go, `folder` where jobs are kept. `arrived` hears of completed ones."""
        self._connection = connection
        self._models = models
        self._journal = Journal(folder)
        self._persistence = persistence or Persistence()
        self._at_once = at_once
        self._arrived = arrived
        self._lock = threading.RLock()
        # Jobs announce changes while they hold their own lock, so this one is taken last and alone.
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, concurrent.futures.Future[None]] = {}
        self._shared: Shared | None = None
        self._closed = False

    def add(self, repository: str, revision: str, variant: Variant) -> Download:
        """Begin to download a variant, or go on with the download of it that there is.

        Raises StorageFailed where there is no room for it, HubFailed for names that cannot be paths here.
        """
        files = tuple(
            WantedFile(file.path, place, file.size, file.checksum) for file, place in places_of(repository, variant)
        )
        with self._lock:
            present = self._same(repository, files)
            if present is not None and present.state != "completed":
                return present if present.elsewhere or present.active else self.resume(present.id)
            entry = Entry(
                id=f"job_{secrets.token_hex(5)}",
                repository=repository,
                revision=revision,
                name=variant.name,
                files=files,
                state="queued",
                started=time.time(),
            )
            left = sum(file.size - on_disk(self._models, file) for file in files)
            check_room(self._models, left, self._spoken_for(entry.id))
            self._journal.write(entry)
            job = self._own(entry.id)
            self._start(job)
            return job.snapshot(self._models)

    def has(self, repository: str, variant: Variant) -> bool:
        """Whether all files of a variant are here."""
        try:
            places = places_of(repository, variant)
        except LmdeckError:
            return False
        return all(is_in_place(self._models, WantedFile(file.path, place, file.size, "")) for file, place in places)

    def of(self, repository: str, variant: Variant) -> Download | None:
        """The latest download of a variant."""
        paths = {file.path for file in variant.files}
        found = (one for one in self._entries() if one.repository == repository)
        matching = [one for one in found if paths <= {file.path for file in one.files}]
        latest = max(matching, key=lambda one: one.started, default=None)
        return self.get(latest.id) if latest is not None else None

    def all(self) -> tuple[Download, ...]:
        """Every download that was not removed from the list, the newest first."""
        found = [self._snapshot(entry) for entry in self._entries()]
        return tuple(sorted(found, key=lambda download: download.started, reverse=True))

    def get(self, identifier: str) -> Download:
        """One download. Raises ModelNotFound."""
        entry = self._journal.read(identifier)
        if entry is None:
            raise ModelNotFound(f"There is no download {identifier[:40]!r}.", "It may have been removed from the list.")
        return self._snapshot(entry)

    def go_on(self) -> None:
        """Take up what was going on when the program ended last, unless another lmdeck does it."""
        for entry in list(self._journal.entries()):
            with self._lock, suppress(Busy):
                if entry.state in ACTIVE and entry.id not in self._running:
                    self._start(self._own(entry.id))

    def pause(self, identifier: str) -> Download:
        """Stop a download so that it can go on later. Raises ModelNotFound, and Busy where another lmdeck does it."""
        return self._stop(identifier, "paused")

    def cancel(self, identifier: str) -> Download:
        """Stop a download and throw away what came. Raises as `pause` does."""
        with self._lock:
            download = self._stop(identifier, "cancelled")
            if download.state == "cancelled":
                discarding = self._jobs[identifier].discard(self._ready(), self._wanted_by_others(identifier))
                self._connection.start(discarding)
            return download

    def resume(self, identifier: str) -> Download:
        """Let a download go on that was paused or failed, and one that waits try again at once. Raises as `pause`."""
        with self._lock:
            job = self._own(identifier)
            state = job.entry.state
            goes_on = identifier in self._running and state in ACTIVE and state != "waiting"
            if not goes_on and state != "completed":
                self._end_turn(identifier)
                self._start(job)
            return self._rest(job)

    def remove(self, identifier: str) -> None:
        """Take a download that has ended off the list; its files stay. Raises as `pause` does."""
        with self._lock:
            job = self._own(identifier)
            if job.entry.state not in ENDED:
                self._rest(job)
                raise Busy("The download has not ended.", "Cancel it first.")
            self._end_turn(identifier)
            del self._jobs[identifier]
            self._journal.forget(identifier)
            job.claim.remove()
        self._tell()

    def wait(self, seconds: float) -> None:
        """Wait until something changes its state, at most this long."""
        with self._changed:
            self._changed.wait(seconds)

    def close(self) -> None:
        """Stop everything as it is. It goes on with `go_on` in the next process."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, {}
            for identifier, future in running.items():
                # What a stopped transfer still has to say is not to be kept.
                self._jobs[identifier].turn += 1
                future.cancel()
                self._jobs[identifier].claim.give_up()
        self._tell()

    def _stop(self, identifier: str, state: DownloadState) -> Download:
        with self._lock:
            job = self._own(identifier)
            if job.entry.state not in ENDED or (state == "cancelled" and job.entry.state == "failed"):
                self._end_turn(identifier)
                job.next_turn(state=state, problem="", advice="", ended=time.time() if state in ENDED else 0.0)
            return self._rest(job)

    def _end_turn(self, identifier: str) -> None:
        future = self._running.pop(identifier, None)
        if future is not None:
            future.cancel()

    def _start(self, job: Job) -> None:
        turn = job.next_turn(state="queued", problem="", advice="", ended=0.0)
        future = self._connection.start(job.run(turn, self._ready()))
        self._running[job.entry.id] = future
        future.add_done_callback(lambda future: self._ended(job, turn, future))

    def _ended(self, job: Job, turn: int, future: concurrent.futures.Future[None]) -> None:
        with self._lock:
            if self._running.get(job.entry.id) is future:
                del self._running[job.entry.id]
                job.claim.give_up()
            completed = job.turn == turn and job.entry.state == "completed" and not self._closed
        if completed and self._arrived is not None:
            # Looking at the models folder takes a while, and other downloads go on in this thread.
            threading.Thread(target=self._arrived, args=(job.snapshot(self._models),), daemon=True).start()
        self._tell()

    def _rest(self, job: Job) -> Download:
        """How a job is; it stays claimed only while it runs, so that another lmdeck may go on with it."""
        if job.entry.id not in self._running:
            job.claim.give_up()
        return job.snapshot(self._models)

    def _own(self, identifier: str) -> Job:
        """A job as it is now, claimed for this process. Raises ModelNotFound, or Busy."""
        if identifier in self._running:
            return self._jobs[identifier]
        entry = self._journal.read(identifier)
        if entry is None:
            raise ModelNotFound(f"There is no download {identifier[:40]!r}.", "It may have been removed from the list.")
        job = self._jobs.setdefault(identifier, Job(entry, self._journal.claim(identifier), self._save, self._tell))
        if not job.claim.take():
            raise Busy("Another lmdeck does this download.", "Stop it there.")
        # Another process may have gone on with it meanwhile.
        job.entry = self._journal.read(identifier) or entry
        return job

    def _save(self, entry: Entry) -> None:
        # A disk that refuses this may still take the file; what is noted is older then.
        with suppress(LmdeckError):
            self._journal.write(entry)
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _entries(self) -> list[Entry]:
        with self._lock:
            own = {identifier: self._jobs[identifier].entry for identifier in self._running}
        return [own.get(entry.id, entry) for entry in self._journal.entries()]

    def _snapshot(self, entry: Entry) -> Download:
        with self._lock:
            if entry.id in self._running:
                return self._jobs[entry.id].snapshot(self._models)
        download = as_found(entry, self._models)
        if entry.state not in ACTIVE:
            return download
        if self._is_free(entry.id):  # the process that did it has ended
            return replace(download, state="paused")
        # What exactly it does is known only there.
        return replace(download, state="downloading", elsewhere=True)

    def _is_free(self, identifier: str) -> bool:
        claim = self._journal.claim(identifier)
        if not claim.take():
            return False
        claim.give_up()
        return True

    def _same(self, repository: str, files: tuple[WantedFile, ...]) -> Download | None:
        """The download of just these files that has not been cancelled, if there is one."""
        for entry in self._entries():
            if entry.repository == repository and entry.files == files and entry.state != "cancelled":
                return self._snapshot(entry)
        return None

    def _spoken_for(self, identifier: str) -> int:
        with self._lock:
            return sum(self._jobs[other].left(self._models) for other in self._running if other != identifier)

    def _wanted_by_others(self, identifier: str) -> Callable[[str], bool]:
        wanted = {
            file.place
            for entry in self._entries()
            if entry.id != identifier and entry.state not in ENDED
            for file in entry.files
        }
        return lambda place: place in wanted

    def _ready(self) -> Shared:
        if self._shared is None:
            self._shared = Shared(
                self._connection,
                self._models,
                self._persistence,
                asyncio.Semaphore(self._at_once),
                self._spoken_for,
            )
        return self._shared
