"""The search index: the texts that people can find, and the triggers that keep them in step.

Triggers, because then no statement anywhere can change a message or a title and forget the index. The texts have
a table of their own with an integer key, which the full-text index (FTS5, https://sqlite.org/fts5.html) needs to
point to: SQLite may renumber the rows of tables without one. Answers enter when they end, not piece by piece.
"""

from __future__ import annotations

_PARTS = """
    json_each(CASE WHEN json_valid({row}.parts) THEN {row}.parts
              ELSE json_array(json_object('type', 'text', 'text', {row}.parts)) END)
"""


def _column(key: str) -> str:
    """A key of a part as text; nothing for what a damaged file may hold in place of a part."""
    return f"COALESCE(CASE WHEN type = 'object' THEN json_extract(value, '$.{key}') END, '')"


_TEXT_OF = f"""
    COALESCE((
        SELECT group_concat(TRIM({_column("name")} || ' ' || {_column("arguments")} || {_column("text")}), char(10))
        FROM {_PARTS} WHERE {_column("type")} != 'reasoning'
    ), '')
"""

_REASONING_OF = f"""
    COALESCE((
        SELECT group_concat({_column("text")}, char(10)) FROM {_PARTS} WHERE {_column("type")} = 'reasoning'
    ), '')
"""


def _add_message(row: str, source: str = "") -> str:
    """The statement that puts rows of `messages` into the index, where they say something.

    `row` is what they are called, `source` the FROM clause that they come from outside of a trigger.
    """
    return f"""
        INSERT INTO search_texts (thread_id, message_id, text, reasoning)
        SELECT thread_id, message_id, text, reasoning FROM (
            SELECT {row}.thread_id AS thread_id, {row}.id AS message_id, {row}.deleted_at AS deleted_at,
                {_TEXT_OF.format(row=row)} AS text, {_REASONING_OF.format(row=row)} AS reasoning
            {source}
        ) WHERE (text != '' OR reasoning != '') AND deleted_at IS NULL
    """


SEARCH_TABLES: tuple[str, ...] = (
    # A row without a message holds the title of a thread.
    """
    CREATE TABLE search_texts (
        number INTEGER PRIMARY KEY,
        thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
        message_id TEXT UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
        title TEXT NOT NULL DEFAULT '',
        text TEXT NOT NULL DEFAULT '',
        reasoning TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX search_texts_by_thread ON search_texts (thread_id, message_id)",
    """
    CREATE VIRTUAL TABLE search_index USING fts5 (
        title, text, reasoning, content = 'search_texts', content_rowid = 'number',
        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
    )
    """,
    """
    CREATE TRIGGER search_text_added AFTER INSERT ON search_texts BEGIN
        INSERT INTO search_index (rowid, title, text, reasoning)
        VALUES (new.number, new.title, new.text, new.reasoning);
    END
    """,
    """
    CREATE TRIGGER search_text_removed AFTER DELETE ON search_texts BEGIN
        INSERT INTO search_index (search_index, rowid, title, text, reasoning)
        VALUES ('delete', old.number, old.title, old.text, old.reasoning);
    END
    """,
    """
    CREATE TRIGGER search_title_changed AFTER UPDATE OF title ON search_texts BEGIN
        INSERT INTO search_index (search_index, rowid, title, text, reasoning)
        VALUES ('delete', old.number, old.title, old.text, old.reasoning);
        INSERT INTO search_index (rowid, title, text, reasoning)
        VALUES (new.number, new.title, new.text, new.reasoning);
    END
    """,
    """
    CREATE TRIGGER thread_added AFTER INSERT ON threads BEGIN
        INSERT INTO search_texts (thread_id, title) VALUES (new.id, new.title);
    END
    """,
    """
    CREATE TRIGGER thread_renamed AFTER UPDATE OF title ON threads WHEN old.title != new.title BEGIN
        UPDATE search_texts SET title = new.title WHERE thread_id = new.id AND message_id IS NULL;
    END
    """,
    f"CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN {_add_message('new')}; END",
    f"""
    CREATE TRIGGER message_changed AFTER UPDATE OF parts, deleted_at ON messages
    WHEN old.deleted_at IS NULL AND (new.deleted_at IS NOT NULL OR old.parts != new.parts) BEGIN
        DELETE FROM search_texts WHERE message_id = old.id;
        {_add_message("new")};
    END
    """,
    f"""
    CREATE TRIGGER message_returned AFTER UPDATE OF deleted_at ON messages
    WHEN old.deleted_at IS NOT NULL AND new.deleted_at IS NULL BEGIN
        {_add_message("new")};
    END
    """,
    # What an older file already holds.
    "INSERT INTO search_texts (thread_id, title) SELECT id, title FROM threads",
    _add_message("messages", "FROM messages"),
)
