"""Chooses the next token: penalties and constraints on the logits, then llama.cpp's chain of samplers."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest, EngineFault, SamplingConfig, TokenLogprob
from tui.engine.constraint_state import ConstraintState
from tui.engine.lazy_state import LazyState
from tui.engine.library import load_llama
from tui.engine.logprobs import MOST_ALTERNATIVES, LogprobCollector
from tui.engine.penalties import Penalties
from tui.engine.sampler_chain import build_chain, uses_dry
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

# Tokens that are drawn before the form begins until one is found that may be said.
_MOST_DRAWS = 16
# Tokens after which a model that kept refusing the form is tried again.
_LONGEST_PAUSE = 15

_RANGES: tuple[tuple[str, float, float], ...] = (
    ("temperature", 0.0, 100.0),
    ("dynamic_temperature_range", 0.0, 100.0),
    ("dynamic_temperature_exponent", 0.0, 100.0),
    ("top_k", -1, 10_000_000),
    ("top_p", 0.0, 1.0),
    ("min_p", 0.0, 1.0),
    ("typical_p", 0.0, 1.0),
    ("top_n_sigma", -1.0, 1000.0),
    ("xtc_probability", 0.0, 1.0),
    ("xtc_threshold", 0.0, 1.0),
    ("dry_multiplier", 0.0, 1000.0),
    ("dry_base", 0.0, 1000.0),
    ("dry_allowed_length", 0, 1_000_000),
    ("dry_penalty_last_n", -1, 10_000_000),
    ("mirostat", 0, 2),
    ("mirostat_learning_rate", 0.0, 100.0),
    ("mirostat_target_entropy", 0.0, 1000.0),
    ("repeat_penalty", 0.01, 100.0),
    ("repeat_last_n", -1, 10_000_000),
    ("presence_penalty", -100.0, 100.0),
    ("frequency_penalty", -100.0, 100.0),
)


def check_sampling(config: SamplingConfig, vocabulary_size: int) -> None:
    """Raise `BadRequest`, naming the field, if a value is impossible. llama.cpp aborts on some of them."""
    for name, lowest, highest in _RANGES:
        value = getattr(config, name)
        if not isinstance(value, int | float) or not math.isfinite(value) or not lowest <= value <= highest:
            raise BadRequest(
                f"{value!r} is not possible for {name}.",
                f"Choose a number from {lowest:g} to {highest:g}.",
                field=f"sampling.{name}",
            )
    if config.max_tokens is not None and config.max_tokens < 1:
        raise BadRequest("At least one token must be asked for.", field="sampling.max_tokens")
    if config.min_tokens < 0 or (config.max_tokens is not None and config.min_tokens > config.max_tokens):
        raise BadRequest(
            f"An answer of at least {config.min_tokens:,} tokens is not possible.",
            "Choose 0 or more, and not more than the token limit.",
            field="sampling.min_tokens",
        )
    if config.top_logprobs is not None and not 0 <= config.top_logprobs <= MOST_ALTERNATIVES:
        raise BadRequest(
            f"{config.top_logprobs} alternatives cannot be reported.",
            f"Choose 0 to {MOST_ALTERNATIVES}.",
            field="sampling.top_logprobs",
        )
    if any(not text for text in config.stop):
        raise BadRequest("An empty stop text would end every answer at once.", field="sampling.stop")
    for token, bias in config.logit_bias:
        if not 0 <= token < vocabulary_size or math.isnan(bias):
            raise BadRequest(
                f"Token {token} with a bias of {bias} is not possible.",
                f"Token ids go from 0 to {vocabulary_size - 1}.",
                field="sampling.logit_bias",
            )


class Sampler:
    """Chooses the tokens of one answer. Owned by one engine thread; `close` frees what llama.cpp holds."""

    def __init__(
        self,
        config: SamplingConfig,
        vocabulary: Vocabulary,
        trained_context_length: int,
        constraint: ConstraintState | LazyState | None = None,
        default_seed: int | None = None,
    ) -> None:
        check_sampling(config, vocabulary.size)
        self._llama = load_llama()
        self._vocabulary = vocabulary
        self._penalties = Penalties(config, vocabulary)
        self._constraint = constraint
        self._early_ends = vocabulary.end_tokens() if config.min_tokens else []
        self._tokens_before_end = config.min_tokens
        self._logprobs = LogprobCollector(config.top_logprobs, vocabulary) if config.top_logprobs is not None else None
        self._looks_back = uses_dry(config)
        # Samplers that remember what was sampled must not see a token that is refused afterwards.
        self._may_try = not self._looks_back and not config.mirostat
        self._tries = _Tries()
        self._row = ctypes.c_float * vocabulary.size
        self._checked = False
        seed = config.seed if config.seed is not None else default_seed
        self._chain = build_chain(config, vocabulary, trained_context_length, seed)

    def prime(self, tokens: Sequence[int]) -> None:
        """Tell the samplers that look back what the prompt says."""
        self._penalties.prime(tokens)
        if self._looks_back:
            for token in tokens:
                self._llama.llama_sampler_accept(self._chain, token)

    def sample(self, context: Any, output: int) -> int | None:
        """The next token, from the logits of row `output` of the last decode; `None` if they are not numbers.

        Raises EngineFault if a constraint cannot be kept.
        """
        logits = self._row.from_address(ctypes.addressof(self._llama.llama_get_logits_ith(context, output).contents))
        if not self._are_numbers(logits):
            return None
        if self._logprobs is not None:
            self._logprobs.look(_as_array(logits))
        if self._penalties.active:
            self._penalties.apply(logits)
        if self._tokens_before_end > 0:
            for end in self._early_ends:
                logits[end] = -math.inf
        if self._constraint is None:
            token: int = self._llama.llama_sampler_sample(self._chain, context, output)
        else:
            token = self._sample_constrained(self._constraint, logits, context, output)
        self._penalties.accept(token)
        self._tokens_before_end -= 1
        if self._logprobs is not None:
            self._logprobs.note(token)
        return token

    def take_logprobs(self) -> list[TokenLogprob]:
        """What there is to report of the tokens since the last call."""
        return self._logprobs.take() if self._logprobs is not None else []

    def _sample_constrained(
        self, constraint: ConstraintState | LazyState, logits: ctypes.Array[ctypes.c_float], context: Any, output: int
    ) -> int:
        """A token that the constraint allows, chosen as if no others existed."""
        sample = self._llama.llama_sampler_sample
        if constraint.complete:
            return self._vocabulary.end
        if not constraint.active:
            for _ in range(_MOST_DRAWS):
                token: int = sample(self._chain, context, output)
                if constraint.allows(token):
                    constraint.accept(token)
                    return token
                constraint.refuse(token, logits)
                if constraint.active:
                    break
            else:
                raise EngineFault("The model cannot begin the form that was asked for.", "Ask without it.")
        if self._may_try and self._tries.worth_it():
            # Mostly the model keeps to the form by itself. A token that is allowed and was drawn among all is as
            # likely as one that is drawn among the allowed ones, and asking about one is much cheaper than a mask.
            token = sample(self._chain, context, output)
            allowed = constraint.allows(token)
            self._tries.note(success=allowed)
            if allowed:
                constraint.accept(token)
                return token
        constraint.apply(_as_array(logits))
        token = sample(self._chain, context, output)
        constraint.accept(token)
        return token

    def _are_numbers(self, logits: ctypes.Array[ctypes.c_float]) -> bool:
        """Whether sampling is safe: llama.cpp's sorting runs wild on values that are not numbers.

        A state that has gone bad makes every logit so, hence a look at two of them each time is enough;
        a damaged output matrix shows at once, so the first row is read whole.
        """
        if self._checked:
            return not (math.isnan(logits[0]) or math.isnan(logits[-1]))
        self._checked = True
        import numpy  # llama_cpp has loaded it already

        return not bool(numpy.isnan(_as_array(logits)).any())

    def close(self) -> None:
        """Free the chain. The sampler must not be used afterwards."""
        if self._chain:
            self._llama.llama_sampler_free(self._chain)
            self._chain = None


class _Tries:
    """Whether to draw a token before a mask is made: less and less often while the draws are refused."""

    def __init__(self) -> None:
        self._pause = 0
        self._skipped = 0

    def worth_it(self) -> bool:
        self._skipped += 1
        return self._skipped > self._pause

    def note(self, *, success: bool) -> None:
        self._skipped = 0
        self._pause = 0 if success else min(_LONGEST_PAUSE, 2 * self._pause + 1)


def _as_array(logits: ctypes.Array[ctypes.c_float]) -> NDArray[float32]:
    """The same memory for numpy."""
    import numpy

    return numpy.ndarray(len(logits), numpy.float32, buffer=memoryview(logits).cast("B"))
