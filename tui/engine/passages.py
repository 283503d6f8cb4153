"""Where in an answer that is free the passages begin that have a form: their openings, found as the answer comes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BLANKS = b" \n\r\t"
_QUOTES = (b"`", b"'", b'"')


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the free part of an answer, and what has to be remembered of what was said before it."""

    tail: bytes = b""
    fresh: bool = False
    """Whether a block of reasoning may begin here; `tail` is then all that was said of it."""
    closings: tuple[bytes, ...] = ()
    """What ends the block of reasoning that this is in; empty outside of one."""
    opening: bytes = b""
    """The text that began a passage here; empty where none has begun."""
    rest: bytes = b""
    """What was said of the passage behind its opening."""
    quote: bytes = b""
    """The quotation mark before the opening: with another behind it, it was only spoken of."""


class Openings:
    """Looks for openings, but not in reasoning and not between quotation marks."""

    def __init__(self, openings: Iterable[str], asides: Iterable[tuple[str, str]]) -> None:
        """There is at least one opening; `asides` is what blocks of reasoning begin and end with."""
        texts = sorted((text.encode() for text in openings), key=len, reverse=True)
        self._opening = re.compile(b"|".join(map(re.escape, texts)))
        self._asides = tuple((opening.encode(), closing.encode()) for opening, closing in asides)
        texts += [text for aside in self._asides for text in aside]
        # One more than the longest, for a quotation mark before it.
        self._kept = max(map(len, texts)) + 1

    def start(self, lead: str, aside_open: bool) -> Place:
        """Where an answer begins."""
        if aside_open and self._asides:
            return Place(closings=tuple(closing for _, closing in self._asides))
        return Place(lead.encode(), fresh=not lead)

    def behind_passage(self) -> Place:
        """Where it goes on behind a passage."""
        return Place(fresh=True)

    def behind_quoted(self, said: bytes) -> Place:
        """Where it goes on if the opening was only spoken of and this was said behind it."""
        return self.next(Place(), said)

    def next(self, place: Place, said: bytes) -> Place:
        """Where one is when this has been said, too."""
        text = place.tail + said
        if place.closings:
            ends = [at + len(closing) for closing in place.closings if (at := text.find(closing)) >= 0]
            if not ends:
                return Place(text[-self._kept :], closings=place.closings)
            return self.next(Place(fresh=True), text[min(ends) :])
        fresh = False
        if place.fresh:
            text = text.lstrip(_BLANKS)
            for opening, closing in self._asides:
                if text.startswith(opening):
                    return self.next(Place(closings=(closing,)), text[len(opening) :])
            fresh = any(opening.startswith(text) for opening, _ in self._asides)
        return self._passage(text) or Place(text if fresh else text[-self._kept :], fresh)

    def _passage(self, text: bytes) -> Place | None:
        """The place in the first passage of this text."""
        found = self._opening.search(text)
        if found is None:
            return None
        before, opening, rest = text[: found.start()], found[0], text[found.end() :]
        quote = before[-1:] if before.endswith(_QUOTES) else b""
        if quote and rest.startswith(quote):
            return self.behind_quoted(rest)
        return Place(opening=opening, rest=rest, quote=b"" if rest else quote)
