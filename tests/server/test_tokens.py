"""API tokens: what is kept, what is accepted, and what other programs change meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.domain import BadRequest, StorageFailed
from tui.server import TokenStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_only_the_whole_token_is_accepted(file: Path) -> None:
    store = TokenStore(file)
    text = store.create("laptop", ("generate",))
    found = store.find(text)
    assert found is not None
    assert (found.name, found.permissions) == ("laptop", ("generate",))
    for wrong in ("", text[:-1], text[:-1] + ("a" if text[-1] != "a" else "b"), text + "x", text.upper()):
        assert store.find(wrong) is None
    assert text.partition(":")[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_another_program_makes_and_revokes_counts_at_once(file: Path) -> None:
    here, there = TokenStore(file), TokenStore(file)
    text = there.create("elsewhere")
    found = here.find(text)
    assert found is not None
    there.revoke(found.id)
    assert here.find(text) is None
    assert here.list() == []


def test_our_own_token_opens_everything_and_is_written_nowhere(file: Path) -> None:
    store, other = TokenStore(file), TokenStore(file)
    own = store.find(store.own)
    assert own is not None
    assert own.permissions == ("generate", "models")
    assert other.find(store.own) is None
    assert store.list() == []
    store.create("laptop")
    assert own.id not in file.read_text()


def test_mistakes_are_said(file: Path) -> None:
    store = TokenStore(file)
    for name in ("", "   ", "x" * 81):
        with pytest.raises(BadRequest, match="name"):
            store.create(name)
    with pytest.raises(BadRequest, match="permissions"):
        store.create("laptop", ())
    with pytest.raises(BadRequest, match="no API token 'nonsense'"):
        store.revoke("nonsense")
    file.write_text("[{}]")
    with pytest.raises(StorageFailed, match=r"tokens\.json"):
        store.list()
