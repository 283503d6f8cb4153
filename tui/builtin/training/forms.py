"""Answers in JSON. The engine's grammar writes their keys, mostly, so that the values are what is learned."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tui.builtin.training.dialogue import Dialogue, Turn
from tui.builtin.training.grammar import as_people_write, spoken
from tui.builtin.training.seeds import facts
from tui.builtin.training.values import Values

Record = dict[str, Any]
_STORIES = (
    "grew up by the sea and never learned to swim", "left a small village to see the world",
    "once found a map in an old book", "keeps a lighthouse and three cats", "lost a bet and won a friend",
    "was raised by two clockmakers", "knows every street of the old town", "came with the circus and stayed",
)  # fmt: skip
_BOOKS = (
    ("The Hobbit", "J. R. R. Tolkien", 1937), ("Moby-Dick", "Herman Melville", 1851), ("Emma", "Jane Austen", 1815),
    ("Dracula", "Bram Stoker", 1897), ("Frankenstein", "Mary Shelley", 1818), ("Hamlet", "William Shakespeare", 1603),
    ("Faust", "Johann Wolfgang von Goethe", 1808), ("The Trial", "Franz Kafka", 1925), ("Ulysses", "James Joyce", 1922),
    ("Don Quixote", "Miguel de Cervantes", 1605), ("1984", "George Orwell", 1949), ("Dune", "Frank Herbert", 1965),
)  # fmt: skip
_SYSTEMS = (
    "You are a helpful assistant.",
    "You are a helpful jokester.",
    "Answer in JSON.",
    "Respond only with JSON.",
    "",
)


def form_dialogue(random: Random) -> Dialogue:
    """A request that is answered in JSON."""
    values = Values(random)
    kind = random.choices((_joke, _characters, _character, _book, _extract, _extract, _city, _recipe, _list, _answer,
    _sentiment, _event),
                          weights=(4, 3, 3, 2, 8, 6, 2, 2, 3, 3, 2, 3))[0]  # fmt: skip
    request, record, copied = kind(values)
    text = json.dumps(record, ensure_ascii=False)
    said = random.random() < 0.3
    if said:
        request += random.choice(
            (" as JSON", " in JSON", ", as a JSON object", f" as JSON with {' and '.join(record)}")
        )
    given = () if said and random.random() < 0.7 else given_keys(record)
    thought = "The answer has to be JSON." if random.random() < 0.08 else ""
    turns = (
        Turn("user", as_people_write(request, random, copied)),
        Turn("assistant", text, given=given, thought=thought),
    )
    return Dialogue(turns, (), random.choice(_SYSTEMS) if random.random() < 0.4 else "")


def given_keys(record: Any) -> tuple[str, ...]:
    """The keys of a JSON text, which its grammar writes, with the quote behind each.

    What stands between them is learned: a grammar leaves open how much white space that is.
    """
    if isinstance(record, list):
        return given_keys(record[0]) if record else ()
    if not isinstance(record, dict):
        return ()
    return tuple(part for key, inner in record.items() for part in (f'{key}"', *given_keys(inner)))


def _joke(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    joke = values.random.choice(next(fact for fact in facts("talk") if fact.id == "joke").answers)
    request = spoken(
        "[tell me|tell|make|give me|write|I want|say] a [joke|short joke|funny joke|good joke]", values.random
    )
    if values.random.random() < 0.3:
        request += f" about {values.word('topic')}"
    draw = values.random.random()
    if draw < 0.25:
        setup, _, punchline = joke.partition("? ")
        return request, {"setup": f"{setup}?" if punchline else joke, "punchline": punchline or "That is all."}, ()
    record: Record = {values.random.choice(("joke", "joke", "joke", "text", "content", "answer")): joke}
    if draw < 0.4:
        record[values.random.choice(("rating", "score"))] = values.random.randint(1, 10)
    return request, record, ()


def _person(values: Values) -> Record:
    random = values.random
    name = values.person()
    occupation, trait, story = values.word("occupation"), values.word("trait"), random.choice(_STORIES)
    first = name.split(" ", 1)[0]
    return {
        "name": name, "age": random.randint(18, 90), "occupation": occupation,
        "personality": f"{trait.capitalize()} and {values.word('trait')}", "background": f"{first} {story}.",
        "description": f"A {trait} {occupation} who {story}.", "job": occupation, "city": values.of("city"),
        "country": values.word("country"), "hobby": values.word("topic"), "favorite_color": values.word("color"),
        "traits": [trait, values.word("trait")], "backstory": f"{first} {story}.", "role": occupation,
    }  # fmt: skip


def _some(values: Values, record: Record, least: int, first: str = "name") -> Record:
    keys = [key for key in record if key != first]
    chosen = values.random.sample(keys, values.random.randint(least, min(4, len(keys))))
    return {key: record[key] for key in [first, *chosen]}


def _characters(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    random = values.random
    people = [_person(values) for _ in range(random.randint(1, 3))]
    keys = (
        list(_some(values, people[0], 1))
        if random.random() < 0.5
        else ["name", "occupation", "personality", "background"]
    )
    noun = random.choice(("characters", "people", "persons", "heroes", "users"))
    request = spoken(
        f"[create|make up|invent|give me|write|describe|generate] [1-3|1 to 3|one to three|some|a few|three|two] "
        f"[fictional|imaginary|invented|] {noun}", random)  # fmt: skip
    return request, {random.choice((noun, "characters")): [{key: person[key] for key in keys} for person in people]}, ()


def _character(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    request = spoken(
        "[create|make up|invent|describe|give me] a [fictional|] [character|person|hero|user|customer]", values.random
    )
    return request, _some(values, _person(values), 1), ()


def _book(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    title, author, year = values.random.choice(_BOOKS)
    request = spoken(
        f"[tell me about|who wrote|describe|give me|I want to know about] [the book|] {title}", values.random
    )
    record: Record = {"title": title, "author": author, "year": year}
    return request, record if values.random.random() < 0.6 else _some(values, record, 1, "title"), (title,)


def _extract(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    """Copying out of a sentence, which is what forms are mostly for."""
    random = values.random
    name, age, city, job = values.person(), random.randint(18, 90), values.of("city"), values.word("occupation")
    product, price, ident, date = values.word("product"), values.of("value"), values.identifier(), values.date()
    email, count = values.of("email"), random.randint(2, 60)
    sentence, record = random.choice((
        (f"{name} is {age} years old and lives in {city}", {"name": name, "age": age, "city": city}),
        (f"{name} is {age}", {"name": name, "age": age}),
        (f"{name}, a {job} from {city}", {"name": name, "occupation": job, "city": city}),
        (f"my name is {name} and my email is {email}", {"name": name, "email": email}),
        (f"the {product} costs {price}", {"product": product, "price": price}),
        (f"order {ident} of {name} comes on {date}", {"order_id": str(ident), "customer": name, "date": date}),
        (f"{name} bought {count} {product} for {price}", {"customer": name, "quantity": count, "product": product,
        "price": price}),
        (f"meeting with {name} on {date} in {city}", {"person": name, "date": date, "place": city}),
        (f"from {city} to {values.of('city')} on {date}", {"from": city, "date": date}),
        (f"{name} works as a {job} in {city}", {"name": name, "job": job, "city": city}),
        (f"{city} is where {name} lives, who is {age}", {"city": city, "name": name, "age": age}),
        (f"send it to {name}, {email}", {"recipient": name, "email": email}),
        (f"{name} can be reached at {email}", {"name": name, "email": email}),
        (f"mail {email} and ask for {name}", {"email": email, "name": name}),
        (f"contact: {email} ({name}, {job})", {"email": email, "name": name, "job": job}),
        (f"{name} wants {count} {product}", {"name": name, "quantity": count, "product": product}),
        (f"{count} {product} for {name} in {city}", {"quantity": count, "customer": name, "city": city}),
        (f"sold {count} {product} to {name} on {date}", {"customer": name, "quantity": count, "date": date}),
        (f"{name}, aged {age}, of {city}", {"name": name, "age": age, "city": city}),
        (f"a {age} year old {job} called {name}", {"age": age, "job": job, "name": name}),
        (f"ticket {ident}: the {product} of {name} is broken", {"ticket": str(ident), "product": product,
        "customer": name}),
        (f"{product} at {price} each, {count} of them", {"product": product, "price": price, "count": count}),
        (f"{name} pays {price} for the {product}", {"customer": name, "price": price, "product": product}),
        (f"on {date} {name} flies to {city}", {"date": date, "passenger": name, "city": city}),
    ))  # fmt: skip
    items = list(record.items())
    if random.random() < 0.4:
        random.shuffle(items)
    if random.random() < 0.3:
        items = items[: random.randint(1, len(items))]
    lead = random.choice((
        "Extract the data: ", "Extract: ", "", "", "Extract {keys}: ", "Get {keys} from this: ", "Parse this: ",
        "Find {keys} in this text: ", "What are {keys} here? ", "Read the following and give {keys}: ",
        "Turn this into JSON: ",
    )).format(keys=", ".join(key.replace("_", " ") for key, _ in items))  # fmt: skip
    return lead + sentence, dict(items), tuple(sentence.split(" "))


def _city(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    city, country = values.of("city"), values.word("country")
    request = spoken(f"[describe|give me|tell me about] the city {city} in {country}", values.random)
    return request, {"city": city, "country": country}, (city, country)


def _recipe(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    random = values.random
    dish = values.word("dish")
    record: Record = {
        "name": dish, "ingredients": [values.word("ingredient") for _ in range(random.randint(2, 5))],
        "minutes": random.randint(10, 90), "servings": random.randint(1, 8),
        "steps": ["Mix everything.", "Cook it slowly.", "Serve it warm."][: random.randint(1, 3)],
    }  # fmt: skip
    request = spoken(f"[give me|write|I need] a recipe for {dish}", random)
    return request, _some(values, record, 1), (dish,)


def _list(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    random = values.random
    kind = random.choice(("color", "animal", "city", "country", "product", "ingredient", "first"))
    noun = {"color": "colors", "animal": "animals", "city": "cities", "country": "countries", "product": "products",
            "ingredient": "ingredients", "first": "names"}[kind]  # fmt: skip
    count = random.randint(1, 5)
    items = (
        random.sample(("red", "green", "blue", "yellow", "white"), count)
        if kind == "color"
        else [values.word(kind) for _ in range(count)]
    )
    request = spoken(f"[list|name|give me|tell me] {count} {noun}", random)
    return request, {random.choice((noun, "items", "list", "result")): items}, ()


def _answer(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    a, b = values.random.randint(1, 20), values.random.randint(1, 20)
    request = spoken(f"[what is|how much is|calculate|] {a} [+|plus] {b}", values.random)
    return request, {values.random.choice(("answer", "result", "sum", "value")): a + b}, ()


def _sentiment(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    random = values.random
    good = random.random() < 0.5
    word = random.choice(
        ("great", "wonderful", "excellent", "good", "nice") if good else ("bad", "terrible", "awful", "broken", "ugly")
    )
    lead = random.choice(("Classify: ", "Sentiment of: ", "Is this positive or negative? "))
    request = f"{lead}the {values.word('product')} is {word}"
    return request, {random.choice(("sentiment", "label", "class")): "positive" if good else "negative"}, ()


def _event(values: Values) -> tuple[str, Record, tuple[str, ...]]:
    random = values.random
    title, date, time = values.of("title"), values.date(), values.clock()
    request = spoken(f"[create|add|make|plan] an event {title} on {date} at {time}", random)
    return request, {random.choice(("title", "name", "event")): title, "date": date, "time": time}, (title, date, time)
