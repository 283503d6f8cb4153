"""Responses on disk: chains, branches, limits and damage."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tui.domain import StorageFailed
from tui.server.responses import store as store_module
from tui.server.responses.items import Item, listed
from tui.server.responses.store import PreviousResponseNotFound, ResponseStore


def response(identifier: str, said: str, previous: str | None = None) -> dict[str, Any]:
    output = [{"id": f"msg_{identifier}", **listed([{"role": "assistant", "content": said}])[0]}]
    return {"id": identifier, "previous_response_id": previous, "status": "completed", "output": output}


def texts(items: list[Item] | None) -> list[str]:
    assert items is not None
    return [item["content"][0]["text"] for item in items]


@pytest.fixture
def store(tmp_path: Path) -> ResponseStore:
    return ResponseStore(tmp_path / "below" / "responses.db")


def test_what_is_kept_comes_back(store: ResponseStore, tmp_path: Path) -> None:
    kept = response("a", "Hello 🙂")
    store.save(kept, listed("Hi"))
    assert store.get("a") == kept
    assert ResponseStore(tmp_path / "below" / "responses.db").get("a") == kept
    assert store.get("b") is None
    assert stat.S_IMODE((tmp_path / "below" / "responses.db").stat().st_mode) == 0o600


def test_conversations_grow_and_branch(store: ResponseStore) -> None:
    store.save(response("a", "A"), listed("1"))
    store.save(response("b", "B", "a"), listed("2"))
    store.save(response("c", "C", "a"), listed("3"))
    store.save(response("d", "D", "c"), [])
    assert texts(store.conversation("b")) == ["1", "A", "2", "B"]
    assert texts(store.conversation("d")) == ["1", "A", "3", "C", "D"]
    assert texts(store.input_items("b")) == ["1", "A", "2"]
    assert texts(store.input_items("a")) == ["1"]
    assert store.input_items("e") is None


def test_saving_again_replaces(store: ResponseStore) -> None:
    store.save({**response("a", "A"), "output": [], "status": "queued"}, listed("1"))
    store.save(response("a", "A"), listed("1"))
    assert texts(store.conversation("a")) == ["1", "A"]


def test_a_conversation_with_a_hole_cannot_be_continued(store: ResponseStore) -> None:
    store.save(response("a", "A"), listed("1"))
    store.save(response("b", "B", "a"), listed("2"))
    assert store.delete("a")
    assert not store.delete("a")
    with pytest.raises(PreviousResponseNotFound, match="'a'"):
        store.conversation("b")
    with pytest.raises(PreviousResponseNotFound, match="'a'"):
        store.conversation("a")
    assert texts(store.input_items("b")) == ["2"]


def test_items_are_found_until_their_response_goes(store: ResponseStore) -> None:
    kept, given = response("a", "A"), listed("1")
    store.save(kept, given)
    identifiers = [given[0]["id"], kept["output"][0]["id"], "msg_other"]
    assert store.items(identifiers) == {identifiers[0]: given[0], identifiers[1]: kept["output"][0]}
    store.delete("a")
    assert store.items(identifiers) == {}


def test_old_ones_go_but_not_those_of_a_conversation_that_goes_on(
    store: ResponseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(store_module.time, "time", lambda: now)
    store.save(response("a", "A"), [])
    store.save(response("b", "B"), [])
    now += store_module.LONGEST_KEPT - 10
    store.save(response("c", "C", "a"), [])
    now += 20
    store.save(response("d", "D"), [])
    assert store.get("b") is None
    assert texts(store.conversation("c")) == ["A", "C"]


def test_number_and_size_have_limits(store: ResponseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MOST_RESPONSES", 3)
    for name in "abcd":
        store.save(response(name, name), [])
    assert [store.get(name) is not None for name in "abcd"] == [False, True, True, True]
    monkeypatch.setattr(store_module, "MOST_BYTES", 2_600)
    store.save(response("e", "long" * 500), [])
    assert [store.get(name) is not None for name in "bcde"] == [False, False, True, True]


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    path.write_bytes(b"something else entirely, and longer than a header of sqlite " * 20)
    broken = ResponseStore(path)
    with pytest.raises(StorageFailed, match=r"responses\.db"):
        broken.save(response("a", "A"), [])
    with pytest.raises(StorageFailed):
        broken.get("a")


def test_many_at_once(store: ResponseStore) -> None:
    def save(worker: int) -> None:
        for turn in range(5):
            store.save(response(f"{worker}-{turn}", "x", f"{worker}-{turn - 1}" if turn else None), listed("1"))

    workers = [threading.Thread(target=save, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(len(store.conversation(f"{worker}-4")) == 10 for worker in range(8))
