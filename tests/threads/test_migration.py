"""A store of the first version, as its next version finds it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tui.domain import ImagePart, ReasoningPart, TextPart
from tui.threads import ThreadStore
from tui.threads.schema import MIGRATIONS

ANSWER = '[{"type": "reasoning", "text": "my thoughts"}, {"type": "text", "text": "An answer"}]'
PICTURE = '[{"type": "image", "data": "UE5H", "media_type": "image/png"}, {"type": "text", "text": "look"}]'


def make_first_version(path: Path) -> None:
    """Write a store as the first version did, also with what only damage can have made."""
    connection = sqlite3.connect(path)
    for statement in MIGRATIONS[0]:
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO threads (id, title, created, updated) VALUES ('t', 'Old', 1, 2), ('u', '', 1, 1)")
    rows = [
        ("m1", None, "user", '[{"type": "text", "text": "An old question"}]', "", 3.0),
        ("m2", "m1", "assistant", ANSWER, "tiny", 4.0),
        ("m3", "m1", "assistant", '[{"type": "text", "text": "Another answer"}]', "tiny", 5.0),
        ("m4", "m2", "user", PICTURE, "", 6.0),
        ("m5", "m4", "user", "no JSON", "", 7.0),
        ("m6", "m5", "user", '["no part", 3, null]', "", 8.0),
    ]
    connection.executemany(
        "INSERT INTO messages (id, thread_id, parent_id, role, parts, model, status, created)"
        " VALUES (?, 't', ?, ?, ?, ?, 'complete', ?)",
        rows,
    )
    connection.execute("UPDATE threads SET leaf_id = 'm6' WHERE id = 't'")
    connection.commit()
    connection.close()


def test_an_older_store_goes_on_whole(store_path: Path) -> None:
    make_first_version(store_path)
    store = ThreadStore(store_path)
    old, untitled = store.list_threads()
    assert (old.title, old.title_origin, old.message_count, old.folder_id) == ("Old", "person", 6, None)
    assert untitled.title_origin == ""
    question, answer, picture, broken, odd = store.messages("t")
    assert question.message.text == "An old question"
    assert answer.message.parts == (ReasoningPart("my thoughts"), TextPart("An answer"))
    assert (answer.version, answer.versions, answer.kind, answer.settings) == (1, 2, "message", {})
    assert picture.message.parts == (ImagePart(b"PNG", "image/png"), TextPart("look"))
    assert (broken.message.text, odd.message.text) == ("no JSON", '["no part", 3, null]')
    assert store.editor.step_version("m2", 1) == "m3"
    store.editor.delete("m5")
    store.close()
    connection = sqlite3.connect(store_path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
