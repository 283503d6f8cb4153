"""From a conversation to the prompt that its model was trained to answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from tui.domain import BadRequest, BadTemplate, Message, ReasoningEffort, Tool
from tui.formats.capabilities import Capabilities
from tui.formats.continuation import check_continuable, cut_at_end, mark_end
from tui.formats.conversation import one_result_each
from tui.formats.dialect import Dialect
from tui.formats.fallbacks import FALLBACK_TEMPLATE
from tui.formats.harmony import HarmonyRenderer, HarmonyUnavailable, speaks_harmony
from tui.formats.output import OutputFormat, detect_output_format
from tui.formats.prober import Prober
from tui.formats.renderer import DEFAULT_IMAGE_MARKER, Request, TemplateRenderer
from tui.formats.shaping import Shaped, count_images, defuse_marker, gentler, shape
from tui.formats.template import PromptTemplate, TemplateTooCostly
from tui.formats.thinking import Thinking

_NOT_OPTIONS: Final = frozenset({"messages", "tools", "add_generation_prompt"})
"""Variables that have ways of their own into the prompt."""

_USUAL_TAGS: Final = ("<think>", "</think>")


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What a model is given to go on from."""

    text: str
    """Special tokens are spelled out in it, the beginning token too if the template has it."""
    reasoning_open: bool
    """Whether it ends inside open reasoning, so that the answer begins as reasoning."""
    tools_in_text: bool = False
    """Whether the model was told to ask for tools by `[TOOL_REQUEST]`, having no form of its own."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked of `render`."""

    tools: Sequence[Tool]
    effort: ReasoningEffort | None
    options: dict[str, Any]
    defaults: dict[str, Any]
    image_marker: str


