"""What each model is loaded and asked with where nobody says otherwise, and its named profiles.

One file for each model, in the form of LM Studio's `user-concrete-model-default-config`, with `profiles` beside it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tui.config.json_files import read_object, write_object
from tui.config.lmstudio_keys import Unread, read_parts, write_parts
from tui.domain import BadRequest, ModelInfo, StorageFailed

_LONGEST_FILE_NAME = 200
_MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class SavedDefaults:
    """The saved values of one model, by dotted keys."""

    values: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""
    """The preset that is used with this model where none is chosen."""
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other sets of values, by the names that a person gave them."""
    unread: tuple[Unread, ...] = ()
    """What another program wrote that has no meaning here."""


@dataclass(frozen=True, slots=True)
class ImportedDefaults:
    """One file of LM Studio's, and what came of it."""

    path: Path
    model_key: str = ""
    """Empty where there is no such model here."""
    problem: str = ""


class ModelDefaultsStore:
    """The defaults of models, by the model's key. Safe to use from any thread; reading looks at the disk each time.

    Every method may raise StorageFailed: a damaged file is said and never written over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def get(self, model_key: str) -> SavedDefaults:
        """What is saved for a model; nothing, for a model that has no file."""
        try:
            value = read_object(self._file(model_key))
        except FileNotFoundError:
            return SavedDefaults()
        return _parsed(value)

    def profile(self, model_key: str, name: str) -> Mapping[str, Any]:
        """The values of a named profile. Raises BadRequest where the model has none of that name."""
        profiles = self.get(model_key).profiles
        found = next((one for one in profiles if one.lower() == name.strip().lower()), None)
        if found is None:
            advice = f"There are: {', '.join(profiles)}." if profiles else "It has none at all yet."
            raise BadRequest(f"{model_key} has no profile {name[:_MOST_CHARACTERS]!r}.", advice, field="profile")
        return profiles[found]

    def save(self, model_key: str, values: Mapping[str, Any]) -> None:
        """Make values the model's defaults."""
        self._change(model_key, lambda present: replace(present, values=dict(values)))

    def save_preset(self, model_key: str, preset: str) -> None:
        """Choose the preset that is used with this model; empty for none."""
        self._change(model_key, lambda present: replace(present, preset=preset))

    def save_profile(self, model_key: str, name: str, values: Mapping[str, Any]) -> None:
        """Keep values under a name, in place of what it had before. Raises BadRequest for a name that cannot be."""
        name = " ".join(name.split())
        if not name or len(name) > _MOST_CHARACTERS or not name.isprintable():
            raise BadRequest(
                "That cannot be the name of a profile.", f"Use 1 to {_MOST_CHARACTERS} characters.", field="profile"
            )
        self._change(model_key, lambda present: replace(present, profiles={**present.profiles, name: dict(values)}))

    def delete_profile(self, model_key: str, name: str) -> None:
        """Forget a profile. One that is not there is ignored."""
        self._change(
            model_key,
            lambda present: replace(
                present, profiles={one: values for one, values in present.profiles.items() if one != name}
            ),
        )

    def reset(self, model_key: str) -> None:
        """Forget the model's defaults; its profiles stay."""
        self._change(model_key, lambda present: SavedDefaults(profiles=present.profiles))

    def import_lmstudio(self, folder: Path, models: Iterable[ModelInfo]) -> list[ImportedDefaults]:
        """Take over LM Studio's per-model defaults for the models that are here, where nothing is saved for them yet.

        `folder` is LM Studio's home, or the folder `user-concrete-model-default-config` itself.
        """
        known = list(models)
        root = folder / ".internal" / "user-concrete-model-default-config"
        root = root if root.is_dir() else folder
        return [self._import(path, path.relative_to(root), known) for path in sorted(root.rglob("*.json"))]

    def _import(self, path: Path, place: Path, models: list[ModelInfo]) -> ImportedDefaults:
        model = next((one for one in models if _is_of(one, place)), None)
        if model is None:
            return ImportedDefaults(path, problem="there is no such model here")
        try:
            if self.get(model.key) != SavedDefaults():
                return ImportedDefaults(path, model.key, "this model has defaults here already")
            found = _parsed(read_object(path))
            self._change(model.key, lambda _: found)
        except StorageFailed as problem:
            return ImportedDefaults(path, model.key, problem.message)
        except FileNotFoundError:
            return ImportedDefaults(path, model.key, "it is gone")
        return ImportedDefaults(path, model.key)

    def _change(self, model_key: str, change: Callable[[SavedDefaults], SavedDefaults]) -> None:
        with self._lock:
            changed = change(self.get(model_key))
            file = self._file(model_key)
            if changed == SavedDefaults():
                try:
                    file.unlink(missing_ok=True)
                except OSError as refused:
                    raise StorageFailed(f"{file} cannot be deleted: {refused.strerror or refused}.") from refused
                return
            write_object(
                file,
                {
                    "preset": changed.preset,
                    **write_parts(changed.values, changed.unread),
                    "profiles": {name: write_parts(values) for name, values in changed.profiles.items()},
                },
            )

    def _file(self, model_key: str) -> Path:
        name = quote(model_key, safe=" @+,=()[]")
        if len(name) > _LONGEST_FILE_NAME:
            name = f"{name[:100]}-{hashlib.sha256(model_key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
        return self._folder / f"{name}.json"


def _parsed(value: Mapping[str, Any]) -> SavedDefaults:
    read = read_parts(value)
    preset, profiles = value.get("preset"), value.get("profiles")
    return SavedDefaults(
        read.values,
        preset if isinstance(preset, str) else "",
        {
            name: read_parts(one).values
            for name, one in (profiles.items() if isinstance(profiles, dict) else ())
            if isinstance(one, dict)
        },
        read.unread,
    )


def _is_of(model: ModelInfo, place: Path) -> bool:
    """Whether a file of LM Studio's, by its place, is about this model: `publisher/repository/file.gguf.json`, or
    `owner/name.json` for a model that is known by its key."""
    named = place.with_suffix("").as_posix()
    return model.path.as_posix().endswith(f"/{named}") or model.key == named.lower()
