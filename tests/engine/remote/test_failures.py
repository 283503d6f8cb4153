"""Everything that can go wrong between here and a remote engine, with what a person is told."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.remote.asking import KEY, ask, endpoint, failed, finished, text_of
from tests.support.openai_stub import Connection, Handler, Received, Stub, delta, openai_stub, refusing
from tui.domain import ContextExceeded, RemoteEndpoint, RemoteFailed
from tui.engine.remote.connection import MOST_PENDING, Patience


def error_of(target: Stub | RemoteEndpoint, patience: Patience | None = None) -> RemoteFailed:
    events, last = failed(ask(target, patience))
    assert text_of(events) == ""
    assert isinstance(last.error, RemoteFailed)
    assert last.error.message.endswith((".", "…", "!", "?")), last.error.message
    assert KEY not in str(last.error)
    return last.error


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_listens(host: str) -> None:
    port = unused_port()
    error = error_of(RemoteEndpoint("home", f"http://{host}:{port}/v1"))
    assert error.message == f"home is not running: {host}:{port} refuses the connection."
    assert "Start the server" in error.advice
    assert error.status == 0


def test_there_is_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("tui.engine.remote.connection.socket.getaddrinfo", unknown)
    error = error_of(RemoteEndpoint("home", "http://far-away.invalid/v1"))
    assert "no address is known for “far-away.invalid”" in error.message


@pytest.mark.parametrize("url", ["http://a..b/v1", f"http://{'x' * 70}.example/v1"])
def test_there_can_be_no_such_name(url: str) -> None:
    error = error_of(RemoteEndpoint("home", url))
    assert "home cannot be" in error.message


def test_a_server_without_tls_is_asked_with_it(stub: Stub) -> None:
    error = error_of(RemoteEndpoint("home", stub.url.replace("http:", "https:")))
    assert "does not speak TLS" in error.message
    assert "http://" in error.advice


def test_a_server_that_does_not_complete_the_connection() -> None:
    # It accepts, and then does not answer the greeting of TLS.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        error = error_of(RemoteEndpoint("home", url), Patience(connect=0.1))
    assert "did not answer" in error.message


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    pem = tmp_path / "server.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(pem)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, tmp_path / "key.pem")
    with openai_stub(context) as stub:
        error = error_of(stub)
        assert "certificate that is not trusted: self-signed certificate" in error.message
        assert "SSL_CERT_FILE" in error.advice
        stub.serve_answer(delta("stop", content="safe and sound"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(pem))
            assert text_of(finished(ask(stub))[0]) == "safe and sound"
            patch.setenv("SSL_CERT_FILE", os.devnull + "/nowhere")
            # What httpx makes of a file that is not there depends on its version; it must not be a crash.
            assert failed(ask(stub))[1].error.advice


def test_a_proxy_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://nowhere")
    error = error_of(RemoteEndpoint("home", "http://far-away.invalid/v1"))
    assert "proxy" in error.message
    assert "ALL_PROXY" in error.advice


def test_proxies_are_not_asked_for_this_machine(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    stub.serve_answer(delta("stop", content="ok"))
    assert text_of(finished(ask(stub))[0]) == "ok"


def test_a_server_that_says_nothing_at_all(stub: Stub) -> None:
    stub.on_chat(lambda connection, _request: connection.gone() and None)
    error = error_of(stub, Patience(silence=0.1))
    assert "said nothing for" in error.message


def openai_error(message: str, **fields: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "message", "advice"),
    [
        (401, openai_error(f"Incorrect API key provided: {KEY}."), "does not accept the key: Incorrect API", "again"),
        (403, b"", "does not accept the key.", "valid"),
        (404, openai_error("The model `m` does not exist."), "no model m: The model `m` does not exist.", "list"),
        (404, b"<html>404</html>", "no OpenAI-compatible API at", "/v1"),
        (405, b"", "no OpenAI-compatible API at", "/v1"),
        (400, openai_error("'messages' is wrong.", param="messages"), "(400 Bad Request): 'messages' is wrong.",
         "“messages”"),
        (422, {"detail": [{"loc": ["body", "seed"], "msg": "Input should be an integer."}]}, "Input should be",
         "“seed”"),
        (422, {"detail": "Not so."}, "(422 Unprocessable Entity): Not so.", ""),
        (400, {"object": "error", "message": "vLLM says no.", "code": 400}, "vLLM says no.", ""),
        (400, {"error": "Ollama says no."}, "Ollama says no.", ""),
        (400, b"plain words.", "plain words.", ""),
        (400, [], "does not accept the request (400 Bad Request).", ""),
        (408, b"", "gave up waiting", "overloaded"),
        (429, openai_error("Rate limit reached."), "busy or wants no more requests: Rate limit", "in a moment"),
        (500, {"error": {"code": 500, "message": "Oops."}}, "failed inside (500 Internal Server Error): Oops.", "log"),
        (502, b"<html>bad gateway</html>", "failed inside (502 Bad Gateway).", "log"),
        (503, {"error": {"code": 503, "message": "Loading model."}}, "is not ready: Loading model.", "Try again"),
        (504, b"", "gave up waiting", "overloaded"),
        (529, b"", "failed inside (529).", "log"),
    ],
)  # fmt: skip
def test_refusals(stub: Stub, status: int, body: Any, message: str, advice: str) -> None:
    stub.on_chat(refusing(status, body))
    error = error_of(stub)
    assert error.message.startswith("home ")
    assert message in error.message
    assert advice in error.advice
    assert error.status == status


def test_a_key_that_is_missing_is_asked_for(stub: Stub) -> None:
    stub.on_chat(refusing(401, b""))
    assert "wants a key" in error_of(endpoint(stub, key="")).message


def test_when_to_try_again_is_told(stub: Stub) -> None:
    stub.on_chat(refusing(429, b"", {"Retry-After": "17"}))
    assert error_of(stub).advice == "Try again in 17 s."


def test_a_redirect_is_told_and_not_followed(stub: Stub) -> None:
    stub.on_chat(refusing(307, b"", {"Location": "https://elsewhere.example/v1"}))
    assert "moved to https://elsewhere.example/v1" in error_of(stub).message


def test_a_servers_words_are_made_fit_to_be_shown(stub: Stub) -> None:
    stub.on_chat(refusing(400, openai_error(f"\x1b[31mred\x07\nand\tlong {KEY} " + "word " * 1000)))
    error = error_of(stub)
    assert error.message.isprintable()
    assert len(error.message) < 600


@pytest.mark.parametrize(
    ("status", "body", "figures"),
    [
        (400, openai_error("Too many.", code="context_length_exceeded"), (0, 0)),
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size",
                         "type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096}}, (5000, 4096)),
        (400, {"object": "error", "message": "This model's maximum context length is 2048 tokens."}, (0, 0)),
        (413, {"error": "Prompt is longer than the context window."}, (0, 0)),
    ],
)  # fmt: skip
def test_a_conversation_that_is_too_long(stub: Stub, status: int, body: Any, figures: tuple[int, int]) -> None:
    stub.on_chat(refusing(status, body))
    error = failed(ask(stub))[1].error
    assert isinstance(error, ContextExceeded)
    assert "too long for home" in error.message
    assert (error.prompt_tokens, error.context_length) == figures


def breaking_off(connection: Connection, _request: Received) -> None:
    connection.begin_stream()
    connection.event(delta(content="Half of "))
    connection.event(delta(content="it"))


def ending_early(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.end_stream()


def closing(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection._plug.shutdown(socket.SHUT_RDWR)


def garbling(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.event('{"choices": [{"delta"')
    connection.gone()


def garbling_the_chunks(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.raw(b"this is no chunk\r\n")


def complaining(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.event({"error": {"message": "CUDA out of memory.", "code": 500}})
    connection.gone()


def complaining_by_event(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.chunk(b"event: error\ndata: Out of memory.\n\n")
    connection.gone()


def filtering(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.event(delta("content_filter"))


def falling_silent(connection: Connection, request: Received) -> None:
    breaking_off(connection, request)
    connection.gone()


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (ending_early, "broke off"),
        (closing, "broke off"),
        (garbling, "not an answer: {\"choices\""),
        (garbling_the_chunks, "broke off"),
        (complaining, "stopped its answer: CUDA out of memory."),
        (complaining_by_event, "stopped its answer: Out of memory."),
        (filtering, "filter"),
        (falling_silent, "said nothing"),
    ],
)  # fmt: skip
def test_an_answer_that_ends_badly_keeps_its_text(stub: Stub, handler: Handler, message: str) -> None:
    stub.on_chat(handler)
    events, last = failed(ask(stub, Patience(silence=0.5)))
    assert text_of(events) == "Half of it"
    assert isinstance(last.error, RemoteFailed)
    assert message in last.error.message
    assert last.stats is not None
    assert (last.stats.generated_tokens, last.stats.stop_reason) == (2, "failed")


def test_a_context_that_fills_up_in_mid_answer(stub: Stub) -> None:
    def handler(connection: Connection, request: Received) -> None:
        breaking_off(connection, request)
        connection.event({"error": {"message": "full", "type": "exceed_context_size_error"}})

    stub.on_chat(handler)
    events, last = failed(ask(stub))
    assert text_of(events) == "Half of it"
    assert isinstance(last.error, ContextExceeded)


def page(connection: Connection, _request: Received) -> None:
    connection.whole(b"<!doctype html><html>Welcome to nginx</html>", 200, {"Content-Type": "text/html"})


def noise(connection: Connection, _request: Received) -> None:
    connection.whole(bytes(range(256)) * 20, 200, {"Content-Type": "text/event-stream"})


def nothing(connection: Connection, _request: Received) -> None:
    connection.begin_stream()
    connection.end_stream()


def other_json(connection: Connection, _request: Received) -> None:
    connection.whole({"hello": "world"})


def deep_json(connection: Connection, _request: Received) -> None:
    connection.begin_stream()
    connection.event("[" * 100_000)


@pytest.mark.parametrize("handler", [page, noise, nothing, other_json, deep_json])
def test_what_is_no_answer_is_said_to_be_none(stub: Stub, handler: Handler) -> None:
    stub.on_chat(handler)
    error = failed(ask(stub))[1].error
    assert isinstance(error, RemoteFailed)
    assert "not an answer" in error.message or "nothing at all" in error.message
    assert stub.url in error.advice


def not_http(connection: Connection, _request: Received) -> None:
    connection.raw(b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n")
    connection.reset()


def hanging_up(connection: Connection, _request: Received) -> None:
    connection.reset()


@pytest.mark.parametrize("handler", [not_http, hanging_up])
def test_what_is_no_http_server(stub: Stub, handler: Handler) -> None:
    stub.on_chat(handler)
    assert "without an answer" in error_of(stub).message


def test_a_flood_without_an_end_does_not_fill_the_memory(stub: Stub) -> None:
    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        block = b"data: " + b"x" * (1 << 20)
        for _ in range(MOST_PENDING // len(block) + 2):
            connection.chunk(block)
        connection.gone()

    stub.on_chat(handler)
    assert "far more" in error_of(stub).message


def test_a_refusal_that_never_ends_is_not_waited_for(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine.remote.answer._REFUSAL_PATIENCE", 0.1)

    def handler(connection: Connection, _request: Received) -> None:
        connection.head(500, {"Content-Length": "1000"})
        connection.raw(b"I will tell you")
        connection.gone()

    stub.on_chat(handler)
    assert error_of(stub).status == 500
