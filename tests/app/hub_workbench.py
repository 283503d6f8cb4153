"""A scripted workbench that searches and downloads for real, from a Hub on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.app.fake_workbench import GIB, FakeWorkbench, model
from tests.models.fake_hub import FakeHub, fake_hub
from tui.domain import DeviceMemory, LmdeckError, MemoryEstimate
from tui.models.downloads import Download, Downloads, Persistence
from tui.models.hub import Fit, FitKind, Hub, HubConnection, RepositoryDetails, Variant
from tui.models.hub.connection import Patience

if TYPE_CHECKING:
    import pytest

HURRY = Persistence(first_wait=0.01, longest_wait=0.05)
FITS = Fit("cpu", 3 * GIB, 8192)


class HubWorkbench(FakeWorkbench):
    """The Hub and the downloads are the real ones; whether a model fits is what the test says."""

    def __init__(self, root: Path, fake: FakeHub) -> None:
        super().__init__(root, [model("gemma-3-4b-it")])
        self.fake = fake
        self.fits: dict[str, Fit | LmdeckError] = {}
        """By the name of the variant; what is not here fits."""
        self.fit_may_end = threading.Event()
        self.fit_may_end.set()
        self.weighed: list[str] = []
        self.open_hub(fake.url)

    def open_hub(self, endpoint: str, persistence: Persistence = HURRY) -> None:
        """Ask the Hub at this address from now on."""
        self.hub = Hub(HubConnection(endpoint, Patience(connect=2.0, silence=0.5)), self.root / "stand-ins")
        self.downloads = Downloads(
            self.hub.connection, self.paths.models, self.paths.downloads, persistence=persistence, arrived=self._arrived
        )

    def fit_on_hub(self, details: RepositoryDetails, variant: Variant) -> Fit:
        connection, file = self.hub.connection, variant.files[0]
        # Who may not read the file cannot know either.
        connection.run(connection.piece(details.repository.id, details.revision, file.path, 0, 4))
        self.fit_may_end.wait(10)
        self.weighed.append(variant.name)
        found = self.fits.get(variant.name, FITS)
        if isinstance(found, LmdeckError):
            raise found
        return found

    def add(self, repository: str, name: str = "") -> Download:
        """Begin a download as the command line does."""
        details = self.hub.details(repository)
        variant = next(one for one in details.variants if name in ("", one.name))
        return self.downloads.add(repository, details.revision, variant)

    def _arrived(self, download: Download) -> None:
        path = self.paths.models / download.main_place
        self.catalogue.on_disk.append(model(path.stem, path=path))
        self.disk_models.append(model(path.stem, path=path))

    def close(self) -> None:
        self.fit_may_end.set()
        self.downloads.close()
        self.hub.close()
        super().close()


def a_fit(kind: FitKind, gib: float, *, gpu_layers: int | None = None, problem: str = "") -> Fit:
    """A verdict on a model of 32 layers."""
    needed = int(gib * GIB)
    device = DeviceMemory("CPU" if kind == "cpu" else "CUDA0", needed - GIB, GIB // 2, GIB // 2, 24 * GIB, 32 * GIB)
    estimate = MemoryEstimate((device,), "strict") if kind != "none" else None
    return Fit(kind, needed, 8192, gpu_layers, 32, estimate, problem)


@contextmanager
def hub_workbench_at(root: Path, patch: pytest.MonkeyPatch) -> Iterator[HubWorkbench]:
    """One over a fake Hub of its own, in a hurry; nobody is logged in."""
    from huggingface_hub import constants

    from tui.app.screens import discover, discover_search, download_commands

    patch.delenv("HF_TOKEN", raising=False)
    patch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    patch.setattr(constants, "HF_TOKEN_PATH", str(root / "token"))
    patch.setattr(discover_search, "TYPING_PAUSE", 0.02)
    patch.setattr(discover, "RESTING", 0.01)
    patch.setattr(download_commands, "LOOK_EVERY", 0.1)
    with fake_hub() as fake:
        workbench = HubWorkbench(root, fake)
        try:
            yield workbench
        finally:
            workbench.close()
