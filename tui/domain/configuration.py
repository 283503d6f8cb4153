"""How a model is loaded and how its tokens are chosen.

Names and defaults follow LM Studio's where it has them, so that its presets carry over. What each field
means to a person (label, range, unit, help) is declared once, in `tui.config.parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheType = Literal["f32", "f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
FlashAttention = Literal["auto", "on", "off"]
SplitMode = Literal["none", "layer", "row", "tensor"]
RopeScaling = Literal["auto", "none", "linear", "yarn", "longrope"]
Speculation = Literal["off", "ngram", "draft", "mtp"]
Pooling = Literal["auto", "none", "mean", "cls", "last", "rank"]
GuardrailLevel = Literal["off", "relaxed", "balanced", "strict", "custom"]


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """Everything that is decided when a model is loaded. `None` means: let lmdeck choose.

    All values are plain and immutable, so that a configuration is a key, and goes through JSON to a child process.
    """

    context_length: int | None = None
    """Tokens that the model can see at once, shared by all conversations that run in it."""
    fit: bool = False
    """Lower what was left open, and then the context length, until the model fits into the memory that is free."""
    fit_minimum_context: int = 4096
    """Fitting never goes below this many tokens."""
    gpu_layers: int | None = None
    """Layers held in GPU memory; `None` is as many as there are, 0 is none."""
    gpu_offload_ratio: float | None = None
    """The same as a part of all layers, 0 to 1. Excludes `gpu_layers`."""
    cpu_expert_layers_ratio: float = 0.0
    """Part of the layers, 0 to 1, whose mixture-of-experts weights stay on the CPU; counted from the first."""
    experts_used: int | None = None
    """Experts computed for each token; `None` is the model's own number."""
    split_mode: SplitMode = "layer"
    """How a model is spread over several GPUs."""
    main_gpu: int = 0
    """The GPU that is used alone without splitting, and for intermediate results when splitting by rows."""
    tensor_split: tuple[float, ...] = ()
    """Share of each GPU, in llama.cpp's order of devices; empty divides by free memory."""
    disabled_gpus: tuple[int, ...] = ()
    parallel: int = 4
    """Conversations that may generate at the same time."""
    unified_kv_cache: bool = True
    """One cache for all conversations; off gives each of them an equal part of the context."""
    evaluation_batch_size: int = 2048
    """Most tokens handed to llama.cpp in one call."""
    physical_batch_size: int = 512
    """Most tokens computed in one pass; sets the size of the compute buffer."""
    threads: int | None = None
    """CPU threads for generation."""
    batch_threads: int | None = None
    """CPU threads for reading prompts; `None` is the same as `threads`."""
    flash_attention: FlashAttention = "auto"
    key_cache_type: CacheType = "f16"
    value_cache_type: CacheType = "f16"
    """A quantised value cache needs flash attention."""
    offload_kv_cache: bool = True
    """Keep the KV cache in GPU memory."""
    full_sliding_window_cache: bool = False
    """Keep all tokens of sliding-window layers too: more memory, but any prefix can be taken over."""
    context_checkpoints: int = 32
    """Snapshots of a conversation's state for models that cannot go back otherwise; 0 keeps none."""
    try_mmap: bool = True
    keep_model_in_memory: bool = False
    """Lock the weights in RAM (mlock)."""
    direct_io: bool = False
    """Read the file past the system's cache."""
    rope_frequency_base: float | None = None
    rope_frequency_scale: float | None = None
    rope_scaling: RopeScaling = "auto"
    yarn_extrapolation_factor: float | None = None
    yarn_attention_factor: float | None = None
    yarn_beta_fast: float | None = None
    yarn_beta_slow: float | None = None
    yarn_original_context: int | None = None
    """Tokens that the model was trained for before it was stretched."""
    lora: tuple[tuple[str, float], ...] = ()
    """LoRA adapter files (GGUF) and their scales."""
    seed: int | None = None
    """Seed for answers whose request has none; `None` draws one each time."""
    rpc_servers: tuple[str, ...] = ()
    """`host:port` of llama.cpp RPC servers whose devices are used beside this machine's."""
    tensor_overrides: tuple[tuple[str, str], ...] = ()
    """Pairs of a regular expression on tensor names and the buffer type to hold them, such as `CPU`."""
    chat_template: str | None = None
    """Used in place of the file's own template."""
    projector: str = ""
    """File that turns images into what the model reads (mmproj); empty looks beside the model, `off` uses none."""
    largest_image_side: int | None = None
    """Pixels. Larger images are made smaller before the model sees them; `None` leaves them as they are."""
    speculation: Speculation = "off"
    """Who guesses the next tokens, to have them checked several at a time."""
    draft_model: str = ""
    """Key or file of the small model that guesses, for `draft`."""
    draft_max_tokens: int = 8
    draft_min_tokens: int = 0
    """Shorter guesses are not worth a check."""
    draft_min_probability: float = 0.0
    """Guessing stops at a token that the draft model holds less likely than this."""
    pooling: Pooling = "auto"
    """How an embedding model makes one vector of many tokens; `auto` is what its file says."""
    embedding: bool = False
    """Load a text model for embeddings instead of answers. Models made for embeddings need no telling."""


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How the next token is chosen, and when to stop. Defaults are LM Studio's."""

    temperature: float = 0.8
    dynamic_temperature_range: float = 0.0
    """Half-width of the temperature interval; 0 turns dynamic temperature off."""
    dynamic_temperature_exponent: float = 1.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    mirostat: Literal[0, 1, 2] = 0
    mirostat_learning_rate: float = 0.1
    mirostat_target_entropy: float = 5.0
    repeat_penalty: float = 1.1
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    """Pairs of token id and what is added to its logit."""
    seed: int | None = None
    """`None` draws a new seed for every answer."""
    max_tokens: int | None = None
    """Most tokens to generate; `None` is as many as the context has room for."""
    min_tokens: int = 0
    """The answer cannot end before it has this many tokens."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer. They are not part of it."""
    ignore_end_of_generation: bool = False
    top_logprobs: int | None = None
    """Report the log-probability of each token and of this many alternatives; `None` reports nothing."""


