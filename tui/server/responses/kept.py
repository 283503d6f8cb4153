"""The responses that there are, on disk and in the making: found, continued, cancelled and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui.domain import BadRequest, EngineFault, StorageFailed
from tui.server.responses.background import BackgroundResponse, BackgroundResponses
from tui.server.responses.items import Item
from tui.server.responses.resource import Response, error_of
from tui.server.responses.store import ResponseNotFound, ResponseStore
from tui.server.services import Services

_UNFINISHED = ("queued", "in_progress")


class KeptResponses:
    """Used on the server's event loop; what blocks is done in threads."""

    def __init__(self, services: Services) -> None:
        self._log = services.workbench.log
        self._store = ResponseStore(services.workbench.paths.responses)
        self.background = BackgroundResponses()

    async def find(self, identifier: str) -> Response:
        """A response as it is now. Raises ResponseNotFound."""
        making = self.background.get(identifier)
        if making is not None:
            return making.response()
        response = await asyncio.to_thread(self._store.get, identifier)
        if response is None:
            raise ResponseNotFound(identifier)
        if response["status"] in _UNFINISHED:
            # Nothing makes it any more: the server that did was stopped, or died.
            error = error_of(EngineFault("The server stopped before the response was complete.", "Ask again."))
            return {**response, "status": "failed", "error": error}
        return response

    async def followed(self, identifier: str) -> BackgroundResponse:
        """One whose events can be read. Raises ResponseNotFound, BadRequest for one without events."""
        making = self.background.get(identifier)
        if making is None:
            await self.find(identifier)
            raise BadRequest(
                "The events of this response are not there (any more).",
                "They can be read of responses that are made in the background, and for a while after their end.",
                field="stream",
            )
        return making

    async def cancel(self, identifier: str) -> Response:
        """Stop a response, and say how it ended. Raises ResponseNotFound, BadRequest for one of the foreground."""
        making = self.background.get(identifier)
        if making is not None:
            await making.cancel()
            return making.response()
        response = await self.find(identifier)
        if not response["background"]:
            raise BadRequest(
                "Only a response that is made in the background can be cancelled.",
                "Close the connection to stop another one.",
                field="response_id",
            )
        return response

    async def delete(self, identifier: str) -> None:
        """Forget a response, and stop it if it is being made. Raises ResponseNotFound."""
        was_made = await self.background.forget(identifier)
        if not await asyncio.to_thread(self._store.delete, identifier) and not was_made:
            raise ResponseNotFound(identifier)

    async def input_items(self, identifier: str) -> list[Item]:
        """Everything that a response answered. Raises ResponseNotFound."""
        items = await asyncio.to_thread(self._store.input_items, identifier)
        if items is None:
            raise ResponseNotFound(identifier)
        return items

    async def conversation(self, identifier: str | None) -> list[Item]:
        """What was said up to the end of a response. Raises BadRequest where it cannot be continued."""
        if identifier is None:
            return []
        making = self.background.get(identifier)
        if making is not None and not making.done:
            raise BadRequest(
                "The previous response is still being made.", "Wait for its end.", field="previous_response_id"
            )
        return await asyncio.to_thread(self._store.conversation, identifier)

    async def resolved(self, given: list[Item]) -> list[Item]:
        """The items, with those that are only referred to in their places. Raises BadRequest."""
        wanted = [item["id"] for item in given if item["type"] == "item_reference"]
        if not wanted:
            return given
        found = await asyncio.to_thread(self._store.items, wanted)
        resolved = []
        for index, item in enumerate(given):
            if item["type"] != "item_reference":
                resolved.append(item)
            elif item["id"] in found:
                resolved.append(found[item["id"]])
            else:
                raise BadRequest(
                    f"Item with id {item['id'][:100]!r} not found.", "Send the item itself.", field=f"input[{index}].id"
                )
        return resolved

    async def keep(self, response: Response, given: Sequence[Item]) -> None:
        """Keep a response where that is wanted. A disk that refuses costs the keeping, not the answer."""
        if not response["store"]:
            return
        try:
            await asyncio.to_thread(self._store.save, response, given)
        except StorageFailed as problem:
            self._log.write("server", "error", str(problem))
