"""Conversations without functions: questions about the program, small talk, and what follows on an earlier turn."""

from __future__ import annotations

import re
from random import Random

from tui.builtin.training.dialogue import Dialogue, Turn
from tui.builtin.training.grammar import as_people_write, as_spelt, asked, first_spoken, in_other_words, spoken
from tui.builtin.training.seeds import Fact, facts, held_out_questions, plain_question, words
from tui.builtin.training.values import Values

_SLOT = re.compile(r"\{(\w+)\}")
_GENERAL = 3
"""So many times as often as a whole question comes a phrase that can be asked for in many ways."""
_ONLY_TOPIC = 0.7
"""The part of the questions that come last of which only the topic is learned."""
_TALK = 0.22
"""The part of small talk among questions."""
_OF_THE_PROGRAM = frozenset(("keyboard", "mouse", "monitor", "laptop", "folder"))
"""Products that a question about lmdeck may be about."""
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
_TIMES = {2: "2|two", 3: "3|three", 4: "4|four", 5: "5|five", 10: "10|ten"}


def program_facts() -> tuple[Fact, ...]:
    """What the guide knows of lmdeck and its field."""
    return facts("keys") + facts("program") + facts("parameters")


def fact_turns(random: Random, *, thinking: bool = False, only_topic: bool = False) -> list[Turn]:
    """One question about the program with its answer."""
    fact = random.choice(program_facts())
    question = as_spelt(in_other_words(draw_question(fact, random), random), random)
    question = as_people_write(question, random)
    thought = f"The question is about: {first_spoken(fact.questions[0][1])}. I know that." if thinking else ""
    answer = Turn("assistant", fact.answers[0], thought=thought, topic=fact.id, only_topic=only_topic)
    return [Turn("user", question), answer]


def draw_question(fact: Fact, random: Random) -> str:
    """One of the questions about a fact that are not held out."""
    weights = [1 if kind == "Q" else _GENERAL for kind, _ in fact.questions]
    while True:
        kind, phrase = random.choices(fact.questions, weights)[0]
        question = asked(kind, phrase, random)
        if plain_question(question) not in held_out_questions():
            return question


def talk_turns(random: Random) -> list[Turn]:
    """One turn of small talk."""
    known = facts("talk")
    # What the guide does not know comes in the most forms.
    fact = random.choice(known) if random.random() < 0.6 else next(fact for fact in known if fact.id == "refuse")
    values = Values(random)
    drawn = {
        "name": values.person(), "text": values.sentence(), "topic": _subject(values), "city": values.of("city"),
        "person": random.choice(words("person")), "country": values.word("country"),
        "year": random.randint(1900, 2030),
    }  # fmt: skip
    question = draw_question(fact, random)
    copied = tuple(str(drawn[slot]) for slot in _SLOT.findall(question))
    question = question.format(**drawn)
    answer = random.choice(fact.answers).format(**drawn)
    question = as_people_write(in_other_words(question, random, copied), random, copied)
    return [Turn("user", question), Turn("assistant", answer, topic=fact.id)]


def _subject(values: Values) -> str:
    """Something in the world that the guide knows nothing of."""
    random = values.random
    if random.random() < 0.6:
        return values.word("topic")
    thing = random.choice([thing for thing in words("product") if thing not in _OF_THE_PROGRAM])
    return thing if random.random() < 0.4 else f"{random.choice(words('word'))} {thing}"


def any_turns(random: Random, *, last: bool = False) -> list[Turn]:
    """One turn of any kind. As the last one, mostly only what it is about: the texts are soon known by heart."""
    if random.random() < _TALK:
        return talk_turns(random)
    return fact_turns(random, only_topic=last and random.random() < _ONLY_TOPIC)


def talk_dialogue(random: Random, system: str) -> Dialogue:
    """One turn, or several that have nothing to do with each other."""
    count = random.choices((1, 2, 3, 5, 8, 16), weights=(120, 6, 2, 1, 0.5, 0.15))[0]
    turns = [turn for at in range(count) for turn in any_turns(random, last=at == count - 1)]
    if random.random() < 0.04:
        turns = [*turns[:-2], *fact_turns(random, thinking=True)]
    return Dialogue(tuple(turns), (), system)


