"""How likely the model held the token that was chosen, and the likeliest ones in its place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tui.domain import TokenLogprob
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MOST_ALTERNATIVES = 100


class LogprobCollector:
    """Looks at a row of logits before anything changes it, and notes what it says once the token is chosen."""

    def __init__(self, alternatives: int, vocabulary: Vocabulary) -> None:
        self._alternatives = min(alternatives, vocabulary.size)
        self._vocabulary = vocabulary
        self._logits: NDArray[float32] | None = None
        self._normaliser = 0.0
        self._best: list[int] = []
        self._collected: list[TokenLogprob] = []

    def look(self, logits: NDArray[float32]) -> None:
        """Keep what the model computed for the next token. About a millisecond for 150,000 tokens."""
        import numpy

        self._logits = logits.copy()
        highest = float(logits.max())
        # The natural logarithm of the sum of all exponentials; the largest is taken out so that none overflows.
        self._normaliser = highest + math.log(float(numpy.exp(logits - numpy.float32(highest)).sum()))
        if self._alternatives:
            best = numpy.argpartition(logits, -self._alternatives)[-self._alternatives :]
            self._best = best[numpy.argsort(-logits[best], kind="stable")].tolist()

    def note(self, token: int) -> None:
        """Note the token that was chosen."""
        alternatives = tuple((other, self._vocabulary.piece(other), self._logprob(other)) for other in self._best)
        self._collected.append(TokenLogprob(token, self._vocabulary.piece(token), self._logprob(token), alternatives))

    def take(self) -> list[TokenLogprob]:
        """What was noted since the last time."""
        collected, self._collected = self._collected, []
        return collected

    def _logprob(self, token: int) -> float:
        assert self._logits is not None
        return float(self._logits[token]) - self._normaliser
