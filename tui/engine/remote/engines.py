"""All remote engines together: which there are, which models they have as far as is known, and asking one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.domain import EngineFault, GenerationRequest, LmdeckError, ModelInfo, ModelNotFound, RemoteEndpoint
from tui.engine.remote.facts import remote_model

if TYPE_CHECKING:
    from tui.engine.remote.answer import RemoteAnswer


@dataclass(frozen=True, slots=True)
class RemoteState:
    """What is known of an endpoint."""

    endpoint: RemoteEndpoint
    models: tuple[ModelInfo, ...] = ()
    """As of the last time that it answered."""
    problem: LmdeckError | None = None
    """Why it could not be asked the last time."""
    asked: bool = False
    """Whether it has answered, or failed to, since this process knows of it."""

    @property
    def reachable(self) -> bool:
        """Whether it answered the last time."""
        return self.asked and self.problem is None


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model of an endpoint that can be asked. Nothing is loaded for it, and nothing is kept."""

    endpoint: RemoteEndpoint
    info: ModelInfo

    def answer(self, request: GenerationRequest) -> RemoteAnswer:
        """Begin to answer; what goes wrong on the way comes as an event. Raises BadRequest."""
        from tui.engine.remote.answer import RemoteAnswer

        return RemoteAnswer(self.endpoint, self.info.name, request, context_length=self.info.context_length)


class RemoteEngines:
    """Keeps the lists of models. Safe to use from any thread; nobody waits for the network who does not want to.

    `endpoints` tells which there are at any moment; what it raises comes out of every method.
    """

    def __init__(
        self,
        endpoints: Callable[[], Sequence[RemoteEndpoint]],
        list_models: Callable[[RemoteEndpoint], tuple[ModelInfo, ...]] | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._list_models = list_models or _ask_for_models
        self._changed = threading.Condition()
        self._states: dict[RemoteEndpoint, RemoteState] = {}
        self._asked_at: dict[RemoteEndpoint, float] = {}
        self._being_asked: set[RemoteEndpoint] = set()

    def states(self) -> tuple[RemoteState, ...]:
        """Every endpoint with what is known of it. Never waits for the network."""
        endpoints = self._endpoints()
        with self._changed:
            return tuple(self._states.get(endpoint, RemoteState(endpoint)) for endpoint in endpoints)

    def refresh(self, *, max_age: float = 0.0, wait: float = 0.0) -> None:
        """Ask the endpoints which models they have, each in a thread of its own, then wait up to `wait` seconds.

        Those that were asked less than `max_age` seconds ago are left in peace.
        """
        endpoints = set(self._endpoints())
        with self._changed:
            for known in self._states.keys() - endpoints:
                del self._states[known]
            for endpoint in endpoints - self._being_asked:
                if time.monotonic() - self._asked_at.get(endpoint, float("-inf")) >= max_age:
                    self._being_asked.add(endpoint)
                    threading.Thread(target=self._ask, args=(endpoint,), name="lmdeck-remote", daemon=True).start()
            self._changed.wait_for(lambda: not self._being_asked & endpoints, wait)

    def models(self) -> tuple[ModelInfo, ...]:
        """The models of all endpoints, as far as they are known."""
        return tuple(model for state in self.states() for model in state.models)

    def find(self, name: str) -> ModelInfo | None:
        """The model that `endpoint/model` names; `None` where that is no endpoint's name.

        A model that its endpoint has not told of is found too: it may have come since, and its server will say.
        """
        engine, slash, model_id = name.partition("/")
        if not slash or not engine or not model_id:
            return None
        state = next((state for state in self.states() if state.endpoint.name == engine.strip().lower()), None)
        if state is None:
            return None
        known = next((model for model in state.models if model.name == model_id), None)
        return known or remote_model(state.endpoint, model_id)

    def model(self, info: ModelInfo) -> RemoteModel:
        """The model of an endpoint, to ask it. Raises ModelNotFound where the endpoint was removed."""
        endpoint = next((endpoint for endpoint in self._endpoints() if endpoint.name == info.remote), None)
        if endpoint is None:
            raise ModelNotFound(f"There is no remote engine called {info.remote} any more.", "Add it again.")
        return RemoteModel(endpoint, info)

    def _ask(self, endpoint: RemoteEndpoint) -> None:
        models: tuple[ModelInfo, ...] | None = None
        problem: LmdeckError | None = None
        try:
            models = self._list_models(endpoint)
        except LmdeckError as refused:
            problem = refused
        except Exception as defect:
            problem = EngineFault(f"Something went wrong inside lmdeck: {defect!r}", "Please report it.")
        with self._changed:
            if models is None:
                before = self._states.get(endpoint)
                models = before.models if before is not None else ()
            self._states[endpoint] = RemoteState(endpoint, models, problem, asked=True)
            self._asked_at[endpoint] = time.monotonic()
            self._being_asked.discard(endpoint)
            self._changed.notify_all()


def _ask_for_models(endpoint: RemoteEndpoint) -> tuple[ModelInfo, ...]:
    from tui.engine.remote.listing import list_models

    return list_models(endpoint)
