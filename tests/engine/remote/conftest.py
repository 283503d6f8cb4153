"""A stub server, and an answer of it from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.openai_stub import Stub, openai_stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as stub:
        yield stub
