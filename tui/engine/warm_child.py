"""A child process that stays for a while, so that what it has begun with need not be begun with again.

Starting Python, loading llama.cpp and reading a large vocabulary take half a second and more; another context of the
same model takes some milliseconds. Whoever steps through context lengths asks for one after the other, and on a new
machine the self-test comes before the first model.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tui.domain import Cancelled
from tui.engine.child import STAY, TIMEOUT_SECONDS, Job, Outcome, child_environment, outcome_of, run, timed_out

IDLE_SECONDS = 20.0
"""How long the child stays without a job. It holds the vocabularies of some models: a hundred megabytes."""


class WarmChild:
    """Does jobs as `run` does, one after the other in one child. Safe to use from any thread."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._heard = 0
        """Bytes of what the child said beside its answers that belong to earlier jobs."""
        self._leaving: threading.Timer | None = None
        self._closed = False

    def run(self, job: Job) -> Outcome:
        """Do the job and wait for it. Never raises for what the child does; raises Cancelled once this is closed.

        A problem counts only if a child that has done nothing else has it as well.
        """
        # Devices of other machines would stay with the child for jobs that do not want them.
        if job.config.rpc_servers or not self._busy.acquire(blocking=False):
            return run(job)
        try:
            fresh = self._start_if_needed()
            outcome = self._ask(job)
            if outcome.crashed or self._closed:
                self._end()
            if self._closed:  # what it died of says nothing about the job
                raise Cancelled("The program is ending.")
            self._leave_later()
        except OSError as refused:
            self._end()
            return Outcome(problem=f"No process could be started to try it in: {refused}.")
        finally:
            self._busy.release()
        return outcome if fresh or not outcome.problem else run(job)

    @property
    def _log(self) -> Path:
        """The file with what the child says beside its answers."""
        assert self._folder is not None
        return Path(self._folder.name, "log")

    def close(self) -> None:
        """End the child, whatever it does."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._busy:
            self._end()

    def _start_if_needed(self) -> bool:
        """Whether the child has just been started. Raises OSError where that is refused."""
        if self._leaving is not None:
            self._leaving.cancel()
        if self._process is not None and self._process.poll() is None:
            return False
        self._end()
        # Nobody has to empty a file while the child speaks.
        self._heard = 0
        self._folder = tempfile.TemporaryDirectory(prefix="lmdeck-child-")
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tui.engine.child_main", STAY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=child_environment(),
                # What a terminal sends to its programs, when it is closed, must not look like a crash.
                start_new_session=True,
            )
        if self._closed:  # whoever closed it may have looked before there was a process
            self._process.kill()
        return True

    def _ask(self, job: Job) -> Outcome:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(TIMEOUT_SECONDS, give_up)
        watch.daemon = True
        watch.start()
        answer = b""
        try:
            # It may be gone already; then there is no answer, and its code says why.
            with suppress(OSError):
                process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            code = 0 if answer else process.wait()
        finally:
            watch.cancel()
        said = self._log.read_bytes()[self._heard :]
        self._heard += len(said)
        return timed_out(said) if late.is_set() else outcome_of(code, answer, said)

    def _leave_later(self) -> None:
        self._leaving = threading.Timer(IDLE_SECONDS, self._leave)
        self._leaving.daemon = True
        self._leaving.start()

    def _leave(self) -> None:
        # Who is busy now sees to its leaving afterwards.
        if self._busy.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._busy.release()

    def _end(self) -> None:
        """Have the child end and forget it. `_busy` is held."""
        if self._leaving is not None:
            self._leaving.cancel()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            with suppress(OSError):
                folder.cleanup()
