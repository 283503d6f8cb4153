"""The Hub as the rest of the program sees it: search, details, read-me, and a model's header before it is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tui.domain import ModelInfo
from tui.models.hub.address import HubAddress, parse_address
from tui.models.hub.connection import HubConnection, Query
from tui.models.hub.failures import nonsense
from tui.models.hub.reading import details_of, repository_of
from tui.models.hub.records import Repository, RepositoryDetails, SortBy, Variant
from tui.models.hub.search_words import parse_search
from tui.models.hub.stand_in import StandIns

PAGE: Final = 30
"""Repositories asked for at once: a screenful comes soon even over a slow line."""
LONGEST_README: Final = 256 * 1024

_EXPAND: Final = (
    "author", "cardData", "createdAt", "downloads", "gated", "gguf", "lastModified", "likes", "pipeline_tag",
    "private", "tags",
)  # fmt: skip
"""The properties that the interface shall tell of each repository (huggingface_hub's `ExpandModelProperty_T`)."""
_ORDERS: Final[dict[SortBy, str]] = {
    "downloads": "downloads",
    "likes": "likes",
    "updated": "lastModified",
    "created": "createdAt",
    "trending": "trendingScore",
}


class Hub:
    """Finds models on the Hub. Methods block; they may be called from any thread and raise HubFailed or Cancelled."""

    def __init__(self, connection: HubConnection, stand_ins: Path) -> None:
        """`stand_ins` is a folder for the headers of models that are not here; it may be deleted at any time."""
        self.connection = connection
        self._stand_ins = StandIns(connection, stand_ins)

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return self.connection.endpoint

    def address(self, text: str) -> HubAddress | None:
        """The repository that a text names; `None` where it is words to search for."""
        return parse_address(text, self.endpoint)

    def search(self, text: str, sort: SortBy = "match") -> Iterator[tuple[Repository, ...]]:
        """The repositories that fit some words, page by page as they come; no words fit all of them.

        `author:NAME` and `licence:NAME` among the words narrow it. A page that could not be had is asked for again by
        the next `next`.
        """
        wanted = parse_search(text)
        tags = ("gguf", f"license:{wanted.licence}") if wanted.licence else ("gguf",)
        query: dict[str, str | int | tuple[str, ...]] = {"limit": PAGE, "expand": _EXPAND, "filter": tags}
        if wanted.words:
            query["search"] = wanted.words
        if wanted.author:
            query["author"] = wanted.author
        if sort in _ORDERS:
            query["sort"] = _ORDERS[sort]
        return _Pages(self.connection, "api/models", query)

    def details(self, repository: str, revision: str = "") -> RepositoryDetails:
        """A repository with all its choices, as of now or of a revision."""
        path = f"api/models/{quote(repository)}"
        if revision:
            path += f"/revision/{quote(revision, safe='')}"
        value, _ = self.connection.run(self.connection.json(path, {"blobs": True}, repository=repository))
        details = details_of(value)
        if details is None:
            raise nonsense(self.endpoint, f"it does not describe {repository}")
        return details

    def readme(self, details: RepositoryDetails) -> str:
        """What a repository says of itself, in Markdown without its metadata; empty where it says nothing."""
        if not details.has_readme:
            return ""
        work = self.connection.text(details.repository.id, details.revision, "README.md", LONGEST_README)
        return without_front_matter(self.connection.run(work))

    def stand_in(self, details: RepositoryDetails, variant: Variant) -> ModelInfo:
        """A model that lies on the Hub as if it lay here, with no more than its header; for estimates only.

        Reads the header, some megabytes for the first variant of a repository and much less for its others. Raises
        ModelUnusable where the file would be unusable here, with the reason; StorageFailed where the disk refuses.
        """
        return self._stand_ins.make(details.repository.id, details.revision, variant)

    def close(self) -> None:
        """Stop everything that goes on with the Hub."""
        self.connection.close()


class _Pages(Iterator[tuple[Repository, ...]]):
    """The pages of a search. Not a generator, which would be at its end once a page could not be had."""

    def __init__(self, connection: HubConnection, address: str, query: Query) -> None:
        self._connection = connection
        self._address = address
        self._query: Query | None = query

    def __next__(self) -> tuple[Repository, ...]:
        if not self._address:
            raise StopIteration
        value, following = self._connection.run(self._connection.json(self._address, self._query))
        if not isinstance(value, list):
            raise nonsense(self._connection.endpoint, "a search does not yield a list")
        # Where the next page is says what was asked for, too.
        self._address, self._query = following, None
        return tuple(found for entry in value if (found := repository_of(entry)) is not None)


def without_front_matter(text: str) -> str:
    """Markdown without the YAML that the Hub keeps at its beginning."""
    lines = text.lstrip("\ufeff").splitlines()
    if lines and lines[0].strip() == "---":
        for number, line in enumerate(lines[1:], start=1):
            if line.strip() == "---":
                return "\n".join(lines[number + 1 :]).strip()
    return "\n".join(lines).strip()
