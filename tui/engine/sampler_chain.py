"""From a `SamplingConfig` to llama.cpp's chain of samplers."""

from __future__ import annotations

import ctypes
import secrets
from typing import Any

from tui.domain import SamplingConfig
from tui.engine.library import load_llama
from tui.engine.vocabulary import Vocabulary

# llama.cpp takes this seed for "draw one" (LLAMA_DEFAULT_SEED), so it is not used as a seed.
_RANDOM_SEED = 0xFFFFFFFF
# The number of tokens over which mirostat 1 estimates its exponent; the value of its paper.
_MIROSTAT_WINDOW = 100


def build_chain(
    config: SamplingConfig, vocabulary: Vocabulary, trained_context_length: int, wanted_seed: int | None
) -> Any:
    """llama.cpp's default order (common/sampling.cpp): dry, top-n-sigma, top-k, typical, top-p, min-p, xtc, heat."""
    llama = load_llama()
    parameters = llama.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = llama.llama_sampler_chain_init(parameters)
    seed = secrets.randbelow(_RANDOM_SEED) if wanted_seed is None else wanted_seed % _RANDOM_SEED

    def add(sampler: Any) -> None:
        llama.llama_sampler_chain_add(chain, sampler)

    if uses_dry(config):
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


def uses_dry(config: SamplingConfig) -> bool:
    """Whether repeated phrases are held against a token, so that the sampler must see all that was said."""
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
