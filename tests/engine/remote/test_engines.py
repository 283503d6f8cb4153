"""Lists of models, and the remote engines all together."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.remote.asking import KEY, all_events, endpoint, text_of
from tests.support.openai_stub import PATIENCE, Connection, Handler, Received, Stub, delta, refusing
from tui.domain import GenerationRequest, ModelNotFound, RemoteEndpoint, RemoteFailed, StorageFailed, text_message
from tui.engine.remote import RemoteEngines, RemoteState, list_models


def test_the_list_has_what_servers_tell(stub: Stub) -> None:
    entries = [
        {"id": "vllm", "owned_by": "vllm", "max_model_len": 32768},
        {"id": "llama-server", "meta": {"n_ctx_train": 8192, "n_params": 7_000_000, "size": 5_000, "n_vocab": 320}},
        {"id": "org/openrouter", "context_length": 131072},
        {"id": "lm-studio", "max_context_length": 9, "loaded_context_length": 5},
        {"id": "bare"}, {"id": "bare"}, {"id": ""}, {"id": 7}, {"name": "x"}, "text", None,
        {"id": "line\nbreak"}, {"id": "x" * 1000}, {"id": "odd", "meta": 5, "max_model_len": "long", "owned_by": {}},
    ]  # fmt: skip
    stub.on_models(refusing(200, {"object": "list", "data": entries}))
    models = {model.name: model for model in list_models(endpoint(stub))}
    assert sorted(models) == ["bare", "llama-server", "lm-studio", "odd", "org/openrouter", "vllm"]
    assert models["org/openrouter"].key == "home/org/openrouter"
    assert {model.remote for model in models.values()} == {"home"}
    lengths = [models[name].context_length for name in ("vllm", "llama-server", "org/openrouter", "lm-studio", "odd")]
    assert lengths == [32768, 8192, 131072, 5, 0]
    assert (models["llama-server"].parameters, models["llama-server"].size) == (7_000_000, 5_000)
    assert models["vllm"].publisher == "vllm"
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_bare_list_will_do(stub: Stub) -> None:
    stub.on_models(refusing(200, [{"id": "m"}]))
    assert [model.key for model in list_models(endpoint(stub))] == ["home/m"]


def hanging(connection: Connection, _request: Received) -> None:
    connection.gone()


def dribbling(connection: Connection, _request: Received) -> None:
    connection.head(200, {"Content-Length": "1000"})
    connection.raw(b'{"data":')
    connection.gone()


def resetting(connection: Connection, _request: Received) -> None:
    connection.reset()


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (hanging, "said nothing for"),
        (dribbling, "said nothing for"),
        (resetting, "without an answer"),
        (refusing(401, {"error": {"message": "No."}}), "does not accept the key: No."),
        (refusing(404, b"<html>"), "no OpenAI-compatible API"),
        (refusing(200, b"<html>hello"), "not an answer: <html>hello"),
        (refusing(200, {"models": []}), "not an answer"),
        (refusing(200, b"[" * 100_000), "not an answer"),
    ],
)
def test_lists_that_do_not_come(stub: Stub, handler: Handler, message: str) -> None:
    stub.on_models(handler)
    with pytest.raises(RemoteFailed, match=message):
        list_models(endpoint(stub), 0.3 if handler in (hanging, dribbling) else 5.0)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(RemoteFailed, match="refuses the connection"):
        list_models(RemoteEndpoint("home", "http://127.0.0.1:9/v1"))


def one_engine(stub: Stub, list_models: Callable[[RemoteEndpoint], Any] | None = None) -> RemoteEngines:
    return RemoteEngines(lambda: [endpoint(stub)], list_models)


def test_nothing_is_asked_before_somebody_wants_to_know(stub: Stub) -> None:
    engines = one_engine(stub)
    assert engines.states() == (RemoteState(endpoint(stub)),)
    assert engines.models() == ()
    assert stub.requests == []


def test_states_and_models_after_asking(stub: Stub) -> None:
    stub.serve_models("a", "b")
    engines = one_engine(stub)
    engines.refresh(wait=PATIENCE)
    (state,) = engines.states()
    assert state.reachable
    assert [model.key for model in engines.models()] == ["home/a", "home/b"]


def test_an_engine_that_goes_away_keeps_its_models_and_has_a_problem(stub: Stub) -> None:
    stub.serve_models("a")
    engines = one_engine(stub)
    engines.refresh(wait=PATIENCE)
    stub.on_models(refusing(500, b""))
    engines.refresh(wait=PATIENCE)
    (state,) = engines.states()
    assert not state.reachable
    assert isinstance(state.problem, RemoteFailed)
    assert [model.name for model in state.models] == ["a"]


def test_what_was_asked_lately_is_not_asked_again(stub: Stub) -> None:
    stub.serve_models("a")
    engines = one_engine(stub)
    for _ in range(3):
        engines.refresh(max_age=1000, wait=PATIENCE)
    assert len(stub.requests) == 1
    engines.refresh(wait=PATIENCE)
    assert len(stub.requests) == 2


def test_the_wait_is_bounded_and_nobody_is_asked_twice_at_once(stub: Stub) -> None:
    asked: list[RemoteEndpoint] = []
    may_answer = threading.Event()

    def slow(target: RemoteEndpoint) -> tuple[()]:
        asked.append(target)
        assert may_answer.wait(PATIENCE)
        return ()

    engines = one_engine(stub, slow)
    engines.refresh(wait=0.01)
    engines.refresh(wait=0.01)
    assert len(asked) == 1
    assert not engines.states()[0].asked
    may_answer.set()
    engines.refresh(max_age=1000, wait=PATIENCE)
    assert engines.states()[0].asked


def test_a_defect_of_ours_is_a_problem_not_a_hang(stub: Stub) -> None:
    def broken(_: RemoteEndpoint) -> tuple[()]:
        raise ZeroDivisionError("oops")

    engines = one_engine(stub, broken)
    engines.refresh(wait=PATIENCE)
    assert "oops" in str(engines.states()[0].problem)


def test_endpoints_come_and_go(stub: Stub) -> None:
    stub.serve_models("a")
    present = [endpoint(stub)]
    engines = RemoteEngines(lambda: present)
    engines.refresh(wait=PATIENCE)
    model = engines.find("home/a")
    assert model is not None
    present.clear()
    assert engines.states() == ()
    assert engines.models() == ()
    assert engines.find("home/a") is None
    with pytest.raises(ModelNotFound):
        engines.model(model)


def test_models_are_found_by_the_engines_name(stub: Stub) -> None:
    stub.on_models(refusing(200, {"data": [{"id": "org/a", "max_model_len": 4096}]}))
    engines = one_engine(stub)
    engines.refresh(wait=PATIENCE)
    known = engines.find("Home/org/a")
    assert known is not None
    assert (known.key, known.context_length) == ("home/org/a", 4096)
    unheard_of = engines.find("home/new")
    assert unheard_of is not None
    assert (unheard_of.key, unheard_of.name) == ("home/new", "new")
    assert [engines.find(name) for name in ("a", "home", "home/", "/a", "other/a", "/home/me/a.gguf")] == [None] * 6


def test_what_the_store_complains_of_comes_out() -> None:
    def damaged() -> list[RemoteEndpoint]:
        raise StorageFailed("It is damaged.")

    engines = RemoteEngines(damaged)
    with pytest.raises(StorageFailed):
        engines.states()
    with pytest.raises(StorageFailed):
        engines.refresh()
    assert engines.find("plain-name") is None


def test_a_model_is_asked_by_its_own_name(stub: Stub) -> None:
    stub.serve_answer(delta("stop", content="Here."))
    engines = one_engine(stub)
    info = engines.find("home/org/a")
    assert info is not None
    answer = engines.model(info).answer(GenerationRequest(info.key, (text_message("user", "Hi"),)))
    assert text_of(all_events(answer)) == "Here."
    assert stub.requests[0].json["model"] == "org/a"


def test_importing_and_finding_bring_in_no_http_library() -> None:
    program = (
        "import sys\n"
        "from tui.engine.remote import RemoteEndpoint, RemoteEngines\n"
        "engines = RemoteEngines(lambda: [RemoteEndpoint('home', 'http://127.0.0.1:9/v1')])\n"
        "assert engines.find('home/a') and engines.states()\n"
        "sys.exit('httpx' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
