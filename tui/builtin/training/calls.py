"""Conversations in which functions are offered: called, not called, called twice, and their results told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from random import Random

from tui.builtin.training.dialogue import Call, Dialogue, Function, Parameter, Turn
from tui.builtin.training.grammar import as_people_write, spoken
from tui.builtin.training.inventing import Invention, invent, invented_functions
from tui.builtin.training.requests import requested
from tui.builtin.training.results import call_thought, number_result, result_and_answer
from tui.builtin.training.seeds import SeedFunction, facts, functions
from tui.builtin.training.values import Values

SYSTEMS = (
    "You are a helpful assistant.", "You are a helpful assistant that can call tools.", "You are an assistant.",
    "You are a helpful customer support assistant. Use the supplied tools to assist the user.", "Be brief.",
    "You are the guide.", "You are a helpful AI assistant.", "Answer the user.", "Use tools when they help.",
    "You are a friendly assistant with access to tools. Use them when needed.",
)  # fmt: skip
_MISSING = "Please tell me the {}."
_OFTEN = 7
"""So many times as often as another comes a function that programs offer often."""
_VAGUE = 0.4
"""The part of the requests for invented functions that do not say the function's verb."""
_REQUESTS = (32, 24, 24, 20)
"""How often a conversation has one request, two, three or four: what was offered is read once for all of them."""
_INVENTED = 0.78
"""The part of the functions that are invented; the others are seeds."""
_OPTIONS = 0.2
"""The part of the requests whose function has further parameters that nobody asked for."""
_MORE_SAID = 0.25
"""The part of the descriptions that say more than is needed."""
_MORE = (
    ", only if asked", " if there is one", ". Returns JSON", ". Returns text", ". Use it only when needed",
    " for a user", ". Fails if nothing is found", " from the database", " through the web service", ", newest first",
    ", with details", ". The user must agree", ", counting them", " and return the result", ". Takes a moment",
    " on this machine", ". Do not guess the values", ", as a list", " (read-only)", ". This cannot be undone",
    ", if allowed", " and log it",
)  # fmt: skip
"""What programs write behind a description."""


def some_system(random: Random, chance: float = 0.3) -> str:
    """A system prompt, mostly none."""
    return random.choice(SYSTEMS) if random.random() < chance else ""


def call_dialogue(random: Random) -> Dialogue:
    """One request with one call or some, often with what comes after."""
    values = Values(random)
    turns: list[Turn] = []
    functions: list[Function] = []
    for _ in range(random.choices((1, 2, 3, 4), weights=_REQUESTS)[0]):
        asked = wanted(values)
        if asked.function.name in _taken(functions):
            break
        functions.append(asked.function)
        turns += [_user(asked, random), Turn("assistant", calls=(asked.call,), thought=_thought(asked.call, random))]
        if random.random() < 0.35:
            result, answer = result_and_answer(asked, values)
            turns += [Turn("tool", result), Turn("assistant", answer)]
    if random.random() < 0.05:
        turns += [Turn("user", _thanks(random)), Turn("assistant", facts("talk")[2].answers[0], topic="thanks")]
    return Dialogue(tuple(turns), offered(functions, values), some_system(random))


def wanted(values: Values) -> Invention:
    """A function and a request for it: invented, or one of the seeds."""
    asked = (
        invent(values, vague=_VAGUE)
        if values.random.random() < _INVENTED
        else requested(_common(values.random), values)
    )
    return _with_options(asked, values) if values.random.random() < _OPTIONS else asked


def _with_options(asked: Invention, values: Values) -> Invention:
    """The same with parameters that may be left out and are, as most functions of programs have some."""
    given = asked.function.parameters
    if any(parameter.optional for parameter in given):
        return asked
    parameters = list(given)
    for option in invent(values, most=2).function.parameters:
        words = option.name.replace("_", " ")
        if words not in asked.request and all(option.name != other.name for other in parameters):
            parameters.insert(values.random.randint(0, len(parameters)), replace(option, optional=True))
    return replace(asked, function=replace(asked.function, parameters=tuple(parameters)))


def _common(random: Random) -> SeedFunction:
    """One of the functions as programs offer them."""
    known = functions("calls")
    return random.choices(known, weights=[_OFTEN if function.often else 1 for function in known])[0]


@cache
def _of_same_use(name: str) -> frozenset[str]:
    """The names of all seed functions that may have this one."""
    return frozenset(other for seed in functions("calls") if name in seed.names for other in seed.names)


