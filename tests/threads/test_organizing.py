"""Folders, order, pins, archive, trash, titles, copies, settings."""

from __future__ import annotations

import pytest

from tests.threads.talk import talk, texts, user
from tui.domain import (
    BadRequest,
    Busy,
    Constraint,
    ImagePart,
    Message,
    StorageFailed,
    TextDelta,
    TextPart,
    text_message,
)
from tui.threads import NewMessage, NewThread, ThreadSettings, ThreadStore


def drawn(store: ThreadStore, **how: object) -> list[str]:
    """The side bar, one string a line."""
    rows = store.tree(**how)  # type: ignore[arg-type]
    return [
        "  " * row.depth + (f"[{row.folder.title}]" if row.folder else (row.thread or _none()).title) for row in rows
    ]


def _none() -> None:
    raise AssertionError("a row is a folder or a thread")


def titles(store: ThreadStore, **how: object) -> list[str]:
    return [thread.title for thread in store.list_threads(**how)]  # type: ignore[arg-type]


def test_threads_lie_in_folders_that_lie_in_folders(store: ThreadStore) -> None:
    work = store.folders.create("Work")
    letters = store.folders.create("Letters", parent_id=work.id)
    store.folders.create("Home")
    store.create_thread("loose")
    store.create_thread("to Ann", folder_id=letters.id)
    store.create_thread("plan", folder_id=work.id)
    assert drawn(store) == ["[Work]", "  [Letters]", "    to Ann", "  plan", "[Home]", "loose"]
    store.folders.set_collapsed(work.id, True)
    assert drawn(store) == ["[Work]", "[Home]", "loose"]
    assert drawn(store, expand_all=True)[2] == "    to Ann"
    assert [folder.title for folder in store.folders.all()] == ["Work", "Letters", "Home"]
    undo = store.folders.rename(letters.id, "Post")
    renamed = store.folders.get(letters.id)
    assert renamed is not None
    assert (renamed.title, renamed.parent_id) == ("Post", work.id)
    store.undo(undo)
    assert store.folders.get(letters.id) == letters


def test_folders_move_but_not_into_themselves(store: ThreadStore) -> None:
    a, b, c = (store.folders.create(name) for name in "abc")
    inner = store.folders.create("inner", parent_id=a.id)
    undo = store.folders.move(c.id, None, before=a.id)
    assert drawn(store) == ["[c]", "[a]", "  [inner]", "[b]"]
    store.folders.move(b.id, inner.id)
    assert drawn(store) == ["[c]", "[a]", "  [inner]", "    [b]"]
    with pytest.raises(BadRequest, match="itself"):
        store.folders.move(a.id, b.id)
    with pytest.raises(BadRequest, match="itself"):
        store.folders.move(a.id, a.id)
    with pytest.raises(BadRequest, match="put it above"):
        store.folders.move(c.id, None, before=b.id)
    store.undo(undo)
    assert drawn(store) == ["[a]", "  [inner]", "    [b]", "[c]"]


def test_a_deleted_folder_takes_its_threads_to_the_trash_and_back(store: ThreadStore) -> None:
    outer = store.folders.create("outer")
    inner = store.folders.create("inner", parent_id=outer.id)
    first = store.create_thread("first", folder_id=inner.id)
    second = store.create_thread("second", folder_id=outer.id)
    undo = store.folders.delete(outer.id)
    assert drawn(store) == []
    assert set(titles(store, which="trashed")) == {"first", "second"}
    store.restore_thread(second.id)
    assert drawn(store) == ["second"], "at the top, for its folder is gone"
    store.undo(undo)
    assert titles(store, which="trashed") == []
    store.move_thread(second.id, outer.id)
    assert drawn(store) == ["[outer]", "  [inner]", "    first", "  second"]
    store.folders.delete(inner.id)
    assert store.empty_trash() == 1
    assert store.thread(first.id) is None
    assert drawn(store) == ["[outer]", "  second"]
    for change in (
        lambda: store.folders.rename(inner.id, "x"),
        lambda: store.create_thread("x", folder_id=inner.id),
        lambda: store.move_thread(second.id, inner.id),
        lambda: store.folders.create("x", parent_id="nowhere"),
    ):
        with pytest.raises(StorageFailed, match="folder does not exist"):
            change()


