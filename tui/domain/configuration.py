"""How a model is loaded and how its tokens are chosen.

Names and defaults follow LM Studio's where it has them, so that its presets carry over. What each field
means to a person (label, range, unit, help) is declared once, in `tui.config.parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheType = Literal["f32", "f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
FlashAttention = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """Everything that is decided when a model is loaded. `None` means: let lmdeck choose."""

    context_length: int | None = None
    """Tokens that the model can see at once, shared by all conversations that run in it."""
    gpu_layers: int | None = None
    """Layers held in GPU memory; `None` is as many as there are, 0 is none."""
    parallel: int = 4
    """Conversations that may generate at the same time."""
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
    try_mmap: bool = True
    keep_model_in_memory: bool = False
    """Lock the weights in RAM (mlock)."""
    rope_frequency_base: float | None = None
    rope_frequency_scale: float | None = None


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
    stop: tuple[str, ...] = ()
    """Texts that end the answer. They are not part of it."""
    ignore_end_of_generation: bool = False


@dataclass(frozen=True, slots=True)
class LoadedValue:
    """One load parameter after loading: what was asked for, and what llama.cpp really uses."""

    name: str
    asked: str
    loaded: str


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What a model needs on one device, in bytes. `free` and `total` are 0 where the device does not tell."""

    device: str
    weights: int
    kv_cache: int
    compute: int
    free: int = 0
    total: int = 0

    @property
    def needed(self) -> int:
        """The sum of the three."""
        return self.weights + self.kv_cache + self.compute


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a model needs with certain load parameters, device by device."""

    devices: tuple[DeviceMemory, ...]

    @property
    def needed(self) -> int:
        """Bytes over all devices."""
        return sum(device.needed for device in self.devices)

    @property
    def too_small(self) -> DeviceMemory | None:
        """The first device that has less free than is needed, if there is one."""
        return next((device for device in self.devices if device.total and device.needed > device.free), None)
