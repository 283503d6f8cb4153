"""The collection of what models wrote and which message it is, from other programs' published tests.

It lies beside the repository, in `shared/data/toolcalls/`, and is not part of it. A case says what a model wrote and
what its program made of it, but not always in which state the prompt left the model: `reasoning_open` reads that off
its flags, or its name.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.output_templates import TEMPLATES
from tui.domain import ReasoningDelta, TextDelta, Tool, ToolCallArguments, ToolCallFinished, ToolCallStarted
from tui.formats import Delta, OutputFormat, OutputParser, detect_output_format

Case = dict[str, Any]

_SHARED = os.environ.get("LMDECK_SHARED") or str(Path(__file__).parents[2].parent / "shared")
PATH = Path(_SHARED) / "data" / "toolcalls" / "cases.json"

FAMILY = {
    "cogito": "deepseek-r1",
    "deepseek3": "deepseek-v3.1",
    "deepseekr1": "deepseek-r1",
    "deepseekv3": "deepseek-r1",
    "ernie45": "ernie",
    "ernie45_moe": "ernie",
    "function_gemma": "functiongemma",
    "functiongemma": "functiongemma",
    "gemma4": "gemma4",
    "gigachat3": "gigachat",
    "glm47": "glm",
    "glm4_moe": "glm",
    "granite": "granite",
    "granite_20b_fc": "granite-code",
    "granite_thinking": "think",
    "harmony": "gpt-oss",
    "holo2": "think",
    "hunyuan": "hunyuan",
    "hunyuan_a13b": "jamba",
    "hy_v3": "think",
    "internlm2": "internlm",
    "jamba": "jamba",
    "json_tools": "json-tools",
    "kimi_k2": "kimi",
    "lfm2": "lfm2",
    "llama4_pythonic": "llama4",
    "longcat": "longcat",
    "minimax_m2": "minimax-m2",
    "minimax_m2_append": "minimax-m2",
    "mistral": "mistral-small",
    "mistral-pre_v11": "mistral-nemo",
    "mistral-v11+": "magistral",
    "muse": "muse",
    "muse_parse_delta": "muse",
    "nemotron-3-nano": "qwen3.5",
    "nemotron_v3": "qwen3.5",
    "olmo3": "olmo3",
    "olmo3-think": "olmo3-think",
    "phi4mini": "functools",
    "pythonic": "pythonic",
    "qwen3": "qwen3.5",
    "qwen3_coder": "qwen3-coder",
    "qwen3coder": "qwen3-coder",
    "step3": "step3",
    "step3p5": "qwen3.5",
    "xlam": "xlam",
}
"""Which family's template the model of a case has."""

_OPEN_BY_PROMPT = {
    "deepseekr1", "ernie45", "glm4_moe", "granite_thinking", "holo2", "hy_v3", "minimax_m2", "nemotron_v3", "olmo3",
    "olmo3-think", "qwen3", "step3p5",
}  # fmt: skip
"""Formats whose prompts end with the opening tag unless thinking is off."""

_OPEN_BY_NAME = {
    "thinking_only", "thinking_with_multiline_content", "prefill_with_thinking", "nested_think_tags_in_thinking",
    "multiple_think_close_tags", "split_thinking_tag",
}  # fmt: skip
"""Cases of Cogito whose prompt ends with the opening tag: their flag for it is not in the collection."""


def load_cases() -> list[Case]:
    """All of them; none if the collection is not there."""
    return json.loads(PATH.read_text())["cases"] if PATH.exists() else []


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of an output."""

    content: str
    reasoning: str
    calls: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]
    said: str
    """Content, reasoning and arguments in the order in which they came."""


def parse(parser: OutputParser, pieces: Sequence[bytes]) -> Parsed:
    """Feed everything, and check what must hold for any output: order, ids, and that arguments add up."""
    deltas = [delta for piece in pieces for delta in parser.feed(piece, 1)] + parser.finish()
    return gathered(deltas)


def gathered(deltas: Sequence[Delta]) -> Parsed:
    content, reasoning, said, ids = [], [], [], []
    calls: list[tuple[str, str]] = []
    arguments: list[str] = []
    open_call: ToolCallStarted | None = None
    for delta in deltas:
        match delta:
            case TextDelta():
                assert open_call is None or not delta.text
                content.append(delta.text)
                said.append(delta.text)
            case ReasoningDelta():
                assert open_call is None
                reasoning.append(delta.text)
                said.append(delta.text)
            case ToolCallStarted():
                assert open_call is None
                assert delta.index == len(calls)
                assert delta.id
                assert delta.id not in ids
                ids.append(delta.id)
                open_call, arguments = delta, []
            case ToolCallArguments():
                assert open_call is not None
                assert delta.index == open_call.index
                arguments.append(delta.text)
                said.append(delta.text)
            case ToolCallFinished():
                assert open_call is not None
                assert (delta.index, delta.call.id, delta.call.name) == (open_call.index, open_call.id, open_call.name)
                assert delta.call.arguments == "".join(arguments)
                calls.append((delta.call.name, delta.call.arguments))
                open_call = None
    assert open_call is None, "a call was not finished"
    return Parsed("".join(content), "".join(reasoning), tuple(calls), tuple(ids), "".join(said))


def cuts(data: bytes, seed: int, count: int) -> list[list[bytes]]:
    """The data whole, byte by byte, and cut in random places."""
    chance = random.Random(seed)
    splits = [[data], [data[at : at + 1] for at in range(len(data))]]
    for _ in range(count):
        borders = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(1, 12)))
        splits.append([data[a:b] for a, b in zip([0, *borders], [*borders, len(data)], strict=True)])
    return splits


def failure(case: Case, random_cuts: int = 3) -> str:
    """What is wrong with how a case is parsed, in whatever pieces it comes; empty if nothing is."""
    output_format, text = _format_and_text(case)
    splits = cuts(text.encode(), len(text), random_cuts)
    if case["chunks"] and text == "".join(case["chunks"]):
        splits.append([chunk.encode() for chunk in case["chunks"]])
    results = []
    for pieces in splits:
        parser = OutputParser(output_format, tools=tools(case), reasoning_open=reasoning_open(case))
        results.append(parse(parser, pieces))
    for result in results[1:]:
        if replace(result, ids=()) != replace(results[0], ids=()):
            return f"differs by pieces: {result} instead of {results[0]}"
    return _difference(case, results[0])


def _format_and_text(case: Case) -> tuple[OutputFormat, str]:
    """The format of a case, as its template shows it, and the output. A fragment stands between a call's markers."""
    output_format = detect_output_format(TEMPLATES[FAMILY[case["format"]]])
    text: str = case["input"]
    if case["format"] == "minimax_m2_append":
        # It hands the reasoning on as text, with the tag that the prompt ended with.
        return replace(output_format, reasoning=()), f"<think>{text}" if not case.get("streaming_variant") else text
    if case["kind"] == "fragment":
        syntax = output_format.calls[0]
        opening, closing = (*syntax.openings, "")[0], (*syntax.closings, "")[0]
        text = f"{opening}{text}{closing}"
    return output_format, text


