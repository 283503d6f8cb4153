"""Keeps the terminal ours: native libraries write to file descriptor 2, and Textual draws there.

`Terminal` duplicates the descriptor for Textual, puts a pipe in its place and feeds what comes out of it to the
log. It also notices when the terminal goes away, which Textual does not: its input loop would spin and its
output queue would block for good.
"""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from tui.engine import LogRing

HANGUP_POLL = 1000
"""Milliseconds between two looks at whether the terminal is still there."""

LONGEST_LINE = 8192
"""Bytes without a line end after which the log takes a line anyway."""


def has_terminal() -> bool:
    """Whether there is a terminal to read keys from and to draw on."""
    return sys.stdin is not None and sys.stdin.isatty() and (os.isatty(2) or os.isatty(1))


class _TerminalFile(io.StringIO):
    """Text output to a descriptor that swallows write errors and reports the first one."""

    def __init__(self, descriptor: int, on_error: Callable[[], None]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._on_error = on_error
        self._broken = False

    def write(self, text: str) -> int:
        data = memoryview(text.encode("utf-8", "replace"))
        while data and not self._broken:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                # Another program may have left the terminal in non-blocking mode.
                select.select((), (self._descriptor,), ())
            except OSError:
                self._broken = True
                self._on_error()
        return len(text)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return True


class Terminal:
    """A context in which descriptor 2 feeds the log and Textual draws on a duplicate.

    With standard error sent to a file (`2>log`), Textual would draw into that file: standard output is used
    then, and native lines still reach the file.
    """

    def __init__(self, log: LogRing) -> None:
        self._log = log
        self._gone = threading.Event()
        self._callback: Callable[[], None] = lambda: None

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, from some thread, when the terminal has gone away."""
        self._callback = callback
        if self._gone.is_set():
            callback()

    def __enter__(self) -> Terminal:
        self._keep = os.dup(2)
        self._file_of_person = -1 if os.isatty(self._keep) else self._keep
        self._screen = os.dup(2) if os.isatty(2) else os.dup(1)
        self._streams = (sys.__stderr__, sys.stderr)
        stream = cast(TextIO, _TerminalFile(self._screen, self._report_gone))
        # Textual draws on `sys.__stderr__` and prints the traceback of a crash on `sys.stderr`.
        sys.__stderr__ = sys.stderr = stream  # type: ignore[misc, assignment]
        self._read_end, write_end = os.pipe()
        os.dup2(write_end, 2)
        os.close(write_end)
        self._reader = threading.Thread(target=self._read, name="stderr-to-log", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Putting the old descriptor back closes the pipe's last write end, which ends the reader.
        os.dup2(self._keep, 2)
        self._reader.join(timeout=1)
        sys.__stderr__, sys.stderr = self._streams  # type: ignore[misc]
        os.close(self._screen)
        os.close(self._keep)

    def _report_gone(self) -> None:
        if not self._gone.is_set():
            self._gone.set()
            self._callback()

    def _read(self) -> None:
        """Turn the pipe into log lines, and watch standard input for a hang-up meanwhile."""
        watch = select.poll()
        watch.register(self._read_end, select.POLLIN)
        if sys.__stdin__ is not None:
            watch.register(sys.__stdin__.fileno(), 0)
        pending = b""
        while True:
            for descriptor, happened in watch.poll(HANGUP_POLL):
                if descriptor != self._read_end:
                    watch.unregister(descriptor)
                    # macOS cannot poll terminals and answers POLLNVAL, which says nothing.
                    if happened & (select.POLLHUP | select.POLLERR):
                        self._report_gone()
                    continue
                data = os.read(self._read_end, 65536) if happened & select.POLLIN else b""
                if not data:
                    self._write_lines([pending])
                    os.close(self._read_end)
                    return
                if self._file_of_person >= 0:
                    os.write(self._file_of_person, data)
                *lines, pending = (pending + data).split(b"\n")
                if len(pending) > LONGEST_LINE:
                    lines, pending = [*lines, pending], b""
                self._write_lines(lines)

    def _write_lines(self, lines: list[bytes]) -> None:
        for line in lines:
            if text := line.decode("utf-8", "replace").rstrip():
                self._log.write("native", "info", text)