class ChatFormat:
    """The chat template of one model, with what it cannot do made up for.

    What it can do is found by rendering probes and looking whether their text is in the prompt (`capabilities`).
    System messages that it refuses or drops go in front of the next user message. Tools that it does not know are
    explained in the system message, and calls of earlier answers told as text. Calls are split, ids rewritten,
    messages of one role in a row joined where it refuses the conversation otherwise.

    A model that speaks Harmony is rendered by OpenAI's library if `harmony` is given and can be used. `template` may
    be a person's own; `fallback` is for files that have none, see `family_template`.

    `render` raises BadTemplate with the line and the cause, BadRequest for what cannot be asked. Safe to use from
    several threads.
    """

    def __init__(
        self,
        template: str,
        *,
        beginning_token: str = "",
        end_token: str = "",
        fallback: str = FALLBACK_TEMPLATE,
        harmony: HarmonyRenderer | None = None,
    ) -> None:
        source = template if template.strip() else fallback
        self._renderer = TemplateRenderer(PromptTemplate(source), beginning_token, end_token)
        self._prober = Prober(self._renderer)
        self._thinking = Thinking(self._prober)
        self._harmony = harmony if harmony is not None and speaks_harmony(source) else None

    @property
    def template(self) -> str:
        """The template that is used."""
        return self._renderer.source

    @cached_property
    def output_format(self) -> OutputFormat:
        """How the model writes, as far as its template shows it."""
        return detect_output_format(self.template)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the template can do. Some thirty renderings the first time; BadTemplate if those cost too much."""
        prober, switches = self._prober, self._thinking.switches
        calls = prober.call_support
        return Capabilities(
            system_role=prober.takes_system,
            text_content=prober.takes_text,
            typed_content=prober.takes_parts,
            images=bool(prober.image_text),
            tools=prober.tool_dialect is not None,
            tool_calls=calls.calls,
            tool_results=calls.results,
            parallel_tool_calls=calls.parallel,
            tool_call_arguments="text" if calls.dialect.arguments_as_text else "object",
            tool_call_ids=calls.id_rule,
            null_content=prober.null_content,
            reasoning_in_history=prober.reasoning_form is not None,
            thinking_switch=switches.switch,
            effort_variable=switches.effort,
            reasoning_efforts=switches.efforts,
            harmony=speaks_harmony(self.template),
        )

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        reasoning_effort: ReasoningEffort | None = None,
        options: Sequence[tuple[str, str]] = (),
        defaults: Sequence[tuple[str, str]] = (),
        continue_last: bool = False,
        add_generation_prompt: bool = True,
        image_marker: str = DEFAULT_IMAGE_MARKER,
    ) -> RenderedPrompt:
        """The prompt for the next answer in this conversation, or for more of its last one with `continue_last`.

        `options` are further variables for the template: names, and values as JSON text; they come before what
        `reasoning_effort` sets, `defaults` after it. `image_marker` stands in the prompt once for each image, in their
        order.
        """
        if continue_last:
            check_continuable(messages)
        job = _Job(tools, reasoning_effort, _parse(options), _parse(defaults), image_marker)
        plain = one_result_each(messages)
        if count_images(plain):
            plain = defuse_marker(plain, image_marker)
        if self._harmony is not None:
            try:
                return self._render_harmony(self._harmony, plain, job, continue_last, add_generation_prompt)
            except HarmonyUnavailable:
                # Said in the log by whoever made the renderer; the template does nearly as well.
                pass
        if continue_last:
            return self._continued(plain, job)
        text, shaped = self._prompt(plain, job, add_generation_prompt)
        return RenderedPrompt(text, self._opens_reasoning(text), shaped.tools_in_text)

    def _render_harmony(
        self, harmony: HarmonyRenderer, messages: Sequence[Message], job: _Job, continue_last: bool, generate: bool
    ) -> RenderedPrompt:
        text = harmony.render(
            messages,
            tools=job.tools,
            reasoning_effort=job.effort,
            options={**job.defaults, **({"reasoning_effort": job.effort} if job.effort else {}), **job.options},
            continue_last=continue_last,
            add_generation_prompt=generate,
            image_marker=job.image_marker,
        )
        last = messages[-1] if continue_last else None
        return RenderedPrompt(text, reasoning_open=last is not None and not last.text and bool(last.reasoning))

    def _continued(self, messages: Sequence[Message], job: _Job) -> RenderedPrompt:
        last = messages[-1]
        in_reasoning = bool(last.reasoning and not last.text)
        try:
            text, shaped = self._prompt(mark_end(messages), job, generate=False)
            cut = cut_at_end(text)
        except TemplateTooCostly:
            raise
        except BadTemplate:
            cut = None
        if cut is None:
            # The template does not repeat this, so that it is written behind where the answer begins.
            text, shaped = self._prompt(messages[:-1], job, generate=True)
            opening, closing = next(((t.opening, t.closing) for t in self.output_format.reasoning), _USUAL_TAGS)
            is_open = self._opens_reasoning(text)
            if in_reasoning:
                cut = text + ("" if is_open else f"{opening}\n") + last.reasoning
            else:
                cut = text + (f"{last.reasoning}\n{closing}\n\n" if is_open else "") + last.text
        return RenderedPrompt(cut, in_reasoning or self._opens_reasoning(cut), shaped.tools_in_text)

    def _opens_reasoning(self, prompt: str) -> bool:
        return self.output_format.opens_reasoning(prompt)

    def _prompt(self, messages: Sequence[Message], job: _Job, generate: bool) -> tuple[str, Shaped]:
        variables = {**job.defaults, **self._thinking.variables(job.effort), **job.options}
        shaped = shape(self._thinking.with_word(messages, job.effort), job.tools, self._prober)
        request = Request(shaped.tools, variables, generate, job.image_marker)
        images = count_images(messages)
        if not images:
            return self._rendered(shaped.messages, shaped.dialect, request), shaped
        if self._prober.image_text:
            typed = self._rendered(shaped.messages, replace(shaped.dialect, image_parts=True), request)
            if typed.count(self._prober.image_text) == images:
                return typed.replace(self._prober.image_text, job.image_marker), shaped
        text = self._rendered(shaped.messages, shaped.dialect, request)
        if text.count(job.image_marker) != images:
            raise BadTemplate(
                f"The chat template shows {text.count(job.image_marker)} of the {images} images of this conversation.",
                "Send images only in messages of the user, or use another template.",
            )
        return text, shaped

    def _rendered(self, messages: Sequence[Message], dialect: Dialect, request: Request) -> str:
        """The prompt, also where the template refuses the conversation as it is but takes it in a simpler form."""
        try:
            return self._renderer.render(messages, dialect, request)
        except TemplateTooCostly:
            raise
        except BadTemplate as error:
            for attempt in gentler(messages):
                try:
                    return self._renderer.render(attempt, dialect, request)
                except TemplateTooCostly:
                    raise
                except BadTemplate:
                    continue
            raise error


def _parse(options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The template's further variables. BadRequest where one is no JSON or not to be set this way."""
    values: dict[str, Any] = {}
    for name, text in options:
        field = f"template_options.{name}"
        if name in _NOT_OPTIONS:
            raise BadRequest(f"The template option {name} cannot be set.", "Leave it out.", field=field)
        try:
            values[name] = json.loads(text)
        except ValueError as error:
            raise BadRequest(
                f"The template option {name} is not JSON: {error}.", 'Texts need quotation marks: "high".', field=field
            ) from error
    return values
