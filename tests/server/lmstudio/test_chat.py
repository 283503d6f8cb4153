"""`POST /api/v1/chat`: whole answers, streams, conversations, and mistakes."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.server.conftest import ANSWER, REASONING, Running
from tests.server.lmstudio.reading import events_of, example, misfits, table
from tui.server.lmstudio.chat import NativeChatRequest


def test_an_answer_in_one_piece(api: httpx.Client) -> None:
    answer = api.post("/chat", json={"model": "thinker", "input": "Hi"}).json()
    assert answer["model_instance_id"] == "thinker"
    assert answer["output"] == [
        {"type": "reasoning", "content": REASONING},
        {"type": "message", "content": ANSWER},
    ]
    assert re.fullmatch(r"resp_[0-9a-f]{48}", answer["response_id"])
    stats = answer["stats"]
    assert 0 < stats["reasoning_output_tokens"] < stats["total_output_tokens"]
    assert stats["input_tokens"] > 0
    assert stats["tokens_per_second"] > 0
    again = api.post("/chat", json={"model": "thinker", "input": "Hi"}).json()
    assert "model_load_time_seconds" not in again["stats"], "it was loaded already"


def test_what_is_documented_is_taken_and_given(documented: list[dict[str, Any]], api: httpx.Client) -> None:
    asked = {field["name"] for field in table(documented, "chat", "Request body")}
    assert asked <= set(NativeChatRequest.model_fields)
    answer = api.post("/chat", json={"model": "talker", "input": "Hi"}).json()
    assert misfits(answer, table(documented, "chat", "Response fields")) == []
    given = example(documented, "chat")
    assert set(answer) == set(given)
    assert set(answer["stats"]) <= set(given["stats"])


def test_both_names_of_a_text_and_images_among_them(api: httpx.Client) -> None:
    for kind in ("text", "message"):
        answer = api.post("/chat", json={"model": "talker", "input": [{"type": kind, "content": "Hi"}]}).json()
        assert answer["output"][0]["content"] == ANSWER
    picture = "data:image/png;base64,iVBORw0KGgo="
    wire = NativeChatRequest.model_validate(
        {"model": "m", "input": [{"type": "text", "content": "What?"}, {"type": "image", "data_url": picture}]}
    )
    text, image = wire.turn().parts
    assert (text.text, image.data[:4], image.media_type) == ("What?", b"\x89PNG", "image/png")  # type: ignore[union-attr]


def test_a_stream_tells_of_everything_in_order(api: httpx.Client) -> None:
    events = events_of(api, "/chat", {"model": "thinker", "input": "Hi", "stream": True, "max_output_tokens": 500})
    kinds = [event["type"] for event in events]
    order = [kind for index, kind in enumerate(kinds) if index == 0 or kinds[index - 1] != kind]
    start = order.index("prompt_processing.start")
    assert order[0] == "chat.start"
    assert order[start:] == [
        "prompt_processing.start",
        "prompt_processing.progress",
        "prompt_processing.end",
        "reasoning.start",
        "reasoning.delta",
        "reasoning.end",
        "message.start",
        "message.delta",
        "message.end",
        "chat.end",
    ]
    assert events[0]["model_instance_id"] == "thinker"
    text = "".join(event["content"] for event in events if event["type"] == "message.delta")
    thought = "".join(event["content"] for event in events if event["type"] == "reasoning.delta")
    result = events[-1]["result"]
    assert [item["content"] for item in result["output"]] == [thought, text] == [REASONING, ANSWER]
    assert result["response_id"].startswith("resp_")


def test_loading_is_told_of(running: Running, api: httpx.Client) -> None:
    running.workbench.unload("talker")
    events = events_of(api, "/chat", {"model": "talker", "input": "Hi", "stream": True})
    loading = [event for event in events if event["type"].startswith("model_load.")]
    assert [events.index(event) for event in loading] == list(range(1, len(loading) + 1))
    assert loading[0] == {"type": "model_load.start", "model_instance_id": "talker"}
    progress = [event["progress"] for event in loading[1:-1]]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert loading[-1]["type"] == "model_load.end"
    loaded_in = events[-1]["result"]["stats"]["model_load_time_seconds"]
    assert loading[-1]["load_time_seconds"] == pytest.approx(loaded_in, rel=0.5, abs=0.5)


def test_every_answer_is_a_point_to_go_on_from(running: Running, api: httpx.Client) -> None:
    def ask(text: str, **more: Any) -> dict[str, Any]:
        answer = api.post("/chat", json={"model": "talker", "input": text, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tokens(*messages: tuple[str, str]) -> int:
        """What the same conversation is when a client sends all of it."""
        body = {"model": "talker", "messages": [{"role": role, "content": text} for role, text in messages]}
        return httpx.post(f"{running.openai}/chat/completions", json=body).json()["usage"]["prompt_tokens"]

    first = ask("My name is Ada.", system_prompt="Be kind.")
    second = ask("What is my name?", previous_response_id=first["response_id"])
    branch = ask("Where am I?", previous_response_id=first["response_id"], store=False)
    beginning = [("system", "Be kind."), ("user", "My name is Ada."), ("assistant", ANSWER)]
    assert second["stats"]["input_tokens"] == tokens(*beginning, ("user", "What is my name?"))
    assert branch["stats"]["input_tokens"] == tokens(*beginning, ("user", "Where am I?"))
    assert "response_id" not in branch
    third = ask("And now?", previous_response_id=second["response_id"], system_prompt="Be rude, and brief about it.")
    told = [*beginning[1:], ("user", "What is my name?"), ("assistant", ANSWER), ("user", "And now?")]
    assert third["stats"]["input_tokens"] == tokens(("system", "Be rude, and brief about it."), *told)
    assert len({first["response_id"], second["response_id"], third["response_id"]}) == 3


@pytest.mark.parametrize(
    ("changes", "kind", "code", "param", "words"),
    [
        ({"model": None}, "invalid_request", "invalid_type", "model", "string"),
        ({"input": 5}, "invalid_request", "invalid_type", "input", "string"),
        ({"input": []}, "invalid_request", "too_small", "input", "at least 1"),
        ({"input": [{"type": "video"}]}, "invalid_request", "invalid_union_discriminator", "input.0", "image"),
        ({"input": [{"type": "text"}]}, "invalid_request", "missing_required_parameter", "input.0.content", "required"),
        (
            {"input": [{"type": "image", "data_url": "http://x/y.png"}]},
            "invalid_request",
            "invalid_value",
            "input.0.data_url",
            "not fetched",
        ),
        ({"temprature": 1}, "invalid_request", "unrecognized_keys", "temprature", "in object: 'temprature'"),
        (
            {"integrations": [{"type": "plugin", "id": "mcp/a", "timeout": 5}]},
            "invalid_request",
            "unrecognized_keys",
            "integrations.0",
            "Unrecognized key(s) in object: 'timeout'",
        ),
        (
            {"integrations": ["mcp/playwright"]},
            "plugin_connection_error",
            "plugin_connection_error",
            "integrations.0",
            "yet",
        ),
        (
            {"integrations": [{"type": "ephemeral_mcp", "server_label": "a", "server_url": "http://a"}]},
            "mcp_connection_error",
            "mcp_connection_error",
            "integrations.0",
            "yet",
        ),
        ({"temperature": "hot"}, "invalid_request", "invalid_type", "temperature", "number"),
        ({"reasoning": "much"}, "invalid_request", "invalid_enum_value", "reasoning", "'medium'"),
        ({"reasoning": "high"}, "invalid_request", "unsupported_reasoning_setting", "reasoning", "does not reason"),
        ({"context_length": 0}, "invalid_request", "too_small", "context_length", "greater"),
        ({"ttl": -1}, "invalid_request", "too_small", "ttl", "greater"),
        ({"previous_response_id": "x"}, "invalid_request", "invalid_value", "previous_response_id", "resp_"),
        (
            {"previous_response_id": "resp_" + 48 * "0"},
            "invalid_request",
            "previous_response_not_found",
            "previous_response_id",
            "30 days",
        ),
        ({"model": "missing"}, "model_not_found", "model_not_found", "model", "missing"),
        ({"model": "/etc/passwd"}, "model_not_found", "model_not_found", "model", "no model"),
    ],
)
def test_mistakes_are_told_in_lm_studios_words(
    api: httpx.Client, changes: dict[str, Any], kind: str, code: str, param: str, words: str
) -> None:
    for stream in (False, True):
        answer = api.post("/chat", json={"model": "talker", "input": "Hi", "stream": stream, **changes})
        error = answer.json()["error"]
        assert answer.status_code >= 400, answer.text
        assert (error["type"], error["code"], error["param"]) == (kind, code, param)
        assert words in error["message"]
    unknown = kind == "model_not_found"
    assert answer.status_code == (404 if unknown else 501 if "connection" in kind else 400)


def test_what_is_missing_is_said_as_documented(api: httpx.Client) -> None:
    error = {
        "type": "invalid_request",
        "message": '"model" is required',
        "code": "missing_required_parameter",
        "param": "model",
    }
    assert api.post("/chat", json={"input": "Hi"}).json() == {"error": error}


def test_errors_of_a_stream_end_it_properly(api: httpx.Client) -> None:
    whole = api.post("/chat", json={"model": "talker", "input": "word " * 9000})
    assert (whole.status_code, whole.json()["error"]["code"]) == (400, "context_length_exceeded")
    events = events_of(api, "/chat", {"model": "talker", "input": "word " * 9000, "stream": True})
    assert [event["type"] for event in events] == ["chat.start", "error", "chat.end"]
    assert events[1]["error"]["type"] == "invalid_request"
    assert events[1]["error"]["param"] == "input"
    assert events[2]["result"]["output"] == []
    assert "response_id" not in events[2]["result"]


def test_a_sampling_value_that_cannot_be_is_called_by_its_name_here(api: httpx.Client) -> None:
    for stream in (False, True):
        body = {"model": "talker", "input": "Hi", "max_output_tokens": 0, "stream": stream}
        error = events_of(api, "/chat", body)[-2]["error"] if stream else api.post("/chat", json=body).json()["error"]
        assert error["param"] == "max_output_tokens"


def test_limits_and_shapes_hold(api: httpx.Client) -> None:
    short = api.post("/chat", json={"model": "talker", "input": "Hi", "max_output_tokens": 2}).json()
    assert short["stats"]["total_output_tokens"] == 2
    formed = api.post("/chat", json={"model": "random", "input": "Hi", "regex": "(yes|no)", "seed": 1}).json()
    assert formed["output"][-1]["content"] in ("yes", "no")


def test_images_for_a_model_that_cannot_see_are_refused(api: httpx.Client) -> None:
    pixel = base64.b64encode(png_of_one_pixel()).decode()
    shown = [{"type": "text", "content": "What?"}, {"type": "image", "data_url": f"data:image/png;base64,{pixel}"}]
    error = api.post("/chat", json={"model": "talker", "input": shown}).json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request", "input")
    assert "cannot see" in error["message"]


def png_of_one_pixel() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


def test_clients_cannot_name_files(running: Running) -> None:
    running.workbench.unload("talker")
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "draft_model": "/etc/passwd"}
    answer = httpx.post(f"{running.openai}/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_hostile_texts_are_answered(api: httpx.Client) -> None:
    lone = b'{"model": "talker", "input": "\\ud800", "previous_response_id": "resp_\\ud800", "\\udfff": 1}'
    for body in (lone, b'{"model": "\\ud800", "input": "x"}', b"[" * 5000, b"{", b"null", b""):
        answer = api.post("/chat", content=body)
        assert answer.status_code in (400, 404), answer.text
        assert answer.json()["error"]["type"] in ("invalid_request", "model_not_found")


def test_paths_and_methods_that_do_not_exist(running: Running) -> None:
    for method, path in (("GET", "/api/v1/nothing"), ("GET", "/api/v1/chat"), ("PUT", "/api/v0/models")):
        answer = httpx.request(method, f"{running.url}{path}")
        assert answer.status_code == 404
        assert answer.json() == {"error": f"Unexpected endpoint or method. ({method} {path})"}
    status = httpx.get(f"{running.url}/lms-status").json()
    assert status["package"] == "lmdeck"
    assert isinstance(status["version"], str)
