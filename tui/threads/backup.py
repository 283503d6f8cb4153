"""The whole store in one file, and back again."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tui.domain import StorageFailed
from tui.threads.attachments import Attachments
from tui.threads.database import Database
from tui.threads.failures import failures_of
from tui.threads.schema import SCHEMA_VERSION, version_of

_MANIFEST = "lmdeck-backup.json"
_DATABASE = "lmdeck.db"
_ATTACHMENTS = "attachments/"
_FORMAT = 1


def back_up(database: Database, attachments: Attachments, target: Path) -> None:
    """Write the database and all attachments into one ZIP file, while others may go on using the store.

    A file that stands there is replaced when the new one is whole, not before. Raises StorageFailed.
    """
    with _problems_of(target), tempfile.TemporaryDirectory(prefix=".lmdeck-backup-", dir=target.parent) as folder:
        copy = Path(folder) / _DATABASE
        database.copy_to(copy)
        packed = Path(folder) / "backup.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = {"format": _FORMAT, "schema": _version_of(copy), "created": time.time()}
            archive.writestr(_MANIFEST, json.dumps(manifest))
            archive.write(copy, _DATABASE)
            for name in _used_attachments(copy):
                path = attachments.path(name)
                if path.exists():
                    archive.write(path, _ATTACHMENTS + name, zipfile.ZIP_STORED)
        packed.chmod(0o600)
        with packed.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(packed, target)


def restore(database: Database, attachments: Attachments, source: Path) -> None:
    """Put what a backup holds in the place of everything in the store. Attachments are only added.

    The backup is looked through first; the database changes in one step, or not at all. Raises StorageFailed.
    """
    with _problems_of(source), tempfile.TemporaryDirectory(prefix="lmdeck-restore-") as folder:
        with zipfile.ZipFile(source) as archive:
            _check_manifest(source, archive)
            copy = Path(folder) / _DATABASE
            with archive.open(_DATABASE) as packed, copy.open("wb") as file:
                shutil.copyfileobj(packed, file)
            _check_database(source, copy)
            for name in archive.namelist():
                if name.startswith(_ATTACHMENTS) and attachments.keep(archive.read(name)) != name[len(_ATTACHMENTS) :]:
                    raise _damaged(source, "an attachment is not what it was")
        Database(copy).close()  # brings an older schema up to date before it is put in place
        database.replace_with(copy)


def _check_manifest(source: Path, archive: zipfile.ZipFile) -> None:
    try:
        manifest = json.loads(archive.read(_MANIFEST))
        newer = manifest["format"] > _FORMAT or manifest["schema"] > SCHEMA_VERSION
    except (KeyError, ValueError, TypeError):
        raise _damaged(source, "it has no list of its content") from None
    if newer:
        raise StorageFailed(
            f"The backup {source} was made by a newer lmdeck.", "Update lmdeck to restore it; nothing was changed."
        )


def _check_database(source: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        try:
            answers = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            version = version_of(connection)
        except sqlite3.DatabaseError:
            raise _damaged(source, "its database cannot be read") from None
    if answers != ["ok"] or not 1 <= version <= SCHEMA_VERSION:
        raise _damaged(source, "its database is damaged")


def _version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return version_of(connection)


def _used_attachments(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT DISTINCT hash FROM message_attachments ORDER BY hash")]


@contextmanager
def _problems_of(path: Path) -> Iterator[None]:
    """Turn what ZIP files and disks raise inside the block into StorageFailed."""
    try:
        with failures_of(path):
            yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError) as error:
        raise _damaged(path, f"it is no whole ZIP file ({error})") from error


def _damaged(source: Path, reason: str) -> StorageFailed:
    return StorageFailed(
        f"{source} is no backup that can be restored: {reason}.", "Choose another backup; nothing was changed."
    )