def reasoning_open(case: Case) -> bool:
    """Whether the prompt of a case ended with the opening tag."""
    name = case.get("name") or ""
    options = case.get("chat_template_kwargs") or {}
    if case["source"] != "ollama" and case["kind"] != "reasoning":
        return False
    if (
        options.get("thinking") is False
        or "thinking_disabled" in name
        or (case.get("lastMessage") or {}).get("Content")
    ):
        return False
    match case["format"]:
        case "deepseek3":
            return bool(case.get("hasThinking"))
        case "nemotron-3-nano":
            return bool(case.get("thinkValue"))
        case "cogito":
            return name in _OPEN_BY_NAME
        case "olmo3":
            return case["kind"] == "reasoning"
        case "hy_v3":
            return name != "without_think"
        case other:
            return other in _OPEN_BY_PROMPT


def tools(case: Case) -> list[Tool]:
    """The tools of a case.

    Formats without markers count only for tools that are offered; where the case brings none, those that it calls.
    """
    found = []
    for tool in case["tools"] or ():
        function = tool.get("function") or tool.get("Function") or tool
        name = function.get("name") or function.get("Name")
        parameters = function.get("parameters") or {"properties": (function.get("Parameters") or {}).get("Properties")}
        found.append(Tool(name, parameters=json.dumps(parameters)))
    if not found and case["format"] in ("llama4_pythonic", "pythonic", "xlam"):
        names = dict.fromkeys(call["name"] for call in case["expect"].get("tool_calls") or ())
        found = [Tool(name) for name in names]
    return found


def _difference(case: Case, result: Parsed) -> str:
    expected = case["expect"]
    exact = case["source"] == "ollama"
    content, calls = expected.get("content"), expected.get("tool_calls")
    if case["kind"] == "harmony-tokens":
        return "" if result.said == content else f"said {result.said!r}"
    reasoning = expected.get("reasoning")
    if case["source"] == "vllm" and content:
        # There, reasoning and calls are found by two parsers, each tested alone: what one of them leaves in the
        # content for the other has to become what it would become if it stood alone.
        alone = parse(OutputParser(_format_and_text(case)[0], tools=tools(case)), [content.encode()])
        if alone.calls and calls is None:
            content = alone.content
            if result.calls != alone.calls:
                return f"calls {result.calls}"
        elif alone.reasoning and reasoning is None:
            content, reasoning = alone.content, alone.reasoning
    for kind, said, wanted in (("content", result.content, content), ("reasoning", result.reasoning, reasoning)):
        if wanted is not None and (said != wanted if exact else said.strip() != wanted.strip()):
            return f"{kind} {said!r}, not {wanted!r}"
    if calls is not None:
        if [name for name, _ in result.calls] != [call["name"] for call in calls]:
            return f"calls {result.calls}"
        for (_, arguments), call in zip(result.calls, calls, strict=True):
            if _json(arguments) != call["arguments"]:
                return f"arguments {arguments!r}"
    return _loose_difference(expected, result)


def _loose_difference(expected: dict[str, Any], result: Parsed) -> str:
    """What cases say that assert only parts."""
    names = [name for name, _ in result.calls]
    if expected.get("tool_call_names") is not None and names != expected["tool_call_names"]:
        return f"calls {result.calls}"
    if (count := expected.get("tool_calls_count")) is not None and len(names) != count:
        return f"calls {result.calls}"
    if (least := expected.get("tool_calls_count_min")) is not None and len(names) < least:
        return f"calls {result.calls}"
    first = _json(result.calls[0][1]) if result.calls else None
    if (keys := expected.get("arg_keys")) is not None and not set(keys) & set(first or ()):
        return f"keys {first}"
    if (any_of := expected.get("arguments_any_of")) is not None and first not in [
        _json(text or "{}") for text in any_of
    ]:
        return f"arguments {first}"
    kinds = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None), "list": list, "dict": dict}
    for key, kind in (expected.get("arg_types") or {}).items():
        if type(first[key]) is not kinds[kind]:  # type: ignore[index]
            return f"{key} is {first[key]!r}"  # type: ignore[index]
    return ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