def _taken(offered: Iterable[Function]) -> set[str]:
    """The names of the functions and of those that do the same, so that there is one right choice."""
    return {name for function in offered for name in (function.name, *_of_same_use(function.name))}


def offered(needed: list[Function], values: Values) -> tuple[Function, ...]:
    """The functions with others beside them, in any order."""
    random = values.random
    made = list(needed)
    draw = random.random()
    for _ in range(random.choices((0, 1, 2, 3, 4), weights=(4, 4, 4, 1, 1))[0]):
        if draw < 0.2:
            often = [seed for seed in functions("calls") if seed.often]
            other = requested(random.choice(often), values).function
        elif draw < 0.45:
            other = requested(_common(random), values).function
        else:
            other = invented_functions(values, 1, random)[0]
            if needed and random.random() < 0.3:
                other = _like(random.choice(needed), other, random)
        if other.name not in _taken(made):
            made.append(other)
    random.shuffle(made)
    return tuple(_described(function, random) for function in made)


def _described(function: Function, random: Random) -> Function:
    """The function as it is, or with more words about it."""
    if not function.description or random.random() > _MORE_SAID:
        return function
    return replace(function, description=function.description.rstrip(".") + random.choice(_MORE))


def _like(needed: Function, other: Function, random: Random) -> Function:
    """The other function with the verb of the needed one. The noun stays, which a request may say alone."""
    verb, _, rest = needed.name.partition("_")
    noun = other.name.partition("_")[2]
    if not rest or not noun or noun == rest:
        return other
    name = f"{verb}_{noun}"
    return replace(other, name=name, description="" if random.random() < 0.2 else f"{name.replace('_', ' ')}.")


def no_call_dialogue(random: Random, talk: list[Turn]) -> Dialogue:
    """Talk that needs no function though some are offered."""
    values = Values(random)
    return Dialogue(tuple(talk), offered([], values) or offered([wanted(values).function], values), some_system(random))


def missing_dialogue(random: Random) -> Dialogue:
    """A request that leaves out what the function needs."""
    values = Values(random)
    noun, verb = values.word("noun"), values.word("verb")
    name = random.choice((values.word("param"), f"{noun}_id", "city", "name", "date"))
    function = Function(f"{verb}_{noun}", (Parameter(name, "string"),), f"{verb.capitalize()} the {noun}.")
    value = str(values.anything())
    question = Turn("user", as_people_write(f"{verb} {random.choice(('the', 'a', 'my'))} {noun}", random))
    turns = [question, Turn("assistant", _MISSING.format(name.replace("_", " ")))]
    turns += [Turn("user", value), Turn("assistant", calls=(Call(function.name, {name: value}),))]
    return Dialogue(tuple(turns), (function,), some_system(random))


def text_and_call_dialogue(random: Random) -> Dialogue:
    """A joke or a greeting first, then a call."""
    values = Values(random)
    asked = wanted(values)
    joke = next(fact for fact in facts("talk") if fact.id == "joke")
    first = spoken("[tell me|tell|say|make] a [joke|short joke|funny joke]", random)
    between = random.choice((", then ", " and ", ", and then ", " and then ", ". Then "))
    text = f"{first}{between}{asked.request}"
    turns = [
        Turn("user", as_people_write(text, random, asked.copied)),
        Turn("assistant", random.choice(joke.answers), calls=(asked.call,), topic="joke"),
    ]
    if random.random() < 0.5:
        result, answer = result_and_answer(asked, values)
        turns += [Turn("tool", result), Turn("assistant", answer)]
    return Dialogue(tuple(turns), offered([asked.function], values), some_system(random))


def two_calls_dialogue(random: Random) -> Dialogue:
    """The same function for two values, in one message."""
    values = Values(random)
    kind = random.choice(("city", "person", "ident", "symbol", "word", "filename"))
    one, two = values.of(kind), values.of(kind)
    verb, noun = values.word("verb"), values.word("noun")
    name = {
        "city": "city",
        "person": "name",
        "ident": f"{noun}_id",
        "symbol": "symbol",
        "word": "word",
        "filename": "file",
    }[kind]
    between = random.choice((" in ", " for ", " of ")) if kind in ("city", "person", "symbol") else " "
    type_ = "integer" if isinstance(one, int) and isinstance(two, int) else "string"
    arguments = [value if type_ == "integer" else str(value) for value in (one, two)]
    function = Function(f"{verb}_{noun}", (Parameter(name, type_),), f"{verb.capitalize()} the {noun}.")
    text = f"{verb} the {noun}{between}{one} and {two}"
    calls = tuple(Call(function.name, {name: value}) for value in arguments)
    turns = (Turn("user", as_people_write(text, random, (str(one), str(two)))), Turn("assistant", calls=calls))
    return Dialogue(turns, offered([function], values), some_system(random))


