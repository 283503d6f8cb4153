"""Tools and forms through the clients that people use: OpenAI's own, its agents, LangChain, Instructor."""

from __future__ import annotations

import json
from typing import Any, Literal

import httpx
import openai
import pytest
from pydantic import BaseModel, ConfigDict

from tests.server.conftest import ANSWER, Running

ASK: Any = [{"role": "user", "content": "How is the weather in Ulm?"}]
CITY = {"city": "Ulm", "days": 3}
ZONE = {"zone": "Europe/Berlin"}


def function(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": "It does.", "parameters": parameters}}


TOOLS: Any = [
    function("get_weather", city={"type": "string"}, days={"type": "integer"}),
    function("get_time", zone={"type": "string"}),
]
# What a model with random weights can call without end has to be finite.
FINITE: Any = [
    function("set_light", colour={"enum": ["red", "green"]}, on={"type": "boolean"}),
    function("set_volume", level={"type": "integer", "minimum": 0, "maximum": 10}),
]


class Mood(BaseModel):
    """How somebody feels. Nothing else may be said, or random weights would go on for long."""

    model_config = ConfigDict(extra="forbid")

    mood: Literal["good", "bad"]
    sure: bool


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def calls_of(done: Any) -> list[tuple[str, Any]]:
    message = done.choices[0].message
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]


def test_a_call_its_result_and_the_answer(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="caller", messages=ASK, tools=TOOLS)
    (choice,) = done.choices
    assert calls_of(done) == [("get_weather", CITY)]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert choice.message.tool_calls[0].id
    result = {"role": "tool", "tool_call_id": choice.message.tool_calls[0].id, "content": "clear"}
    messages = [*ASK, choice.message.model_dump(exclude_none=True), result]
    answer = client.chat.completions.create(model="caller", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert not answer.choices[0].message.tool_calls


def test_parallel_calls_and_their_results(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="callers", messages=ASK, tools=TOOLS)
    assert calls_of(done) == [("get_weather", CITY), ("get_time", ZONE)]
    message = done.choices[0].message
    assert len({call.id for call in message.tool_calls}) == 2
    results = [{"role": "tool", "tool_call_id": call.id, "content": "noon"} for call in message.tool_calls]
    messages = [*ASK, message.model_dump(exclude_none=True), *results]
    answer = client.chat.completions.create(model="callers", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.content == ANSWER


def test_calls_as_they_come(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="callers", messages=ASK, tools=TOOLS, stream=True))
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or ()]
    heads = [piece for piece in pieces if piece.id]
    assert [(head.index, head.type, head.function.name) for head in heads] == [
        (0, "function", "get_weather"),
        (1, "function", "get_time"),
    ]
    assert len({head.id for head in heads}) == 2
    arguments = ["", ""]
    for piece in pieces:
        arguments[piece.index] += piece.function.arguments or ""
    assert [json.loads(text) for text in arguments] == [CITY, ZONE]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["tool_calls"]
    assert all(not chunk.choices[0].delta.content for chunk in chunks)


