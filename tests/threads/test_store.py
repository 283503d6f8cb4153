"""Threads, messages and drafts, as they are found again after the store was closed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tui.domain import Message, ReasoningPart, StorageFailed, TextDelta, TextPart, text_message
from tui.threads import ThreadStore


def texts(store: ThreadStore, thread_id: str) -> list[str]:
    return [stored.message.text for stored in store.messages(thread_id)]


def test_a_conversation_is_there_again_after_closing(store_path: Path) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread()
    asked = store.add_message(thread.id, text_message("user", "What is *SQLite*?"))
    answer = Message("assistant", (ReasoningPart("hm"), TextPart("A library.")))
    answered = store.add_message(thread.id, answer, model="tiny")
    store.close()

    store = ThreadStore(store_path)
    assert store.messages(thread.id) == [asked, answered]
    assert (asked.parent_id, answered.parent_id) == (None, asked.id)
    (summary,) = store.list_threads()
    assert (summary.title, summary.message_count, summary.model) == ("What is SQLite?", 2, "tiny")
    assert summary.updated == answered.created >= summary.created == thread.created
    store.close()


def test_threads_are_listed_by_last_use(store: ThreadStore) -> None:
    first, second, third = (store.create_thread(name) for name in ("first", "second", "third"))
    store.add_message(first.id, text_message("user", "again"))
    assert [thread.id for thread in store.list_threads()] == [first.id, third.id, second.id]


def test_a_given_title_stays_and_a_new_one_replaces_it(store: ThreadStore) -> None:
    thread = store.create_thread("Mine")
    store.add_message(thread.id, text_message("user", "Something else"))
    assert store.list_threads()[0].title == "Mine"
    store.rename_thread(thread.id, "Yours")
    assert store.list_threads()[0].title == "Yours"


def test_only_a_user_message_gives_the_title(store: ThreadStore) -> None:
    thread = store.create_thread()
    store.add_message(thread.id, text_message("system", "You are kind."))
    store.add_message(thread.id, text_message("assistant", "Welcome."))
    assert store.list_threads()[0].title == ""
    store.add_message(thread.id, text_message("user", "Hello there"))
    store.add_message(thread.id, text_message("user", "And more"))
    assert store.list_threads()[0].title == "Hello there"


def test_the_trash_keeps_a_thread_whole(store: ThreadStore) -> None:
    thread = store.create_thread()
    store.add_message(thread.id, text_message("user", "Keep me"))
    store.save_draft(thread.id, "and me")
    store.trash_thread(thread.id)
    assert store.list_threads() == []
    store.restore_thread(thread.id)
    assert [summary.title for summary in store.list_threads()] == ["Keep me"]
    assert texts(store, thread.id) == ["Keep me"]
    assert store.draft(thread.id) == "and me"


def test_a_message_behind_an_earlier_one_opens_a_branch(store: ThreadStore) -> None:
    thread = store.create_thread()
    asked = store.add_message(thread.id, text_message("user", "Q"))
    first = store.add_message(thread.id, text_message("assistant", "A1"))
    store.add_message(thread.id, text_message("user", "more"))
    second = store.add_message(thread.id, text_message("assistant", "A2"), parent_id=asked.id)
    assert first.parent_id == second.parent_id == asked.id
    assert texts(store, thread.id) == ["Q", "A2"]
    store.begin_answer(thread.id, parent_id=asked.id, model="m").record([TextDelta("A3")])
    assert texts(store, thread.id) == ["Q", "A3"]
    summary = store.thread(thread.id)
    assert summary is not None
    assert summary.message_count == 5


def test_a_long_branch_comes_in_order(store: ThreadStore) -> None:
    thread = store.create_thread()
    expected = [f"message {number}" for number in range(150)]
    for text in expected:
        store.add_message(thread.id, text_message("user", text))
    assert texts(store, thread.id) == expected


def test_a_message_cannot_hang_on_another_thread(store: ThreadStore) -> None:
    first, second = store.create_thread(), store.create_thread()
    stranger = store.add_message(first.id, text_message("user", "mine"))
    with pytest.raises(StorageFailed, match="does not exist"):
        store.add_message(second.id, text_message("user", "x"), parent_id=stranger.id)
    assert texts(store, first.id) == ["mine"]
    assert texts(store, second.id) == []


def test_a_thread_that_does_not_exist(store: ThreadStore) -> None:
    assert store.thread("nowhere") is None
    assert store.messages("nowhere") == []
    assert store.draft("nowhere") == ""
    for change in (
        lambda: store.rename_thread("nowhere", "x"),
        lambda: store.trash_thread("nowhere"),
        lambda: store.restore_thread("nowhere"),
        lambda: store.save_draft("nowhere", "x"),
        lambda: store.add_message("nowhere", text_message("user", "x")),
        lambda: store.begin_answer("nowhere", model="m"),
    ):
        with pytest.raises(StorageFailed, match="does not exist"):
            change()


def test_text_that_no_encoding_can_hold_is_kept_as_far_as_possible(store: ThreadStore) -> None:
    thread = store.create_thread("bad \ud800 title")
    store.add_message(thread.id, text_message("user", "a\ud800b \ud83d\ude00 \x00 end"))
    store.save_draft(thread.id, "\udfff")
    recorder = store.begin_answer(thread.id, model="m")
    recorder.record([TextDelta("c\udc00")])
    assert recorder.problem is None
    assert texts(store, thread.id) == ["a\ufffdb 😀 \x00 end", "c\ufffd"]
    assert store.draft(thread.id) == "\ufffd"


def test_ids_sort_by_time_and_differ(store: ThreadStore) -> None:
    first = store.create_thread().id
    rest = {store.create_thread().id for _ in range(50)}
    assert len(rest) == 50
    assert all(first < other for other in rest)


def test_several_threads_may_use_one_store(store: ThreadStore) -> None:
    thread = store.create_thread()
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(20):
                store.add_message(thread.id, text_message("user", f"{name}{number}"))
                store.messages(thread.id)
                store.list_threads()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    found = texts(store, thread.id)
    assert len(found) == 60
    assert [text for text in found if text.startswith("b")] == [f"b{number}" for number in range(20)]


def test_a_closed_store_says_so_and_closes_twice(store_path: Path) -> None:
    store = ThreadStore(store_path)
    store.close()
    store.close()
    with pytest.raises(StorageFailed):
        store.list_threads()


def test_nobody_else_can_read_the_file(store: ThreadStore, store_path: Path) -> None:
    thread = store.create_thread()
    store.begin_answer(thread.id, model="m")
    assert {path.stat().st_mode & 0o077 for path in store_path.parent.glob("lmdeck.db*")} == {0}
