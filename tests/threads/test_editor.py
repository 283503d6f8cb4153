"""Versions, insertions, roles and deletions, and taking them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.threads.talk import talk, texts, user
from tui.domain import (
    Busy,
    Finished,
    GenerationStats,
    ImagePart,
    Message,
    StorageFailed,
    TextDelta,
    TextPart,
    text_message,
)
from tui.threads import StoredMessage, ThreadStore


def shown(store: ThreadStore, thread_id: str) -> list[tuple[str, int, int]]:
    """The active branch with its `n of m`."""
    return [(stored.message.text, stored.version, stored.versions) for stored in store.messages(thread_id)]


def test_an_edited_message_is_a_version_beside_the_old_one(store: ThreadStore) -> None:
    thread_id, (question, answer) = talk(store, "Q", "A")
    edited, undo = store.editor.edit(question.id, user("Q2"))
    assert shown(store, thread_id) == [("Q2", 2, 2)]
    assert (edited.version, edited.versions, edited.parent_id) == (2, 2, None)
    assert edited.edited is not None
    assert [version.id for version in store.editor.versions(question.id)] == [question.id, edited.id]
    redo = store.undo(undo)
    assert shown(store, thread_id) == [("Q", 1, 1), ("A", 1, 1)]
    assert store.message(edited.id) is None
    store.undo(redo)
    assert shown(store, thread_id) == [("Q2", 2, 2)]
    assert store.editor.step_version(edited.id, -1) == question.id
    assert texts(store, thread_id) == ["Q", "A"]
    assert store.leaf(thread_id) == answer.id


def test_an_edited_answer_keeps_its_model_and_its_settings(store: ThreadStore) -> None:
    thread_id, (question,) = talk(store, "Q")
    recorder = store.begin_answer(thread_id, model="tiny", settings={"sampling.temperature": 0.2})
    recorder.record([TextDelta("wrong"), Finished(GenerationStats())])
    edited, _ = store.editor.edit(recorder.message_id, text_message("assistant", "right"))
    assert (edited.model, edited.settings) == ("tiny", {"sampling.temperature": 0.2})
    assert edited.parent_id == question.id


def test_editing_in_place_leaves_what_follows(store: ThreadStore) -> None:
    thread_id, (question, answer, _) = talk(store, "Q", "A", "more")
    undo = store.editor.edit_in_place(answer.id, text_message("assistant", "Better"))
    assert texts(store, thread_id) == ["Q", "Better", "more"]
    changed = store.message(answer.id)
    assert changed is not None
    assert changed.edited is not None
    assert store.editor.versions(answer.id) == [changed]
    store.undo(undo)
    assert texts(store, thread_id) == ["Q", "A", "more"]
    assert store.message(answer.id) == answer
    assert question.edited is None


def test_each_fork_remembers_what_was_shown_last_below_it(store: ThreadStore) -> None:
    thread_id, (question, first, follow) = talk(store, "Q", "A1", "more")
    second = store.add_message(thread_id, text_message("assistant", "A2"), parent_id=question.id)
    third, _ = store.editor.edit(second.id, text_message("assistant", "A3"))
    assert shown(store, thread_id) == [("Q", 1, 1), ("A3", 3, 3)]
    assert store.editor.step_version(third.id, -2) == first.id
    assert shown(store, thread_id) == [("Q", 1, 1), ("A1", 1, 3), ("more", 1, 1)]
    other, _ = store.editor.edit(question.id, user("Q2"))
    assert texts(store, thread_id) == ["Q2"]
    assert store.editor.step_version(other.id, -1) == question.id
    assert texts(store, thread_id) == ["Q", "A1", "more"], "not the newest answer, but the one that was shown last"
    assert store.leaf(thread_id) == follow.id
    assert store.editor.step_version(question.id, -1) is None
    assert store.editor.step_version(other.id, 1) is None
    undo = store.editor.activate(second.id)
    assert texts(store, thread_id) == ["Q", "A2"]
    store.undo(undo)
    assert texts(store, thread_id) == ["Q", "A1", "more"]


def test_a_message_deep_in_another_branch_is_brought_up(store: ThreadStore) -> None:
    thread_id, (question, _) = talk(store, "Q", "A")
    store.add_message(thread_id, text_message("assistant", "B"), parent_id=question.id)
    deep = store.add_message(thread_id, user("deep"))
    store.editor.edit(question.id, user("Q2"))
    store.editor.activate(deep.id)
    assert texts(store, thread_id) == ["Q", "B", "deep"]
    store.editor.step_version(question.id, 1)
    store.editor.step_version(store.messages(thread_id)[0].id, -1)
    assert texts(store, thread_id) == ["Q", "B", "deep"]


def test_a_message_is_put_between_two_others(store: ThreadStore) -> None:
    thread_id, (question, answer, _) = talk(store, "Q", "A", "more")
    _, undo = store.editor.insert(thread_id, user("also"), after=question.id)
    assert texts(store, thread_id) == ["Q", "also", "A", "more"]
    first, first_undo = store.editor.insert(thread_id, text_message("system", "Be kind."), after=None)
    assert texts(store, thread_id) == ["Be kind.", "Q", "also", "A", "more"]
    assert first.parent_id is None
    end, _ = store.editor.insert(thread_id, user("end"), after=store.leaf(thread_id))
    assert store.leaf(thread_id) == end.id
    redo = store.undo(first_undo)
    store.undo(undo)
    assert texts(store, thread_id) == ["Q", "A", "more", "end"]
    store.undo(redo)
    assert texts(store, thread_id) == ["Be kind.", "Q", "A", "more", "end"]
    assert [message.message.text for message in store.all_messages(thread_id)] == texts(store, thread_id)
    with pytest.raises(StorageFailed, match="message does not exist"):
        store.editor.insert(thread_id, user("x"), after="nowhere")
    assert answer.parent_id == question.id


def test_all_versions_move_below_an_inserted_message(store: ThreadStore) -> None:
    thread_id, (question, _) = talk(store, "Q", "A1")
    store.add_message(thread_id, text_message("assistant", "A2"), parent_id=question.id)
    store.editor.insert(thread_id, user("also"), after=question.id, kind="note")
    assert shown(store, thread_id) == [("Q", 1, 1), ("also", 1, 1), ("A2", 2, 2)]
    assert [stored.kind for stored in store.messages(thread_id)] == ["message", "note", "message"]


def test_a_role_is_switched(store: ThreadStore) -> None:
    thread_id, (question, _) = talk(store, "Q", "A")
    undo = store.editor.set_role(question.id, "assistant")
    assert [stored.message.role for stored in store.messages(thread_id)] == ["assistant", "assistant"]
    store.undo(undo)
    assert [stored.message.role for stored in store.messages(thread_id)] == ["user", "assistant"]


def test_deleting_takes_what_follows_with_it(store: ThreadStore) -> None:
    thread_id, (question, answer, _, _) = talk(store, "Q", "A", "more", "B")
    store.add_message(thread_id, text_message("assistant", "A2"), parent_id=question.id)
    store.editor.activate(answer.id)
    undo = store.editor.delete(answer.id)
    assert undo.title == "Deleted 3 messages"
    assert shown(store, thread_id) == [("Q", 1, 1), ("A2", 1, 1)], "the other version takes its place"
    summary = store.thread(thread_id)
    assert summary is not None
    assert summary.message_count == 2
    redo = store.undo(undo)
    assert texts(store, thread_id) == ["Q", "A", "more", "B"]
    assert shown(store, thread_id)[1] == ("A", 1, 2)
    store.undo(redo)
    assert texts(store, thread_id) == ["Q", "A2"]
    store.undo(store.editor.delete(question.id))
    assert texts(store, thread_id) == ["Q", "A2"]
    store.editor.delete(question.id)
    assert texts(store, thread_id) == []
    assert store.leaf(thread_id) is None
    store.add_message(thread_id, user("again"))
    assert shown(store, thread_id) == [("again", 1, 1)]


def test_deleting_one_message_moves_what_follows_up(store: ThreadStore) -> None:
    thread_id, (question, answer, more) = talk(store, "Q", "A", "more")
    undo = store.editor.delete_single(answer.id)
    assert texts(store, thread_id) == ["Q", "more"]
    assert store.messages(thread_id)[1].parent_id == question.id
    first_undo = store.editor.delete_single(question.id)
    assert texts(store, thread_id) == ["more"]
    last_undo = store.editor.delete_single(more.id)
    assert texts(store, thread_id) == []
    for step in (last_undo, first_undo, undo):
        store.undo(step)
    assert store.messages(thread_id) == [question, answer, more]


def test_undoing_an_edit_hides_what_was_written_behind_it(store: ThreadStore) -> None:
    thread_id, (question, _) = talk(store, "Q", "A")
    _, undo = store.editor.edit(question.id, user("Q2"))
    later = store.add_message(thread_id, text_message("assistant", "A2"))
    redo = store.undo(undo)
    assert texts(store, thread_id) == ["Q", "A"]
    assert store.message(later.id) is None
    assert store.finder.search("A2") == []
    store.undo(redo)
    assert texts(store, thread_id) == ["Q2", "A2"]


def test_undoing_in_another_order_leaves_a_branch_that_can_be_read(store: ThreadStore) -> None:
    thread_id, (question, answer) = talk(store, "Q", "A")
    _, undo_edit = store.editor.edit(answer.id, text_message("assistant", "A2"))
    store.editor.delete(answer.id)
    store.undo(undo_edit)
    assert texts(store, thread_id) == ["Q"]
    assert store.leaf(thread_id) == question.id


def test_an_answer_that_is_being_written_is_left_alone(store: ThreadStore) -> None:
    thread_id, (question,) = talk(store, "Q")
    recorder = store.begin_answer(thread_id, model="m")
    recorder.record([TextDelta("wo")])
    for change in (
        lambda: store.editor.delete(question.id),
        lambda: store.editor.delete_single(recorder.message_id),
        lambda: store.editor.edit_in_place(recorder.message_id, user("x")),
        lambda: store.editor.set_role(recorder.message_id, "user"),
        lambda: store.continue_answer(recorder.message_id, model="m"),
    ):
        with pytest.raises(Busy):
            change()
    recorder.record([TextDelta("rd"), Finished(GenerationStats())])
    assert texts(store, thread_id) == ["Q", "word"]
    store.editor.delete(question.id)


def test_an_answer_is_gone_on_from(store: ThreadStore, store_path: Path) -> None:
    thread_id, _ = talk(store, "Q")
    first = store.begin_answer(thread_id, model="m", settings={"sampling.seed": 1})
    first.record([TextDelta("One, "), Finished(GenerationStats(stop_reason="userStopped"))])
    recorder = store.continue_answer(first.message_id, model="n", settings={"sampling.seed": 2})
    assert recorder.message_id == first.message_id
    recorder.record([TextDelta("two")])
    reader = ThreadStore(store_path)
    running = reader.messages(thread_id)[-1]
    assert (running.message.text, running.status) == ("One, two", "streaming")
    reader.close()
    recorder.record([TextDelta("."), Finished(GenerationStats(generated_tokens=2))])
    ended = store.messages(thread_id)[-1]
    assert (ended.message.parts, ended.status) == ((TextPart("One, two."),), "complete")
    assert (ended.model, ended.settings) == ("n", {"sampling.seed": 2})
    assert [hit.message_id for hit in store.finder.search("two")] == [first.message_id]


def test_a_message_with_a_deleted_one_before_it_cannot_be_added(store: ThreadStore) -> None:
    thread_id, (_, answer) = talk(store, "Q", "A")
    store.editor.delete(answer.id)
    with pytest.raises(StorageFailed, match="does not exist"):
        store.add_message(thread_id, user("x"), parent_id=answer.id)
    with pytest.raises(StorageFailed, match="does not exist"):
        store.editor.edit(answer.id, user("x"))


def test_what_was_purged_cannot_be_undone(store: ThreadStore) -> None:
    thread_id, (_, answer) = talk(store, "Q", "A")
    undo = store.editor.delete(answer.id)
    assert store.empty_trash() == 0
    with pytest.raises(StorageFailed, match="message does not exist"):
        store.undo(undo)
    assert texts(store, thread_id) == ["Q"]


def test_the_last_messages_come_without_the_others(store: ThreadStore) -> None:
    thread_id, messages = talk(store, *(f"message {number}" for number in range(30)))
    store.editor.edit(messages[3].id, text_message("assistant", "elsewhere"))
    store.editor.activate(messages[-1].id)

    def numbers(found: list[StoredMessage]) -> list[int]:
        return [int(stored.message.text.split()[1]) for stored in found]

    assert numbers(store.last_messages(thread_id, 4)) == [26, 27, 28, 29]
    assert numbers(store.last_messages(thread_id, 3, before=messages[26].id)) == [23, 24, 25]
    assert numbers(store.last_messages(thread_id, 9, before=messages[2].id)) == [0, 1]
    assert store.last_messages(thread_id, 9, before=messages[0].id) == []
    assert store.last_messages("nowhere", 9) == []
    assert store.last_messages(thread_id, 100) == store.messages(thread_id)
    assert len(store.all_messages(thread_id)) == 31
    parents = {stored.id: place for place, stored in enumerate(store.all_messages(thread_id))}
    assert all(
        stored.parent_id is None or parents[stored.parent_id] < parents[stored.id]
        for stored in store.all_messages(thread_id)
    )


def test_an_edited_picture_can_be_undone(store: ThreadStore) -> None:
    thread_id, _ = talk(store)
    with_picture = Message("user", (ImagePart(b"PNG", "image/png", "a.png"), TextPart("look")))
    stored = store.add_message(thread_id, with_picture)
    undo = store.editor.edit_in_place(stored.id, user("no picture"))
    store.empty_trash()
    store.undo(undo)
    assert store.messages(thread_id)[0].message == with_picture
