"""The file of remote engines: addresses made tidy, keys kept to their owner, damage said."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tui.config import RemoteStore
from tui.domain import BadRequest, RemoteEndpoint, StorageFailed

KEY = "sk-0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "remotes.json"


def test_what_is_added_outlives_the_process_and_keeps_its_order(path: Path) -> None:
    store = RemoteStore(path)
    assert store.endpoints() == ()
    store.add("Tower", "http://tower:1234/v1/", KEY)
    store.add("a", "https://a.example")
    expected = (RemoteEndpoint("tower", "http://tower:1234/v1", KEY), RemoteEndpoint("a", "https://a.example/v1"))
    assert RemoteStore(path).endpoints() == store.endpoints() == expected
    store.remove("TOWER ")
    assert RemoteStore(path).endpoints() == expected[1:]


def test_only_the_owner_may_read_it_and_nothing_is_left_beside_it(path: Path) -> None:
    before = os.umask(0)
    try:
        RemoteStore(path).add("tower", "http://tower:1234", KEY)
        RemoteStore(path).add("other", "http://tower:1235", KEY)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["remotes.json"]


def test_a_key_is_in_no_representation(path: Path) -> None:
    endpoint = RemoteStore(path).add("tower", "http://tower:1234", KEY)
    assert KEY not in repr(endpoint)
    assert endpoint.masked_key == "…cdef"
    assert RemoteEndpoint("a", "b", "short").masked_key == "…"
    assert RemoteEndpoint("a", "b").masked_key == ""


def test_what_another_process_adds_is_seen(path: Path) -> None:
    store = RemoteStore(path)
    store.endpoints()
    RemoteStore(path).add("tower", "http://tower:1234")
    assert [endpoint.name for endpoint in store.endpoints()] == ["tower"]
    store.add("other", "http://other:1234")
    assert [endpoint.name for endpoint in RemoteStore(path).endpoints()] == ["tower", "other"]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("localhost:8080", "http://localhost:8080/v1"),
        ("192.168.1.20:1234", "http://192.168.1.20:1234/v1"),
        ("http://[::1]:8080/", "http://[::1]:8080/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1"),
        (" http://tower:1234/v1/chat/completions ", "http://tower:1234/v1"),
        ("http://tower:1234/v1/models", "http://tower:1234/v1"),
    ],
)
def test_addresses_as_people_write_them(path: Path, typed: str, url: str) -> None:
    assert RemoteStore(path).add("tower", typed).url == url


@pytest.mark.parametrize(
    ("name", "url", "key", "field"),
    [
        ("", "http://a", "", "name"),
        ("with space", "http://a", "", "name"),
        ("a/b", "http://a", "", "name"),
        ("x" * 41, "http://a", "", "name"),
        ("a", "", "", "url"),
        ("a", "ftp://a", "", "url"),
        ("a", "http://", "", "url"),
        ("a", "http://a:port", "", "url"),
        ("a", "http://a:99999", "", "url"),
        ("a", "http://[::1", "", "url"),
        ("a", "http://a b/", "", "url"),
        ("a", "http://me:secret@a", "", "url"),
        ("a", "http://a/v1?key=1", "", "url"),
        ("a", "http://a", "two\nlines", "key"),
        ("a", "http://a", "schlüssel", "key"),
    ],
)
def test_what_cannot_be_used_names_its_field(path: Path, name: str, url: str, key: str, field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        RemoteStore(path).add(name, url, key)
    assert caught.value.field == field
    assert caught.value.advice
    assert "secret" not in caught.value.message
    assert not path.exists()


def test_a_name_is_taken_once(path: Path) -> None:
    store = RemoteStore(path)
    store.add("tower", "http://a")
    with pytest.raises(BadRequest, match="already"):
        store.add("TOWER", "http://b")
    with pytest.raises(BadRequest, match="no remote engine called 'other'"):
        store.remove("other")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"endpoints": 5}', '{"endpoints": [5]}', '{"endpoints": [{"name": "a", "url": 5}]}',
        '{"endpoints": [{"name": "a b", "url": "http://a"}]}', "[" * 100_000, "\ufeff{}",
        '{"endpoints": [{"name": "a", "url": "http://a"}, {"name": "a", "url": "http://b"}]}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_an_error_that_names_it_and_is_left_as_it_is(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    store = RemoteStore(path)
    for use in (store.endpoints, lambda: store.add("b", "http://b"), lambda: store.remove("b")):
        with pytest.raises(StorageFailed) as caught:
            use()
        assert str(path) in caught.value.message
        assert caught.value.advice
    assert path.read_text(encoding="utf-8") == text


def test_bytes_that_are_no_text_are_an_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StorageFailed):
        RemoteStore(path).endpoints()


def test_a_disk_that_refuses_is_said_and_the_old_file_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RemoteStore(path)
    store.add("tower", "http://tower:1234", KEY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui.config.remotes.os.fsync", full)
    with pytest.raises(StorageFailed, match="No space left"):
        store.add("other", "http://other:1234")
    assert [file.name for file in path.parent.iterdir()] == ["remotes.json"]
    assert [entry["name"] for entry in json.loads(path.read_text())["endpoints"]] == ["tower"]
