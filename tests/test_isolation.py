"""The tests themselves: a home of their own, and no network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tui.paths import find_paths


def test_connections_elsewhere_fail_at_once() -> None:
    for family, address in ((socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET, ("example.org", 80))):
        with socket.socket(family) as connection, pytest.raises(RuntimeError, match="must not use the network"):
            connection.connect(address)


def test_connections_to_this_machine_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]) as client:
        assert client.getpeername() == server.getsockname()


def test_home_is_below_the_temporary_folder(lmdeck_home: Path, tmp_path: Path) -> None:
    assert lmdeck_home == tmp_path
    assert find_paths().models.is_relative_to(tmp_path)
