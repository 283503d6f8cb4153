"""Presets: named values for answers, in files of LM Studio's form (`*.preset.json`)."""

from __future__ import annotations

import re
import threading
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tui.config.json_files import read_object, write_object
from tui.config.lmstudio_keys import Unread, read_parts, write_parts
from tui.domain import BadRequest, StorageFailed

ENDING = ".preset.json"
_LOCAL = "@local:"
_MOST_CHARACTERS = 100
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset, or a file that should be one."""

    identifier: str
    """What threads and requests remember it by, such as `@local:writing`; stays when it is renamed."""
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """By dotted keys."""
    unread: tuple[Unread, ...] = ()
    """What another program wrote into it that has no meaning here."""
    path: Path = Path()
    problem: str = ""
    """Why it cannot be used, as a sentence; empty when it can."""

    @property
    def left_out(self) -> str:
        """Which of its values cannot be and count for nothing, as a sentence; empty when there are none."""
        wrong = [f"{one.key}: {one.reason.rstrip('.')}" for one in self.unread if one.reason]
        more = f"; and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        return f"In {self.path}: {'; '.join(wrong[:_MOST_TOLD])}{more}." if wrong else ""


class PresetStore:
    """The presets of a folder, by name. Safe to use from any thread; reading looks at the disk each time.

    What cannot be read is listed with its reason, and never written over. Every method may raise StorageFailed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def all(self) -> list[Preset]:
        """All presets, broken files too."""
        with self._lock:
            return self._list()

    def get(self, name: str) -> Preset:
        """The preset of an identifier or a name. Raises BadRequest, and StorageFailed for a broken one."""
        return _usable(self._find(self.all(), name))

    def find(self, name: str) -> Preset | None:
        """The same; `None` where there is none of that name. Raises StorageFailed for a broken one."""
        found = _named(self.all(), name)
        return found and _usable(found)

    def create(self, name: str, values: Mapping[str, Any], unread: tuple[Unread, ...] = ()) -> Preset:
        """Keep values under a new name. Raises BadRequest where the name is taken or cannot be one."""
        with self._lock:
            present = self._list()
            name = _checked_name(name)
            if any(other.name.lower() == name.lower() for other in present):
                raise BadRequest(
                    f"There is a preset “{name}” already.", "Update that one, or choose another name.", field="preset"
                )
            slug = _free_slug(name, {other.path.name.removesuffix(ENDING) for other in present})
            return self._write(Preset(f"{_LOCAL}{slug}", name, values, unread, self._folder / f"{slug}{ENDING}"))

    def update(self, name: str, values: Mapping[str, Any]) -> Preset:
        """Put other values into a preset. Raises as `get` does."""
        preset = self.get(name)
        with self._lock:
            return self._write(replace(preset, values=values))

    def rename(self, name: str, new_name: str) -> Preset:
        """Call a preset something else. Raises as `create` and `get` do."""
        preset = self.get(name)
        new_name = _checked_name(new_name)
        with self._lock:
            if any(
                other.name.lower() == new_name.lower() and other.identifier != preset.identifier
                for other in self._list()
            ):
                raise BadRequest(f"There is a preset “{new_name}” already.", "Choose another name.", field="preset")
            return self._write(replace(preset, name=new_name))

    def delete(self, name: str) -> None:
        """Delete a preset, a broken one too. Raises BadRequest where there is none of that name."""
        with self._lock:
            preset = self._find(self._list(), name)
            try:
                preset.path.unlink(missing_ok=True)
            except OSError as refused:
                raise StorageFailed(f"{preset.path} cannot be deleted: {refused.strerror or refused}.") from refused

    def import_file(self, path: Path, *, unless: Container[str] = ()) -> Preset:
        """Take over a preset file of LM Studio's or of ours, under another name where its own is taken.

        Raises BadRequest for a file that is none, and for one whose name, in small letters, is in `unless`.
        """
        try:
            found = _parsed(path)
        except FileNotFoundError:
            raise BadRequest(f"There is no file {path}.", "Give the path of a preset file.", field="file") from None
        except StorageFailed as problem:
            raise BadRequest(problem.message, "Choose a file that ends with .preset.json.", field="file") from problem
        if found.name.lower() in unless:
            raise BadRequest(f"There is a preset “{found.name}” already.", "Delete it first.", field="preset")
        taken = {other.name.lower() for other in self.all()}
        names = (found.name if number == 1 else f"{found.name} {number}" for number in range(1, len(taken) + 2))
        free = next(name for name in names if name.lower() not in taken)
        return self.create(free, found.values, found.unread)

    def export(self, name: str, target: Path) -> Path:
        """Write a preset where LM Studio can import it; into a folder under its own name. Returns the file.

        Raises BadRequest where there is a file already.
        """
        preset = self.get(name)
        file = target / preset.path.name if target.is_dir() else target
        if file.exists():
            raise BadRequest(f"{file} exists already.", "Choose another place.", field="file")
        write_object(file, _wire(preset))
        return file

    def _list(self) -> list[Preset]:
        try:
            paths = sorted(path for path in self._folder.glob(f"*{ENDING}") if not path.name.startswith("."))
        except OSError as refused:
            raise StorageFailed(f"{self._folder} cannot be read: {refused.strerror or refused}.") from refused
        found: dict[str, Preset] = {}
        for path in paths:
            slug = path.name.removesuffix(ENDING)
            try:
                preset = _parsed(path)
            except FileNotFoundError:
                continue
            except StorageFailed as problem:
                preset = Preset(f"{_LOCAL}{slug}", slug, path=path, problem=problem.message)
            # Two files with one identifier come about when a person copies one.
            if preset.identifier in found:
                preset = replace(preset, identifier=f"{_LOCAL}{slug}")
            found.setdefault(preset.identifier, preset)
        return sorted(found.values(), key=lambda preset: preset.name.lower())

    def _find(self, presets: list[Preset], name: str) -> Preset:
        if found := _named(presets, name):
            return found
        names = ", ".join(f"“{preset.name}”" for preset in presets if not preset.problem)
        raise BadRequest(
            f"There is no preset {name[:_MOST_CHARACTERS]!r}.",
            f"There are: {names}." if names else "There is none at all yet.",
            field="preset",
        )

    def _write(self, preset: Preset) -> Preset:
        write_object(preset.path, _wire(preset))
        return preset


