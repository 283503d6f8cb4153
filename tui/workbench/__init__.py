"""The composition root: builds the wings, owns their lifetimes, and is the only object that the faces are given."""

from __future__ import annotations

from tui.workbench.workbench import Answer, Workbench

__all__ = ["Answer", "Workbench"]
