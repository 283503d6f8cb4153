"""Pictures beside the store: once each, found again, removed when nobody needs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.threads.talk import talk
from tui.domain import ImagePart, Message, StorageFailed, TextPart
from tui.threads import ThreadStore, attachments

PICTURE = ImagePart(b"\x89PNG a picture", "image/png", "holiday.png")


def files(store: ThreadStore) -> list[Path]:
    return [path for path in store.attachments.folder.rglob("*") if path.is_file()]


def test_a_picture_lies_beside_the_store_once(store: ThreadStore, store_path: Path) -> None:
    for _ in range(3):
        thread_id, _ = talk(store)
        store.add_message(thread_id, Message("user", (PICTURE, TextPart("look"))))
    (file,) = files(store)
    assert file.read_bytes() == PICTURE.data
    assert file.stat().st_mode & 0o077 == 0
    assert PICTURE.data not in store_path.read_bytes() + store_path.with_name("lmdeck.db-wal").read_bytes()
    assert store.messages(thread_id)[0].message.parts == (PICTURE, TextPart("look"))
    assert [hit.thread.id for hit in store.finder.search("holiday.png", thread_id=thread_id)] == [thread_id]


def test_a_folder_of_its_own(tmp_path: Path) -> None:
    store = ThreadStore(tmp_path / "lmdeck.db", tmp_path / "elsewhere")
    thread_id, _ = talk(store)
    store.add_message(thread_id, Message("user", (PICTURE,)))
    assert len(list((tmp_path / "elsewhere").glob("??/*"))) == 1
    store.close()


def test_a_picture_that_is_gone_says_so(store: ThreadStore) -> None:
    thread_id, _ = talk(store)
    store.add_message(thread_id, Message("user", (PICTURE, TextPart("look"))))
    files(store)[0].unlink()
    missing, text = store.messages(thread_id)[0].message.parts
    assert missing == TextPart(attachments.MISSING_TEXT)
    assert text == TextPart("look")


def test_a_half_written_picture_is_written_again(store: ThreadStore) -> None:
    thread_id, _ = talk(store)
    store.add_message(thread_id, Message("user", (PICTURE,)))
    files(store)[0].write_bytes(b"\x00")
    store.add_message(thread_id, Message("user", (PICTURE,)))
    assert files(store)[0].read_bytes() == PICTURE.data


def test_pictures_go_when_no_message_needs_them(store: ThreadStore) -> None:
    thread_id, _ = talk(store)
    message = store.add_message(thread_id, Message("user", (PICTURE,)))
    copy = store.duplicate_thread(thread_id)
    os.utime(files(store)[0], (0, 0))
    store.editor.delete(message.id)
    store.empty_trash()
    assert len(files(store)) == 1, "the copy has it still"
    store.trash_thread(copy.id)
    store.empty_trash()
    assert files(store) == []


def test_a_new_picture_is_not_taken_for_an_unused_one(store: ThreadStore) -> None:
    store.attachments.keep(b"about to be used by another process")
    store.empty_trash()
    assert len(files(store)) == 1


def test_a_disk_that_takes_no_pictures_says_so(store: ThreadStore) -> None:
    thread_id, _ = talk(store)
    store.attachments.folder.write_text("in the way")
    with pytest.raises(StorageFailed, match="attached file cannot be stored") as caught:
        store.add_message(thread_id, Message("user", (PICTURE,)))
    assert caught.value.advice
    assert store.messages(thread_id) == []


def test_a_name_that_is_no_hash_leads_nowhere(store: ThreadStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    assert store.attachments.read("../secret") is None
    assert store.attachments.read("0" * 64) is None
