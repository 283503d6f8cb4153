"""Jumping to a thread by some letters of its title."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from tui.threads.records import JumpHit, ThreadSummary

_AT_START = 8.0
_AT_WORD = 6.0
_IN_A_ROW = 4.0
_ANYWHERE = 1.0
_GAP = 0.05
"""Taken off for each character between two that were typed."""
_LENGTH = 0.01
"""Taken off for each character of the title: of two that match alike the shorter one is meant."""


class _Way(NamedTuple):
    """One way to find the letters typed so far: how good it is, and where they are."""

    score: float
    places: tuple[int, ...]


def jump_hits(text: str, threads: Iterable[ThreadSummary], limit: int) -> list[JumpHit]:
    """The threads whose titles have all the typed letters in their order, the best first; of equals the newest."""
    hits = []
    for thread in sorted(threads, key=lambda thread: thread.updated, reverse=True):
        match = match_title(text, thread.title)
        if match is not None:
            hits.append(JumpHit(thread, *match))
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def match_title(text: str, title: str) -> tuple[float, tuple[int, ...]] | None:
    """How well a title answers to what was typed, and which of its characters those are; `None` if it does not.

    Letters at the beginning of words and letters in a row count for more than letters anywhere. Case, accents and
    spaces in what was typed do not matter.
    """
    letters = _bare(title)
    ways = [_Way(0.0, ())]
    for letter in "".join(_bare(text).split()):
        ways = _one_letter_more(ways, letters, letter)
        if not ways:
            return None
    score, places = max(ways, key=lambda way: way.score)
    return (score - _LENGTH * len(title) if places else 0.0), places


def _one_letter_more(ways: list[_Way], letters: str, letter: str) -> list[_Way]:
    """For each place of the letter in the title the best way that ends there. Ways come in the order of their ends."""
    longer: list[_Way] = []
    best: _Way | None = None
    passed = 0
    place = letters.find(letter)
    while place >= 0:
        # Ways that end before this place. The gap from each of them grows alike, so that the best one stays the best.
        while passed < len(ways) and (not ways[passed].places or ways[passed].places[-1] < place):
            if best is None or _with_gap(ways[passed], place) >= _with_gap(best, place):
                best = ways[passed]
            passed += 1
        if best is not None:
            worth = _AT_START if place == 0 else _ANYWHERE if letters[place - 1].isalnum() else _AT_WORD
            way = _Way(_with_gap(best, place) + worth, (*best.places, place))
            neighbour = ways[passed - 1]
            if neighbour.places and neighbour.places[-1] == place - 1:
                in_a_row = _Way(neighbour.score + max(worth, _IN_A_ROW), (*neighbour.places, place))
                way = max(way, in_a_row, key=lambda way: way.score)
            longer.append(way)
        place = letters.find(letter, place + 1)
    return longer


def _with_gap(way: _Way, place: int) -> float:
    return way.score - _GAP * (place - way.places[-1] - 1) if way.places else way.score


def _bare(text: str) -> str:
    """A text without case and accents, as many characters long as it was."""
    if text.isascii():
        return text.lower()
    return "".join((unicodedata.normalize("NFKD", character.casefold()) or " ")[0] for character in text)
