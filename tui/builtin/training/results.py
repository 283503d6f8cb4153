"""What functions give back, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tui.builtin.training.dialogue import Call
from tui.builtin.training.inventing import Invention
from tui.builtin.training.values import Values


def _moment(values: Values) -> str:
    """A day, mostly with a time of day, as programs write it."""
    random = values.random
    day, clock = values.date(), f"{random.randint(0, 23):02}:{random.randint(0, 59):02}"
    seconds = f":{random.randint(0, 59):02}" if random.random() < 0.2 else ""
    return random.choice((day, f"{day} {clock}{seconds}", f"{day} {clock}{seconds}", f"{day}T{clock}{seconds}"))


_KEYS: dict[str, Callable[[Values], Any]] = {
    "status": lambda v: v.random.choice(("shipped", "open", "closed", "ready", "delayed", "cancelled", "active")),
    "date": _moment, "delivery_date": _moment, "created_at": _moment, "arrival": _moment, "updated": _moment,
    "time": lambda v: v.clock(),
    "price": lambda v: v.of("value"), "total": lambda v: v.of("value"), "city": lambda v: v.of("city"),
    "name": lambda v: v.person(), "id": lambda v: v.identifier(), "temperature": lambda v: v.random.randint(-15, 40),
    "condition": lambda v: v.random.choice(("sunny", "cloudy", "rainy", "windy", "foggy", "snowy", "clear")),
    "count": lambda v: v.random.randint(0, 400), "result": lambda v: v.of("number"), "email": lambda v: v.of("email"),
    "location": lambda v: v.of("city"), "title": lambda v: v.of("title"), "score": lambda v: v.of("small"),
    "duration": lambda v: v.of("small"), "balance": lambda v: v.of("value"), "message": lambda v: v.phrase(2, 5),
    "humidity": lambda v: v.random.randint(10, 99), "rate": lambda v: v.of("value"), "owner": lambda v: v.person(),
}  # fmt: skip
_DONE = (
    "ok",
    "done",
    "success",
    '{"status": "ok"}',
    '{"success": true}',
    '{"ok": true}',
    '{"result": "ok"}',
    "OK",
    "saved",
    "sent",
)
_ERRORS = (
    "not found",
    "no such {noun}",
    "timeout",
    "permission denied",
    "invalid {noun}",
    "unknown {noun}",
    "no connection",
)


def result_and_answer(invention: Invention, values: Values) -> tuple[str, str]:
    """What the function gives back, and what the model then says."""
    random = values.random
    noun = invention.noun.lower()
    match random.choices(range(8), weights=(3, 6, 2, 1, 2, 2, 1, 1))[0]:
        case 0:
            value = _KEYS[random.choice(tuple(_KEYS))](values)
            return str(value), f"The result is {value}."
        case 1:
            return _record(values)
        case 2:
            return random.choice(_DONE), "Done."
        case 3:
            error = random.choice(_ERRORS).format(noun=noun)
            text = json.dumps({"error": error}) if random.random() < 0.7 else f"error: {error}"
            return text, f"That did not work: {error}."
        case 4:
            return _several(values)
        case 5:
            sentence = f"{values.phrase(2, 4).capitalize()} is {values.phrase(1, 3)}"
            return sentence, f"{sentence}."
        case 6:
            holds = random.random() < 0.5
            return number_result(holds, "answer", random), "The answer is yes." if holds else "The answer is no."
        case _:
            return random.choice(("[]", "{}", "none", "null", "")), "Nothing was found."


def number_result(value: int | float | bool, key: str, random: Random) -> str:
    """A number as a function gives it back."""
    plain = json.dumps(value)
    return random.choice((plain, plain, json.dumps({key: value}), json.dumps({"result": value})))


def told(record: dict[str, Any]) -> str:
    """The sentence that tells of an object: every key with its value."""
    parts = [f"the {key.replace('_', ' ')} is {_words(value)}" for key, value in record.items()]
    sentence = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"{sentence[0].upper()}{sentence[1:]}."


def _words(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _record(values: Values) -> tuple[str, str]:
    random = values.random
    keys = random.sample(tuple(_KEYS), random.randint(1, 4))
    record: dict[str, Any] = {key: _KEYS[key](values) for key in keys}
    if random.random() < 0.25:
        record[values.word("param")] = values.anything()
    if random.random() < 0.1:
        record[values.word("modifier")] = random.random() < 0.5
    return json.dumps(record, ensure_ascii=False), told(record)


def _several(values: Values) -> tuple[str, str]:
    random = values.random
    count = random.randint(1, 4)
    if random.random() < 0.5:
        kind = random.choice(("filename", "person", "product", "city", "word"))
        names = [str(values.of(kind)) for _ in range(count)]
        text = json.dumps(names, ensure_ascii=False) if random.random() < 0.7 else "\n".join(names)
        return text, f"I found {_joined(names)}."
    items = [(values.phrase(1, 2), values.of("value")) for _ in range(count)]
    records = [{"name": name, "price": price} for name, price in items]
    return json.dumps(records), f"I found {_joined([f'{name} for {price}' for name, price in items])}."


def _joined(texts: list[str]) -> str:
    return ", ".join(texts[:-1]) + (" and " if len(texts) > 1 else "") + texts[-1]


def call_thought(call: Call) -> str:
    """What the model thinks before a call."""
    given = " and ".join(f"{key} {value}" for key, value in call.arguments.items())
    return f"This needs {call.name}" + (f" with {given}." if given else ".")
