"""The tables of the store, and how an older file becomes a current one.

`PRAGMA user_version` counts the migrations that a file has been through. Each migration is one transaction
together with its new version number, so a process that dies in the middle leaves the file as it was before.
"""

from __future__ import annotations

import sqlite3

from tui.threads.search_schema import SEARCH_TABLES

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE threads (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            model TEXT NOT NULL DEFAULT '',
            draft TEXT NOT NULL DEFAULT '',
            leaf_id TEXT REFERENCES messages (id),
            trashed_at REAL
        )
        """,
        # The pair of foreign keys keeps a message from hanging on a message of another thread.
        """
        CREATE TABLE messages (
            id TEXT PRIMARY KEY,
            thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
            parent_id TEXT,
            role TEXT NOT NULL,
            parts TEXT NOT NULL,
            model TEXT NOT NULL,
            status TEXT NOT NULL,
            error TEXT NOT NULL DEFAULT '',
            stats TEXT,
            writer TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            UNIQUE (thread_id, id),
            FOREIGN KEY (thread_id, parent_id) REFERENCES messages (thread_id, id)
        )
        """,
        "CREATE INDEX messages_by_parent ON messages (thread_id, parent_id)",
        "CREATE INDEX messages_in_progress ON messages (writer) WHERE status = 'streaming'",
        # What has come of an answer that is still being written. Rows are only added, so saving more of a long
        # answer costs what saving more of a short one does.
        """
        CREATE TABLE chunks (
            message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (message_id, number)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE folders (
            id TEXT PRIMARY KEY,
            parent_id TEXT REFERENCES folders (id),
            title TEXT NOT NULL,
            position INTEGER NOT NULL,
            collapsed INTEGER NOT NULL DEFAULT 0,
            settings TEXT NOT NULL DEFAULT '{}',
            created REAL NOT NULL,
            deleted_at REAL
        )
        """,
        "CREATE INDEX folders_by_parent ON folders (parent_id)",
        "ALTER TABLE threads ADD COLUMN folder_id TEXT REFERENCES folders (id) ON DELETE SET NULL",
        "ALTER TABLE threads ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE threads ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE threads ADD COLUMN archived_at REAL",
        "ALTER TABLE threads ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
        # A title whose origin is not known is treated as the person's, so that none of theirs is ever replaced.
        "ALTER TABLE threads ADD COLUMN title_origin TEXT NOT NULL DEFAULT ''",
        "UPDATE threads SET title_origin = 'person' WHERE title != ''",
        "CREATE INDEX threads_by_folder ON threads (folder_id)",
        "ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'message'",
        # What wrote the message: the settings at that moment, as JSON.
        "ALTER TABLE messages ADD COLUMN settings TEXT",
        "ALTER TABLE messages ADD COLUMN edited REAL",
        # When it last came onto the active branch: of several versions the one that was shown last is shown again.
        "ALTER TABLE messages ADD COLUMN chosen REAL NOT NULL DEFAULT 0",
        "UPDATE messages SET chosen = created",
        # Deleted messages stay until the trash is emptied, so that deleting can be undone.
        "ALTER TABLE messages ADD COLUMN deleted_at REAL",
        "DROP INDEX messages_by_parent",
        "CREATE INDEX messages_by_parent ON messages (thread_id, parent_id, deleted_at, id)",
        "CREATE INDEX messages_of_people ON messages (id) WHERE role = 'user' AND kind = 'message'",
        # Which messages use which attached file. A file that no row names may go.
        """
        CREATE TABLE message_attachments (
            message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            hash TEXT NOT NULL,
            PRIMARY KEY (message_id, hash)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX attachments_by_hash ON message_attachments (hash)",
        *SEARCH_TABLES,
    ),
    (
        # What another program's file said about an imported thread or message and lmdeck has no place for. It is read
        # when the thread is exported, and in tables of its own it costs nothing before.
        """
        CREATE TABLE foreign_thread_data (
            thread_id TEXT PRIMARY KEY REFERENCES threads (id) ON DELETE CASCADE,
            data TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE foreign_message_data (
            message_id TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
            data TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    ),
)

SCHEMA_VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The number of migrations that the file has been through."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to `SCHEMA_VERSION`; does not write when it already is.

    Raises sqlite3.Error, with the migration that failed undone.
    """
    while version_of(connection) < SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have got here first.
            version = version_of(connection)
            if version < SCHEMA_VERSION:
                for statement in MIGRATIONS[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
