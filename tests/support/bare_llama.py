"""A bare llama.cpp loop with one sequence, to check made models without the engine of the program."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BareAnswer:
    """What a model said: the bytes, the number of tokens, and whether it ended by itself."""

    text: bytes
    tokens: int
    ended: bool


def answer_of(path: Path, prompt: str, *, most_tokens: int = 256, greedy: bool = True, seed: int = 1) -> BareAnswer:
    """Load a model, read the prompt and generate, greedily or with the usual sampling (temperature 0.8, top-k 40,
    repeat penalty 1.1).

    Weights are used without llama.cpp's extra buffer types: their AMX kernels crash on some virtual machines.
    """
    import llama_cpp as llama

    llama.llama_backend_init()
    model_parameters = llama.llama_model_default_params()
    model_parameters.use_extra_bufts = False
    model_parameters.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(str(path).encode(), model_parameters)
    if not model:
        raise AssertionError(f"llama.cpp does not load {path}")
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = 0
    parameters.n_threads = parameters.n_threads_batch = 1
    context = llama.llama_init_from_model(model, parameters)
    vocabulary = llama.llama_model_get_vocab(model)
    size = llama.llama_vocab_n_tokens(vocabulary)
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    if greedy:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
    else:
        for sampler in (
            llama.llama_sampler_init_penalties(size, 64, 1.1, 0.0, 0.0),
            llama.llama_sampler_init_top_k(40),
            llama.llama_sampler_init_temp(0.8),
            llama.llama_sampler_init_dist(seed),
        ):
            llama.llama_sampler_chain_add(chain, sampler)
    try:
        data = prompt.encode()
        tokens = (llama.llama_token * (len(data) + 8))()
        count = llama.llama_tokenize(vocabulary, data, len(data), tokens, len(tokens), True, True)
        text = b""
        said = 0
        piece = ctypes.create_string_buffer(4096)
        while True:
            if llama.llama_decode(context, llama.llama_batch_get_one(tokens, count)):
                raise AssertionError("llama_decode failed")
            token = llama.llama_sampler_sample(chain, context, -1)
            if llama.llama_vocab_is_eog(vocabulary, token):
                return BareAnswer(text, said, True)
            length = llama.llama_token_to_piece(vocabulary, token, piece, len(piece), 0, False)
            text += piece.raw[:length]
            said += 1
            if said == most_tokens:
                return BareAnswer(text, said, False)
            tokens[0], count = token, 1
    finally:
        llama.llama_sampler_free(chain)
        llama.llama_free(context)
        llama.llama_model_free(model)
