"""Files that the store finds: none, empty, half made, newer, damaged, not its own."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from tests.threads.children import REPOSITORY, start
from tui.domain import StorageFailed, text_message
from tui.threads import ThreadStore, database, schema


def works(path: Path) -> bool:
    store = ThreadStore(path)
    thread = store.create_thread()
    store.add_message(thread.id, text_message("user", "hello"))
    store.close()
    store = ThreadStore(path)
    found = [message.message.text for message in store.messages(thread.id)]
    store.close()
    return found == ["hello"]


def test_a_new_file_in_a_new_folder(tmp_path: Path) -> None:
    assert works(tmp_path / "a" / "b" / "lmdeck.db")


def test_an_empty_file(store_path: Path) -> None:
    store_path.touch()
    assert works(store_path)


def test_a_file_without_tables(store_path: Path) -> None:
    connection = sqlite3.connect(store_path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert store_path.stat().st_size > 0
    assert works(store_path)


def test_a_migration_that_was_killed(store_path: Path) -> None:
    start("die_while_migrating", store_path).communicate()
    assert store_path.with_name("lmdeck.db-wal").stat().st_size > 0
    assert works(store_path)


def test_a_migration_that_fails_is_undone_and_done_at_the_next_opening(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread("old")
    store.close()
    second = ("CREATE TABLE later (id TEXT)", "INSERT INTO later VALUES ('x')")
    before, version = schema.MIGRATIONS, schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "SCHEMA_VERSION", version + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", (*before, (*second, "THIS IS NOT SQL")))
    with pytest.raises(StorageFailed, match="syntax error"):
        ThreadStore(store_path)
    connection = sqlite3.connect(store_path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchone() is None
    connection.close()

    monkeypatch.setattr(schema, "MIGRATIONS", (*before, second))
    store = ThreadStore(store_path)
    assert [summary.id for summary in store.list_threads()] == [thread.id]
    store.close()
    connection = sqlite3.connect(store_path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version + 1,)
    assert connection.execute("SELECT id FROM later").fetchall() == [("x",)]
    connection.close()


def test_switching_to_the_write_ahead_log_waits_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "time", Clock())

    class Connection:
        refusals = 3

        def execute(self, _statement: str) -> None:
            if self.refusals:
                self.refusals -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error

    patient = Connection()
    database._use_write_ahead_log(cast(sqlite3.Connection, patient))
    assert patient.refusals == 0
    hopeless = Connection()
    hopeless.refusals = 1_000_000
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        database._use_write_ahead_log(cast(sqlite3.Connection, hopeless))


class Clock:
    """A clock on which only sleeping takes time."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_newer_file_is_read_and_not_written(store_path: Path) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread("from tomorrow")
    store.add_message(thread.id, text_message("user", "hello"))
    store.close()
    connection = sqlite3.connect(store_path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("ALTER TABLE threads ADD COLUMN mood TEXT")
    connection.close()
    before = store_path.read_bytes()

    store = ThreadStore(store_path)
    assert store.read_only
    assert [summary.title for summary in store.list_threads()] == ["from tomorrow"]
    assert [message.message.text for message in store.messages(thread.id)] == ["hello"]
    assert [row.thread.title for row in store.tree() if row.thread] == ["from tomorrow"]
    assert [hit.snippet for hit in store.finder.search("hello")] == ["hello"]
    for change in (
        lambda: store.create_thread(),
        lambda: store.folders.create("x"),
        lambda: store.editor.delete(store.messages(thread.id)[0].id),
        lambda: store.empty_trash(),
        lambda: store.save_draft(thread.id, "x"),
        lambda: store.begin_answer(thread.id, model="m"),
    ):
        with pytest.raises(StorageFailed, match="newer lmdeck"):
            change()
    store.close()
    assert store_path.read_bytes() == before


def test_a_file_that_is_no_database(store_path: Path) -> None:
    store_path.write_bytes(b"GGUF" + b"\x07" * 5000)
    with pytest.raises(StorageFailed) as caught:
        ThreadStore(store_path)
    assert "no SQLite database" in caught.value.message
    assert str(store_path) in caught.value.message
    assert caught.value.advice
    assert store_path.read_bytes().startswith(b"GGUF")


def test_a_damaged_file(store_path: Path) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread()
    for number in range(200):
        store.add_message(thread.id, text_message("user", f"{number} " + "x" * 500))
    store.close()
    content = bytearray(store_path.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    store_path.write_bytes(content)
    with pytest.raises(StorageFailed, match="damaged") as caught:
        ThreadStore(store_path).messages(thread.id)
    assert str(store_path) in caught.value.message


def test_a_folder_in_its_place(store_path: Path) -> None:
    store_path.mkdir()
    with pytest.raises(StorageFailed, match="cannot be opened"):
        ThreadStore(store_path)


def test_a_file_where_its_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StorageFailed, match="cannot be opened"):
        ThreadStore(tmp_path / "data" / "lmdeck.db")


def test_a_store_that_cannot_be_written(store: ThreadStore) -> None:
    with store._database.reading() as connection:
        connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageFailed, match="cannot be written") as caught:
        store.create_thread()
    assert caught.value.advice
    assert store.list_threads() == []


def test_a_full_disk_says_so_and_keeps_what_was_there(store: ThreadStore) -> None:
    thread = store.create_thread("kept")
    with store._database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFailed, match="disk is full"):
        store.add_message(thread.id, text_message("user", "x" * 100_000))
    assert store.messages(thread.id) == []
    assert [summary.title for summary in store.list_threads()] == ["kept"]


def test_a_disk_that_is_full_from_the_start(store_path: Path) -> None:
    """The system refuses every byte, as a full disk does."""
    script = """
import sys
from pathlib import Path
from typing import cast
from tui.domain import StorageFailed
from tui.threads import ThreadStore
try:
    ThreadStore(Path(sys.argv[1]))
except StorageFailed as error:
    print(error)
"""

    def forbid_writing() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = subprocess.run(
        [sys.executable, "-c", script, str(store_path)],
        cwd=REPOSITORY,
        preexec_fn=forbid_writing,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(store_path) in done.stdout
    assert "room" in done.stdout
    assert works(store_path)


def test_importing_the_wing_is_cheap() -> None:
    script = "import sys, tui.threads; print({'textual', 'llama_cpp', 'httpx', 'numpy', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
