"""From what a person writes to one variant of one repository: what `lmdeck get` and the REST interface share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui.domain import HubFailed, LmdeckError, ModelNotFound
from tui.models.hub.address import HubAddress
from tui.models.hub.fits import Fit
from tui.models.hub.hub import Hub
from tui.models.hub.records import RepositoryDetails, Variant
from tui.models.hub.variants import choose_variant, in_preference

_COMMUNITY: Final = "lmstudio-community"
"""Where LM Studio's own catalogue keeps GGUF files for repositories that have none."""
_MOST_TRIED: Final = 4
"""How many choices are tried for size before the recommended one is taken as it is."""


def find_repository(hub: Hub, address: HubAddress) -> RepositoryDetails:
    """The repository that is meant: the one that was named, or one that has GGUF files of the same model.

    Raises ModelNotFound with what there is instead, or HubFailed.
    """
    missing: LmdeckError | None = None
    for name in _candidates(address):
        try:
            details = hub.details(name, address.revision if name == address.repository else "")
        except HubFailed as problem:
            if problem.status not in (401, 404):
                raise
            if name == address.repository:
                missing = problem
            continue
        if details.variants:
            return details
    title = address.repository.partition("/")[2]
    others = [found.id for found in next(hub.search(title, "downloads"), ())][:3]
    advice = f"Repositories that have some: {', '.join(others)}." if others else "Search for another one."
    reason = missing.message if missing is not None else f"{address.repository} has no GGUF files."
    raise ModelNotFound(reason, advice)


def find_variant(details: RepositoryDetails, address: HubAddress, fit: Callable[[Variant], Fit]) -> Variant:
    """The variant that was named, or the first in order of recommendation that fits this machine.

    `fit` is asked where none was named. Raises ModelNotFound or BadRequest.
    """
    file = address.file if any(address.file == one.path for v in details.variants for one in v.all_files) else ""
    chosen = choose_variant(details.variants, address.quantization, details.repository.id, file)
    if chosen is not None:
        return chosen
    ordered = in_preference(details.variants)
    for variant in ordered[:_MOST_TRIED]:
        try:
            if fit(variant).kind != "none":
                return variant
        except LmdeckError:
            # Not knowing whether it fits is no reason to take another one.
            return ordered[0]
    return ordered[0]


def _candidates(address: HubAddress) -> tuple[str, ...]:
    owner, _, name = address.repository.partition("/")
    if name.lower().endswith("gguf"):
        return (address.repository,)
    return (address.repository, f"{_COMMUNITY}/{name}-GGUF", f"{owner}/{name}-GGUF")
