"""Completions of bare prompts, through OpenAI's own client."""

from __future__ import annotations

import time

import httpx
import openai
import pytest

from tests.server.conftest import ANSWER, Running

PATIENCE = 10.0
"""Seconds."""


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def test_text_and_tokens_are_gone_on_from_as_they_are(client: openai.OpenAI, running: Running) -> None:
    done = client.completions.create(model="talker", prompt="Say: ", max_tokens=100)
    assert done.choices[0].text == ANSWER
    assert done.choices[0].finish_reason == "stop"
    loaded = next(model for model in running.workbench.loaded() if model.key == "talker")
    tokens = loaded.vocabulary.tokenize_prompt("Say: ")
    assert done.usage.prompt_tokens == len(tokens), "no template around it"
    again = client.completions.create(model="talker", prompt=tokens, max_tokens=100)
    assert again.choices[0].text == ANSWER


def test_several_prompts_with_several_choices_and_echo(client: openai.OpenAI) -> None:
    done = client.completions.create(model="talker", prompt=["a ", "b "], n=2, max_tokens=100, echo=True)
    assert [choice.text for choice in done.choices] == ["a " + ANSWER] * 2 + ["b " + ANSWER] * 2
    assert [choice.index for choice in done.choices] == [0, 1, 2, 3]


def test_a_stream_says_the_same_and_ends_with_its_usage(client: openai.OpenAI) -> None:
    stream = client.completions.create(
        model="talker", prompt="x", echo=True, stream=True, stream_options={"include_usage": True}, max_tokens=100
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "x" + ANSWER
    assert chunks[-1].usage.completion_tokens > 0


def test_log_probabilities_in_their_older_form(client: openai.OpenAI) -> None:
    done = client.completions.create(model="talker", prompt="x", logprobs=2, max_tokens=3)
    found = done.choices[0].logprobs
    assert len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs) == len(found.text_offset) == 3
    assert found.text_offset[0] == 0
    assert done.choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": [-5]}, "prompt"),
        ({"suffix": "behind"}, "suffix"),
        ({"prompt": [1, 2], "suffix": "behind"}, "suffix"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"best_of": 3}, "best_of"),
    ],
)
def test_mistakes_name_the_field(running: Running, changes: dict[str, object], param: str) -> None:
    body = {"model": "talker", "prompt": "x", **changes}
    answer = httpx.post(f"{running.openai}/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text


def test_the_log_has_the_prompt_the_answer_and_the_figures(client: openai.OpenAI, running: Running) -> None:
    client.chat.completions.create(model="talker", messages=[{"role": "user", "content": "a word to find"}])
    # The client has its answer before the record of it ends.
    end = time.monotonic() + PATIENCE
    while (record := running.server.log.latest()[0]).state != "done" and time.monotonic() < end:
        time.sleep(0.01)
    assert "a word to find" in record.prompt
    assert record.output == ANSWER
    assert record.state == "done"
    assert record.stats is not None
    assert record.stats.generated_tokens > 0
