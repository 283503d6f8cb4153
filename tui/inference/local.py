"""An answer of a model in this process: rendering, reading images, submitting, parsing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui.domain import (
    BadRequest,
    Cancelled,
    ContextTrimmed,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    ImagePart,
    Logprobs,
    Message,
    Origin,
    PromptProgress,
    Queued,
    RawPrompt,
    ReasoningDelta,
    ToolCallFinished,
)
from tui.engine import Delivery, LoadedModel, MediaLayout
from tui.formats import (
    DEFAULT_IMAGE_MARKER,
    ChatFormat,
    OutputFormat,
    OutputParser,
    fim_prompt,
    find_fill_in_tokens,
    instructed,
)
from tui.inference.form import form_of
from tui.inference.overflow import fit_conversation
from tui.inference.source import TaskSource

_PRIORITIES: dict[Origin, int] = {"screen": 0, "cli": 0, "server": 10}
"""Lower is served first: somebody who sits and waits before a program."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is given, and how its answer is to be read."""

    text: str
    """As it was rendered; empty for a prompt of tokens."""
    tokens: list[int]
    media: MediaLayout | None
    output_format: OutputFormat
    reasoning_open: bool
    trimmed: ContextTrimmed | None = None


def read_prompt(
    model: LoadedModel, chat_format: ChatFormat, request: GenerationRequest, cancelled: Callable[[], bool]
) -> Prompt:
    """Render and tokenise what the request asks, cut to the context as its policy says. Raises LmdeckError."""
    if request.raw_prompt is not None:
        return whole_prompt(model, chat_format, request, cancelled)
    rendered: Prompt | None = None

    def tokenize(messages: Sequence[Message]) -> list[int]:
        nonlocal rendered
        if cancelled():
            raise Cancelled("The request was cancelled.")
        rendered = _render(model, chat_format, request, messages, cancelled)
        return rendered.tokens

    fitted = fit_conversation(
        request.messages, request.overflow, tokenize, model.context_length, request.sampling.max_tokens
    )
    if rendered is None or rendered.tokens is not fitted.tokens:
        tokenize(fitted.messages)
    assert rendered is not None
    if not fitted.trimmed:
        return rendered
    return replace(rendered, trimmed=ContextTrimmed(fitted.dropped, fitted.clipped, len(rendered.tokens)))


def whole_prompt(
    model: LoadedModel, chat_format: ChatFormat, request: GenerationRequest, cancelled: Callable[[], bool]
) -> Prompt:
    """The same without cutting anything, be it longer than the context. Raises LmdeckError."""
    if request.raw_prompt is not None:
        return _raw(model, request.raw_prompt)
    return _render(model, chat_format, request, request.messages, cancelled)


def submit(model: LoadedModel, prompt: Prompt, request: GenerationRequest, load_time: float) -> TaskSource:
    """Queue the prompt. Raises LmdeckError."""
    task = model.submit(
        prompt.tokens,
        request.sampling,
        constraint=form_of(request, prompt.output_format, prompt.reasoning_open),
        priority=_PRIORITIES[request.origin],
        keep_state=request.origin == "screen",
        media=prompt.media,
        markers=prompt.output_format.markers,
    )
    return TaskSource(task, _Translation(prompt, request, load_time))


class _Translation:
    """What the engine delivers, as events."""

    def __init__(self, prompt: Prompt, request: GenerationRequest, load_time: float) -> None:
        tools = () if request.tool_choice.mode == "none" else request.tools
        # Without tools nothing is a call, whatever it looks like.
        output_format = prompt.output_format if tools else prompt.output_format.without_calls()
        self._parser = OutputParser(output_format, tools=tools, reasoning_open=prompt.reasoning_open)
        self._load_time = load_time
        self._reasoning_tokens = 0
        self._called = False

    def __call__(self, delivery: Delivery) -> list[Event]:
        events: list[Event] = []
        if delivery.position:
            events.append(Queued(delivery.position))
        if delivery.prompt is not None:
            events.append(PromptProgress(*delivery.prompt))
        deltas = self._parser.feed(delivery.data, delivery.tokens) if delivery.data or delivery.tokens else []
        if delivery.stats is not None:
            deltas += self._parser.finish()
        for delta in deltas:
            self._reasoning_tokens += delta.tokens if isinstance(delta, ReasoningDelta) else 0
            self._called = self._called or isinstance(delta, ToolCallFinished)
        events += deltas
        if delivery.logprobs:
            events.append(Logprobs(delivery.logprobs))
        if delivery.stats is not None:
            stats = replace(delivery.stats, reasoning_tokens=self._reasoning_tokens, load_time=self._load_time)
            if self._called and stats.stop_reason == "eosFound":
                stats = replace(stats, stop_reason="toolCalls")
            events.append(Finished(stats) if delivery.error is None else Failed(delivery.error, stats))
        return events


def _render(
    model: LoadedModel,
    chat_format: ChatFormat,
    request: GenerationRequest,
    messages: Sequence[Message],
    cancelled: Callable[[], bool],
) -> Prompt:
    images = [part.data for message in messages for part in message.parts if isinstance(part, ImagePart)]
    marker = model.image_marker
    if images and marker is None:
        raise BadRequest(
            f"{model.key} cannot see images.",
            "Put its projector file (mmproj) beside it and load it again, or choose another model.",
            field="messages",
        )
    rendered = chat_format.render(
        messages,
        tools=request.tools if request.tool_choice.mode != "none" else (),
        reasoning_effort=request.reasoning_effort,
        options=request.template_options,
        defaults=request.template_defaults,
        continue_last=request.continues_answer,
        image_marker=marker or DEFAULT_IMAGE_MARKER,
    )
    output_format = chat_format.output_format
    if rendered.tools_in_text:
        output_format = instructed(output_format)
    media: MediaLayout | None = None
    if images:
        tokens, media = model.read_images(rendered.text, images, cancelled)
    else:
        tokens = model.vocabulary.tokenize_prompt(rendered.text)
    return Prompt(rendered.text, tokens, media, output_format, rendered.reasoning_open)


def _raw(model: LoadedModel, raw: RawPrompt) -> Prompt:
    """A prompt that is read as it is, and whose answer is all text."""
    vocabulary = model.vocabulary
    if raw.tokens:
        wrong = next((token for token in raw.tokens if not 0 <= token < vocabulary.size), None)
        if wrong is not None:
            raise BadRequest(
                f"This model has no token {wrong}; it has {vocabulary.size:,} from 0.", "Send text.", field="prompt"
            )
        return Prompt("", list(raw.tokens), None, OutputFormat(), reasoning_open=False)
    text = raw.text
    if raw.suffix is not None:
        text = fim_prompt(find_fill_in_tokens(vocabulary.fill_in_markers()), raw.text, raw.suffix)
    tokens = vocabulary.tokenize_prompt(text)
    if not tokens:
        raise BadRequest("The prompt is empty.", "Say something to go on from.", field="prompt")
    return Prompt(text, tokens, None, OutputFormat(), reasoning_open=False)
