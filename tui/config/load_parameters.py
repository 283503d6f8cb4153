"""Every parameter of loading, declared once."""

from __future__ import annotations

from typing import get_args

from tui.config.parameters import Parameter, declare
from tui.domain import CacheType, FlashAttention, LoadConfig, Pooling, RopeScaling, Speculation, SplitMode

_CACHE_TYPES = get_args(CacheType)

LOAD_PARAMETERS = declare(
    LoadConfig,
    Parameter(
        "context_length",
        "Context length",
        "integer",
        "How many tokens the model can see at once, shared by all conversations that run in it. "
        "More needs more memory.",
        minimum=1,
        unit="tokens",
        group="basic",
    ),
    Parameter(
        "gpu_layers",
        "GPU layers",
        "integer",
        "How many layers are held in GPU memory. Auto takes as many as the model has; 0 keeps all on the CPU.",
        minimum=0,
        unit="layers",
        group="basic",
    ),
    Parameter(
        "parallel",
        "Parallel answers",
        "integer",
        "How many conversations may generate at the same time; further ones wait their turn.",
        minimum=1,
        maximum=256,
        group="basic",
    ),
    Parameter(
        "threads",
        "CPU threads",
        "integer",
        "Threads for generating. Auto is one for each physical core.",
        minimum=1,
        maximum=512,
        group="basic",
    ),
    Parameter(
        "flash_attention",
        "Flash attention",
        "choice",
        "Faster attention that needs less memory. Auto uses it where the model and the device can.",
        choices=get_args(FlashAttention),
        group="basic",
    ),
    Parameter(
        "fit",
        "Fit to memory",
        "boolean",
        "Choose GPU layers and lower the context length until the model fits into the memory that is free. "
        "What was changed is said.",
        group="basic",
    ),
    Parameter(
        "speculation",
        "Speculation",
        "choice",
        "Guess several tokens and have them checked at once: ngram looks them up in the conversation, draft asks a "
        "small model, mtp the model's own extra heads. Answers stay the same.",
        choices=get_args(Speculation),
        group="basic",
    ),
    Parameter(
        "gpu_offload_ratio",
        "GPU offload",
        "number",
        "The part of all layers that is held in GPU memory, instead of their number.",
        minimum=0,
        maximum=1,
    ),
    Parameter(
        "cpu_expert_layers_ratio",
        "Experts on CPU",
        "number",
        "The part of the layers whose experts stay in ordinary memory: makes large mixture models fit small GPUs.",
        minimum=0,
        maximum=1,
    ),
    Parameter(
        "experts_used",
        "Experts used",
        "integer",
        "Experts asked for each token. Auto is the model's own number.",
        minimum=1,
    ),
    Parameter(
        "split_mode",
        "Split mode",
        "choice",
        "How several GPUs share a model: whole layers, rows of each matrix, tensors, or one GPU alone.",
        choices=get_args(SplitMode),
    ),
    Parameter(
        "main_gpu",
        "Main GPU",
        "integer",
        "The GPU that works alone when nothing is split, counted from 0.",
        minimum=0,
        maximum=255,
    ),
    Parameter(
        "tensor_split", "Tensor split", "numbers", "Each GPU's share, such as 3, 1. Empty divides by free memory."
    ),
    Parameter("disabled_gpus", "Disabled GPUs", "numbers", "GPUs that are left alone, counted from 0, such as 1, 2."),
    Parameter(
        "unified_kv_cache",
        "Unified cache",
        "boolean",
        "One cache for all conversations. Off gives each of them an equal part of the context.",
    ),
    Parameter(
        "full_sliding_window_cache",
        "Full window cache",
        "boolean",
        "Keep everything of layers that only look at a window: more memory, but nothing is read twice.",
    ),
    Parameter(
        "context_checkpoints",
        "Checkpoints",
        "integer",
        "Snapshots of a conversation for models that cannot go back by themselves; 0 keeps none.",
        minimum=0,
        maximum=10_000,
    ),
    Parameter("direct_io", "Direct I/O", "boolean", "Read the file past the system's cache."),
    Parameter(
        "fit_minimum_context",
        "Least context",
        "integer",
        "Fitting never goes below this context length.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "key_cache_type",
        "K cache type",
        "choice",
        "Precision of the cached keys. q8_0 halves their memory at hardly any cost.",
        choices=_CACHE_TYPES,
    ),
    Parameter(
        "value_cache_type",
        "V cache type",
        "choice",
        "Precision of the cached values. Anything below f16 needs flash attention.",
        choices=_CACHE_TYPES,
    ),
    Parameter(
        "offload_kv_cache",
        "KV cache on GPU",
        "boolean",
        "Keep the cache in GPU memory. Off leaves more room for layers, but answers come slower.",
    ),
    Parameter(
        "evaluation_batch_size",
        "Evaluation batch",
        "integer",
        "Most tokens handed to llama.cpp at once.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "physical_batch_size",
        "Physical batch",
        "integer",
        "Most tokens computed in one pass. Larger reads prompts faster and needs more memory.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "batch_threads",
        "Prompt threads",
        "integer",
        "Threads for reading prompts. Auto is the same as CPU threads.",
        minimum=1,
        maximum=512,
    ),
    Parameter(
        "try_mmap",
        "Memory-map",
        "boolean",
        "Map the file instead of reading it, so that loading is quick and unused parts need no memory.",
    ),
    Parameter(
        "keep_model_in_memory",
        "Lock in memory",
        "boolean",
        "Forbid the system to swap the weights out (mlock).",
    ),
    Parameter(
        "rope_frequency_base",
        "RoPE base",
        "number",
        "Base of the position frequencies. Auto is what the model was trained with.",
        minimum=0,
    ),
    Parameter(
        "rope_frequency_scale",
        "RoPE scale",
        "number",
        "Scale of the position frequencies, to stretch the context beyond training. Auto is the model's own.",
        minimum=0,
    ),
    Parameter(
        "rope_scaling",
        "RoPE scaling",
        "choice",
        "How positions beyond training are reached. Auto is the model's own way.",
        choices=get_args(RopeScaling),
    ),
    Parameter(
        "yarn_original_context",
        "YaRN context",
        "integer",
        "The length that the model was trained for before it was stretched.",
        minimum=1,
        unit="tokens",
    ),
    Parameter(
        "yarn_extrapolation_factor",
        "YaRN extrapolation",
        "number",
        "Mix of extrapolation; auto is the model's own.",
        minimum=-1,
    ),
    Parameter(
        "yarn_attention_factor", "YaRN attention", "number", "Scale of attention; auto is the model's own.", minimum=-1
    ),
    Parameter(
        "yarn_beta_fast",
        "YaRN beta fast",
        "number",
        "Correction for high frequencies; auto is the model's own.",
        minimum=-1,
    ),
    Parameter(
        "yarn_beta_slow",
        "YaRN beta slow",
        "number",
        "Correction for low frequencies; auto is the model's own.",
        minimum=-1,
    ),
    Parameter(
        "lora", "LoRA adapters", "scaled files", "Adapter files and their scales, such as style.gguf:0.8, facts.gguf."
    ),
    Parameter(
        "seed",
        "Seed",
        "integer",
        "Seed of answers that bring none. Auto draws one each time.",
        minimum=0,
        maximum=2**32 - 1,
    ),
    Parameter("rpc_servers", "RPC servers", "texts", "Other machines whose devices help, as host:port."),
    Parameter("tensor_overrides", "Tensor overrides", "pairs", "Where tensors are held, such as ffn_.*_exps=CPU."),
    Parameter("chat_template", "Chat template", "text", "A Jinja template in place of the model's own."),
    Parameter(
        "projector",
        "Image projector",
        "text",
        "The mmproj file for images. Empty looks beside the model, off uses none.",
    ),
    Parameter("draft_model", "Draft model", "text", "Key or file of the small model that guesses."),
    Parameter("draft_max_tokens", "Most draft tokens", "integer", "The longest guess.", minimum=1, maximum=64),
    Parameter(
        "draft_min_tokens", "Least draft tokens", "integer", "Shorter guesses are not checked.", minimum=0, maximum=64
    ),
    Parameter(
        "draft_min_probability",
        "Draft probability",
        "number",
        "Guessing stops at a token less likely than this.",
        minimum=0,
        maximum=1,
    ),
    Parameter("embedding", "For embeddings", "boolean", "Make vectors of texts instead of answers."),
    Parameter(
        "pooling",
        "Pooling",
        "choice",
        "How an embedding model makes one vector of many tokens.",
        choices=get_args(Pooling),
    ),
)
