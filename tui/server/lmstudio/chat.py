"""`POST /api/v1/chat`: the wire request, and the answer in one piece."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from tui.domain import GenerationRequest, GenerationStats, LoadConfig, Message, Part, ReasoningPart, TextPart
from tui.domain import text_message as message
from tui.server.collecting import Collected
from tui.server.lmstudio.errors import NotOffered
from tui.server.lmstudio.store import Conversation
from tui.server.openai.fields import ConstraintFields, SamplingFields, reasoning_effort
from tui.server.openai.messages import image_from_url

Reasoning = Literal["off", "low", "medium", "high", "on"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextInput(_Strict):
    """Something that the user says. The documentation calls its type `message` here and `text` there."""

    type: Literal["text", "message"]
    content: str


class ImageInput(_Strict):
    """A picture that the user shows."""

    type: Literal["image"]
    data_url: str


class PluginIntegration(_Strict):
    """An MCP server of `mcp.json`, or another plugin."""

    type: Literal["plugin"]
    id: str
    allowed_tools: list[str] | None = None


class EphemeralMcpIntegration(_Strict):
    """An MCP server for this request alone."""

    type: Literal["ephemeral_mcp"]
    server_label: str
    server_url: str
    allowed_tools: list[str] | None = None
    headers: dict[str, str] | None = None


def _input_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return {"text": "<text>", "message": "<text>", "image": "<image>"}.get(str(kind))


def _integration_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "<id>"
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return {"plugin": "<plugin>", "ephemeral_mcp": "<mcp>"}.get(str(kind))


# Tags that are no names stay out of the path of a mistake.
InputItem = Annotated[
    Annotated[TextInput, Tag("<text>")] | Annotated[ImageInput, Tag("<image>")],
    Discriminator(
        _input_tag,
        custom_error_type="unknown_kind",
        custom_error_message='an item is {"type": "text", "content": …} or {"type": "image", "data_url": …}',
    ),
]
Input = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[InputItem], Field(min_length=1), Tag("<items>")],
    Discriminator(lambda value: "<items>" if isinstance(value, list) else "<string>"),
]
Integration = Annotated[
    Annotated[str, Tag("<id>")]
    | Annotated[PluginIntegration, Tag("<plugin>")]
    | Annotated[EphemeralMcpIntegration, Tag("<mcp>")],
    Discriminator(
        _integration_tag,
        custom_error_type="unknown_kind",
        custom_error_message="an integration is an id, or an object of the type plugin or ephemeral_mcp",
    ),
]


class NativeChatRequest(SamplingFields, ConstraintFields):
    """What LM Studio takes, and every other way to choose tokens and to shape the answer."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1)
    input: Input
    system_prompt: str | None = None
    integrations: list[Integration] | None = None
    stream: bool = False
    max_output_tokens: int | None = None
    reasoning: Reasoning | None = None
    context_length: int | None = Field(None, ge=1)
    store: bool = True
    previous_response_id: str | None = None
    ttl: float | None = Field(None, gt=0)

    def check_integrations(self) -> None:
        """Raise NotOffered where tools are wanted: this server does not speak to MCP servers."""
        for index, wanted in enumerate(self.integrations or ()):
            mcp = isinstance(wanted, EphemeralMcpIntegration)
            raise NotOffered(
                "Integrations cannot be used through this server yet.",
                "Leave them out, or give the model tools through /v1/chat/completions.",
                kind="mcp_connection_error" if mcp else "plugin_connection_error",
                field=f"integrations[{index}]",
            )

    def turn(self) -> Message:
        """What the user says. Raises BadRequest for an image that is none."""
        if isinstance(self.input, str):
            return message("user", self.input)
        parts: list[Part] = [
            image_from_url(item.data_url, f"input[{index}].data_url")
            if isinstance(item, ImageInput)
            else TextPart(item.content)
            for index, item in enumerate(self.input)
        ]
        return Message("user", tuple(parts))

    def to_request(self, model: str, before: Conversation, turn: Message) -> GenerationRequest:
        """The turn as one that follows what was said before. Raises BadRequest."""
        system_prompt = self.prompt_after(before)
        system = (message("system", system_prompt),) if system_prompt else ()
        request = GenerationRequest(
            model=model,
            messages=(*system, *before.messages, turn),
            sampling=self.sampling(max_tokens=self.max_output_tokens, top_logprobs=None),
            load=None if self.context_length is None else LoadConfig(context_length=self.context_length),
            overflow="stopAtLimit",
            constraint=self.constraint(),
            reasoning_effort=reasoning_effort(self.reasoning, "reasoning"),
            ttl=self.ttl,
        )
        return self.over_defaults(request, limited=self.max_output_tokens is not None)

    def prompt_after(self, before: Conversation) -> str:
        """The system prompt: that of this request, or else the one that the conversation has."""
        return before.system_prompt if self.system_prompt is None else self.system_prompt


def result(instance_id: str, answer: Collected, response_id: str | None) -> dict[str, Any]:
    """The whole response."""
    whole = {"model_instance_id": instance_id, "output": _output(answer), "stats": _stats(answer.stats)}
    return whole if response_id is None else {**whole, "response_id": response_id}


def answer_message(answer: Collected) -> Message:
    """The answer as part of the conversation."""
    parts: list[Part] = [ReasoningPart(answer.reasoning)] if answer.reasoning else []
    return Message("assistant", (*parts, TextPart(answer.text)))


def invalid_call(name: str) -> dict[str, Any]:
    """What is said of a call of a tool that nobody offered."""
    reason = f"Cannot find tool with name {name}."
    return {"reason": reason, "metadata": {"type": "invalid_name", "tool_name": name}}


def _output(answer: Collected) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if answer.reasoning:
        items.append({"type": "reasoning", "content": answer.reasoning})
    if answer.text:
        items.append({"type": "message", "content": answer.text})
    items += ({"type": "invalid_tool_call", **invalid_call(call.name)} for call in answer.tool_calls)
    return items


def _stats(stats: GenerationStats) -> dict[str, Any]:
    found = {
        "input_tokens": stats.prompt_tokens,
        "total_output_tokens": stats.generated_tokens,
        "reasoning_output_tokens": stats.reasoning_tokens,
        "tokens_per_second": stats.generation_speed,
        "time_to_first_token_seconds": stats.time_to_first_token,
    }
    return {**found, "model_load_time_seconds": stats.load_time} if stats.load_time else found
