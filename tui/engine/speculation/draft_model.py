"""Guesses of a small model with the same vocabulary, which keeps a context of its own beside the large one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.domain import BadRequest
from tui.engine.batch import Share
from tui.engine.library import load_llama
from tui.engine.loading import OpenModel
from tui.engine.prefix import common_prefix
from tui.engine.speculation.likeliest import Likeliest

# Tokens of a prompt that the draft model reads between two steps of the large one; until it has caught up it is silent.
_CATCH_UP = 128
# Vocabularies of one family differ by some unused tokens at their end (common/speculative.cpp of llama.cpp).
_MOST_SIZE_DIFFERENCE = 128
# How many tokens are compared: a family that differs shows it everywhere.
_COMPARED_TOKENS = 1000


class DraftModel:
    """A model that guesses greedily. Used by the engine thread only."""

    def __init__(self, opened: OpenModel, target: Any, least_probability: float) -> None:
        self._llama = load_llama()
        self._opened = opened
        self._context = opened.context
        self._memory = self._llama.llama_get_memory(opened.context)
        self._capacity = self._llama.llama_n_batch(opened.context)
        self._batch = self._llama.llama_batch_init(self._capacity, 0, 1)
        self._size = self._llama.llama_vocab_n_tokens(self._llama.llama_model_get_vocab(opened.model))
        target_size = self._llama.llama_vocab_n_tokens(self._llama.llama_model_get_vocab(target))
        self._likeliest = Likeliest(opened.context, self._size, target_size, least_probability)
        self._held: dict[int, list[int]] = {}
        """What its cache holds of each sequence."""

    def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """For each sequence number, history and most tokens: what may come next, or nothing."""
        drafts: dict[int, list[int]] = {number: [] for number, _, _ in wanted}
        going = [(number, history, most) for number, history, most in wanted if self._catch_up(number, history)]
        last = {number: history[-1] for number, history, _ in going}
        while going and all(len(self._held[number]) < self._opened.context_length for number, _, _ in going):
            if not self._decode([(number, len(self._held[number]), last[number], True) for number, _, _ in going]):
                break
            still = []
            for row, (number, history, most) in enumerate(going):
                self._held[number].append(last[number])
                token = self._likeliest(row)
                if token is None:
                    continue
                drafts[number].append(token)
                last[number] = token
                if len(drafts[number]) < most:
                    still.append((number, history, most))
            going = still
        return [drafts[number] for number, _, _ in wanted]

    def computed(self, shares: Sequence[Share]) -> None:
        """Nothing to do: it reads the histories by itself."""

    def forget(self, number: int) -> None:
        """Free the cells of a sequence."""
        if self._held.pop(number, None):
            self._llama.llama_memory_seq_rm(self._memory, number, -1, -1)

    def close(self) -> None:
        """Free the model."""
        self._llama.llama_batch_free(self._batch)
        self._opened.close()

    def _catch_up(self, number: int, history: list[int]) -> bool:
        """Make the cache hold all but the last token; whether that is done already."""
        if len(history) >= self._opened.context_length:
            return False  # longer than the small model can see
        held = self._held.setdefault(number, [])
        shared = common_prefix(held, history, len(history) - 1)
        if shared < len(held):
            self._llama.llama_memory_seq_rm(self._memory, number, shared, -1)
            del held[shared:]
        missing = history[shared : min(len(history) - 1, shared + _CATCH_UP)]
        if missing:
            rows = [(number, shared + index, token, False) for index, token in enumerate(missing)]
            if not self._decode(rows):
                return False
            held.extend(missing)
        return len(held) == len(history) - 1

    def _decode(self, rows: list[tuple[int, int, int, bool]]) -> bool:
        """Compute rows of sequence, position, token and whether its logits are wanted. False if that failed."""
        if len(rows) > self._capacity or any(token >= self._size for _, _, token, _ in rows):
            return False
        batch = self._batch
        for index, (number, position, token, output) in enumerate(rows):
            batch.token[index], batch.pos[index], batch.logits[index] = token, position, output
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = number
        batch.n_tokens = len(rows)
        if self._llama.llama_decode(self._context, batch) == 0:
            return True
        # Most likely its cache is full. Guesses are worth no care: everything is forgotten and read again.
        for number in list(self._held):
            self.forget(number)
            self._held[number] = []
        return False


def check_vocabularies(target: Any, draft: Any, name: str) -> None:
    """Raise BadRequest if the two models do not mean the same by their tokens."""
    llama = load_llama()
    vocabularies = [llama.llama_model_get_vocab(model) for model in (target, draft)]
    sizes = [llama.llama_vocab_n_tokens(vocabulary) for vocabulary in vocabularies]
    kinds = [llama.llama_vocab_type(vocabulary) for vocabulary in vocabularies]
    step = max(1, min(sizes) // _COMPARED_TOKENS)
    if (
        kinds[0] != kinds[1]
        or abs(sizes[0] - sizes[1]) > _MOST_SIZE_DIFFERENCE
        or any(
            llama.llama_vocab_get_text(vocabularies[0], token) != llama.llama_vocab_get_text(vocabularies[1], token)
            for token in range(0, min(sizes), step)
        )
    ):
        raise BadRequest(
            f"{name} has another vocabulary than the model that it shall guess for.",
            "Choose a small model of the same family.",
            field="load.draft_model",
        )