def test_threads_in_every_order(store: ThreadStore) -> None:
    ids = {name: store.create_thread(name).id for name in ("Part 10", "part 9", "Zoo", "älter")}
    store.create_thread("")
    store.add_message(ids["Zoo"], text_message("system", "x"))
    assert titles(store) == ["Zoo", "", "älter", "part 9", "Part 10"]
    assert titles(store, sort="created") == ["", "älter", "Zoo", "part 9", "Part 10"]
    assert titles(store, sort="title") == ["part 9", "Part 10", "Zoo", "älter", ""]
    assert titles(store, sort="manual") == ["", "älter", "Zoo", "part 9", "Part 10"], "new ones come to the top"
    undo = store.move_thread(ids["Part 10"], None, before=ids["älter"])
    assert titles(store, sort="manual") == ["", "Part 10", "älter", "Zoo", "part 9"]
    store.move_thread(ids["älter"], None)
    assert titles(store, sort="manual") == ["", "Part 10", "Zoo", "part 9", "älter"]
    store.create_thread("new")
    assert titles(store, sort="manual")[0] == "new"
    store.undo(undo)
    pin = store.pin_thread(ids["part 9"], True)
    assert titles(store)[0] == "part 9"
    assert store.list_threads()[0].pinned
    store.undo(pin)
    assert titles(store)[0] != "part 9"


def test_archived_threads_are_out_of_sight(store: ThreadStore) -> None:
    thread = store.create_thread("old letters")
    undo = store.archive_thread(thread.id, True)
    assert (titles(store), titles(store, which="archived")) == ([], ["old letters"])
    assert drawn(store) == []
    assert [hit.thread.title for hit in store.finder.jump("ol")] == ["old letters"]
    store.undo(undo)
    assert titles(store) == ["old letters"]
    store.archive_thread(thread.id, True)
    store.archive_thread(thread.id, False)
    assert titles(store) == ["old letters"]


def test_the_trash_is_emptied_for_good(store: ThreadStore) -> None:
    kept_id, _ = talk(store, "keep", "kept")
    gone_id, _ = talk(store, "throw", "away")
    store.editor.delete(store.messages(kept_id)[1].id)
    undo = store.trash_thread(gone_id)
    assert undo.title == "Deleted a thread"
    assert [thread.trashed is not None for thread in store.list_threads("trashed")] == [True]
    assert store.empty_trash() == 1
    assert store.list_threads("trashed") == []
    assert store.thread(gone_id) is None
    assert texts(store, kept_id) == ["keep"]
    assert store.finder.search("throw") == []
    with pytest.raises(StorageFailed, match="thread does not exist"):
        store.undo(undo)


def test_the_trash_waits_for_an_answer(store: ThreadStore) -> None:
    thread_id, _ = talk(store, "Q")
    store.begin_answer(thread_id, model="m").record([TextDelta("x")])
    store.trash_thread(thread_id)
    with pytest.raises(Busy):
        store.empty_trash()
    assert len(store.list_threads("trashed")) == 1


def test_a_generated_title_never_replaces_the_persons(store: ThreadStore) -> None:
    thread_id, _ = talk(store, "please help me with this")
    assert store.list_threads()[0].title_origin == "first message"
    assert store.set_title(thread_id, "", generated=True) is None
    undo = store.set_title(thread_id, "A Helping Hand", generated=True)
    assert undo is not None
    assert (store.list_threads()[0].title, store.list_threads()[0].title_origin) == ("A Helping Hand", "generated")
    store.undo(undo)
    assert store.list_threads()[0].title_origin == "first message"
    store.rename_thread(thread_id, "Mine")
    assert store.set_title(thread_id, "Theirs", generated=True) is None
    assert store.list_threads()[0].title == "Mine"
    store.set_title(thread_id, "Mine too")
    assert store.list_threads()[0].title == "Mine too"


