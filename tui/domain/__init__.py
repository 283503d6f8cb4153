"""Plain types that every wing shares: messages, requests, events, load and sampling configuration, errors.

No input or output, no llama.cpp, no Textual: this wing imports nothing else of ours, so everything may import it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain.configuration import (
        CacheType,
        DeviceMemory,
        FlashAttention,
        GuardrailLevel,
        LoadConfig,
        LoadedValue,
        MemoryEstimate,
        Pooling,
        RopeScaling,
        SamplingConfig,
        Speculation,
        SplitMode,
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
        RemoteFailed,
        StorageFailed,
    )
    from tui.domain.generation import (
        STOP_REASON_TEXT,
        Constraint,
        ConstraintKind,
        ContextTrimmed,
        Event,
        Failed,
        Finished,
        GenerationRequest,
        GenerationStats,
        Logprobs,
        ModelLoading,
        Origin,
        OverflowPolicy,
        PromptProgress,
        Queued,
        RawPrompt,
        ReasoningDelta,
        ReasoningEffort,
        StopReason,
        TextDelta,
        TokenLogprob,
        Tool,
        ToolCallArguments,
        ToolCallFinished,
        ToolCallStarted,
        ToolChoice,
    )
    from tui.domain.messages import (
        ImagePart,
        Message,
        Part,
        ReasoningPart,
        Role,
        TextPart,
        ToolCallPart,
        ToolResultPart,
        part_from_json,
        part_to_json,
        text_message,
    )
    from tui.domain.models import (
        ModelInfo,
        ModelVocabulary,
    )
    from tui.domain.remotes import RemoteEndpoint
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "configuration": "CacheType DeviceMemory FlashAttention GuardrailLevel LoadConfig LoadedValue "
            "MemoryEstimate Pooling RopeScaling SamplingConfig Speculation SplitMode",
            "errors": "BadRequest BadTemplate Busy Cancelled ContextExceeded EngineFault LmdeckError "
            "ModelNotFound ModelUnusable ModelWillNotFit RemoteFailed StorageFailed",
            "generation": "STOP_REASON_TEXT Constraint ConstraintKind ContextTrimmed Event Failed Finished "
            "GenerationRequest GenerationStats Logprobs ModelLoading Origin OverflowPolicy "
            "PromptProgress Queued RawPrompt ReasoningDelta ReasoningEffort StopReason TextDelta TokenLogprob "
            "Tool ToolCallArguments ToolCallFinished ToolCallStarted ToolChoice",
            "messages": "ImagePart Message Part ReasoningPart Role TextPart ToolCallPart ToolResultPart "
            "part_from_json part_to_json text_message",
            "models": "ModelInfo ModelVocabulary",
            "remotes": "RemoteEndpoint",
        },
    )

__all__ = [
    "STOP_REASON_TEXT",
    "BadRequest",
    "BadTemplate",
    "Busy",
    "CacheType",
    "Cancelled",
    "Constraint",
    "ConstraintKind",
    "ContextExceeded",
    "ContextTrimmed",
    "DeviceMemory",
    "EngineFault",
    "Event",
    "Failed",
    "Finished",
    "FlashAttention",
    "GenerationRequest",
    "GenerationStats",
    "GuardrailLevel",
    "ImagePart",
    "LmdeckError",
    "LoadConfig",
    "LoadedValue",
    "Logprobs",
    "MemoryEstimate",
    "Message",
    "ModelInfo",
    "ModelLoading",
    "ModelNotFound",
    "ModelUnusable",
    "ModelVocabulary",
    "ModelWillNotFit",
    "Origin",
    "OverflowPolicy",
    "Part",
    "Pooling",
    "PromptProgress",
    "Queued",
    "RawPrompt",
    "ReasoningDelta",
    "ReasoningEffort",
    "ReasoningPart",
    "RemoteEndpoint",
    "RemoteFailed",
    "Role",
    "RopeScaling",
    "SamplingConfig",
    "Speculation",
    "SplitMode",
    "StopReason",
    "StorageFailed",
    "TextDelta",
    "TextPart",
    "TokenLogprob",
    "Tool",
    "ToolCallArguments",
    "ToolCallFinished",
    "ToolCallPart",
    "ToolCallStarted",
    "ToolChoice",
    "ToolResultPart",
    "part_from_json",
    "part_to_json",
    "text_message",
]
