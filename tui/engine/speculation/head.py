"""The context of a model's extra heads: what they read, what they hold, and what they guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tui.engine.library import load_llama
from tui.engine.loading import OpenModel
from tui.engine.nextn import nextn_functions
from tui.engine.rows import Rows
from tui.engine.speculation.likeliest import Likeliest


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one sequence in a row, each with the hidden row of the one before it."""

    number: int
    position: int
    tokens: Sequence[int]
    rows: Sequence[Any]


class Head:
    """Extra heads, which all share one cache of cells. Used by the engine thread only.

    Several heads are links of a chain: the first guesses the next token, the second the one behind it, and each
    needs cells of its own for everything, though there is one cell for a position. A single head guesses again from
    its own guess.
    """

    def __init__(self, opened: OpenModel, least_probability: float) -> None:
        functions = nextn_functions()
        if functions is None:
            raise ValueError("the context was made without the functions for extra heads")
        self._functions = functions
        self._llama = llama = load_llama()
        self._target = opened.context
        self._context = opened.nextn_context
        self._memory = llama.llama_get_memory(self._context)
        self._count: int = llama.llama_model_n_layer_nextn(opened.model)
        self.width: int = llama.llama_model_n_embd_out(opened.model)
        """Numbers of a hidden row."""
        self.cells: int = llama.llama_n_ctx(self._context)
        """Tokens that it can hold, all sequences together."""
        self._rows = Rows(llama.llama_n_batch(self._context), beside=self.width)
        size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(opened.model))
        self._likeliest = Likeliest(self._context, size, size, least_probability)

    @property
    def chained(self) -> bool:
        """Whether there are several."""
        return self._count > 1

    @property
    def longest(self) -> int | None:
        """Tokens of the longest guess; `None` for no limit."""
        return self._count if self.chained else None

    def hidden_rows(self, count: int) -> Any | None:
        """What the model made of each token of its last step, valid until its next one; an array of rows."""
        return self._array(self._functions.get_embeddings(self._target), count)

    def cut(self, number: int, position: int) -> None:
        """Forget what a sequence has from a position on."""
        self._llama.llama_memory_seq_rm(self._memory, number, position, -1)

    def read(self, parts: Sequence[Part]) -> bool:
        """Follow the sequences by these tokens; False if that failed, and what is held is not known any more."""
        room, batch = self._rows.capacity, []
        for part in parts:
            at = 0
            while at < len(part.tokens):
                end = min(len(part.tokens), at + room)
                batch.append(Part(part.number, part.position + at, part.tokens[at:end], part.rows[at:end]))
                room -= end - at
                at = end
                if not room:
                    if not self._read_at_once(batch):
                        return False
                    room, batch = self._rows.capacity, []
        return not batch or self._read_at_once(batch)

    def guess(self, parts: Sequence[Part], link: int) -> list[tuple[int, Any]] | None:
        """The likeliest next token of each sequence and the hidden row for going on from it; `None` if that failed.

        A token of -1 means that nothing is likely enough. `link` is the number of guesses before this one.
        """
        if not self._compute(parts, link if self.chained else 0, outputs=True):
            return None
        found, row = [], -1
        for part in parts:
            row += len(part.tokens)
            token = self._likeliest(row)
            hidden = self._array(self._functions.get_embeddings_row(self._context, row), 1)
            found.append((-1, None) if token is None or hidden is None else (token, hidden[0].copy()))
        return found

    def _read_at_once(self, parts: Sequence[Part]) -> bool:
        return all(self._compute(parts, link, outputs=False) for link in range(self._count))

    def _compute(self, parts: Sequence[Part], link: int, *, outputs: bool) -> bool:
        self._rows.clear()
        for part in parts:
            if self.chained:  # the cells of the head before
                self.cut(part.number, part.position)
            count = len(part.tokens)
            positions = range(part.position, part.position + count)
            # Either all rows have results or none: some architectures give hidden rows of the first ones otherwise.
            self._rows.add(part.tokens, positions, part.number, outputs=count if outputs else 0, beside=part.rows)
        if self.chained:
            self._functions.set_layer(self._context, link)
        return self._rows.decode(self._context) == 0

    def _array(self, pointer: Any, count: int) -> Any | None:
        import numpy

        return numpy.ctypeslib.as_array(pointer, (count, self.width)) if pointer else None
