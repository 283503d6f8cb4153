"""Asking a model file what it was not trained on, through lmdeck's own server as any program would.

Three held-out sets: questions about the program in phrasings of their own, calls of functions whose names and values
never occur in training, and answers in JSON to schemas. Sampling is what the file asks for, with fixed seeds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import httpx

from tui.builtin.training.dialogue import Call, Function
from tui.builtin.training.grammar import as_people_write
from tui.builtin.training.inventing import invent, invented_functions
from tui.builtin.training.requests import held_out_requests
from tui.builtin.training.seeds import fact_files, facts, functions
from tui.builtin.training.values import Values

_INVENTED_CALLS = 150
_SEED = 20_000_001
_MODEL = "guide"
_LONG_ANSWER = 200
_PATIENCE = 120.0
"""Seconds for one answer, and for the server to end."""


@dataclass(frozen=True, slots=True)
class CallCase:
    """A request with the functions that are offered, and the call that is right."""

    request: str
    functions: tuple[Function, ...]
    call: Call


@dataclass(frozen=True, slots=True)
class FormCase:
    """A request, a schema, and the values that an answer must have where they can be known."""

    request: str
    schema: dict[str, Any]
    expected: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Figures by name, and each failed case as a line."""

    figures: dict[str, float]
    failures: tuple[str, ...]


def question_cases() -> list[tuple[str, str, str]]:
    """Held-out questions: the file and the id of the fact, and the question."""
    return [(name, fact.id, question) for name in fact_files() for fact in facts(name) for question in fact.held_out]


def call_cases() -> list[CallCase]:
    """Held-out calls: those that were written down, and inventions of words and values that are never trained."""
    random = Random(_SEED)
    values = Values(random, kept_out=True)
    cases = []
    for seed in functions("held_out_calls"):
        for function, request, call in held_out_requests(seed):
            others = invented_functions(values, random.randint(0, 2), random)
            cases.append(CallCase(request, (*others, function), call))
    written = len(cases)
    trained = {name for seed in functions("calls") for name in seed.names}
    while len(cases) < written + _INVENTED_CALLS:
        wanted = invent(values, most=3)
        if wanted.function.name in trained:
            continue
        others = [f for f in invented_functions(values, random.randint(0, 2), random) if f.name != wanted.function.name]
        request = as_people_write(wanted.request, random, wanted.copied)
        if _says_all_items(request, wanted.call):
            cases.append(CallCase(request, (wanted.function, *others), wanted.call))
    return cases


def _says_all_items(request: str, call: Call) -> bool:
    """Whether the items of lists stand in the request: a slip of the fingers spares other values, but not them."""
    lists = (value for value in call.arguments.values() if isinstance(value, list))
    return all(item in request for items in lists for item in items)


def form_cases() -> list[FormCase]:
    """Held-out schemas with requests."""
    random = Random(_SEED + 1)
    values = Values(random, kept_out=True)
    text, number = {"type": "string"}, {"type": "integer"}
    cases = []
    for _ in range(12):
        name, age, city = values.person(), random.randint(18, 90), values.of("city")
        email, count = values.of("email"), random.randint(2, 60)
        product = values.word("product")
        cases += [
            FormCase(
                f"{name} is {age} years old and lives in {city}.",
                _object(name=text, age=number),
                {"name": name, "age": age},
            ),
            FormCase(
                f"Read this: {name} lives in {city} and is {age} years old",
                _object(city=text, age=number),
                {"age": age},
            ),
            FormCase(f"Write to {name} at {email}", _object(email=text, name=text), {"email": email}),
            FormCase(f"{name} ordered {count} {product}", _object(quantity=number, customer=text), {"quantity": count}),
        ]
    person = _object(name=text, occupation=text, personality=text, background=text)
    characters = {"type": "array", "items": person, "minItems": 1, "maxItems": 3}
    for request in (
        "Create 1-3 fictional characters",
        "Invent up to three people for a novel",
        "I need some characters for my story",
    ):
        cases.append(FormCase(request, _object(characters=characters)))
    for request in ("Tell me a joke.", "A joke would be nice", "Say one funny thing"):
        cases.append(FormCase(request, _object(joke=text)))
    for request in ("Name three colors", "Which animals do you know?", "What should I pack?"):
        cases.append(FormCase(request, _object(items={"type": "array", "items": text, "minItems": 1, "maxItems": 5})))
    for request in ("How is the mood today?", "Rate the film"):
        cases.append(FormCase(request, _object(mood={"enum": ["good", "bad"]}, sure={"type": "boolean"}, score=number)))
    return cases


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def check_model(path: Path) -> CheckReport:
    """Ask everything. Takes some minutes on a slow machine."""
    with _served(path) as client:
        report = check_with(client)
    return replace(report, figures={**report.figures, "file_mb": round(path.stat().st_size / 1e6, 2)})


