"""Takes model files into the models folder, as `owner/name/file`: moved, copied or linked."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tui.domain import BadRequest, Cancelled, ModelUnusable, StorageFailed
from tui.models.gguf import read_header
from tui.models.scan import SUFFIX, set_around

Way = Literal["move", "copy", "hard link", "symbolic link"]
Progress = Callable[[int, int], bool]
"""Hears how many bytes of how many are copied; false ends it."""

DEFAULT_OWNER: Final = "imported"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_CHUNK: Final = 2**22
_SPARE: Final = 2**26
"""Bytes that copying leaves free."""


@dataclass(frozen=True, slots=True)
class Import:
    """What an import will do; nothing has happened yet."""

    files: tuple[tuple[Path, Path], ...]
    """From where to where."""
    way: Way
    owner: str
    name: str
    size: int
    """Bytes of all files."""


def plan_import(
    file: Path, models: Path, way: Way, *, owner: str = "", name: str = "", foreign: Sequence[tuple[str, Path]] = ()
) -> Import:
    """What importing a file, with the other parts of a split set, would do.

    Owner and name are taken from where the file lies, or from its name, where they are not given. `foreign` are the
    stores of other programs, out of which nothing is moved. Raises BadRequest for impossible wishes, ModelUnusable
    for files that are no models, StorageFailed where something lies there already.
    """
    path = Path(os.path.abspath(file.expanduser()))
    if not path.is_file():
        raise BadRequest(f"There is no file {path}.", "Name a GGUF file.", field="file")
    if path.resolve().is_relative_to(models.resolve()) and not path.is_symlink():
        raise BadRequest(f"{path.name} is in the models folder already.", "It needs no import.", field="file")
    found = set_around(path)
    missing = [number for number in range(1, found.count + 1) if number not in found.parts]
    if missing:
        raise ModelUnusable(
            f"Of the {found.count:,} files of {found.stem}, part {missing[0]:,} is missing.",
            "Put it beside the others.",
        )
    parts = [part.path for part in found.parts.values()]
    for part in parts:
        # A damaged file is refused with the reason before anything happens to it.
        read_header(part)
    if way == "move":
        _check_movable(parts, foreign)
    guessed = _guess(path, found.stem)
    owner, name = owner or guessed[0], name or guessed[1]
    for field, value in (("owner", owner), ("name", name)):
        if not _NAME.fullmatch(value) or value.lower().endswith(SUFFIX):
            raise BadRequest(
                f"{value[:100]!r} cannot be the {field} of a model.",
                "Use letters, digits, dots, underscores and hyphens; not a dot at the beginning.",
                field=f"user-repo.{field}",
            )
    folder = models / owner / name
    targets = [(part, folder / _file_name(part, path, found.stem, found.count)) for part in parts]
    for _, target in targets:
        if os.path.lexists(target):
            raise StorageFailed(f"{target} is there already.", "Choose another owner or name, or delete that first.")
    return Import(tuple(targets), way, owner, name, sum(part.stat().st_size for part in parts))


def carry_out(plan: Import, on_progress: Progress = lambda _done, _all: True) -> tuple[Path, ...]:
    """Do what was planned, wholly or not at all; the new paths. Raises StorageFailed, or Cancelled."""
    done: list[tuple[Path, Path]] = []
    folder = plan.files[0][1].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copied = 0
        for source, target in plan.files:

            def report(bytes_done: int, before: int = copied) -> bool:
                return on_progress(before + bytes_done, plan.size)

            _take(source, target, plan.way, report)
            done.append((source, target))
            copied += source.stat().st_size if plan.way == "copy" else target.stat().st_size
        return tuple(target for _, target in done)
    except (OSError, Cancelled) as error:
        for source, target in reversed(done):
            _take_back(source, target, plan.way)
        _drop(folder)
        if isinstance(error, Cancelled):
            raise
        raise _failed(plan.way, folder, error) from error


def _take(source: Path, target: Path, way: Way, report: Callable[[int], bool]) -> None:
    match way:
        case "symbolic link":
            target.symlink_to(source.resolve())
        case "hard link":
            # The file itself: a link to a link would break with it.
            os.link(source.resolve(), target)
        case "copy":
            _copy(source, target, report)
        case "move":
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy(source, target, report)
                source.unlink()


def _copy(source: Path, target: Path, report: Callable[[int], bool]) -> None:
    """Copy under a name that nobody takes for a model, and give it its own when it is whole."""
    size = source.stat().st_size
    if shutil.disk_usage(target.parent).free < size + _SPARE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    part = target.with_name(f"{target.name}.part")
    try:
        with open(source, "rb") as reader, open(part, "xb") as writer:
            done = 0
            while data := reader.read(_CHUNK):
                writer.write(data)
                done += len(data)
                if not report(done):
                    raise Cancelled("The import was stopped.", "Nothing was changed.")
            writer.flush()
            os.fsync(writer.fileno())
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _take_back(source: Path, target: Path, way: Way) -> None:
    try:
        if way != "move":
            target.unlink()
        elif not source.exists():
            target.rename(source)
    except OSError:
        # Across disks there may be no way back; the file is whole where it is now.
        return


def _drop(folder: Path) -> None:
    """Remove the folders that were made for nothing."""
    for directory in (folder, folder.parent):
        try:
            directory.rmdir()
        except OSError:
            return


def _check_movable(parts: Sequence[Path], foreign: Sequence[tuple[str, Path]]) -> None:
    for part in parts:
        for program, folder in foreign:
            if part.is_relative_to(folder) or part.resolve().is_relative_to(folder.resolve()):
                raise BadRequest(
                    f"{part.name} belongs to {program}, which would miss it.",
                    "Import it as a copy, a hard link or a symbolic link. It is listed without an import as well.",
                    field="way",
                )
        if part.is_symlink():
            raise BadRequest(
                f"{part.name} is a link to a file elsewhere.",
                "Import it as a copy, a hard link or a symbolic link.",
                field="way",
            )


def _guess(path: Path, stem: str) -> tuple[str, str]:
    """Owner and name by the folders above the file, where these look like a repository, else by its own name."""
    parts = path.parts[:-1]
    for part in reversed(parts):
        if part.startswith("models--") and part.count("--") >= 2:
            _, owner, name = part.split("--", 2)
            return _plain(owner), _plain(name)
    if len(parts) >= 2 and parts[-1].lower().endswith("-gguf"):
        return _plain(parts[-2]), _plain(parts[-1])
    base = re.sub(r"[-._](?:ud-)?(?:i?q\d\w*|bf16|f16|f32|mxfp4\w*)$", "", stem, flags=re.IGNORECASE)
    return DEFAULT_OWNER, _plain(base or stem)


def _plain(text: str) -> str:
    """Text as a name of a folder."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:96]
    return plain or "model"


def _file_name(part: Path, named: Path, stem: str, count: int) -> str:
    """The name of a file in the models folder, with the ending that makes it a model."""
    return part.name if count > 1 or part.suffix.lower() == SUFFIX else f"{_plain(stem or named.name)}{SUFFIX}"


def _failed(way: Way, folder: Path, error: OSError) -> StorageFailed:
    if error.errno == errno.EXDEV:
        return StorageFailed(
            "The file lies on another disk, to which there can be no hard link.",
            "Import it as a copy or a symbolic link.",
        )
    if error.errno == errno.ENOSPC:
        return StorageFailed(f"There is not enough room on the disk of {folder}.", "Free some, or import it as a link.")
    reason = error.strerror or type(error).__name__
    return StorageFailed(f"The file could not be imported ({way}): {reason}.", f"Check who may write to {folder}.")
