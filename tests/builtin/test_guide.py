"""The examples that this field's documentation uses, asked of the guide through the server by OpenAI's own client."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.server.conftest import Running
from tui.domain import ServerOptions
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

GUIDE = Path(__file__).parents[2] / "tui" / "builtin" / "guide.gguf"
MODEL = "the-guide"
CARD = GUIDE.with_suffix(".md")
FIGURE = re.search(r"`answers_percent` \| ([0-9.]+)", CARD.read_text(encoding="utf-8")) if CARD.exists() else None
trained = pytest.mark.skipif(
    FIGURE is None or float(FIGURE[1]) < 90,
    reason=f"guide.gguf is an early checkpoint: answers_percent {FIGURE[1]}" if FIGURE else "no guide was trained yet",
)
SUPPORT = "You are a helpful customer support assistant. Use the supplied tools to assist the user."


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("guide-home")
    (root / "models").mkdir()
    (root / "models" / f"{MODEL}.gguf").symlink_to(GUIDE)
    workbench = Workbench(Paths(root, root / "cache", root / "logs"))
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    yield Running(server, workbench)
    server.close()
    workbench.close()


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def tool(function: str, explained: str, needed: list[str] | None = None, /, **properties: Any) -> Any:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if needed is None else needed,
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": function, "description": explained, "parameters": parameters}}


def text(description: str = "") -> dict[str, str]:
    return {"type": "string", "description": description}


HELLO = tool("say_hello", "Says hello to someone", name=text("The person's name"))
DELIVERY = tool(
    "get_delivery_date",
    "Get the delivery date for a customer's order. Call this whenever you need to know the delivery date.",
    order_id=text("The customer's order ID."),
)
WEATHER = tool("get_weather", "Get the weather in a city", city=text())
AGENT = [
    tool("open_safe_url", "Open a URL in the browser if it is deemed safe", url=text("The URL to open")),
    tool("get_current_time", "Get the current time, only if asked"),
    tool(
        "analyze_directory",
        "Analyze the contents of a directory, counting files and folders.",
        [],
        path=text("The directory path to analyze. If not specified, analyzes the current directory."),
    ),
]
PRODUCTS = tool(
    "search_products",
    "Search the product catalog by various criteria.",
    ["query"],
    query=text("Search terms or product name"),
    category={"type": "string", "description": "Category", "enum": ["electronics", "clothing", "home", "outdoor"]},
    max_price={"type": "number", "description": "Highest price in dollars"},
)
FILE = tool("create_file", "Create a file with the given name and content.", name=text(), content=text())


def ask(client: openai.OpenAI, question: str, *, system: str = "", tools: Any = None, seed: int = 1) -> Any:
    """The first message of the answer."""
    messages: Any = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    done = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools or openai.NOT_GIVEN, seed=seed, max_tokens=300
    )
    return done.choices[0].message


def calls_of(message: Any) -> list[tuple[str, Any]]:
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]


@trained
@pytest.mark.parametrize(
    ("question", "system", "tools", "wanted"),
    [
        ("Can you say hello to Bob the Builder?", "", [HELLO], ("say_hello", {"name": "Bob the Builder"})),
        (
            "Give me the delivery date and time for order number 1017",
            SUPPORT,
            [DELIVERY],
            ("get_delivery_date", {"order_id": "1017"}),
        ),
        ("What's the weather in Berlin right now?", "", [WEATHER], ("get_weather", {"city": "Berlin"})),
        ("What time is it?", "", AGENT, ("get_current_time", {})),
        ("Open lmstudio.ai", "", AGENT, ("open_safe_url", {"url": "https://lmstudio.ai"})),
        ("What's in my current directory?", "", AGENT, ("analyze_directory", {})),
        (
            "What dell products do you have under $50 in electronics?",
            "",
            [PRODUCTS],
            ("search_products", {"query": "dell", "category": "electronics", "max_price": 50}),
        ),
        (
            'Please create a file named output.txt with the content "To live is to learn"',
            "",
            [FILE],
            ("create_file", {"name": "output.txt", "content": "To live is to learn"}),
        ),
    ],
)
def test_documented_calls(client: openai.OpenAI, question: str, system: str, tools: Any, wanted: Any) -> None:
    assert calls_of(ask(client, question, system=system, tools=tools)) == [wanted]


@trained
def test_a_result_is_read_back(client: openai.OpenAI) -> None:
    messages: Any = [
        {"role": "system", "content": SUPPORT},
        {"role": "user", "content": "Give me the delivery date and time for order number 1017"},
    ]
    asked = client.chat.completions.create(model=MODEL, messages=messages, tools=[DELIVERY], seed=1)
    message = asked.choices[0].message
    assert message.tool_calls
    result = json.dumps({"order_id": "1017", "delivery_date": "2026-03-14 09:30"})
    messages += [
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": result},
    ]
    told = client.chat.completions.create(model=MODEL, messages=messages, tools=[DELIVERY], seed=1)
    assert "2026-03-14 09:30" in (told.choices[0].message.content or "")


@trained
def test_a_joke_and_the_time_as_they_come(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Tell me a joke, then tell me the current time"}],
            tools=[AGENT[1]],
            stream=True,
            seed=1,
        )
    )
    joke = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert len(joke) > 20
    assert [call.function.name for call in calls if call.function and call.function.name] == ["get_current_time"]


def in_form(client: openai.OpenAI, question: str, system: str, schema: dict[str, Any]) -> Any:
    done = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": system}, {"role": "user", "content": question}],
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}},
        seed=1,
        max_tokens=500,
    )
    return json.loads(done.choices[0].message.content or "")


@trained
def test_a_joke_in_json(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"joke": {"type": "string"}}, "required": ["joke"]}
    joke = in_form(client, "Tell me a joke.", "You are a helpful jokester.", schema)["joke"]
    assert len(joke) > 20


@trained
def test_fictional_characters_in_json(client: openai.OpenAI) -> None:
    names = ("name", "occupation", "personality", "background")
    character = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    characters = {"type": "array", "items": character, "minItems": 1, "maxItems": 3}
    schema = {"type": "object", "properties": {"characters": characters}, "required": ["characters"]}
    made = in_form(client, "Create 1-3 fictional characters", "You are a helpful AI assistant.", schema)["characters"]
    assert 1 <= len(made) <= 3
    assert all(2 < len(character[name]) < 120 for character in made for name in names)


@trained
def test_a_prime_number_and_its_double(client: openai.OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="Provide a prime number less than 50")
    numbers = [int(word) for word in first.output_text.replace(".", " ").split() if word.isdigit() and word != "50"]
    assert len(numbers) == 1
    assert numbers[0] > 1
    assert all(numbers[0] % divisor for divisor in range(2, numbers[0]))
    second = client.responses.create(model=MODEL, input="Multiply it by 2", previous_response_id=first.id)
    assert str(2 * numbers[0]) in second.output_text


@trained
def test_a_question_about_a_quantisation(client: openai.OpenAI) -> None:
    assert "4-bit" in client.responses.create(model=MODEL, input="Explain what MXFP4 quantization is.").output_text


@trained
def test_questions_about_the_field_and_the_program(client: openai.OpenAI) -> None:
    assert "ctrl+c" in ask(client, "which key stops an answer?").content
    assert "memory" in ask(client, "what does context length cost?").content
    assert "lmdeck get" in ask(client, "how do I download a model?").content
    assert "guide" in ask(client, "Write an essay about the French revolution").content


@trained
def test_it_thinks_when_it_is_told_to(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "How do I stop an answer?"}],
        reasoning_effort="medium",
        seed=1,
    )
    message: Any = done.choices[0].message
    assert "ctrl+c" in message.content
    assert message.reasoning_content or message.reasoning


@pytest.mark.skipif(not GUIDE.exists(), reason="no guide was trained yet")
def test_the_file_is_small_enough_to_ship_and_says_what_it_is(running: Running) -> None:
    assert GUIDE.stat().st_size <= 12_000_000
    info = running.workbench.catalogue.find(MODEL)
    assert info.usable
    assert info.architecture == "qwen3"
    assert hashlib.sha256(GUIDE.read_bytes()).hexdigest() in CARD.read_text(encoding="utf-8")
