"""Conversation files as LM Studio may have written them: right ones, odd ones, and ones from versions to come."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SPOKEN = TEXTS | st.sampled_from(["<think>hm</think>ok", "<think>\nhm", " <think>a</think>\n\n", "a </think> b", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
TIMES = st.integers(1_600_000_000_000, 1_900_000_000_000)
UNKNOWN = st.dictionaries(st.sampled_from(["newField", "id", "x-y", "meta"]), VALUES, max_size=2)


def maybe(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields, and some that nobody knows."""
    return st.builds(lambda known, unknown: {**unknown, **known}, st.fixed_dictionaries({}, optional=fields), UNKNOWN)


def having(required: dict[str, Any], optional: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these fields, some of those, and some that nobody knows."""
    certain = {
        key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in required.items()
    }
    return st.builds(lambda known, more: {**more, **known}, st.fixed_dictionaries(certain), maybe(optional))


CALL = {"callId": st.integers(0, 3) | TEXTS | st.none(), "toolCallRequestId": st.sampled_from(["a", "b", "12345"])}
ITEMS = st.one_of(
    having({"type": "text", "text": SPOKEN}, {"fromDraftModel": st.booleans()}),
    having(
        {"type": "file"},
        {"fileIdentifier": st.sampled_from(["picture.png", "notes.txt", "gone.png", "../x"]) | VALUES,
         "fileType": st.sampled_from(["image", "text/plain"]), "sizeBytes": st.integers(0, 999)},
    ),
    having(
        {"type": "toolCallRequest"},
        {**CALL, "name": TEXTS, "parameters": st.dictionaries(TEXTS, VALUES, max_size=2) | VALUES, "rawContent": TEXTS},
    ),
    having({"type": "toolCallResult"}, {**CALL, "name": TEXTS, "content": SPOKEN | VALUES}),
    having({"type": "somethingNew"}, {"text": VALUES}),
)  # fmt: skip
CONTENT = st.lists(ITEMS, max_size=3)
RESULTS = st.lists(having({"type": "toolCallResult", "content": TEXTS}, CALL), max_size=2)
STATS = maybe(
    {
        "stopReason": st.sampled_from(["eosFound", "userStopped", "failed", "newReason"]) | VALUES,
        "tokensPerSecond": st.floats(0, 1e6) | VALUES,
        "promptTokensCount": st.integers(0, 10**6) | VALUES,
        "predictedTokensCount": st.integers(0, 10**6),
        "totalTokensCount": st.integers(0, 10**6),
        "acceptedDraftTokensCount": st.integers(0, 99),
    }
)
FIELDS = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from(["llm.prediction.systemPrompt", "llm.prediction.temperature",
                                                   "llm.prediction.stopStrings", "llm.prediction.structured"]),
                           "value": VALUES}) | VALUES
    | st.just({"key": "llm.prediction.topPSampling", "value": {"checked": False, "value": 0.9}})
    | st.just({"key": "llm.prediction.topKSampling", "value": 9, "x": 1}),
    max_size=3,
)  # fmt: skip
MADE = maybe(
    {
        "identifier": TEXTS | VALUES,
        "indexedModelIdentifier": TEXTS,
        "stats": STATS | VALUES,
        "predictionConfig": st.fixed_dictionaries({"fields": FIELDS}) | VALUES,
        "loadModelConfig": st.just({"fields": [{"key": "llm.load.contextLength", "value": 4096}]}),
    }
)
BLOCK = {
    "stepIdentifier": st.builds("{}-0.5".format, TIMES) | VALUES,
    "style": st.just({"type": "thinking"}) | VALUES,
    "prefix": st.just("<think>") | VALUES,
    "genInfo": MADE | VALUES,
    "shouldIncludeInContext": st.booleans(),
}
STEPS = st.one_of(
    having({"type": "contentBlock", "content": CONTENT}, BLOCK),
    having({"type": "contentBlock", "content": CONTENT}, {**BLOCK, "roleOverride": st.sampled_from(["tool", "user"])}),
    having({"type": "contentBlock", "content": RESULTS, "roleOverride": "tool"}, BLOCK),
    having({"type": st.sampled_from(["toolStatus", "debugInfoBlock", "requestConfirmToolCall"])}, {"x": VALUES}),
)
SENDER = {"senderInfo": having({}, {"senderName": TEXTS | VALUES}) | VALUES}
ROLES = st.sampled_from(["user", "assistant", "system"])
VERSIONS = st.one_of(
    having({"type": "singleStep", "role": ROLES, "content": CONTENT}, SENDER),
    having({"type": "multiStep", "role": "assistant", "steps": st.lists(STEPS, max_size=4)}, SENDER),
    having({"role": ROLES, "steps": st.lists(STEPS, max_size=2)}, {"type": TEXTS}),
)
ENTRIES = having({"versions": st.lists(VERSIONS, min_size=1, max_size=3)}, {"currentlySelected": st.integers(-1, 3)})
DOCUMENTS = having(
    {"messages": st.lists(ENTRIES, max_size=4)},
    {
        "name": TEXTS,
        "pinned": st.booleans() | VALUES,
        "createdAt": TIMES | VALUES,
        "preset": TEXTS | VALUES,
        "systemPrompt": TEXTS | VALUES,
        "userLastMessagedAt": TIMES | VALUES,
        "assistantLastMessagedAt": TIMES,
        "perChatPredictionConfig": st.fixed_dictionaries({"fields": FIELDS}) | VALUES,
        "clientInput": TEXTS,
        "notes": st.lists(TEXTS | VALUES, max_size=3) | VALUES,
        "lastUsedModel": VALUES,
        "plugins": VALUES,
    },
)
