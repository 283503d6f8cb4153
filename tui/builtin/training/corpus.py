"""The corpus: conversations of all kinds without end, the same ones for the same number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from tui.builtin.training.seeds import facts, functions
from tui.builtin.training.talking import any_turns, follow_up_dialogue, program_facts, talk_dialogue

_KINDS: tuple[tuple[float, Callable[[Random], Dialogue]], ...] = (
    (105, lambda random: talk_dialogue(random, some_system(random, 0.15))),
    (7, lambda random: follow_up_dialogue(random, some_system(random))),
    (36, call_dialogue),
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
    forbidden = {_plain(question) for fact in (*program_facts(), *facts("talk")) for question in fact.held_out}
    forbidden |= {name for seed in functions("held_out_calls") for name in seed.names}
    while True:
        made = random.choices(makers, weights=weights)[0](random)
        asked = {_plain(turn.text) for turn in made.turns if turn.role == "user"}
        if forbidden.isdisjoint(asked | {function.name for function in made.functions}):
            yield made


def _plain(text: str) -> str:
    return text.strip(" ?.!").lower()
