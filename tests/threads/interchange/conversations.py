"""Threads as lmdeck may have them, and what of them each format can hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.threads.interchange.documents import TEXTS
from tui.domain import (
    Constraint,
    FilePart,
    GenerationStats,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.thread_settings import ThreadSettings

PNG = b"\x89PNG\r\n\x1a\n0"
WORDS = TEXTS.filter(bool)
CALL_IDS = st.sampled_from(["call_1", "call_2", "17"])
TEXT_PARTS = st.builds(TextPart, TEXTS)
FILES = st.builds(ImagePart, st.sampled_from([PNG, PNG + b"1"]), st.just("image/png"), st.just("a.png")) | st.builds(
    FilePart, st.sampled_from(["notes.txt", "data.csv"]), TEXTS
)
CALLS = st.builds(
    ToolCallPart, CALL_IDS, WORDS, st.sampled_from(["{}", '{"a":1}', '{ "a" : [1.0, "ü"] }', '{"cut off', "", "3"])
)
RESULTS = st.builds(ToolResultPart, CALL_IDS, WORDS, TEXTS)
USER = st.lists(TEXT_PARTS | FILES, min_size=1, max_size=3)
ASSISTANT = st.lists(TEXT_PARTS | st.builds(ReasoningPart, TEXTS) | CALLS, max_size=4)
TOOL = st.lists(RESULTS, min_size=1, max_size=2)
PARTS: dict[Any, st.SearchStrategy[list[Part]]] = {"user": USER, "assistant": ASSISTANT, "tool": TOOL, "system": USER}
STATS = st.builds(
    GenerationStats,
    prompt_tokens=st.integers(0, 9999),
    generated_tokens=st.integers(0, 9999),
    generation_speed=st.floats(0, 1000),
    time_to_first_token=st.floats(0, 10),
    stop_reason=st.sampled_from(["eosFound", "userStopped", "maxPredictedTokensReached"]),
)
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "sampling.temperature": st.floats(0, 2),
        "sampling.top_k": st.integers(0, 99),
        "sampling.top_p": st.sampled_from([0.5, 1.0]),
        "sampling.max_tokens": st.sampled_from([None, 10]),
        "sampling.mirostat": st.sampled_from([0, 2]),
        "sampling.dry_multiplier": st.sampled_from([0.5]),
        "answer.overflow": st.sampled_from(["rollingWindow", "stopAtLimit"]),
    },
)
CONSTRAINTS = st.sampled_from(
    [
        None,
        Constraint("json_object"),
        Constraint("json_schema", '{"type": "object"}'),
        Constraint("gbnf", "root ::= 'a'"),
        Constraint("regex", "a+"),
    ]
)
SETTINGS = st.builds(
    ThreadSettings,
    system_prompt=st.none() | WORDS,
    preset=st.none() | WORDS,
    stop=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    overrides=OVERRIDES,
    constraint=CONSTRAINTS,
)


@st.composite
def threads(draw: st.DrawFn, *, most: int = 8, branches: bool = True) -> PortableThread:
    """A tree of messages, with a leaf somewhere in it."""
    nodes: list[PortableMessage] = []
    for number in range(draw(st.integers(0, most))):
        parent = draw(st.sampled_from([None, *(node.id for node in nodes)])) if branches else None
        if not branches and nodes:
            parent = nodes[-1].id
        role = draw(st.sampled_from(["user", "assistant", "assistant", "tool", "system"]))
        stats = draw(st.none() | STATS) if role == "assistant" else None
        nodes.append(
            PortableMessage(
                str(number + 1),
                parent,
                Message(role, tuple(draw(PARTS[role]))),
                model=draw(st.sampled_from(["", "qwen3-4b", "gpt-oss-20b"])) if role == "assistant" else "",
                status="stopped" if stats and stats.stop_reason == "userStopped" else "complete",
                stats=stats,
                created=1_784_921_393.42 + number,
                settings=draw(st.just({}) | OVERRIDES) if role == "assistant" else {},
            )
        )
    return PortableThread(
        title=draw(TEXTS),
        created=1_784_921_393.42,
        updated=1_784_921_393.42 + draw(st.integers(0, 10**6)),
        pinned=draw(st.booleans()),
        draft=draw(TEXTS),
        settings=draw(SETTINGS),
        messages=tuple(nodes),
        leaf=draw(st.sampled_from([node.id for node in nodes])) if nodes else None,
    )