def preset_name(identifier: str) -> str:
    """How people know a preset of which only the identifier is left: `writing` for `@local:writing`."""
    return identifier.removeprefix(_LOCAL)


def _named(presets: list[Preset], name: str) -> Preset | None:
    wanted = name.strip().lower()
    for matches in (
        lambda preset: preset.identifier.lower() == wanted,
        lambda preset: preset.name.lower() == wanted,
        lambda preset: preset.identifier.lower() == f"{_LOCAL}{wanted}",
    ):
        if found := next(filter(matches, presets), None):
            return found
    return None


def _usable(preset: Preset) -> Preset:
    if preset.problem:
        raise StorageFailed(preset.problem, "Correct the file, or delete the preset.")
    return preset


def _wire(preset: Preset) -> dict[str, Any]:
    return {
        "identifier": preset.identifier,
        "name": preset.name,
        "changed": False,
        **write_parts(preset.values, preset.unread),
    }


def _parsed(path: Path) -> Preset:
    """The preset of a file. Raises StorageFailed and FileNotFoundError."""
    value = read_object(path)
    slug = path.name.removesuffix(ENDING).removesuffix(".json")
    if not any(isinstance(value.get(part), dict | list) for part in ("operation", "load")):
        raise StorageFailed(f"{path} is no preset: it has neither operation nor load.", "Choose another file.")
    for part in ("operation", "load"):
        if not _is_list_of_fields(value.get(part)):
            raise StorageFailed(f"{path} is damaged: {part} is no list of fields with a key each.", "Correct it.")
    read = read_parts(value)
    written, identifier = value.get("name"), value.get("identifier")
    name = slug
    with suppress(BadRequest):
        name = _checked_name(written) if isinstance(written, str) else slug
    return Preset(
        identifier if isinstance(identifier, str) and identifier.strip() else f"{_LOCAL}{slug}",
        name,
        read.values,
        read.unread,
        path,
    )


def _is_list_of_fields(part: Any) -> bool:
    """Whether a part of a file can be read; one that is not there can."""
    fields = part.get("fields") if isinstance(part, dict) else part
    if fields is None:
        return True
    return isinstance(fields, list) and all(isinstance(one, dict) and isinstance(one.get("key"), str) for one in fields)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _MOST_CHARACTERS or not name.isprintable():
        raise BadRequest(
            "That cannot be the name of a preset.", f"Use 1 to {_MOST_CHARACTERS} characters.", field="preset"
        )
    return name


def _free_slug(name: str, taken: set[str]) -> str:
    """A name for the file, made of letters and digits that every disk takes."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "preset"
    slugs = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in slugs if slug not in taken)