def test_the_stream_helper_puts_calls_together(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="callers", messages=ASK, tools=TOOLS) as stream:
        kinds = {event.type for event in stream}
        done = stream.get_final_completion()
    assert {"tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= kinds
    assert calls_of(done) == [("get_weather", CITY), ("get_time", ZONE)]


def test_one_call_where_parallel_ones_are_off(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="callers", messages=ASK, tools=TOOLS, parallel_tool_calls=False)
    assert calls_of(done) == [("get_weather", CITY)]
    assert done.choices[0].finish_reason == "tool_calls"


def test_no_call_where_none_may_be_made(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="caller", messages=ASK, tools=TOOLS, tool_choice="none")
    assert not done.choices[0].message.tool_calls
    assert "get_weather" in done.choices[0].message.content
    assert done.choices[0].finish_reason == "stop"


def test_a_call_that_is_cut_off_is_told_as_such(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="caller", messages=ASK, tools=TOOLS)
    limit = whole.usage.completion_tokens - 2
    done = client.chat.completions.create(model="caller", messages=ASK, tools=TOOLS, max_completion_tokens=limit)
    assert done.choices[0].finish_reason == "length"
    (call,) = done.choices[0].message.tool_calls
    assert whole.choices[0].message.tool_calls[0].function.arguments.startswith(call.function.arguments)


@pytest.mark.parametrize("seed", range(4))
def test_a_required_and_a_named_call_come(client: openai.OpenAI, seed: int) -> None:
    """The weights of this model are random."""
    done = client.chat.completions.create(
        model="random", messages=ASK, tools=FINITE, tool_choice="required", parallel_tool_calls=False, seed=seed
    )
    ((name, arguments),) = calls_of(done)
    assert arguments.keys() == ({"colour", "on"} if name == "set_light" else {"level"})
    assert done.choices[0].finish_reason == "tool_calls"
    named: Any = {"type": "function", "function": {"name": "set_volume"}}
    done = client.chat.completions.create(
        model="random", messages=ASK, tools=FINITE, tool_choice=named, parallel_tool_calls=False, seed=seed
    )
    ((name, arguments),) = calls_of(done)
    assert name == "set_volume"
    assert 0 <= arguments["level"] <= 10


def test_a_call_behind_a_form_for_later_answers(client: openai.OpenAI) -> None:
    """Agents with a typed result send its schema with every request."""
    form: Any = {"type": "json_schema", "json_schema": {"name": "mood", "schema": Mood.model_json_schema()}}
    done = client.chat.completions.create(
        model="random",
        messages=ASK,
        tools=FINITE,
        tool_choice="required",
        response_format=form,
        max_tokens=1500,
        seed=1,
    )
    assert calls_of(done)


@pytest.mark.parametrize("seed", range(4))
def test_a_typed_answer(client: openai.OpenAI, seed: int) -> None:
    done = client.chat.completions.parse(model="random", messages=ASK, response_format=Mood, seed=seed)
    assert isinstance(done.choices[0].message.parsed, Mood)


def test_any_json_object(client: openai.OpenAI) -> None:
    """Quotation marks and closing braces, which a random model needs long to find, are made likely."""
    bias = {str(ord(character)): 6.0 for character in '"}'}
    done = client.chat.completions.create(
        model="random", messages=ASK, response_format={"type": "json_object"}, logit_bias=bias, max_tokens=1500, seed=3
    )
    assert done.choices[0].finish_reason == "stop"
    assert isinstance(json.loads(done.choices[0].message.content), dict)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"tool_choice": {"type": "function", "function": {"name": "get_news"}}}, "tool_choice"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ],
)
def test_mistakes_name_the_field(running: Running, changes: dict[str, Any], param: str) -> None:
    body = {"model": "caller", "messages": ASK, "tools": TOOLS, **changes}
    answer = httpx.post(f"{running.openai}/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


async def test_an_agent_uses_its_tool(running: Running) -> None:
    agents = pytest.importorskip("agents")
    agents.set_tracing_disabled(True)
    asked: list[tuple[str, int]] = []

    @agents.function_tool
    def get_weather(city: str, days: int) -> str:
        """The weather in a city."""
        asked.append((city, days))
        return "clear"

    async with openai.AsyncOpenAI(base_url=running.openai, api_key="none", max_retries=0) as client:
        model = agents.OpenAIChatCompletionsModel(model="caller", openai_client=client)
        agent = agents.Agent(name="Forecaster", instructions="Be brief.", model=model, tools=[get_weather])
        result = await agents.Runner.run(agent, "How is the weather in Ulm?")
        assert result.final_output == ANSWER
        streamed = agents.Runner.run_streamed(agent, "How is the weather in Ulm?")
        async for _ in streamed.stream_events():
            pass
        assert streamed.final_output == ANSWER
    assert asked == [("Ulm", 3)] * 2


class TestLangChain:
    """`langchain-openai`."""

    @pytest.fixture
    def langchain(self) -> Any:
        return pytest.importorskip("langchain_openai")

    def chat(self, langchain: Any, running: Running, model: str, **settings: Any) -> Any:
        return langchain.ChatOpenAI(model=model, base_url=running.openai, api_key="none", max_retries=0, **settings)

    def test_answers(self, langchain: Any, running: Running) -> None:
        chat = self.chat(langchain, running, "talker")
        assert chat.invoke("Hi").content == ANSWER
        assert "".join(piece.content for piece in chat.stream("Hi")) == ANSWER

    def test_tools(self, langchain: Any, running: Running) -> None:
        chat = self.chat(langchain, running, "caller").bind_tools(TOOLS)
        message = chat.invoke("How is the weather in Ulm?")
        (call,) = message.tool_calls
        assert (call["name"], call["args"]) == ("get_weather", CITY)
        whole = None
        for piece in chat.stream("How is the weather in Ulm?"):
            whole = piece if whole is None else whole + piece
        assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("get_weather", CITY)]
        answer = chat.invoke(
            [
                ("user", "How is the weather in Ulm?"),
                message,
                {"role": "tool", "content": "clear", "tool_call_id": call["id"]},
            ]
        )
        assert answer.content == ANSWER

    @pytest.mark.parametrize("method", ["json_schema", "function_calling"])
    def test_typed_answers(self, langchain: Any, running: Running, method: str) -> None:
        chat = self.chat(langchain, running, "random", seed=5)
        assert isinstance(chat.with_structured_output(Mood, method=method).invoke("Hi"), Mood)


@pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA"])
def test_instructor(client: openai.OpenAI, mode: str) -> None:
    instructor = pytest.importorskip("instructor")
    typed = instructor.from_openai(client, mode=instructor.Mode[mode])
    answer = typed.chat.completions.create(model="random", messages=ASK, response_model=Mood, seed=2, max_retries=0)
    assert isinstance(answer, Mood)