def check_with(client: httpx.Client, model: str = _MODEL) -> CheckReport:
    """Ask everything of a model behind a client whose base URL is that of a server."""
    asking = _Asking(client, model)
    failures: list[str] = []
    answers = [asking.question(*case, failures) for case in question_cases()]
    calls = [asking.call(case, failures) for case in call_cases()]
    written = sum(len(seed.requests) for seed in functions("held_out_calls"))
    forms = [asking.form(case, failures) for case in form_cases()]
    figures = {
        "answers_percent": _percent(answers),
        "tool_calls_percent": _percent(calls),
        "tool_calls_written_percent": _percent(calls[:written]),
        "tool_calls_invented_percent": _percent(calls[written:]),
        "structured_percent": _percent([valid for valid, _ in forms]),
        "structured_values_percent": _percent([right for _, right in forms]),
        "questions": float(len(answers)),
        "tool_requests": float(len(calls)),
        "structured_requests": float(len(forms)),
        "tokens_per_second": asking.speed(),
    }
    return CheckReport(figures, tuple(failures))


def _percent(right: Sequence[bool]) -> float:
    return round(100 * sum(right) / len(right), 2)


class _Asking:
    """Requests to OpenAI's chat completions, numbered so that each has a seed of its own."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self._client = client
        self._model = model
        self._seed = 0

    def question(self, name: str, fact_id: str, question: str, failures: list[str]) -> bool:
        """Whether the answer has the key facts."""
        fact = next(fact for fact in facts(name) if fact.id == fact_id)
        answer = self._ask(question).get("content") or ""
        right = fact.answered_by(answer)
        if not right:
            failures.append(f"answer [{fact_id}] {question!r}: {answer!r}")
        return right

    def call(self, case: CallCase, failures: list[str]) -> bool:
        """Whether there is exactly the right call."""
        tools = [
            {"type": "function", "function": {"name": f.name, "description": f.description, "parameters": f.schema}}
            for f in case.functions
        ]
        message = self._ask(case.request, tools=tools)
        made = [
            (call["function"]["name"], _object_of(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ]
        right = made == [(case.call.name, dict(case.call.arguments))]
        if not right:
            failures.append(f"call {case.request!r}: wanted {case.call}, got {made or message.get('content')!r}")
        return right

    def form(self, case: FormCase, failures: list[str]) -> tuple[bool, bool]:
        """Whether the answer is valid, and whether the values that can be known are right, too."""
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": case.schema}}
        answer = self._ask(case.request, response_format=wanted).get("content") or ""
        made = _object_of(answer)
        valid = isinstance(made, dict) and _fits(made, case.schema)
        right = valid and all(made.get(key) == value for key, value in case.expected.items())
        if not right:
            failures.append(f"form {case.request!r}: {answer!r}")
        return valid, right

    def speed(self) -> float:
        """Tokens per second of a long answer, by the server's own account; the median of some."""
        body = {"model": self._model, "messages": [{"role": "user", "content": "Tell me a story"}]}
        more = {"max_tokens": _LONG_ANSWER, "ignore_eos": True}
        found = []
        for seed in range(5):
            response = self._client.post("/api/v0/chat/completions", json={**body, **more, "seed": seed})
            response.raise_for_status()
            found.append(response.json()["stats"]["tokens_per_second"])
        return float(median(found))

    def _ask(self, text: str, **more: Any) -> dict[str, Any]:
        self._seed += 1
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": text}],
            "seed": self._seed,
            "max_tokens": 400,
        }
        response = self._client.post("/v1/chat/completions", json={**body, **more})
        response.raise_for_status()
        message: dict[str, Any] = response.json()["choices"][0]["message"]
        return message


def _object_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value fits a schema of the few kinds that the cases have."""
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "object":
            properties = schema["properties"]
            return (
                isinstance(value, dict)
                and set(value) == set(properties)
                and all(_fits(value[key], inner) for key, inner in properties.items())
            )
        case "array":
            fits = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
            return fits and all(_fits(item, schema["items"]) for item in value)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


@contextmanager
def _served(path: Path) -> Iterator[httpx.Client]:
    """A client of lmdeck's server, in a process and a folder of its own, which has the model."""
    with tempfile.TemporaryDirectory(prefix="lmdeck-guide-") as home:
        models = Path(home) / "models"
        models.mkdir()
        (models / f"{_MODEL}.gguf").symlink_to(path.absolute())
        environment = {**os.environ, "LMDECK_HOME": home}
        environment.pop("LMDECK_MODELS", None)
        command = [sys.executable, "-m", "tui", "serve", "--port", "0", "--quiet"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            preexec_fn=_keep_to_one_core,
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address, timeout=_PATIENCE, trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _keep_to_one_core() -> None:
    """One thread is enough for a network this small; several that wait for each other are slow on a busy machine."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