def two_steps_dialogue(random: Random) -> Dialogue:
    """A call whose result the next call needs."""
    values = Values(random)
    if random.random() < 0.3:
        return _arithmetic_steps(random, values)
    first = invent(values, most=2)
    key = random.choice((f"{first.noun.replace(' ', '_')}_id", "id", "code", "address", "email", "date", "name"))
    kind = {"address": "city", "email": "email", "date": "date", "name": "person"}.get(key, "ident")
    value = values.of(kind)
    verb, noun = values.word("verb"), values.word("noun")
    parameters = [Parameter(key, "integer" if isinstance(value, int) else "string")]
    arguments = {key: value}
    said, copied = "", list(first.copied)
    if random.random() < 0.4:
        other = values.identifier()
        parameters.insert(0, Parameter(f"{noun}_id", "integer" if isinstance(other, int) else "string"))
        arguments = {f"{noun}_id": other, **arguments}
        said = f" {other}"
        copied.append(str(other))
    second = Function(
        f"{verb}_{noun}", tuple(parameters), f"{verb.capitalize()} the {noun} by its {key.replace('_', ' ')}."
    )
    end = random.choice(
        ("with it", f"with that {key.replace('_', ' ')}", "for it", f"with its {key.replace('_', ' ')}", "there")
    )
    text = f"{first.request}, {random.choice(('then', 'and', 'and then'))} {verb} the {noun}{said} {end}"
    result = json.dumps({key: value}) if random.random() < 0.7 else str(value)
    turns = [
        Turn("user", as_people_write(text, random, copied)),
        Turn("assistant", calls=(first.call,)),
        Turn("tool", result),
        Turn("assistant", calls=(Call(second.name, arguments),)),
    ]
    if random.random() < 0.5:
        after, answer = result_and_answer(first, values)
        turns += [Turn("tool", after), Turn("assistant", answer)]
    return Dialogue(tuple(turns), offered([first.function, second], values), some_system(random))


def _arithmetic_steps(random: Random, values: Values) -> Dialogue:
    """Whether a sum or a product is prime, with functions for both."""
    a, b = values.of("number2"), values.of("number2")
    adds = random.random() < 0.6
    total = a + b if adds else a * b
    prime = total > 1 and all(total % n for n in range(2, min(int(total**0.5) + 1, 40_000)))
    names = random.choice((("a", "b"), ("x", "y"), ("first", "second")))
    name = random.choice(("add", "sum", "plus", "add_numbers") if adds else ("multiply", "product", "times"))
    compute = Function(name, tuple(Parameter(n, "integer") for n in names), "Given two numbers, returns their result.")
    test, n = random.choice(("is_prime", "isPrime", "check_prime")), random.choice(("n", "number"))
    check = Function(test, (Parameter(n, "integer"),), "Given a number n, returns True if n is a prime number.")
    joint = random.choice((" + ", " plus ")) if adds else random.choice((" * ", " times "))
    text = spoken(
        f"[is|check whether|tell me if] [the result of|] {a}{joint}{b} [is|] [prime|a prime|a prime number]", random
    )
    turns = (
        Turn("user", as_people_write(text, random, (str(a), str(b)))),
        Turn("assistant", calls=(Call(name, dict(zip(names, (a, b), strict=True))),)),
        Turn("tool", number_result(total, "sum", random)),
        Turn("assistant", calls=(Call(test, {n: total}),)),
        Turn("tool", number_result(prime, "prime", random)),
        Turn("assistant", f"Yes, {total} is a prime number." if prime else f"No, {total} is not a prime number."),
    )
    return Dialogue(turns, offered([compute, check], values), some_system(random))


def _user(asked: Invention, random: Random) -> Turn:
    items = [item for value in asked.call.arguments.values() if isinstance(value, list) for item in value]
    return Turn("user", as_people_write(asked.request, random, [*asked.copied, *items]))


def _thought(call: Call, random: Random) -> str:
    return call_thought(call) if random.random() < 0.12 else ""


def _thanks(random: Random) -> str:
    return random.choice(("thanks", "thank you", "great, thanks", "perfect", "cheers"))
