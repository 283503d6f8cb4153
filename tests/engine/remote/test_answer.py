"""What a server streams, as events."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from tests.engine.remote.asking import KEY, all_events, ask, endpoint, failed, finished, reasoning_of, text_of
from tests.support.openai_stub import (
    PATIENCE,
    Connection,
    Received,
    Stub,
    chunk_of,
    delta,
    refusing,
    streaming,
    usage,
)
from tui.domain import (
    Logprobs,
    RemoteEndpoint,
    SamplingConfig,
    TextDelta,
    TokenLogprob,
    Tool,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
    text_message,
)
from tui.engine.remote.connection import Patience

WEATHER = Tool("weather", "Says how it is.", '{"type": "object"}')


def call_piece(index: int | None = 0, call_id: str = "", name: str = "", arguments: Any = "") -> dict[str, Any]:
    piece: dict[str, Any] = {"type": "function", "function": {"arguments": arguments}}
    if index is not None:
        piece["index"] = index
    if call_id:
        piece["id"] = call_id
    if name:
        piece["function"]["name"] = name
    return piece


def calls(stub: Stub) -> tuple[ToolCallPart, ...]:
    events, _ = finished(ask(stub, tools=(WEATHER,)))
    return tuple(event.call for event in events if isinstance(event, ToolCallFinished))


def test_text_comes_as_it_is_streamed(stub: Stub) -> None:
    go_on = threading.Event()

    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        connection.event(delta(role="assistant", content=""))
        connection.event(delta(content="Grüße "))
        assert go_on.wait(PATIENCE)
        connection.event(delta(content="你好"))
        connection.event(delta("stop"))
        connection.event("[DONE]")
        connection.end_stream()

    stub.on_chat(handler)
    answer = ask(stub)
    assert answer.take(PATIENCE) == [TextDelta("Grüße ", 1)]
    go_on.set()
    events, last = finished(answer)
    assert text_of(events) == "你好"
    assert last.stats.stop_reason == "eosFound"
    assert last.stats.generated_tokens == 2, "counted by chunks, where the server tells nothing"


def test_the_request_is_what_the_wire_format_says(stub: Stub) -> None:
    stub.serve_answer(delta("stop", content="ok"))
    finished(ask(stub, sampling=SamplingConfig(max_tokens=5)))
    (request,) = stub.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json["stream"] is True
    assert request.json["stream_options"] == {"include_usage": True}
    assert request.json["max_tokens"] == 5
    assert request.json["messages"] == [{"role": "user", "content": "Hi"}]


def test_without_a_key_none_is_sent(stub: Stub) -> None:
    stub.serve_answer(delta("stop", content="ok"))
    finished(ask(endpoint(stub, key="")))
    assert "authorization" not in stub.requests[0].headers


def test_the_figures_are_the_servers_counts_and_our_clock(stub: Stub) -> None:
    stub.serve_answer(
        delta(reasoning_content="Hm."),
        delta(content="one two"),
        delta(content=" three"),
        delta("stop"),
        usage(21, 9, prompt_tokens_details={"cached_tokens": 16}, completion_tokens_details={"reasoning_tokens": 4}),
    )
    _, last = finished(ask(stub))
    stats = last.stats
    assert (stats.prompt_tokens, stats.cached_prompt_tokens, stats.generated_tokens) == (21, 16, 9)
    assert (stats.reasoning_tokens, stats.context_used) == (4, 30)
    assert stats.time_to_first_token > 0
    assert stats.prompt_speed == pytest.approx(5 / stats.time_to_first_token)
    assert stats.generation_speed > 0


def test_figures_of_llama_server(stub: Stub) -> None:
    timings = {"cache_n": 7, "draft_n": 12, "draft_n_accepted": 5}
    last_chunk = chunk_of([{"delta": {}, "finish_reason": "stop"}], timings=timings)
    stub.serve_answer(delta(content="a"), last_chunk, usage(9, 2))
    _, last = finished(ask(stub))
    assert last.stats.cached_prompt_tokens == 7
    assert (last.stats.draft_tokens_offered, last.stats.draft_tokens_accepted) == (12, 5)


@pytest.mark.parametrize("fields", [{"reasoning_content": "Hm. "}, {"reasoning": "Hm. "}])
def test_reasoning_by_either_name(stub: Stub, fields: dict[str, str]) -> None:
    stub.serve_answer(delta(**fields), delta(**fields), delta("stop", content="Yes."))
    events, last = finished(ask(stub))
    assert (reasoning_of(events), text_of(events)) == ("Hm. Hm. ", "Yes.")
    assert last.stats.reasoning_tokens == 2


def test_reasoning_by_both_names_comes_once(stub: Stub) -> None:
    stub.serve_answer(delta(reasoning_content="Hm.", reasoning="Hm."), delta("stop", content="Yes."))
    assert reasoning_of(finished(ask(stub))[0]) == "Hm."


def test_a_refusal_is_text(stub: Stub) -> None:
    stub.serve_answer(delta(refusal="I would rather not."), delta("stop"))
    assert text_of(finished(ask(stub))[0]) == "I would rather not."


def test_tool_calls_come_in_pieces(stub: Stub) -> None:
    stub.serve_answer(
        delta(content="Let me look."),
        delta(tool_calls=[call_piece(0, "call_a", "weather")]),
        delta(tool_calls=[call_piece(0, arguments='{"city": ')]),
        delta(tool_calls=[call_piece(0, arguments='"Köln"}')]),
        delta(tool_calls=[call_piece(1, "call_b", "weather", '{"city": "Bonn"}')]),
        delta("tool_calls"),
    )
    events, last = finished(ask(stub, tools=(WEATHER,)))
    assert [event for event in events if not isinstance(event, TextDelta)] == [
        ToolCallStarted(0, "call_a", "weather", 1),
        ToolCallArguments(0, '{"city": ', 1),
        ToolCallArguments(0, '"Köln"}', 1),
        ToolCallStarted(1, "call_b", "weather", 1),
        ToolCallArguments(1, '{"city": "Bonn"}'),
        ToolCallFinished(0, ToolCallPart("call_a", "weather", '{"city": "Köln"}')),
        ToolCallFinished(1, ToolCallPart("call_b", "weather", '{"city": "Bonn"}')),
    ]
    assert last.stats.stop_reason == "toolCalls"


def test_calls_that_all_have_the_same_number_are_told_apart_by_their_ids(stub: Stub) -> None:
    stub.serve_answer(
        delta(tool_calls=[call_piece(0, "a", "weather", "{}")]),
        delta("stop", tool_calls=[call_piece(0, "b", "weather", "{}")]),
    )
    assert [call.id for call in calls(stub)] == ["a", "b"]


def test_calls_without_numbers_and_ids_and_with_arguments_as_objects(stub: Stub) -> None:
    pieces = [call_piece(None, name="weather", arguments={"city": "Köln"}), call_piece(None, name="weather")]
    stub.serve_answer(delta("stop", tool_calls=pieces))
    first, second = calls(stub)
    assert json.loads(first.arguments) == {"city": "Köln"}
    assert second.arguments == "{}"
    assert first.id
    assert second.id not in ("", first.id)


def test_a_name_that_is_repeated_in_every_piece_is_one_call(stub: Stub) -> None:
    pieces = [delta(tool_calls=[call_piece(0, "a", "weather", part)]) for part in ("{", "}")]
    stub.serve_answer(*pieces, delta("tool_calls"))
    assert calls(stub) == (ToolCallPart("a", "weather", "{}"),)


def test_arguments_without_any_name_are_not_lost(stub: Stub) -> None:
    stub.serve_answer(delta("stop", tool_calls=[call_piece(0, "a", arguments='{"x": 1}')]))
    events, _ = finished(ask(stub, tools=(WEATHER,)))
    assert text_of(events) == '{"x": 1}'


def test_a_finish_as_other_servers_say_it_is_still_a_tool_call(stub: Stub) -> None:
    stub.serve_answer(delta("stop", tool_calls=[call_piece(0, "a", "weather", "{}")]))
    assert finished(ask(stub, tools=(WEATHER,)))[1].stats.stop_reason == "toolCalls"


@pytest.mark.parametrize(
    ("choice", "limit", "reason"),
    [
        ({"finish_reason": "length"}, 5, "maxPredictedTokensReached"),
        ({"finish_reason": "length"}, None, "contextLengthReached"),
        ({"finish_reason": "stop", "stop_reason": "END"}, None, "stopStringFound"),
        ({"finish_reason": "stop", "stop_reason": None}, None, "eosFound"),
        ({"finish_reason": "something new"}, None, "eosFound"),
    ],
)
def test_stop_reasons(stub: Stub, choice: dict[str, Any], limit: int | None, reason: str) -> None:
    stub.serve_answer(delta(content="a"), chunk_of([{"index": 0, "delta": {}, **choice}]))
    assert finished(ask(stub, sampling=SamplingConfig(max_tokens=limit)))[1].stats.stop_reason == reason


def test_log_probabilities(stub: Stub) -> None:
    entry = {
        "token": "ü", "bytes": [0xC3, 0xBC], "logprob": -0.5,
        "top_logprobs": [
            {"token": "ü", "bytes": [0xC3, 0xBC], "logprob": -0.5, "id": 17}, {"token": "u", "logprob": -2},
        ],
    }  # fmt: skip
    stub.serve_answer(
        chunk_of([{"index": 0, "delta": {"content": "ü"}, "logprobs": {"content": [entry]}}]), delta("stop")
    )
    events, _ = finished(ask(stub, sampling=SamplingConfig(top_logprobs=2)))
    assert Logprobs((TokenLogprob(-1, "ü".encode(), -0.5, ((17, "ü".encode(), -0.5), (-1, b"u", -2.0))),)) in events
    assert stub.requests[0].json["logprobs"] is True
    assert stub.requests[0].json["top_logprobs"] == 2


def test_an_answer_that_is_not_streamed_is_taken_whole(stub: Stub) -> None:
    message = {"role": "assistant", "reasoning_content": "Hm.", "content": "Yes."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    stub.on_chat(refusing(200, {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 6}}))
    events, last = finished(ask(stub))
    assert (reasoning_of(events), text_of(events)) == ("Hm.", "Yes.")
    assert last.stats.generated_tokens == 6


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain; charset=iso-8859-1"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/json"},
        {"Content-Type": ""},
        {"X-Odd": "x" * 5000, "Content-Type": "Text/Event-Stream;charset=nonsense"},
    ],
)
def test_odd_headers_do_not_matter(stub: Stub, headers: dict[str, str]) -> None:
    stub.on_chat(streaming(delta(content="Grüße"), delta("stop"), "[DONE]", headers=headers))
    assert text_of(finished(ask(stub))[0]) == "Grüße"


def test_events_may_be_cut_anywhere_and_have_comments_between(stub: Stub) -> None:
    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        stream = b": ping\r\n\r\n" + b"event: message\r\nid: 4\r\ndata: "
        stream += json.dumps(delta(content="Grüße"), ensure_ascii=False).encode() + b"\r\n\r\n"
        stream += b"data:" + json.dumps(delta("stop")).encode() + b"\n\ndata: [DONE]\n\n"
        for byte in stream:
            connection.chunk(bytes([byte]))
        connection.end_stream()

    stub.on_chat(handler)
    assert text_of(finished(ask(stub))[0]) == "Grüße"


def test_chunks_that_make_no_sense_are_passed_over(stub: Stub) -> None:
    odd: list[Any] = [
        {}, {"choices": None}, {"choices": [None]}, {"choices": [{"delta": None}]}, {"choices": {"a": 1}},
        {"choices": [{"delta": {"content": 5, "tool_calls": [None, 7, {"index": "x"}], "reasoning": {}}}]},
        {"choices": [{"index": 1, "delta": {"content": "another choice"}}]}, {"usage": "much"},
        {"choices": [{"delta": {}, "logprobs": {"content": [1, {"logprob": "x", "bytes": [999], "token": 3}]}}]},
    ]  # fmt: skip
    stub.serve_answer(*odd, delta(content="fine"), delta("stop"), usage(-5, 2**70))
    events, last = finished(ask(stub))
    assert text_of(events) == "fine"
    assert last.stats.prompt_tokens == 0


def test_a_stream_that_never_ends_after_the_answer_is_left(stub: Stub) -> None:
    closed: list[bool] = []

    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        connection.event(delta("stop", content="all"))
        closed.append(connection.gone())

    stub.on_chat(handler)
    events, _ = finished(ask(stub, Patience(ending=0.05)))
    assert text_of(events) == "all"


def test_the_end_of_the_stream_is_enough_when_the_answer_is_complete(stub: Stub) -> None:
    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        connection.event(delta("stop", content="all"))
        connection.reset()

    stub.on_chat(handler)
    assert text_of(finished(ask(stub))[0]) == "all"


def test_cancel_in_mid_answer_closes_the_connection_and_keeps_what_came(stub: Stub) -> None:
    closed = threading.Event()

    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        connection.event(delta(content="so far"))
        if connection.gone():
            closed.set()

    stub.on_chat(handler)
    answer = ask(stub)
    assert answer.take(PATIENCE) == [TextDelta("so far", 1)]
    answer.cancel()
    _, last = finished(answer)
    assert last.stats.stop_reason == "userStopped"
    assert last.stats.generated_tokens == 1
    assert closed.wait(PATIENCE)
    answer.cancel()  # once more does nothing


def test_cancel_before_the_first_byte_closes_the_connection(stub: Stub) -> None:
    asked, closed = threading.Event(), threading.Event()

    def handler(connection: Connection, _request: Received) -> None:
        asked.set()
        if connection.gone():
            closed.set()

    stub.on_chat(handler)
    answer = ask(stub)
    assert asked.wait(PATIENCE)
    answer.cancel()
    assert finished(answer)[1].stats.stop_reason == "userStopped"
    assert closed.wait(PATIENCE)


def test_cancel_while_nobody_accepts_the_connection_ends_at_once() -> None:
    # A listener whose queue is full keeps a client waiting, as a machine does that a firewall hides.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        answer = ask(RemoteEndpoint("home", f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))
        answer.cancel()
        assert finished(answer)[1].stats.stop_reason == "userStopped"
        for filler in fillers:
            filler.close()


def test_cancel_while_a_name_is_looked_up_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> Any:
        looking.set()
        go_on.wait(PATIENCE)
        raise OSError("nobody waits for this any more")

    monkeypatch.setattr("tui.engine.remote.connection.socket.getaddrinfo", slow)
    answer = ask(RemoteEndpoint("home", "http://far-away.invalid/v1"))
    assert looking.wait(PATIENCE)
    answer.cancel()
    assert finished(answer)[1].stats.stop_reason == "userStopped"
    go_on.set()


def test_many_answers_at_once_do_not_mix(stub: Stub) -> None:
    def handler(connection: Connection, request: Received) -> None:
        text = request.json["messages"][0]["content"]
        streaming(*(delta(content=letter) for letter in text), delta("stop"), "[DONE]")(connection, request)

    stub.on_chat(handler)
    texts = [f"question {number}" for number in range(8)]
    answers = [ask(stub, messages=(text_message("user", text),)) for text in texts]
    assert [text_of(all_events(answer)) for answer in answers] == texts


def test_what_a_server_refuses_and_nobody_asked_for_is_left_out(stub: Stub) -> None:
    refused = {"temperature", "top_p", "stream_options", "max_tokens"}

    def handler(connection: Connection, request: Received) -> None:
        wrong = sorted(refused & request.json.keys())
        if wrong:
            error = {"message": f"Unsupported parameter: '{wrong[0]}'", "param": wrong[0], "code": "unsupported_value"}
            connection.whole({"error": error}, 400)
        else:
            streaming(delta("stop", content="ok"), "[DONE]")(connection, request)

    stub.on_chat(handler)
    finished(ask(stub, sampling=SamplingConfig(max_tokens=7)))
    assert stub.requests[-1].json["max_completion_tokens"] == 7
    assert len(stub.requests) == 5


def test_what_somebody_asked_for_is_never_left_out(stub: Stub) -> None:
    error = {"message": "Unsupported value: 'temperature'", "param": "temperature", "code": "unsupported_value"}
    stub.on_chat(refusing(400, {"error": error}))
    _, last = failed(ask(stub, sampling=SamplingConfig(temperature=0.2)))
    assert "temperature" in last.error.message
    assert len(stub.requests) == 1
