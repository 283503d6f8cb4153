"""From a `SamplingConfig` to llama.cpp's sampler chain, and the penalties that we apply ourselves."""

from __future__ import annotations

import ctypes
import math
import secrets
from collections import deque
from collections.abc import Sequence
from typing import Any

from tui.domain import BadRequest, SamplingConfig
from tui.engine.library import load_llama
from tui.engine.vocabulary import Vocabulary

# llama.cpp takes this seed for "draw one" (LLAMA_DEFAULT_SEED), so it is not used as a seed.
_RANDOM_SEED = 0xFFFFFFFF
# The number of tokens over which mirostat 1 estimates its exponent; the value of its paper.
_MIROSTAT_WINDOW = 100

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

    def __init__(self, config: SamplingConfig, vocabulary: Vocabulary, trained_context_length: int) -> None:
        check_sampling(config, vocabulary.size)
        self._llama = load_llama()
        self._penalties = _Penalties(config, vocabulary)
        self._looks_back = _uses_dry(config)
        self._row = ctypes.c_float * vocabulary.size
        self._checked = False
        self._chain = _build_chain(self._llama, config, vocabulary, trained_context_length)

    def prime(self, tokens: Sequence[int]) -> None:
        """Tell the samplers that look back what the prompt says."""
        self._penalties.prime(tokens)
        if self._looks_back:
            for token in tokens:
                self._llama.llama_sampler_accept(self._chain, token)

    def sample(self, context: Any, output: int) -> int | None:
        """The next token, from the logits of row `output` of the last decode; `None` if they are not numbers."""
        logits = self._row.from_address(ctypes.addressof(self._llama.llama_get_logits_ith(context, output).contents))
        if not self._are_numbers(logits):
            return None
        if self._penalties.active:
            self._penalties.apply(logits)
        token: int = self._llama.llama_sampler_sample(self._chain, context, output)
        self._penalties.accept(token)
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

        return not bool(numpy.isnan(numpy.ctypeslib.as_array(logits)).any())

    def close(self) -> None:
        """Free the chain. The sampler must not be used afterwards."""
        if self._chain:
            self._llama.llama_sampler_free(self._chain)
            self._chain = None


class _Penalties:
    """Repeat, presence and frequency penalties and logit bias, written into the logits themselves.

    llama.cpp's own penalty sampler looks every token of the vocabulary up in a hash table; with 150,000 of
    them that costs more than a millisecond for each token said. At most `repeat_last_n` logits change, so
    changing just those gives the same numbers in a few microseconds.
    """

    def __init__(self, config: SamplingConfig, vocabulary: Vocabulary) -> None:
        self._repeat = config.repeat_penalty
        self._presence = config.presence_penalty
        self._frequency = config.frequency_penalty
        penalises = self._repeat != 1.0 or self._presence != 0.0 or self._frequency != 0.0
        window = config.repeat_last_n if penalises else 0
        # -1 is llama.cpp's word for "everything so far".
        self._recent: deque[int] = deque(maxlen=None if window < 0 else window)
        self._counts: dict[int, int] = {}
        self._biases = dict(config.logit_bias)
        if config.ignore_end_of_generation:
            self._biases |= dict.fromkeys(vocabulary.end_tokens(), -math.inf)
        self.active = (penalises and window != 0) or bool(self._biases)

    def prime(self, tokens: Sequence[int]) -> None:
        window = self._recent.maxlen
        for token in tokens if window is None else tokens[max(0, len(tokens) - window) :]:
            self.accept(token)

    def accept(self, token: int) -> None:
        recent, counts = self._recent, self._counts
        if recent.maxlen == 0:
            return
        if len(recent) == recent.maxlen:
            oldest = recent[0]
            if counts[oldest] == 1:
                del counts[oldest]
            else:
                counts[oldest] -= 1
        recent.append(token)
        counts[token] = counts.get(token, 0) + 1

    def apply(self, row: ctypes.Array[ctypes.c_float]) -> None:
        for token, bias in self._biases.items():
            row[token] += bias
        repeat, presence, frequency = self._repeat, self._presence, self._frequency
        for token, count in self._counts.items():
            logit = row[token]
            # Dividing a negative logit would make the token likelier.
            logit = logit * repeat if logit <= 0 else logit / repeat
            row[token] = logit - count * frequency - presence


def _build_chain(llama: Any, config: SamplingConfig, vocabulary: Vocabulary, trained_context_length: int) -> Any:
    """llama.cpp's default order (common/sampling.cpp): dry, top-n-sigma, top-k, typical, top-p, min-p, xtc, heat."""
    parameters = llama.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = llama.llama_sampler_chain_init(parameters)
    seed = secrets.randbelow(_RANDOM_SEED) if config.seed is None else config.seed % _RANDOM_SEED

    def add(sampler: Any) -> None:
        llama.llama_sampler_chain_add(chain, sampler)

    if _uses_dry(config):
        add(_dry(llama, config, vocabulary, trained_context_length))
    if config.temperature <= 0:
        add(llama.llama_sampler_init_greedy())
        return chain
    if config.mirostat:
        add(llama.llama_sampler_init_temp(config.temperature))
        tau, eta = config.mirostat_target_entropy, config.mirostat_learning_rate
        if config.mirostat == 1:
            add(llama.llama_sampler_init_mirostat(vocabulary.size, seed, tau, eta, _MIROSTAT_WINDOW))
        else:
            add(llama.llama_sampler_init_mirostat_v2(seed, tau, eta))
        return chain
    if config.top_n_sigma > 0:
        add(llama.llama_sampler_init_top_n_sigma(config.top_n_sigma))
    if config.top_k > 0:
        add(llama.llama_sampler_init_top_k(config.top_k))
    if config.typical_p < 1:
        add(llama.llama_sampler_init_typical(config.typical_p, 1))
    if config.top_p < 1:
        add(llama.llama_sampler_init_top_p(config.top_p, 1))
    if config.min_p > 0:
        add(llama.llama_sampler_init_min_p(config.min_p, 1))
    if config.xtc_probability > 0:
        add(llama.llama_sampler_init_xtc(config.xtc_probability, config.xtc_threshold, 1, seed))
    add(
        llama.llama_sampler_init_temp_ext(
            config.temperature, config.dynamic_temperature_range, config.dynamic_temperature_exponent
        )
    )
    add(llama.llama_sampler_init_dist(seed))
    return chain


def _uses_dry(config: SamplingConfig) -> bool:
    return config.dry_multiplier > 0 and config.dry_base >= 1 and config.dry_penalty_last_n != 0


def _dry(llama: Any, config: SamplingConfig, vocabulary: Vocabulary, trained_context_length: int) -> Any:
    breakers = [text.encode() for text in config.dry_sequence_breakers]
    texts = (ctypes.c_char_p * max(1, len(breakers)))(*breakers)
    last_n = trained_context_length if config.dry_penalty_last_n < 0 else config.dry_penalty_last_n
    return llama.llama_sampler_init_dry(
        vocabulary.handle,
        config.dry_multiplier,
        config.dry_base,
        config.dry_allowed_length,
        last_n,
        texts,
        len(breakers),
    )
