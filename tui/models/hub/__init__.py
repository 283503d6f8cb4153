"""The Hub: finding models on Hugging Face, or what `HF_ENDPOINT` names, and knowing them before they are downloaded.

huggingface_hub says where the Hub is, who is logged in and whether it may be asked at all (`HF_ENDPOINT`, `HF_TOKEN`,
stored logins, `HF_HUB_OFFLINE`). The requests themselves go through httpx: huggingface_hub lists models without any
time limit, sleeps where nobody can wake it, and cannot stop in the middle of a file. Importing this brings in neither.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models.hub.address import HubAddress, parse_address
    from tui.models.hub.choice import find_repository, find_variant
    from tui.models.hub.connection import HubConnection
    from tui.models.hub.fits import Fit, FitKind, fit_of
    from tui.models.hub.hub import Hub
    from tui.models.hub.placing import places_of
    from tui.models.hub.records import HubFile, Repository, RepositoryDetails, SortBy, Variant
    from tui.models.hub.variants import choose_variant, in_preference
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "address": "HubAddress parse_address",
            "choice": "find_repository find_variant",
            "connection": "HubConnection",
            "fits": "Fit FitKind fit_of",
            "hub": "Hub",
            "placing": "places_of",
            "records": "HubFile Repository RepositoryDetails SortBy Variant",
            "variants": "choose_variant in_preference",
        },
    )

__all__ = [
    "Fit",
    "FitKind",
    "Hub",
    "HubAddress",
    "HubConnection",
    "HubFile",
    "Repository",
    "RepositoryDetails",
    "SortBy",
    "Variant",
    "choose_variant",
    "find_repository",
    "find_variant",
    "fit_of",
    "in_preference",
    "parse_address",
    "places_of",
]
