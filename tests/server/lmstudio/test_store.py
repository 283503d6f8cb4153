"""Conversations on disk: branches, limits, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.domain import ImagePart, Message, ReasoningPart, StorageFailed, TextPart, text_message
from tui.server.lmstudio import store as store_module
from tui.server.lmstudio.errors import Mistake
from tui.server.lmstudio.store import LONGEST_KEPT, ChatStore, Conversation

TURN = (text_message("user", "Hi"), Message("assistant", (ReasoningPart("Hm"), TextPart("Hello"))))


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def known(store: ChatStore, response_id: str) -> bool:
    try:
        store.conversation(response_id)
    except Mistake:
        return False
    return True


def test_branches_share_their_beginning(tmp_path: Path) -> None:
    store = ChatStore(tmp_path / "new" / "chats.db")
    first = store.add(Conversation(), "Be kind.", TURN)
    before = store.conversation(first)
    assert (before.id, before.turns, before.system_prompt, before.messages) == (first, 1, "Be kind.", TURN)
    picture = (Message("user", (ImagePart(b"\x89PNG", "image/png"),)), text_message("assistant", "A cat"))
    branches = [store.add(before, "Be kind.", picture), store.add(before, "Be brief.", TURN)]
    assert store.conversation(branches[0]).messages == (*TURN, *picture)
    assert store.conversation(branches[1]).messages == (*TURN, *TURN)
    assert store.conversation(branches[1]).system_prompt == "Be brief."
    assert (tmp_path / "new" / "chats.db").stat().st_mode & 0o077 == 0, "nobody else may read it"


def test_what_is_in_use_keeps_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_TRIM_EVERY", 1)
    clock = Clock()
    store = ChatStore(tmp_path / "chats.db", clock)
    old = store.add(Conversation(), "", TURN)
    forgotten = store.add(Conversation(), "", TURN)
    clock.now += LONGEST_KEPT - 10
    new = store.add(store.conversation(old), "", TURN)
    clock.now += 20
    store.add(Conversation(), "", TURN)
    assert [known(store, one) for one in (old, forgotten, new)] == [True, False, True]
    assert store.conversation(new).turns == 2


def test_too_many_turns_go_from_their_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_TRIM_EVERY", 1)
    monkeypatch.setattr(store_module, "MOST_TURNS", 4)
    store = ChatStore(tmp_path / "chats.db", Clock())  # everything is of one age
    chain = [store.add(Conversation(), "", TURN)]
    for _ in range(3):
        chain.append(store.add(store.conversation(chain[-1]), "", TURN))
    store.add(Conversation(), "", TURN)
    assert [known(store, one) for one in chain] == [True, True, True, False]
    monkeypatch.setattr(store_module, "MOST_BYTES", 1)
    store.add(Conversation(), "", TURN)
    assert not any(known(store, one) for one in chain)


def test_a_chain_without_its_beginning_is_not_gone_on_from(tmp_path: Path) -> None:
    store = ChatStore(tmp_path / "chats.db")
    orphan = store.add(Conversation("resp_gone", 1), "", TURN)
    assert not known(store, orphan)


def test_a_damaged_file_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "chats.db"
    file.write_bytes(b"no database" * 100)
    with pytest.raises(StorageFailed):
        ChatStore(file).add(Conversation(), "", TURN)
    with pytest.raises(StorageFailed):
        ChatStore(file).conversation("resp_1")
