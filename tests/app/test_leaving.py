"""The terminal in real life: native lines on descriptor 2, and terminals and processes that end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tui.paths import Paths
from tui.threads import ThreadStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")

# An application over the scripted workbench whose model has said something and is not done. Ready is told by a file,
# since nothing else may be written to the terminal; the first look at the loaded models comes after the first paint.
PROGRAM = """
import os, sys, threading, time
from pathlib import Path
root = Path(sys.argv[1])
from tests.app.fake_workbench import FakeWorkbench, model
from tui.domain import text_message
import tui.app
workbench = FakeWorkbench(root, [model()])
workbench.put(model().key)
thread_id = workbench.threads.create_thread().id
workbench.threads.add_message(thread_id, text_message("user", "a question"))
answer = workbench.answer(thread_id, model().key)
answer.generation.say("the beginning of an answer")
close, loaded = workbench.close, workbench.loaded
def closed():
    close()
    (root / "closed").write_text("yes")
first = threading.Lock()
def ready():
    if not first.acquire(blocking=False):
        return loaded()
    os.write(2, b"ggml: native words\\n")
    print("python words", file=sys.stderr)
    while not any(line.source == "native" for line in workbench.log.lines()):
        time.sleep(0.01)
    (root / "log").write_text("\\n".join(f"{line.source} {line.text}" for line in workbench.log.lines()))
    from textual import constants
    (root / "facts").write_text(f"{constants.MAX_FPS} {constants.TEXTUAL_ANIMATIONS}")
    (root / "ready").write_text("yes")
    return loaded()
workbench.close, workbench.loaded = closed, ready
assert "textual" not in sys.modules
# more
from tests.app.fake_server import FakeServer
code = tui.app.run(workbench, lambda workbench, holder: FakeServer())
(root / "code").write_text(str(code))
sys.exit(code)
"""


# The person leaves in the very moment in which everything begins that the first paint does not need.
LEFT_AT_ONCE = """
from textual._context import active_app
def leave(workbench):
    active_app.get().workers.cancel_all()
    active_app.get().exit()
    return print
type(workbench).resume_downloads = property(leave)
"""


class RealTerminal:
    """The program in a pseudo-terminal of its own. `more` code is run before the app is."""

    def __init__(self, root: Path, *, stderr: int | None = None, more: str = "") -> None:
        self.root = root
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (36, 120))
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": os.getcwd()}
        environment.pop("NO_COLOR", None)

        def own_the_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("# more", more), str(root)],
            stdin=slave,
            stdout=slave,
            stderr=slave if stderr is None else stderr,
            env=environment,
            preexec_fn=own_the_terminal,
        )
        os.close(slave)
        self.output = b""

    def read_until(self, file: str) -> None:
        """Be a terminal until the program has written a file."""
        end = time.monotonic() + 30
        while not (self.root / file).exists():
            assert time.monotonic() < end, self.output[-2000:].decode(errors="replace")
            self._read(0.02)

    def _read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                time.sleep(seconds)

    def wait(self) -> int:
        """Go on being a terminal until the program has ended."""
        end = time.monotonic() + 30
        while self.process.poll() is None:
            assert time.monotonic() < end, "it did not end"
            self._read(0.02)
        while select.select([self.master], [], [], 0)[0]:
            before = len(self.output)
            self._read(0)
            if len(self.output) == before:
                break
        return self.process.returncode

    def hang_up(self) -> int:
        os.close(self.master)
        return self.process.wait(30)


def kept_text(root: Path) -> str:
    store = ThreadStore(Paths(root, root / "cache", root / "logs").database)
    try:
        return store.messages(store.list_threads()[0].id)[-1].message.text
    finally:
        store.close()


def test_native_lines_go_to_the_log_and_not_to_the_screen(tmp_path: Path) -> None:
    terminal = RealTerminal(tmp_path)
    terminal.read_until("ready")
    os.write(terminal.master, b"\x11y")  # ctrl+q; nothing runs in a thread that this screen started
    assert terminal.wait() == 0
    assert "native ggml: native words" in (tmp_path / "log").read_text()
    assert b"native words" not in terminal.output
    assert b"python words" not in terminal.output
    assert b"lmdeck" in terminal.output
    assert b"\x1b[?1049l" in terminal.output  # the alternate screen was left
    assert (tmp_path / "code").read_text() == "0"


def test_standard_error_in_a_file_still_leaves_a_screen(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("wb") as errors:
        terminal = RealTerminal(tmp_path, stderr=errors.fileno())
        terminal.read_until("ready")
        os.write(terminal.master, b"\x11y")
        assert terminal.wait() == 0
    assert b"lmdeck" in terminal.output
    assert (tmp_path / "errors").read_bytes() == b"ggml: native words\n"


def test_work_that_had_not_begun_is_no_news_for_whoever_leaves(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("wb") as errors:
        assert RealTerminal(tmp_path, stderr=errors.fileno(), more=LEFT_AT_ONCE).wait() == 0
    assert b"never awaited" not in (tmp_path / "errors").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_cleanly_and_keeps_the_answer(tmp_path: Path, number: signal.Signals) -> None:
    terminal = RealTerminal(tmp_path)
    terminal.read_until("ready")
    terminal.process.send_signal(number)
    assert terminal.wait() == 0
    assert (tmp_path / "closed").exists()
    assert kept_text(tmp_path) == "the beginning of an answer"


def test_closed_terminal_ends_it_cleanly_and_keeps_the_answer(tmp_path: Path) -> None:
    terminal = RealTerminal(tmp_path)
    terminal.read_until("ready")
    assert terminal.hang_up() == 0
    assert (tmp_path / "closed").exists()
    assert kept_text(tmp_path) == "the beginning of an answer"


def test_without_a_terminal_it_says_so_and_starts_nothing(tmp_path: Path) -> None:
    program = "import sys, tui.app; from pathlib import Path; from tests.app.fake_workbench import FakeWorkbench; "
    program += "sys.exit(tui.app.run(FakeWorkbench(Path(sys.argv[1])), None))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert done.stdout == ""


def test_settings_reach_textual_before_it_is_imported(tmp_path: Path) -> None:
    for settings, frames, mouse in (({}, 60, True), ({"low_bandwidth": True, "mouse": False}, 15, False)):
        root = tmp_path / str(frames)
        root.mkdir()
        (root / "settings.json").write_text(json.dumps(settings))
        terminal = RealTerminal(root)
        terminal.read_until("ready")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == 0
        assert (root / "facts").read_text() == f"{frames} {'full' if mouse else 'none'}"
        assert (b"\x1b[?1003h" in terminal.output) == mouse