def follow_up_dialogue(random: Random, system: str) -> Dialogue:
    """A conversation whose last question is about an earlier turn."""
    values = Values(random)
    turns = random.choice((_numbers, _numbers, _numbers, _names, _again, _remembered))(values)
    before = any_turns(random) if random.random() < 0.2 else []
    return Dialogue((*before, *turns), (), system)


def _numbers(values: Values) -> list[Turn]:
    """A prime number, then arithmetic with it."""
    random = values.random
    draw = random.random()
    if draw < 0.5:
        limit = random.choice((50, 50, 20, 30, 40, 10))
        number = random.choice([prime for prime in _PRIMES if prime < limit])
        request = (
            "[provide|give me|name|tell me|say|choose|what is|I need] a prime number "
            f"[less than|below|under|smaller than] {limit}"
        )
        answer = f"One prime number less than {limit} is {number}."
    elif draw < 0.7:
        number = random.randint(2, 49)
        request, answer = (
            f"[remember|keep|take|my number is|the number is] [the number|] {number}",
            f"The number is {number}.",
        )
    else:
        first, second = random.randint(1, 25), random.randint(1, 24)
        number = first + second
        request, answer = f"[what is|how much is|] {first} [+|plus] {second}", f"{first} + {second} = {number}."
    turns = [Turn("user", as_people_write(spoken(request, random), random, (str(number),))), Turn("assistant", answer)]
    for _ in range(random.choice((1, 1, 1, 2))):
        if number > 60:
            break
        factor = random.choice((2, 2, 2, 3, 10, 5, 4))
        word = random.choice(_TIMES[factor].split("|"))
        plus = random.randint(1, 20)
        number, request, answer = random.choice((
            (number * factor, f"[multiply it by|times|multiply that by|multiply the number by|it times] {word}",
             f"{number} × {factor} = {number * factor}."),
            (number * factor, f"[multiply it by|times|now times|multiply by|what is it times] {word}",
             f"{number} × {factor} = {number * factor}."),
            (number * 2, "[double it|double that|twice that|what is twice that|now double it]",
            f"{number} × 2 = {number * 2}."),
            (number + plus, f"[add|plus|now add|and plus] {plus} [to it|]", f"{number} + {plus} = {number + plus}."),
        ))  # fmt: skip
        turns += [
            Turn("user", as_people_write(spoken(request, random), random, (word, str(plus)))),
            Turn("assistant", answer),
        ]
    return turns


def _names(values: Values) -> list[Turn]:
    """What somebody said of themselves, asked for later."""
    random = values.random
    name = values.person()
    turns = [
        Turn("user", as_people_write(spoken(f"[my name is|i am|call me|hello, i am] {name}", random), random, (name,))),
        Turn("assistant", f"Nice to meet you, {name}.", topic="name"),
    ]
    turns += any_turns(random) if random.random() < 0.4 else []
    question = spoken(
        "[what is my name|what's my name|who am i|do you know my name|do you remember my name|say my name]", random
    )
    return [*turns, Turn("user", as_people_write(question, random)), Turn("assistant", f"Your name is {name}.")]


def _remembered(values: Values) -> list[Turn]:
    """A thing with a value, asked for later."""
    random = values.random
    thing = random.choice((values.word("noun"), values.word("product"), "password", "code", "favourite color"))
    value = str(values.anything())
    turns = [
        Turn("user", as_people_write(spoken(f"[my|the] {thing} is {value}", random), random, (value,))),
        Turn("assistant", f"I will remember that: {thing} {value}."),
    ]
    turns += any_turns(random) if random.random() < 0.4 else []
    question = spoken(f"[what is|what was|tell me|do you know] [my|the] {thing} [again|]", random)
    return [*turns, Turn("user", as_people_write(question, random)), Turn("assistant", f"It is {value}.")]


def _again(values: Values) -> list[Turn]:
    """The same answer once more."""
    random = values.random
    turns = fact_turns(random)
    question = spoken(
        "[say that again|can you repeat that|again please|what was that|once more|repeat that|sorry, what|come again|"
        "which key was that|I did not get that]", random)  # fmt: skip
    return [*turns, Turn("user", as_people_write(question, random)), Turn("assistant", turns[1].text)]
