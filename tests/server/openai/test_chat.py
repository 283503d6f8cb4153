"""Chat completions, through OpenAI's own client."""

from __future__ import annotations

import json

import httpx
import openai
import pytest

from tests.server.conftest import ANSWER, REASONING, Running

HELLO = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def test_an_answer_in_one_piece(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="talker", messages=HELLO)
    assert done.choices[0].message.content == ANSWER
    assert done.choices[0].finish_reason == "stop"
    assert done.model == "talker"
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0


def test_an_answer_as_it_comes(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="thinker", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    thought = "".join(
        getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks if chunk.choices
    )
    assert (text, thought) == (ANSWER, REASONING)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_limits_stops_and_reasons(client: openai.OpenAI) -> None:
    short = client.chat.completions.create(model="talker", messages=HELLO, max_completion_tokens=2)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 2
    stopped = client.chat.completions.create(model="talker", messages=HELLO, stop=["aus"])
    assert stopped.choices[0].message.content == "Hello! Grüße "
    assert stopped.choices[0].finish_reason == "stop"


def test_several_choices_are_different_and_share_their_prompt(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="random", messages=HELLO, n=3, seed=1, temperature=1.5, max_tokens=8)
    assert len({choice.message.content for choice in done.choices}) == 3
    assert [choice.index for choice in done.choices] == [0, 1, 2]
    again = client.chat.completions.create(model="random", messages=HELLO, n=3, seed=1, temperature=1.5, max_tokens=8)
    assert [c.message.content for c in again.choices] == [c.message.content for c in done.choices]
    stream = client.chat.completions.create(
        model="random", messages=HELLO, n=3, seed=1, temperature=1.5, max_tokens=8, stream=True
    )
    texts = ["", "", ""]
    for chunk in stream:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == [choice.message.content for choice in done.choices]


def test_log_probabilities_with_alternatives(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="talker", messages=HELLO, logprobs=True, top_logprobs=2)
    tokens = done.choices[0].logprobs.content
    assert b"".join(bytes(token.bytes) for token in tokens).decode().startswith(ANSWER)
    assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in tokens)


@pytest.mark.parametrize(
    ("changes", "status", "param", "words"),
    [
        ({"model": "missing"}, 404, None, "missing"),
        ({"model": "/etc/passwd"}, 404, None, "no model"),
        ({"temperature": "hot"}, 400, "temperature", "number"),
        ({"temperature": -1}, 400, "temperature", "temperature"),
        ({"messages": []}, 400, "messages", "at least 1"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role", "assistant"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, 400, "messages[0].content[0].type", "video"),
        ({"response_format": {"type": "xml"}}, 400, "response_format.type", "xml"),
        ({"tool_choice": "required"}, 400, "tool_choice", "there are none"),
        ({"top_logprobs": 3}, 400, "top_logprobs", "logprobs"),
        ({"logit_bias": {"x": 1}}, 400, "logit_bias", "number"),
        ({"n": 0}, 400, "n", "greater"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}
                ]
            },
            400,
            "messages[0].content[0].image_url",
            "not fetched",
        ),
    ],
)
def test_mistakes_name_the_field(
    running: Running, changes: dict[str, object], status: int, param: str | None, words: str
) -> None:
    body = {"model": "talker", "messages": HELLO, **changes}
    for stream in (False, True):
        answer = httpx.post(f"{running.openai}/chat/completions", json={**body, "stream": stream})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (status, param), error
        assert words in error["message"]


def test_a_prompt_beyond_the_context_is_told_with_its_code(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as problem:
        client.chat.completions.create(model="talker", messages=[{"role": "user", "content": "word " * 9000}])
    assert problem.value.code == "context_length_exceeded"


def test_a_schema_is_kept(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    done = client.chat.completions.create(
        model="random",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    )
    assert isinstance(json.loads(done.choices[0].message.content)["ok"], bool)


def test_a_client_that_goes_away_stops_its_answer(running: Running) -> None:
    with httpx.stream(
        "POST",
        f"{running.openai}/chat/completions",
        json={"model": "random", "messages": HELLO, "stream": True, "max_tokens": 1500, "ignore_eos": True},
    ) as answer:
        next(answer.iter_lines())
    record = next(record for record in running.server.log.latest() if record.model == "random")
    deadline = 50
    while record.state == "answering" and deadline:
        import time

        time.sleep(0.1)
        deadline -= 1
        record = next(other for other in running.server.log.latest() if other.id == record.id)
    assert record.state == "cancelled"


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert {"talker", "thinker", "random"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("talker").id == "talker"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("missing")