def test_a_copy_has_everything_and_is_a_thread_of_its_own(store: ThreadStore) -> None:
    folder = store.folders.create("F")
    thread = store.create_thread("T", folder_id=folder.id, settings=ThreadSettings(system_prompt="Be brief."))
    picture = Message("user", (ImagePart(b"the picture", "image/png"), TextPart("Q")))
    question = store.add_message(thread.id, picture)
    first = store.add_message(thread.id, text_message("assistant", "A1"), model="m")
    store.add_message(thread.id, text_message("assistant", "A2"), parent_id=question.id)
    store.editor.activate(first.id)
    store.save_draft(thread.id, "not yet")
    running = store.begin_answer(thread.id, model="m")
    running.record([TextDelta("half")])
    copy = store.duplicate_thread(thread.id)
    assert (copy.title, copy.folder_id, copy.message_count) == ("T (copy)", folder.id, 4)
    assert texts(store, copy.id) == ["Q", "A1", "half"]
    copied = store.messages(copy.id)
    assert copied[0].message == picture
    assert (copied[1].version, copied[1].versions, copied[2].status) == (1, 2, "stopped")
    assert store.draft(copy.id) == "not yet"
    assert store.thread_settings(copy.id).system_prompt == "Be brief."
    assert len(list(store.attachments.folder.glob("??/*"))) == 1, "both share the picture"
    store.editor.delete(copied[0].id)
    assert texts(store, thread.id) == ["Q", "A1", "half"]
    store.empty_trash()
    assert store.messages(thread.id)[0].message == picture
    assert store.duplicate_thread(thread.id).message_count == 4


def test_copies_are_told_apart(store: ThreadStore) -> None:
    first, _ = talk(store, "Q", title="T")
    second = store.duplicate_thread(first)
    third = store.duplicate_thread(second.id)
    assert (second.title, third.title) == ("T (copy)", "T (copy 2)")
    store.trash_thread(third.id)
    elsewhere = store.folders.create("F")
    store.move_thread(second.id, elsewhere.id)
    fourth = store.duplicate_thread(first)
    assert fourth.title == "T (copy 3)", "those elsewhere and in the trash have their titles too"
    store.rename_thread(second.id, "Other")
    assert store.duplicate_thread(fourth.id).title == "T (copy)"
    question = store.messages(first)[0].id
    branches = [store.branch_thread(question) for _ in range(2)]
    assert [branch.title for branch in branches] == ["T (branch)", "T (branch 2)"]
    assert store.duplicate_thread(branches[1].id).title == "T (branch 2) (copy)"
    assert store.duplicate_thread(store.create_thread().id).title == ""


def test_a_new_thread_from_any_point(store: ThreadStore) -> None:
    thread_id, (_, answer, _, _) = talk(store, "Q", "A", "more", "B", title="T")
    branch = store.branch_thread(answer.id)
    assert (branch.title, texts(store, branch.id)) == ("T (branch)", ["Q", "A"])
    assert texts(store, thread_id) == ["Q", "A", "more", "B"]
    store.add_message(branch.id, user("other"))
    assert texts(store, branch.id) == ["Q", "A", "other"]
    for missing in (lambda: store.branch_thread("nowhere"), lambda: store.duplicate_thread("nowhere")):
        with pytest.raises(StorageFailed, match="does not exist"):
            missing()


