"""The texts in `seeds/`, from which everything in the corpus is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from zlib import crc32

_FOLDER = Path(__file__).parent / "seeds"
_HELD_OUT_SHARE = 8
NAMING = ("verb", "noun", "modifier", "param")
"""The lists that functions and their parameters are named from."""
_ENDINGS = ("s", "es", "d", "ed", "ing", "r", "er", "rs", "ers")
_LOWER_WORD = re.compile(r"\b[a-z]{3,}\b")
_ALWAYS_TRAINED = frozenset(("get", "list", "update", "remove", "order", "file", "delivery"))
"""Words that programs use so much that a model which never saw them would be of no use."""

SMALL_WORDS = frozenset(
    """
    a an the this that these those my your its his her our their it they we you I me him us them one some any
    all each every no not none both more most less least much many few other another such same own only just
    also too very so as if then than because while when where why how what which who whose whether of to in on
    at by for from with without about into onto over under between behind before after during until up down
    out off through again once here there now always never is are was were be been being am do does did doing
    has have had having can could may might must shall should will would let and or but nor please thanks
    """.split()  # noqa: SIM905
)
"""Words of English that nothing is named by."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the guide knows, or one turn of small talk."""

    id: str
    answers: tuple[str, ...]
    questions: tuple[tuple[str, str], ...]
    """Pairs of kind (`S`, `V`, `N`, `Q`) and phrase."""
    held_out: tuple[str, ...]
    """Questions that are never trained."""
    key_facts: tuple[tuple[str, ...], ...]
    """What a right answer has: one of the alternatives of each."""

    def answered_by(self, answer: str) -> bool:
        """Whether an answer has all key facts."""
        said = answer.casefold()
        return all(any(word.casefold() in said for word in words) for words in self.key_facts)


@dataclass(frozen=True, slots=True)
class SlotParameter:
    """A parameter of a seed function: the names it may have, and what kind of value it takes."""

    names: tuple[str, ...]
    kind: str
    choices: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class SeedFunction:
    """A function as programs offer them, with the requests that lead to a call of it."""

    names: tuple[str, ...]
    parameters: tuple[SlotParameter, ...]
    descriptions: tuple[str, ...]
    requests: tuple[tuple[str, str | None], ...]
    """Requests with slots, and the arguments as JSON where they are not those of the slots."""
    often: bool = False
    """One that programs offer so much that it comes several times as often as the others."""


def held_out(value: str) -> bool:
    """Whether a value, word or name is kept for the check: an eighth of all, by their check sums."""
    return value not in _ALWAYS_TRAINED and crc32(value.encode()) % _HELD_OUT_SHARE == 0


def fact_files() -> tuple[str, ...]:
    """The files that have facts."""
    return "keys", "program", "parameters", "talk"


@cache
def facts(name: str) -> tuple[Fact, ...]:
    """The facts of one file."""
    made: list[Fact] = []
    for block in _lines(name):
        if block.startswith("# "):
            made.append(Fact(block[2:], (), (), (), ()))
            continue
        kind, text = block[0], block[2:]
        fact = made[-1]
        made[-1] = Fact(
            fact.id,
            (*fact.answers, text) if kind == "A" else fact.answers,
            (*fact.questions, (kind, text)) if kind in "SVNQ" else fact.questions,
            (*fact.held_out, text) if kind == "H" else fact.held_out,
            tuple(tuple(words.split("|")) for words in text.split(";")) if kind == "K" else fact.key_facts,
        )
    return tuple(made)


@cache
def held_out_questions() -> frozenset[str]:
    """The questions that are never trained, as `plain_question` has them."""
    return frozenset(plain_question(text) for name in fact_files() for fact in facts(name) for text in fact.held_out)


def plain_question(text: str) -> str:
    """A question without its capitals and its end."""
    return text.strip(" ?.!").lower()


@cache
def words(name: str, *, kept_out: bool = False) -> tuple[str, ...]:
    """One list of `words.txt`: what is trained, or what is kept for the check."""
    line = next(line for line in _lines("words") if line.startswith(f"{name}: "))
    return tuple(word.replace("_", " ") for word in line.split()[1:] if held_out(word) == kept_out)


@cache
def any_words() -> tuple[str, ...]:
    """All words that are trained somewhere, from which names of functions are made besides those of the lists.

    What is kept for the check is left out, its other forms too, and so are the words of its functions.
    """
    known = [fact for name in fact_files() for fact in facts(name)]
    texts = [text for fact in known for text in (*fact.answers, *(phrase for _, phrase in fact.questions))]
    texts += _lines("words")
    texts += [request for seed in functions("calls") for request, _ in seed.requests]
    found = {word for text in texts for word in _LOWER_WORD.findall(text.replace("_", " "))}
    asked = {part for seed in functions("held_out_calls") for name in seed.names for part in name.split("_")}
    kept = {word for name in NAMING for word in words(name, kept_out=True)}
    forms = {f"{stem}{ending}" for word in kept for stem in (word, word.removesuffix("e")) for ending in _ENDINGS}
    return tuple(sorted(word for word in found - asked - forms - SMALL_WORDS if not held_out(word)))


@cache
def functions(name: str) -> tuple[SeedFunction, ...]:
    """The functions of one file."""
    made: list[SeedFunction] = []
    for line in _lines(name):
        kind, text = line[0], line[2:]
        if kind == "F":
            signature, _, description = text.partition(") ")
            head, _, inside = signature.partition("(")
            parameters = tuple(_parameter(part) for part in inside.split(", ") if part)
            names = tuple(head.removeprefix("! ").split("|"))
            made.append(SeedFunction(names, parameters, tuple(description.split("|")), (), head.startswith("! ")))
        else:
            request, arrow, arguments = text.partition(" => ")
            last = made[-1]
            entry = (request, arguments if arrow else None)
            made[-1] = replace(last, requests=(*last.requests, entry))
    return tuple(made)


def _parameter(text: str) -> SlotParameter:
    names, _, kind = text.partition(":")
    kind, *choices = kind.split(" ")
    return SlotParameter(tuple(names.split("|")), kind.rstrip("?"), tuple(choices), kind.endswith("?"))


def _lines(name: str) -> list[str]:
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("//")]
