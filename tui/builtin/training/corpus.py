"""The corpus: conversations of all kinds without end, the same ones for the same number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random

from tui.builtin.training.calls import (
    call_dialogue,
    missing_dialogue,
    no_call_dialogue,
    some_system,
    text_and_call_dialogue,
    two_calls_dialogue,
    two_steps_dialogue,
)
from tui.builtin.training.dialogue import Dialogue
from tui.builtin.training.forms import form_dialogue
from tui.builtin.training.seeds import functions, held_out_questions, plain_question
from tui.builtin.training.talking import any_turns, follow_up_dialogue, talk_dialogue

_KINDS: tuple[tuple[float, Callable[[Random], Dialogue]], ...] = (
    (85, lambda random: talk_dialogue(random, some_system(random, 0.15))),
    (7, lambda random: follow_up_dialogue(random, some_system(random))),
    (95, call_dialogue),
    (8, lambda random: no_call_dialogue(random, any_turns(random, last=True))),
    (2, missing_dialogue),
    (3, text_and_call_dialogue),
    (2, two_calls_dialogue),
    (4, two_steps_dialogue),
    (20, form_dialogue),
)
"""How often each kind comes, and what makes it."""


def dialogues(seed: int) -> Iterator[Dialogue]:
    """Conversations without end. None asks a held-out question or offers a held-out function."""
    random = Random(seed)
    weights, makers = zip(*_KINDS, strict=True)
    forbidden = {name for seed in functions("held_out_calls") for name in seed.names}
    while True:
        made = random.choices(makers, weights=weights)[0](random)
        if forbidden.isdisjoint(function.name for function in made.functions) and not any(
            _asks_held_out(turn.text) for turn in made.turns if turn.role == "user"
        ):
            yield made


def _asks_held_out(text: str) -> bool:
    """Whether the text is a held-out question, or has one of some words in it."""
    plain = plain_question(text)
    return plain in held_out_questions() or any(question in plain for question in _long_questions())


@cache
def _long_questions() -> tuple[str, ...]:
    return tuple(question for question in held_out_questions() if question.count(" ") > 1)
