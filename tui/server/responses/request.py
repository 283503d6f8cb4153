"""`POST /v1/responses`: the wire request, and the generation that it asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from tui.domain import BadRequest, Constraint, GenerationRequest, Message, text_message
from tui.server.openai.fields import ConstraintFields, LoadFields, SamplingFields, reasoning_effort, template_options
from tui.server.responses.items import Item, to_messages
from tui.server.responses.tools import WireTool, chosen, to_tools

_MOST_ALTERNATIVES = 100
_MOST_METADATA = 16

Metadata = dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]]


class ReasoningOptions(BaseModel):
    """How much to think, and whether to tell of it in a summary."""

    model_config = ConfigDict(extra="ignore")

    effort: str | None = None
    summary: Literal["auto", "concise", "detailed"] | None = Field(
        None, validation_alias=AliasChoices("summary", "generate_summary")
    )


class TextFormat(BaseModel):
    """The form that the text shall have."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None

    def constraint(self) -> Constraint | None:
        """What the engine keeps the text to. Raises BadRequest."""
        if self.type == "text":
            return None
        if self.type == "json_object":
            return Constraint("json_object")
        if self.type != "json_schema":
            raise BadRequest(
                f"There is no text format {self.type[:40]!r}.",
                "Choose text, json_object or json_schema.",
                field="text.format.type",
            )
        if self.schema_ is None:
            raise BadRequest(
                "The text format has no schema.",
                'Write {"type": "json_schema", "name": …, "schema": {…}}.',
                field="text.format.schema",
            )
        return Constraint("json_schema", json.dumps(self.schema_))

    def echoed(self) -> dict[str, Any]:
        """The format as the answer repeats it."""
        if self.type != "json_schema":
            return {"type": self.type}
        return self.model_dump(by_alias=True)


class TextOptions(BaseModel):
    """What kind of text is wanted."""

    model_config = ConfigDict(extra="ignore")

    format: TextFormat = TextFormat()
    verbosity: Literal["low", "medium", "high"] | None = None


class ResponsesRequest(SamplingFields, LoadFields, ConstraintFields):
    """`POST /v1/responses`."""

    model: str = ""
    input: str | list[dict[str, Any]] = Field(default_factory=list)
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[WireTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: int | None = None
    """Limits tools that the server runs; there are none, so that it is only repeated."""
    max_output_tokens: int | None = Field(None, ge=-1)
    reasoning: ReasoningOptions | None = None
    text: TextOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None
    include: list[str] | None = None
    top_logprobs: int | None = Field(None, ge=0, le=_MOST_ALTERNATIVES)
    metadata: Metadata | None = Field(None, max_length=_MOST_METADATA)
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    conversation: Any = None
    prompt: Any = None

    @field_validator("input", mode="before")
    @classmethod
    def _text_or_items(cls, value: Any) -> Any:
        if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
            return value
        raise ValueError("send a text or a list of items")

    @property
    def stored(self) -> bool:
        """Whether the answer is kept."""
        return self.store is not False

    @property
    def wants_summary(self) -> bool:
        """Whether reasoning comes with a summary."""
        return self.reasoning is not None and self.reasoning.summary is not None

    @property
    def wants_sealed_reasoning(self) -> bool:
        """Whether reasoning comes in the form that is handed back as it is."""
        return "reasoning.encrypted_content" in (self.include or ())

    @property
    def wants_logprobs(self) -> bool:
        """Whether text comes with log-probabilities."""
        return bool(self.top_logprobs) or "message.output_text.logprobs" in (self.include or ())

    def check(self) -> None:
        """Raise BadRequest for what cannot be had."""
        if self.background and not self.stored:
            raise BadRequest(
                "A response that is made in the background must be kept, to be found later.",
                'Leave out "store": false.',
                field="background",
            )
        for name in ("conversation", "prompt"):
            if getattr(self, name) is not None:
                raise BadRequest(
                    f"{name.capitalize()}s that OpenAI keeps are not known here.",
                    "Send the items themselves, or continue a response with previous_response_id.",
                    field=name,
                )

    def to_request(self, earlier: Sequence[Item], given: Sequence[Item]) -> GenerationRequest:
        """The generation, which continues the earlier items with those given now. Raises BadRequest."""
        choice, tools = chosen(self.tool_choice, self.parallel_tool_calls, to_tools(self.tools))
        messages = to_messages(earlier, given)
        if not messages:
            raise BadRequest("There is nothing to answer.", "Send a text or items.", field="input")
        instructions: tuple[Message, ...] = ()
        if self.instructions:
            instructions = (text_message("system", self.instructions),)
        effort = self.reasoning.effort if self.reasoning is not None else None
        request = GenerationRequest(
            model=self.model,
            messages=(*instructions, *messages),
            sampling=self.sampling(
                max_tokens=self.max_output_tokens,
                top_logprobs=self.top_logprobs or 0 if self.wants_logprobs else None,
            ),
            load=self.load(),
            overflow="truncateMiddle" if self.truncation == "auto" else "stopAtLimit",
            constraint=self._form(),
            tools=tools,
            tool_choice=choice,
            # There is nothing above xhigh here.
            reasoning_effort=reasoning_effort("xhigh" if effort == "max" else effort, "reasoning.effort"),
            template_options=template_options(self.chat_template_kwargs),
            ttl=self.ttl,
        )
        return self.over_defaults(request, limited=self.max_output_tokens is not None)

    def _form(self) -> Constraint | None:
        form, other = self.text.format.constraint() if self.text is not None else None, self.constraint()
        if form is not None and other is not None:
            raise BadRequest("The text was given more than one form.", "Ask for one of them.", field="text.format")
        return form or other
