"""A request as OpenAI's chat completions take it. Pure functions: they can be read and tested without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tui.domain import (
    BadRequest,
    Constraint,
    GenerationRequest,
    ImagePart,
    LoadConfig,
    Message,
    ReasoningEffort,
    SamplingConfig,
    TextPart,
    Tool,
    ToolResultPart,
)

# Always sent, because servers have other defaults than the ones that are shown here.
_ALWAYS = ("temperature", "top_p")
# Sent where they are not at their defaults: OpenAI's own, then those of llama-server, vLLM and LM Studio, which
# servers that do not know them ignore or refuse. Names on the wire, where they differ.
_WHERE_SET = {
    "presence_penalty": "",
    "frequency_penalty": "",
    "seed": "",
    "max_tokens": "",
    "top_k": "",
    "min_p": "",
    "repeat_penalty": "",
    "repeat_last_n": "",
    "typical_p": "",
    "top_n_sigma": "",
    "xtc_probability": "",
    "xtc_threshold": "",
    "dry_multiplier": "",
    "dry_base": "",
    "dry_allowed_length": "",
    "dry_penalty_last_n": "",
    "dry_sequence_breakers": "",
    "mirostat": "",
    "mirostat_learning_rate": "mirostat_eta",
    "mirostat_target_entropy": "mirostat_tau",
    "dynamic_temperature_range": "dynatemp_range",
    "dynamic_temperature_exponent": "dynatemp_exponent",
    "min_tokens": "",
    "ignore_end_of_generation": "ignore_eos",
    "stop": "",
}
_EFFORTS: dict[ReasoningEffort, str] = {"off": "none"}
# The first bytes of the image files that are allowed in a message.
_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


def chat_payload(model: str, request: GenerationRequest) -> dict[str, Any]:
    """The body of a streaming chat completion. Raises BadRequest for what cannot be asked of a remote engine."""
    if request.load is not None and request.load != LoadConfig():
        raise BadRequest(
            "Load parameters have no effect on a remote engine: its server has loaded the model already.",
            "Leave them out, or set them there.",
            field="load",
        )
    payload: dict[str, Any] = {
        "model": model,
        "messages": [wire for message in request.messages for wire in _messages(message)],
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(request.sampling),
    }
    if request.tools:
        payload["tools"] = [_tool(tool, place) for place, tool in enumerate(request.tools)]
        choice = request.tool_choice
        if choice.mode == "required" and choice.name:
            payload["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        elif choice.mode != "auto":
            payload["tool_choice"] = choice.mode
        if not choice.parallel:
            payload["parallel_tool_calls"] = False
    if request.constraint is not None:
        payload["response_format"] = _response_format(request.constraint)
    if request.reasoning_effort is not None:
        payload["reasoning_effort"] = _EFFORTS.get(request.reasoning_effort, request.reasoning_effort)
    if request.template_options:
        payload["chat_template_kwargs"] = {
            name: _json(text, f"template_options.{name}") for name, text in request.template_options
        }
    return payload


def without_refused(payload: dict[str, Any], field: str, sampling: SamplingConfig) -> dict[str, Any] | None:
    """The body without a field that the server refuses, where nobody asked for it; `None` if that cannot be helped.

    OpenAI's reasoning models take no temperature and want the token limit by its newer name; some servers take no
    stream options. A value that a person set is never dropped.
    """
    if field == "max_tokens" and field in payload:
        rest = {name: value for name, value in payload.items() if name != field}
        return {**rest, "max_completion_tokens": payload[field]}
    dropped = field == "stream_options" or (
        field in _ALWAYS and getattr(sampling, field) == getattr(SamplingConfig(), field)
    )
    if dropped and field in payload:
        return {name: value for name, value in payload.items() if name != field}
    return None


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    """A message as the wire has it; each tool result is a message of its own there. Reasoning is not sent back."""
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            yield {"role": "tool", "tool_call_id": part.call_id, "content": part.text}
    if message.role == "tool":
        return
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    content: Any = message.text
    if any(isinstance(part, ImagePart) for part in message.parts):
        content = [_content(part) for part in message.parts if isinstance(part, TextPart | ImagePart)]
    if calls:
        yield {"role": message.role, "content": content or None, "tool_calls": calls}
    elif content or not any(isinstance(part, ToolResultPart) for part in message.parts):
        yield {"role": message.role, "content": content}


def _content(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    guessed = next((kind for signature, kind in _SIGNATURES if part.data.startswith(signature)), "image/png")
    url = f"data:{part.media_type or guessed};base64,{base64.b64encode(part.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _sampling(sampling: SamplingConfig) -> dict[str, Any]:
    usual = SamplingConfig()
    fields: dict[str, Any] = {name: getattr(sampling, name) for name in _ALWAYS}
    for name, wire_name in _WHERE_SET.items():
        value = getattr(sampling, name)
        if value != getattr(usual, name):
            fields[wire_name or name] = list(value) if isinstance(value, tuple) else value
    if sampling.logit_bias:
        fields["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias}
    if sampling.top_logprobs is not None:
        fields["logprobs"], fields["top_logprobs"] = True, sampling.top_logprobs
    return fields


def _tool(tool: Tool, place: int) -> dict[str, Any]:
    parameters = _json(tool.parameters, f"tools[{place}].parameters")
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _response_format(constraint: Constraint) -> dict[str, Any]:
    if constraint.kind == "json_object":
        return {"type": "json_object"}
    if constraint.kind == "json_schema":
        schema = _json(constraint.source, "constraint.source")
        return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    raise BadRequest(
        f"A remote engine cannot be held to a constraint of the kind {constraint.kind}.",
        "Use a JSON schema, or a model on this machine.",
        field="constraint.kind",
    )


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as damage:
        raise BadRequest(f"This is not JSON: {damage}.", "Correct it.", field=field) from damage
