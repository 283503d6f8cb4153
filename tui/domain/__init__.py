"""Plain types that every wing shares: messages, requests, events, load and sampling configuration, errors.

No input or output, no llama.cpp, no Textual: this wing imports nothing else of ours, so everything may import it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain.configuration import (
        CacheType,
        DeviceMemory,
        FlashAttention,
        LoadConfig,
        LoadedValue,
        MemoryEstimate,
        SamplingConfig,
    )
    from tui.domain.errors import (
        BadRequest,
        BadTemplate,
        Busy,
        Cancelled,
        ContextExceeded,
        EngineFault,
        LmdeckError,
        ModelNotFound,
        ModelUnusable,
        ModelWillNotFit,
        StorageFailed,
    )
    from tui.domain.generation import (
        STOP_REASON_TEXT,
        Event,
        Failed,
        Finished,
        GenerationRequest,
        GenerationStats,
        ModelLoading,
        Origin,
        PromptProgress,
        Queued,
        ReasoningDelta,
        StopReason,
        TextDelta,
    )
    from tui.domain.messages import (
        Message,
        Part,
        ReasoningPart,
        Role,
        TextPart,
        part_from_json,
        part_to_json,
        text_message,
    )
    from tui.domain.models import ModelInfo
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "configuration": "CacheType DeviceMemory FlashAttention LoadConfig LoadedValue MemoryEstimate "
            "SamplingConfig",
            "errors": "BadRequest BadTemplate Busy Cancelled ContextExceeded EngineFault LmdeckError "
            "ModelNotFound ModelUnusable ModelWillNotFit StorageFailed",
            "generation": "STOP_REASON_TEXT Event Failed Finished GenerationRequest GenerationStats "
            "ModelLoading Origin PromptProgress Queued ReasoningDelta StopReason TextDelta",
            "messages": "Message Part ReasoningPart Role TextPart part_from_json part_to_json text_message",
            "models": "ModelInfo",
        },
    )

__all__ = [
    "STOP_REASON_TEXT",
    "BadRequest",
    "BadTemplate",
    "Busy",
    "CacheType",
    "Cancelled",
    "ContextExceeded",
    "DeviceMemory",
    "EngineFault",
    "Event",
    "Failed",
    "Finished",
    "FlashAttention",
    "GenerationRequest",
    "GenerationStats",
    "LmdeckError",
    "LoadConfig",
    "LoadedValue",
    "MemoryEstimate",
    "Message",
    "ModelInfo",
    "ModelLoading",
    "ModelNotFound",
    "ModelUnusable",
    "ModelWillNotFit",
    "Origin",
    "Part",
    "PromptProgress",
    "Queued",
    "ReasoningDelta",
    "ReasoningPart",
    "Role",
    "SamplingConfig",
    "StopReason",
    "StorageFailed",
    "TextDelta",
    "TextPart",
    "part_from_json",
    "part_to_json",
    "text_message",
]
