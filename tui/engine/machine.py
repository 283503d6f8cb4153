"""What is to be known of this machine before any model is loaded.

It imports little of the engine, so that a machine that is new is tested while the rest is still being imported.
"""

from __future__ import annotations

from pathlib import Path

from tui.engine.log import LogRing
from tui.engine.self_test import MachineTest
from tui.engine.verdicts import VerdictStore
from tui.engine.warm_child import WarmChild


class Machine:
    """The remembered verdicts, a child process to try things in, and the self-test. Safe to use from any thread."""

    def __init__(self, verdicts: Path, log: LogRing) -> None:
        """`verdicts` is the file that remembers them."""
        self.verdicts = VerdictStore(verdicts)
        self.child = WarmChild()
        self.test = MachineTest(self.verdicts, self.child.run, log)

    def close(self) -> None:
        """End the child, whatever it does. Safe to call twice."""
        self.child.close()
