"""The face that people look at: a Textual application over one Workbench.

`run` starts it and returns the exit code. Everything else in here is reached through the one registry of
actions (`tui.app.actions`), and engine and screen meet in one place (`tui.app.bridge`). Importing this
package is cheap: Textual is imported when `run` is called.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.domain import LocalServer
    from tui.presence import Holder
    from tui.workbench import Workbench

__all__ = ["run"]

LOW_BANDWIDTH_FRAMES = "15"
"""Frames a second over a slow line; Textual's default is 60."""


def run(workbench: Workbench, make_server: Callable[[Workbench, Holder], LocalServer]) -> int:
    """Run the screen until the person leaves it or the terminal goes away, and return the exit code.

    The server is made when the screen stands. It and the workbench are closed in any case, so that an answer that
    is still coming is kept. Without a terminal nothing is started and the exit code is 2.
    """
    from tui.app.terminal import Terminal, has_terminal

    if not has_terminal():
        print("lmdeck needs a terminal. Without one, use: lmdeck chat MODEL -p TEXT", file=sys.stderr)  # noqa: T201
        workbench.close()
        return 2
    settings = workbench.settings
    if settings.get("low_bandwidth", False):
        # Textual reads these when it is imported.
        os.environ.setdefault("TEXTUAL_FPS", LOW_BANDWIDTH_FRAMES)
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    for size in ("COLUMNS", "LINES"):
        # Exported by some shells, they would freeze the screen at a size that the terminal no longer has.
        os.environ.pop(size, None)
    # What was called off before its first step is no news for whoever leaves. Tests of the app, which do not come in by
    # this door, do hear of it.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with Terminal(workbench.log) as terminal:
            from tui.app.app import LmdeckApp

            app = LmdeckApp(workbench, lambda: make_server(workbench, "screen"))
            terminal.on_gone(app.leave)
            for number in handlers:
                signal.signal(number, lambda *_: app.leave())
            try:
                app.run(mouse=bool(settings.get("mouse", True)))
            finally:
                app.desk.close()
            return app.return_code or 0
    finally:
        workbench.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
