"""The whole store in one file, and back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.threads.children import start
from tests.threads.talk import talk, texts, user
from tests.threads.test_migration import make_first_version
from tui.domain import Busy, Finished, GenerationStats, ImagePart, Message, StorageFailed, TextDelta
from tui.threads import ThreadStore, schema

PICTURE = Message("user", (ImagePart(b"a picture", "image/png"),))


def test_a_backup_brings_everything_back(store: ThreadStore, store_path: Path, tmp_path: Path) -> None:
    thread_id, (question, _) = talk(store, "Q", "A", title="T")
    store.add_message(thread_id, PICTURE)
    whole = store.messages(thread_id)
    backup = tmp_path / "safe.zip"
    store.back_up(backup)
    assert backup.stat().st_mode & 0o077 == 0
    store.editor.delete(question.id)
    store.empty_trash()
    other_id, _ = talk(store, "later", title="after the backup")
    for file in store.attachments.folder.glob("??/*"):
        file.unlink()

    second = ThreadStore(store_path)
    assert len(second.list_threads()) == 2
    before = store.restore_backup(backup)
    assert store.messages(thread_id) == whole
    assert [hit.thread.id for hit in store.finder.search("Q")] == [thread_id]
    assert store.thread(other_id) is None
    assert second.messages(thread_id) == whole, "who has it open sees it, too"
    second.add_message(thread_id, user("goes on"))
    assert texts(store, thread_id)[-1] == "goes on"
    second.close()

    assert before.parent == store_path.parent
    store.restore_backup(before)
    assert [thread.title for thread in store.list_threads()] == ["after the backup", "T"]


def test_a_backup_while_another_process_writes(store: ThreadStore, store_path: Path, tmp_path: Path) -> None:
    thread = store.create_thread("T")
    child = start("answer", store_path, thread.id, tmp_path / "log")
    try:
        store.back_up(tmp_path / "b.zip")
    finally:
        child.kill()
        child.communicate()
    store.restore_backup(tmp_path / "b.zip")
    assert store.messages(thread.id)[-1].status == "interrupted"


def test_a_backup_takes_the_place_of_an_older_one_only_when_it_is_whole(store: ThreadStore, tmp_path: Path) -> None:
    target = tmp_path / "b.zip"
    talk(store, "Q")
    store.back_up(target)
    before = target.read_bytes()
    store.close()
    store._database.path.write_bytes(b"not a database any more")
    with pytest.raises(StorageFailed):
        store.back_up(target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_backup_to_where_nothing_can_be_written(store: ThreadStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file" / "b.zip", tmp_path / "nowhere" / "b.zip"):
        with pytest.raises(StorageFailed):
            store.back_up(target)


def test_a_backup_of_the_first_version_is_brought_up_to_date(store: ThreadStore, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    make_first_version(old)
    backup = tmp_path / "b.zip"
    pack(backup, {"format": 1, "schema": 1}, old.read_bytes())
    store.restore_backup(backup)
    assert [thread.title for thread in store.list_threads()] == ["Old", ""]
    assert store.finder.search("question")


def pack(target: Path, manifest: object, database: bytes, **more: bytes) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("lmdeck-backup.json", json.dumps(manifest))
        archive.writestr("lmdeck.db", database)
        for name, content in more.items():
            archive.writestr(f"attachments/{name}", content)


def test_what_is_no_backup_changes_nothing(store: ThreadStore, tmp_path: Path) -> None:
    thread_id, _ = talk(store, "Q")
    good = tmp_path / "good.zip"
    store.back_up(good)
    with zipfile.ZipFile(good) as archive:
        database = archive.read("lmdeck.db")
    version = schema.SCHEMA_VERSION
    target = tmp_path / "bad.zip"

    def refused(words: str) -> None:
        with pytest.raises(StorageFailed, match=words) as caught:
            store.restore_backup(target)
        assert str(target) in caught.value.message
        assert texts(store, thread_id) == ["Q"]

    refused("No such file")
    target.write_bytes(b"no archive")
    refused("no whole ZIP file")
    target.write_bytes(good.read_bytes()[:-100])
    refused("no whole ZIP file")
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "x")
    refused("no list of its content")
    pack(target, {"format": 2, "schema": version}, database)
    refused("newer lmdeck")
    pack(target, {"format": 1, "schema": version + 1}, database)
    refused("newer lmdeck")
    pack(target, [1], database)
    refused("no list of its content")
    pack(target, {"format": 1, "schema": version}, b"SQLite")
    refused("database")
    pack(target, {"format": 1, "schema": version}, database[:4096] + b"\xff" * (len(database) - 4096))
    refused("database")
    pack(target, {"format": 1, "schema": version}, database, **{"0" * 64: b"something else"})
    refused("an attachment is not what it was")


def test_a_backup_waits_for_running_answers(store: ThreadStore, tmp_path: Path) -> None:
    thread_id, _ = talk(store, "Q")
    recorder = store.begin_answer(thread_id, model="m")
    recorder.record([TextDelta("x")])
    store.back_up(tmp_path / "b.zip")
    with pytest.raises(Busy):
        store.restore_backup(tmp_path / "b.zip")
    recorder.record([Finished(GenerationStats())])
    store.restore_backup(tmp_path / "b.zip")
    # Its writer lives, so that it may still come to an end.
    assert store.messages(thread_id)[-1].message.text == "x"


def test_a_store_of_a_newer_version_is_not_replaced(store: ThreadStore, store_path: Path, tmp_path: Path) -> None:
    import sqlite3

    talk(store, "Q")
    store.back_up(tmp_path / "b.zip")
    store.close()
    connection = sqlite3.connect(store_path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    newer = ThreadStore(store_path)
    with pytest.raises(StorageFailed, match="newer lmdeck"):
        newer.restore_backup(tmp_path / "b.zip")
    newer.close()