def test_settings_come_from_the_thread_and_its_folders(store: ThreadStore) -> None:
    outer = store.folders.create("outer")
    inner = store.folders.create("inner", parent_id=outer.id)
    thread = store.create_thread("T", folder_id=inner.id)
    assert store.effective_settings(thread.id) == ThreadSettings()
    store.folders.save_settings(
        outer.id,
        ThreadSettings("Outer.", "big", "Writing", {"sampling.top_k": 1, "sampling.seed": 1}, stop=("END",)),
    )
    store.folders.save_settings(inner.id, ThreadSettings(model="small", overrides={"sampling.top_k": 2}))
    constraint = Constraint("json_schema", '{"type": "object"}')
    undo = store.save_thread_settings(
        thread.id, ThreadSettings("", preset="", overrides={"sampling.temperature": 0.5}, constraint=constraint)
    )
    assert store.effective_settings(thread.id) == ThreadSettings(
        "",
        "small",
        "",
        {"sampling.temperature": 0.5, "sampling.top_k": 2, "sampling.seed": 1},
        constraint,
        ("END",),
    )
    assert [(layer.origin, layer.title) for layer in store.settings_layers(thread.id)] == [
        ("thread", "T"),
        ("folder", "inner"),
        ("folder", "outer"),
    ]
    store.undo(undo)
    assert store.thread_settings(thread.id) == ThreadSettings()
    assert store.effective_settings(thread.id).system_prompt == "Outer."
    with pytest.raises(StorageFailed, match="thread does not exist"):
        store.thread_settings("nowhere")


def test_settings_that_make_no_sense_say_nothing(store: ThreadStore) -> None:
    thread = store.create_thread("T")
    for column in ("[", "3", '{"model": 3, "stop": "x", "overrides": [], "constraint": {"kind": "poem"}}'):
        with store._database.writing() as connection:
            connection.execute("UPDATE threads SET settings = ?", (column,))
        assert store.thread_settings(thread.id) == ThreadSettings()


def test_a_whole_thread_is_stored_at_once(store: ThreadStore) -> None:
    messages = (
        NewMessage(user("Q"), None, created=100.0),
        NewMessage(text_message("assistant", "A1"), 0, model="m", settings={"sampling.seed": 3}, status="stopped"),
        NewMessage(text_message("assistant", "A2"), 0, model="n"),
        NewMessage(user("more"), 1, kind="note", edited=120.0),
    )
    thread = store.put_thread(NewThread("T", messages, leaf=3, created=90.0, updated=130.0, pinned=True, draft="d"))
    assert (thread.created, thread.updated, thread.pinned, thread.model) == (90.0, 130.0, True, "n")
    assert texts(store, thread.id) == ["Q", "A1", "more"]
    question, answer, note = store.messages(thread.id)
    assert (question.created, answer.status, answer.settings) == (100.0, "stopped", {"sampling.seed": 3})
    assert (answer.version, answer.versions, note.kind, note.edited) == (1, 2, "note", 120.0)
    assert store.draft(thread.id) == "d"
    store.editor.step_version(answer.id, 1)
    store.editor.step_version(store.messages(thread.id)[1].id, -1)
    assert texts(store, thread.id) == ["Q", "A1", "more"]
    untitled = store.put_thread(NewThread("", messages))
    assert (untitled.title, untitled.title_origin) == ("Q", "first message")
    assert texts(store, untitled.id) == ["Q", "A1", "more"], "without a leaf the last message is it"
    with pytest.raises(BadRequest, match="message 2"):
        store.put_thread(NewThread("x", (NewMessage(user("Q"), 2),)))
    assert len(store.list_threads()) == 2


def test_what_was_sent_before_comes_back_newest_first(store: ThreadStore) -> None:
    thread_id, messages = talk(store, "one", "answer", "two")
    talk(store, "one")
    talk(store, "three")
    store.add_message(thread_id, user("a note"), kind="note")
    assert store.input_history() == ["three", "one", "two"]
    assert store.input_history(2) == ["three", "one"]
    store.editor.delete(messages[2].id)
    assert store.input_history() == ["three", "one"]