@dataclass(frozen=True, slots=True)
class LoadedValue:
    """One load parameter after loading: what was asked for, what fitting made of it, and what llama.cpp really uses."""

    name: str
    asked: str
    loaded: str
    fitted: str = ""
    """Empty where fitting changed nothing."""


@dataclass(frozen=True, slots=True)
class Guardrail:
    """How much memory loading may take before it is refused; levels and default are LM Studio's."""

    level: GuardrailLevel = "strict"
    limit_gib: float = 0.0
    """For `custom`: GiB that all loaded models together may take; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What a model needs on one device, in bytes. `free` and `total` are 0 where the device does not tell."""

    device: str
    weights: int
    kv_cache: int
    compute: int
    free: int = 0
    """What is free now, and what models that would go give back."""
    total: int = 0
    outputs: int = 0
    """Rows of results, which llama.cpp keeps beside its compute buffers."""
    draft: int = 0
    """All of the draft model."""
    adapters: int = 0
    """LoRA adapters."""
    projector: int = 0
    """What reads images."""
    mapped: int = 0
    """The part of `weights` that are pages of the file, which the system can drop and read again."""

    @property
    def needed(self) -> int:
        """The sum of all parts."""
        return (
            self.weights
            + self.kv_cache
            + self.compute
            + self.outputs
            + self.draft
            + self.adapters
            + self.projector
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MemoryShortage:
    """Why the guardrail refuses to load a model: one device on which it may not take what it needs. In bytes."""

    device: str
    """Empty where a limit on all devices together is meant."""
    needed: int
    allowed: int
    """What the guardrail lets it take."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a model needs with certain load parameters, device by device, and what the guardrail says to it."""

    devices: tuple[DeviceMemory, ...]
    level: GuardrailLevel = "off"
    """The guardrail that judged it."""
    shortage: MemoryShortage | None = None
    """What the guardrail objects to; `None` when it lets the model be loaded."""
    limit: int | None = None
    """Bytes that the `custom` guardrail lets it take in all; `None` is no limit."""
    freed: int = 0
    """Bytes in the devices' `free` that other models hold now, which go when this one comes."""
    parked: int = 0
    """Bytes of ordinary memory that idle conversations may take besides, of what is free then. Not in `needed`: they
    are let go when memory is short."""

    @property
    def needed(self) -> int:
        """Bytes over all devices."""
        return sum(device.needed for device in self.devices)


@dataclass(frozen=True, slots=True)
class FittedLoad:
    """Load parameters that were fitted to the memory that is free, and what that changed."""

    config: LoadConfig
    estimate: MemoryEstimate
    changes: tuple[LoadedValue, ...] = ()
    """One for each changed parameter; `loaded` is empty."""
