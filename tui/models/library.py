"""What changes the library: importing and deleting with undo. All is checked before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tui.domain import BadRequest, Busy, ModelInfo, ModelNotFound
from tui.models.catalogue import Catalogue
from tui.models.importing import Import, Progress, Way, carry_out, plan_import
from tui.models.stores import Source
from tui.models.trash import KEPT_FOR, Trash, TrashedModel
from tui.models.usage import Usage


class Library:
    """Our models folder, its trash, and what is remembered of each model. Calls block for as long as the disk does."""

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        usage: Usage,
        in_use: Callable[[ModelInfo], bool] = lambda _: False,
    ) -> None:
        """`in_use` tells whether a model is loaded now."""
        self._folder = Path(os.path.abspath(folder))
        self._catalogue = catalogue
        self._in_use = in_use
        self.usage = usage
        self.trash = Trash(self._folder)

    def named(self, name: str) -> tuple[ModelInfo, ...]:
        """The models whose key, variant, file or place is exactly this, usable or not; several for a common name.

        Raises ModelNotFound where there is none.
        """
        found = self._catalogue.named(name)
        if not found:
            raise ModelNotFound(f"There is no model called {name!r}.", "lmdeck ls --variants lists their names.")
        return found

    def check_removable(self, model: ModelInfo) -> None:
        """Raise BadRequest or Busy, with the reason and what to do instead, for a model that cannot be deleted here."""
        if model.remote:
            raise BadRequest(f"{model.key} is on the remote engine {model.remote}.", "Delete it there.", field="model")
        source = self._source_of(model)
        if source is None or not source.ours:
            owner = source.name if source is not None else "somebody else"
            advice = source.advice_to_remove(model.store_name, model.path) if source is not None else ""
            raise BadRequest(
                f"{model.key} belongs to {owner}, whose files lmdeck only reads.",
                advice or f"Delete the file yourself: {model.path}",
                field="model",
            )
        for file in self._files_of(model):
            if not file.is_relative_to(self._folder) or not self._really_inside(file.parent):
                raise BadRequest(
                    f"{file} is reached through a link that leads out of the models folder.",
                    "Delete it where it lies, or remove the link.",
                    field="model",
                )
        if self._in_use(model):
            raise Busy(f"{model.key} is loaded.", "Unload it first.")

    def delete(self, model: ModelInfo) -> TrashedModel:
        """Move a model of ours into the trash, with what belongs to it alone.

        Raises BadRequest for models of other programs, Busy for a loaded one, StorageFailed where the disk refuses.
        """
        self.check_removable(model)
        trashed = self.trash.put(model.key, self._files_of(model))
        self._catalogue.refresh()
        return trashed

    def restore(self, trashed: TrashedModel | None = None) -> TrashedModel:
        """Bring a model back, by default the one deleted last. Raises BadRequest or StorageFailed."""
        items = self.trash.items()
        if trashed is None:
            if not items:
                raise BadRequest("The trash is empty.", "There is nothing to bring back.", field="trash")
            trashed = items[0]
        self.trash.restore(trashed)
        self._catalogue.refresh()
        return trashed

    def empty_trash(self, *, everything: bool = True) -> int:
        """Delete for good what is in the trash, or only what has been there for a week; the bytes that frees."""
        return self.trash.empty(0.0 if everything else KEPT_FOR)

    def plan_import(self, file: Path, way: Way, *, owner: str = "", name: str = "") -> Import:
        """What importing a file would do. Raises BadRequest, ModelUnusable or StorageFailed."""
        foreign = [(state.source.name, state.source.folder) for state in self._catalogue.sources()]
        foreign = [(program, folder) for program, folder in foreign if folder != self._folder]
        return plan_import(file, self._folder, way, owner=owner, name=name, foreign=foreign)

    def carry_out(self, plan: Import, on_progress: Progress = lambda _done, _all: True) -> ModelInfo | None:
        """Import what was planned; the model that it became. Raises StorageFailed or Cancelled."""
        paths = carry_out(plan, on_progress)
        self._catalogue.refresh()
        return next((model for model in self._catalogue.models() if model.path in paths and not model.base), None)

    def _source_of(self, model: ModelInfo) -> Source | None:
        """The source in whose folder its files lie; of several with one name the one that holds them."""
        sources = [state.source for state in self._catalogue.sources() if state.source.name == model.source]
        lying = model.recipe or model.path
        holding = [source for source in sources if lying.is_relative_to(source.folder)]
        return next(iter(holding or sources), None)

    def _files_of(self, model: ModelInfo) -> list[Path]:
        """What goes with a model: its files, and projectors and a README that no other model there needs."""
        if model.recipe is not None:
            return [model.recipe]
        others = [other for other in self._catalogue.models() if other.path != model.path and not other.base]
        files = list(model.files or (model.path,))
        needed = {path for other in others for path in other.projectors or ()}
        files += [path for path in model.projectors or () if path not in needed]
        folder = model.path.parent
        if folder != self._folder and not any(other.path.is_relative_to(folder) for other in others):
            files += [path for path in (folder / "README.md", folder / "model.yaml") if path.is_file()]
        return files

    def _really_inside(self, folder: Path) -> bool:
        return folder.resolve().is_relative_to(self._folder.resolve())
