"""Fixtures of the screen tests: a scripted workbench and a running application over it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

try:
    import tui.app.transcript as _t

    _t.Transcript
except AttributeError:
    from tests.app import stand_in

    sys.modules["tui.app.transcript"] = stand_in

from tests.app.fake_workbench import FakeWorkbench, model
